//! Sub-domains of institutions: whose each is. One is kept for the application that was the first to
//! ask for an address in it, and is free again when that comes to nothing; staff frees one in which no
//! account lives any more.

use super::accounts::{self, Account, RegistryError};
use super::addresses::sub_domain;
use super::audit::{self, By};
use super::closings::{self, reasoned};
use super::standing::Stage;
use crate::store::addresses::{self as rows, SubDomainRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows, applications, holders};
use crate::wire::{ApplicationId, HolderId, KepAddress, KepDomain, Timestamp};
use serde_json::json;

/// An institution's domain, and what is in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubDomain {
    pub domain: KepDomain,
    /// The number by which its holder is known.
    pub identity: String,
    /// Where he is recorded, with his name.
    pub holder: Option<(HolderId, String)>,
    pub given_at: Timestamp,
    pub accounts: Vec<Account>,
    /// Applications under way for addresses in it.
    pub applications: Vec<ApplicationId>,
}

/// All of the provider's, or the one of that label.
pub async fn list(
    store: &Store,
    provider: &KepDomain,
    label: Option<&str>,
) -> Result<Vec<SubDomain>, RegistryError> {
    let (provider, label) = (provider.clone(), label.map(str::to_owned));
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<SubDomain>, RowsError> {
        let all = rows::sub_domains(tx)?.into_iter();
        let wanted = |row: &SubDomainRow| label.as_ref().is_none_or(|label| *label == row.label);
        all.filter(wanted).map(|row| whole(tx, &provider, row)).collect()
    };
    Ok(store.read(work).await?)
}

/// Frees one, with a reason: no account lives in it, and no application is under way.
pub async fn release(
    store: &Store,
    provider: &KepDomain,
    label: &str,
    reason: &str,
    by: &By,
) -> Result<(), RegistryError> {
    let (provider, label, by) = (provider.clone(), label.to_owned(), by.clone());
    let reason = reasoned(reason, false)?;
    let work = move |tx: &mut Tx<'_>| -> Result<(), RegistryError> {
        let found = |tx: &mut Tx<'_>| -> Result<SubDomain, RegistryError> {
            let row = rows::sub_domains(tx)?.into_iter().find(|row| row.label == label);
            let row = row.ok_or_else(|| RegistryError::NoSubDomain(label.clone()))?;
            Ok(whole(tx, &provider, row)?)
        };
        // What time has ended counts as ended. Accounts are locked before addresses.
        for account in &found(tx)?.accounts {
            closings::catch_up_in(tx, account, &by)?;
        }
        rows::hold(tx)?;
        let one = found(tx)?;
        let lives = |account: &Account| account.state.stage_at(by.at) != Stage::Ended;
        if one.accounts.iter().any(lives) || !one.applications.is_empty() {
            return Err(RegistryError::SubDomainInUse(one.domain));
        }
        rows::free_sub_domain(tx, &label)?;
        let holder = one.holder.map(|(id, _)| id.0);
        let details = json!({ "reason": reason, "holder": holder });
        audit::record(tx, &by, "sub_domain.release", one.domain.as_str(), details)?;
        Ok(())
    };
    store.write(Lane::Client, work).await
}

/// An application for that address came to nothing: a sub-domain that was kept for it alone is free. Says
/// whether it is.
pub(super) fn leave(tx: &mut Tx<'_>, address: &KepAddress) -> Result<bool, RowsError> {
    let Some(label) = sub_domain(address) else { return Ok(false) };
    rows::hold(tx)?;
    let domain = address.domain();
    let kept = rows::any_in(tx, &domain)? || !applications::under_way(tx, &domain)?.is_empty();
    Ok(!kept && rows::free_sub_domain(tx, &label)?)
}

fn whole(tx: &mut Tx<'_>, provider: &KepDomain, row: SubDomainRow) -> Result<SubDomain, RowsError> {
    let domain = KepDomain::parse(&format!("{}.{}", row.label, provider.provider()));
    let domain = domain.map_err(|_| RowsError::Stored("a sub-domain"))?;
    let holder = match holders::by_identity(tx, &row.identity)? {
        Some(id) => Some((id, holders::find(tx, id)?.name)),
        None => None,
    };
    let accounts = account_rows::in_domain(tx, &domain)?;
    Ok(SubDomain {
        accounts: accounts.iter().map(accounts::account).collect::<Result<_, _>>()?,
        applications: applications::under_way(tx, &domain)?,
        identity: row.identity,
        holder,
        given_at: row.given_at,
        domain,
    })
}
