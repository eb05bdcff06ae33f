//! Time-Stamp Protocol (RFC 3161, RFC 5816): requests, replies and what a token says.

mod message;
mod token_info;

pub use message::{Failure, Reply, Request, Status};
pub use token_info::{Accuracy, TstInfo};

#[cfg(test)]
mod tests;

use super::cms::CmsError;
use super::der::DerError;

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TspError {
    #[error("not well-formed: {0}")]
    Der(#[from] DerError),
    #[error("the token: {0}")]
    Cms(#[from] CmsError),
    #[error("a version other than 1")]
    Version,
    #[error("the token has a critical extension, and none is known")]
    Critical,
    #[error("the token holds no TSTInfo")]
    NotTstInfo,
}

/// What is stamped: a digest under its algorithm.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imprint {
    pub algorithm: ::der::asn1::ObjectIdentifier,
    pub digest: Vec<u8>,
}

impl Imprint {
    pub fn sha256(digest: super::Digest) -> Self {
        let algorithm = super::DigestAlgorithm::Sha256.oid();
        Self { algorithm, digest: digest.0.to_vec() }
    }

    fn read(node: super::der::Node<'_>) -> Result<Self, DerError> {
        let mut reader = node.of(super::der::tag::SEQUENCE)?.reader();
        let algorithm = reader.next()?.reader().next()?.oid()?;
        let digest = reader.next()?.octets()?.into_owned();
        reader.finish()?;
        Ok(Self { algorithm, digest })
    }

    /// With NULL parameters, as most authorities and `openssl ts` write it.
    fn write(&self) -> Vec<u8> {
        use super::der;
        let algorithm = der::sequence(&[&der::oid(self.algorithm), &der::null()]);
        der::sequence(&[&algorithm, &der::octet_string(&self.digest)])
    }
}
