//! Mailboxes: the account's own, and those that are gathered from them.

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Verb, params};
use super::kinds::MailboxKey;
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::store::Tx;
use crate::store::mail::page::{self, Held};
use crate::store::mail::view::{self, Mailbox as Row};
use crate::store::mail::{self, Role};
use crate::wire::AccountId;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/mailboxes", "listMailboxes", Tag::Mailboxes)
            .says("Posta kutularını listeler.", "Lists the mailboxes.")
            .needs(Scope::MailRead)
            .reads(list),
        Endpoint::new(Verb::Get, "/mailboxes/{mailbox}", "showMailbox", Tag::Mailboxes)
            .says("Bir posta kutusunu gösterir.", "Shows a mailbox.")
            .needs(Scope::MailRead)
            .may_say([Problem::MailboxUnknown])
            .reads(show),
    ]
}

params! {
    OneMailbox {
        path mailbox: MailboxKey = "inbox", "A mailbox: its part (`inbox`, `trash` …) or its number.";
    }
}

#[derive(Serialize, ToSchema)]
struct Mailbox {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    #[schema(example = "INBOX")]
    name: String,
    /// What it is for: `inbox`, `sent`, `drafts`, `trash`, `evidence`, `archive`, `archive-in`,
    /// `archive-out`, `held` (İmza Bekleyenler), `opening` (Açılacaklar), `all`, `flagged`, `label`, or
    /// `plain`.
    #[schema(example = "inbox")]
    part: String,
    /// Whether it shows messages that stand in others.
    #[schema(example = false)]
    gathered: bool,
    /// Not counted in one that is gathered.
    #[schema(minimum = 0, example = 12)]
    messages: Option<u64>,
    #[schema(minimum = 0, example = 3)]
    unseen: Option<u64>,
}

#[derive(Serialize, ToSchema)]
struct Mailboxes {
    mailboxes: Vec<Mailbox>,
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<Mailboxes>> {
    let account = call.account_id()?;
    let held = page::held(tx, account)?;
    let all = view::mailboxes(tx, account)?;
    let shown = all.iter().map(|row| Mailbox::of(row, held.get(&row.id).copied()));
    Ok(Json(Mailboxes { mailboxes: shown.collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneMailbox) -> Answered<Json<Mailbox>> {
    let account = call.account_id()?;
    let row = find(tx, account, ask.mailbox)?;
    let held = page::held(tx, account)?;
    Ok(Json(Mailbox::of(&row, held.get(&row.id).copied())))
}

/// The account's mailbox of that part or number.
pub fn find(tx: &mut Tx<'_>, account: AccountId, key: MailboxKey) -> Answered<Row> {
    let id = match key {
        MailboxKey::Role(role) => mail::of_role(tx, account, role)?,
        MailboxKey::Number(id) => id,
    };
    view::owned(tx, account, id)?.ok_or(Problem::MailboxUnknown)
}

/// The same of a part that each account has.
pub fn of_role(tx: &mut Tx<'_>, account: AccountId, role: Role) -> Answered<Row> {
    find(tx, account, MailboxKey::Role(role))
}

impl Mailbox {
    fn of(row: &Row, held: Option<Held>) -> Self {
        let gathered = row.role.is_gathered();
        let held = (!gathered).then(|| held.unwrap_or_default());
        Self {
            number: row.id.0,
            name: row.name.clone(),
            part: row.role.word().to_owned(),
            gathered,
            messages: held.map(|held| held.messages),
            unseen: held.map(|held| held.unseen),
        }
    }
}
