//! AES-256-GCM. The algorithm is fetched once: OpenSSL's look-up costs as much as a small blob.

use super::{Key, VaultError};
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;
use openssl::error::ErrorStack;
use std::sync::OnceLock;

/// Appends what was encrypted, and its tag.
pub fn encrypt(
    out: &mut Vec<u8>,
    key: &Key,
    nonce: &[u8; NONCE],
    aad: &[u8],
    plain: &[u8],
) -> Result<(), VaultError> {
    let mut context = CipherCtx::new()?;
    context.encrypt_init(Some(cipher()?), Some(&key[..]), Some(nonce))?;
    context.cipher_update(aad, None)?;
    let mut at = out.len();
    out.resize(at + plain.len() + BLOCK, 0);
    at += context.cipher_update(plain, Some(&mut out[at..]))?;
    at += context.cipher_final(&mut out[at..])?;
    out.truncate(at);
    let mut tag = [0; TAG];
    context.tag(&mut tag)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// Appends what was decrypted; after a failure nothing more is there.
pub fn decrypt(
    out: &mut Vec<u8>,
    key: &Key,
    nonce: &[u8; NONCE],
    aad: &[u8],
    sealed: &[u8],
) -> Result<(), VaultError> {
    let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(VaultError::Altered)?;
    let mut context = CipherCtx::new()?;
    context.decrypt_init(Some(cipher()?), Some(&key[..]), Some(nonce))?;
    context.cipher_update(aad, None)?;
    context.set_tag(tag)?;
    let before = out.len();
    out.resize(before + body.len() + BLOCK, 0);
    let read = context.cipher_update(body, Some(&mut out[before..]));
    let read = read.map_err(VaultError::from).and_then(|at| {
        let end = context.cipher_final(&mut out[before + at..]);
        Ok(at + end.map_err(|_| VaultError::Altered)?)
    });
    out.truncate(before + *read.as_ref().unwrap_or(&0));
    read.map(|_| ())
}

fn cipher() -> Result<&'static Cipher, ErrorStack> {
    static FETCHED: OnceLock<Cipher> = OnceLock::new();
    match FETCHED.get() {
        Some(cipher) => Ok(cipher),
        None => {
            let cipher = Cipher::fetch(None, "AES-256-GCM", None)?;
            Ok(FETCHED.get_or_init(|| cipher))
        }
    }
}

pub const TAG: usize = 16;
pub const NONCE: usize = 12;
/// OpenSSL wants that much room more, and does not use it.
const BLOCK: usize = 16;
