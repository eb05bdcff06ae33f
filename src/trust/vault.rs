//! Encryption at rest. Each blob has a data key of its own (AES-256-GCM in chunks of 64 KiB, so
//! that a range can be read alone); data keys are wrapped by a master key, of which there may be
//! several generations.

mod file;
mod gcm;
mod purpose;

pub use purpose::Purpose;

use super::random;
use file::Keys;
use gcm::{NONCE, TAG, decrypt, encrypt};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use thiserror::Error;
use zeroize::Zeroizing;

/// The master keys, newest last, as their file has them.
pub struct Vault {
    path: PathBuf,
    keys: RwLock<Arc<Keys>>,
}

/// The key of one blob.
pub struct DataKey(Key);

type Key = Zeroizing<[u8; 32]>;

#[derive(Debug, Error)]
pub enum VaultError {
    #[error("master key file {0}: {1}")]
    File(String, std::io::Error),
    #[error("master key file {0} can be read by others (mode {1:o}); it must be 0600")]
    Mode(String, u32),
    #[error("master key file {0} line {1}: expected `<generation> <64 hex digits>`")]
    Form(String, usize),
    #[error("master key generation {0} is not in the file")]
    NoGeneration(u8),
    #[error("master key generation {0} seals what is new; only an older one can go")]
    Newest(u8),
    #[error("master key generation {0} was added by somebody else meanwhile")]
    Meanwhile(u8),
    #[error("the octets were altered, or the key is not theirs")]
    Altered,
    #[error("cipher: {0}")]
    Cipher(#[from] openssl::error::ErrorStack),
}

impl Vault {
    /// Reads a file of lines `<generation> <64 hex digits>`; the last one wraps new keys. Lines `derive
    /// <64 hex digits> <purpose>` are what stays of generations that went.
    pub fn open(path: &Path) -> Result<Self, VaultError> {
        let keys = RwLock::new(Arc::new(file::read(path)?));
        Ok(Self { path: path.to_owned(), keys })
    }

    /// Makes a new file with one key; refuses to overwrite.
    pub fn create(path: &Path) -> Result<(), VaultError> {
        let first = Keys::with(vec![(1, Zeroizing::new(random::bytes()))]);
        file::write_new(path, &first)
            .map_err(|error| VaultError::File(path.display().to_string(), error))
    }

    /// Adds a generation, which wraps from now on; what older ones wrapped can still be read. The
    /// old file stays until the new one is on disk; that has the same owner. Whoever has the file open
    /// takes the new one by [`Vault::refresh`].
    pub fn rotate(path: &Path) -> Result<Self, VaultError> {
        file::change(path, |keys| {
            let newest = following(keys)?;
            keys.masters.push((newest, Zeroizing::new(random::bytes())));
            Ok(())
        })?;
        Self::open(path)
    }

    /// The same of the generation that [`Vault::next`] told, unless somebody else has added it since.
    pub fn rotate_to(path: &Path, generation: u8) -> Result<Self, VaultError> {
        file::change(path, |keys| match following(keys)? == generation {
            true => {
                keys.masters.push((generation, Zeroizing::new(random::bytes())));
                Ok(())
            }
            false => Err(VaultError::Meanwhile(generation)),
        })?;
        Self::open(path)
    }

    /// The generation that comes next.
    pub fn next(path: &Path) -> Result<u8, VaultError> {
        following(&file::read(path)?)
    }

    /// Takes a generation out of the file: what it sealed can't be read any more, so nothing may be
    /// left of that. Of what it derived the keys stay, each good for its purpose alone: nothing is
    /// unsealed by them, and it can't be had back from them.
    pub fn retire(path: &Path, generation: u8) -> Result<Self, VaultError> {
        file::change(path, |keys| {
            if keys.generation() == generation {
                return Err(VaultError::Newest(generation));
            }
            if !keys.masters.iter().any(|(known, _)| *known == generation) {
                return Err(VaultError::NoGeneration(generation));
            }
            for purpose in Purpose::ALL {
                let key = keys.derived(purpose)?;
                keys.derived.insert(purpose.label().to_owned(), key);
            }
            keys.masters.retain(|(known, _)| *known != generation);
            Ok(())
        })?;
        Self::open(path)
    }

