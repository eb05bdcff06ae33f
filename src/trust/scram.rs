//! What SCRAM-SHA-256 proves a generated password by (RFC 5802 §3, RFC 7677). Who has a verifier can
//! pose as the server, so that verifiers rest sealed.

use super::vault::{Purpose, Vault, VaultError};
use super::{TrustError, random};
use data_encoding::BASE64URL_NOPAD;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkcs5::pbkdf2_hmac;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// `StoredKey` and `ServerKey`.
pub struct Verifier {
    stored_key: Key,
    server_key: Key,
}

type Key = Zeroizing<[u8; 32]>;

impl Verifier {
    pub fn new(secret: &SecretString, salt: &[u8], iterations: u32) -> Result<Self, TrustError> {
        let mut salted = Key::default();
        let secret = secret.expose_secret().as_bytes();
        let digest = MessageDigest::sha256();
        pbkdf2_hmac(secret, salt, iterations as usize, digest, &mut *salted)?;
        let client_key = Zeroizing::new(hmac(&*salted, b"Client Key")?);
        let stored_key = Zeroizing::new(openssl::sha::sha256(&*client_key));
        Ok(Self { stored_key, server_key: Zeroizing::new(hmac(&*salted, b"Server Key")?) })
    }

    /// Sealed for the row named `owner`.
    pub fn seal(&self, vault: &Vault, owner: &[u8]) -> Result<Vec<u8>, VaultError> {
        let both = Zeroizing::new([&self.stored_key[..], &self.server_key[..]].concat());
        vault.seal(owner, &both)
    }

    pub fn unseal(vault: &Vault, owner: &[u8], sealed: &[u8]) -> Result<Self, VaultError> {
        let both = vault.unseal(owner, sealed)?;
        let (stored, server) = both.split_at_checked(32).ok_or(VaultError::Altered)?;
        let key =
            |half: &[u8]| half.try_into().map(Zeroizing::new).map_err(|_| VaultError::Altered);
        Ok(Self { stored_key: key(stored)?, server_key: key(server)? })
    }

    /// Whether the proof is by the password: then `ServerSignature`, which proves us to the client.
    pub fn prove(&self, message: &[u8], proof: &[u8]) -> Option<[u8; 32]> {
        let signature = hmac(&*self.stored_key, message).ok()?;
        let proof: &[u8; 32] = proof.try_into().ok()?;
        let mut client_key = Key::default();
        for (key, (proof, sign)) in client_key.iter_mut().zip(proof.iter().zip(signature)) {
            *key = proof ^ sign;
        }
        let stored = openssl::sha::sha256(&*client_key);
        match openssl::memcmp::eq(&stored, &*self.stored_key) {
            true => hmac(&*self.server_key, message).ok(),
            false => None,
        }
    }
}

/// The salt of a name, whether there is such an account or not: always the same, so that it tells
/// nothing (RFC 5802 §9 leaves it to us).
pub fn salt(vault: &Vault, name: &str) -> Result<[u8; 16], TrustError> {
    let derived = vault.derive(Purpose::ScramSalt, name.as_bytes())?;
    let mut salt = [0; 16];
    salt.copy_from_slice(&derived[..16]);
    Ok(salt)
}

/// The server's part of a nonce: 18 random octets, as printable characters.
pub fn nonce() -> String {
    BASE64URL_NOPAD.encode(&random::bytes::<18>())
}

/// RFC 7677 §4 asks for 4096 at least; a generated password can't be guessed however fast.
pub const ITERATIONS: u32 = 4096;

pub(super) fn hmac(key: &[u8], octets: &[u8]) -> Result<[u8; 32], ErrorStack> {
    let key = PKey::hmac(key)?;
    let mut mac = [0; 32];
    Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot(&mut mac, octets)?;
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::scram::{ClientFirst, Exchange, server_final};
    use data_encoding::BASE64;

    /// RFC 7677 §3.
    fn example() -> (Verifier, Vec<u8>, Vec<u8>) {
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let verifier = Verifier::new(&SecretString::from("pencil"), &salt, 4096).unwrap();
        let first = ClientFirst::parse(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO").unwrap();
        let exchange = Exchange::begin(first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", &salt, 4096);
        let last = b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
                     p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        let proof = exchange.finish(last, b"").unwrap();
        (verifier, proof.message, proof.proof)
    }

    #[test]
    fn the_example_of_the_standard_is_proven_both_ways() {
        let (verifier, message, proof) = example();
        let signature = verifier.prove(&message, &proof).unwrap();
        assert_eq!(server_final(&signature), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
    }

    #[test]
    fn another_proof_message_or_password_proves_nothing() {
        let (verifier, message, proof) = example();
        let mut other = proof.clone();
        other[31] ^= 1;
        assert_eq!(verifier.prove(&message, &other), None);
        assert_eq!(verifier.prove(&message[1..], &proof), None);
        assert_eq!(verifier.prove(&message, &proof[1..]), None);
        assert_eq!(verifier.prove(&message, &[]), None);
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let pen = Verifier::new(&SecretString::from("pen"), &salt, 4096).unwrap();
        assert_eq!(pen.prove(&message, &proof), None);
    }

    #[test]
    fn a_verifier_rests_sealed_for_its_row() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("master.key");
        Vault::create(&file).unwrap();
        let vault = Vault::open(&file).unwrap();
        let (verifier, message, proof) = example();
        let sealed = verifier.seal(&vault, b"row 1").unwrap();
        assert!(Verifier::unseal(&vault, b"row 2", &sealed).is_err());
        let again = Verifier::unseal(&vault, b"row 1", &sealed).unwrap();
        assert!(again.prove(&message, &proof).is_some());
        let (one, other) = (salt(&vault, "ali").unwrap(), salt(&vault, "veli").unwrap());
        assert_ne!(one, other);
        let rotated = Vault::rotate(&file).unwrap();
        assert_eq!(salt(&rotated, "ali").unwrap(), one, "a new generation changes no salt");
        let later = Verifier::unseal(&rotated, b"row 1", &sealed).unwrap();
        assert!(later.prove(&message, &proof).is_some());
    }
}
