use super::*;
use std::os::unix::fs::PermissionsExt;

fn vault() -> (tempfile::TempDir, Vault) {
    let dir = tempfile::tempdir().unwrap();
    let vault = Vault::create(&dir.path().join("master.key")).unwrap();
    (dir, vault)
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at / 7 % 251) as u8).collect()
}

fn lengths() -> [usize; 7] {
    [0, 1, BLOB_CHUNK - 1, BLOB_CHUNK, BLOB_CHUNK + 1, 2 * BLOB_CHUNK, 3 * BLOB_CHUNK + 5]
}

fn sealed(vault: &Vault, plain: &[u8]) -> (DataKey, Vec<u8>) {
    let (key, wrapped) = vault.fresh_key(b"blob").unwrap();
    (vault.unwrap_key(&wrapped, b"blob").unwrap(), key.seal(plain).unwrap())
}

#[test]
fn blobs_of_every_length_come_back() {
    let (_dir, vault) = vault();
    for length in lengths() {
        let plain = content(length);
        let (key, sealed) = sealed(&vault, &plain);
        assert_eq!(sealed.len() as u64, sealed_len(length as u64));
        assert_eq!(plain_len(sealed.len() as u64), Some(length as u64));
        assert_eq!(key.open(&sealed).unwrap(), plain);
    }
}

#[test]
fn pieces_make_the_same_blob() {
    let (_dir, vault) = vault();
    let plain = content(2 * BLOB_CHUNK + 9);
    for piece in [1_000, BLOB_CHUNK, BLOB_CHUNK + 1, 3 * BLOB_CHUNK] {
        let (key, wrapped) = vault.fresh_key(b"blob").unwrap();
        let (mut sealer, mut out) = (key.sealer(), Vec::new());
        for part in plain.chunks(piece) {
            sealer.push(part, &mut out).unwrap();
        }
        sealer.finish(&mut out).unwrap();
        let key = vault.unwrap_key(&wrapped, b"blob").unwrap();
        assert_eq!(key.open(&out).unwrap(), plain);
    }
}

#[test]
fn any_range_can_be_read_alone() {
    let (_dir, vault) = vault();
    for length in lengths() {
        let plain = content(length);
        let (key, sealed) = sealed(&vault, &plain);
        let edges = [0, 1, BLOB_CHUNK - 1, BLOB_CHUNK, BLOB_CHUNK + 1, length / 2, length];
        for start in edges.into_iter().filter(|edge| *edge <= length) {
            for end in edges.into_iter().filter(|edge| (start..=length).contains(edge)) {
                let range = start as u64..end as u64;
                let wanted = sealed_range(range.clone(), length as u64).unwrap();
                let part = &sealed[wanted.start as usize..wanted.end as usize];
                let opened = key.open_range(part, range, length as u64).unwrap();
                assert_eq!(opened, &plain[start..end], "{start}..{end} of {length}");
            }
        }
        assert_eq!(sealed_range(0..length as u64 + 1, length as u64), None);
    }
}

#[test]
fn what_was_cut_swapped_or_touched_does_not_open() {
    let (_dir, vault) = vault();
    let chunk = BLOB_CHUNK + 16;
    let (key, good) = sealed(&vault, &content(3 * BLOB_CHUNK));
    let broken = |sealed: &[u8]| matches!(key.open(sealed), Err(VaultError::Broken));
    assert!(broken(&good[..2 * chunk]), "the last chunk cut off");
    assert!(broken(&good[chunk..]), "the first chunk cut off");
    assert!(broken(&good[..good.len() - 1]));
    assert!(broken(&[]));
    let swapped = [&good[chunk..2 * chunk], &good[..chunk], &good[2 * chunk..]].concat();
    assert!(broken(&swapped));
    let repeated = [&good[..chunk], &good[..chunk], &good[2 * chunk..]].concat();
    assert!(broken(&repeated));
    for at in [0, chunk - 1, good.len() - 1] {
        let mut touched = good.clone();
        touched[at] ^= 1;
        assert!(broken(&touched));
    }
    let (other, _) = sealed(&vault, b"");
    assert!(matches!(other.open(&good), Err(VaultError::Broken)));
}

#[test]
fn wrapped_keys_and_secrets_are_bound_to_their_place() {
    let (_dir, vault) = vault();
    let (_, wrapped) = vault.fresh_key(b"blob 1").unwrap();
    assert!(vault.unwrap_key(&wrapped, b"blob 1").is_ok());
    assert!(vault.unwrap_key(&wrapped, b"blob 2").is_err());
    assert!(vault.unseal(&wrapped, b"blob 1").is_err());
    let secret = vault.seal(b"secret", b"row 7").unwrap();
    assert_eq!(vault.unseal(&secret, b"row 7").unwrap().as_slice(), b"secret");
    assert!(vault.unseal(&secret, b"row 8").is_err());
    for length in 0..secret.len() {
        assert!(vault.unseal(&secret[..length], b"row 7").is_err());
    }
}

#[test]
fn generations_follow_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("master.key");
    let old = Vault::create(&path).unwrap();
    let (_, wrapped) = old.fresh_key(b"blob").unwrap();
    let new = Vault::rotate(&path).unwrap();
    assert_eq!((new.generation(), Vault::generation_of(&wrapped)), (2, Some(1)));
    assert!(new.unwrap_key(&wrapped, b"blob").is_ok());
    let again = new.rewrap_key(&wrapped, b"blob").unwrap();
    assert_eq!(Vault::generation_of(&again), Some(2));
    let read = Vault::open(&path).unwrap();
    assert!(read.unwrap_key(&again, b"blob").is_ok());
    assert!(matches!(old.unwrap_key(&again, b"blob"), Err(VaultError::Generation(2))));
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let (dir, _) = vault();
    let path = dir.path().join("master.key");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(Vault::create(&path).is_err(), "never written over");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(Vault::open(&path), Err(VaultError::Readable(_))));
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    for text in ["", "1", "1 AAAA", "x y", "1 !"] {
        std::fs::write(&path, text).unwrap();
        assert!(matches!(Vault::open(&path), Err(VaultError::Form(_))), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn lengths_go_both_ways(plain in 0..u64::from(u32::MAX)) {
        proptest::prop_assert_eq!(plain_len(sealed_len(plain)), Some(plain));
    }
}
