//! The message's way, seen from the sockets: submitted by one person, opened by another, and told
//! of in evidence. What comes out is written into files.

use super::connection::Trust;
use super::folder::Folder;
use super::imap::{Fetched, Imap};
use super::letter;
use super::provider::{Person, Provider};
use super::say::Say;
use super::smtp;
use crate::failure::{Failure, Outcome};
use kep::trust::Clock;
use kep::wire::rem::{Event, Evidence, Opened};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::time::timeout;

/// What the journey left behind.
pub struct Journey {
    pub message_id: String,
    pub original: PathBuf,
    pub dispatch: PathBuf,
    /// In the order of what happened.
    pub evidence: Vec<Piece>,
    /// Of the sender's copy.
    pub keywords: Vec<String>,
}

/// One evidence that the sender has.
pub struct Piece {
    pub evidence: Evidence,
    pub xml: PathBuf,
    pub mail: PathBuf,
}

pub async fn travel(provider: &Provider, folder: &Folder, say: &Say) -> Outcome<Journey> {
    let (sender, recipient) = (&provider.sender, &provider.recipient);
    let trust = Trust::load(&provider.trust().join("tls-ca.pem"))
        .map_err(|error| Failure::data(format!("trust/tls-ca.pem: {error}")))?;
    let now = Clock::System.now();
    let letter = letter::write(sender, &recipient.address, &provider.p12(sender), now)?;
    let (port, to) = (provider.submission(), &recipient.address);
    let message_id = smtp::submit(port, &trust, sender, to, &letter).await?;
    say.step("ileti imzalandı, gönderildi ve kabul edildi", "signed, submitted, accepted");
    say.detail(&message_id);

    let mut imap = log_in(provider, &trust, recipient).await?;
    let dispatch = open(&mut imap, say).await?;
    log_out(imap).await?;
    let opened = Opened::read(&dispatch).map_err(|e| odd(format!("the dispatch: {e}")))?;
    let original = opened.original.ok_or_else(|| odd("the dispatch encloses no original"))?;
    if original.octets(&dispatch) != letter {
        return Err(odd("the enclosed original is not what was sent, octet for octet"));
    }
    say.step("gönderi açıldı; içindeki özgün ileti bire bir aynı", "the original is identical");
    let original = folder.write("original/original.eml", original.octets(&dispatch))?;
    let dispatch = folder.write("mails/dispatch.eml", &dispatch)?;

    let mut imap = log_in(provider, &trust, sender).await?;
    let evidence = evidence(&mut imap, &message_id, folder).await?;
    say.step("deliller gönderenin Deliller klasöründe", "the sender has the evidence");
    let keywords = keywords(&mut imap).await?;
    log_out(imap).await?;
    say.step("gönderilen kopya işaretlendi", "the sent copy is marked");
    say.detail(&keywords.join(" "));
    Ok(Journey { message_id, original, dispatch, evidence, keywords })
}

/// The recipient finds a sealed stub, opens it by moving it, and gets the dispatch.
async fn open(imap: &mut Imap, say: &Say) -> Outcome<Vec<u8>> {
    select(imap, "INBOX").await?;
    let stub = until(imap, "the sealed stub in INBOX", |all| all.into_iter().next()).await?;
    if Opened::read(&stub.octets).is_ok() {
        return Err(odd("INBOX shows the content of an unopened dispatch"));
    }
    say.step("alıcının gelen kutusunda kapalı zarf var", "the recipient has a sealed stub");
    let moved = imap.move_to(stub.uid, "Açılacaklar").await;
    moved.map_err(|error| spoken("UID MOVE to Açılacaklar", &error))?;
    say.step("kapalı zarf Açılacaklar klasörüne taşındı", "the recipient opens it");
    let dispatch = |all: Vec<Fetched>| {
        let octets = all.into_iter().map(|message| message.octets);
        let whole = |mail: &[u8]| Opened::read(mail).is_ok_and(|mail| mail.original.is_some());
        octets.into_iter().find(|mail| whole(mail))
    };
    until(imap, "the opened dispatch in INBOX", dispatch).await
}

