//! A blob under its data key: chunks of 64 KiB, each with its number and "last" in the nonce, so
//! that any range can be read alone and nothing can be cut off, swapped or repeated unnoticed.

use super::VaultError;
use super::aead::{self, NONCE, TAG};
use std::ops::Range;
use zeroize::Zeroizing;

/// Plain octets per chunk: small enough to fetch a preview, large enough that tags weigh nothing.
pub const BLOB_CHUNK: usize = 64 * 1024;

/// A key that has encrypted nothing yet; used up by encrypting, because nonces are numbers.
pub struct FreshKey(Zeroizing<[u8; 32]>);

/// A key that decrypts.
pub struct DataKey(Zeroizing<[u8; 32]>);

/// Encrypts one blob piece by piece.
pub struct Sealer {
    key: Zeroizing<[u8; 32]>,
    waiting: Zeroizing<Vec<u8>>,
    next: u32,
}

impl FreshKey {
    pub(super) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The whole blob at once.
    pub fn seal(self, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut out = Vec::with_capacity(sealed_len(plain.len() as u64) as usize);
        let mut sealer = self.sealer();
        sealer.push(plain, &mut out)?;
        sealer.finish(&mut out)?;
        Ok(out)
    }

    pub fn sealer(self) -> Sealer {
        Sealer { key: self.0, waiting: Zeroizing::new(Vec::new()), next: 0 }
    }
}

impl Sealer {
    /// Appends what is ready to `out`.
    pub fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), VaultError> {
        // A full chunk is sealed only when more follows: the last one is marked.
        while self.waiting.len() + plain.len() > BLOB_CHUNK {
            let (now, later) = plain.split_at(BLOB_CHUNK - self.waiting.len());
            if self.waiting.is_empty() {
                self.chunk(now, false, out)?;
            } else {
                self.waiting.extend_from_slice(now);
                let chunk = std::mem::take(&mut self.waiting);
                self.chunk(&chunk, false, out)?;
            }
            plain = later;
        }
        self.waiting.extend_from_slice(plain);
        Ok(())
    }

    pub fn finish(mut self, out: &mut Vec<u8>) -> Result<(), VaultError> {
        let chunk = std::mem::take(&mut self.waiting);
        self.chunk(&chunk, true, out)
    }

    fn chunk(&mut self, plain: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), VaultError> {
        aead::seal(&self.key, &nonce(self.next, last), &[], plain, out)?;
        self.next = self.next.checked_add(1).ok_or(VaultError::Broken)?;
        Ok(())
    }
}

impl DataKey {
    pub(super) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// The whole blob at once.
    pub fn open(&self, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let length = plain_len(sealed.len() as u64).ok_or(VaultError::Broken)?;
        self.open_range(sealed, 0..length, length)
    }

    /// Plain octets `range` of a blob with `length` plain octets; `sealed` are exactly the octets
    /// that [`sealed_range`] names.
    pub fn open_range(
        &self,
        sealed: &[u8],
        range: Range<u64>,
        length: u64,
    ) -> Result<Vec<u8>, VaultError> {
        let wanted = sealed_range(range.clone(), length).ok_or(VaultError::Broken)?;
        if sealed.len() as u64 != wanted.end - wanted.start {
            return Err(VaultError::Broken);
        }
        let first = first_chunk(range.start, length);
        let last = chunks(length) - 1;
        let mut out = Vec::with_capacity(sealed.len());
        for (at, chunk) in sealed.chunks(BLOB_CHUNK + TAG).enumerate() {
            let number = first + at as u64;
            let counter = u32::try_from(number).map_err(|_| VaultError::Broken)?;
            aead::open(&self.0, &nonce(counter, number == last), &[], chunk, &mut out)?;
        }
        let skip = (range.start - first * BLOB_CHUNK as u64) as usize;
        let take = (range.end - range.start) as usize;
        out.truncate(skip + take);
        out.drain(..skip.min(out.len()));
        Ok(out)
    }
}

/// How many octets a blob takes when it is sealed.
pub fn sealed_len(plain: u64) -> u64 {
    plain + chunks(plain) * TAG as u64
}

/// How many octets a sealed blob holds; `None`: no blob has this length.
pub fn plain_len(sealed: u64) -> Option<u64> {
    let whole = (BLOB_CHUNK + TAG) as u64;
    let plain = sealed.checked_sub(sealed.div_ceil(whole).max(1) * TAG as u64)?;
    (sealed_len(plain) == sealed).then_some(plain)
}

/// Which sealed octets must be read for a range of plain ones; `None`: the range lies outside.
pub fn sealed_range(range: Range<u64>, length: u64) -> Option<Range<u64>> {
    if range.start > range.end || range.end > length {
        return None;
    }
    let chunk = BLOB_CHUNK as u64;
    let whole = chunk + TAG as u64;
    let first = first_chunk(range.start, length);
    let after = range.end.div_ceil(chunk).max(first + 1);
    Some(first * whole..(after * whole).min(sealed_len(length)))
}

/// A start at the very end lies in the last chunk.
fn first_chunk(start: u64, length: u64) -> u64 {
    (start / BLOB_CHUNK as u64).min(chunks(length) - 1)
}

/// An empty blob has one empty chunk, so that emptiness is authentic too.
fn chunks(plain: u64) -> u64 {
    plain.div_ceil(BLOB_CHUNK as u64).max(1)
}

/// The key is for this blob alone, so the chunk's number is enough (the STREAM construction).
fn nonce(number: u32, last: bool) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[7..11].copy_from_slice(&number.to_be_bytes());
    nonce[11] = u8::from(last);
    nonce
}
