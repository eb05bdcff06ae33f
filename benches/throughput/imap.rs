//! IMAP, the same commands to each server: filling, selecting, listing, reading, flagging,
//! searching a large mailbox, and how soon IDLE tells of a new message.

use std::io;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::client::imap::Imap;
use super::client::mail::Letter;
use super::client::smtp::Prepared;
use super::load::Side;
use super::report::{Figure, Report, quantile};

/// Fills the drafts of one account with so many messages and measures on them.
pub async fn measure(
    side: &Side,
    subject: &str,
    messages: usize,
    report: &mut Report,
) -> io::Result<()> {
    if messages == 0 {
        return Ok(());
    }
    let mut book = Book { subject: subject.to_owned(), report };
    fill(side, messages, &mut book).await?;
    let mut imap = side.doors.imap(&side.senders[0]).await?;
    let commands = [
        ("imap select", format!("SELECT {MAILBOX}"), 1),
        ("imap list", "FETCH 1:* (UID FLAGS ENVELOPE)".to_owned(), messages),
        ("imap flags", "FETCH 1:* (FLAGS)".to_owned(), messages),
        ("imap bodies", "FETCH 1:* (BODY.PEEK[])".to_owned(), messages),
        ("imap search", "SEARCH FROM \"yok@hs99.kep.tr\"".to_owned(), 1),
    ];
    for (what, command, units) in commands {
        let waits = repeat(&mut imap, REPEATS, |_| command.clone()).await?;
        book.add(what, &waits, 1, units);
    }
    let flag = |turn: usize| format!("STORE {} +FLAGS.SILENT (\\Flagged)", turn % messages + 1);
    let waits = repeat(&mut imap, STORES, flag).await?;
    book.add("imap store", &waits, 1, 1);
    imap.logout().await?;
    idle(side, &mut book).await
}

struct Book<'a> {
    subject: String,
    report: &'a mut Report,
}

impl Book<'_> {
    /// Each wait did so many units of work, on so many connections at a time.
    fn add(&mut self, what: &'static str, waits: &[Duration], connections: usize, units: usize) {
        let whole: Duration = waits.iter().sum();
        self.report.add(Figure {
            what,
            subject: self.subject.clone(),
            size: OCTETS,
            connections,
            rate: (waits.len() * units * connections) as f64 / whole.as_secs_f64(),
            p50: quantile(waits, 50),
            p99: quantile(waits, 99),
            cpu: None,
        });
    }
}

async fn fill(side: &Side, messages: usize, book: &mut Book<'_>) -> io::Result<()> {
    let account = &side.senders[0];
    let draft = Letter {
        from: &account.address,
        to: &[&side.recipients[0].address],
        subject: "Taslak ileti",
        message_id: "taslak@istemci.example",
        text: "Bu ileti ölçüm içindir.",
        attachment: OCTETS * 57 / 78 - 600,
    };
    let draft = draft.unsigned();
    let mut imap = side.doors.imap(account).await?;
    if !imap.list("*").await?.iter().any(|name| name == MAILBOX) {
        imap.command(&format!("CREATE {MAILBOX}")).await?;
    }
    imap.logout().await?;
    let mut filling = JoinSet::new();
    for connection in 0..FILLERS {
        let mut imap = side.doors.imap(account).await?;
        let draft = draft.clone();
        let count = messages / FILLERS + usize::from(connection < messages % FILLERS);
        filling.spawn(async move {
            let mut waits = Vec::with_capacity(count);
            for _ in 0..count {
                let start = Instant::now();
                imap.append(MAILBOX, "\\Draft", &draft).await?;
                waits.push(start.elapsed());
            }
            Ok::<_, io::Error>(waits)
        });
    }
    let mut waits = Vec::with_capacity(messages);
    while let Some(ended) = filling.join_next().await {
        waits.extend(ended.map_err(io::Error::other)??);
    }
    book.add("imap append", &waits, FILLERS, 1);
    Ok(())
}

async fn repeat(
    imap: &mut Imap,
    times: usize,
    command: impl Fn(usize) -> String,
) -> io::Result<Vec<Duration>> {
    let mut waits = Vec::with_capacity(times);
    for turn in 0..times {
        let command = command(turn);
        let start = Instant::now();
        imap.command(&command).await?;
        waits.push(start.elapsed());
    }
    Ok(waits)
}

/// From the 250 to `* EXISTS` at a recipient who waits in IDLE.
async fn idle(side: &Side, book: &mut Book<'_>) -> io::Result<()> {
    let (sender, recipient) = (&side.senders[0], &side.recipients[0]);
    let mut smtp = side.doors.smtp(sender).await?;
    let mut imap = side.doors.imap(recipient).await?;
    let mut seen = imap.select("INBOX").await?.exists;
    let mut waits = Vec::with_capacity(ARRIVALS);
    for number in 0..ARRIVALS {
        let message_id =
            format!("{}.{number}.idle@istemci.example", book.subject.replace(' ', "."));
        let signed = sender.signer.sign(&Letter {
            from: &sender.address,
            to: &[&recipient.address],
            subject: "Yeni ileti",
            message_id: &message_id,
            text: "Bu ileti ölçüm içindir.",
            attachment: 0,
        })?;
        imap.idle().await?;
        let to = [recipient.address.as_str()];
        let receipt = smtp.submit(&sender.address, &to, &Prepared::new(&signed)).await?;
        let start = Instant::now();
        receipt.reply.must_be(250)?;
        seen = imap.until_more(seen, PATIENCE).await?;
        waits.push(start.elapsed());
        imap.done().await?;
    }
    book.add("imap idle", &waits, 1, 1);
    smtp.quit().await?;
    imap.logout().await
}

/// The mailbox every account may append to.
const MAILBOX: &str = "Taslaklar";
/// Of a draft, about.
const OCTETS: usize = 4096;
const FILLERS: usize = 8;
const REPEATS: usize = 5;
const STORES: usize = 500;
const ARRIVALS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);
