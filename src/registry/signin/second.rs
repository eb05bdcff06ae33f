//! The second step of a login, and the same step in a session that is there, before a legal act.

use super::challenge::{self, Details, Kind, Taken};
use super::desk::{self, Answer, Client, SignIn, enter};
use super::flow::{Event, Pending, SECOND_SECS, State, TRIES};
use super::signature::{Judged, Purpose};
use crate::registry::accounts::{self, CertificateUse};
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{
    CredentialError, Owner, Rules, has_phone, login_code, passkeys, totp,
};
use crate::registry::operators::{self, Signer};
use crate::registry::sessions::{self, Factor, Session};
use crate::store::credentials::{passkeys as passkey_rows, totp as totp_rows};
use crate::store::{Lane, Tx, accounts as account_rows};
use crate::trust::vault::Vault;
use crate::trust::{Certificate, one_time, passkey, secret};
use crate::wire::webauthn::{Assertion, Request};
use crate::wire::{KepAddress, Timestamp};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::SecretString;
use std::sync::Arc;

/// A second factor is asked for.
#[derive(Debug)]
pub struct Second {
    /// The answer comes with it, once.
    pub token: SecretString,
    pub options: Options,
    /// Tries.
    pub left: u8,
    pub ends_at: Timestamp,
    /// The factor that was tried waits until then; another one may be shown.
    pub locked_until: Option<Timestamp>,
    pub asking: Asking,
}

/// What is at hand, beside what was asked for.
#[derive(Clone, Debug)]
pub enum Asking {
    Nothing,
    /// `PublicKeyCredentialRequestOptionsJSON`.
    Passkey(serde_json::Value),
    /// The text that is to be signed, with CRLF.
    Signature(String),
    /// A code is on its way.
    Sms,
}

/// What this person can show. A signature always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    pub totp: bool,
    pub backup_code: bool,
    pub passkey: bool,
    /// A code to a telephone that is known.
    pub sms: bool,
}

/// What is shown.
#[derive(Debug)]
pub enum Given {
    /// In a session that is there only.
    Password(SecretString),
    Totp(SecretString),
    BackupCode(SecretString),
    Sms(SecretString),
    /// What the browser answered.
    Passkey(String),
    /// CMS SignedData over the text, with it or without.
    Signature(Vec<u8>),
}

/// The same, as far as it can be judged without the rows.
enum Looked {
    Password(bool),
    Code(Factor, SecretString),
    Passkey(Option<Assertion>),
    Signer(Option<Certificate>),
}

