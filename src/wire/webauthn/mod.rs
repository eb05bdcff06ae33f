//! What a browser and an authenticator say of a passkey (WebAuthn Level 2): forms alone; `trust`
//! judges them.

mod json;

pub use json::{Assertion, Creation, Registration, Request};

use super::cbor::Value;
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

/// §5.8.1: what the browser adds to a challenge; the authenticator signs a digest of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientData {
    /// `webauthn.create` or `webauthn.get`.
    pub kind: String,
    pub challenge: Vec<u8>,
    /// Scheme, host and port of the page.
    pub origin: String,
    /// The page was in a frame of another one's.
    pub cross_origin: bool,
}

/// §6.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AuthenticatorData {
    pub rp_id_hash: [u8; 32],
    pub flags: Flags,
    /// 0 where the authenticator doesn't count.
    pub sign_count: u32,
    pub attested: Option<Attested>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flags(u8);

impl Flags {
    /// Somebody touched it.
    pub fn user_present(self) -> bool {
        self.0 & 0x01 != 0
    }

    /// It knows who: by a PIN, a finger, a face.
    pub fn user_verified(self) -> bool {
        self.0 & 0x04 != 0
    }

    fn attested(self) -> bool {
        self.0 & 0x40 != 0
    }

    fn extensions(self) -> bool {
        self.0 & 0x80 != 0
    }
}

/// §6.5.1: a new credential.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attested {
    pub credential_id: Vec<u8>,
    /// As COSE writes it (RFC 9052 §7).
    pub key: Vec<u8>,
}

/// §6.5: who vouches for the authenticator. We ask for nobody (§5.4.7 `none`); one that vouches for
/// itself is checked all the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Statement {
    None,
    /// `packed` without certificates: signed by the credential's own key.
    Itself {
        algorithm: i64,
        signature: Vec<u8>,
    },
}

/// A public key of the three kinds that authenticators make (RFC 9053 §2, RFC 8812 §2).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CoseKey {
    /// ECDSA on P-256 with SHA-256.
    Es256 { x: [u8; 32], y: [u8; 32] },
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256 { n: Vec<u8>, e: Vec<u8> },
    /// EdDSA on Ed25519.
    Ed25519 { x: [u8; 32] },
}

impl ClientData {
    pub fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Form {
            #[serde(rename = "type")]
            kind: String,
            challenge: String,
            origin: String,
            #[serde(default)]
            cross_origin: bool,
        }
        let form: Form = serde_json::from_slice(json).ok()?;
        let challenge = BASE64URL_NOPAD.decode(form.challenge.as_bytes()).ok()?;
        let Form { kind, origin, cross_origin, .. } = form;
        Some(Self { kind, challenge, origin, cross_origin })
    }
}

impl AuthenticatorData {
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let (hash, rest) = octets.split_first_chunk::<32>()?;
        let (flags, rest) = rest.split_first()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let flags = Flags(*flags);
        let (attested, rest) = match flags.attested() {
            true => attested(rest).map(|(attested, rest)| (Some(attested), rest))?,
            false => (None, rest),
        };
        let rest = match flags.extensions() {
            true => Value::read(rest).filter(|(value, _)| value.entries().is_some())?.1,
            false => rest,
        };
        let sign_count = u32::from_be_bytes(*count);
        rest.is_empty().then_some(Self { rp_id_hash: *hash, flags, sign_count, attested })
    }
}

fn attested(octets: &[u8]) -> Option<(Attested, &[u8])> {
    let (_aaguid, rest) = octets.split_first_chunk::<16>()?;
    let (size, rest) = rest.split_first_chunk::<2>()?;
    let (id, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*size)))?;
    // §6.1: an identifier has 1023 octets at most.
    if id.is_empty() || id.len() > 1023 {
        return None;
    }
    let (_, behind) = Value::read(rest)?;
    let key = rest.get(..rest.len() - behind.len())?.to_vec();
    Some((Attested { credential_id: id.to_vec(), key }, behind))
}

