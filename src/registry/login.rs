//! Whose password is this? One door for SMTP, IMAP and the portal.

use super::accounts::{self, Account, CertificateUse, OpeningMode, RegistryError};
use super::app_passwords::{self, AppPassword, Scope};
use super::credentials::tries::{self, Counted, Gate};
use super::credentials::{self, Owner, Rules};
use super::crowd;
use super::operators::{self, Operator, Signer};
use crate::store::app_passwords::{self as rows, AppPasswordRow};
use crate::store::{
    Lane, RowsError, Store, Tx, accounts as account_rows, operators as operator_rows,
};
use crate::trust::Certificate;
use crate::trust::password::Passwords;
use crate::trust::scram::{self, Verifier};
use crate::wire::{AccountId, KepAddress, KepDomain, OperatorCode, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

pub struct Logins {
    store: Store,
    passwords: Passwords,
    domain: KepDomain,
    /// There was a generated password once.
    generated: AtomicBool,
}

/// How long a client waits for the answer to a wrong password: longer with each one from its network
/// or for the same name, by whatever protocol, and soon forgotten. A right one never waits.
pub struct Pauses {
    first: Duration,
    failures: Mutex<HashMap<Who, (u32, Timestamp)>>,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Who {
    Network(IpAddr),
    /// The name's local part: who guesses doesn't choose his domain for nothing.
    Name(String),
    /// What one name adds to its network's.
    Part(IpAddr, String),
}

impl Pauses {
    pub fn new(first: Duration) -> Self {
        Self { first, failures: Mutex::default() }
    }

    /// One more failure from this address, for this name: the pause before its answer. Where no name is said,
    /// as with a passkey, it counts for its network alone.
    pub fn after_failure(&self, from: IpAddr, name: &str, now: Timestamp) -> Duration {
        let (network, local) = (crowd::network(from), local_part(name));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        self.count(&mut failures, Who::Part(network, local.clone()), now);
        let of_network = self.count(&mut failures, Who::Network(network), now);
        if local.is_empty() {
            return of_network;
        }
        of_network.max(self.count(&mut failures, Who::Name(local), now))
    }

    /// The right one for this name: what was wrong for it from there counts no more for its network. What
    /// was for other names does, lest who has an account here guesses at theirs as fast as he likes; and
    /// the name's own does, lest its owner's logins help whoever guesses. Without a name it is what was wrong
    /// from there without one.
    pub fn after_success(&self, from: IpAddr, name: &str, now: Timestamp) {
        let (network, local) = (crowd::network(from), local_part(name));
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((part, last)) = failures.remove(&Who::Part(network, local)) else { return };
        // What is long ago stands in no count any more.
        let part = if is_recent(last, now) { part } else { 0 };
        if let Some((count, _)) = failures.get_mut(&Who::Network(network)) {
            *count = count.saturating_sub(part);
        }
    }

    fn count(&self, failures: &mut Failures, who: Who, now: Timestamp) -> Duration {
        if failures.len() >= REMEMBERED && !failures.contains_key(&who) {
            forget(failures, now);
        }
        let (count, last) = failures.entry(who).or_insert((0, now));
        if !is_recent(*last, now) {
            *count = 0;
        }
        let pause = self.first.saturating_mul(1_u32.checked_shl(*count).unwrap_or(u32::MAX));
        (*count, *last) = (count.saturating_add(1), now);
        pause.min(LONGEST)
    }
}

fn local_part(name: &str) -> String {
    let local = name.split('@').next().unwrap_or_default();
    local.chars().take(NAME).collect::<String>().to_lowercase()
}

type Failures = HashMap<Who, (u32, Timestamp)>;

/// Makes room: the old ones go; when none is old, the older half.
fn forget(failures: &mut Failures, now: Timestamp) {
    failures.retain(|_, (_, last)| is_recent(*last, now));
    if failures.len() >= REMEMBERED {
        let mut times: Vec<_> = failures.values().map(|(_, last)| *last).collect();
        let middle = times.len() / 2;
        let (_, median, _) = times.select_nth_unstable(middle);
        let median = *median;
        failures.retain(|_, (_, last)| *last > median);
    }
}

fn is_recent(last: Timestamp, now: Timestamp) -> bool {
    now.millis() - last.millis() < FORGOTTEN_SECS * 1000
}

#[allow(clippy::large_enum_variant)] // a value of a moment, one a login
pub enum Outcome {
    Proven(Box<Proven>),
    /// Unknown or wrong: the caller does not learn which, nor by how long it took.
    Rejected,
    /// It is right, but not for this door.
    NotHere(NotHere),
}

impl Outcome {
    fn proven(account: Account, operator: Option<Operator>, by: Means) -> Self {
        Self::Proven(Box::new(Proven { account, operator, by }))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotHere {
    /// A generated password that was made for other doors.
    Scope,
    /// The account's own password, where a second factor stands beside it: programs can't ask for one.
    SecondFactor,
}

/// Whose a password is.
enum Whose {
    Holder,
    Operator(Box<Operator>),
    Nobody,
}

/// Who it is, and what proved it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proven {
    pub account: Account,
    /// Who acts for it; nobody but its holder.
    pub operator: Option<Operator>,
    pub by: Means,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Means {
    /// The account's own password.
    Password,
    /// A mail program's generated one.
    Generated(AppPassword),
    Certificate,
}

/// What a SCRAM exchange begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Salted {
    pub salt: Vec<u8>,
    pub iterations: u32,
    /// The server's part of the nonce.
    pub nonce: String,
}

impl Proven {
    /// Who it was, as a read fact names him: an operator by code and name; by a generated password its
    /// name stands beside.
    pub fn person(&self) -> String {
        let address = &self.account.address;
        let who = match &self.operator {
            Some(operator) => format!("{address} / {}", operator.label()),
            None => address.to_string(),
        };
        match &self.by {
            Means::Generated(known) => format!("{who} ({})", known.name),
            Means::Password | Means::Certificate => who,
        }
    }

    /// Which generated password it was.
    pub fn password(&self) -> Option<&str> {
        match &self.by {
            Means::Generated(known) => Some(&known.id),
            Means::Password | Means::Certificate => None,
        }
    }

    /// How dispatches are opened, where the password says so itself.
    pub fn opening(&self) -> Option<OpeningMode> {
        match &self.by {
            Means::Generated(known) => known.opening,
            Means::Password | Means::Certificate => None,
        }
    }
}

impl Logins {
    pub fn new(store: Store, passwords: Passwords, domain: KepDomain) -> Self {
        Self { store, passwords, domain, generated: AtomicBool::new(false) }
    }

    /// `user` is the address; its local part alone means the provider's own domain. Wrong tries of the
    /// account's own password count as at the portal, and its lock is kept here, too: who is locked out
    /// hears what a wrong one hears. Generated passwords are too long to be guessed, and enter still.
    pub async fn login(
        &self,
        user: &str,
        secret: &SecretString,
        door: Scope,
        now: Timestamp,
    ) -> Result<Outcome, RegistryError> {
        let Some(address) = self.address(user) else {
            self.passwords.verify(None, secret, now).await;
            return Ok(Outcome::Rejected);
        };
        let found = accounts::with_verifier(&self.store, &address).await?;
        if let Some((account, _)) = &found
            && let Some((row, shaped)) = self.generated(account.id, secret).await?
        {
            return Ok(match self.passwords.verify(Some(&row.verifier), &shaped, now).await {
                true => self.by_generated(account.clone(), &row, door, now).await?,
                false => Outcome::Rejected,
            });
        }
        // While it is locked nothing is judged: the right one takes as long as any other, and none is noted.
        if self.is_locked(&address, now).await? {
            self.passwords.verify(None, secret, now).await;
            return Ok(Outcome::Rejected);
        }
        let own = found.as_ref().map(|(_, own)| own.as_str());
        let fits = self.passwords.verify(own, secret, now).await;
        match found.filter(|_| fits) {
            Some((account, _)) => self.by_own(account, now).await,
            None => self.wrong(address, secret, now).await,
        }
    }

    async fn is_locked(&self, address: &KepAddress, now: Timestamp) -> Result<bool, RegistryError> {
        let counted = Counted::Password(address.clone(), 0);
        let gate = self.store.read(move |tx| tries::gate(tx, &counted, now)).await?;
        Ok(gate != Gate::Open)
    }

    /// One more wrong try for this name, whether there is such an account or not. The same wrong one
    /// again counts once: a program with an old password guesses nothing.
    async fn wrong(
        &self,
        address: KepAddress,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<Outcome, RegistryError> {
        if !self.passwords.was_wrong(address.as_str(), secret, now) {
            let counted = Counted::Password(address, 0);
            let work = move |tx: &mut Tx<'_>| {
                let rules = Rules::at(tx, now)?;
                tries::begin(tx, &counted, &rules, now)
            };
            self.store.write(Lane::Client, work).await?;
        }
        Ok(Outcome::Rejected)
    }

    /// Whether anybody has a generated password: SCRAM can prove no other.
    pub async fn any_generated(&self) -> Result<bool, RegistryError> {
        if !self.generated.load(Ordering::Relaxed) {
            let any = self.store.read(rows::any).await?;
            self.generated.store(any, Ordering::Relaxed);
        }
        Ok(self.generated.load(Ordering::Relaxed))
    }

    /// What a SCRAM exchange for this name begins with, whether there is such an account or not.
    pub async fn salted(&self, user: &str) -> Result<Salted, RegistryError> {
        let address = self.address(user);
        let name = address.as_ref().map_or(user, KepAddress::as_str).to_owned();
        let newest = match address {
            Some(address) => self.scram_rows(&address).await?.1.pop(),
            None => None,
        };
        let (salt, iterations) = match newest {
            Some(row) => (row.salt, row.iterations),
            None => (scram::salt(self.store.blobs.vault(), &name)?.to_vec(), scram::ITERATIONS),
        };
        Ok(Salted { salt, iterations, nonce: scram::nonce() })
    }

    /// Whose generated password proves this; with the signature that proves us to the client.
    pub async fn prove(
        &self,
        user: &str,
        message: &[u8],
        proof: &[u8],
        door: Scope,
        now: Timestamp,
    ) -> Result<(Outcome, [u8; 32]), RegistryError> {
        let rejected = (Outcome::Rejected, [0; 32]);
        let Some(address) = self.address(user) else { return Ok(rejected) };
        let (Some(account), rows) = self.scram_rows(&address).await? else { return Ok(rejected) };
        let vault = self.store.blobs.vault();
        for row in rows {
            let owner = app_passwords::owner(account.id, &row.id);
            let verifier = match Verifier::unseal(vault, &owner, &row.scram) {
                Ok(verifier) => verifier,
                // The others are good still.
                Err(error) => {
                    tracing::error!(%error, password = row.id, "a SCRAM verifier is damaged");
                    continue;
                }
            };
            if let Some(signature) = verifier.prove(message, proof) {
                return Ok((self.by_generated(account, &row, door, now).await?, signature));
            }
        }
        Ok(rejected)
    }

    /// Whose certificate this is, for the account named or, without a name, for the only one that it
    /// is registered for or names. Whether it is good and in the peer's hands is judged elsewhere.
    pub async fn certificate(
        &self,
        user: &str,
        certificate: &Certificate,
    ) -> Result<Outcome, RegistryError> {
        let account = match user {
            "" => self.holder(certificate).await?,
            user => match self.address(user) {
                Some(address) => accounts::find(&self.store, &address).await?,
                None => None,
            },
        };
        let Some(account) = account else { return Ok(Outcome::Rejected) };
        let (whose, shown) = (account.clone(), certificate.clone());
        let look =
            move |tx: &mut Tx<'_>| operators::signer(tx, &whose, &shown, CertificateUse::Login);
        let operator = match self.store.look_up(look).await? {
            Signer::Stranger => return Ok(Outcome::Rejected),
            Signer::Operator(operator) => Some(*operator),
            Signer::Holder => None,
        };
        Ok(Outcome::proven(account, operator, Means::Certificate))
    }

    fn address(&self, user: &str) -> Option<KepAddress> {
        match user.contains('@') {
            true => KepAddress::parse(user).ok(),
            false => KepAddress::parse(&format!("{user}@{}", self.domain)).ok(),
        }
    }

    /// The row that the first group of a password names, and the password as it was shown.
    async fn generated(
        &self,
        account: AccountId,
        secret: &SecretString,
    ) -> Result<Option<(AppPasswordRow, SecretString)>, RegistryError> {
        let Some(shaped) = app_passwords::shaped(secret) else { return Ok(None) };
        let Some(id) = app_passwords::id_of(shaped.expose_secret()) else { return Ok(None) };
        let row = self.store.read(move |tx| rows::find(tx, account, &id)).await?;
        Ok(row.map(|row| (row, shaped)))
    }

    async fn by_own(&self, account: Account, now: Timestamp) -> Result<Outcome, RegistryError> {
        let owner = Owner::holder(account.id);
        let counted = Counted::Password(account.address.clone(), 0);
        let work = move |tx: &mut Tx<'_>| {
            let rules = Rules::at(tx, now)?;
            let gate = tries::gate(tx, &counted, now)?;
            Ok::<_, RowsError>((gate, credentials::asks_two(tx, owner, &rules)?))
        };
        Ok(match self.store.look_up(work).await? {
            (Gate::Locked(_), _) => Outcome::Rejected,
            (Gate::Open, true) => Outcome::NotHere(NotHere::SecondFactor),
            (Gate::Open, false) => Outcome::proven(account, None, Means::Password),
        })
    }

    async fn by_generated(
        &self,
        account: Account,
        row: &AppPasswordRow,
        door: Scope,
        now: Timestamp,
    ) -> Result<Outcome, RegistryError> {
        let known = app_passwords::known(row)?;
        if !known.scopes.contains(door) {
            return Ok(Outcome::NotHere(NotHere::Scope));
        }
        let operator = match self.operator(account.id, &row.id).await? {
            Whose::Holder => None,
            Whose::Operator(operator) => Some(*operator),
            Whose::Nobody => return Ok(Outcome::Rejected),
        };
        app_passwords::used(&self.store, account.id, &known, now).await;
        Ok(Outcome::proven(account, operator, Means::Generated(known)))
    }

    /// Whose a generated password is. With an operator his passwords end.
    async fn operator(&self, account: AccountId, id: &str) -> Result<Whose, RegistryError> {
        let id = id.to_owned();
        let look = move |tx: &mut Tx<'_>| {
            let Some(code) = OperatorCode::of_number(operator_rows::of_password(tx, account, &id)?)
            else {
                return Ok(Whose::Holder);
            };
            let found = operators::acting(tx, account, code)?;
            Ok::<_, RowsError>(found.map_or(Whose::Nobody, |one| Whose::Operator(Box::new(one))))
        };
        Ok(self.store.look_up(look).await?)
    }

    async fn scram_rows(
        &self,
        address: &KepAddress,
    ) -> Result<(Option<Account>, Vec<AppPasswordRow>), RegistryError> {
        let Some(account) = accounts::find(&self.store, address).await? else {
            return Ok((None, Vec::new()));
        };
        let id = account.id;
        Ok((Some(account), self.store.read(move |tx| rows::of_account(tx, id)).await?))
    }

    async fn holder(&self, certificate: &Certificate) -> Result<Option<Account>, RegistryError> {
        let digest = certificate.digest();
        let find = move |tx: &mut Tx<'_>| account_rows::with_certificate(tx, &digest.0);
        let registered = self.store.read(find).await?;
        match registered.as_slice() {
            [one] => return Ok(Some(accounts::account(one)?)),
            [] => {}
            _ => return Ok(None),
        }
        match certificate.emails() {
            [email] => match KepAddress::parse(email) {
                Ok(address) => accounts::find(&self.store, &address).await,
                Err(_) => Ok(None),
            },
            _ => Ok(None),
        }
    }
}

/// A person who mistypes waits no longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Failures older than this don't count.
const FORGOTTEN_SECS: i64 = 900;
/// Networks and names remembered before the old ones are forgotten.
const REMEMBERED: usize = 10_000;
/// RFC 5321 §4.5.3.1.1: characters of a local part.
const NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(pauses: &Pauses, from: &str, name: &str, now: i64) -> u64 {
        pauses.after_failure(from.parse().unwrap(), name, Timestamp::from_secs(now)).as_secs()
    }

    fn right(pauses: &Pauses, from: &str, name: &str, now: i64) {
        pauses.after_success(from.parse().unwrap(), name, Timestamp::from_secs(now));
    }

    #[test]
    fn pauses_double_and_are_forgotten() {
        let pauses = Pauses::new(Duration::from_secs(2));
        let (one, other) = ("192.0.2.1", "192.0.2.2");
        let mut names = (0..).map(|n| format!("user{n}"));
        let mut fresh = |from, now| secs(&pauses, from, &names.next().unwrap(), now);
        assert_eq!([fresh(one, 0), fresh(one, 1), fresh(one, 2)], [2, 4, 8]);
        assert_eq!(fresh(other, 2), 2);
        assert_eq!((3..40).map(|now| fresh(one, now)).max(), Some(60));
        assert_eq!(fresh(one, 5_000), 2);
        right(&pauses, other, "user3", 5000);
        assert_eq!(fresh(other, 5_000), 2);
    }

    #[test]
    fn a_right_password_takes_away_what_its_own_name_added_and_nothing_else() {
        let pauses = Pauses::new(Duration::from_secs(1));
        let (from, own) = ("192.0.2.1", "veli@hs05.kep.tr");
        assert_eq!([secs(&pauses, from, own, 0), secs(&pauses, from, own, 1)], [1, 2]);
        assert_eq!(secs(&pauses, from, "ali", 2), 4);
        right(&pauses, from, "Veli@hs05.kep.tr", 3);
        assert_eq!(secs(&pauses, from, "ayse", 3), 2, "the one for ali counts still");
        // Who logs in between his guesses gains nothing by it.
        right(&pauses, from, own, 4);
        right(&pauses, from, "", 4);
        assert_eq!(secs(&pauses, from, "mehmet", 4), 4);
    }

    #[test]
    fn a_right_password_takes_away_nothing_of_a_count_that_began_anew() {
        let pauses = Pauses::new(Duration::from_secs(1));
        let (from, own) = ("192.0.2.1", "veli@hs05.kep.tr");
        assert_eq!([secs(&pauses, from, own, 0), secs(&pauses, from, own, 1)], [1, 2]);
        assert_eq!(secs(&pauses, from, "ayse", 1000), 1, "all of it is long ago");
        right(&pauses, from, own, 1001);
        assert_eq!(secs(&pauses, from, "mehmet", 1002), 2);
    }

    #[test]
    fn a_network_of_ipv6_and_a_name_tried_from_everywhere_wait_too() {
        let pauses = Pauses::new(Duration::from_secs(1));
        assert_eq!(secs(&pauses, "2001:db8::1", "a", 0), 1);
        assert_eq!(secs(&pauses, "2001:db8::2", "b", 0), 2);
        assert_eq!(secs(&pauses, "::ffff:192.0.2.1", "ali", 0), 1);
        assert_eq!(secs(&pauses, "192.0.2.9", "Ali@hs05.kep.tr", 0), 2);
        right(&pauses, "192.0.2.9", "ali", 3);
        assert_eq!(secs(&pauses, "192.0.2.10", "ali", 0), 4);
    }

    #[test]
    fn who_says_no_name_waits_for_nobody_elses_failures() {
        let pauses = Pauses::new(Duration::from_secs(1));
        assert_eq!([secs(&pauses, "192.0.2.1", "", 0), secs(&pauses, "192.0.2.1", "", 1)], [1, 2]);
        assert_eq!(secs(&pauses, "198.51.100.1", "", 2), 1, "no name is nobody's");
        right(&pauses, "192.0.2.1", "", 3);
        assert_eq!(secs(&pauses, "192.0.2.1", "ali", 3), 1);
        // What was wrong for a name counts still.
        right(&pauses, "192.0.2.1", "", 4);
        assert_eq!(secs(&pauses, "192.0.2.1", "", 4), 2);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let pauses = Pauses::new(Duration::from_secs(1));
        for n in 0..3 * REMEMBERED as i64 {
            secs(&pauses, "192.0.2.1", &n.to_string(), n / 100);
            assert!(pauses.failures.lock().unwrap().len() <= REMEMBERED);
        }
        assert_eq!(secs(&pauses, "192.0.2.1", "x", 300), 60, "the busiest is not forgotten");
    }
}
