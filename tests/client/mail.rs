//! Test mails signed as a user's mail program signs them: S/MIME, detached, over canonical octets.

use std::io;
use std::path::Path;

use data_encoding::BASE64;
use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

/// A user's certificate and key.
#[derive(Clone)]
pub struct Signer {
    certificate: X509,
    key: PKey<Private>,
}

/// What a test mail says.
#[derive(Clone, Debug)]
pub struct Letter<'a> {
    pub from: &'a str,
    pub to: &'a [&'a str],
    pub subject: &'a str,
    /// Without angle brackets.
    pub message_id: &'a str,
    pub text: &'a str,
    /// A file of so many octets; none when zero.
    pub attachment: usize,
}

impl Signer {
    pub fn from_p12(file: &Path, password: &str) -> io::Result<Self> {
        let stored = Pkcs12::from_der(&std::fs::read(file)?)?.parse2(password)?;
        let missing = || io::Error::other(format!("{}: no key or certificate", file.display()));
        Ok(Self {
            certificate: stored.cert.ok_or_else(missing)?,
            key: stored.pkey.ok_or_else(missing)?,
        })
    }

    pub fn new(certificate: X509, key: PKey<Private>) -> Self {
        Self { certificate, key }
    }

    pub fn certificate(&self) -> &X509 {
        &self.certificate
    }

    pub fn key(&self) -> &PKey<Private> {
        &self.key
    }

    /// The letter as `multipart/signed` (RFC 8551 §3.5.3).
    pub fn sign(&self, letter: &Letter<'_>) -> io::Result<Vec<u8>> {
        self.sign_by(letter, |octets| self.signature(octets))
    }

    /// The same, with a signature made elsewhere.
    pub fn sign_by(
        &self,
        letter: &Letter<'_>,
        signature: impl FnOnce(&[u8]) -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        let entity = letter.entity();
        let signature = signature(&entity)?;
        let boundary = format!("imza-{}", word(letter.message_id));
        let mut mail = letter.headers();
        mail.push_str(&format!(
            "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
             micalg=sha-256; boundary=\"{boundary}\"\r\n\r\n\
             Bu bir S/MIME iletisidir.\r\n--{boundary}\r\n"
        ));
        let mut mail = mail.into_bytes();
        mail.extend_from_slice(&entity);
        mail.extend_from_slice(
            format!(
                "\r\n--{boundary}\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\
                 \r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: attachment; \
                 filename=\"smime.p7s\"\r\n\r\n{}--{boundary}--\r\n",
                wrapped(&signature)
            )
            .as_bytes(),
        );
        Ok(mail)
    }

    /// A detached CMS over exactly these octets: `BINARY`, so nothing is translated on the way.
    pub fn signature(&self, octets: &[u8]) -> io::Result<Vec<u8>> {
        let options = CMSOptions::DETACHED | CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
        let signed = CmsContentInfo::sign(
            Some(&self.certificate),
            Some(&self.key),
            None,
            Some(octets),
            options,
        )?;
        Ok(signed.to_der()?)
    }
}

impl Letter<'_> {
    /// The letter without a signature.
    pub fn unsigned(&self) -> Vec<u8> {
        let mut mail = self.headers().into_bytes();
        mail.extend_from_slice(&self.entity());
        mail.extend_from_slice(b"\r\n");
        mail
    }

    fn headers(&self) -> String {
        let to: Vec<String> = self.to.iter().map(|to| format!("<{to}>")).collect();
        format!(
            "Date: Mon, 23 Nov 2026 10:00:00 +0300\r\nFrom: <{}>\r\nTo: {}\r\nSubject: {}\r\n\
             Message-ID: <{}>\r\nMIME-Version: 1.0\r\n",
            self.from,
            to.join(",\r\n "),
            encoded_word(self.subject),
            self.message_id
        )
    }

    /// The MIME entity that is signed; its last line bears no CRLF, that one is the boundary's.
    fn entity(&self) -> Vec<u8> {
        let text = format!(
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
            wrapped(self.text.as_bytes()).trim_end()
        );
        if self.attachment == 0 {
            return text.into_bytes();
        }
        let boundary = format!("parca-{}", word(self.message_id));
        let file = wrapped(&noise(self.message_id, self.attachment));
        format!(
            "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{text}\
             \r\n--{boundary}\r\nContent-Type: application/octet-stream\r\n\
             Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n \
             filename*=utf-8''%C4%B0%C3%A7erik.bin\r\n\r\n{file}--{boundary}--"
        )
        .into_bytes()
    }
}