    /// Reads the file anew if it is another one; says whether the generation that seals changed.
    pub fn refresh(&self) -> Result<bool, VaultError> {
        let before = self.keys();
        if !file::changed(&self.path, &before) {
            return Ok(false);
        }
        let after = Arc::new(file::read(&self.path)?);
        let changed = after.generation() != before.generation();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = after;
        Ok(changed)
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The master key of a generation; the file is looked at once more before it is said to be missing,
    /// since another process may have added it.
    fn master(&self, generation: u8) -> Result<Key, VaultError> {
        let keys = self.keys();
        if let Some(found) = keys.master(generation) {
            return Ok(found.clone());
        }
        self.refresh()?;
        let keys = self.keys();
        keys.master(generation).cloned().ok_or(VaultError::NoGeneration(generation))
    }

    /// The generation that wraps now.
    pub fn generation(&self) -> u8 {
        self.keys().generation()
    }

    /// Every generation that can unseal, the oldest first.
    pub fn generations(&self) -> Vec<u8> {
        self.keys().masters.iter().map(|(generation, _)| *generation).collect()
    }

    /// The generation that wrapped these octets.
    pub fn generation_of(wrapped: &[u8]) -> Option<u8> {
        wrapped.first().copied()
    }

    pub fn new_data_key(&self) -> DataKey {
        DataKey(Zeroizing::new(random::bytes()))
    }

    /// Wraps a data key for the row of the blob named `owner`.
    pub fn wrap(&self, key: &DataKey, owner: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys();
        let Some((generation, master)) = keys.masters.last() else {
            return Err(VaultError::NoGeneration(0));
        };
        let nonce = random::bytes::<NONCE>();
        let mut wrapped = vec![*generation];
        wrapped.extend_from_slice(&nonce);
        encrypt(&mut wrapped, master, &nonce, owner, &key.0[..])?;
        Ok(wrapped)
    }

    pub fn unwrap(&self, wrapped: &[u8], owner: &[u8]) -> Result<DataKey, VaultError> {
        let (generation, rest) = wrapped.split_first().ok_or(VaultError::Altered)?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(VaultError::Altered)?;
        let master = self.master(*generation)?;
        let mut plain = Zeroizing::new(Vec::with_capacity(WRAPPED));
        decrypt(&mut plain, &master, nonce, owner, sealed)?;
        let key: [u8; 32] = plain.as_slice().try_into().map_err(|_| VaultError::Altered)?;
        Ok(DataKey(Zeroizing::new(key)))
    }

    /// Seals a small secret for a row.
    pub fn seal(&self, owner: &[u8], secret: &[u8]) -> Result<Vec<u8>, VaultError> {
        let key = self.new_data_key();
        let mut sealed = self.wrap(&key, owner)?;
        sealed.extend_from_slice(&key.seal(owner, secret)?);
        Ok(sealed)
    }

    pub fn unseal(&self, owner: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let (wrapped, body) = sealed.split_at_checked(WRAPPED).ok_or(VaultError::Altered)?;
        let size = plain_size(body.len() as u64).ok_or(VaultError::Altered)?;
        let key = self.unwrap(wrapped, owner)?;
        let mut secret = Zeroizing::new(Vec::with_capacity(body.len()));
        key.open_range(owner, size, 0..size, body, &mut secret)?;
        Ok(secret)
    }
}

fn following(keys: &Keys) -> Result<u8, VaultError> {
    keys.generation().checked_add(1).ok_or(VaultError::NoGeneration(u8::MAX))
}

impl Vault {
    /// Octets that nobody can tell without the master key: always the same for the same input, however
    /// many generations came after the first, or went.
    pub fn derive(&self, purpose: Purpose, input: &[u8]) -> Result<[u8; 32], VaultError> {
        let key = self.keys().derived(purpose)?;
        Ok(super::scram::hmac(&key[..], input)?)
    }

    /// Whether these octets were derived from that input; how long it takes tells nothing of them.
    pub fn proves(
        &self,
        purpose: Purpose,
        input: &[u8],
        derived: &[u8],
    ) -> Result<bool, VaultError> {
        let own = self.derive(purpose, input)?;
        Ok(super::secret::is_same(&own, derived))
    }
}

impl DataKey {
    /// Encrypts in chunks. The chunk's number and whether it is the last are authenticated, so that
    /// chunks can't be dropped or swapped.
    pub fn seal(&self, owner: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let chunks = chunks_of(plain.len() as u64);
        let mut stored = Vec::with_capacity(plain.len() + chunks as usize * TAG);
        for n in 0..chunks {
            let start = (n * CHUNK) as usize;
            let end = plain.len().min(start + CHUNK as usize);
            let nonce = chunk_name(n, n + 1 == chunks);
            encrypt(&mut stored, &self.0, &nonce, owner, &plain[start..end])?;
        }
        Ok(stored)
    }

