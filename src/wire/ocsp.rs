//! Online Certificate Status Protocol (RFC 6960): requests and basic responses.

use super::der::{self, DerError, Node, tag};
use super::{DigestAlgorithm, Timestamp};
use ::der::asn1::ObjectIdentifier as Oid;

/// Which certificate is asked about: hashes of its issuer's name and key, and its serial number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CertId {
    pub algorithm: Oid,
    pub name_hash: Vec<u8>,
    pub key_hash: Vec<u8>,
    /// Content octets of the INTEGER.
    pub serial: Vec<u8>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OcspRequest {
    pub ids: Vec<CertId>,
    /// The nonce extension's value.
    pub nonce: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertStatus {
    Good,
    /// The reason is a CRLReason (RFC 5280 §5.3.1).
    Revoked {
        at: Timestamp,
        reason: Option<u8>,
    },
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SingleResponse {
    pub id: CertId,
    pub status: CertStatus,
    pub this_update: Timestamp,
    pub next_update: Option<Timestamp>,
}

/// A successful response as it came.
#[derive(Clone, Debug)]
pub struct BasicResponse<'a> {
    /// What the signature is over.
    pub signed_octets: &'a [u8],
    pub signature_algorithm: Oid,
    pub signature: &'a [u8],
    pub certificates: Vec<&'a [u8]>,
    pub responses: Vec<SingleResponse>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OcspError {
    #[error("not well-formed: {0}")]
    Der(#[from] DerError),
    #[error("the responder answers with error {0}")]
    Responder(u32),
    #[error("not a basic response")]
    NotBasic,
    #[error("more than {MAX_ENTRIES} entries")]
    TooMany,
}

impl CertId {
    fn read(node: Node<'_>) -> Result<Self, DerError> {
        let mut reader = node.of(tag::SEQUENCE)?.reader();
        Ok(Self {
            algorithm: reader.expect(tag::SEQUENCE)?.reader().next()?.oid()?,
            name_hash: reader.expect(tag::OCTET_STRING)?.content.to_vec(),
            key_hash: reader.expect(tag::OCTET_STRING)?.content.to_vec(),
            serial: reader.expect(tag::INTEGER)?.content.to_vec(),
        })
    }

    fn write(&self) -> Vec<u8> {
        der::sequence(&[
            &der::sequence(&[&der::oid(self.algorithm), &der::null()]),
            &der::octet_string(&self.name_hash),
            &der::octet_string(&self.key_hash),
            &der::element(tag::INTEGER, &[&self.serial]),
        ])
    }
}

impl OcspRequest {
    pub fn parse(input: &[u8]) -> Result<Self, OcspError> {
        let mut request = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        let mut tbs = request.expect(tag::SEQUENCE)?.reader();
        tbs.optional(tag::context(0))?;
        tbs.optional(tag::context(1))?;
        let list = tbs.expect(tag::SEQUENCE)?.children()?;
        if list.len() > MAX_ENTRIES {
            return Err(OcspError::TooMany);
        }
        let ids = list.iter().map(|one| CertId::read(one.reader().next()?));
        let ids = ids.collect::<Result<_, _>>()?;
        let nonce = tbs.optional(tag::context(2))?.map(nonce).transpose()?.flatten();
        Ok(Self { ids, nonce })
    }

    pub fn write(&self) -> Vec<u8> {
        let ids: Vec<u8> = self.ids.iter().flat_map(|id| der::sequence(&[&id.write()])).collect();
        let list = der::sequence(&[&ids]);
        let nonce = self.nonce.as_ref().map(|n| der::explicit(2, &nonce_extensions(n)));
        der::sequence(&[&der::sequence(&[&list, &nonce.unwrap_or_default()])])
    }
}

impl SingleResponse {
    fn read(node: Node<'_>) -> Result<Self, DerError> {
        let mut reader = node.of(tag::SEQUENCE)?.reader();
        let id = CertId::read(reader.next()?)?;
        let status = reader.next()?;
        let status = match status.tag {
            GOOD => CertStatus::Good,
            REVOKED => revoked(status)?,
            _ => CertStatus::Unknown,
        };
        let this_update = reader.expect(tag::GENERALIZED_TIME)?.time()?;
        let next = reader.optional(tag::context(0))?;
        let next_update = next.map(|n| n.reader().next()?.time()).transpose()?;
        Ok(Self { id, status, this_update, next_update })
    }

    fn write(&self) -> Vec<u8> {
        let status = match self.status {
            CertStatus::Good => vec![GOOD, 0],
            CertStatus::Revoked { at, reason } => {
                let reason = reason.map(|reason| der::explicit(0, &der::enumerated(reason)));
                let at = der::generalized_time(at);
                der::element(REVOKED, &[&at, &reason.unwrap_or_default()])
            }
            CertStatus::Unknown => vec![UNKNOWN, 0],
        };
        let next = self.next_update.map(|at| der::explicit(0, &der::generalized_time(at)));
        der::sequence(&[
            &self.id.write(),
            &status,
            &der::generalized_time(self.this_update),
            &next.unwrap_or_default(),
        ])
    }
}

/// ResponseData: what a responder signs. `responder` is the DER of its Name.
pub fn response_data(
    responder: &[u8],
    produced_at: Timestamp,
    responses: &[SingleResponse],
    nonce: Option<&[u8]>,
) -> Vec<u8> {
    let responses: Vec<u8> = responses.iter().flat_map(SingleResponse::write).collect();
    let nonce = nonce.map(|n| der::explicit(1, &nonce_extensions(n)));
    der::sequence(&[
        &der::explicit(1, responder),
        &der::generalized_time(produced_at),
        &der::sequence(&[&responses]),
        &nonce.unwrap_or_default(),
    ])
}

/// The whole successful response around signed data; `algorithm` is an AlgorithmIdentifier.
pub fn response(data: &[u8], algorithm: &[u8], signature: &[u8]) -> Vec<u8> {
    let basic = der::sequence(&[data, algorithm, &der::bit_string(signature)]);
    let bytes = der::sequence(&[&der::oid(BASIC), &der::octet_string(&basic)]);
    der::sequence(&[&der::enumerated(0), &der::explicit(0, &bytes)])
}

/// §4.2.1: a response that says only what went wrong (1 malformed request, 2 internal error).
pub fn error_response(status: u8) -> Vec<u8> {
    der::sequence(&[&der::enumerated(status)])
}

impl<'a> BasicResponse<'a> {
    pub fn parse(input: &'a [u8]) -> Result<Self, OcspError> {
        let mut outer = der::parse(input)?.of(tag::SEQUENCE)?.reader();
        match outer.expect(tag::ENUMERATED)?.small()? {
            0 => {}
            status => return Err(OcspError::Responder(status)),
        }
        let wrapped = outer.expect(tag::context(0))?.reader().expect(tag::SEQUENCE)?;
        let mut wrapped = wrapped.reader();
        if wrapped.next()?.oid()? != BASIC {
            return Err(OcspError::NotBasic);
        }
        let basic = der::parse(wrapped.expect(tag::OCTET_STRING)?.content)?;
        let mut basic = basic.of(tag::SEQUENCE)?.reader();
        let data = basic.expect(tag::SEQUENCE)?;
        let signature_algorithm = basic.expect(tag::SEQUENCE)?.reader().next()?.oid()?;
        let signature = basic.next()?.bits()?;
        let certificates = match basic.optional(tag::context(0))? {
            Some(list) => list.reader().expect(tag::SEQUENCE)?.children()?,
            None => Vec::new(),
        };
        let responses = responses(data)?;
        if certificates.len() > MAX_ENTRIES {
            return Err(OcspError::TooMany);
        }
        let certificates = certificates.iter().map(|node| node.whole).collect();
        let signed_octets = data.whole;
        Ok(Self { signed_octets, signature_algorithm, signature, certificates, responses })
    }
}

/// RevokedInfo: since when, and why when that is said.
fn revoked(status: Node<'_>) -> Result<CertStatus, DerError> {
    let mut reader = status.reader();
    let at = reader.next()?.time()?;
    let reason = reader.optional(tag::context(0))?.map(|node| node.reader().next()).transpose()?;
    let reason = reason.and_then(|node| node.content.first().copied());
    Ok(CertStatus::Revoked { at, reason })
}

fn responses(data: Node<'_>) -> Result<Vec<SingleResponse>, OcspError> {
    let mut data = data.reader();
    data.optional(tag::context(0))?;
    data.next()?; // responderID: the signature tells who it is
    data.expect(tag::GENERALIZED_TIME)?;
    let list = data.expect(tag::SEQUENCE)?.children()?;
    if list.len() > MAX_ENTRIES {
        return Err(OcspError::TooMany);
    }
    Ok(list.into_iter().map(SingleResponse::read).collect::<Result<_, _>>()?)
}

fn nonce(extensions: Node<'_>) -> Result<Option<Vec<u8>>, DerError> {
    for extension in extensions.reader().expect(tag::SEQUENCE)?.children()? {
        let mut reader = extension.reader();
        if reader.next()?.oid()? == NONCE {
            reader.optional(tag::BOOLEAN)?;
            return Ok(Some(reader.expect(tag::OCTET_STRING)?.content.to_vec()));
        }
    }
    Ok(None)
}

fn nonce_extensions(nonce: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::sequence(&[&der::oid(NONCE), &der::octet_string(nonce)])])
}

impl CertId {
    /// The identifier by SHA-1, which every responder knows (RFC 5019 §2.1.1: here no security
    /// rests on the hash); the caller hashes.
    pub fn algorithm() -> DigestAlgorithm {
        DigestAlgorithm::Sha1
    }
}

const GOOD: u8 = tag::context_primitive(0);
const REVOKED: u8 = tag::context(1);
const UNKNOWN: u8 = tag::context_primitive(2);
const BASIC: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.1");
const NONCE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// One certificate is asked for at a time.
const MAX_ENTRIES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id() -> CertId {
        let algorithm = DigestAlgorithm::Sha1.oid();
        CertId { algorithm, name_hash: vec![1; 20], key_hash: vec![2; 20], serial: vec![3] }
    }

    #[test]
    fn requests_go_both_ways() {
        for nonce in [None, Some(vec![4, 1, 9])] {
            let request = OcspRequest { ids: vec![id()], nonce };
            assert_eq!(OcspRequest::parse(&request.write()), Ok(request));
        }
    }

    #[test]
    fn responses_go_both_ways() {
        let at = Timestamp::from_secs(1_700_000_000);
        let revoked = |reason| CertStatus::Revoked { at, reason };
        for status in [CertStatus::Good, revoked(None), revoked(Some(4)), CertStatus::Unknown] {
            let one = SingleResponse { id: id(), status, this_update: at, next_update: Some(at) };
            let one = [one];
            let data = response_data(&der::sequence(&[]), at, &one, Some(&[4, 1, 9]));
            let written = response(&data, &der::sequence(&[&der::oid(BASIC)]), &[7]);
            let read = BasicResponse::parse(&written).unwrap();
            assert_eq!(read.responses, one);
            assert_eq!((read.signed_octets, read.signature), (data.as_slice(), &[7][..]));
        }
        let refused = BasicResponse::parse(&error_response(2)).unwrap_err();
        assert_eq!(refused, OcspError::Responder(2));
    }

    proptest! {
        #[test]
        fn random_octets_never_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (OcspRequest::parse(&octets).is_ok(), BasicResponse::parse(&octets).is_ok());
        }
    }
}
