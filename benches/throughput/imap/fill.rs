//! Mailboxes filled by APPEND.

use std::io;
use std::time::Instant;

use tokio::task::JoinSet;

use super::{Book, DRAFTS, Measure, OCTETS, Plan};
use crate::client::mail::Letter;
use crate::client::world::Account;

/// Mails with a file, as many as the plan says, the same each.
pub async fn drafts(plan: &Plan, book: &mut Book<'_>) -> io::Result<()> {
    let (from, to) = (&book.side.senders[0], &book.side.recipients[0]);
    let draft = letter(from, to, "Bu ileti ölçüm içindir.", OCTETS * 57 / 78 - 600);
    append(book, 0, plan.messages, draft, plan.wants(Measure::Append)).await
}

/// Mails of Turkish prose, in another account.
pub async fn prose(messages: usize, book: &mut Book<'_>) -> io::Result<()> {
    let (from, to) = (&book.side.senders[1], &book.side.recipients[0]);
    let text = PROSE.repeat(OCTETS * 57 / 78 / PROSE.len());
    append(book, 1, messages, letter(from, to, &text, 0), false).await
}

fn letter(from: &Account, to: &Account, text: &str, attachment: usize) -> Vec<u8> {
    let letter = Letter {
        from: &from.address,
        to: &[&to.address],
        subject: "Taslak ileti",
        message_id: "taslak@istemci.example",
        text,
        attachment,
    };
    letter.unsigned()
}

async fn append(
    book: &mut Book<'_>,
    sender: usize,
    messages: usize,
    mail: Vec<u8>,
    told: bool,
) -> io::Result<()> {
    let account = &book.side.senders[sender];
    let mut imap = book.side.doors.imap(account).await?;
    if !imap.list("*").await?.iter().any(|name| name == DRAFTS) {
        imap.command(&format!("CREATE {DRAFTS}")).await?;
    }
    imap.logout().await?;
    let before = book.cpu();
    let mut filling = JoinSet::new();
    for connection in 0..FILLERS {
        let mut imap = book.side.doors.imap(account).await?;
        let mail = mail.clone();
        let count = messages / FILLERS + usize::from(connection < messages % FILLERS);
        filling.spawn(async move {
            let mut waits = Vec::with_capacity(count);
            for _ in 0..count {
                let start = Instant::now();
                imap.append(DRAFTS, "\\Draft", &mail).await?;
                waits.push(start.elapsed());
            }
            imap.logout().await?;
            Ok::<_, io::Error>(waits)
        });
    }
    let mut waits = Vec::with_capacity(messages);
    while let Some(ended) = filling.join_next().await {
        waits.extend(ended.map_err(io::Error::other)??);
    }
    if told {
        book.add("append", &waits, FILLERS, 1, before);
    }
    Ok(())
}

const FILLERS: usize = 8;
/// A paragraph of which nothing is found.
const PROSE: &str = "Sayın ilgili, geçen hafta görüştüğümüz sözleşmenin son hâlini ekte \
    bulabilirsiniz. Üçüncü maddedeki değişiklik önerimizi hukuk birimimiz de uygun gördü; şimdi \
    yalnızca imzaların tamamlanması gerekiyor. Çarşamba gününe kadar dönüş yaparsanız ödemeyi ay \
    sonundan önce gönderebiliriz. İyi çalışmalar dileriz.\r\n";
