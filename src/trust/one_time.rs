//! Secrets that are used once: tokens of links and sessions, short codes. What is kept of a token is
//! its digest, since 256 bits can't be guessed; of a short code a keyed one, which says nothing to who
//! has the rows but not the master key.

use super::random;
use super::vault::{Purpose, Vault, VaultError};
use crate::wire::sha256;
use data_encoding::BASE64URL_NOPAD;
use secrecy::{ExposeSecret, SecretString};

/// 256 random bits, as text.
pub fn token() -> SecretString {
    SecretString::from(BASE64URL_NOPAD.encode(&random::bytes::<32>()))
}

/// What is kept of a token. Whatever was sent in its place has one, too.
pub fn digest(token: &SecretString) -> [u8; 32] {
    sha256(token.expose_secret().as_bytes()).0
}

/// Six digits that a person reads from one screen and types into another.
pub fn digits() -> SecretString {
    SecretString::from(format!("{:06}", random::below(1_000_000)))
}

/// A code on paper: ten letters and digits, 50 bits.
pub fn backup_code() -> SecretString {
    SecretString::from(random::password(2))
}

/// A backup code as it was shown, however it is typed; nothing when it can't be one.
pub fn shaped(typed: &SecretString) -> Option<SecretString> {
    let letters = typed.expose_secret().chars().filter(|c| !matches!(c, '-' | ' '));
    let letters: String = letters.map(|c| c.to_ascii_lowercase()).take(11).collect();
    let fits = letters.len() == 10 && letters.bytes().all(|b| b.is_ascii_alphanumeric());
    let (one, other) = letters.split_at_checked(5)?;
    fits.then(|| SecretString::from(format!("{one}-{other}")))
}

/// What is kept of a short code of this owner.
pub fn keyed(vault: &Vault, owner: &str, code: &SecretString) -> Result<[u8; 32], VaultError> {
    let input = [owner.as_bytes(), &[0], code.expose_secret().as_bytes()].concat();
    vault.derive(Purpose::OneTimeCode, &input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::secret::is_same;

    #[test]
    fn what_is_kept_tells_codes_and_their_owners_apart() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("master.key");
        Vault::create(&file).unwrap();
        let vault = Vault::open(&file).unwrap();
        let keep = |owner, code: &str| keyed(&vault, owner, &SecretString::from(code)).unwrap();
        assert!(is_same(&keep("1/0", "123456"), &keep("1/0", "123456")));
        assert!(!is_same(&keep("1/0", "123456"), &keep("1/0", "123457")));
        assert!(!is_same(&keep("1/0", "123456"), &keep("2/0", "123456")));
        let other = place.path().join("other.key");
        Vault::create(&other).unwrap();
        let other = Vault::open(&other).unwrap();
        let elsewhere = keyed(&other, "1/0", &SecretString::from("123456")).unwrap();
        assert!(!is_same(&keep("1/0", "123456"), &elsewhere), "it takes the master key");
    }

    #[test]
    fn codes_have_their_form_however_they_are_typed() {
        let code = backup_code();
        let typed = code.expose_secret().replace('-', " ").to_uppercase();
        let again = shaped(&SecretString::from(typed)).unwrap();
        assert_eq!(again.expose_secret(), code.expose_secret());
        for bad in ["", "abcde", "abcde-abcdef", "ğğğğğ-ğğğğğ", "123456"] {
            assert!(shaped(&SecretString::from(bad)).is_none(), "{bad}");
        }
        assert!(digits().expose_secret().len() == 6 && token().expose_secret().len() == 43);
    }
}
