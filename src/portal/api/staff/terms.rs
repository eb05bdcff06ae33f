//! What the staff sets of an account, by the registry's rules: opening, signature, storage, service type, e-seal;
//! the contract; a holder's wish on paper to close.

use super::accounts::{OneAccount, StaffAccount, changing, standing};
use super::duty::{REGISTERS, on_duty};
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{Endpoint, Json, Tag, Tagged, Verb, params};
use crate::portal::api::kinds::{
    FormText, Name, Number, OpeningWord, RuleWord, ServiceWord, some_whole,
};
use crate::portal::api::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::closings::{self, Outcome};
use crate::registry::contracts;
use crate::registry::terms::{self, Terms};
use crate::store::Tx;
use serde::Deserialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let one = |verb, path, id| {
        Endpoint::new(verb, path, id, Tag::Staff).needs(Scope::StaffAccounts).guarded()
    };
    let hears = move |more: Vec<Problem>| {
        let all = [Problem::NotStaff, Problem::StaffRole(some()), Problem::AccountUnknown];
        all.into_iter().chain(more)
    };
    let standing = move || vec![Problem::AccountStanding(some()), Problem::FormUnfit(some())];
    let set = vec![Problem::HolderUnknown, Problem::NotForPersons, Problem::PolicyForbids];
    let withdraw = vec![Problem::AccountStanding(some()), Problem::ClosingUnknown];
    vec![
        one(Verb::Patch, "/staff/accounts/{address}", "changeStaffAccount")
            .says(
                "Açılış, imza, depolama, hizmet, e-mühür ve etiket kutusu ayarlarını değiştirir; adı geçmeyen olduğu gibi kalır.",
                "Changes how it opens, what signature it is asked for, its storage, service type, e-seal and mailboxes of labels; what is not named stays.",
            )
            .may_say(hears(set))
            .writes(change),
        one(Verb::Post, "/staff/accounts/{address}/renew", "renewStaffContract")
            .says(
                "Sözleşmeyi, süren dönemin sonundan ya da bugünden başlayarak yeniler.",
                "Renews the contract from the end of the term in force, or from today.",
            )
            .named()
            .may_say(hears(standing()))
            .writes(renew),
        one(Verb::Post, "/staff/accounts/{address}/closings", "requestStaffClosing")
            .says(
                "Hesap sahibinin kapatma talebini kaydeder.",
                "Records the holder's wish to close the account.",
            )
            .named()
            .may_say(hears(standing()))
            .writes(request),
        one(
            Verb::Post,
            "/staff/accounts/{address}/closings/{closing}/withdraw",
            "withdrawStaffClosing",
        )
        .says(
            "Hesap sahibinin kapatma talebinden vazgeçtiğini kaydeder.",
            "Records that the holder withdraws a request to close.",
        )
        .named()
        .may_say(hears(withdraw))
        .writes(give_up),
    ]
}

params! {
    OneStaffClosing {
        path address: Name = "ali.veli@hs05.kep.tr", "The account's address.";
        path closing: Number = 3, "The request's number.";
    }
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffAccountChange {
    #[schema(inline)]
    opening: Option<OpeningWord>,
    #[schema(inline)]
    signature: Option<RuleWord>,
    /// Its own limit, in octets; 0: that of its kind of holder, or else the provider's.
    #[serde(default, deserialize_with = "some_whole")]
    #[schema(minimum = 0, maximum = 9007199254740991_u64, example = 10737418240_u64)]
    storage: Option<u64>,
    #[schema(inline)]
    service: Option<ServiceWord>,
    /// Whether an institution's e-seal may sign for it.
    #[schema(example = false)]
    e_seal: Option<bool>,
    /// Whether its labels are mailboxes, too.
    #[schema(example = false)]
    label_mailboxes: Option<bool>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContractRenewal {
    /// As the policy has it when nothing is said.
    #[serde(default, deserialize_with = "some_whole")]
    #[schema(minimum = 1, maximum = 120, example = 12)]
    months: Option<u16>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StaffClosingRequest {
    #[schema(inline)]
    reason: Option<FormText>,
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<StaffAccountChange>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    terms::set_in(tx, &account, &new.0.terms()?, &by)?;
    standing(tx, call, &ask.address)
}

fn renew(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<ContractRenewal>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let months = new.0.months.map(u32::from);
    if months.is_some_and(|months| !(1..=120).contains(&months)) {
        return Err(Problem::BadBody("months".to_owned()));
    }
    contracts::renew_in(tx, account.id, &account.address, months, &by)?;
    standing(tx, call, &ask.address)
}

fn request(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneAccount,
    new: &Json<StaffClosingRequest>,
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let reason = new.0.reason.as_ref().map(|reason| reason.0.as_str()).unwrap_or_default();
    closings::request_in(tx, account.id, &account.address, reason, &by)?;
    standing(tx, call, &ask.address)
}

fn give_up(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneStaffClosing,
    (): &(),
) -> Answered<Tagged<StaffAccount>> {
    let by = on_duty(tx, call, REGISTERS)?;
    let account = changing(tx, call, &ask.address)?;
    let there = closings::find(tx, account.id, ask.closing.0)?.ok_or(Problem::ClosingUnknown)?;
    if there.outcome != Outcome::Open {
        let state = account.state.stage_at(call.now).word().to_owned();
        return Err(Problem::AccountStanding(state));
    }
    closings::withdraw_in(tx, account.id, &account.address, &by)?;
    standing(tx, call, &ask.address)
}

impl StaffAccountChange {
    fn terms(&self) -> Answered<Terms> {
        if self.storage.is_some_and(|octets| octets > MOST) {
            return Err(Problem::BadBody("storage".to_owned()));
        }
        Ok(Terms {
            opening: self.opening.map(|word| word.0),
            signature: self.signature.map(|word| word.0),
            storage: self.storage.map(|octets| (octets > 0).then_some(octets)),
            service: self.service.map(|word| word.0),
            e_seal: self.e_seal,
            label_mailboxes: self.label_mailboxes,
        })
    }
}

/// A browser counts no further.
const MOST: u64 = 9_007_199_254_740_991;
