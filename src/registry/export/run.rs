//! Gathers and writes: a page of rows, then the octets they point to, each file written as it is read.

use super::index::{self, Index, Mail, Proof};
use super::{ExportError, Extent, Summary, names};
use crate::registry::audit::{self, Actor, By};
use crate::registry::staff::{self, StaffRole};
use crate::store::evidence::{self, EvidenceRow, Wanted};
use crate::store::export::{self as rows, Stored};
use crate::store::mail::{Kind, view, view::Mailbox};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, accounts, holders};
use crate::trust::Clock;
use crate::wire::digest::sha256;
use crate::wire::mime::text::decoded_field;
use crate::wire::xades::Signature;
use crate::wire::xml::{self, Xml};
use crate::wire::zip::Zip;
use crate::wire::{KepAddress, MessageId, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};

/// Hears how many mails and evidence are written.
pub type Tell<'t> = &'t mut (dyn FnMut(&Summary) + Send);

/// Who may: what one member of staff could read alone, two make, a registrar and an approver beside him.
/// Before there is any staff, whoever holds the machine may.
pub async fn check(store: &Store, by: &By, second: Option<&str>) -> Result<(), ExportError> {
    let (by, second) = (by.clone(), second.map(str::to_owned));
    store.read(move |tx: &mut Tx<'_>| signed(tx, &by, second.as_deref())).await
}

fn signed(tx: &mut Tx<'_>, by: &By, second: Option<&str>) -> Result<(), ExportError> {
    if !staff::any_in(tx)? {
        return Ok(());
    }
    match (&by.actor, second) {
        (Actor::Staff(name), Some(second)) if name != second => {
            staff::on_duty::<ExportError>(tx, name, &[StaffRole::Registrar])?;
            staff::on_duty(tx, second, &[StaffRole::Approver])
        }
        _ => Err(ExportError::OnePerson),
    }
}

/// Writes everything of an account into a new file. The act stands in the audit before anything is
/// written, and what it was when it is done.
pub async fn export(
    store: &Store,
    (by, clock): (&By, &Clock),
    second: Option<&str>,
    address: &KepAddress,
    file: File,
    tell: Tell<'_>,
) -> Result<Summary, ExportError> {
    check(store, by, second).await?;
    let wanted = address.to_string();
    let account = store.read(move |tx| accounts::by_address(tx, &wanted)).await?;
    let account = account.ok_or_else(|| ExportError::Unknown(address.to_string()))?;
    record(store, by, "account.export", &account.address, json!({ "second": second })).await?;
    let all = Extent::whole(account.id, account.address);
    let (summary, out) = gather(store, &all, by.at, &[], BufWriter::new(file), tell).await?;
    let done = tokio::task::spawn_blocking(move || -> std::io::Result<()> {
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()
    });
    done.await.map_err(|_| ExportError::Stopped)??;
    let counts = json!({
        "mails": summary.mails, "unopened": summary.unopened, "evidence": summary.evidence,
    });
    let by = By { at: clock.now(), ..by.clone() };
    record(store, &by, "account.exported", &summary.address, counts).await?;
    Ok(summary)
}

/// The accounts of whose that one is, each of which has an export of its own; that one alone where nobody is
/// recorded.
pub async fn accounts_of_holder(
    store: &Store,
    address: &KepAddress,
) -> Result<Vec<KepAddress>, ExportError> {
    let wanted = address.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<KepAddress>, ExportError> {
        let one = accounts::by_address(tx, wanted.as_str())?;
        let one = one.ok_or_else(|| ExportError::Unknown(wanted.to_string()))?;
        let Some(holder) = one.holder else { return Ok(vec![wanted.clone()]) };
        let mut all = Vec::new();
        for id in holders::accounts(tx, holder)? {
            let address = KepAddress::parse(&accounts::by_id(tx, id)?.address);
            all.push(address.map_err(|_| RowsError::Stored("an address"))?);
        }
        Ok(all)
    };
    store.read(work).await
}

async fn record(
    store: &Store,
    by: &By,
    act: &'static str,
    address: &str,
    details: Value,
) -> Result<(), StoreError> {
    let (by, address) = (by.clone(), address.to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        audit::record(tx, &by, act, &address, details.clone())?;
        Ok(())
    };
    store.write(Lane::Client, work).await
}

/// Writes what is wanted of an account as an archive, with `more` files before the index.
pub async fn gather<W: Write + Send + 'static>(
    store: &Store,
    wanted: &Extent,
    at: Timestamp,
    more: &[(&str, Vec<u8>)],
    out: W,
    tell: Tell<'_>,
) -> Result<(Summary, W), ExportError> {
    let address = wanted.address.clone();
    let summary = Summary { address, at: at.iso8601(), ..Summary::default() };
    let mut archive = Archive::new(out, at, summary);
    let id = wanted.account;
    if wanted.mails {
        let mailboxes = store.read(move |tx| view::mailboxes(tx, id)).await?;
        for mailbox in mailboxes.into_iter().filter(|mailbox| !mailbox.role.is_gathered()) {
            mails(store, wanted, &mailbox, &mut archive, tell).await?;
        }
    }
    if wanted.held {
        held(store, wanted, &mut archive, tell).await?;
    }
    if wanted.evidence {
        proofs(store, wanted, None, &mut archive, tell).await?;
    }
    for (name, octets) in more {
        archive.add(name, octets)?;
    }
    tokio::task::spawn_blocking(move || archive.finish()).await.map_err(|_| ExportError::Stopped)?
}

