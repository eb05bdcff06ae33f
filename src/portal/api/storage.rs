//! What the mailboxes of the account hold, and may: the numbers that IMAP QUOTA tells, too.

mod run;

use super::endpoint::{Endpoint, Tag, Verb};
use crate::registry::api_tokens::Scope;
use crate::registry::shares::Share;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/storage", "showStorage", Tag::Account)
            .says("Saklama payını ve kullanımını gösterir.", "Shows the storage share and its use.")
            .needs(Scope::AccountRead)
            .runs(run::show),
    ]
}

/// The storage share of an account. Evidence counts for nothing.
#[derive(Serialize, ToSchema)]
struct StorageShare {
    /// In octets.
    #[schema(minimum = 0, example = 1048576)]
    used: u64,
    /// In octets; none when there is no limit.
    #[schema(minimum = 0, example = 10737418240_u64)]
    limit: Option<u64>,
    /// Octets that may still come.
    #[schema(minimum = 0, example = 10736369664_u64)]
    room: Option<u64>,
    /// Who says how much it is: `account`, `policy` (for its kind of holder), `provider`, or `none`.
    #[schema(example = "policy")]
    decided_by: String,
    /// Whether so much is used that the account is told.
    #[schema(example = false)]
    nearly_full: bool,
    #[schema(minimum = 0, example = 12)]
    mailboxes: u64,
}

impl StorageShare {
    fn of(share: &Share, warn: u32) -> Self {
        Self {
            used: share.used,
            limit: share.limit,
            room: share.room(),
            decided_by: share.by.word().to_owned(),
            nearly_full: warn > 0 && share.reaches(warn),
            mailboxes: share.mailboxes,
        }
    }
}