/// RFC 2047 §2, in words that fit a line of 76 characters beside the field's name.
fn encoded_word(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let (mut words, mut word) = (Vec::new(), String::new());
    for c in text.chars() {
        if word.len() + c.len_utf8() > ENCODED_WORD_OCTETS {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let encoded = words.iter().map(|w| format!("=?utf-8?B?{}?=", BASE64.encode(w.as_bytes())));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

fn wrapped(octets: &[u8]) -> String {
    let mut lines = String::with_capacity(octets.len() * 14 / 10);
    for chunk in octets.chunks(LINE_OCTETS) {
        BASE64.encode_append(chunk, &mut lines);
        lines.push_str("\r\n");
    }
    lines
}

fn word(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// The same octets for the same seed, incompressible (xorshift, Marsaglia 2003).
fn noise(seed: &str, count: usize) -> Vec<u8> {
    let start =
        seed.bytes().fold(FNV_BASIS, |hash, b| (hash ^ u64::from(b)).wrapping_mul(FNV_PRIME));
    let mut state = start | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    });
    words.flatten().take(count).collect()
}

/// 57 octets make a line of 76 characters (RFC 2045 §6.8).
const LINE_OCTETS: usize = 57;
/// 39 octets make 52 characters; with `=?utf-8?B?…?=` and `Subject: ` that is 73.
const ENCODED_WORD_OCTETS: usize = 39;
const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(attachment: usize) -> Letter<'static> {
        Letter {
            from: "ali.veli@hs05.kep.tr",
            to: &["ayse.kaya@hs05.kep.tr"],
            subject: "Şube müdürlüğüne ilişkin çok uzun bir bildirim konusu: İğdır, Çorum",
            message_id: "a.1@istemci.example",
            text: "Sayın ilgili,\r\nişbu yazı …",
            attachment,
        }
    }

    #[test]
    fn every_line_is_canonical_and_short() {
        let mail = String::from_utf8(letter(1000).unsigned()).expect("ASCII");
        assert!(mail.is_ascii());
        assert!(!mail.replace("\r\n", "").contains(['\r', '\n']));
        assert!(mail.lines().all(|line| line.len() <= 78));
    }

    #[test]
    fn the_signed_octets_end_before_the_boundarys_line_end() {
        assert!(!letter(0).entity().ends_with(b"\n"));
        assert!(letter(100).entity().ends_with(b"--"));
    }

    #[test]
    fn the_signature_holds_over_the_octets_between_the_boundaries() {
        let signer = signer().expect("a signer");
        for attachment in [0, 5000] {
            let letter = letter(attachment);
            let mail = String::from_utf8(signer.sign(&letter).expect("signed")).expect("ASCII");
            let line = "\r\n--imza-a-1-istemci-example";
            let mut parts = mail.split(line);
            let entity = parts.nth(1).and_then(|p| p.strip_prefix("\r\n")).expect("the entity");
            let (_, encoded) = parts.next().and_then(|p| p.split_once("\r\n\r\n")).expect("p7s");
            let der = BASE64.decode(encoded.replace("\r\n", "").as_bytes()).expect("Base64");
            let mut signed = CmsContentInfo::from_der(&der).expect("a CMS");
            let options = CMSOptions::BINARY | CMSOptions::NO_SIGNER_CERT_VERIFY;
            signed.verify(None, None, Some(entity.as_bytes()), None, options).expect("valid");
            assert_eq!(entity.as_bytes(), letter.entity());
            assert_eq!(parts.next(), Some("--\r\n"));
        }
    }

    /// A self-signed certificate, by way of a PKCS#12 file.
    fn signer() -> io::Result<Signer> {
        let curve = openssl::ec::EcGroup::from_curve_name(openssl::nid::Nid::X9_62_PRIME256V1)?;
        let key = PKey::from_ec_key(openssl::ec::EcKey::generate(&curve)?)?;
        let mut builder = X509::builder()?;
        let (from, until) = (
            openssl::asn1::Asn1Time::days_from_now(0)?,
            openssl::asn1::Asn1Time::days_from_now(1)?,
        );
        builder.set_version(2)?;
        builder.set_not_before(&from)?;
        builder.set_not_after(&until)?;
        builder.set_pubkey(&key)?;
        builder.sign(&key, openssl::hash::MessageDigest::sha256())?;
        let mut stored = Pkcs12::builder();
        stored.name("ali").pkey(&key).cert(&builder.build());
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("ali.p12");
        std::fs::write(&file, stored.build2("parola")?.to_der()?)?;
        Signer::from_p12(&file, "parola")
    }

    #[test]
    fn noise_depends_on_the_seed_only() {
        assert_eq!(noise("a", 100), noise("a", 100));
        assert_ne!(noise("a", 100), noise("b", 100));
    }
}
