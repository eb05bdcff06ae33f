//! All that proves one message, as an archive: what the account has of it, the dispatch as it was sealed, its
//! evidence with the time stamps apart, and the material that validates them.

use super::names;
use super::run::{Archive, lay_mail, proofs};
use super::{ExportError, Extent, Summary};
use crate::registry::operators::reading::{Given, is_content};
use crate::store::export as rows;
use crate::store::{Store, Tx, submissions};
use crate::wire::{AccountId, MessageId, Timestamp};
use std::io::Write;

/// Whether a message concerns an account: that it sent it (`true`), or was sent it.
pub fn concerns(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
) -> Result<Option<bool>, ExportError> {
    Ok(rows::concerns(tx, account, message)?)
}

/// The contents that such an archive has, for whoever records that they are given.
pub fn contents(
    tx: &mut Tx<'_>,
    account: AccountId,
    message: &MessageId,
    sent: bool,
) -> Result<Vec<Given>, ExportError> {
    let all = rows::of_message(tx, account, message)?.into_iter();
    let mut given: Vec<_> = all
        .filter(|(_, stored)| is_content(stored.kind))
        .map(|(mailbox, stored)| Given {
            content: stored.content,
            place: Some((mailbox.name, u32::try_from(stored.uid).unwrap_or_default())),
            message: stored.message_id,
        })
        .collect();
    let dispatch = submissions::find(tx, message)?.and_then(|row| row.dispatch);
    given.extend(dispatch.filter(|_| sent).map(|content| Given {
        content,
        place: None,
        message: Some(message.clone()),
    }));
    Ok(given)
}

/// Writes it. Of what is unopened no content is in it (invariant 3); the dispatch as it was sealed is its
/// sender's to take.
pub async fn of_message<W: Write + Send + 'static>(
    store: &Store,
    (account, address): (AccountId, String),
    message: MessageId,
    sent: bool,
    at: Timestamp,
    out: W,
) -> Result<(Summary, W), ExportError> {
    let summary = Summary { address: address.clone(), at: at.iso8601(), ..Summary::default() };
    let mut archive = Archive::new(out, at, summary).with_stamps();
    let wanted = message.clone();
    let look = move |tx: &mut Tx<'_>| -> Result<_, ExportError> {
        let mails = rows::of_message(tx, account, &wanted)?;
        let dispatch = submissions::find(tx, &wanted)?.and_then(|row| row.dispatch);
        Ok((mails, dispatch.filter(|_| sent)))
    };
    let (mails, dispatch) = store.read(look).await?;
    for (mailbox, stored) in &mails {
        let file = format!("{}/{}", names::mailbox(mailbox), stored.uid);
        lay_mail(store, &mailbox.name, stored, file, &mut archive).await?;
    }
    if let Some(dispatch) = dispatch {
        archive.add(names::DISPATCH, &store.content(dispatch).await?)?;
    }
    let all = Extent::whole(account, address);
    proofs(store, &all, Some(&message), &mut archive, &mut |_| {}).await?;
    tokio::task::spawn_blocking(move || archive.finish()).await.map_err(|_| ExportError::Stopped)?
}
