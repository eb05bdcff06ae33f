//! Names in extensions: of the subject, and of the lists that speak of a certificate. They are compared
//! as the octets stand.

use super::{Certificate, DerError, Node, Oid, der, tag};
use openssl::x509::X509Name;
use std::cmp::Ordering;

impl Certificate {
    /// Whether this GeneralName (DER) is one of the subject's.
    pub(in crate::trust) fn is_called(&self, general_name: &[u8]) -> bool {
        let alternatives = self.extension(SUBJECT_ALT_NAME).map(|(_, value)| value);
        let alternatives = alternatives.and_then(|value| der::parse(value).ok()?.children().ok());
        alternatives.into_iter().flatten().any(|one| one.whole == general_name)
            || self.is_subject(general_name)
    }

    fn is_subject(&self, general_name: &[u8]) -> bool {
        let name = der::parse(general_name).and_then(|node| node.of(DIRECTORY_NAME));
        let name = name.ok().and_then(|node| X509Name::from_der(node.content).ok());
        let order = name.and_then(|name| name.try_cmp(self.x509().subject_name()).ok());
        order == Some(Ordering::Equal)
    }

    /// What its lists are called (cRLDistributionPoints, RFC 5280 §4.2.1.13).
    pub(in crate::trust) fn list_names(&self) -> Vec<&[u8]> {
        let points = self.extension(CRL_DISTRIBUTION_POINTS).map(|(_, value)| value);
        let points = points.and_then(|value| der::parse(value).ok()?.children().ok());
        points.into_iter().flatten().filter_map(names_of_point).flatten().collect()
    }
}

fn names_of_point(point: Node<'_>) -> Option<Vec<&[u8]>> {
    point_names(point.reader().optional(tag::context(0)).ok()??).ok()
}

/// Of a DistributionPointName in its field: full names, or the one that is relative to the issuer's.
pub(in crate::trust) fn point_names(field: Node<'_>) -> Result<Vec<&[u8]>, DerError> {
    let choice = field.reader().next()?;
    match choice.tag {
        FULL_NAME => Ok(choice.children()?.iter().map(|name| name.whole).collect()),
        RELATIVE_NAME => Ok(vec![choice.whole]),
        _ => Err(DerError::Value),
    }
}

const FULL_NAME: u8 = tag::context(0);
const RELATIVE_NAME: u8 = tag::context(1);
const DIRECTORY_NAME: u8 = tag::context(4);
const SUBJECT_ALT_NAME: Oid = Oid::new_unwrap("2.5.29.17");
const CRL_DISTRIBUTION_POINTS: Oid = Oid::new_unwrap("2.5.29.31");
