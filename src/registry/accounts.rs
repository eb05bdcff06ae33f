//! Accounts: who may log in, submit and receive, and under which policies.

use super::addresses::{Malformed, Untaken};
use super::applications::ApplicationError;
use super::audit::{self, By};
use super::contracts;
use super::directory;
use super::holders::Faults;
use super::policy;
use super::sessions;
use super::shares;
pub use super::standing::AccountState;
use super::standing::{self, AccountStanding, Mistimed, Move, Service, Stage};
use crate::store::accounts::{self as rows, AccountRow, KnownAccount};
use crate::store::{Lane, RowsError, Store, StoreError, Tx, mail};
use crate::trust::{Certificate, TrustError};
use crate::wire::{AccountId, AddressError, HolderId, KepAddress, KepDomain, Timestamp};
use serde_json::json;
use thiserror::Error;

/// An account as the rooms above see it; its password stays below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub address: KepAddress,
    pub name: String,
    /// T.C. kimlik no; qualified certificates name their holder by it.
    pub identity_number: Option<String>,
    /// As it is written down; [`Account::state_at`] says what time has made of it.
    pub state: AccountState,
    pub service: Service,
    pub opening: OpeningMode,
    pub signature: SignatureRule,
    pub created_at: Timestamp,
    /// Whose it is, where that was recorded.
    pub holder: Option<HolderId>,
}

/// What may be done with an account now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    Whole,
    /// It is closed: what it holds may be read and taken away until then.
    Reading {
        until: Option<Timestamp>,
    },
    Over,
}

impl Access {
    pub fn is_over(self) -> bool {
        self == Self::Over
    }
}

impl Account {
    /// A closed account can be read for three months, to the end of the day in Turkey.
    pub fn access(&self, now: Timestamp) -> Access {
        access_to(&self.state, now)
    }

    pub fn state_at(&self, now: Timestamp) -> AccountState {
        self.state.at(now)
    }

    pub fn standing(&self) -> AccountStanding {
        AccountStanding { state: self.state.clone(), service: self.service }
    }

    pub fn closed_at(&self) -> Option<Timestamp> {
        self.state.closed_at()
    }

    /// Of a closed account, if it is known since when.
    pub fn readable_until(&self) -> Option<Timestamp> {
        self.state.readable_until()
    }
}

/// As the table has it, whatever the service type; a test holds that this is all that it says of these acts.
fn access_to(state: &AccountState, now: Timestamp) -> Access {
    let stage = state.stage_at(now);
    let may = |act| standing::answer(stage, Service::Receive, act) == standing::Answer::Yes;
    match (may(standing::Act::Login), may(standing::Act::Append)) {
        (true, true) => Access::Whole,
        (true, false) => Access::Reading { until: state.at(now).readable_until() },
        (false, _) => Access::Over,
    }
}

/// How an unopened dispatch stands in INBOX.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OpeningMode {
    /// `kapalı zarf`: a stub, until it is opened by an explicit act.
    Sealed,
    /// `doğrudan`: the first fetch of content opens.
    Direct,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignatureRule {
    /// Unsigned mail is refused.
    Required,
    /// Unsigned mail waits for its signature.
    Hold,
    Optional,
}

/// What a registered certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateUse {
    /// It signs mail, and logins to the portal.
    Sign,
    /// A program shows it in TLS; it signs nothing.
    Login,
    Both,
}

/// What is needed to open an account.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub address: KepAddress,
    pub name: String,
    pub identity_number: Option<String>,
    pub opening: OpeningMode,
    pub signature: SignatureRule,
    /// An Argon2id verifier.
    pub password: String,
    pub certificates: Vec<Certificate>,
    pub at: Timestamp,
}

