//! AES-256-GCM: ciphertext and tag, appended to what is there.

use super::VaultError;
use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;

pub(super) const NONCE: usize = 12;
pub(super) const TAG: usize = 16;

pub(super) fn seal(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    bound: &[u8],
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), VaultError> {
    let mut context = CipherCtx::new()?;
    context.encrypt_init(Some(Cipher::aes_256_gcm()), Some(key), Some(nonce))?;
    if !bound.is_empty() {
        context.cipher_update(bound, None)?;
    }
    context.cipher_update_vec(plain, out)?;
    context.cipher_final_vec(out)?;
    let mut tag = [0; TAG];
    context.tag(&mut tag)?;
    out.extend_from_slice(&tag);
    Ok(())
}

/// On failure `out` is as it was.
pub(super) fn open(
    key: &[u8; 32],
    nonce: &[u8; NONCE],
    bound: &[u8],
    sealed: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), VaultError> {
    let (cipher, tag) = sealed.split_last_chunk::<TAG>().ok_or(VaultError::Broken)?;
    let before = out.len();
    let mut context = CipherCtx::new()?;
    context.decrypt_init(Some(Cipher::aes_256_gcm()), Some(key), Some(nonce))?;
    if !bound.is_empty() {
        context.cipher_update(bound, None)?;
    }
    context.cipher_update_vec(cipher, out)?;
    context.set_tag(tag)?;
    if context.cipher_final_vec(out).is_err() {
        zeroize::Zeroize::zeroize(&mut out[before..]);
        out.truncate(before);
        return Err(VaultError::Broken);
    }
    Ok(())
}
