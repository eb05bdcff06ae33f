//! Operators (işlem yetkilisi): who acts for the account beside its holder. Each sees who they are, since what waits
//! is handed to one of them; what is personal is for persons who manage them. An operator sets his password himself,
//! by a link that goes to his mailbox and a code that goes to his telephone.

mod run;
mod words;

use super::call::{Answered, Call};
use super::endpoint::{Created, Endpoint, Json, NoWords, Tag, Tagged, Verb, params};
use super::kinds::{FormText, Limit, OperatorWord};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::legal::LegalAct;
use crate::registry::operators::{self, Act, Of, Operator as Row, Person, Role, Standing};
use crate::store::Tx;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use words::RoleWords;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let at = |verb, path, id| Endpoint::new(verb, path, id, Tag::Affairs);
    let manages = |verb, path, id| at(verb, path, id).legal(LegalAct::Operators).acts(Act::Manage);
    let one = "/operators/{operator}";
    let changes = move || {
        [
            Problem::OperatorUnknown,
            Problem::OperatorEnded,
            Problem::OperatorMayNot,
            Problem::AccountReadOnly(some()),
        ]
    };
    vec![
        at(Verb::Get, "/operators", "listOperators")
            .says(
                "İşlem yetkililerini listeler; görevi sona erenler de kalır.",
                "Lists the operators by their codes; those that have ended, too.",
            )
            .needs(Scope::AccountRead)
            .reads(list),
        manages(Verb::Post, "/operators", "addOperator")
            .says("İşlem yetkilisi ekler.", "Adds an operator.")
            .may_say([
                Problem::FormUnfit(some()),
                Problem::OperatorThere,
                Problem::OperatorsNotForPersons,
                Problem::OperatorsFull,
                Problem::OperatorMayNot,
                Problem::AccountReadOnly(some()),
            ])
            .named()
            .writes(add),
        at(Verb::Get, one, "showOperator")
            .says(
                "Bir işlem yetkilisini, parolaları ve sertifikalarıyla gösterir.",
                "Shows an operator, with his mail-program passwords and certificates.",
            )
            .personal()
            .acts(Act::Manage)
            .may_say([Problem::OperatorUnknown, Problem::OperatorMayNot])
            .runs(run::show),
        manages(Verb::Patch, one, "changeOperator")
            .says(
                "Görevlerini ya da unvanını değiştirir; boş unvan silinir.",
                "Gives an operator other roles or another title; an empty one goes.",
            )
            .guarded()
            .may_say(changes().into_iter().chain([Problem::FormUnfit(some())]))
            .writes(change),
        manages(Verb::Post, "/operators/{operator}/end", "endOperator")
            .says(
                "Görevine son verir; kodu ve adı, yaptıkları için kalır.",
                "Ends an operator; his code and name stay, for what he did.",
            )
            .guarded()
            .may_say(changes())
            .named()
            .writes(end),
        manages(Verb::Post, "/operators/{operator}/suspend", "suspendOperator")
            .says("Görevini durdurur.", "Suspends an operator: he may nothing until he is resumed.")
            .guarded()
            .may_say(changes().into_iter().chain([Problem::OperatorSuspended]))
            .named()
            .writes(suspend),
        manages(Verb::Post, "/operators/{operator}/resume", "resumeOperator")
            .says(
                "Görevine döndürür; yeni parola koyması gerekir.",
                "Lets a suspended operator act again; he needs a new password.",
            )
            .guarded()
            .may_say(changes().into_iter().chain([Problem::OperatorNotSuspended]))
            .named()
            .writes(resume),
        manages(Verb::Post, "/operators/{operator}/password-link", "sendOperatorPasswordLink")
            .says(
                "Parolasını kendisinin koyması için e-posta bağlantısı ve SMS kodu gönderir.",
                "Sends an operator the link and the code by which he sets his password himself.",
            )
            .may_say(changes().into_iter().chain([
                Problem::OperatorSuspended,
                Problem::OperatorUnreachable,
                Problem::LoginLocked(some()),
            ]))
            .runs(run::password_link),
    ]
}

params! {
    OneOperator {
        path operator: OperatorWord = "001", "The operator's code.";
    }
}

params! {
    OperatorListing {
        query after: OperatorWord = "001", "Those behind this code only: the last one of the page before.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// A person to act for the account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOperator {
    #[schema(inline)]
    given_name: FormText,
    #[schema(inline)]
    surname: FormText,
    /// What he is there: the directory shows it beside his name.
    #[schema(inline)]
    title: Option<FormText>,
    /// T.C. kimlik no, or a foreigner's number of that form.
    #[schema(inline)]
    identity_number: FormText,
    /// A mobile number; he gets codes there.
    #[schema(inline)]
    phone: Option<FormText>,
    /// An ordinary mailbox; he gets links there.
    #[schema(inline)]
    email: Option<FormText>,
    #[schema(inline)]
    roles: RoleWords,
}

/// What is to be otherwise.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OperatorChange {
    #[schema(inline)]
    roles: Option<RoleWords>,
    #[schema(inline)]
    title: Option<FormText>,
}

