//! Passkeys (WebAuthn Level 2 §7): whether what a browser gives proves the key of an authenticator, to
//! this site, in answer to this challenge, with its holder there.

use super::TrustError;
use crate::wire::sha256;
use crate::wire::webauthn::{
    Assertion, AuthenticatorData, ClientData, CoseKey, Registration, Statement, attestation,
};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, Public};
use openssl::rsa::Rsa;
use openssl::sign::Verifier;

/// Who asks: the portal's page.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Relying {
    id: String,
    origin: String,
}

/// A passkey that was just made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewPasskey {
    pub id: Vec<u8>,
    /// COSE's octets.
    pub key: Vec<u8>,
    pub sign_count: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PasskeyFault {
    #[error("what the browser gave can't be read")]
    Malformed,
    #[error("it answers something else than was asked")]
    Challenge,
    #[error("it was made for another site")]
    Origin,
    #[error("nobody confirmed it at the authenticator")]
    Unverified,
    #[error("its key is of a kind that is not taken here")]
    Key,
    #[error("its signature does not verify")]
    Signature,
    #[error("its counter went back: there may be a copy of it")]
    Cloned,
}

impl Relying {
    /// From the portal's address: `https`, or `http` of this machine; passkeys are of a name, not of a
    /// number (§5.1.2).
    pub fn of_portal(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?.to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
            None => (authority.as_str(), None),
        };
        let usual = match scheme {
            "https" => 443,
            "http" if host == "localhost" => 80,
            _ => return None,
        };
        let named = crate::wire::is_host(host) && host.parse::<std::net::IpAddr>().is_err();
        let origin = match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        named.then(|| Self { id: host.to_owned(), origin })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// §7.1: a new passkey, in answer to `challenge`.
    pub fn register(
        &self,
        challenge: &[u8],
        given: &Registration,
    ) -> Result<NewPasskey, PasskeyFault> {
        self.check_client(&given.client_data, "webauthn.create", challenge)?;
        let (statement, octets) = attestation(&given.attestation).ok_or(PasskeyFault::Malformed)?;
        let data = self.check_data(&octets)?;
        let attested = data.attested.ok_or(PasskeyFault::Malformed)?;
        if attested.credential_id != given.id {
            return Err(PasskeyFault::Malformed);
        }
        let key = CoseKey::parse(&attested.key).ok_or(PasskeyFault::Key)?;
        let public = public(&key).ok_or(PasskeyFault::Key)?;
        if let Statement::Itself { algorithm, signature } = statement {
            let signed = signed(&octets, &given.client_data);
            if algorithm != key.algorithm() || !verify(&key, &public, &signed, &signature) {
                return Err(PasskeyFault::Signature);
            }
        }
        let sign_count = data.sign_count;
        Ok(NewPasskey { id: attested.credential_id, key: attested.key, sign_count })
    }

    /// §7.2: a proof by the passkey with this key, which counted so far when it was used last. Gives
    /// what it counts now.
    pub fn prove(
        &self,
        challenge: &[u8],
        key: &[u8],
        counted: u32,
        given: &Assertion,
    ) -> Result<u32, PasskeyFault> {
        self.check_client(&given.client_data, "webauthn.get", challenge)?;
        let data = self.check_data(&given.authenticator_data)?;
        let key = CoseKey::parse(key).ok_or(PasskeyFault::Key)?;
        let public = public(&key).ok_or(PasskeyFault::Key)?;
        let signed = signed(&given.authenticator_data, &given.client_data);
        if !verify(&key, &public, &signed, &given.signature) {
            return Err(PasskeyFault::Signature);
        }
        // Step 21: those that don't count say 0, always.
        match (data.sign_count, counted) {
            (0, 0) => Ok(0),
            (now, before) if now > before => Ok(now),
            _ => Err(PasskeyFault::Cloned),
        }
    }

    fn check_client(&self, json: &[u8], kind: &str, challenge: &[u8]) -> Result<(), PasskeyFault> {
        let data = ClientData::parse(json).ok_or(PasskeyFault::Malformed)?;
        if data.kind != kind || !super::secret::is_same(&data.challenge, challenge) {
            return Err(PasskeyFault::Challenge);
        }
        match data.origin == self.origin && !data.cross_origin {
            true => Ok(()),
            false => Err(PasskeyFault::Origin),
        }
    }

    /// The person must have been known to the authenticator: then the passkey is two factors in one,
    /// what he has and what he knows or is.
    fn check_data(&self, octets: &[u8]) -> Result<AuthenticatorData, PasskeyFault> {
        let data = AuthenticatorData::parse(octets).ok_or(PasskeyFault::Malformed)?;
        if data.rp_id_hash != sha256(self.id.as_bytes()).0 {
            return Err(PasskeyFault::Origin);
        }
        match data.flags.user_present() && data.flags.user_verified() {
            true => Ok(data),
            false => Err(PasskeyFault::Unverified),
        }
    }
}

/// A challenge: 256 random bits (§13.4.3 asks for 128).
pub fn challenge() -> [u8; 32] {
    super::random::bytes()
}

fn signed(authenticator: &[u8], client: &[u8]) -> Vec<u8> {
    [authenticator, &sha256(client).0].concat()
}

fn public(key: &CoseKey) -> Option<PKey<Public>> {
    let make = || -> Result<Option<PKey<Public>>, TrustError> {
        Ok(match key {
            CoseKey::Es256 { x, y } => {
                let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
                let (x, y) = (BigNum::from_slice(x)?, BigNum::from_slice(y)?);
                // Refuses a point that is not on the curve.
                let key = EcKey::from_public_key_affine_coordinates(&group, &x, &y)?;
                Some(PKey::from_ec_key(key)?)
            }
            CoseKey::Rs256 { n, e } => {
                let (n, e) = (BigNum::from_slice(n)?, BigNum::from_slice(e)?);
                let bearable = BITS.contains(&n.num_bits()) && e.num_bits() <= 32;
                match bearable {
                    true => Some(PKey::from_rsa(Rsa::from_public_components(n, e)?)?),
                    false => None,
                }
            }
            CoseKey::Ed25519 { x } => Some(PKey::public_key_from_raw_bytes(x, Id::ED25519)?),
        })
    };
    make().ok().flatten()
}

fn verify(key: &CoseKey, public: &PKey<Public>, octets: &[u8], signature: &[u8]) -> bool {
    let verify = || -> Result<bool, ErrorStack> {
        let mut verifier = match key {
            CoseKey::Ed25519 { .. } => Verifier::new_without_digest(public)?,
            CoseKey::Es256 { .. } | CoseKey::Rs256 { .. } => {
                Verifier::new(MessageDigest::sha256(), public)?
            }
        };
        verifier.verify_oneshot(signature, octets)
    };
    verify().unwrap_or(false)
}

/// Of an RSA key: less is weak, more is work for us.
const BITS: std::ops::RangeInclusive<i32> = 2048..=8192;

#[cfg(test)]
mod tests;
