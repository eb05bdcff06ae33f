//! An authenticator in software: makes passkeys and proves them by real signatures, and can do each
//! thing wrong that a real one doesn't. Speaks the JSON of browsers.

use data_encoding::BASE64URL_NOPAD;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sha::sha256;
use openssl::sign::Signer;
use serde_json::json;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Es256,
    Rs256,
    Ed25519,
}

pub struct Authenticator {
    kind: Kind,
    key: PKey<Private>,
    id: Vec<u8>,
    origin: String,
    rp_id: String,
    count: u32,
    /// Whether it counts its signatures.
    pub counts: bool,
    /// Whether it knows its user.
    pub verified: bool,
}

impl Authenticator {
    pub fn new(kind: Kind, origin: &str, rp_id: &str) -> Self {
        let key = match kind {
            Kind::Es256 => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
                PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
            }
            Kind::Rs256 => PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap(),
            Kind::Ed25519 => PKey::generate_ed25519().unwrap(),
        };
        let mut id = vec![0; 16];
        openssl::rand::rand_bytes(&mut id).unwrap();
        let (origin, rp_id) = (origin.to_owned(), rp_id.to_owned());
        Self { kind, key, id, origin, rp_id, count: 0, counts: true, verified: true }
    }

    /// A passkey without attestation.
    pub fn create(&mut self, challenge: &[u8]) -> String {
        let data = self.data(true);
        let object = attestation_object("none", &[0xa0], &data);
        self.registration(&client_data("webauthn.create", challenge, &self.origin), &object)
    }

    /// A passkey that vouches for itself, rightly or not.
    pub fn create_packed(&mut self, challenge: &[u8], right: bool) -> String {
        let data = self.data(true);
        let client = client_data("webauthn.create", challenge, &self.origin);
        let mut signature = self.sign(&data, &client);
        if !right {
            signature = self.sign(b"something else", &client);
        }
        let mut statement = vec![0xa2];
        text(&mut statement, "alg");
        int(&mut statement, self.algorithm());
        text(&mut statement, "sig");
        bytes(&mut statement, &signature);
        self.registration(&client, &attestation_object("packed", &statement, &data))
    }

    /// A proof.
    pub fn get(&mut self, challenge: &[u8]) -> String {
        let data = self.data(false);
        let client = client_data("webauthn.get", challenge, &self.origin);
        let signature = self.sign(&data, &client);
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": encode(&client),
                "authenticatorData": encode(&data),
                "signature": encode(&signature),
                "userHandle": null,
            },
        })
        .to_string()
    }

    fn registration(&self, client: &[u8], object: &[u8]) -> String {
        json!({
            "id": encode(&self.id),
            "rawId": encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": encode(client),
                "attestationObject": encode(object),
                "transports": ["internal"],
            },
        })
        .to_string()
    }

    fn data(&mut self, with_key: bool) -> Vec<u8> {
        self.count += u32::from(self.counts);
        let mut data = sha256(self.rp_id.as_bytes()).to_vec();
        data.push(0x01 | if self.verified { 0x04 } else { 0 } | if with_key { 0x40 } else { 0 });
        data.extend(self.count.to_be_bytes());
        if with_key {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(self.cose());
        }
        data
    }

    fn sign(&self, data: &[u8], client: &[u8]) -> Vec<u8> {
        let mut signer = match self.kind {
            Kind::Ed25519 => Signer::new_without_digest(&self.key).unwrap(),
            _ => Signer::new(MessageDigest::sha256(), &self.key).unwrap(),
        };
        signer.sign_oneshot_to_vec(&[data, &sha256(client)].concat()).unwrap()
    }

    fn algorithm(&self) -> i64 {
        match self.kind {
            Kind::Es256 => -7,
            Kind::Rs256 => -257,
            Kind::Ed25519 => -8,
        }
    }

    fn cose(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let pairs: Vec<(i64, Result<i64, Vec<u8>>)> = match self.kind {
            Kind::Es256 => {
                let key = self.key.ec_key().unwrap();
                let (mut x, mut y) = (BigNum::new().unwrap(), BigNum::new().unwrap());
                let mut context = BigNumContext::new().unwrap();
                let point = key.public_key();
                point.affine_coordinates(key.group(), &mut x, &mut y, &mut context).unwrap();
                let (x, y) = (x.to_vec_padded(32).unwrap(), y.to_vec_padded(32).unwrap());
                vec![(1, Ok(2)), (3, Ok(-7)), (-1, Ok(1)), (-2, Err(x)), (-3, Err(y))]
            }
            Kind::Rs256 => {
                let key = self.key.rsa().unwrap();
                let (n, e) = (key.n().to_vec(), key.e().to_vec());
                vec![(1, Ok(3)), (3, Ok(-257)), (-1, Err(n)), (-2, Err(e))]
            }
            Kind::Ed25519 => {
                let x = self.key.raw_public_key().unwrap();
                vec![(1, Ok(1)), (3, Ok(-8)), (-1, Ok(6)), (-2, Err(x))]
            }
        };
        out.push(0xa0 | u8::try_from(pairs.len()).unwrap());
        for (label, value) in pairs {
            int(&mut out, label);
            match value {
                Ok(number) => int(&mut out, number),
                Err(octets) => bytes(&mut out, &octets),
            }
        }
        out
    }
}

fn client_data(kind: &str, challenge: &[u8], origin: &str) -> Vec<u8> {
    let data = json!({
        "type": kind, "challenge": encode(challenge), "origin": origin, "crossOrigin": false,
    });
    data.to_string().into_bytes()
}

fn attestation_object(format: &str, statement: &[u8], data: &[u8]) -> Vec<u8> {
    let mut out = vec![0xa3];
    text(&mut out, "fmt");
    text(&mut out, format);
    text(&mut out, "attStmt");
    out.extend(statement);
    text(&mut out, "authData");
    bytes(&mut out, data);
    out
}

fn encode(octets: &[u8]) -> String {
    BASE64URL_NOPAD.encode(octets)
}

fn int(out: &mut Vec<u8>, value: i64) {
    match value {
        0.. => head(out, 0, value as usize),
        _ => head(out, 1, (-1 - value) as usize),
    }
}

fn bytes(out: &mut Vec<u8>, octets: &[u8]) {
    head(out, 2, octets.len());
    out.extend(octets);
}

fn text(out: &mut Vec<u8>, text: &str) {
    head(out, 3, text.len());
    out.extend(text.as_bytes());
}

fn head(out: &mut Vec<u8>, major: u8, argument: usize) {
    match argument {
        0..24 => out.push(major << 5 | argument as u8),
        24..256 => out.extend([major << 5 | 24, argument as u8]),
        _ => {
            out.push(major << 5 | 25);
            out.extend(u16::try_from(argument).unwrap().to_be_bytes());
        }
    }
}
