//! Keys, certificates, time and signatures: the only room that knows cryptography.

pub mod random;
pub mod vault;
