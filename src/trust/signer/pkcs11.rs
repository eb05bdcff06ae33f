//! A key in a PKCS#11 token: it never leaves it. A few sessions sign beside each other.

use super::{Credential, SignError, Signer};
use crate::trust::pki::KeyKind;
use crate::trust::{Certificate, TrustError};
use crate::wire::cms::Identity;
use crate::wire::{SignatureAlgorithm, der, sha256};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Function, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, CertificateType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use openssl::pkey::{PKey, Public};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenChoice {
    Label(String),
    Slot(u64),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyChoice {
    Label(String),
    Id(Vec<u8>),
}

/// An opened token and its sessions.
pub struct Token {
    module: Pkcs11,
    slot: Slot,
    pin: AuthPin,
    /// Whether the PIN was refused once; one login at a time, so that it is once.
    refused: Mutex<bool>,
    sessions: Mutex<Sessions>,
    returned: Condvar,
}

#[derive(Default)]
struct Sessions {
    idle: Vec<Session>,
    open: usize,
}

pub struct Pkcs11Signer {
    token: Token,
    choice: KeyChoice,
    key: Mutex<ObjectHandle>,
    credential: Credential,
}

impl Token {
    /// Loads the module (once per process), finds the token and logs in.
    pub fn open(module: &Path, token: &TokenChoice, pin: SecretString) -> Result<Self, TrustError> {
        let module = load(module)?;
        let slot = find_slot(&module, token)?;
        let pin = AuthPin::from(pin.expose_secret().to_owned());
        let (refused, sessions, returned) = (Mutex::default(), Mutex::default(), Condvar::new());
        let opened = Self { module, slot, pin, refused, sessions, returned };
        opened.with_session(|_| Ok(())).map_err(token_error)?;
        Ok(opened)
    }

    /// Makes a key pair in the token: the private half sensitive and not extractable.
    /// Gives the public half as SubjectPublicKeyInfo in PEM, for the certificate's request.
    pub fn generate(&self, kind: KeyKind, label: &str, id: &[u8]) -> Result<Vec<u8>, TrustError> {
        let (label, id) = (Attribute::Label(label.into()), Attribute::Id(id.to_vec()));
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            label.clone(),
            id.clone(),
        ];
        let mut public = vec![Attribute::Token(true), Attribute::Verify(true), label, id];
        let mechanism = match kind {
            KeyKind::P256 => {
                public.push(Attribute::EcParams(der::oid(PRIME256V1)));
                Mechanism::EccKeyPairGen
            }
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
                let bits: u64 = if kind == KeyKind::Rsa2048 { 2048 } else { 3072 };
                public.push(Attribute::ModulusBits(bits.into()));
                public.push(Attribute::PublicExponent(vec![1, 0, 1]));
                Mechanism::RsaPkcsKeyPairGen
            }
        };
        let public = self
            .with_session(|session| {
                let (public, _) = session.generate_key_pair(&mechanism, &public, &private)?;
                public_key_of(session, public, kind)
            })
            .map_err(token_error)?;
        let key = public.ok_or_else(|| TrustError::Token("an unknown public key".into()))?;
        Ok(key.public_key_to_pem()?)
    }

    /// The certificate that stands beside the key under the same label or id.
    pub fn certificate(&self, key: &KeyChoice) -> Result<Certificate, TrustError> {
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            key.attribute(),
        ];
        let attributes = self.with_session(|session| {
            let found = session.find_objects(&template)?;
            let Some(found) = found.first() else { return Ok(Vec::new()) };
            session.get_attributes(*found, &[AttributeType::Value])
        });
        let value = attributes.map_err(token_error)?.into_iter().find_map(|a| match a {
            Attribute::Value(der) => Some(der),
            _ => None,
        });
        let der = value.ok_or_else(|| TrustError::Token("no certificate beside the key".into()))?;
        Certificate::from_der(&der)
    }

    /// Lays a certificate beside its key.
    pub fn keep_certificate(
        &self,
        certificate: &Certificate,
        label: &str,
        id: &[u8],
    ) -> Result<(), TrustError> {
        let template = [
            Attribute::Class(ObjectClass::CERTIFICATE),
            Attribute::CertificateType(CertificateType::X_509),
            Attribute::Token(true),
            Attribute::Label(label.into()),
            Attribute::Id(id.to_vec()),
            Attribute::Subject(certificate.x509().subject_name().to_der()?),
            Attribute::Value(certificate.der().to_vec()),
        ];
        self.with_session(|session| session.create_object(&template)).map_err(token_error)?;
        Ok(())
    }

    /// Whether a private key of that name or id is there.
    pub fn holds(&self, key: &KeyChoice) -> Result<bool, SignError> {
        Ok(self.find_key(key)?.is_some())
    }

    pub(super) fn find_key(&self, key: &KeyChoice) -> Result<Option<ObjectHandle>, SignError> {
        self.with_session(|session| find_key(session, key)).map_err(sign_error)
    }

    /// Hashes with SHA-256 and signs; ECDSA as DER.
    pub(super) fn sign_octets(
        &self,
        key: ObjectHandle,
        algorithm: SignatureAlgorithm,
        octets: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.with_session(|session| {
            if algorithm.is_rsa() {
                return session.sign(&Mechanism::Sha256RsaPkcs, key, octets);
            }
            let raw = session.sign(&Mechanism::Ecdsa, key, &sha256(octets).0)?;
            Ok(ecdsa_der(&raw))
        })
    }

    /// Runs with a session of the pool; one that fails is closed, not returned.
    fn with_session<T>(&self, work: impl FnOnce(&Session) -> Result<T, Error>) -> Result<T, Error> {
        let session = self.take()?;
        let result = work(&session);
        let mut sessions = self.lock();
        if result.is_ok() {
            sessions.idle.push(session);
        } else {
            sessions.open -= 1;
            drop(sessions);
            drop(session);
        }
        self.returned.notify_one();
        result
    }

    fn take(&self) -> Result<Session, Error> {
        let mut sessions = self.lock();
        loop {
            if let Some(session) = sessions.idle.pop() {
                return Ok(session);
            }
            if sessions.open < MAX_SESSIONS {
                sessions.open += 1;
                drop(sessions);
                return self.log_in().inspect_err(|_| self.lock().open -= 1);
            }
            sessions = self.returned.wait(sessions).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The login is the application's, so a second session finds it done.
    fn log_in(&self) -> Result<Session, Error> {
        let session = self.module.open_rw_session(self.slot)?;
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if *refused {
            return Err(Error::Pkcs11(RvError::PinIncorrect, Function::Login));
        }
        match session.login(UserType::User, Some(&self.pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(session),
            Err(error) => {
                *refused = is_refusal(&error);
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pkcs11Signer {
    /// The first certificate is the key's.
    pub fn new(
        token: Token,
        key: &KeyChoice,
        certificates: Vec<Certificate>,
    ) -> Result<Self, TrustError> {
        let handle = token.find_key(key)?;
        let handle = handle.ok_or_else(|| TrustError::Token(format!("no private key {key:?}")))?;
        let credential = Credential::new(certificates)?;
        let signer = Self { token, choice: key.clone(), key: Mutex::new(handle), credential };
        signer.credential.prove(|message| signer.sign(message))?;
        Ok(signer)
    }

    fn sign_once(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let key = *self.key.lock().unwrap_or_else(PoisonError::into_inner);
        self.token.sign_octets(key, self.credential.algorithm, message)
    }

    /// After a token came back, its sessions and handles are new.
    fn find_again(&self) -> Result<(), Error> {
        self.token.lock().forget();
        if let Some(found) = self.token.with_session(|session| find_key(session, &self.choice))? {
            *self.key.lock().unwrap_or_else(PoisonError::into_inner) = found;
        }
        Ok(())
    }
}

impl Sessions {
    fn forget(&mut self) {
        self.open -= self.idle.len();
        self.idle.clear();
    }
}

impl Signer for Pkcs11Signer {
    fn certificate(&self) -> &Certificate {
        &self.credential.certificate
    }

    fn chain(&self) -> &[Certificate] {
        &self.credential.chain
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.credential.algorithm
    }

    fn identity(&self) -> &Identity {
        &self.credential.identity
    }

    fn waits(&self) -> bool {
        true
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        self.sign_once(message)
            .or_else(|_| self.find_again().and_then(|()| self.sign_once(message)))
            .map_err(sign_error)
    }
}

impl KeyChoice {
    fn attribute(&self) -> Attribute {
        match self {
            Self::Label(label) => Attribute::Label(label.clone().into_bytes()),
            Self::Id(id) => Attribute::Id(id.clone()),
        }
    }
}

/// C_Initialize is for the whole process: each module is loaded once and stays.
fn load(path: &Path) -> Result<Pkcs11, TrustError> {
    static LOADED: OnceLock<Mutex<HashMap<PathBuf, Pkcs11>>> = OnceLock::new();
    let loaded = LOADED.get_or_init(Mutex::default);
    let mut loaded = loaded.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = loaded.get(path) {
        return Ok(module.clone());
    }
    let module = Pkcs11::new(path).map_err(|e| TrustError::content(path, e))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
        Err(error) => return Err(token_error(error)),
    }
    loaded.insert(path.to_owned(), module.clone());
    Ok(module)
}

fn find_slot(module: &Pkcs11, token: &TokenChoice) -> Result<Slot, TrustError> {
    let slots = module.get_slots_with_initialized_token().map_err(token_error)?;
    for slot in slots {
        let found = match token {
            TokenChoice::Slot(number) => slot.id() == *number,
            TokenChoice::Label(label) => {
                module.get_token_info(slot).map_err(token_error)?.label().trim_end() == label
            }
        };
        if found {
            return Ok(slot);
        }
    }
    Err(TrustError::Token(format!("none is {token:?}")))
}

fn find_key(session: &Session, key: &KeyChoice) -> Result<Option<ObjectHandle>, Error> {
    let template = [Attribute::Class(ObjectClass::PRIVATE_KEY), key.attribute()];
    Ok(session.find_objects(&template)?.first().copied())
}

fn public_key_of(
    session: &Session,
    key: ObjectHandle,
    kind: KeyKind,
) -> Result<Option<PKey<Public>>, Error> {
    let wanted: &[AttributeType] = match kind {
        KeyKind::P256 => &[AttributeType::EcPoint],
        KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
            &[AttributeType::Modulus, AttributeType::PublicExponent]
        }
    };
    let (mut point, mut modulus, mut exponent) = (None, None, None);
    for attribute in session.get_attributes(key, wanted)? {
        match attribute {
            Attribute::EcPoint(value) => point = Some(value),
            Attribute::Modulus(value) => modulus = Some(value),
            Attribute::PublicExponent(value) => exponent = Some(value),
            _ => {}
        }
    }
    Ok(match (point, modulus, exponent) {
        (Some(point), _, _) => ec_key(&point),
        (None, Some(modulus), Some(exponent)) => rsa_key(&modulus, &exponent),
        _ => None,
    })
}

/// CKA_EC_POINT is the point in an OCTET STRING (PKCS#11 §6.3.3).
fn ec_key(point: &[u8]) -> Option<PKey<Public>> {
    use openssl::ec::{EcGroup, EcKey, EcPoint};
    let octets = der::parse(point).ok()?.octets().ok()?;
    let group = EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1).ok()?;
    let mut context = openssl::bn::BigNumContext::new().ok()?;
    let point = EcPoint::from_bytes(&group, &octets, &mut context).ok()?;
    PKey::from_ec_key(EcKey::from_public_key(&group, &point).ok()?).ok()
}

fn rsa_key(modulus: &[u8], exponent: &[u8]) -> Option<PKey<Public>> {
    use openssl::bn::BigNum;
    let (n, e) = (BigNum::from_slice(modulus).ok()?, BigNum::from_slice(exponent).ok()?);
    PKey::from_rsa(openssl::rsa::Rsa::from_public_components(n, e).ok()?).ok()
}

/// PKCS#11 gives r and s side by side; CMS wants a SEQUENCE (RFC 3279 §2.2.3).
fn ecdsa_der(raw: &[u8]) -> Vec<u8> {
    let (r, s) = raw.split_at(raw.len() / 2);
    der::sequence(&[&der::integer(r), &der::integer(s)])
}

/// The PIN was changed, or the token has locked itself.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::PinIncorrect
                | RvError::PinInvalid
                | RvError::PinLenRange
                | RvError::PinExpired
                | RvError::PinLocked,
            _
        )
    )
}

fn sign_error(error: Error) -> SignError {
    if is_refusal(&error) { SignError::Pin } else { SignError::Token(error.to_string()) }
}

fn token_error(error: Error) -> TrustError {
    TrustError::Token(error.to_string())
}

/// More don't make a token faster (SoftHSM2 doubles from one to two sessions).
const MAX_SESSIONS: usize = 8;

const PRIME256V1: ::der::asn1::ObjectIdentifier =
    ::der::asn1::ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

#[cfg(test)]
mod tests;
