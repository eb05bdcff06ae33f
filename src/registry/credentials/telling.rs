//! What people are told outside KEP about what they log in by: codes, links, and that something changed.
//! Laid into the outbox in the transaction of its cause. A holder is told at the places that he has
//! proven, an operator at the telephone and the mailbox that stand in his record.

use super::{CredentialError, Owner};
use crate::registry::notices::{self, Happened};
use crate::registry::operators;
use crate::registry::outbox::{self, Fields, Kind, Language, Outgoing};
use crate::registry::policy;
use crate::store::{RowsError, Tx, accounts as account_rows};
use crate::trust::random;
use crate::trust::vault::Vault;
use crate::wire::{OperatorCode, Reach, Timestamp};
use data_encoding::HEXLOWER;
use secrecy::{ExposeSecret, SecretString};

struct Place {
    reach: Reach,
    language: Language,
}

/// Passwords or other credentials changed. The holder hears it of his operators, too.
pub(in crate::registry) fn changed(
    tx: &mut Tx<'_>,
    owner: Owner,
    at: Timestamp,
) -> Result<(), RowsError> {
    let (time, cause) = (at.turkish(), format!("credentials/{owner}/{}", at.millis()));
    let values = [("time", time.as_str())];
    let happened = Happened {
        account: owner.account,
        kind: Kind::Credentials,
        cause: cause.clone(),
        values: &values,
        at,
    };
    notices::tell(tx, &happened)?;
    if owner.operator == 0 {
        return Ok(());
    }
    let window = policy::at(tx, at)?.notice_window;
    let expires = at.plus_millis(window.millis());
    let shown = shown(tx, owner)?;
    for place in places(tx, owner)? {
        let fields = Fields::plain(&[("account", &shown), ("time", &time)]);
        outbox::queue(tx, &outgoing(owner, place, Kind::Credentials, fields, &cause, at, expires))?;
    }
    Ok(())
}

/// Whether it tells an operator of his own credentials, at a place that stands in his record.
pub(in crate::registry) fn tells_himself(
    tx: &mut Tx<'_>,
    outgoing: &Outgoing,
) -> Result<bool, RowsError> {
    let operator = outgoing.cause.split('/').nth(2).and_then(|code| code.parse().ok());
    let operator = operator.filter(|operator| *operator != 0 && outgoing.kind == Kind::Credentials);
    let Some(operator) = operator else { return Ok(false) };
    let own = places(tx, Owner { account: outgoing.account, operator })?;
    Ok(own.iter().any(|place| place.reach == outgoing.to))
}

/// Whether a code would reach somebody.
pub(in crate::registry) fn has_phone(tx: &mut Tx<'_>, owner: Owner) -> Result<bool, RowsError> {
    Ok(places(tx, owner)?.iter().any(|place| matches!(place.reach, Reach::Sms(_))))
}

/// A second factor, to each telephone; nothing is said after `until`.
pub(in crate::registry) fn login_code(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    code: &SecretString,
    (now, until): (Timestamp, Timestamp),
) -> Result<(), CredentialError> {
    let phones = places(tx, owner)?.into_iter();
    let phones: Vec<_> = phones.filter(|place| matches!(place.reach, Reach::Sms(_))).collect();
    if phones.is_empty() {
        return Err(CredentialError::NoPhone);
    }
    let values = [("code", code.expose_secret())];
    say(tx, vault, owner, phones, (Kind::LoginCode, &values), (now, until))
}

/// Both halves of a forgotten password: the link by mail, the code by SMS. Who can't get both gets none.
pub(in crate::registry) fn reset(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    (link, code): (&SecretString, &SecretString),
    (now, until): (Timestamp, Timestamp),
) -> Result<(), CredentialError> {
    let all = places(tx, owner)?.into_iter();
    let (phones, mailboxes): (Vec<_>, Vec<_>) =
        all.partition(|place| matches!(place.reach, Reach::Sms(_)));
    if phones.is_empty() || mailboxes.is_empty() {
        tracing::info!(%owner, "a new password is asked for, and no link and code can be sent");
        return Ok(());
    }
    let link = [("link", link.expose_secret())];
    say(tx, vault, owner, mailboxes, (Kind::ResetLink, &link), (now, until))?;
    let code = [("code", code.expose_secret())];
    say(tx, vault, owner, phones, (Kind::ResetCode, &code), (now, until))
}

fn say(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    places: Vec<Place>,
    (kind, values): (Kind, &[(&str, &str)]),
    (now, until): (Timestamp, Timestamp),
) -> Result<(), CredentialError> {
    let shown = shown(tx, owner)?;
    let values = [values, &[("account", shown.as_str())]].concat();
    let cause = format!("{}/{}", kind.word(), HEXLOWER.encode(&random::bytes::<8>()));
    for place in places {
        let fields = Fields::secret(vault, &values)?;
        outbox::queue(tx, &outgoing(owner, place, kind, fields, &cause, now, until))?;
    }
    Ok(())
}

fn outgoing(
    owner: Owner,
    place: Place,
    kind: Kind,
    fields: Fields,
    cause: &str,
    due: Timestamp,
    expires: Timestamp,
) -> Outgoing {
    Outgoing {
        account: owner.account,
        to: place.reach,
        language: place.language,
        kind,
        fields,
        cause: cause.to_owned(),
        due,
        expires,
    }
}

fn places(tx: &mut Tx<'_>, owner: Owner) -> Result<Vec<Place>, RowsError> {
    let Some(code) = OperatorCode::of_number(owner.operator) else {
        let proven = notices::holder_places(tx, owner.account)?.into_iter();
        let place = |one: notices::Target| Place { reach: one.reach, language: one.language };
        return Ok(proven.map(place).collect());
    };
    let Some(one) = operators::acting(tx, owner.account, code)? else { return Ok(Vec::new()) };
    let reaches = [one.person.phone.map(Reach::Sms), one.person.email.map(Reach::Mail)];
    let place = |reach| Place { reach, language: Language::Turkish };
    Ok(reaches.into_iter().flatten().map(place).collect())
}

/// Whose it is, as texts name him.
fn shown(tx: &mut Tx<'_>, owner: Owner) -> Result<String, RowsError> {
    let address = account_rows::by_id(tx, owner.account)?.address;
    Ok(match OperatorCode::of_number(owner.operator) {
        Some(code) => format!("{address}/{code}"),
        None => address,
    })
}
