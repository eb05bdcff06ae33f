//! `kep notice`: what was to be said outside KEP, and what became of it. What it says is not shown.

use super::message::rows;
use super::said::{done, parse};
use super::{show, staff};
use crate::arguments::Notice as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::staff::StaffRole;
use kep::registry::{accounts, outbox};
use kep::store::outbox::{self as outgoing, OutgoingRow, State};
use kep::store::{RowsError, Tx};
use serde::Serialize;
use std::collections::BTreeMap;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, state, account, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let state = state.as_deref().map(self::state).transpose()?;
            let account = match account.as_deref().map(parse).transpose()? {
                Some(address) => {
                    let found = accounts::get(&store, &address).await;
                    Some(found.map_err(super::said::registry)?.id)
                }
                None => None,
            };
            let work = move |tx: &mut Tx<'_>| -> Result<Vec<Shown>, RowsError> {
                let mut names = BTreeMap::new();
                let found = outgoing::list(tx, state, account, limit)?;
                found.iter().map(|row| Shown::of(tx, row, &mut names)).collect()
            };
            show::print(json, &store.read(work).await.map_err(rows)?, |rows| list(rows))
        }
        Arguments::Show { conf, id, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let work = move |tx: &mut Tx<'_>| -> Result<Option<One>, RowsError> {
                let Some(row) = outgoing::find(tx, id)? else { return Ok(None) };
                let parts = outgoing::parts(tx, id)?;
                let parts =
                    parts.into_iter().map(|(reference, receipt)| Part { reference, receipt });
                let notice = Shown::of(tx, &row, &mut BTreeMap::new())?;
                Ok(Some(One { notice, parts: parts.collect() }))
            };
            let found = store.read(work).await.map_err(rows)?;
            show::print(json, &found.ok_or_else(|| unknown(id))?, text)
        }
        Arguments::Retry { conf, who, id } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            match outbox::retry(&store, &by, id).await.map_err(rows)? {
                Some(outbox::Retried::Now) => done(&format!("{id} is tried again now")),
                Some(outbox::Retried::UnderWay) => Err(Failure::unavailable(format!(
                    "{id} is being said just now"
                ))
                .hint("`kep notice show` says what became of it; it is tried again by itself")),
                Some(outbox::Retried::Gone) => Err(Failure::data(format!(
                    "{id} was settled, and what it said is gone"
                ))
                .hint("only what waits, and what failed without a secret in it, can be said")),
                None => Err(unknown(id)),
            }
        }
    }
}

fn state(word: &str) -> Outcome<State> {
    State::parse(word).ok_or_else(|| {
        let all = State::ALL.map(State::word).join(", ");
        Failure::usage(format!("{word} is no state of a notice")).hint(all)
    })
}

fn unknown(id: i64) -> Failure {
    Failure::not_found(format!("there is no notice {id}"))
        .hint("`kep notice list` shows them; what was settled long ago is forgotten")
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    account: String,
    kind: String,
    place: String,
    state: &'static str,
    due: String,
    attempts: u32,
    /// Of how many it tells.
    tells: u32,
    /// The one that tells of it.
    joined: Option<i64>,
    settled: Option<String>,
    trouble: String,
    cause: String,
}

#[derive(Serialize)]
struct One {
    #[serde(flatten)]
    notice: Shown,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    /// As the gateway calls it.
    reference: String,
    receipt: Option<String>,
}

impl Shown {
    fn of(
        tx: &mut Tx<'_>,
        row: &OutgoingRow,
        names: &mut BTreeMap<i64, String>,
    ) -> Result<Self, RowsError> {
        let account = match names.get(&row.account.0) {
            Some(name) => name.clone(),
            None => kep::store::accounts::by_id(tx, row.account)?.address,
        };
        names.insert(row.account.0, account.clone());
        Ok(Self {
            id: row.id,
            account,
            kind: row.kind.clone(),
            place: row.target.clone(),
            state: row.state.word(),
            due: row.due_at.iso8601(),
            attempts: row.attempts,
            tells: row.tells,
            joined: row.joined,
            settled: row.settled_at.map(|at| at.iso8601()),
            trouble: row.trouble.clone(),
            cause: row.cause.clone(),
        })
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let (id, tried) = (row.id.to_string(), row.attempts.to_string());
        let words =
            [&id, &row.account, &row.kind, &row.place, row.state, &row.due, &tried, &row.trouble];
        words.map(str::to_owned).to_vec()
    });
    let head = ["ID", "ACCOUNT", "KIND", "PLACE", "STATE", "DUE", "TRIED", "TROUBLE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no notices")
}

fn text(one: &One) -> String {
    let notice = &one.notice;
    let mut out = format!(
        "id        {}\naccount   {}\nkind      {}\nplace     {}\nstate     {}\ndue       {}\n\
         tried     {} times\ntells     of {}\n",
        notice.id,
        notice.account,
        notice.kind,
        notice.place,
        notice.state,
        notice.due,
        notice.attempts,
        notice.tells,
    );
    let told = notice.joined.map(|id| id.to_string());
    for (name, value) in [("told by", &told), ("settled", &notice.settled)] {
        if let Some(value) = value {
            out += &format!("{name:<9} {value}\n");
        }
    }
    if !notice.trouble.is_empty() {
        out += &format!("trouble   {}\n", notice.trouble);
    }
    for part in &one.parts {
        let receipt = part.receipt.as_deref().unwrap_or("no receipt");
        out += &format!("part      {}: {receipt}\n", part.reference);
    }
    out
}