#[derive(Debug, Error)]
pub enum RegistryError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0} exists already; an address is never given twice")]
    Exists(KepAddress),
    #[error("{0} is not an address of {1}")]
    Foreign(KepAddress, KepDomain),
    #[error("{0} is reserved for the provider")]
    Reserved(KepAddress),
    #[error("there is no account {0}")]
    Unknown(KepAddress),
    #[error("not a KEP address: {}", Malformed(*.0))]
    Address(AddressError),
    #[error("the name of a password is one line of 1 to {0} characters")]
    PasswordName(usize),
    #[error("{0} has {1} generated passwords already; remove one that is not used")]
    ManyPasswords(KepAddress, usize),
    #[error(transparent)]
    Trust(#[from] TrustError),
    #[error("{0}: {1}")]
    Standing(KepAddress, Mistimed),
    #[error(transparent)]
    Holder(#[from] Faults),
    #[error("{0} can't be given: {1}")]
    Untaken(KepAddress, Untaken),
    #[error("{0} has another holder, or none whose identity is known")]
    NotTheHolder(KepAddress),
    #[error("{0} has no holder who is known; record one first")]
    NoHolder(KepAddress),
    #[error("others act for {0}; a person's account (bireysel) has no operators")]
    HasOperators(KepAddress),
    #[error("only a company or a public body has that")]
    NotForPersons,
    #[error("{0} is forbidden by policy")]
    Forbidden(&'static str),
    #[error("a reason is one line of 1 to {0} characters")]
    Reason(usize),
    #[error("{0} has no contract")]
    NoContract(KepAddress),
    #[error("the contract of {0} can be renewed from {time} on", time = .1.turkish())]
    EarlyRenewal(KepAddress, Timestamp),
    #[error("{0} has no such request to close it")]
    NoRequest(KepAddress),
    #[error("a contract runs 1 to {0} months")]
    Months(u32),
    #[error("{0} has no receipt of a request to close it")]
    NoReceipt(KepAddress),
    #[error("no receipt is signed now: {0}")]
    Unsigned(String),
    #[error(transparent)]
    Application(#[from] ApplicationError),
    #[error("nobody has the sub-domain {0}")]
    NoSubDomain(String),
    #[error("accounts live in {0}, or applications for it are under way")]
    SubDomainInUse(KepDomain),
    #[error("an account is opened by an application that one has checked and two others approved")]
    ByApplication,
}

impl From<RowsError> for RegistryError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}

/// An account's address is in the provider's domain, or in a sub-domain of it.
pub fn is_own(address: &KepAddress, provider: &KepDomain) -> Result<(), RegistryError> {
    let own = provider.provider();
    match address.domain().provider() == own {
        true => Ok(()),
        false => Err(RegistryError::Foreign(address.clone(), own)),
    }
}

/// An address that an account can have at all.
pub fn may_have(address: &KepAddress, provider: &KepDomain) -> Result<(), RegistryError> {
    is_own(address, provider)?;
    match RESERVED.contains(&address.local()) {
        true => Err(RegistryError::Reserved(address.clone())),
        false => Ok(()),
    }
}

/// Opens an account with its mailboxes.
pub async fn add(
    store: &Store,
    provider: &KepDomain,
    new: NewAccount,
) -> Result<AccountId, RegistryError> {
    may_have(&new.address, provider)?;
    let address = new.address.clone();
    let added = store.write(Lane::Client, move |tx| insert(tx, &new)).await;
    match added {
        Err(StoreError::Exists(_)) => Err(RegistryError::Exists(address)),
        other => Ok(other?),
    }
}

pub async fn find(store: &Store, address: &KepAddress) -> Result<Option<Account>, RegistryError> {
    let text = address.as_str().to_owned();
    let row = store.look_up(move |tx| rows::by_address(tx, &text)).await?;
    row.map(|row| account(&row).map_err(RegistryError::from)).transpose()
}

/// What signature a new account is asked for: as the provider has decided (`signature.default`), or else
/// as this machine's configuration says.
pub async fn new_signature(
    store: &Store,
    configured: SignatureRule,
    at: Timestamp,
) -> Result<SignatureRule, RegistryError> {
    let decided = store.read(move |tx: &mut Tx<'_>| policy::at(tx, at)).await?.signature;
    Ok(decided.unwrap_or(configured))
}

/// The account that must be there.
pub async fn get(store: &Store, address: &KepAddress) -> Result<Account, RegistryError> {
    let found = find(store, address).await?;
    found.ok_or_else(|| RegistryError::Unknown(address.clone()))
}

/// The same within somebody's transaction.
pub fn get_in(tx: &mut Tx<'_>, address: &KepAddress) -> Result<Account, RegistryError> {
    let row = rows::by_address(tx, address.as_str())?;
    Ok(account(&row.ok_or_else(|| RegistryError::Unknown(address.clone()))?)?)
}

pub async fn list(store: &Store) -> Result<Vec<Account>, RegistryError> {
    let rows = store.read(rows::all).await?;
    Ok(rows.iter().map(account).collect::<Result<_, _>>()?)
}

/// Brings an account into another state, in one transaction with the record of who did it.
pub async fn change_state(
    store: &Store,
    address: &KepAddress,
    step: Move,
    by: &By,
) -> Result<AccountState, RegistryError> {
    let (id, address, by) = (get(store, address).await?.id, address.clone(), by.clone());
    let work = move |tx: &mut Tx<'_>| step_in(tx, id, &address, step.clone(), &by);
    store.write(Lane::Client, work).await
}

/// The same within somebody's transaction. What changes nothing is recorded nowhere.
pub fn step_in(
    tx: &mut Tx<'_>,
    id: AccountId,
    address: &KepAddress,
    step: Move,
    by: &By,
) -> Result<AccountState, RegistryError> {
    rows::lock(tx, id)?;
    let state = AccountState::of(&rows::standing(tx, id)?)?;
    let act = step.act();
    let after = state.after(step, by.at);
    let after = after.map_err(|mistimed| RegistryError::Standing(address.clone(), mistimed))?;
    if after != state {
        rows::set_standing(tx, id, &after.row())?;
        directory::entry::refresh(tx, id, by.at)?;
        if matches!(after, AccountState::Closed { .. } | AccountState::Ended { .. }) {
            contracts::leave(tx, id, by.at)?;
        }
        if matches!(after, AccountState::Ended { .. }) {
            sessions::end_account(tx, id)?;
        }
        audit::record(tx, by, act, address.as_str(), after.details())?;
    }
    Ok(after)
}

/// In somebody's transaction, under the account's lock.
pub(in crate::registry) fn set_opening_in(
    tx: &mut Tx<'_>,
    of: (AccountId, &KepAddress),
    mode: OpeningMode,
    by: &By,
) -> Result<(), RegistryError> {
    rows::set_opening(tx, of.0, mode.word())?;
    set_recorded(tx, of.1, "account.opening", json!({ "opening": mode.word() }), by)
}

/// The same of what signature is asked for.
pub(in crate::registry) fn set_signature_in(
    tx: &mut Tx<'_>,
    of: (AccountId, &KepAddress),
    rule: SignatureRule,
    by: &By,
) -> Result<(), RegistryError> {
    rows::set_signature_policy(tx, of.0, rule.word())?;
    set_recorded(tx, of.1, "account.signature", json!({ "signature": rule.word() }), by)
}

/// How many octets the account's messages may have together; `None` for that of its kind of holder, or else
/// the provider's. In somebody's transaction, under the account's lock.
pub(super) fn set_storage_in(
    tx: &mut Tx<'_>,
    of: (AccountId, &KepAddress),
    limit: Option<u64>,
    by: &By,
) -> Result<(), RegistryError> {
    mail::usage::set_limit(tx, of.0, limit)?;
    set_recorded(tx, of.1, "account.storage", json!({ "octets": limit }), by)
}

fn set_recorded(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    act: &'static str,
    details: serde_json::Value,
    by: &By,
) -> Result<(), RegistryError> {
    audit::record(tx, by, act, address.as_str(), details)?;
    Ok(())
}

/// Octets that may still come into the account; `None` when there is no limit. `provider` is the
/// provider's own limit.
pub async fn room(
    store: &Store,
    id: AccountId,
    provider: Option<u64>,
    now: Timestamp,
) -> Result<Option<u64>, RegistryError> {
    Ok(store.look_up(move |tx| shares::room(tx, id, provider, now)).await?)
}

/// The registered certificates; one that can't be read is left out.
pub async fn certificates(
    store: &Store,
    id: AccountId,
) -> Result<Vec<(Certificate, CertificateUse)>, RegistryError> {
    let found = store.look_up(move |tx| rows::all_certificates(tx, id)).await?;
    let read = found.iter().filter_map(|(der, uses)| {
        Some((Certificate::from_der(der).ok()?, CertificateUse::parse(uses)?))
    });
    Ok(read.collect())
}

/// The account of a row and the verifier of its password.
pub(super) async fn with_verifier(
    store: &Store,
    address: &KepAddress,
) -> Result<Option<(Account, String)>, RegistryError> {
    let text = address.as_str().to_owned();
    let row = store.read(move |tx| rows::by_address(tx, &text)).await?;
    let found = row.map(|row| Ok::<_, RowsError>((account(&row)?, row.password)));
    Ok(found.transpose()?)
}

/// Whether a signing certificate that is not registered is this account's: naming its holder by the T.C.
/// kimlik no, or, where that is not known of both, naming its address. Qualified certificates often
/// name no address; another person's number is another person, whatever address stands beside it.
pub fn is_signer(account: &Account, signer: &Certificate) -> bool {
    names_holder(account, signer.identity_number(), signer.emails())
}

fn names_holder(account: &Account, number: Option<&str>, emails: &[String]) -> bool {
    match (account.identity_number.as_deref(), number) {
        (Some(own), Some(theirs)) => own == theirs,
        _ => emails.iter().any(|email| email.eq_ignore_ascii_case(account.address.as_str())),
    }
}

/// What may be done with an account, without all else that is known of it.
pub fn access(tx: &mut Tx<'_>, id: AccountId, now: Timestamp) -> Result<Access, RowsError> {
    Ok(access_to(&AccountState::of(&rows::standing(tx, id)?)?, now))
}

pub fn account(row: &KnownAccount) -> Result<Account, RowsError> {
    let AccountStanding { state, service } = AccountStanding::of(&row.standing)?;
    Ok(Account {
        id: row.id,
        address: KepAddress::parse(&row.address).map_err(|_| RowsError::Stored("an address"))?,
        name: row.name.clone(),
        identity_number: row.national_id.clone(),
        state,
        service,
        opening: OpeningMode::parse(&row.opening).ok_or(RowsError::Stored("an opening mode"))?,
        signature: SignatureRule::parse(&row.signature_policy)
            .ok_or(RowsError::Stored("a signature rule"))?,
        created_at: row.created_at,
        holder: row.holder,
    })
}

/// Opens an account within somebody's transaction.
pub fn insert(tx: &mut Tx<'_>, new: &NewAccount) -> Result<AccountId, StoreError> {
    let row = AccountRow {
        id: AccountId(0),
        address: new.address.as_str().to_owned(),
        name: new.name.clone(),
        national_id: new.identity_number.clone(),
        state: Stage::Active.word().to_owned(),
        opening: new.opening.word().to_owned(),
        signature_policy: new.signature.word().to_owned(),
        password: new.password.clone(),
        created_at: new.at,
        closed_at: None,
    };
    let id = rows::add(tx, &row)?;
    // RFC 9051 §2.3.1.1: a mailbox made anew under an old name needs a greater value; seconds grow.
    let validity = u32::try_from(new.at.secs()).unwrap_or(u32::MAX);
    mail::create_all(tx, id, validity)?;
    for certificate in &new.certificates {
        let (digest, der) = (certificate.digest(), certificate.der());
        rows::add_certificate(tx, id, &digest.0, der, CertificateUse::Both.word(), new.at)?;
    }
    Ok(id)
}

macro_rules! words {
    ($name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub fn parse(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

words!(OpeningMode { Sealed = "sealed", Direct = "direct" });
words!(CertificateUse { Sign = "sign", Login = "login", Both = "both" });
words!(SignatureRule { Required = "required", Hold = "hold", Optional = "optional" });

/// Addresses of the provider itself.
pub const RESERVED: [&str; 3] = ["kepservisi", "postmaster", "abuse"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pki::Profile;
    use crate::trust::testing::{NOW, authority, issue};

    const ALI: &str = "ali.veli@hs05.kep.tr";
    const OWN: &str = "10000000146";
    const OTHER: &str = "10000000214";

    fn account(identity_number: Option<&str>) -> Account {
        Account {
            id: AccountId(1),
            address: KepAddress::parse(ALI).unwrap(),
            name: "Ali Veli".into(),
            identity_number: identity_number.map(str::to_owned),
            state: AccountState::Active,
            service: Service::Both,
            opening: OpeningMode::Sealed,
            signature: SignatureRule::Required,
            created_at: NOW,
            holder: None,
        }
    }

    #[test]
    fn what_can_be_done_follows_from_the_state() {
        let mut account = account(None);
        assert_eq!(account.access(NOW), Access::Whole);
        account.state = AccountState::Closed { since: None };
        assert_eq!(account.access(NOW), Access::Reading { until: None });
        account.state = AccountState::Closed { since: Some(NOW) };
        let until = account.readable_until().unwrap();
        assert_eq!(account.access(until), Access::Reading { until: Some(until) });
        assert_eq!(account.access(until.plus_millis(1)), Access::Over);
        account.state = AccountState::Suspended { since: NOW, reason: "x".into() };
        assert_eq!(account.access(NOW), Access::Whole);
        account.state = AccountState::Ended { since: NOW };
        assert!(account.access(NOW).is_over());
    }

    fn certificate(profile: Profile) -> Certificate {
        issue(&authority("Kök"), profile).certificate().clone()
    }

    fn by_number(number: &str) -> Certificate {
        let (name, identity_number) = ("Ali Veli".into(), number.into());
        certificate(Profile::Qualified { name, identity_number })
    }

    fn by_address(email: &str) -> Certificate {
        certificate(Profile::User { name: "Ali Veli".into(), email: email.into() })
    }

    #[test]
    fn invariant_07_an_identity_number_tells_whose_a_certificate_is() {
        assert!(is_signer(&account(Some(OWN)), &by_number(OWN)));
        assert!(!is_signer(&account(Some(OWN)), &by_number(OTHER)));
        assert!(!is_signer(&account(None), &by_number(OWN)));
    }

    #[test]
    fn invariant_07_an_address_tells_too_unless_the_numbers_differ() {
        assert!(is_signer(&account(None), &by_address("Ali.Veli@HS05.kep.tr")));
        assert!(is_signer(&account(Some(OWN)), &by_address(ALI)));
        assert!(!is_signer(&account(None), &by_address("ayse@hs05.kep.tr")));
        let both = |own, number| names_holder(&account(own), Some(number), &[ALI.to_owned()]);
        assert!(both(Some(OWN), OWN));
        assert!(!both(Some(OWN), OTHER));
        assert!(both(None, OTHER));
    }
}
