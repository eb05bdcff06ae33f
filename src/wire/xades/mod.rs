//! XAdES over one XML document: enveloped, B-T when we make it (EN 319 132-1), tolerant of B-B and
//! plain XML signatures when we read it. Keys and stamps stay outside: what is to be signed and
//! stamped is handed out, what came back is put in.

mod algorithm;
mod certificate;
mod read;
mod reference;
mod sign;

pub use algorithm::{Hash, SignatureMethod};
pub use read::{Binding, Signature, SignatureFault, Stamp};
pub use reference::{Covered, Reference};
pub use sign::{Prepared, SignFault, Signed};

pub(crate) const XADES_NS: &str = "http://uri.etsi.org/01903/v1.3.2#";
pub(crate) const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SIGNED_PROPERTIES: &str = "http://uri.etsi.org/01903#SignedProperties";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const XPATH: &str = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const FILTER2: &str = "http://www.w3.org/2002/06/xmldsig-filter2";

#[cfg(test)]
pub(crate) mod tests;
