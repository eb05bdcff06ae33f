//! What rests on disk is encrypted: a master key in a file of its own wraps one data key per blob,
//! so that erasing a wrapped key erases the content. Small secrets are sealed directly.

mod aead;
mod blob;
mod file;

pub use blob::{BLOB_CHUNK, DataKey, FreshKey, Sealer, plain_len, sealed_len, sealed_range};

use super::random;
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// The generations of the master key; the newest wraps, all unwrap.
pub struct Vault {
    keys: BTreeMap<u32, Zeroizing<[u8; 32]>>,
    newest: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("{path}: {source}", path = path.display())]
    File { path: std::path::PathBuf, source: std::io::Error },
    #[error("{path}: others than its owner can read it; mode 0600 is wanted", path = .0.display())]
    Readable(std::path::PathBuf),
    #[error("{path}: not a master key file", path = .0.display())]
    Form(std::path::PathBuf),
    #[error("sealed with generation {0} of the master key, which is not in the file")]
    Generation(u32),
    /// Another key or context, or octets that were changed, cut off or put elsewhere.
    #[error("the sealed octets do not open")]
    Broken,
    #[error("cryptography: {0}")]
    Crypto(#[from] openssl::error::ErrorStack),
}

impl Vault {
    /// Makes a new master key in a new file with mode 0600.
    pub fn create(path: &Path) -> Result<Self, VaultError> {
        let keys = BTreeMap::from([(1, Zeroizing::new(random::bytes()))]);
        file::write_new(path, &keys)?;
        Ok(Self { keys, newest: 1 })
    }

    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let keys = file::read(path)?;
        let newest = keys.keys().next_back().copied();
        let newest = newest.ok_or_else(|| VaultError::Form(path.to_owned()))?;
        Ok(Self { keys, newest })
    }

    /// Adds a generation; what older ones wrapped stays readable.
    pub fn rotate(path: &Path) -> Result<Self, VaultError> {
        let mut vault = Self::open(path)?;
        vault.newest += 1;
        vault.keys.insert(vault.newest, Zeroizing::new(random::bytes()));
        file::replace(path, &vault.keys)?;
        Ok(vault)
    }

    /// The generation that wraps now; what is wrapped by an older one can be wrapped anew.
    pub fn generation(&self) -> u32 {
        self.newest
    }

    /// The generation that wrapped or sealed these octets.
    pub fn generation_of(sealed: &[u8]) -> Option<u32> {
        sealed.first_chunk().map(|octets| u32::from_be_bytes(*octets))
    }

    /// A new data key for one blob, and its wrapped form for the blob's row. `context` (the blob's
    /// id) is bound in: a wrapped key that was put to another blob does not open.
    pub fn fresh_key(&self, context: &[u8]) -> Result<(FreshKey, Vec<u8>), VaultError> {
        let key = Zeroizing::new(random::bytes::<32>());
        let wrapped = self.seal_as(WRAP, key.as_slice(), context)?;
        Ok((FreshKey::new(key), wrapped))
    }

    pub fn unwrap_key(&self, wrapped: &[u8], context: &[u8]) -> Result<DataKey, VaultError> {
        let octets = self.open_as(WRAP, wrapped, context)?;
        let key: [u8; 32] = octets.as_slice().try_into().map_err(|_| VaultError::Broken)?;
        Ok(DataKey::new(Zeroizing::new(key)))
    }

    /// The same data key under the newest generation.
    pub fn rewrap_key(&self, wrapped: &[u8], context: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.open_as(WRAP, wrapped, context)?;
        self.seal_as(WRAP, &key, context)
    }

    /// Seals a small secret (a SCRAM verifier, a token) for a row; `context` names its place.
    pub fn seal(&self, secret: &[u8], context: &[u8]) -> Result<Vec<u8>, VaultError> {
        self.seal_as(SECRET, secret, context)
    }

    pub fn unseal(&self, sealed: &[u8], context: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        self.open_as(SECRET, sealed, context)
    }

    /// Generation, nonce, ciphertext, tag. Random nonces are safe for 2^32 uses of one generation
    /// (NIST SP 800-38D §8.3).
    fn seal_as(&self, use_: u8, plain: &[u8], context: &[u8]) -> Result<Vec<u8>, VaultError> {
        let nonce = random::bytes::<{ aead::NONCE }>();
        let mut out = self.newest.to_be_bytes().to_vec();
        out.extend_from_slice(&nonce);
        let bound = [&[use_], context].concat();
        aead::seal(self.key(self.newest)?, &nonce, &bound, plain, &mut out)?;
        Ok(out)
    }

    fn open_as(
        &self,
        use_: u8,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (generation, rest) = sealed.split_first_chunk().ok_or(VaultError::Broken)?;
        let (nonce, rest) =
            rest.split_first_chunk::<{ aead::NONCE }>().ok_or(VaultError::Broken)?;
        let key = self.key(u32::from_be_bytes(*generation))?;
        let bound = [&[use_], context].concat();
        let mut out = Zeroizing::new(Vec::new());
        aead::open(key, nonce, &bound, rest, &mut out)?;
        Ok(out)
    }

    fn key(&self, generation: u32) -> Result<&[u8; 32], VaultError> {
        self.keys.get(&generation).map(|key| &**key).ok_or(VaultError::Generation(generation))
    }
}

/// Data keys and secrets never open as each other.
const WRAP: u8 = 1;
const SECRET: u8 = 2;

#[cfg(test)]
mod tests;