/// §6.5.4: an attestation object's statement and its authenticator data.
pub fn attestation(octets: &[u8]) -> Option<(Statement, Vec<u8>)> {
    let object = Value::read_all(octets)?;
    let data = object.named("authData")?.bytes()?.to_vec();
    let said = object.named("attStmt")?;
    let statement = match object.named("fmt")?.text()? {
        "none" if said.entries() == Some(0) => Statement::None,
        "packed" if said.named("x5c").is_none() => Statement::Itself {
            algorithm: said.named("alg")?.int()?,
            signature: said.named("sig")?.bytes()?.to_vec(),
        },
        _ => return None,
    };
    Some((statement, data))
}

impl CoseKey {
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let key = Value::read_all(octets)?;
        let octets = |label| key.at(label)?.bytes();
        let point = |label| octets(label)?.try_into().ok();
        match (key.at(KTY)?.int()?, key.at(ALG)?.int()?) {
            (KTY_EC2, ES256) if key.at(CRV)?.int()? == P256 => {
                Some(Self::Es256 { x: point(X)?, y: point(Y)? })
            }
            (KTY_OKP, EDDSA) if key.at(CRV)?.int()? == ED25519 => {
                Some(Self::Ed25519 { x: point(X)? })
            }
            (KTY_RSA, RS256) => {
                Some(Self::Rs256 { n: octets(RSA_N)?.to_vec(), e: octets(RSA_E)?.to_vec() })
            }
            _ => None,
        }
    }

    /// Its algorithm, as COSE numbers them.
    pub fn algorithm(&self) -> i64 {
        match self {
            Self::Es256 { .. } => ES256,
            Self::Rs256 { .. } => RS256,
            Self::Ed25519 { .. } => EDDSA,
        }
    }
}

/// What is asked for, in this order.
pub const ALGORITHMS: [i64; 3] = [ES256, EDDSA, RS256];
const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;

const KTY: i64 = 1;
const ALG: i64 = 3;
const CRV: i64 = -1;
const X: i64 = -2;
const Y: i64 = -3;
/// Of an RSA key the same labels are modulus and exponent (RFC 8230 §4).
const RSA_N: i64 = -1;
const RSA_E: i64 = -2;
const KTY_OKP: i64 = 1;
const KTY_EC2: i64 = 2;
const KTY_RSA: i64 = 3;
const P256: i64 = 1;
const ED25519: i64 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_data_is_what_the_browser_says() {
        let json = br#"{"type":"webauthn.get","challenge":"AQID","origin":"https://kep.example",
                        "crossOrigin":false,"other_keys_can_be_added_here":"x"}"#;
        let data = ClientData::parse(json).unwrap();
        assert_eq!(
            (data.kind.as_str(), data.challenge.as_slice()),
            ("webauthn.get", &[1, 2, 3][..])
        );
        assert_eq!((data.origin.as_str(), data.cross_origin), ("https://kep.example", false));
        for bad in [&b""[..], b"{}", br#"{"type":1}"#, &json[..json.len() - 1]] {
            assert_eq!(ClientData::parse(bad), None);
        }
    }

    #[test]
    fn authenticator_data_is_read_to_its_end() {
        let mut octets = vec![7; 32];
        octets.extend([0x05, 0, 0, 0, 9]);
        let data = AuthenticatorData::parse(&octets).unwrap();
        assert!(data.flags.user_present() && data.flags.user_verified());
        assert_eq!((data.sign_count, data.attested), (9, None));
        assert_eq!(AuthenticatorData::parse(&octets[..36]), None);
        octets.push(0);
        assert_eq!(AuthenticatorData::parse(&octets), None, "something behind it");
        octets[32] = 0x85;
        assert_eq!(AuthenticatorData::parse(&octets), None, "extensions are a map");
        octets[37] = 0xa0;
        assert!(AuthenticatorData::parse(&octets).is_some());
    }

    proptest::proptest! {
        #[test]
        fn whatever_octets_there_are_nothing_panics(octets: Vec<u8>) {
            let _ = AuthenticatorData::parse(&octets);
            let _ = attestation(&octets);
            let _ = CoseKey::parse(&octets);
            let _ = ClientData::parse(&octets);
        }
    }
}
