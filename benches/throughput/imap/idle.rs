//! From the 250 to `* EXISTS` at a recipient who waits in IDLE.

use std::io;
use std::time::{Duration, Instant};

use super::Book;
use crate::client::mail::Letter;
use crate::client::smtp::Prepared;

pub async fn measure(book: &mut Book<'_>) -> io::Result<()> {
    let side = book.side;
    let (sender, recipient) = (&side.senders[0], &side.recipients[0]);
    let mut smtp = side.doors.smtp(sender).await?;
    let mut imap = side.doors.imap(recipient).await?;
    let mut seen = imap.select("INBOX").await?.exists;
    let before = book.cpu();
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
    book.add("idle", &waits, 1, 1, before);
    smtp.quit().await?;
    imap.logout().await
}

const ARRIVALS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(30);
