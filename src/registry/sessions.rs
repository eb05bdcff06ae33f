//! Sessions of the portal and of the API: a token that is kept as its digest, what was proven in it and
//! when, and how long it lasts.

use super::accounts::{self, Account};
use super::audit::By;
use super::credentials::{CredentialError, Owner, Rules, record};
use super::operators::{self, Operator};
use crate::store::credentials::sessions::{self as rows, SessionRow};
use crate::store::{Lane, RowsError, Store, Tx, accounts as account_rows};
use crate::trust::{one_time, random};
use crate::wire::{AccountId, OperatorCode, Timestamp};
use data_encoding::HEXLOWER;
use secrecy::SecretString;
use serde_json::json;
use std::cmp::Reverse;

/// What somebody has shown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Factor {
    Password,
    /// A code of the authenticator app.
    Totp,
    /// A code on paper.
    BackupCode,
    /// A code by SMS.
    Sms,
    Passkey,
    /// A qualified electronic signature.
    Signature,
    /// A certificate in TLS: the key may lie in a file.
    Certificate,
}

impl Factor {
    pub const ALL: [Self; 7] = [
        Self::Password,
        Self::Totp,
        Self::BackupCode,
        Self::Sms,
        Self::Passkey,
        Self::Signature,
        Self::Certificate,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Totp => "totp",
            Self::BackupCode => "backup-code",
            Self::Sms => "sms",
            Self::Passkey => "passkey",
            Self::Signature => "signature",
            Self::Certificate => "certificate",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|factor| factor.word() == word)
    }

    /// Two factors in one: a thing that one has, and the PIN or finger that it asks for.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Passkey | Self::Signature)
    }

    /// What can stand behind a password.
    pub fn is_second(self) -> bool {
        !matches!(self, Self::Password | Self::Certificate)
    }
}

/// What was shown, and when last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proof {
    pub factor: Factor,
    pub at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Names it; lets nobody in.
    pub id: String,
    pub owner: Owner,
    pub proofs: Vec<Proof>,
    pub created_at: Timestamp,
    /// To within a minute.
    pub seen_at: Timestamp,
    /// However it is used.
    pub ends_at: Timestamp,
    /// The network address it began from.
    pub address: String,
    /// The program it began with, as that calls itself.
    pub agent: String,
}

/// What must have been proven of late; which act asks for which says [`super::legal::TABLE`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StepUp {
    /// Anything: the same person is still there.
    Presence,
    /// A legal act: more than a password.
    Legal,
}

impl Session {
    /// Whether what was proven of late, as the rules have it, is enough.
    pub fn proves(&self, what: StepUp, rules: &Rules, now: Timestamp) -> bool {
        let age = |proof: &Proof| now.millis() - proof.at.millis();
        let fresh = |proof: &&Proof| (0..=rules.step_up_secs * 1000).contains(&age(proof));
        self.proofs.iter().filter(fresh).any(|proof| match what {
            StepUp::Presence => true,
            StepUp::Legal => proof.factor.is_second(),
        })
    }

    pub fn factors(&self) -> impl Iterator<Item = Factor> {
        self.proofs.iter().map(|proof| proof.factor)
    }

    fn is_alive(&self, rules: &Rules, now: Timestamp) -> bool {
        now < self.ends_at && now.millis() - self.seen_at.millis() < rules.idle_secs * 1000
    }

    fn of(row: &SessionRow) -> Result<Self, RowsError> {
        Ok(Self {
            id: row.id.clone(),
            owner: row.owner.into(),
            proofs: read(&row.proofs).ok_or(RowsError::Stored("what a session has shown"))?,
            created_at: row.created_at,
            seen_at: row.seen_at,
            ends_at: row.ends_at,
            address: row.address.clone(),
            agent: row.agent.clone(),
        })
    }
}

/// Begins one. The token is shown this once.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    owner: Owner,
    factors: &[Factor],
    (address, agent): (&str, &str),
    token: &SecretString,
    now: Timestamp,
) -> Result<Session, RowsError> {
    let rules = Rules::at(tx, now)?;
    rows::sweep(tx, now.plus_secs(-rules.idle_secs), now)?;
    // Who opens one after the other keeps those that are in use.
    let mut there = rows::of_account(tx, owner.account)?;
    there.sort_by_key(|session| Reverse(used_until(session)));
    for unused in there.iter().skip(MOST) {
        rows::end(tx, owner.account, &unused.id)?;
    }
    let proofs: Vec<_> = factors.iter().map(|factor| Proof { factor: *factor, at: now }).collect();
    let row = SessionRow {
        id: HEXLOWER.encode(&random::bytes::<8>()),
        owner: owner.key(),
        proofs: written(&proofs),
        created_at: now,
        seen_at: now,
        ends_at: now.plus_secs(rules.session_secs),
        address: address.to_owned(),
        agent: shortened(agent),
    };
    rows::add(tx, &row, &one_time::digest(token))?;
    Session::of(&row)
}

