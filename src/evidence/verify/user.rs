//! The sender's own signature inside the original: does it hold, and was its certificate good when
//! the message was accepted.

use super::report::Checks;
use super::{Judge, Name, revocation};
use crate::trust::verify::{Plain, smime};
use crate::trust::{Role, SignerFault};
use crate::wire::Timestamp;
use crate::wire::cms::SignedData;
use crate::wire::mime::text::decode_transfer;
use crate::wire::mime::{self, Body, Encoding, Part};
use std::borrow::Cow;

pub(super) fn judge(judge: &Judge, original: &[u8], accepted: Timestamp, checks: &mut Checks) {
    let name = Name::UserSignature;
    let verified = match find(original) {
        Found::Nothing => return checks.note(name, "the original is not signed by its sender"),
        Found::Hidden(what) => {
            return checks.note(name, format!("{what}: a signature inside can't be seen"));
        }
        Found::Malformed => {
            return checks.bad(name, "multipart/signed without a part and its S/MIME signature");
        }
        Found::Detached { signed, der } => smime(&der, Some(signed)),
        Found::Opaque(der) => smime(&der, None),
    };
    match verified {
        Ok(plain) => {
            let who = plain.signer.common_name();
            let who = who.unwrap_or_else(|| plain.signer.subject().to_owned());
            checks.good(name, format!("verifies with the certificate of {who}"));
            certificate(judge, &plain, accepted, checks);
        }
        Err(SignerFault::NoCertificate) => {
            checks.unknown(name, "the signature does not bring its certificate");
        }
        Err(fault) => {
            checks.bad(name, fault.to_string());
            if matches!(fault, SignerFault::WeakDigest(_)) {
                checks.hint(super::stamp::WEAK);
            }
        }
    }
}

fn certificate(judge: &Judge, plain: &Plain, accepted: Timestamp, checks: &mut Checks) {
    let name = Name::UserCertificate;
    let Some(anchors) = &judge.user else {
        checks.unknown(name, "no anchors of users are at hand");
        return checks.hint("--trust DIR with user-ca.pem in it");
    };
    let others = [&plain.certificates, judge.lists.certificates()].concat();
    let path = match anchors.path(&plain.signer, &others, Role::User) {
        Ok(path) => path,
        Err(fault) => return checks.bad(name, fault.to_string()),
    };
    match path.check_at(accepted) {
        Ok(()) => checks.good(name, format!("trusted, valid when accepted at {accepted}")),
        Err(fault) => checks.bad(name, fault.to_string()),
    }
    revocation::of_user(judge, &path, accepted, checks);
}

enum Found<'a> {
    Nothing,
    Hidden(&'static str),
    Malformed,
    Detached { signed: &'a [u8], der: Cow<'a, [u8]> },
    Opaque(Cow<'a, [u8]>),
}

fn find(original: &[u8]) -> Found<'_> {
    let root = mime::parse(original);
    let content = &root.content;
    let pkcs7 =
        content.is("application", "pkcs7-mime") || content.is("application", "x-pkcs7-mime");
    if pkcs7 {
        let der = decoded(&root, original);
        return match SignedData::parse(&der) {
            Ok(_) => Found::Opaque(der),
            Err(_) => Found::Hidden("the original is encrypted"),
        };
    }
    if content.is("multipart", "encrypted") {
        return Found::Hidden("the original is encrypted");
    }
    if !content.is("multipart", "signed") {
        return Found::Nothing;
    }
    let protocol = content.param("protocol").unwrap_or_default();
    if protocol.eq_ignore_ascii_case(b"application/pgp-signature") {
        return Found::Hidden("the original has a PGP signature");
    }
    let Body::Multipart(parts) = &root.inside else { return Found::Malformed };
    let [signed, signature] = parts.as_slice() else { return Found::Malformed };
    let is = |subtype| signature.content.is("application", subtype);
    if !is("pkcs7-signature") && !is("x-pkcs7-signature") {
        return Found::Malformed;
    }
    let signed = original.get(signed.header.start..signed.body.end).unwrap_or_default();
    Found::Detached { signed, der: decoded(signature, original) }
}

fn decoded<'a>(part: &Part, mail: &'a [u8]) -> Cow<'a, [u8]> {
    decode_transfer(mail.get(part.body.clone()).unwrap_or_default(), Encoding::of(&part.content))
}
