//! The operations themselves, on octets of the sizes a real message has.

use std::hint::black_box;
use std::io;

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::sign::{Signer as RawSigner, Verifier as RawVerifier};
use openssl::stack::Stack;
use openssl::symm::{Cipher, encrypt_aead};
use openssl::x509::X509;
use openssl::x509::store::X509Store;

use crate::hierarchy::{Authority, Holder, KeyKind};

/// Keys and octets of the sizes a real message has.
pub struct Material {
    user_store: X509Store,
    seal: Holder,
    authority: Holder,
    stamp_store: X509Store,
    original: Vec<u8>,
    user_signature: Vec<u8>,
    evidence: Vec<u8>,
    dispatch: Vec<u8>,
    evidence_mail: Vec<u8>,
    stamp: Vec<u8>,
    dispatch_seal: Vec<u8>,
    evidence_mail_seal: Vec<u8>,
    evidence_signature: Vec<u8>,
}

impl Material {
    pub fn new(kind: KeyKind, size: usize) -> io::Result<Self> {
        let (users, seals, stamps) =
            (Authority::new(kind)?, Authority::new(kind)?, Authority::new(kind)?);
        let user = users.issue("Ali Veli")?;
        let mut material = Self {
            user_store: users.store()?,
            seal: seals.issue("KEP Hizmet Sağlayıcı")?,
            authority: stamps.issue("Zaman Damgası")?,
            stamp_store: stamps.store()?,
            user_signature: sign(&user, &vec![b'a'; size], detached())?,
            original: vec![b'a'; size],
            evidence: vec![b'b'; EVIDENCE],
            dispatch: vec![b'c'; size + ENVELOPE],
            evidence_mail: vec![b'd'; ENVELOPE],
            stamp: Vec::new(),
            dispatch_seal: Vec::new(),
            evidence_mail_seal: Vec::new(),
            evidence_signature: Vec::new(),
        };
        material.stamp = material.new_stamp()?;
        material.dispatch_seal = sign(&material.seal, &material.dispatch, detached())?;
        material.evidence_mail_seal = sign(&material.seal, &material.evidence_mail, detached())?;
        material.evidence_signature = material.new_signature()?;
        Ok(material)
    }

    pub fn verify_user(&self) -> io::Result<()> {
        let mut signed = CmsContentInfo::from_der(&self.user_signature)?;
        let data = Some(self.original.as_slice());
        signed.verify(None, Some(&self.user_store), data, None, detached())?;
        Ok(())
    }

    pub fn digest_original(&self) -> io::Result<()> {
        black_box(sha256(&self.original));
        Ok(())
    }

    /// Two references (document and signed properties), then the signature over SignedInfo.
    pub fn sign_evidence(&self) -> io::Result<()> {
        self.digest_evidence();
        black_box(self.new_signature()?);
        Ok(())
    }

    fn digest_evidence(&self) {
        black_box(sha256(&self.evidence));
        black_box(sha256(&self.evidence[..SIGNED_PROPERTIES]));
    }

    fn new_signature(&self) -> io::Result<Vec<u8>> {
        let mut signer = RawSigner::new(MessageDigest::sha256(), &self.seal.key)?;
        Ok(signer.sign_oneshot_to_vec(&self.evidence[..SIGNED_INFO])?)
    }

    /// By the key of a seal that is registered: there is no path to be built.
    pub fn verify_evidence(&self) -> io::Result<()> {
        self.digest_evidence();
        let mut verifier = RawVerifier::new(MessageDigest::sha256(), &self.seal.key)?;
        let signed = &self.evidence[..SIGNED_INFO];
        held(verifier.verify_oneshot(&self.evidence_signature, signed)?)
    }

    pub fn issue_stamp(&self) -> io::Result<()> {
        black_box(self.new_stamp()?);
        Ok(())
    }

    /// A TSTInfo's worth of content, enclosed and signed as any CMS is.
    fn new_stamp(&self) -> io::Result<Vec<u8>> {
        sign(
            &self.authority,
            &self.evidence[..TST_INFO],
            CMSOptions::BINARY | CMSOptions::NOSMIMECAP,
        )
    }

    pub fn verify_stamp(&self) -> io::Result<()> {
        let mut token = CmsContentInfo::from_der(&self.stamp)?;
        let mut content = Vec::new();
        let store = Some(&*self.stamp_store);
        token.verify(None, store, None, Some(&mut content), CMSOptions::BINARY)?;
        black_box(content);
        Ok(())
    }

    pub fn seal_dispatch(&self) -> io::Result<()> {
        black_box(sign(&self.seal, &self.dispatch, detached())?);
        Ok(())
    }

    pub fn seal_evidence_mail(&self) -> io::Result<()> {
        black_box(sign(&self.seal, &self.evidence_mail, detached())?);
        Ok(())
    }

    pub fn verify_dispatch(&self) -> io::Result<()> {
        self.verify_seal(&self.dispatch_seal, &self.dispatch)
    }

    pub fn verify_evidence_mail(&self) -> io::Result<()> {
        self.verify_seal(&self.evidence_mail_seal, &self.evidence_mail)
    }

    /// By a certificate that is registered, as evidence is.
    fn verify_seal(&self, seal: &[u8], data: &[u8]) -> io::Result<()> {
        let mut signed = CmsContentInfo::from_der(seal)?;
        let mut registered = Stack::<X509>::new()?;
        registered.push(self.seal.certificate.clone())?;
        let options = detached() | CMSOptions::NO_SIGNER_CERT_VERIFY;
        signed.verify(Some(&registered), None, Some(data), None, options)?;
        Ok(())
    }

    pub fn encrypt_original(&self) -> io::Result<()> {
        let (key, nonce, mut tag) = ([7; 32], [9; 12], [0; 16]);
        let cipher = Cipher::aes_256_gcm();
        black_box(encrypt_aead(cipher, &key, Some(&nonce), b"", &self.original, &mut tag)?);
        Ok(())
    }
}

fn sign(holder: &Holder, data: &[u8], options: CMSOptions) -> io::Result<Vec<u8>> {
    let (certificate, key) = (Some(&*holder.certificate), Some(&*holder.key));
    Ok(CmsContentInfo::sign(certificate, key, None, Some(data), options)?.to_der()?)
}

fn held(held: bool) -> io::Result<()> {
    held.then_some(()).ok_or_else(|| io::Error::other("a signature does not hold"))
}

fn detached() -> CMSOptions {
    CMSOptions::DETACHED | CMSOptions::BINARY | CMSOptions::NOSMIMECAP
}

/// Octets of one evidence XML before its signature (the samples are 2 to 4 KB).
const EVIDENCE: usize = 3000;
/// Octets of an evidence mail, and what a dispatch adds to its original.
const ENVELOPE: usize = 12_000;
const SIGNED_PROPERTIES: usize = 1200;
const SIGNED_INFO: usize = 900;
const TST_INFO: usize = 130;
