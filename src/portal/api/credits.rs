//! Credits (kontör): what is left, what became of them, and what a message would cost.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Addresses, Limit, Number, whole};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::credits::{Balance as Sums, Entry as Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let get = |path, id| Endpoint::new(Verb::Get, path, id, Tag::Credits).needs(Scope::CreditsRead);
    vec![
        get("/credits", "showCredits")
            .says("Kalan kontörü gösterir.", "Shows the credits that are left.")
            .runs(run::balance),
        get("/credits/entries", "listCreditEntries")
            .says(
                "Kontör hareketlerini yeniden eskiye listeler.",
                "Lists what became of credits, the newest first.",
            )
            .runs(run::entries),
        Endpoint::new(Verb::Post, "/credits/quote", "quoteMessage", Tag::Credits)
            .says(
                "Gönderilmeden önce bir iletinin kaç kontör tutacağını söyler.",
                "Says what a message would cost, before it is sent.",
            )
            .needs(Scope::CreditsRead)
            .may_say([Problem::AddressUnfit(String::from("{}"))])
            .runs(run::quote),
    ]
}

params! {
    Listing {
        query before: Number = 42, "Those before this number only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// Sums of an account's entries.
#[derive(Serialize, ToSchema)]
pub(super) struct Credits {
    #[schema(example = 120)]
    available: i64,
    /// For messages that are not accepted yet.
    #[schema(example = 2)]
    reserved: i64,
    #[schema(example = 78)]
    spent: i64,
    /// For notices by SMS.
    #[schema(example = 20)]
    sms: i64,
    #[schema(example = 5)]
    sms_spent: i64,
}

#[derive(Serialize, ToSchema)]
struct CreditEntry {
    #[schema(minimum = 1, example = 42)]
    number: i64,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    at: String,
    /// `reserve`, `spend`, `release`, `give-back`, `sms`, `top-up`, or `correct`.
    #[schema(example = "spend")]
    kind: String,
    /// From which ledger, and to which.
    #[schema(example = "reserved")]
    from: String,
    #[schema(example = "spent")]
    to: String,
    #[schema(example = 2)]
    amount: i64,
    /// What was left after it.
    #[schema(example = 118)]
    rest: i64,
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct CreditEntries {
    entries: Vec<CreditEntry>,
}

/// A message that is not sent yet.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QuotedMessage {
    /// Octets of the original as it will be handed in, signature and all.
    #[schema(minimum = 0, maximum = 9007199254740991_u64, example = 20480)]
    #[serde(deserialize_with = "whole")]
    size: u64,
    /// Of To, Cc and Bcc; each address counts once.
    #[schema(inline)]
    recipients: Addresses,
}

#[derive(Serialize, ToSchema)]
struct MessageQuote {
    /// Whether credits are asked for at all.
    #[schema(example = true)]
    enforced: bool,
    /// Of all recipients together.
    #[schema(minimum = 0, example = 2)]
    total: i64,
    /// Of one recipient with another provider, and of one with this.
    #[schema(minimum = 0, example = 1)]
    elsewhere: i64,
    #[schema(minimum = 0, example = 1)]
    here: i64,
    /// What is left now.
    #[schema(example = 118)]
    available: i64,
    /// Whether that is enough.
    #[schema(example = true)]
    enough: bool,
}

impl Credits {
    pub(super) fn of(sums: &Sums) -> Self {
        let Sums { available, reserved, spent, sms, sms_spent } = *sums;
        Self { available, reserved, spent, sms, sms_spent }
    }
}

impl CreditEntry {
    fn of(row: &Row) -> Self {
        Self {
            number: row.seq,
            at: row.at.iso8601(),
            kind: row.kind.word().to_owned(),
            from: row.from.word().to_owned(),
            to: row.to.word().to_owned(),
            amount: row.amount,
            rest: row.rest,
            message_id: row.message.clone(),
        }
    }
}