/// Whether it may be a session's token: 256 bits in base64url.
pub fn has_form(token: &str) -> bool {
    token.len() == 43
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Who is there by a session, and by what rules.
#[derive(Clone, Debug)]
pub struct Admitted {
    pub session: Session,
    pub account: Account,
    /// Who acts for it; nobody but its holder.
    pub operator: Option<Operator>,
    pub rules: Rules,
}

/// Who is behind a token, while his session lasts and, as an operator, he acts.
pub async fn admit(
    store: &Store,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<Admitted>, CredentialError> {
    let Some(session) = find(store, token, now).await? else { return Ok(None) };
    store.look_up(move |tx: &mut Tx<'_>| admitted(tx, session.clone(), now)).await
}

fn admitted(
    tx: &mut Tx<'_>,
    session: Session,
    now: Timestamp,
) -> Result<Option<Admitted>, CredentialError> {
    let owner = session.owner;
    let operator = match OperatorCode::of_number(owner.operator) {
        None => None,
        Some(code) => match operators::acting(tx, owner.account, code)? {
            None => return Ok(None),
            some => some,
        },
    };
    let account = accounts::account(&account_rows::by_id(tx, owner.account)?)?;
    let rules = Rules::at(tx, now)?;
    Ok(Some(Admitted { session, account, operator, rules }))
}

/// The same in the transaction that acts for it: nothing, if it has ended since, or its operator has gone.
pub fn admit_again(
    tx: &mut Tx<'_>,
    was: &Session,
    now: Timestamp,
) -> Result<Option<Admitted>, CredentialError> {
    let Some(row) = rows::by_id(tx, &was.id)? else { return Ok(None) };
    match alive(tx, &row, now)? {
        Some(session) => admitted(tx, session, now),
        None => Ok(None),
    }
}

fn alive(
    tx: &mut Tx<'_>,
    row: &SessionRow,
    now: Timestamp,
) -> Result<Option<Session>, CredentialError> {
    let (session, rules) = (Session::of(row)?, Rules::at(tx, now)?);
    let over = accounts::access(tx, session.owner.account, now)?.is_over();
    Ok((session.is_alive(&rules, now) && !over).then_some(session))
}

/// The session of a token, while it lasts and its account may be entered. Using it keeps it from ending
/// for idleness.
pub async fn find(
    store: &Store,
    token: &SecretString,
    now: Timestamp,
) -> Result<Option<Session>, CredentialError> {
    let digest = one_time::digest(token);
    let work = move |tx: &mut Tx<'_>| match rows::by_token(tx, &digest)? {
        Some(row) => alive(tx, &row, now),
        None => Ok(None),
    };
    let found = store.look_up(work).await?;
    if let Some(session) = &found {
        seen(store, session, now).await;
    }
    Ok(found)
}

async fn seen(store: &Store, session: &Session, now: Timestamp) {
    // The first use is noted at once.
    let lately = now.millis() - session.seen_at.millis() < NOTED_SECS * 1000;
    if lately && session.seen_at > session.created_at {
        return;
    }
    let id = session.id.clone();
    let work = move |tx: &mut Tx<'_>| rows::seen(tx, &id, now);
    if let Err(error) = store.write(Lane::Background, work).await {
        tracing::warn!(%error, "the use of a session could not be noted");
    }
}

/// Notes one more proof in a session that is there; false when it is not any more.
pub(super) fn prove_again(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &str,
    factor: Factor,
    now: Timestamp,
) -> Result<bool, RowsError> {
    account_rows::lock(tx, account)?;
    let all = rows::of_account(tx, account)?;
    let Some(row) = all.iter().find(|row| row.id == id) else { return Ok(false) };
    let mut proofs = Session::of(row)?.proofs;
    proofs.retain(|proof| proof.factor != factor);
    proofs.push(Proof { factor, at: now });
    rows::set_proofs(tx, id, &written(&proofs))
}

/// Those of an account that last still, its operators' too, the latest first.
pub async fn list(
    store: &Store,
    account: AccountId,
    now: Timestamp,
) -> Result<Vec<Session>, CredentialError> {
    let work = move |tx: &mut Tx<'_>| {
        let rules = Rules::at(tx, now)?;
        let all = rows::of_account(tx, account)?;
        let all = all.iter().map(Session::of).collect::<Result<Vec<_>, RowsError>>()?;
        let alive = all.into_iter().filter(|session| session.is_alive(&rules, now));
        Ok::<_, CredentialError>(alive.collect())
    };
    store.read(work).await
}

/// Ends one; false when the account has none of this id.
pub async fn end(store: &Store, owner: Owner, id: &str, by: &By) -> Result<bool, CredentialError> {
    let (id, by) = (id.to_owned(), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        let ended = rows::end(tx, owner.account, &id)?;
        if ended {
            record(tx, &by, "session.end", owner, json!({ "session": id }))?;
        }
        Ok::<_, CredentialError>(ended)
    };
    store.write(Lane::Client, work).await
}

/// Ends all of a person but, where it is named, the one that asks for it. Says how many.
pub async fn end_all(
    store: &Store,
    owner: Owner,
    but: Option<&str>,
    by: &By,
) -> Result<u64, CredentialError> {
    let (but, by) = (but.map(str::to_owned), by.clone());
    let work = move |tx: &mut Tx<'_>| {
        let ended = rows::end_all(tx, owner.key(), but.as_deref())?;
        record(tx, &by, "session.end-all", owner, json!({ "ended": ended }))?;
        Ok::<_, CredentialError>(ended)
    };
    store.write(Lane::Client, work).await
}

