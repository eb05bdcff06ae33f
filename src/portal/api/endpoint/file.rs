//! Files that come in and go out beside mails and documents.

use super::{Answer, Body, Given, Gives, Most, Takes};
use crate::portal::api::call::{Answered, Call, Reply};
use crate::portal::api::flow::Flow;
use crate::portal::api::headers::attachment;
use crate::portal::api::problem::Problem;
use crate::registry::contacts::Form;
use axum::body::Bytes;

/// An address book to be taken in.
#[derive(Clone, Debug)]
pub struct ContactsFile {
    pub form: Form,
    pub octets: Bytes,
}

impl Given for ContactsFile {
    fn takes() -> Takes {
        Takes::Octets { media: BOOK, most: Most::Contacts, example: CARD }
    }

    fn read(call: &Call) -> Answered<Self> {
        let form = match call.media.as_deref() {
            Some(VCARD) => Form::Vcard,
            Some(CSV) => Form::Csv,
            _ => return Err(Problem::WrongMedia(BOOK.join(", "))),
        };
        Ok(Self { form, octets: call.body.clone() })
    }
}

/// An address book that goes out.
pub struct BookFile {
    pub form: Form,
    pub flow: Flow,
}

impl Answer for BookFile {
    fn gives() -> Gives {
        Gives { status: 200, body: Body::Octets(BOOK), headers: &["Content-Disposition"] }
    }

    fn reply(self) -> Answered<Reply> {
        let (media, name) = match self.form {
            Form::Vcard => (VCARD, "adres-defteri.vcf"),
            Form::Csv => (CSV, "adres-defteri.csv"),
        };
        Ok(flowing(&format!("{media}; charset=utf-8"), name, self.flow))
    }
}

/// An archive.
pub struct ZipFile {
    pub name: String,
    pub flow: Flow,
}

impl Answer for ZipFile {
    fn gives() -> Gives {
        Gives { status: 200, body: Body::Octets(&[ZIP]), headers: &["Content-Disposition"] }
    }

    fn reply(self) -> Answered<Reply> {
        Ok(flowing(ZIP, &self.name, self.flow))
    }
}

/// An archive that only its reader can decrypt (CMS EnvelopedData).
pub struct SealedFile {
    pub name: String,
    pub flow: Flow,
}

impl Answer for SealedFile {
    fn gives() -> Gives {
        Gives { status: 200, body: Body::Octets(&[CMS]), headers: &["Content-Disposition"] }
    }

    fn reply(self) -> Answered<Reply> {
        Ok(flowing(CMS, &self.name, self.flow))
    }
}

fn flowing(media: &str, name: &str, flow: Flow) -> Reply {
    let media = Some(media.to_owned());
    let reply =
        Reply { status: 200, media, headers: Vec::new(), body: Vec::new(), flow: Some(flow) };
    reply.with("Content-Disposition", attachment(name))
}

const VCARD: &str = "text/vcard";
const ZIP: &str = "application/zip";
const CMS: &str = "application/pkcs7-mime";
const CSV: &str = "text/csv";
const BOOK: &[&str] = &[VCARD, CSV];
const CARD: &str = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ayşe Yılmaz\r\n\
    EMAIL:ayse.yilmaz@hs05.kep.tr\r\nEND:VCARD\r\n";