/// Who acts for the account.
#[derive(Serialize, ToSchema)]
struct Operator {
    #[schema(example = "001")]
    code: String,
    #[schema(example = "Ayşe")]
    given_name: String,
    #[schema(example = "Demir")]
    surname: String,
    #[schema(example = "Müdür")]
    title: Option<String>,
    /// `prepares`, `signs`, `sends`, `reads`, `audits`, `full`.
    #[schema(example = json!(["signs", "reads"]))]
    roles: Vec<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    added: String,
    /// `active`, `suspended`, or `ended`.
    #[schema(example = "active")]
    state: String,
    /// Since when he acts no more.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    since: Option<String>,
    /// Its `ETag`, without the quotes.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    version: String,
}

#[derive(Serialize, ToSchema)]
struct Operators {
    operators: Vec<Operator>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &OperatorListing) -> Answered<Json<Operators>> {
    let after = ask.after.as_ref().map_or(0, |code| code.0.number());
    let page = operators::page(tx, call.account_id()?, after, Limit::of(ask.limit))?;
    Ok(Json(Operators { operators: page.iter().map(Operator::of).collect() }))
}

fn add(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<NewOperator>,
) -> Answered<Created<Operator>> {
    call.may_add_in(tx)?;
    let (account, new) = (call.account()?, &new.0);
    let text = |field: &Option<FormText>| {
        field.as_ref().map(|text| text.0.clone()).filter(|text| !text.trim().is_empty())
    };
    let (phone, email) = (text(&new.phone), text(&new.email));
    let (name, number) = (&new.given_name.0, &new.identity_number.0);
    let person = Person::new(name, &new.surname.0, number, phone.as_deref(), email.as_deref());
    let person = person.and_then(|one| one.titled(&text(&new.title).unwrap_or_default()));
    let person = person.map_err(|fault| call.unfit(fault))?;
    let of = Of { account: account.id, address: &account.address };
    let added = operators::add_in(tx, &call.by()?, &of, person, new.roles.0);
    let added = added.map_err(|error| call.unfit(error))?;
    Ok(Created { value: Operator::of(&added), at: format!("/operators/{}", added.code) })
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneOperator,
    new: &Json<OperatorChange>,
) -> Answered<Tagged<Operator>> {
    let (of, by) = guarded(tx, call, ask)?;
    if let Some(roles) = &new.0.roles {
        operators::set_roles_in(tx, &by, &of, ask.operator.0, roles.0)?;
    }
    if let Some(title) = &new.0.title {
        let set = operators::set_title_in(tx, &by, &of, ask.operator.0, &title.0);
        set.map_err(|error| call.unfit(error))?;
    }
    shown(tx, call, ask)
}

fn end(tx: &mut Tx<'_>, call: &Call, ask: &OneOperator, _: &()) -> Answered<Tagged<Operator>> {
    let (of, by) = guarded(tx, call, ask)?;
    operators::end_in(tx, &by, &of, ask.operator.0)?;
    shown(tx, call, ask)
}

fn suspend(tx: &mut Tx<'_>, call: &Call, ask: &OneOperator, _: &()) -> Answered<Tagged<Operator>> {
    let (of, by) = guarded(tx, call, ask)?;
    operators::suspend_in(tx, &by, &of, ask.operator.0)?;
    shown(tx, call, ask)
}

fn resume(tx: &mut Tx<'_>, call: &Call, ask: &OneOperator, _: &()) -> Answered<Tagged<Operator>> {
    let (of, by) = guarded(tx, call, ask)?;
    operators::resume_in(tx, &by, &of, ask.operator.0)?;
    shown(tx, call, ask)
}

/// Under the account's lock: he is there, and is as the caller knows him.
fn guarded<'a>(
    tx: &mut Tx<'_>,
    call: &'a Call,
    ask: &OneOperator,
) -> Answered<(Of<'a>, crate::registry::audit::By)> {
    call.may_add_in(tx)?;
    let account = call.account()?;
    call.matches(&known(tx, call, ask)?.version())?;
    Ok((Of { account: account.id, address: &account.address }, call.by()?))
}

fn shown(tx: &mut Tx<'_>, call: &Call, ask: &OneOperator) -> Answered<Tagged<Operator>> {
    let one = known(tx, call, ask)?;
    Ok(Tagged(Operator::of(&one), one.version()))
}

fn known(tx: &mut Tx<'_>, call: &Call, ask: &OneOperator) -> Answered<Row> {
    let found = operators::find(tx, call.account_id()?, ask.operator.0)?;
    found.ok_or(Problem::OperatorUnknown)
}

impl Operator {
    fn of(row: &Row) -> Self {
        let (state, since) = match &row.standing {
            Standing::Active => ("active", None),
            Standing::Suspended { at, .. } => ("suspended", Some(at)),
            Standing::Ended { at, .. } => ("ended", Some(at)),
        };
        Self {
            code: row.code.to_string(),
            given_name: row.person.given_name.clone(),
            surname: row.person.surname.clone(),
            title: row.person.title.clone(),
            roles: row.roles.list().into_iter().map(Role::word).map(str::to_owned).collect(),
            added: row.added_at.iso8601(),
            state: state.to_owned(),
            since: since.map(|at| at.iso8601()),
            version: row.version(),
        }
    }
}