impl SignIn {
    /// Something is to be proven anew in a session that is there.
    pub async fn step_up(
        &self,
        session: &Session,
        now: Timestamp,
    ) -> Result<Second, CredentialError> {
        let (owner, session) = (session.owner, session.id.clone());
        let token = one_time::token();
        let work = move |tx: &mut Tx<'_>| {
            let ends_at = now.plus_secs(SECOND_SECS);
            let details =
                Details { left: TRIES, session: Some(session.clone()), ..Details::default() };
            lay(tx, owner, &details, ends_at, &token, now)
        };
        self.store.write(Lane::Client, work).await
    }

    /// What was asked for is shown.
    pub async fn second(
        &self,
        token: &SecretString,
        given: Given,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let taken = challenge::take(&self.store, Kind::Second, token, now).await?;
        let Some((taken, owner)) = taken.and_then(|taken| taken.owner.map(|owner| (taken, owner)))
        else {
            return Ok(Answer::Expired);
        };
        let looked = match self.look(given, &taken, owner, now).await? {
            Some(looked) => looked,
            None => return Ok(Answer::Later),
        };
        let (blobs, client) = (Arc::clone(&self.store.blobs), client.clone());
        let (relying, token) = (self.relying.clone(), one_time::token());
        let work = move |tx: &mut Tx<'_>| {
            account_rows::lock(tx, owner.account)?;
            let vault = blobs.vault();
            let counted = counted(&looked, owner);
            if let Some(counted) = &counted {
                let rules = Rules::at(tx, now)?;
                if let Gate::Locked(until) = tries::begin(tx, counted, &rules, now)? {
                    let again = lay(tx, owner, &taken.details, taken.ends_at, &token, now)?;
                    return Ok(Answer::Second(Second { locked_until: Some(until), ..again }));
                }
            }
            let shown = match &looked {
                Looked::Password(right) => right.then_some(Factor::Password),
                Looked::Code(factor, code) => {
                    judge_code(tx, vault, owner, *factor, code, &taken.details, now)?
                }
                Looked::Passkey(given) => {
                    let asked = taken.details.passkey();
                    let proven = match (&relying, given, asked) {
                        (Some(relying), Some(given), Some(asked)) => {
                            passkeys::prove(tx, relying, &asked, given, Some(owner), now)?
                        }
                        _ => None,
                    };
                    proven.map(|_| Factor::Passkey)
                }
                Looked::Signer(signer) => judge_signer(tx, owner, signer.as_ref())?,
            };
            if let (Some(counted), Some(_)) = (&counted, shown) {
                tries::right(tx, counted)?;
            }
            go_on(tx, owner, &taken, shown, &client, &token, now)
        };
        self.store.write(Lane::Client, work).await
    }

    /// A passkey is to be the second factor.
    pub async fn second_passkey(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<Second>, CredentialError> {
        let relying = self.relying.clone().ok_or(CredentialError::NoPortal)?;
        let work = move |tx: &mut Tx<'_>, owner: Owner, details: &mut Details, _: Timestamp| {
            let asked = passkey::challenge();
            details.passkey = Some(BASE64URL_NOPAD.encode(&asked));
            let allow = passkey_rows::of(tx, owner.key())?.into_iter().map(|row| row.id);
            let allow: Vec<_> = allow.collect();
            let request = Request { rp_id: relying.id(), challenge: &asked, allow: &allow };
            Ok(Asking::Passkey(request.json()))
        };
        self.ask(token, now, work).await
    }

    /// A signature is to be the second factor.
    pub async fn second_signature(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<Second>, CredentialError> {
        let site = self.site();
        let work = move |_: &mut Tx<'_>, _: Owner, details: &mut Details, _: Timestamp| {
            let text = Purpose::Login.text(&site, &one_time::token(), now);
            details.text = Some(text.clone());
            Ok(Asking::Signature(text))
        };
        self.ask(token, now, work).await
    }

    /// A code by SMS is to be the second factor.
    pub async fn second_sms(
        &self,
        token: &SecretString,
        now: Timestamp,
    ) -> Result<Option<Second>, CredentialError> {
        let blobs = Arc::clone(&self.store.blobs);
        let work = move |tx: &mut Tx<'_>, owner: Owner, details: &mut Details, until: Timestamp| {
            let rules = Rules { tries: SENT, ..Rules::at(tx, now)? };
            let counted = Counted::SmsSent(owner);
            if let Gate::Locked(until) = tries::begin(tx, &counted, &rules, now)? {
                return Err(CredentialError::Locked(until));
            }
            let code = one_time::digits();
            let vault = blobs.vault();
            let kept = one_time::keyed(vault, &format!("sms/{owner}"), &code)?;
            details.code = Some(HEXLOWER.encode(&kept));
            login_code(tx, vault, owner, &code, (now, until))?;
            Ok(Asking::Sms)
        };
        self.ask(token, now, work).await
    }

    /// The same step, with more to it, under a new token; nothing when there is none of this token. What
    /// can't be asked for leaves the step as it was.
    async fn ask(
        &self,
        token: &SecretString,
        now: Timestamp,
        more: impl Fn(&mut Tx<'_>, Owner, &mut Details, Timestamp) -> Result<Asking, CredentialError>
        + Send
        + 'static,
    ) -> Result<Option<Second>, CredentialError> {
        let (shown, token) = (token.clone(), one_time::token());
        let work = move |tx: &mut Tx<'_>| {
            let taken = challenge::take_in(tx, Kind::Second, &shown, now)?;
            let Some((taken, owner)) = taken.and_then(|one| one.owner.map(|owner| (one, owner)))
            else {
                return Ok(None);
            };
            let mut details = taken.details.clone();
            let asking = more(tx, owner, &mut details, taken.ends_at)?;
            let second = lay(tx, owner, &details, taken.ends_at, &token, now)?;
            Ok(Some(Second { asking, ..second }))
        };
        self.store.write(Lane::Client, work).await
    }

    /// Nothing when somebody else must be asked and does not answer.
    async fn look(
        &self,
        given: Given,
        taken: &Taken,
        owner: Owner,
        now: Timestamp,
    ) -> Result<Option<Looked>, CredentialError> {
        Ok(Some(match given {
            // A second factor is another one than the first.
            Given::Password(_) if taken.details.session.is_none() => Looked::Password(false),
            Given::Password(secret) => {
                Looked::Password(self.fits(owner, &secret, now).await? == Fits::Right)
            }
            Given::Totp(code) => Looked::Code(Factor::Totp, code),
            Given::BackupCode(code) => Looked::Code(Factor::BackupCode, code),
            Given::Sms(code) => Looked::Code(Factor::Sms, code),
            Given::Passkey(answer) => Looked::Passkey(Assertion::parse(&answer)),
            Given::Signature(cms) => match &taken.details.text {
                None => Looked::Signer(None),
                Some(text) => match self.signer(text, &cms, now).await {
                    Judged::By(certificate) => Looked::Signer(Some(certificate)),
                    Judged::Refused => Looked::Signer(None),
                    Judged::Later => return Ok(None),
                },
            },
        }))
    }

    /// The password of who has a session already; tries count as at a login.
    pub async fn fits(
        &self,
        owner: Owner,
        secret: &SecretString,
        now: Timestamp,
    ) -> Result<Fits, CredentialError> {
        let id = owner.account;
        let row = self.store.read(move |tx| account_rows::by_id(tx, id)).await?;
        let address = KepAddress::parse(&row.address).map_err(accounts::RegistryError::Address)?;
        let counted = Counted::Password(address, owner.operator);
        if let Gate::Locked(until) = self.begin_try(counted.clone(), now).await? {
            return Ok(Fits::Locked(until));
        }
        let verifier = self.store.read(move |tx| desk::verifier(tx, owner)).await?;
        let right = self.passwords.verify(verifier.as_deref(), secret, now).await;
        if right {
            self.store.write(Lane::Client, move |tx| tries::right(tx, &counted)).await?;
        }
        Ok(if right { Fits::Right } else { Fits::Wrong })
    }
}