async fn mails<W: Write>(
    store: &Store,
    wanted: &Extent,
    mailbox: &Mailbox,
    archive: &mut Archive<W>,
    tell: Tell<'_>,
) -> Result<(), ExportError> {
    let mut after = 0;
    loop {
        let of = mailbox.clone();
        let page = store.read(move |tx| rows::messages(tx, &of, after, PAGE)).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.uid;
        let folder = names::mailbox(mailbox);
        for stored in page.iter().filter(|stored| wanted.has(stored)) {
            let file = format!("{folder}/{}", stored.uid);
            lay_mail(store, &mailbox.name, stored, file, archive).await?;
        }
        tell(&archive.summary);
    }
}

/// What its owner removed and a legal hold keeps.
async fn held<W: Write>(
    store: &Store,
    wanted: &Extent,
    archive: &mut Archive<W>,
    tell: Tell<'_>,
) -> Result<(), ExportError> {
    let (account, mut after) = (wanted.account, (0, 0));
    loop {
        let page = store.read(move |tx| rows::held_back(tx, account, after, PAGE)).await?;
        let Some((mailbox, last)) = page.last() else { return Ok(()) };
        after = (*mailbox, last.uid);
        for (mailbox, stored) in page.iter().filter(|(_, stored)| wanted.has(stored)) {
            let file = format!("{}/{mailbox}-{}", names::HELD, stored.uid);
            lay_mail(store, HELD_BACK, stored, file, archive).await?;
        }
        tell(&archive.summary);
    }
}

/// Content leaves only of what was opened (invariant 3).
pub(super) async fn lay_mail<W: Write>(
    store: &Store,
    mailbox: &str,
    stored: &Stored,
    file: String,
    archive: &mut Archive<W>,
) -> Result<(), ExportError> {
    let unopened = stored.kind == Kind::Sealed;
    let (file, octets) = match unopened {
        true => (format!("{file}.kapali.txt"), unopened_note(stored)),
        false => match store.content(stored.content).await {
            Err(StoreError::Rows(RowsError::Missing(_))) if is_gone(store, stored).await? => {
                return Ok(());
            }
            read => (format!("{file}.eml"), read?),
        },
    };
    archive.add(&file, &octets)?;
    archive.summary.mails += 1;
    archive.summary.unopened += u64::from(unopened || stored.kind == Kind::Stub);
    archive.mails.push(mail(mailbox, stored, file, unopened));
    Ok(())
}

/// Whether its owner removed it for good since its row was read.
async fn is_gone(store: &Store, stored: &Stored) -> Result<bool, StoreError> {
    let content = stored.content;
    let work = move |tx: &mut Tx<'_>| Ok(!rows::is_held(tx, content)?);
    store.read(work).await
}

/// A field of a header, as far as an index shows it.
fn shown(stored: &Stored, name: &str) -> String {
    let whole = decoded_field(&stored.header, name).unwrap_or_default();
    whole.trim().chars().take(FIELD).collect()
}

/// What a list shows of a dispatch that was not opened.
fn unopened_note(stored: &Stored) -> Vec<u8> {
    let field = |name| shown(stored, name);
    let text = format!(
        "Bu ileti acilmamistir; icerigi arsivde yoktur.\nThis message was not opened; its content is \
         not in the archive.\n\nFrom: {}\nTo: {}\nSubject: {}\nDate: {}\n",
        field("From"),
        field("To"),
        field("Subject"),
        field("Date")
    );
    text.into_bytes()
}

fn mail(mailbox: &str, stored: &Stored, file: String, unopened: bool) -> Mail {
    let field = |name| shown(stored, name);
    Mail {
        file,
        mailbox: mailbox.to_owned(),
        uid: stored.uid,
        date: stored.internal_date.iso8601(),
        from: field("From"),
        to: field("To"),
        subject: field("Subject"),
        octets: stored.size,
        message: stored.message_id.as_ref().map(MessageId::to_string),
        unopened: unopened || stored.kind == Kind::Stub,
    }
}

