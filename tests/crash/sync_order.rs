//! Runs the server under strace and reads the order of its calls around each `250`, and around the
//! content of a dispatch that is opened.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use super::client::mail::Letter;
use super::client::smtp::Prepared;
use super::client::world::{Account, World};
use super::trace::{Fault, Told, Trace};

/// Submits one letter after the other, each when the server rests, and judges the trace; then
/// takes syncs out of the trace and sees that it is found.
pub async fn check(world: &World, file: &Path) -> io::Result<()> {
    let told = run(world, file).await?;
    let trace = Trace::parse(&std::fs::read_to_string(file)?);
    for one in &told {
        trace.durable_before(one).map_err(|fault| io::Error::other(format!("{one:?}: {fault}")))?;
        for suffix in [super::trace::SEGMENT, super::trace::WAL] {
            if trace.without_syncs_of(suffix).durable_before(one).is_ok() {
                return Err(io::Error::other(format!("{suffix} unsynced, and not noticed")));
            }
        }
    }
    Ok(())
}

async fn run(world: &World, file: &Path) -> io::Result<Vec<Told>> {
    let server = world.serve_traced(file, CALLS).await?;
    let (sender, recipient) = (world.account("gonderen0")?, world.account("alici0")?);
    let mut smtp = world.doors().smtp(sender).await?;
    let mut told = Vec::new();
    for (number, attachment) in ATTACHMENTS.into_iter().enumerate() {
        let message_id = format!("{number}@istemci.example");
        let signed = sender.signer.sign(&Letter {
            from: &sender.address,
            to: &[&recipient.address],
            subject: "Eşzamanlama",
            message_id: &message_id,
            text: "Önce kalıcı, sonra söz.",
            attachment,
        })?;
        let prepared = Prepared::new(&signed);
        let to = [recipient.address.as_str()];
        let receipt = smtp.submit(&sender.address, &to, &prepared).await?;
        told.push(Told { port: smtp.local_port(), at: receipt.answered_at });
        receipt.reply.must_be(250)?;
        rest(world, sender, 2 * (number + 1)).await?;
    }
    smtp.quit().await?;
    // The traced server is strace's child, and strace leaves by itself once that has gone.
    server.stop_traced().await?;
    Ok(told)
}

/// A dispatch is opened by fetching its content, and fetched again when the server rests: the
/// first time the read fact is synced before any of it leaves, the second time nothing is written.
pub async fn check_opening(world: &World, file: &Path) -> io::Result<()> {
    let server = world.serve_traced(file, CALLS).await?;
    let (sender, recipient) = (world.account("gonderen0")?, world.account("alici0")?);
    let signed = sender.signer.sign(&Letter {
        from: &sender.address,
        to: &[&recipient.address],
        subject: "Açılış",
        message_id: "acilis@istemci.example",
        text: "Önce kayıt, sonra içerik.",
        attachment: 3000,
    })?;
    let mut smtp = world.doors().smtp(sender).await?;
    let to = [recipient.address.as_str()];
    smtp.submit(&sender.address, &to, &Prepared::new(&signed)).await?.reply.must_be(250)?;
    smtp.quit().await?;
    let mut imap = world.doors().imap(recipient).await?;
    let mut told = Vec::new();
    for evidence in [2, 3] {
        rest(world, sender, evidence).await?;
        imap.select("INBOX").await?;
        let fetched = imap.fetch("1", "(BODY.PEEK[])").await?;
        told.push(Told { port: imap.local_port(), at: SystemTime::now() });
        let literals = fetched.iter().flat_map(|mail| &mail.literals);
        if !literals.into_iter().any(|octets| octets.windows(signed.len()).any(|w| w == signed)) {
            return Err(io::Error::other("the original did not come"));
        }
    }
    imap.logout().await?;
    server.stop_traced().await?;

    let trace = Trace::parse(&std::fs::read_to_string(file)?);
    let [opened, again] = told.as_slice() else { return Err(io::Error::other("not twice")) };
    let forgetful = trace.without_syncs_of(super::trace::WAL);
    let judged = [
        trace.rows_durable_before(opened),
        forgetful.rows_durable_before(opened),
        trace.rows_durable_before(again),
    ];
    match judged {
        [Ok(()), Err(Fault::RowsNotSynced), Err(Fault::RowsNotWritten)] => Ok(()),
        other => Err(io::Error::other(format!("opened, without syncs, again: {other:?}"))),
    }
}

/// Waits until all evidence of what was sent is there: nothing else is being written then.
async fn rest(world: &World, sender: &Account, evidence: usize) -> io::Result<()> {
    let mut imap = world.doors().imap(sender).await?;
    let start = Instant::now();
    while (imap.count("Deliller").await? as usize) < evidence {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other("the evidence does not come"));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    imap.logout().await
}

/// Nothing, some, and more than one read of the socket.
const ATTACHMENTS: [usize; 4] = [0, 3000, 60_000, 2_000_000];
const CALLS: &str = "openat,read,readv,recvfrom,recvmsg,write,writev,pwrite64,pwritev,pwritev2,\
                     sendto,sendmsg,fsync,fdatasync,sync_file_range,msync";
const PATIENCE: Duration = Duration::from_secs(120);
const LOOK_AGAIN: Duration = Duration::from_millis(50);
