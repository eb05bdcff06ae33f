//! Codes that change with time (RFC 6238), as authenticator apps make them: HMAC-SHA-1, thirty seconds,
//! six digits; few apps know another form. The digest is a keyed one here, whose collisions don't matter.

use super::random;
use super::vault::{Vault, VaultError};
use crate::wire::Timestamp;
use data_encoding::BASE32_NOPAD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// What app and server share.
pub struct TotpSecret(Zeroizing<[u8; SIZE]>);

/// A code of six digits, as it was typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; DIGITS]);

impl Code {
    /// People leave a space in the middle, or copy one with it.
    pub fn parse(text: &SecretString) -> Option<Self> {
        let typed = text.expose_secret();
        if typed.len() > 4 * DIGITS {
            return None;
        }
        let digits: Vec<u8> = typed.bytes().filter(|octet| *octet != b' ').collect();
        let digits: [u8; DIGITS] = digits.try_into().ok()?;
        digits.iter().all(u8::is_ascii_digit).then_some(Self(digits))
    }
}

impl TotpSecret {
    /// 160 random bits (RFC 4226 §4).
    pub fn generate() -> Self {
        Self(Zeroizing::new(random::bytes()))
    }

    pub fn seal(&self, vault: &Vault, owner: &[u8]) -> Result<Vec<u8>, VaultError> {
        vault.seal(owner, &self.0[..])
    }

    pub fn unseal(vault: &Vault, owner: &[u8], sealed: &[u8]) -> Result<Self, VaultError> {
        let octets = vault.unseal(owner, sealed)?;
        let octets = octets.as_slice().try_into().map_err(|_| VaultError::Altered)?;
        Ok(Self(Zeroizing::new(octets)))
    }

    /// In base 32, as people type it where they can't scan the picture.
    pub fn text(&self) -> SecretString {
        SecretString::from(BASE32_NOPAD.encode(&self.0[..]))
    }

    /// What the picture says: `otpauth://totp/ISSUER:ACCOUNT?secret=…&issuer=…`.
    pub fn uri(&self, issuer: &str, account: &str) -> SecretString {
        let (issuer, account) = (escaped(issuer), escaped(account));
        let secret = self.text();
        SecretString::from(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}\
             &algorithm=SHA1&digits={DIGITS}&period={STEP_SECS}",
            secret.expose_secret()
        ))
    }

    /// The step that a code is of: the present one, or one beside it, as clocks differ and people are
    /// slow; but none that was used, nor one before it (RFC 6238 §5.2, §6). However it ends it takes
    /// the same time.
    pub fn step_of(
        &self,
        code: Code,
        now: Timestamp,
        used: Option<i64>,
    ) -> Result<Option<i64>, ErrorStack> {
        let present = step(now);
        let mut found = None;
        for candidate in present - WINDOW..=present + WINDOW {
            let own = self.code(candidate)?;
            let same = openssl::memcmp::eq(&own.0, &code.0);
            if same && used.is_none_or(|used| candidate > used) {
                found = Some(candidate);
            }
        }
        Ok(found)
    }

    /// The code of now: what the app shows.
    pub fn shown(&self, now: Timestamp) -> Result<SecretString, ErrorStack> {
        let code = self.code(step(now))?;
        Ok(SecretString::from(String::from_utf8_lossy(&code.0).into_owned()))
    }

    fn code(&self, step: i64) -> Result<Code, ErrorStack> {
        let number =
            truncated(&self.0[..], step.max(0).cast_unsigned())? % 10_u32.pow(DIGITS as u32);
        let mut digits = [0; DIGITS];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Ok(Code(digits))
    }
}

fn step(now: Timestamp) -> i64 {
    now.secs().div_euclid(STEP_SECS)
}

/// RFC 4226 §5.3: 31 bits of the MAC, from where its last octet says.
fn truncated(key: &[u8], step: u64) -> Result<u32, ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut mac = [0; 20];
    Signer::new(MessageDigest::sha1(), &key)?.sign_oneshot(&mut mac, &step.to_be_bytes())?;
    let at = usize::from(mac[19] & 0x0f);
    let taken = mac[at..].first_chunk::<4>().copied().unwrap_or_default();
    Ok(u32::from_be_bytes(taken) & 0x7fff_ffff)
}

/// RFC 3986 §2.3: all but the unreserved characters.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(octet));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

