//! Tasks, as the registry keeps them. An operator sees his own, and those that anybody may do and he may.

use super::{OneTask, Task, TaskListing, Tasks};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Done, Json};
use crate::portal::api::kinds::Limit;
use crate::portal::api::{Portal, Problem};
use crate::registry::tasks::{self, Wanted};
use std::sync::Arc;

pub async fn list(
    portal: Arc<Portal>,
    call: Arc<Call>,
    ask: TaskListing,
    (): (),
) -> Answered<Json<Tasks>> {
    let wanted = Wanted {
        operator: call.operator().map(|operator| operator.code),
        all: ask.all.is_some_and(|all| all.0),
        after: ask.after.map_or(0, |number| number.0),
        most: Limit::of(ask.limit),
    };
    let found = tasks::list(&portal.store, &call.account()?.address, wanted).await?;
    Ok(Json(Tasks { tasks: found.iter().map(Task::of).collect() }))
}

pub async fn dismiss(portal: Arc<Portal>, call: Arc<Call>, ask: OneTask, (): ()) -> Answered<Done> {
    call.may_add()?;
    let (address, id) = (&call.account()?.address, ask.task.0);
    let operator = call.operator().map(|operator| operator.code);
    let wanted = Wanted { operator, all: true, after: id - 1, most: 1 };
    let found = tasks::list(&portal.store, address, wanted).await?;
    let task = found.into_iter().find(|task| task.id == id).ok_or(Problem::TaskUnknown)?;
    call.on_duty(task.kind.act())?;
    tasks::dismiss(&portal.store, &call.by()?, address, id).await?;
    Ok(Done)
}
