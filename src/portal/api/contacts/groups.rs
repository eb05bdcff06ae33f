//! Groups of contacts. They are named by numbers: a name may change.

use crate::portal::api::call::{Answered, Call};
use crate::portal::api::endpoint::{
    Created, Done, Endpoint, Json, NoWords, Tag, Tagged, Verb, params,
};
use crate::portal::api::kinds::{GroupName, Name, Number};
use crate::portal::api::problem::{Both, Problem};
use crate::registry::api_tokens::Scope;
use crate::registry::contacts::{self, Group as Row};
use crate::store::Tx;
use crate::wire::{AccountId, sha256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    let of = |verb, path, id| Endpoint::new(verb, path, id, Tag::Contacts);
    let member = |verb, id| {
        of(verb, "/address-book/groups/{group}/members/{contact}", id)
            .needs(Scope::ContactsWrite)
            .may_say([
                Problem::ContactGroupUnknown,
                Problem::ContactUnknown,
                Problem::AccountReadOnly(some()),
            ])
    };
    let one = |verb, id| of(verb, "/address-book/groups/{group}", id);
    let names = [Problem::ContactGroupExists(some()), Problem::ContactGroupName];
    let unfit = [Problem::ContactUnfit(Both::any()), Problem::AccountReadOnly(some())];
    let (unknown, names) = ([Problem::ContactGroupUnknown], names.into_iter().chain(unfit));
    vec![
        of(Verb::Get, "/address-book/groups", "listContactGroups")
            .says("Adres defterinin gruplarını listeler.", "Lists the groups of the address book.")
            .needs(Scope::ContactsRead)
            .reads(list),
        of(Verb::Post, "/address-book/groups", "createContactGroup")
            .says("Grup oluşturur.", "Makes a group.")
            .needs(Scope::ContactsWrite)
            .named()
            .may_say(names.clone())
            .writes(create),
        one(Verb::Get, "showContactGroup")
            .says("Bir grubu gösterir.", "Shows a group.")
            .needs(Scope::ContactsRead)
            .may_say(unknown.clone())
            .reads(show),
        one(Verb::Patch, "renameContactGroup")
            .says("Grubun adını değiştirir.", "Gives a group another name.")
            .needs(Scope::ContactsWrite)
            .guarded()
            .may_say(names.chain(unknown.clone()))
            .writes(rename),
        one(Verb::Delete, "deleteContactGroup")
            .says(
                "Grubu siler; kişileri adres defterinde kalır.",
                "Removes a group; its members stay in the address book.",
            )
            .needs(Scope::ContactsWrite)
            .guarded()
            .may_say(unknown.into_iter().chain([Problem::AccountReadOnly(some())]))
            .writes(delete),
        member(Verb::Put, "joinContactGroup")
            .says("Bir kişiyi gruba koyar.", "Puts a contact into a group.")
            .writes(join),
        member(Verb::Delete, "leaveContactGroup")
            .says("Bir kişiyi gruptan çıkarır.", "Takes a contact out of a group.")
            .writes(leave),
    ]
}

params! {
    OneGroup {
        path group: Number = 3, "The group's number.";
    }
}

params! {
    OneMember {
        path group: Number = 3, "The group's number.";
        path contact: Name = "4f2b1c3e-0d5a-4b7e-9c1d-2e3f4a5b6c7d", "The contact's identifier.";
    }
}

#[derive(Serialize, ToSchema)]
struct ContactGroup {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    #[schema(example = "Müşteriler")]
    name: String,
    #[schema(minimum = 0, example = 12)]
    members: usize,
}

#[derive(Serialize, ToSchema)]
struct ContactGroups {
    groups: Vec<ContactGroup>,
}

/// A group to be made, or the other name of one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactGroupName {
    #[schema(inline)]
    name: GroupName,
}

/// The group that is asked for, if one is, and is there.
pub fn known(tx: &mut Tx<'_>, account: AccountId, group: Option<Number>) -> Answered<Option<i64>> {
    let Some(Number(id)) = group else { return Ok(None) };
    Ok(Some(contacts::group_in(tx, account, id)?.id))
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<ContactGroups>> {
    let all = contacts::groups_in(tx, call.account_id()?)?;
    Ok(Json(ContactGroups { groups: all.iter().map(ContactGroup::of).collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneGroup) -> Answered<Tagged<ContactGroup>> {
    let found = contacts::group_in(tx, call.account_id()?, ask.group.0)?;
    Ok(Tagged(ContactGroup::of(&found), tag(&found)))
}

fn create(
    tx: &mut Tx<'_>,
    call: &Call,
    _: &NoWords,
    new: &Json<ContactGroupName>,
) -> Answered<Created<ContactGroup>> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    let made = contacts::add_group_in(tx, account, &new.0.name.0, &by)?;
    let at = format!("/address-book/groups/{}", made.id);
    Ok(Created { value: ContactGroup::of(&made), at })
}

fn rename(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OneGroup,
    new: &Json<ContactGroupName>,
) -> Answered<Tagged<ContactGroup>> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    let judge = |known: &Row| call.matches(&tag(known));
    contacts::rename_group_in(tx, account, ask.group.0, &new.0.name.0, &by, judge)?;
    show(tx, call, ask)
}

fn delete(tx: &mut Tx<'_>, call: &Call, ask: &OneGroup, _: &()) -> Answered<Done> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    let judge = |known: &Row| call.matches(&tag(known));
    contacts::remove_group_in(tx, account, ask.group.0, &by, judge)?;
    Ok(Done)
}

fn join(tx: &mut Tx<'_>, call: &Call, ask: &OneMember, _: &()) -> Answered<Done> {
    member(tx, call, ask, true)
}

fn leave(tx: &mut Tx<'_>, call: &Call, ask: &OneMember, _: &()) -> Answered<Done> {
    member(tx, call, ask, false)
}

fn member(tx: &mut Tx<'_>, call: &Call, ask: &OneMember, member: bool) -> Answered<Done> {
    call.may_add_in(tx)?;
    let (account, by) = (call.account_id()?, call.by()?);
    contacts::membership_in(tx, account, ask.group.0, &ask.contact.0, &by, member)?;
    Ok(Done)
}

/// Of what is shown: it has no number of its own that grows.
fn tag(row: &Row) -> String {
    let shown = format!("{}\n{}", row.name, row.members);
    sha256(shown.as_bytes()).hex().chars().take(16).collect()
}

impl ContactGroup {
    fn of(row: &Row) -> Self {
        Self { number: row.id, name: row.name.clone(), members: row.members }
    }
}