/// Ends all of an account, whosever they are, as when it is suspended.
pub fn end_account(tx: &mut Tx<'_>, account: AccountId) -> Result<u64, RowsError> {
    rows::end_account(tx, account)
}

/// Up to when it may have been in use: a use is noted a while later, but for the one that began it.
fn used_until(session: &SessionRow) -> Timestamp {
    let late = if session.seen_at > session.created_at { NOTED_SECS + SLACK_SECS } else { 0 };
    session.seen_at.plus_secs(late)
}

fn written(proofs: &[Proof]) -> String {
    let words = proofs.iter().map(|proof| format!("{}@{}", proof.factor.word(), proof.at.millis()));
    words.collect::<Vec<_>>().join(" ")
}

fn read(text: &str) -> Option<Vec<Proof>> {
    let word = |word: &str| {
        let (factor, at) = word.split_once('@')?;
        let at = Timestamp::from_millis(at.parse().ok()?);
        Some(Proof { factor: Factor::parse(factor)?, at })
    };
    text.split_ascii_whitespace().map(word).collect()
}

/// One line, of a length that a list has room for.
fn shortened(agent: &str) -> String {
    agent.chars().filter(|c| !c.is_control()).take(AGENT).collect()
}

/// Of an account, its operators' together, before those go that were longest unused.
const MOST: usize = 99;
/// Seconds.
const NOTED_SECS: i64 = 60;
/// How long noting it may take.
const SLACK_SECS: i64 = 5;
/// Characters.
const AGENT: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::policy::Policies;

    const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

    fn session(proofs: &[(Factor, i64)]) -> Session {
        let proof =
            |(factor, ago): &(Factor, i64)| Proof { factor: *factor, at: NOW.plus_secs(-ago) };
        Session {
            id: "a".into(),
            owner: Owner::holder(AccountId(1)),
            proofs: proofs.iter().map(proof).collect(),
            created_at: NOW,
            seen_at: NOW,
            ends_at: NOW.plus_secs(28_800),
            address: "192.0.2.1".into(),
            agent: String::new(),
        }
    }

    #[test]
    fn a_legal_act_takes_more_than_a_password_and_of_late() {
        let rules = Rules::of(&Policies::default());
        let proves = |proofs: &[(Factor, i64)], what| session(proofs).proves(what, &rules, NOW);
        assert!(proves(&[(Factor::Password, 10)], StepUp::Presence));
        assert!(!proves(&[(Factor::Password, 10)], StepUp::Legal));
        assert!(!proves(&[(Factor::Password, 601)], StepUp::Presence));
        assert!(!proves(&[(Factor::Certificate, 0)], StepUp::Legal));
        for factor in [Factor::Totp, Factor::Passkey, Factor::Signature, Factor::Sms] {
            assert!(proves(&[(Factor::Password, 900), (factor, 600)], StepUp::Legal));
            assert!(!proves(&[(Factor::Password, 0), (factor, 601)], StepUp::Legal));
            assert!(!proves(&[(factor, -1)], StepUp::Legal), "a clock went back");
        }
        assert!(!proves(&[], StepUp::Presence));
    }

    #[test]
    fn a_session_ends_by_idleness_and_in_the_end() {
        let rules = Rules::of(&Policies::default());
        let one = session(&[(Factor::Password, 0)]);
        assert!(one.is_alive(&rules, NOW.plus_secs(899)));
        assert!(!one.is_alive(&rules, NOW.plus_secs(900)));
        let busy = Session { seen_at: NOW.plus_secs(28_799), ..one };
        assert!(busy.is_alive(&rules, NOW.plus_secs(28_799)));
        assert!(!busy.is_alive(&rules, NOW.plus_secs(28_800)));
    }

    #[test]
    fn proofs_are_read_as_they_are_written() {
        let proofs = session(&[(Factor::Password, 5), (Factor::BackupCode, 0)]).proofs;
        assert_eq!(read(&written(&proofs)), Some(proofs));
        assert_eq!(read(""), Some(Vec::new()));
        for bad in ["password", "password@x", "nothing@1"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(Factor::ALL.iter().all(|factor| Factor::parse(factor.word()) == Some(*factor)));
    }
}