/// Evidence of the days that are wanted; of one message, if one is named.
pub(super) async fn proofs<W: Write>(
    store: &Store,
    wanted: &Extent,
    message: Option<&MessageId>,
    archive: &mut Archive<W>,
    tell: Tell<'_>,
) -> Result<(), ExportError> {
    let (account, from) = (wanted.account, wanted.from);
    let mut before = (wanted.until, String::new());
    loop {
        let ((at, id), message) = (before, message.cloned());
        let work = move |tx: &mut Tx<'_>| {
            let message = message.as_ref().map(MessageId::as_str);
            let wanted = Wanted { message, since: Some(from), ..Wanted::default() };
            rows::proofs(tx, account, wanted, (at, &id), PROOFS)
        };
        let page = store.read(work).await?;
        let Some(last) = page.last() else { return Ok(()) };
        before = (last.row.event_time, last.row.id.as_str().to_owned());
        for proof in &page {
            lay_proof(store, proof, archive).await?;
        }
        tell(&archive.summary);
    }
}

async fn lay_proof<W: Write>(
    store: &Store,
    proof: &rows::Proof,
    archive: &mut Archive<W>,
) -> Result<(), ExportError> {
    let mut material = Vec::with_capacity(proof.material.len());
    for (kind, value) in &proof.material {
        let name = names::material(kind, &sha256(value).hex());
        if archive.known.insert(name.clone()) {
            archive.add(&name, value)?;
            archive.summary.material += 1;
        }
        material.push(name);
    }
    let documents = std::iter::once((&proof.row, false));
    for (row, further) in documents.chain(proof.forms.iter().map(|row| (row, true))) {
        let (file, octets) = (names::evidence(row, further), store.blob(row.xml).await?);
        archive.add(&file, &octets)?;
        archive.add_stamps(&file, &octets)?;
        archive.evidence.push(described(row, file, material.clone()));
    }
    archive.summary.evidence += 1;
    Ok(())
}

fn described(row: &EvidenceRow, file: String, material: Vec<String>) -> Proof {
    Proof {
        file,
        message: row.message_id.to_string(),
        event: row.event.clone(),
        recipient: row.recipient.chars().take(FIELD).collect(),
        time: row.event_time.iso8601(),
        stamped: row.stamped_at.iso8601(),
        dialect: row.dialect.clone(),
        issuer: match row.origin.as_str() {
            evidence::OWN => String::new(),
            peer => peer.to_owned(),
        },
        material,
    }
}

/// The archive while it is written.
pub(super) struct Archive<W> {
    zip: Zip<W>,
    sums: String,
    known: BTreeSet<String>,
    /// Whether the time stamps of evidence stand apart, too.
    stamps: bool,
    summary: Summary,
    mails: Vec<Mail>,
    evidence: Vec<Proof>,
}

impl<W: Write> Archive<W> {
    pub fn new(out: W, at: Timestamp, summary: Summary) -> Self {
        Self {
            zip: Zip::new(out, at),
            sums: String::new(),
            known: BTreeSet::new(),
            stamps: false,
            summary,
            mails: Vec::new(),
            evidence: Vec::new(),
        }
    }

    pub fn with_stamps(self) -> Self {
        Self { stamps: true, ..self }
    }

    /// What can't be read has none; the document itself is there.
    fn add_stamps(&mut self, file: &str, document: &[u8]) -> Result<(), ExportError> {
        let text = xml::text(document).ok().filter(|_| self.stamps);
        let signature =
            text.as_deref().and_then(|text| Signature::read(&Xml::read(text).ok()?).ok());
        for (number, stamp) in (1..).zip(signature.iter().flat_map(|one| &one.stamps)) {
            self.add(&names::stamp(file, number), &stamp.token_der)?;
        }
        Ok(())
    }

    pub fn add(&mut self, name: &str, octets: &[u8]) -> Result<(), ExportError> {
        self.sums += &format!("{}  {name}\n", sha256(octets).hex());
        Ok(self.zip.add(name, octets)?)
    }

    pub fn finish(mut self) -> Result<(Summary, W), ExportError> {
        let (mails, mut evidence) =
            (std::mem::take(&mut self.mails), std::mem::take(&mut self.evidence));
        evidence.sort_by(|a, b| (&a.message, &a.time).cmp(&(&b.message, &b.time)));
        let index = Index { export: self.summary.clone(), mails, evidence };
        self.add("index.json", &serde_json::to_vec_pretty(&index)?)?;
        self.add("index.csv", index::csv(&index).as_bytes())?;
        self.add("index.html", index::html(&index).as_bytes())?;
        self.add("OKUBENI.txt", index::README.as_bytes())?;
        let sums = std::mem::take(&mut self.sums);
        self.zip.add("SHA256SUMS", sums.as_bytes())?;
        let out = self.zip.finish()?;
        Ok((self.summary, out))
    }
}

/// The mailbox that people read of what is held back.
const HELD_BACK: &str = "tutulan / held back";
/// Messages whose rows are in memory at a time; a header has half a MiB at most.
const PAGE: i64 = 16;
/// Characters of a field: the index stands in memory until all is written, and the mail has the rest.
const FIELD: usize = 300;
/// Evidence with its material; the most of one is known from the one before.
const PROOFS: usize = 100;
