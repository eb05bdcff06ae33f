//! Octets that only the holder of one certificate reads (CMS EnvelopedData), encrypted while they are
//! written: in clear they are nowhere but in memory, a piece at a time.

use super::{Certificate, random};
use crate::wire::cms::{AgreedKey, CmsError, Frame, Recipient, shared_info};
use crate::wire::digest::RunningDigest;
use crate::wire::{Digest, Timestamp};
use openssl::aes::{AesKey, wrap_key};
use openssl::derive::Deriver;
use openssl::ec::{EcKey, PointConversionForm};
use openssl::encrypt::Encrypter;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey};
use openssl::rsa::Padding;
use openssl::sha::Sha256;
use openssl::symm::{Cipher, Crypter, Mode};
use std::io::{self, Write};
use thiserror::Error;
use zeroize::Zeroizing;

#[derive(Debug, Error)]
pub enum EnvelopeError {
    #[error("the certificate was not good at {0}: it is from {1} to {2}")]
    Time(Timestamp, Timestamp, Timestamp),
    #[error("the certificate's key is not for encryption")]
    Usage,
    #[error("the certificate's key is neither RSA of 2048 bits or more nor of an elliptic curve")]
    Key,
    #[error("cipher: {0}")]
    Cipher(#[from] ErrorStack),
    #[error("certificate: {0}")]
    Form(#[from] CmsError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Encrypts what is written to it.
pub struct Envelope<W> {
    out: W,
    cipher: Crypter,
    waiting: Zeroizing<Vec<u8>>,
    foot: Vec<u8>,
    plain: RunningDigest,
    sealed: RunningDigest,
}

/// What became of what was written.
pub struct Closed<W> {
    pub out: W,
    /// SHA-256 of the octets in clear, and of what they became.
    pub plain: Digest,
    pub sealed: Digest,
}

/// Whether something can be encrypted for this certificate then.
pub fn suits(certificate: &Certificate, at: Timestamp) -> Result<(), EnvelopeError> {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if at < from || at > until {
        return Err(EnvelopeError::Time(at, from, until));
    }
    let (key, usage) = (certificate.key(), certificate.key_usage());
    let (good, used) = match key.id() {
        Id::RSA => (key.bits() >= 2048, usage.is_none_or(|usage| usage.key_encipherment)),
        Id::EC => (true, usage.is_none_or(|usage| usage.key_agreement)),
        _ => (false, true),
    };
    match (good, used) {
        (true, true) => Ok(()),
        (false, _) => Err(EnvelopeError::Key),
        (true, false) => Err(EnvelopeError::Usage),
    }
}

impl<W: Write> Envelope<W> {
    /// Begins: the key of the content is new, and stands in the head for the recipient alone.
    pub fn open(
        mut out: W,
        certificate: &Certificate,
        at: Timestamp,
    ) -> Result<Self, EnvelopeError> {
        suits(certificate, at)?;
        let key = Zeroizing::new(random::bytes::<32>());
        let iv = random::bytes::<16>();
        let frame = match certificate.key().id() {
            Id::EC => agreed(certificate, &key, &iv)?,
            _ => transported(certificate, &key, &iv)?,
        };
        let cipher = Crypter::new(Cipher::aes_256_cbc(), Mode::Encrypt, &key[..], Some(&iv))?;
        let mut sealed = RunningDigest::default();
        sealed.add(&frame.head);
        out.write_all(&frame.head)?;
        let waiting = Zeroizing::new(Vec::with_capacity(PIECE));
        let (foot, plain) = (frame.foot, RunningDigest::default());
        Ok(Self { out, cipher, waiting, foot, plain, sealed })
    }

    pub fn close(mut self) -> Result<Closed<W>, EnvelopeError> {
        self.piece()?;
        let mut last = vec![0; BLOCK];
        let length = self.cipher.finalize(&mut last)?;
        last.truncate(length);
        self.lay(&Frame::piece(&last))?;
        let foot = std::mem::take(&mut self.foot);
        self.lay(&foot)?;
        self.out.flush()?;
        Ok(Closed { out: self.out, plain: self.plain.finish(), sealed: self.sealed.finish() })
    }

    fn piece(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let mut encrypted = vec![0; self.waiting.len() + BLOCK];
        let length = self.cipher.update(&self.waiting, &mut encrypted).map_err(io::Error::other)?;
        encrypted.truncate(length);
        self.waiting.clear();
        self.lay(&Frame::piece(&encrypted))
    }

    fn lay(&mut self, octets: &[u8]) -> io::Result<()> {
        self.sealed.add(octets);
        self.out.write_all(octets)
    }
}

impl<W: Write> Write for Envelope<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let taken = octets.len().min(PIECE - self.waiting.len());
        let (now, _) = octets.split_at(taken);
        self.plain.add(now);
        self.waiting.extend_from_slice(now);
        if self.waiting.len() == PIECE {
            self.piece()?;
        }
        Ok(taken)
    }

    /// What is not a whole piece waits for its end.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn transported(
    certificate: &Certificate,
    key: &[u8; 32],
    iv: &[u8; 16],
) -> Result<Frame, EnvelopeError> {
    let mut encrypter = Encrypter::new(certificate.key())?;
    encrypter.set_rsa_padding(Padding::PKCS1_OAEP)?;
    encrypter.set_rsa_oaep_md(MessageDigest::sha256())?;
    encrypter.set_rsa_mgf1_md(MessageDigest::sha256())?;
    let mut encrypted = vec![0; encrypter.encrypt_len(key)?];
    let length = encrypter.encrypt(key, &mut encrypted)?;
    encrypted.truncate(length);
    let recipient = Recipient::Rsa { certificate: certificate.der(), encrypted: &encrypted };
    Ok(Frame::new(&recipient, iv)?)
}

/// RFC 5753 §3.1: an ephemeral key of ours, and the recipient's own.
fn agreed(
    certificate: &Certificate,
    key: &[u8; 32],
    iv: &[u8; 16],
) -> Result<Frame, EnvelopeError> {
    let theirs = certificate.key().ec_key()?;
    let ours = EcKey::generate(theirs.group())?;
    let mut numbers = openssl::bn::BigNumContext::new()?;
    let form = PointConversionForm::UNCOMPRESSED;
    let point = ours.public_key().to_bytes(theirs.group(), form, &mut numbers)?;
    let ours = PKey::from_ec_key(ours)?;
    let mut deriver = Deriver::new(&ours)?;
    deriver.set_peer(certificate.key())?;
    let secret = Zeroizing::new(deriver.derive_to_vec()?);
    // SEC 1 §3.6.1: one round of SHA-256 is as long as the key.
    let mut agreed = Sha256::new();
    agreed.update(&secret);
    agreed.update(&1_u32.to_be_bytes());
    agreed.update(&shared_info());
    let agreed = Zeroizing::new(agreed.finish());
    let mut wrapped = [0; 40];
    let wrapping = AesKey::new_encrypt(&agreed[..]).map_err(|_| EnvelopeError::Key)?;
    wrap_key(&wrapping, None, &mut wrapped, key).map_err(|_| EnvelopeError::Key)?;
    let agreed = AgreedKey { point: &point, wrapped: &wrapped };
    let recipient = Recipient::Ec { certificate: certificate.der(), agreed };
    Ok(Frame::new(&recipient, iv)?)
}

/// Octets encrypted at a time.
const PIECE: usize = 64 << 10;
/// Of the cipher.
const BLOCK: usize = 16;
