//! What a connection holds that is logged in over TLS, has selected its INBOX and idles.

use std::io;
use std::time::Duration;

use tokio::task::JoinSet;

use super::{Book, Plan};
use crate::client::imap::Imap;
use crate::process;

pub async fn measure(plan: &Plan, book: &mut Book<'_>) -> io::Result<()> {
    // What the first ones bring into being is not theirs.
    let first = idlers(WARM, book).await?;
    tokio::time::sleep(SETTLE).await;
    let before = process::memory(book.side.server);
    let all = idlers(plan.idlers, book).await?;
    // Threads, buffers and processes that were needed for the logins are gone after this.
    tokio::time::sleep(SETTLE).await;
    let after = process::memory(book.side.server);
    let each = after.saturating_sub(before) as f64 / all.len() as f64 / 1024.0;
    book.single("idle memory", each, "KiB a connection");
    book.single("idle held", all.len() as f64, "connections");
    for imap in first.into_iter().chain(all) {
        end(imap).await?;
    }
    Ok(())
}

async fn idlers(count: usize, book: &Book<'_>) -> io::Result<Vec<Imap>> {
    let (mut begun, mut all) = (JoinSet::new(), Vec::with_capacity(count));
    for number in 0..count {
        if begun.len() == AT_A_TIME
            && let Some(ready) = begun.join_next().await
        {
            all.push(ready.map_err(io::Error::other)??);
        }
        let people = &book.side.recipients;
        let (doors, account) = (book.side.doors.clone(), people[number % people.len()].clone());
        begun.spawn(async move {
            let mut imap = doors.imap(&account).await?;
            imap.select("INBOX").await?;
            imap.idle().await?;
            Ok::<_, io::Error>(imap)
        });
    }
    while let Some(ready) = begun.join_next().await {
        all.push(ready.map_err(io::Error::other)??);
    }
    Ok(all)
}

/// An error, when the server had cut it.
async fn end(mut imap: Imap) -> io::Result<()> {
    imap.done().await?;
    imap.logout().await
}

const WARM: usize = 50;
const AT_A_TIME: usize = 16;
/// tokio keeps a blocking thread for ten seconds that has nothing to do.
const SETTLE: Duration = Duration::from_secs(12);
