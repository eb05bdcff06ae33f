//! Counts, judges, waits.

use super::{Judged, locked};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::{Portal, Problem};
use crate::registry::credentials::tries::Gate;
use std::future::Future;

/// `name` is what is guessed for, where it is known.
pub async fn tried<T>(
    portal: &Portal,
    call: &Call,
    name: &str,
    judge: impl Future<Output = Answered<Judged<T>>>,
) -> Answered<T> {
    let (people, from) = (&portal.people, call.origin.address);
    if let Gate::Locked(until) = people.sign_in.begin_from(from, call.now).await? {
        return Err(locked(until));
    }
    match judge.await {
        Ok(Judged::Right(value)) => {
            people.sign_in.right_from(from, call.now).await?;
            people.pauses.after_success(from, name, call.now);
            Ok(value)
        }
        Ok(Judged::Wrong(value)) => {
            wait(portal, call, name).await;
            Ok(value)
        }
        Ok(Judged::Not(problem)) => Err(problem),
        Err(problem @ (Problem::LoginWrong | Problem::CodeWrong)) => {
            wait(portal, call, name).await;
            Err(problem)
        }
        Err(problem) => Err(problem),
    }
}

async fn wait(portal: &Portal, call: &Call, name: &str) {
    let pause = portal.people.pauses.after_failure(call.origin.address, name, call.now);
    metrics::counter!("kep_login_failures_total", "door" => "portal").increment(1);
    tokio::time::sleep(pause).await;
}
