//! What an operation came to, as an answer.

use super::call::{Answered, Call, Reply};
use super::endpoint::{Answer, Endpoint, Running, Task};
use super::once::{Begun, Name};
use super::{Portal, Problem};
use crate::store::{Lane, Tx};
use std::future::Future;
use std::sync::Arc;

/// The answer of a handler that waits.
pub fn reply<A: Answer>(done: impl Future<Output = Answered<A>> + Send + 'static) -> Running {
    Box::pin(async move { done.await?.reply() })
}

/// Does an operation: what changes something is durable when this says so.
pub async fn carry_out(
    portal: &Arc<Portal>,
    endpoint: &Endpoint,
    call: &Arc<Call>,
) -> Answered<Reply> {
    let (name, now) = (call.named.clone(), call.now);
    match (endpoint.begin)(portal, call)? {
        Task::Ready(reply) => Ok(reply),
        Task::Read(unit) => portal.store.read(move |tx: &mut Tx<'_>| unit(tx)).await,
        Task::Write(unit) => {
            let work = move |tx: &mut Tx<'_>, _: &Call| match &name {
                Some(name) => name.done_in(tx, now, &unit),
                None => unit(tx),
            };
            acting(portal, call, work).await
        }
        Task::Run(work) => match name {
            Some(name) => once(portal, call, name, work).await,
            None => work.await,
        },
    }
}

/// A transaction of a caller who may still act, with his account locked.
pub async fn acting<T: Send + 'static>(
    portal: &Portal,
    call: &Arc<Call>,
    unit: impl Fn(&mut Tx<'_>, &Call) -> Answered<T> + Send + 'static,
) -> Answered<T> {
    let call = Arc::clone(call);
    let work = move |tx: &mut Tx<'_>| {
        call.stands_in(tx)?;
        unit(tx, &call)
    };
    portal.store.write(Lane::Client, work).await
}

async fn once(
    portal: &Arc<Portal>,
    call: &Arc<Call>,
    name: Name,
    work: Running,
) -> Answered<Reply> {
    let (taken, now) = (name.clone(), call.now);
    let begin = move |tx: &mut Tx<'_>, _: &Call| taken.begin(tx, now);
    if let Begun::Before(reply) = acting(portal, call, begin).await? {
        return Ok(reply);
    }
    let done = work.await;
    let kept = done.clone();
    let settle = move |tx: &mut Tx<'_>| match &kept {
        Ok(reply) => name.keep(tx, reply).map(drop),
        Err(_) => name.give_back(tx),
    };
    let settled: Result<(), Problem> = portal.store.write(Lane::Client, settle).await;
    settled.and(done)
}
