//! What validates evidence later and can't be had then, as rows take it.

use crate::store::evidence::Material;
use crate::trust::collector::Known;
use crate::trust::revocation::Piece;
use crate::trust::{self, Certificate};
use crate::wire::sha256;

/// Chain, lists and answers that were collected about a user.
pub fn of(collected: &trust::Material) -> Vec<Material> {
    let certificates = collected.certificates.iter().map(|der| Material {
        kind: "certificate",
        digest: sha256(der),
        value: der.as_slice().into(),
    });
    let lists = collected.crls.iter().map(|list| piece("crl", list));
    let answers = collected.ocsp.iter().map(|answer| piece("ocsp", answer));
    certificates.chain(lists).chain(answers).collect()
}

/// What is known of our own certificates: shared with all evidence, neither copied nor hashed anew.
pub fn known(known: &Known) -> impl Iterator<Item = Material> {
    let certificates = known.certificates.iter().map(certificate);
    let lists = known.crls().map(|list| piece("crl", list));
    let answers = known.answers().map(|answer| piece("ocsp", answer));
    certificates.chain(lists).chain(answers)
}

/// A certificate that something was signed with, or that stands behind it.
pub fn certificate(certificate: &Certificate) -> Material {
    let (digest, value) = (certificate.digest(), certificate.der().into());
    Material { kind: "certificate", digest, value }
}

fn piece(kind: &'static str, piece: &Piece) -> Material {
    Material { kind, digest: piece.digest(), value: piece.octets() }
}
