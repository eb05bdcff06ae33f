//! A client that comes back after a day: SELECT (QRESYNC …) (RFC 7162 §3.2.5) until its tagged OK.

use std::io;

use super::{Book, DRAFTS, Plan};
use crate::client::imap::Answer;
use crate::client::mail::Letter;

pub async fn measure(plan: &Plan, book: &mut Book<'_>) -> io::Result<()> {
    let account = &book.side.senders[0];
    let mut imap = book.side.doors.imap(account).await?;
    imap.command("ENABLE QRESYNC").await?;
    let selected = imap.command(&format!("SELECT {DRAFTS}")).await?;
    let code = |name| {
        number(&selected, name).ok_or_else(|| io::Error::other(format!("SELECT without {name}")))
    };
    let (validity, since) = (code("UIDVALIDITY")?, code("HIGHESTMODSEQ")?);
    imap.logout().await?;
    let day = change(plan, book).await?;
    let mut imap = book.side.doors.imap(account).await?;
    imap.command("ENABLE QRESYNC").await?;
    let resync = format!("SELECT {DRAFTS} (QRESYNC ({validity} {since}))");
    day.must_be_told(&imap.command(&resync).await?)?;
    book.repeat("qresync", &mut imap, RESYNCS, 1, |_| resync.clone()).await?;
    imap.logout().await
}

/// What happened meanwhile.
struct Day {
    flagged: usize,
    gone: usize,
    new: usize,
}

impl Day {
    fn must_be_told(&self, answer: &Answer) -> io::Result<()> {
        let told = answer.untagged.iter().filter(|u| u.text.contains(" FETCH (")).count();
        let gone =
            answer.untagged.iter().filter_map(|u| u.text.strip_prefix("VANISHED (EARLIER) "));
        let gone: usize = gone.map(count).sum();
        match (told, gone) == (self.flagged + self.new, self.gone) {
            true => Ok(()),
            false => Err(io::Error::other(format!("QRESYNC told of {told} and {gone} gone"))),
        }
    }
}

/// Of every hundred messages one gets a flag, four of a thousand go, and some come: 500, 200 and 300
/// of 50,000.
async fn change(plan: &Plan, book: &Book<'_>) -> io::Result<Day> {
    let (account, to) = (&book.side.senders[0], &book.side.recipients[0]);
    let mut imap = book.side.doors.imap(account).await?;
    imap.select(DRAFTS).await?;
    let uids = imap.uid_search("ALL").await?;
    let each = |from: usize, step: usize| uids.iter().skip(from).step_by(step).copied();
    let flagged: Vec<u32> = each(7, 100).collect();
    for uid in &flagged {
        imap.octets(&format!("UID STORE {uid} +FLAGS.SILENT (\\Answered)")).await?;
    }
    let gone: Vec<u32> = each(11, 250).collect();
    for some in gone.chunks(20) {
        let set: Vec<String> = some.iter().map(u32::to_string).collect();
        let set = set.join(",");
        imap.octets(&format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)")).await?;
        imap.octets(&format!("UID EXPUNGE {set}")).await?;
    }
    let new = plan.messages * 3 / 500;
    let letter = Letter {
        from: &account.address,
        to: &[&to.address],
        subject: "Yeni taslak",
        message_id: "yeni@istemci.example",
        text: "Bu ileti ölçüm içindir.",
        attachment: 0,
    };
    for _ in 0..new {
        imap.append(DRAFTS, "\\Draft", &letter.unsigned()).await?;
    }
    imap.logout().await?;
    Ok(Day { flagged: flagged.len(), gone: gone.len(), new })
}

fn number(answer: &Answer, name: &str) -> Option<u64> {
    let after =
        |text: &str| text.split_once(&format!("[{name} "))?.1.split_once(']')?.0.parse().ok();
    answer.untagged.iter().find_map(|untagged| after(&untagged.text))
}

/// How many UIDs a set names.
fn count(set: &str) -> usize {
    let one = |range: &str| {
        let (first, last) = range.split_once(':').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some(first.abs_diff(last) + 1)
    };
    set.split(',').filter_map(one).sum()
}

const RESYNCS: usize = 20;
