//! Checks for `kep verify` and for dispatches of other providers: small functions, one a check.

mod plain;
mod xml;

pub use plain::{Plain, raw_pss, smime};
pub use xml::{PinFault, pinned, xml_value};

use super::Certificate;
use super::cache::{Cache, FOREVER};
use super::path::{Anchors, Path, PathFault, Role};
use super::revocation::{Material, RevocationFault};
use super::signed_data::{self, Form, Pool, SignerFault};
use super::token::{Token, TokenFault, TokenVerifier};
use crate::wire::cms::SignedData;
use crate::wire::{Digest, SignatureAlgorithm, Timestamp};
use std::sync::Arc;

/// Verifies seals of providers: CMS (dispatches, evidence mails), and what XML signatures need.
pub struct SealVerifier {
    anchors: Anchors,
    others: Vec<Certificate>,
    tokens: TokenVerifier,
    pool: Pool,
    paths: Cache<Digest, Arc<Path>>,
}

/// A seal whose signature verifies; each further question is a function.
#[derive(Clone, Debug)]
pub struct Seal {
    pub signer: Certificate,
    /// Certificates that came with it.
    pub certificates: Vec<Certificate>,
    /// What the signer claims.
    pub signing_time: Option<Timestamp>,
    signature: Vec<u8>,
    tokens: Vec<Vec<u8>>,
}

/// Every check passed.
#[derive(Clone, Debug)]
pub struct Sealed {
    pub signer: Certificate,
    pub path: Arc<Path>,
    pub signing_time: Option<Timestamp>,
    pub token: Option<Token>,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SealFault {
    #[error("the seal: {0}")]
    Signer(#[from] SignerFault),
    #[error("the seal's certificate: {0}")]
    Path(#[from] PathFault),
    #[error("the seal's time stamp: {0}")]
    Token(#[from] TokenFault),
}

/// Whether `signature` over `octets` is by the certificate's key (XML signatures).
/// ECDSA as DER; XML carries r and s side by side: see [`ecdsa_from_xml`].
pub fn raw(
    certificate: &Certificate,
    algorithm: SignatureAlgorithm,
    octets: &[u8],
    signature: &[u8],
) -> bool {
    super::verify_octets(certificate, algorithm, octets, signature)
}

/// Whether the kept material shows that nothing in the path was revoked at `at`; offline.
pub fn revocation(path: &Path, material: &Material, at: Timestamp) -> Result<(), RevocationFault> {
    super::revocation::judge(path, material, at)
}

/// XMLDSig §6.4.3: r and s, each as long as the curve, become the DER that keys work with.
pub fn ecdsa_from_xml(signature: &[u8]) -> Option<Vec<u8>> {
    use crate::wire::der;
    if signature.is_empty() || !signature.len().is_multiple_of(2) || signature.len() > MAX_ECDSA {
        return None;
    }
    let (r, s) = signature.split_at(signature.len() / 2);
    Some(der::sequence(&[&der::integer(r), &der::integer(s)]))
}

/// The other way: DER to r and s, each padded to `width` octets (32 for P-256, 48 for P-384).
pub fn ecdsa_to_xml(signature: &[u8], width: usize) -> Option<Vec<u8>> {
    use crate::wire::der::{self, tag};
    let mut numbers = der::parse(signature).ok()?.of(tag::SEQUENCE).ok()?.reader();
    let mut out = Vec::with_capacity(2 * width);
    for _ in 0..2 {
        let content = numbers.expect(tag::INTEGER).ok()?.content;
        let zeros = content.iter().take_while(|octet| **octet == 0).count();
        let significant = &content[zeros..];
        out.resize(out.len() + width.checked_sub(significant.len())?, 0);
        out.extend_from_slice(significant);
    }
    Some(out)
}

impl SealVerifier {
    /// `others`: seal certificates and authorities that may be left out of signatures.
    pub fn new(anchors: Anchors, others: Vec<Certificate>, tokens: TokenVerifier) -> Self {
        let (pool, paths) = (Pool::of(BROUGHT), Cache::new(SEALS));
        Self { anchors, others, tokens, pool, paths }
    }

    pub fn tokens(&self) -> &TokenVerifier {
        &self.tokens
    }

    /// All checks of a detached seal; without a time stamp the chain must be valid at `now`.
    pub fn verify(&self, octets: &[u8], p7s: &[u8], now: Timestamp) -> Result<Sealed, SealFault> {
        let seal = self.signature(octets, p7s)?;
        let token = self.token(&seal).transpose()?;
        let path = self.path(&seal.signer, &seal.certificates)?;
        path.check_at(token.as_ref().map_or(now, |token| token.gen_time))?;
        Ok(Sealed { signer: seal.signer, path, signing_time: seal.signing_time, token })
    }

    /// Digest, attributes (CAdES) and signature, over the original octets.
    pub fn signature(&self, octets: &[u8], p7s: &[u8]) -> Result<Seal, SignerFault> {
        let signed = SignedData::parse(p7s)?;
        let signer = signed_data::only_signer(&signed)?;
        let mut certificates = self.pool.parse(signed.certificates.iter().copied());
        certificates.extend_from_slice(&self.others);
        let certificate = signed_data::check(&signed, signer, octets, &certificates, Form::Cades)?;
        Ok(Seal {
            signer: certificate,
            certificates,
            signing_time: signer.signing_time()?,
            signature: signer.signature.to_vec(),
            tokens: signer.signature_time_stamps()?.into_iter().map(<[u8]>::to_vec).collect(),
        })
    }

    /// The seal's time stamp, if it carries one.
    pub fn token(&self, seal: &Seal) -> Option<Result<Token, TokenFault>> {
        let token = seal.tokens.first()?;
        Some(self.tokens.verify(token, &seal.signature))
    }

    /// The chain of a seal certificate, for seals in CMS and XML alike; kept once it was found.
    pub fn path(
        &self,
        certificate: &Certificate,
        others: &[Certificate],
    ) -> Result<Arc<Path>, PathFault> {
        let digest = certificate.digest();
        if let Some(known) = self.paths.get(&digest, Timestamp::from_millis(0)) {
            return Ok(known);
        }
        let all = [others, &self.others].concat();
        let path = Arc::new(self.anchors.path(certificate, &all, Role::Seal)?);
        self.paths.put(digest, path.clone(), FOREVER);
        Ok(path)
    }
}

/// P-521 would be 132.
const MAX_ECDSA: usize = 132;
/// Certificates that came along: those of a few providers. Strangers may fill it, with 16 KiB each.
const BROUGHT: usize = 256;
/// Providers, with their old certificates.
const SEALS: usize = 1_024;

#[cfg(test)]
mod tests;
