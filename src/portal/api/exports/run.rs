//! Archives: what is needed is looked up, and that it is fetched recorded, before the first octet leaves; that it
//! was fetched, when the last one has.

use super::{OneExport, OneMessageEvidence};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::ZipFile;
use crate::portal::api::flow::Flow;
use crate::portal::api::pipe::{Pipe, run::pour};
use crate::portal::api::reading::gives;
use crate::portal::api::run::acting;
use crate::portal::api::{Portal, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::export::{self, ExportError, Extent, Summary};
use crate::store::{Lane, Tx};
use std::sync::Arc;

pub async fn archive(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OneExport,
    (): (),
) -> Answered<ZipFile> {
    let (account, by, id) = (call.account()?.clone(), call.by()?, asked.export.0);
    let (of, at) = (account.id, by.at);
    portal.store.read(move |tx: &mut Tx<'_>| export::open(tx, of, id, at)).await?;
    let seat = portal.archives.take(of)?;
    let name = format!("{}-{}.zip", account.address, at.istanbul().format("%Y-%m-%d"));
    if call.head {
        return Ok(ZipFile { name, flow: Flow::unread() });
    }
    let fetching = by.clone();
    let begin = move |tx: &mut Tx<'_>, _: &Call| Ok(export::begin(tx, of, id, &fetching)?);
    acting(&portal, &call, begin).await?;
    let (store, clock) = (portal.store.clone(), portal.clock.clone());
    let from = store.clone();
    let write = move |pipe: Pipe| async move {
        let all = Extent::whole(account.id, account.address.to_string());
        let (summary, pipe) = export::gather(&from, &all, at, &[], pipe, &mut |_| {}).await?;
        pipe.finish()?;
        Ok(summary)
    };
    let taken = move |summary: Summary| async move {
        let at = clock.now();
        let done = move |tx: &mut Tx<'_>| export::done(tx, id, &summary, &by, at);
        store.write::<_, ExportError, _>(Lane::Client, done).await
    };
    Ok(ZipFile { name, flow: pour(seat, write, taken) })
}

pub async fn evidence(
    portal: Arc<Portal>,
    call: Arc<Call>,
    asked: OneMessageEvidence,
    (): (),
) -> Answered<ZipFile> {
    call.caller.may(Some(Scope::EvidenceRead), None)?;
    let message = asked.submission.0.ok_or(Problem::MessageUnknown)?;
    let (account, at) = (call.account()?.clone(), call.now);
    let (of, wanted) = (account.id, message.clone());
    let look = move |tx: &mut Tx<'_>| export::concerns(tx, of, &wanted);
    let sent = portal.store.read(look).await?.ok_or(Problem::MessageUnknown)?;
    let seat = portal.archives.take(of)?;
    let (store, name) = (portal.store.clone(), format!("{message}.zip"));
    if call.head {
        return Ok(ZipFile { name, flow: Flow::unread() });
    }
    if call.operator().is_some() {
        let wanted = message.clone();
        let look = move |tx: &mut Tx<'_>| export::contents(tx, of, &wanted, sent);
        gives(&portal, &call, portal.store.read(look).await?).await?;
    }
    let write = move |pipe: Pipe| async move {
        let whose = (account.id, account.address.to_string());
        let written = export::of_message(&store, whose, message, sent, at, pipe).await?;
        Ok::<_, ExportError>(written.1.finish()?)
    };
    let taken = |()| std::future::ready(Ok(()));
    Ok(ZipFile { name, flow: pour(seat, write, taken) })
}
