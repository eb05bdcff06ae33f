//! The account that asks.

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, NoWords, Tag, Verb};
use crate::registry::accounts::AccountState;
use crate::registry::api_tokens::Scope;
use crate::registry::{Access, accounts, addresses};
use crate::store::mail::usage;
use crate::store::{Tx, accounts as rows, contracts, holders};
use crate::trust::Certificate;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/account", "showAccount", Tag::Account)
            .says("Belirtecin hesabını gösterir.", "Shows the account of the token.")
            .needs(Scope::AccountRead)
            .reads(show),
    ]
}

/// An account, as its holder sees it.
#[derive(Serialize, ToSchema)]
struct Account {
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    #[schema(example = "Ali Veli")]
    name: String,
    /// `active`; `suspended`: it sends nothing; `closing`: it is closed at `completes`; or `closed`: it can
    /// be read until `readable_until`, and no longer sends.
    #[schema(example = "active")]
    state: String,
    /// `both`, or `receive`: it sends nothing.
    #[schema(example = "both")]
    service: String,
    /// The institution's label of the address, if it has one (alt alan adı).
    #[schema(example = "ornek")]
    sub_domain: Option<String>,
    /// Whether an institution's e-seal may sign for it, as far as the provider lets any.
    #[schema(example = false)]
    e_seal: bool,
    /// When its closing completes by itself.
    #[schema(format = DateTime, example = "2026-12-06T09:00:00.000Z")]
    completes: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    readable_until: Option<String>,
    /// The last moment of its contract's last term.
    #[schema(format = DateTime, example = "2027-11-28T20:59:59.999Z")]
    contract_ends: Option<String>,
    /// How unopened messages stand in the inbox: `sealed` (kapalı zarf) or `direct` (doğrudan).
    #[schema(example = "sealed")]
    opening: String,
    /// What signature is asked for on what it sends.
    #[schema(example = "required")]
    signature: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
    storage: Storage,
    certificates: Vec<Registered>,
}

/// What the mailboxes hold. Evidence counts for nothing.
#[derive(Serialize, ToSchema)]
#[schema(as = StorageUse)]
struct Storage {
    /// In octets.
    #[schema(minimum = 0, example = 1048576)]
    used: u64,
    /// In octets; none when it has no limit of its own: `/storage` says which holds.
    #[schema(minimum = 0, example = 10737418240_u64)]
    limit: Option<u64>,
    #[schema(minimum = 0, example = 12)]
    mailboxes: u64,
}

/// A signing certificate that is registered for the account.
#[derive(Serialize, ToSchema)]
struct Registered {
    #[schema(example = "CN=Ali Veli")]
    subject: String,
    #[schema(example = "CN=Örnek ESHS")]
    issuer: String,
    #[schema(example = "0a1b2c")]
    serial: String,
    /// SHA-256, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    fingerprint: String,
}

fn show(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<Account>> {
    let id = call.account_id()?;
    let account = accounts::account(&rows::by_id(tx, id)?)?;
    let used = usage::of_account(tx, id)?;
    let ders = rows::certificates(tx, id)?;
    let certificates = ders.iter().filter_map(|der| Certificate::from_der(der).ok());
    let readable_until = match account.access(call.now) {
        Access::Reading { until } => until,
        Access::Whole | Access::Over => None,
    };
    let (state, contract) = (account.state_at(call.now), contracts::of_account(tx, id)?);
    let completes = match &state {
        AccountState::Closing { completes, .. } => *completes,
        _ => None,
    };
    Ok(Json(Account {
        address: account.address.to_string(),
        name: account.name.clone(),
        state: state.word().to_owned(),
        service: account.service.word().to_owned(),
        sub_domain: addresses::sub_domain(&account.address),
        e_seal: holders::terms(tx, id)?.1,
        completes: completes.map(|at| at.iso8601()),
        contract_ends: contract.first().map(|last| last.ends_at.iso8601()),
        readable_until: readable_until.map(|until| until.iso8601()),
        opening: account.opening.word().to_owned(),
        signature: account.signature.word().to_owned(),
        created: account.created_at.iso8601(),
        storage: Storage { used: used.octets, limit: used.own_limit, mailboxes: used.mailboxes },
        certificates: certificates.map(|certificate| Registered::of(&certificate)).collect(),
    }))
}

impl Registered {
    fn of(certificate: &Certificate) -> Self {
        Self {
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            serial: certificate.serial().to_owned(),
            fingerprint: certificate.digest().hex(),
        }
    }
}