/// Whether a password is the person's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fits {
    Right,
    Wrong,
    Locked(Timestamp),
}

fn counted(looked: &Looked, owner: Owner) -> Option<Counted> {
    match looked {
        Looked::Code(Factor::Totp, _) => Some(Counted::Totp(owner)),
        Looked::Code(Factor::BackupCode, _) => Some(Counted::Backup(owner)),
        Looked::Code(..) => Some(Counted::Sms(owner)),
        // Counted where it was looked at, or not to be guessed.
        Looked::Password(_) | Looked::Passkey(_) | Looked::Signer(_) => None,
    }
}

fn judge_code(
    tx: &mut Tx<'_>,
    vault: &Vault,
    owner: Owner,
    factor: Factor,
    code: &SecretString,
    details: &Details,
    now: Timestamp,
) -> Result<Option<Factor>, CredentialError> {
    let right = match factor {
        Factor::Totp => {
            let confirmed = totp_rows::get(tx, owner.key())?;
            confirmed.is_some_and(|row| row.confirmed_at.is_some())
                && totp::prove(tx, vault, owner, code, now)?
        }
        Factor::BackupCode => totp::prove_backup(tx, vault, owner, code)?,
        _ => match details.code() {
            Some(kept) => {
                let given = one_time::keyed(vault, &format!("sms/{owner}"), code)?;
                secret::is_same(&kept, &given)
            }
            None => false,
        },
    };
    Ok(right.then_some(factor))
}

fn judge_signer(
    tx: &mut Tx<'_>,
    owner: Owner,
    signer: Option<&Certificate>,
) -> Result<Option<Factor>, CredentialError> {
    let Some(signer) = signer else { return Ok(None) };
    let account = accounts::account(&account_rows::by_id(tx, owner.account)?)?;
    let whose = match operators::signer(tx, &account, signer, CertificateUse::Sign)? {
        Signer::Holder => Some(0),
        Signer::Operator(operator) => Some(operator.code.number()),
        Signer::Stranger => None,
    };
    Ok((whose == Some(owner.operator)).then_some(Factor::Signature))
}

fn go_on(
    tx: &mut Tx<'_>,
    owner: Owner,
    taken: &Taken,
    shown: Option<Factor>,
    client: &Client,
    token: &SecretString,
    now: Timestamp,
) -> Result<Answer, CredentialError> {
    if let (Some(session), Some(factor)) = (&taken.details.session, shown) {
        let there = sessions::prove_again(tx, owner.account, session, factor, now)?;
        return Ok(if there { Answer::Stepped } else { Answer::Expired });
    }
    let (left, ends_at) = (taken.details.left, taken.ends_at);
    let pending = Pending { shown: taken.details.factors(), left, ends_at };
    let event = shown.map_or(Event::Wrong, Event::Right);
    match State::Second(pending).next(event, true, now) {
        State::In(factors) => enter(tx, owner, &factors, client, token, now),
        State::Second(pending) => {
            let details = Details { left: pending.left, ..taken.details.clone() };
            lay(tx, owner, &details, ends_at, token, now).map(Answer::Second)
        }
        State::Begin | State::Over(_) => Ok(Answer::Wrong),
    }
}

pub(super) fn details(pending: &Pending, session: Option<String>) -> Details {
    let shown = pending.shown.iter().map(|factor| factor.word().to_owned()).collect();
    Details { shown, left: pending.left, session, ..Details::default() }
}

/// Lays the step in, and says what can be shown.
pub(super) fn lay(
    tx: &mut Tx<'_>,
    owner: Owner,
    details: &Details,
    ends_at: Timestamp,
    token: &SecretString,
    now: Timestamp,
) -> Result<Second, CredentialError> {
    challenge::put(tx, Kind::Second, Some(owner), details, token, now, Some(ends_at))?;
    let app = totp_rows::get(tx, owner.key())?.is_some_and(|row| row.confirmed_at.is_some());
    let options = Options {
        totp: app,
        backup_code: totp_rows::backup_codes(tx, owner.key())? > 0,
        passkey: !passkey_rows::of(tx, owner.key())?.is_empty(),
        sms: has_phone(tx, owner)?,
    };
    Ok(Second {
        token: token.clone(),
        options,
        left: details.left,
        ends_at,
        locked_until: None,
        asking: Asking::Nothing,
    })
}

/// Codes that are sent to one person before he waits.
const SENT: i64 = 3;
