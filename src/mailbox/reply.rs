//! What the client hears: status lines, codes, and refusals worded for whoever reads them.

use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::extensions::metadata::MetadataCode;
use imap_codec::imap_types::extensions::uidplus::{UidElement, UidSet as CodeUids};
use imap_codec::imap_types::response::{Code, CodeOther, StatusKind};
use std::num::NonZeroU32;

use super::ask::{Placed, Refusal};
use crate::wire::MailboxId;
use crate::wire::imap::{UidSet, object_id};

/// A tagged answer, made before it may be sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub kind: StatusKind,
    pub code: Option<Code<'static>>,
    pub text: String,
}

impl Reply {
    pub fn ok(text: &str) -> Self {
        Self { kind: StatusKind::Ok, code: None, text: text.to_owned() }
    }

    pub fn no(text: &str) -> Self {
        Self { kind: StatusKind::No, code: None, text: text.to_owned() }
    }

    pub fn bad(text: &str) -> Self {
        Self { kind: StatusKind::Bad, code: None, text: text.to_owned() }
    }

    pub fn code(mut self, code: Code<'static>) -> Self {
        self.code = Some(code);
        self
    }

    /// A code imap-types has no variant for.
    pub fn named(self, code: &'static str) -> Self {
        self.code(other(code))
    }

    pub fn refused(refusal: &Refusal) -> Self {
        let reply = Self::no(text(refusal));
        match refusal {
            Refusal::BadCredentials => reply.named("AUTHENTICATIONFAILED"),
            Refusal::BadProof => reply.named("AUTHENTICATIONFAILED"),
            Refusal::BadCertificate => reply.named("AUTHENTICATIONFAILED"),
            Refusal::MayNotRead => reply.named("AUTHORIZATIONFAILED"),
            Refusal::PasswordScope | Refusal::PasswordAlone => reply.named("AUTHORIZATIONFAILED"),
            Refusal::AccountClosed => reply.named("CONTACTADMIN"),
            Refusal::ReadOnlyAccount | Refusal::ReadOnlyMailbox => reply.named("NOPERM"),
            Refusal::NoSuchMailbox | Refusal::Gone => reply.named("NONEXISTENT"),
            Refusal::NoSuchTarget => reply.code(Code::TryCreate),
            Refusal::MailboxExists => reply.named("ALREADYEXISTS"),
            Refusal::Cannot => reply.named("CANNOT"),
            Refusal::UseAttr => reply.named("USEATTR"),
            Refusal::HasChildren => reply.named("HASCHILDREN"),
            Refusal::BadUrl => reply.named("BADURL"),
            Refusal::UnknownCte => reply.named("UNKNOWN-CTE"),
            Refusal::OverQuota => reply.code(Code::OverQuota),
            Refusal::TooBig => reply.code(Code::TooBig),
            Refusal::Limit => reply.named("LIMIT"),
            Refusal::ValueTooLong(most) => reply.code(Code::Metadata(MetadataCode::MaxSize(*most))),
            Refusal::TooManyEntries => reply.code(Code::Metadata(MetadataCode::TooMany)),
            Refusal::NotPermitted => reply.named("NOPERM"),
            Refusal::Unavailable => reply.named("UNAVAILABLE"),
            Refusal::Said(_) => reply,
        }
    }
}

pub(super) fn other(code: &'static str) -> Code<'static> {
    Code::Other(CodeOther::unvalidated(code.as_bytes()))
}

/// `MAILBOXID (F12)` (RFC 8474 §4).
pub(super) fn mailbox_id(id: MailboxId) -> Code<'static> {
    let code = format!("MAILBOXID ({})", object_id::mailbox_id(id));
    Code::Other(CodeOther::unvalidated(code.into_bytes()))
}

/// `COPYUID`; nothing when a set is empty.
pub(super) fn copyuid(placed: &Placed) -> Option<Code<'static>> {
    Some(Code::CopyUid {
        uid_validity: NonZeroU32::new(placed.uid_validity)?,
        source: uids(&placed.from)?,
        destination: uids(&placed.to)?,
    })
}

fn uids(set: &UidSet) -> Option<CodeUids> {
    let element = |&(first, last): &(u32, u32)| {
        let (first, last) = (NonZeroU32::new(first)?, NonZeroU32::new(last)?);
        Some(if first == last { UidElement::Single(first) } else { UidElement::Range(first, last) })
    };
    let all: Vec<_> = set.ranges().iter().filter_map(element).collect();
    Vec1::try_from(all).ok().map(CodeUids)
}

/// Mail programs show some of these to their user: Turkish, then English.
fn text(refusal: &Refusal) -> &str {
    match refusal {
        Refusal::BadCredentials => "Kullanıcı adı veya parola yanlış / Wrong name or password",
        Refusal::BadProof => {
            "Ad veya parola yanlış; SCRAM yalnız üretilmiş parolalarla olur, hesap parolasıyla PLAIN \
             seçilmeli / Wrong name or password; SCRAM is for generated passwords only, choose PLAIN \
             for the account's own"
        }
        Refusal::BadCertificate => "Sertifika geçerli değil / The certificate is not valid",
        Refusal::MayNotRead => {
            "Bu işlem yetkilisinin ileti okuma yetkisi yok / This operator may not read mail"
        }
        Refusal::PasswordScope => {
            "Bu uygulama parolası posta kutusunu okumak için üretilmemiştir / This generated password \
             is not for reading mail"
        }
        Refusal::PasswordAlone => {
            "Bu hesapta iki adımlı doğrulama açık; posta programı için bir uygulama parolası üretin / \
             This account asks for two factors; make a password for your mail program"
        }
        Refusal::AccountClosed => "Hesap kapalı / The account is closed",
        Refusal::ReadOnlyAccount => {
            "Hesap kapalı; kapatıldıktan sonra üç ay yalnızca okunabilir / The account is closed; \
             for three months after that it can only be read"
        }
        Refusal::NoSuchMailbox => "No such mailbox",
        Refusal::NoSuchTarget => "No such mailbox; create it first",
        Refusal::MailboxExists => "Bu klasör zaten var / The mailbox exists already",
        Refusal::Cannot => "Bu klasörde yapılamaz / Not possible with this mailbox",
        Refusal::UseAttr => {
            "Bu tür bir klasör zaten var / There is a mailbox for that use, and no other"
        }
        Refusal::HasChildren => "Klasörün alt klasörleri var / The mailbox has others under it",
        Refusal::ReadOnlyMailbox => "Klasör yalnızca okunabilir / The mailbox can only be read",
        Refusal::BadUrl => "No such part of a message",
        Refusal::UnknownCte => {
            "Bu biçim saklanamaz veya çözülemez / Octets that can't be kept or decoded"
        }
        Refusal::OverQuota => "Posta kutusu dolu / The account is over quota",
        Refusal::TooBig => "İleti çok büyük / The message is too big",
        Refusal::Limit => "Sınıra ulaşıldı / A limit is reached",
        Refusal::ValueTooLong(_) => "Değer çok uzun / The value is too long",
        Refusal::TooManyEntries => "Çok fazla ek bilgi var / There are too many annotations",
        Refusal::NotPermitted => "Buna yetkiniz yok / You may not do this",
        Refusal::Gone => "The message is gone",
        Refusal::Unavailable => "Geçici bir sorun var, yeniden deneyin / Try again later",
        Refusal::Said(words) => words,
    }
}
