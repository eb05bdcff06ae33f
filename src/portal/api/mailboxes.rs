//! Mailboxes: the account's own, and those that are gathered from them.

mod change;
mod run;

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Verb, params};
use super::kinds::{MailboxKey, MailboxText};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::operators::Act;
use crate::store::Tx;
use crate::store::mail::page::{self, Held};
use crate::store::mail::view::{self, Mailbox as Row};
use crate::store::mail::{self, Role};
use crate::wire::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let names = || {
        [
            Problem::MailboxExists,
            Problem::MailboxBadName,
            Problem::MailboxKept,
            Problem::MailboxesMany,
            Problem::AccountReadOnly(some()),
        ]
    };
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
        Endpoint::new(Verb::Post, "/mailboxes", "createMailbox", Tag::Mailboxes)
            .says(
                "Posta kutusu oluşturur; adında geçen üst kutular yoksa onlar da oluşur.",
                "Makes a mailbox, and those above it that are not there.",
            )
            .needs(Scope::MailWrite)
            .named()
            .may_say(names())
            .writes(change::create),
        Endpoint::new(Verb::Patch, "/mailboxes/{mailbox}", "renameMailbox", Tag::Mailboxes)
            .says(
                "Posta kutusunun adını altındakilerle birlikte değiştirir. Gelen kutusu kalır; iletileri yeni \
                 kutuya taşınır.",
                "Gives a mailbox, and all under it, another name. The inbox stays, and its messages go to the new \
                 mailbox.",
            )
            .needs(Scope::MailWrite)
            .may_say(names().into_iter().chain([Problem::MailboxUnknown]))
            .runs(run::rename),
        Endpoint::new(Verb::Delete, "/mailboxes/{mailbox}", "deleteMailbox", Tag::Mailboxes)
            .says(
                "Posta kutusunu içindekilerle birlikte siler; deliller silinmez. İçinde açılmamış ileti olan kutu kalır.",
                "Removes a mailbox with what is in it; evidence is not removed. One with unopened messages stays.",
            )
            .needs(Scope::MailWrite)
            .acts(Act::Delete)
            .may_say([
                Problem::MailboxUnknown,
                Problem::MailboxHasChildren,
                Problem::MailboxUnopened,
                Problem::MailboxKept,
                Problem::AccountReadOnly(some()),
            ])
            .runs(run::delete),
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

/// A mailbox to be made, or the other name of one.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MailboxName {
    /// Levels, `/` between.
    #[schema(inline)]
    name: MailboxText,
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<Mailboxes>> {
    let account = call.account_id()?;
    let held = page::held(tx, account)?;
    let all = view::mailboxes(tx, account)?;
    let shown = all.iter().map(|row| Mailbox::of(row, held.get(&row.id).copied()));
    Ok(Json(Mailboxes { mailboxes: shown.collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneMailbox) -> Answered<Json<Mailbox>> {
    let row = find(tx, call.account_id()?, ask.mailbox)?;
    Ok(Json(shown(tx, &row)?))
}

fn shown(tx: &mut Tx<'_>, row: &Row) -> Answered<Mailbox> {
    let held = page::held(tx, row.account)?;
    Ok(Mailbox::of(row, held.get(&row.id).copied()))
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