/// Waits until the sender has all three, and writes them down.
async fn evidence(imap: &mut Imap, message: &str, folder: &Folder) -> Outcome<Vec<Piece>> {
    select(imap, "Deliller").await?;
    let complete = |all: Vec<Fetched>| {
        let found: Vec<Found> = all.into_iter().flat_map(|one| found(one, message)).collect();
        let wanted = |event: &Event| found.iter().position(|one| one.evidence.event == *event);
        EVENTS.iter().all(|event| wanted(event).is_some()).then_some(found)
    };
    let mut all =
        until(imap, "acceptance, delivery and read evidence in Deliller", complete).await?;
    all.sort_by_key(|one| EVENTS.iter().position(|event| *event == one.evidence.event));
    let write = |one: Found| {
        let name = one.evidence.event.name();
        let xml = folder.write(&format!("evidence/{name}.xml"), &one.xml)?;
        let mail = folder.write(&format!("mails/{name}.eml"), &one.mail)?;
        Ok(Piece { evidence: one.evidence, xml, mail })
    };
    let pieces: Vec<Piece> = all.into_iter().map(write).collect::<Outcome<_>>()?;
    match pieces.len() == EVENTS.len() {
        true => Ok(pieces),
        false => Err(odd(format!("{} evidence mails about one message", pieces.len()))),
    }
}

struct Found {
    evidence: Evidence,
    xml: Vec<u8>,
    mail: Vec<u8>,
}

/// The evidence about this message in a mail.
fn found(mail: Fetched, message: &str) -> Vec<Found> {
    let files = Opened::read(&mail.octets).map(|opened| opened.evidence).unwrap_or_default();
    let read = files.into_iter().filter_map(|file| {
        let evidence = Evidence::read(&file.xml).ok()?.evidence;
        Some(Found { evidence, xml: file.xml, mail: mail.octets.clone() })
    });
    read.filter(|one| one.evidence.message.message_id == message).collect()
}

/// Waits until the sender's copy bears all three keywords.
async fn keywords(imap: &mut Imap) -> Outcome<Vec<String>> {
    select(imap, "Giden Kutusu").await?;
    let marked = |all: Vec<Fetched>| {
        let mut flags = all.into_iter().next()?.flags;
        flags.retain(|flag| flag.starts_with("$Kep"));
        KEYWORDS.iter().all(|word| flags.iter().any(|flag| flag == word)).then_some(flags)
    };
    until(imap, "$KepAccepted $KepDelivered $KepRead in Giden Kutusu", marked).await
}

/// Looks at the selected mailbox, and again whenever the server tells something new.
async fn until<T>(
    imap: &mut Imap,
    what: &str,
    mut found: impl FnMut(Vec<Fetched>) -> Option<T>,
) -> Outcome<T> {
    let look = async {
        loop {
            if let Some(found) = found(imap.from(1).await?) {
                return io::Result::Ok(found);
            }
            imap.idle(AGAIN).await?;
        }
    };
    let looked = timeout(WAIT, look).await.map_err(|_| {
        let seconds = WAIT.as_secs();
        Failure::unavailable(format!("{what}: not there within {seconds} s"))
            .hint(super::server::SEE_LOG)
    })?;
    looked.map_err(|error| spoken(what, &error))
}

async fn log_in(provider: &Provider, trust: &Trust, person: &Person) -> Outcome<Imap> {
    let port = provider.imap();
    let imap = Imap::login(port, trust, person.address.as_str(), &person.password).await;
    imap.map_err(|error| spoken(&format!("{} at port {port}", person.address), &error))
}

async fn log_out(imap: Imap) -> Outcome<()> {
    imap.logout().await.map_err(|error| spoken("LOGOUT", &error))
}

async fn select(imap: &mut Imap, mailbox: &str) -> Outcome<()> {
    imap.select(mailbox).await.map_err(|error| spoken(&format!("SELECT {mailbox}"), &error))
}

fn spoken(what: &str, error: &io::Error) -> Failure {
    Failure::unavailable(format!("IMAP: {what}: {error}")).hint(super::server::SEE_LOG)
}

/// Something came that should not have.
fn odd(what: impl std::fmt::Display) -> Failure {
    Failure::data(what).hint("name a folder with --dir, and look at its mails with `kep verify`")
}

pub const EVENTS: [Event; 3] = [Event::SubmissionAcceptance, Event::Delivery, Event::Retrieval];
const KEYWORDS: [&str; 3] = ["$KepAccepted", "$KepDelivered", "$KepRead"];
/// For one thing to happen; the provider takes tenths of a second.
const WAIT: Duration = Duration::from_secs(60);
/// A server need not tell of everything at once (RFC 2177): look again after so long.
const AGAIN: Duration = Duration::from_secs(2);
