//! `kep hold`: what an authority asks to be kept, by two of the staff.

use super::said::{done, parse};
use super::{message, show, staff};
use crate::arguments::{Hold as Arguments, Second, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::{Actor, By};
use kep::registry::holds::{self, Hold, HoldError};
use kep::store::Store;
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Place { conf, who, second, address, message, reason, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (by, second) = both(&store, &who, &second).await?;
            let (address, message) =
                (parse(&address)?, message.as_deref().map(message::message_id).transpose()?);
            let of = match &message {
                Some(id) => format!("of message {id} of {address}"),
                None => format!("of {address}"),
            };
            let placed = holds::place(&store, &by, &second, &address, message, &reason).await;
            let placed = Placed { hold: placed.map_err(failure)? };
            show::print(json, &placed, |placed| {
                format!("hold {}: nothing {of} is erased\n", placed.hold)
            })
        }
        Arguments::Release { conf, who, second, id, reason } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (by, second) = both(&store, &who, &second).await?;
            let gone = holds::release(&store, &by, &second, id, &reason).await.map_err(failure)?;
            done(&format!("hold {id} is released; {gone} messages that were removed are erased"))
        }
        Arguments::List { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = holds::list(&store).await.map_err(failure)?;
            let lines: Vec<_> = all.iter().map(|(hold, kept)| Line::of(hold, *kept)).collect();
            show::print(json, &lines, |lines| table(lines))
        }
    }
}

/// Two different members of staff, each proven by a password.
async fn both(store: &Store, who: &Who, second: &Second) -> Outcome<(By, String)> {
    if who.name.is_none() {
        return Err(Failure::usage("a hold is for two members of staff to place and release")
            .hint("--as NAME --second NAME; `kep staff add` makes them"));
    }
    let by = staff::by(store, who).await?;
    let other = proven(store, &second.second, second.second_password_file.as_deref()).await?;
    Ok((by, other))
}

/// The other one of two, by his password.
pub async fn proven(store: &Store, name: &str, file: Option<&Path>) -> Outcome<String> {
    let (name, staff_password_file) = (Some(name.to_owned()), file.map(Path::to_owned));
    match staff::by(store, &Who { name, staff_password_file }).await?.actor {
        Actor::Staff(name) => Ok(name),
        _ => Err(Failure::software("a member of staff")),
    }
}

#[derive(Serialize)]
struct Placed {
    hold: i64,
}

#[derive(Serialize)]
struct Line {
    hold: i64,
    address: String,
    message: Option<String>,
    reason: String,
    placed: String,
    placed_by: [String; 2],
    released: Option<String>,
    released_by: Option<[String; 2]>,
    /// Messages of the account that its owner does not see any more.
    kept_back: u64,
}

impl Line {
    fn of(hold: &Hold, kept_back: u64) -> Self {
        let released = hold.released.as_ref().map(|(signed, _)| signed);
        Self {
            hold: hold.id,
            address: hold.address.clone(),
            message: hold.message.as_ref().map(ToString::to_string),
            reason: hold.reason.clone(),
            placed: hold.placed.at.iso8601(),
            placed_by: [hold.placed.by.clone(), hold.placed.second.clone()],
            released: released.map(|signed| signed.at.iso8601()),
            released_by: released.map(|signed| [signed.by.clone(), signed.second.clone()]),
            kept_back,
        }
    }
}

fn table(lines: &[Line]) -> String {
    let cells = lines.iter().map(|line| {
        let of = line.message.clone().unwrap_or_else(|| "all".to_owned());
        let ended = line.released.clone().unwrap_or_else(|| "in force".to_owned());
        let (number, by) = (line.hold.to_string(), line.placed_by.join(", "));
        vec![number, line.address.clone(), of, line.placed.clone(), by, ended, line.reason.clone()]
    });
    let head = ["HOLD", "ACCOUNT", "OF", "PLACED", "BY", "RELEASED", "REASON"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no holds")
}

pub(super) fn failure(error: HoldError) -> Failure {
    match &error {
        HoldError::OnePerson(_) | HoldError::NotStaff => {
            Failure::refused(&error).hint("--second names another member of staff than --as")
        }
        HoldError::OffDuty(_) => Failure::refused(&error)
            .hint("a registrar or approver by --as, an approver by --second; `kep staff list`"),
        HoldError::Reason => Failure::data(&error),
        HoldError::UnknownAccount(_) => {
            Failure::not_found(&error).hint("`kep account list` shows them")
        }
        HoldError::UnknownMessage(_) | HoldError::NoMessage(_) => {
            Failure::not_found(&error).hint("`kep message list` shows them")
        }
        HoldError::Unknown(_) => Failure::not_found(&error).hint("`kep hold list` shows them"),
        HoldError::Store(_) => Failure::unavailable(&error),
    }
}