    /// Which stored octets are needed to read `range` of a blob of `size`.
    pub fn stored_range(&self, size: u64, range: Range<u64>) -> Range<u64> {
        let chunks = touched(size, &range);
        let whole = CHUNK + TAG as u64;
        chunks.start * whole..(chunks.end * whole).min(size + chunks_of(size) * TAG as u64)
    }

    /// Decrypts `range` behind what is there; `stored` is what `stored_range` named.
    pub fn open_range(
        &self,
        owner: &[u8],
        size: u64,
        range: Range<u64>,
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), VaultError> {
        let before = out.len();
        let opened = self.open(owner, size, range, stored, out);
        opened.inspect_err(|_| out.truncate(before))
    }

    fn open(
        &self,
        owner: &[u8],
        size: u64,
        range: Range<u64>,
        stored: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), VaultError> {
        let want = range.end.checked_sub(range.start).ok_or(VaultError::Altered)? as usize;
        let chunks = touched(size, &range);
        let last = chunks_of(size);
        let before = out.len();
        out.reserve(stored.len());
        for (n, sealed) in chunks.clone().zip(stored.chunks(CHUNK as usize + TAG)) {
            decrypt(out, &self.0, &chunk_name(n, n + 1 == last), owner, sealed)?;
        }
        let skip = (range.start - chunks.start * CHUNK) as usize;
        if out.len() - before < skip.saturating_add(want) {
            return Err(VaultError::Altered);
        }
        out.drain(before..before + skip);
        out.truncate(before + want);
        Ok(())
    }
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vault({} generations)", self.keys().masters.len())
    }
}

fn chunks_of(size: u64) -> u64 {
    size.div_ceil(CHUNK).max(1)
}

fn plain_size(stored: u64) -> Option<u64> {
    let chunks = stored.div_ceil(CHUNK + TAG as u64).max(1);
    let plain = stored.checked_sub(chunks * TAG as u64)?;
    (plain + chunks_of(plain) * TAG as u64 == stored).then_some(plain)
}

fn touched(size: u64, range: &Range<u64>) -> Range<u64> {
    let first = range.start.min(size.saturating_sub(1)) / CHUNK;
    let end = range.end.div_ceil(CHUNK).clamp(first + 1, chunks_of(size).max(first + 1));
    first..end
}

/// The nonce of a chunk: its number, and whether it is the last.
fn chunk_name(n: u64, last: bool) -> [u8; NONCE] {
    let mut nonce = [0; NONCE];
    nonce[4..].copy_from_slice(&n.to_be_bytes());
    nonce[0] = u8::from(last);
    nonce
}

/// Small enough to be read for one screen, large enough that the tags cost nothing.
const CHUNK: u64 = 64 << 10;
/// Generation, nonce, key, tag.
const WRAPPED: usize = 1 + NONCE + 32 + TAG;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn vault() -> (tempfile::TempDir, Vault) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("master.key");
        Vault::create(&path).unwrap();
        let vault = Vault::open(&path).unwrap();
        (dir, vault)
    }

    #[test]
    fn any_range_of_a_blob_can_be_read_alone() {
        let (_dir, vault) = vault();
        let key = vault.new_data_key();
        for size in [0_usize, 1, 65_535, 65_536, 65_537, 200_000] {
            let plain: Vec<u8> = (0..size).map(|i| (i * 7) as u8).collect();
            let stored = key.seal(b"me", &plain).unwrap();
            for (start, end) in [(0, size), (size / 2, size), (size / 3, size / 2), (size, size)] {
                let range = start as u64..end as u64;
                let cut = key.stored_range(size as u64, range.clone());
                let part = &stored[cut.start as usize..cut.end as usize];
                let mut read = b"before".to_vec();
                key.open_range(b"me", size as u64, range, part, &mut read).unwrap();
                assert_eq!(read, [b"before", &plain[start..end]].concat(), "{size} {start}..{end}");
            }
        }
    }

    #[test]
    fn altered_swapped_and_cut_blobs_are_noticed() {
        let (_dir, vault) = vault();
        let key = vault.new_data_key();
        let plain = vec![7; 3 * 65_536];
        let stored = key.seal(b"me", &plain).unwrap();
        let size = plain.len() as u64;
        let open = |owner: &[u8], stored: &[u8]| {
            let mut out = b"before".to_vec();
            let opened = key.open_range(owner, size, 0..size, stored, &mut out);
            assert!(opened.is_ok() || out == b"before", "nothing unproven is left");
            opened
        };
        let mut altered = stored.clone();
        altered[70_000] ^= 1;
        assert!(open(b"me", &altered).is_err());
        assert!(open(b"you", &stored).is_err());
        let whole = 65_536 + 16;
        let swapped = [&stored[whole..2 * whole], &stored[..whole], &stored[2 * whole..]].concat();
        assert!(open(b"me", &swapped).is_err());
        assert!(open(b"me", &stored[..2 * whole]).is_err());
    }

    #[test]
    fn secrets_are_sealed_for_their_owner() {
        let (_dir, vault) = vault();
        let sealed = vault.seal(b"row 1", b"parola").unwrap();
        assert_eq!(&**vault.unseal(b"row 1", &sealed).unwrap(), b"parola");
        assert!(vault.unseal(b"row 2", &sealed).is_err());
        assert!(!sealed.windows(6).any(|w| w == b"parola"));
    }

    #[test]
    fn a_master_key_that_others_can_read_is_refused() {
        let (dir, _) = vault();
        let path = dir.path().join("master.key");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::Mode(_, 0o644))));
    }

    #[test]
    fn generations_follow_each_other() {
        let (dir, old) = vault();
        let path = dir.path().join("master.key");
        let wrapped = old.wrap(&old.new_data_key(), b"me").unwrap();
        let new = Vault::rotate(&path).unwrap();
        assert_eq!((new.generation(), Vault::generation_of(&wrapped)), (2, Some(1)));
        let key = new.unwrap(&wrapped, b"me").unwrap();
        let again = new.wrap(&key, b"me").unwrap();
        assert_eq!(Vault::generation_of(&again), Some(2));
        assert!(Vault::open(&path).unwrap().unwrap(&again, b"me").is_ok());
        assert_eq!(old.generation(), 1, "nobody told it yet");
        assert!(old.unwrap(&again, b"me").is_ok(), "it looks before it says no");
        assert_eq!(old.generation(), 2);
        assert!(Vault::create(&path).is_err(), "never written over");
    }

    #[test]
    fn what_was_derived_stays_when_its_generation_goes() {
        let (dir, first) = vault();
        let path = dir.path().join("master.key");
        let of = |vault: &Vault, purpose| vault.derive(purpose, b"192.0.2.0/24").unwrap();
        let before = Purpose::ALL.map(|purpose| of(&first, purpose));
        assert!(matches!(Vault::retire(&path, 1), Err(VaultError::Newest(1))));
        assert!(matches!(Vault::retire(&path, 7), Err(VaultError::NoGeneration(7))));
        let sealed = first.seal(b"row", b"parola").unwrap();
        Vault::rotate(&path).unwrap();
        let old = std::fs::read_to_string(&path).unwrap();
        let second = Vault::retire(&path, 1).unwrap();
        assert_eq!(second.generations(), [2]);
        assert!(matches!(second.unseal(b"row", &sealed), Err(VaultError::NoGeneration(1))));
        assert_eq!(Purpose::ALL.map(|purpose| of(&second, purpose)), before);
        let new = std::fs::read_to_string(&path).unwrap();
        let key = old.lines().next().unwrap().split_once(' ').unwrap().1;
        assert!(!new.contains(key), "the key itself is gone");
        Vault::rotate(&path).unwrap();
        let third = Vault::retire(&path, 2).unwrap();
        assert_eq!(Purpose::ALL.map(|purpose| of(&third, purpose)), before);
    }

    #[test]
    fn two_who_rotate_at_the_same_time_add_two_generations() {
        let (dir, _) = vault();
        let path = dir.path().join("master.key");
        std::thread::scope(|threads| {
            for _ in 0..8 {
                threads.spawn(|| Vault::rotate(&path).unwrap());
            }
        });
        assert_eq!(Vault::open(&path).unwrap().generations(), (1..=9).collect::<Vec<_>>());
    }

    #[test]
    fn ranges_and_octets_that_make_no_sense_are_refused() {
        let (_dir, vault) = vault();
        let key = vault.new_data_key();
        let stored = key.seal(b"me", b"0123456789").unwrap();
        let backwards = std::ops::Range { start: 5, end: 3 };
        for range in [backwards, 5..11, 11..12, 0..u64::MAX] {
            assert!(key.open_range(b"me", 10, range, &stored, &mut Vec::new()).is_err());
        }
        let sealed = vault.seal(b"row", b"secret").unwrap();
        for length in 0..sealed.len() {
            assert!(vault.unseal(b"row", &sealed[..length]).is_err());
            assert!(vault.unwrap(&sealed[..length.min(WRAPPED - 1)], b"row").is_err());
        }
    }

    #[test]
    fn files_of_another_form_are_refused() {
        let (dir, _) = vault();
        let path = dir.path().join("master.key");
        for text in ["", "1", "1 00", "x y", "300 00", "derive 00 login place"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(Vault::open(&path), Err(VaultError::Form(..))), "{text}");
        }
    }
}
