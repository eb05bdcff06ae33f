//! What validates evidence later and can't be had then, as rows take it.

use crate::store::evidence::Material;
use crate::trust::{self, Certificate};
use crate::wire::sha256;

/// Chain, lists and answers that were collected.
pub fn of(collected: &trust::Material) -> Vec<Material> {
    let certificates = collected.certificates.iter().map(|der| piece("certificate", der));
    let lists = collected.crls.iter().map(|der| piece("crl", der));
    let answers = collected.ocsp.iter().map(|der| piece("ocsp", der));
    certificates.chain(lists).chain(answers).collect()
}

/// A certificate that something was signed with, or that stands behind it.
pub fn certificate(certificate: &Certificate) -> Material {
    piece("certificate", certificate.der())
}

fn piece(kind: &'static str, value: &[u8]) -> Material {
    Material { kind, digest: sha256(value), value: value.to_vec() }
}