const SIZE: usize = 20;
const DIGITS: usize = 6;
const STEP_SECS: i64 = 30;
/// Steps before and after the present one.
const WINDOW: i64 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 6238, appendix B: the SHA-1 column has eight digits, of which apps show the last six.
    #[test]
    fn the_examples_of_the_standard_are_shown() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        for (secs, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let shown = secret.shown(Timestamp::from_secs(secs)).unwrap();
            assert_eq!(shown.expose_secret(), &eight[2..], "{secs}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_counted_codes_of_the_standard_are_right() {
        let numbers = [1_284_755_224, 1_094_287_082, 137_359_152, 1_726_969_429, 1_640_338_314];
        for (step, number) in numbers.into_iter().enumerate() {
            assert_eq!(truncated(b"12345678901234567890", step as u64).unwrap(), number);
        }
    }

    fn typed(text: &str) -> Option<Code> {
        Code::parse(&SecretString::from(text))
    }

    #[test]
    fn a_code_is_six_digits_however_they_are_typed() {
        assert!(typed("123456") == typed(" 123 456 ") && typed("123456").is_some());
        for bad in ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", "-12345"] {
            assert!(typed(bad).is_none(), "{bad}");
        }
        assert!(typed(&" ".repeat(1_000_000)).is_none());
    }

    #[test]
    fn clocks_may_differ_by_a_step_and_a_step_is_used_once() {
        let secret = TotpSecret::generate();
        let now = Timestamp::from_secs(1_795_000_010);
        let code = |secs| Code::parse(&secret.shown(now.plus_secs(secs)).unwrap()).unwrap();
        let present = step(now);
        for (skew, found) in [(0, 0), (-30, -1), (30, 1)] {
            let step = secret.step_of(code(skew), now, None).unwrap();
            assert_eq!(step, Some(present + found), "{skew}");
        }
        for skew in [-60, 60, -3600, 3600] {
            assert_eq!(secret.step_of(code(skew), now, None).unwrap(), None, "{skew}");
        }
        assert_eq!(secret.step_of(code(0), now, Some(present)).unwrap(), None);
        assert_eq!(secret.step_of(code(-30), now, Some(present)).unwrap(), None, "an older one");
        assert_eq!(secret.step_of(code(30), now, Some(present)).unwrap(), Some(present + 1));
    }

    #[test]
    fn a_secret_rests_sealed_for_its_owner() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("master.key");
        Vault::create(&file).unwrap();
        let vault = Vault::open(&file).unwrap();
        let secret = TotpSecret::generate();
        let sealed = secret.seal(&vault, b"totp/1/0").unwrap();
        assert!(TotpSecret::unseal(&vault, b"totp/2/0", &sealed).is_err());
        let again = TotpSecret::unseal(&vault, b"totp/1/0", &sealed).unwrap();
        assert_eq!(again.text().expose_secret(), secret.text().expose_secret());
    }

    #[test]
    fn the_picture_says_what_apps_read() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        let uri = secret.uri("Örnek KEP", "ali.veli@hs05.kep.tr");
        assert_eq!(
            uri.expose_secret(),
            "otpauth://totp/%C3%96rnek%20KEP:ali.veli%40hs05.kep.tr\
             ?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%C3%96rnek%20KEP\
             &algorithm=SHA1&digits=6&period=30"
        );
    }

    proptest! {
        /// Whatever the clocks, a code is believed within a step and no further, and never twice.
        #[test]
        fn a_code_is_believed_within_a_step_and_never_twice(
            now in 0_i64..4_000_000_000, skew in -200_i64..200,
        ) {
            let secret = TotpSecret(Zeroizing::new([7; SIZE]));
            let (server, app) = (Timestamp::from_secs(now), Timestamp::from_secs((now + skew).max(0)));
            let code = Code::parse(&secret.shown(app).unwrap()).unwrap();
            let present = step(server);
            match secret.step_of(code, server, None).unwrap() {
                Some(used) => {
                    prop_assert!((used - present).abs() <= WINDOW);
                    // Two steps may have one code by chance; never is it of the same step again.
                    let again = secret.step_of(code, server, Some(used)).unwrap();
                    prop_assert!(again.is_none_or(|again| again > used));
                }
                None => prop_assert!((step(app) - present).abs() > WINDOW),
            }
        }
    }
}
