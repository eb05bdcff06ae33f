//! Logging in by electronic signature: a text with a number that is used once is signed
//! (CMS, CAdES) with a certificate that is registered for the account or names its holder by his T.C.
//! kimlik no; an operator names the account for which he acts. The signature is judged as one under a mail is: path, validity, use, revocation.

use super::challenge::{self, Details, Kind};
use super::desk::{Answer, Client, Named, SignIn, enter};
use crate::registry::accounts::{self, Account, CertificateUse};
use crate::registry::credentials::{CredentialError, Owner};
use crate::registry::operators::{self, Signer};
use crate::registry::sessions::Factor;
use crate::store::{Lane, RowsError, Tx, accounts as account_rows};
use crate::trust::user_signature::SignatureFault;
use crate::trust::{Certificate, one_time};
use crate::wire::{KepAddress, Timestamp};
use secrecy::{ExposeSecret, SecretString};

/// What a signature is asked for. Each has a text of its own, so that none serves another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Login,
    NewPassword,
}

/// What became of a signature.
pub(super) enum Judged {
    By(Certificate),
    Refused,
    /// Whether its certificate is revoked could not be learnt.
    Later,
}

impl Purpose {
    /// The text that is signed. Its first line is the header of no mail, its lines end as signing
    /// programs make them end.
    pub(super) fn text(self, site: &str, number: &SecretString, now: Timestamp) -> String {
        let title = match self {
            Self::Login => "KEP OTURUM AÇMA / KEP LOGIN",
            Self::NewPassword => "KEP YENİ PAROLA / KEP NEW PASSWORD",
        };
        let number = number.expose_secret();
        let time = now.iso8601();
        format!(
            "{title}\r\nYer / Site: {site}\r\nZaman / Time: {time}\r\nSayı / Number: {number}\r\n"
        )
    }
}

impl SignIn {
    /// The text to sign, and the token that the signature comes with.
    pub async fn ask_signature(
        &self,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<(SecretString, String), CredentialError> {
        let text = purpose.text(&self.site(), &one_time::token(), now);
        let details = Details { text: Some(text.clone()), ..Details::default() };
        let token = challenge::lay(&self.store, Kind::Signature, None, details, now).await?;
        Ok((token, text))
    }

    /// By signature; for the account named or, without a name, for the only one that it can be of.
    pub async fn signature(
        &self,
        token: &SecretString,
        cms: &[u8],
        user: Option<&str>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let found = match self.signed(token, cms, user, Purpose::Login, now).await? {
            Ok(found) => found,
            Err(answer) => return Ok(answer),
        };
        match found.as_slice() {
            [] => Ok(Answer::Wrong),
            [(owner, _)] => self.enter_signed(*owner, client, now).await,
            several => {
                let accounts = several.iter().map(|(owner, _)| owner.account.0).collect();
                let details = Details { accounts, ..Details::default() };
                let token = challenge::lay(&self.store, Kind::Which, None, details, now).await?;
                let accounts = several.iter().map(|(_, account)| account.address.clone()).collect();
                Ok(Answer::Which { token, accounts })
            }
        }
    }

    /// Which of the accounts is meant.
    pub async fn which(
        &self,
        token: &SecretString,
        address: &KepAddress,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let taken = challenge::take(&self.store, Kind::Which, token, now).await?;
        let Some(taken) = taken else { return Ok(Answer::Expired) };
        match accounts::find(&self.store, address).await? {
            Some(account) if taken.details.accounts.contains(&account.id.0) => {
                self.enter_signed(Owner::holder(account.id), client, now).await
            }
            _ => Ok(Answer::Wrong),
        }
    }

    /// Whose the signature is that a token waits for; or the answer, when it is nobody's.
    pub(super) async fn signed(
        &self,
        token: &SecretString,
        cms: &[u8],
        user: Option<&str>,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Result<Vec<(Owner, Account)>, Answer>, CredentialError> {
        let taken = challenge::take(&self.store, Kind::Signature, token, now).await?;
        let Some(text) = taken.and_then(|taken| taken.details.text) else {
            return Ok(Err(Answer::Expired));
        };
        // A text that was asked for something else is none of this.
        let title = purpose.text("", token, now);
        let same = title.lines().next() == text.lines().next();
        match self.signer(&text, cms, now).await {
            Judged::By(certificate) if same => Ok(Ok(self.of(certificate, user).await?)),
            Judged::By(_) | Judged::Refused => Ok(Err(Answer::Wrong)),
            Judged::Later => Ok(Err(Answer::Later)),
        }
    }

    /// Who signed exactly this text.
    pub(super) async fn signer(&self, text: &str, cms: &[u8], now: Timestamp) -> Judged {
        if cms.len() > LARGEST {
            return Judged::Refused;
        }
        let checked = match self.users.check_opaque(cms) {
            Ok((checked, content)) if content == text.as_bytes() => Ok(checked),
            Ok(_) => return Judged::Refused,
            Err(SignatureFault::NoContent) => self.users.check(text.as_bytes(), cms),
            Err(fault) => Err(fault),
        };
        let judged = match checked {
            Ok(checked) => self.users.judge(checked, now).await,
            Err(fault) => Err(fault),
        };
        match judged {
            Ok(signed) => Judged::By(signed.signer),
            Err(fault) => {
                tracing::info!(%fault, "a signature was refused at login");
                if fault.is_temporary() { Judged::Later } else { Judged::Refused }
            }
        }
    }

    /// How the text names us.
    pub(super) fn site(&self) -> String {
        match &self.relying {
            Some(relying) => relying.origin().to_owned(),
            None => self.domain.to_string(),
        }
    }

    /// The accounts that the certificate signs for.
    async fn of(
        &self,
        certificate: Certificate,
        user: Option<&str>,
    ) -> Result<Vec<(Owner, Account)>, CredentialError> {
        let named = user.map(|user| self.named(user));
        if named.as_ref().is_some_and(Option::is_none) {
            return Ok(Vec::new());
        }
        let named = named.flatten();
        let work = move |tx: &mut Tx<'_>| {
            let mut found = Vec::new();
            for row in candidates(tx, &certificate, named.as_ref())? {
                let account = accounts::account(&row)?;
                let signer = operators::signer(tx, &account, &certificate, CertificateUse::Sign)?;
                let operator = match &signer {
                    Signer::Holder => 0,
                    Signer::Operator(operator) => operator.code.number(),
                    Signer::Stranger => continue,
                };
                // Who names nobody is a holder; an operator names the account.
                let meant = named.as_ref().map_or(operator == 0, |named| {
                    let one = named.operator == 0 || named.operator == operator;
                    named.address == account.address && one
                });
                if meant {
                    found.push((Owner { account: account.id, operator }, account));
                }
            }
            Ok::<_, CredentialError>(found)
        };
        self.store.read(work).await
    }

    async fn enter_signed(
        &self,
        owner: Owner,
        client: &Client,
        now: Timestamp,
    ) -> Result<Answer, CredentialError> {
        let (client, token) = (client.clone(), one_time::token());
        let work =
            move |tx: &mut Tx<'_>| enter(tx, owner, &[Factor::Signature], &client, &token, now);
        self.store.write(Lane::Client, work).await
    }
}

/// Accounts that may be of the certificate: the one that is named, or by registration, number or address.
fn candidates(
    tx: &mut Tx<'_>,
    certificate: &Certificate,
    named: Option<&Named>,
) -> Result<Vec<account_rows::KnownAccount>, RowsError> {
    if let Some(named) = named {
        return Ok(account_rows::by_address(tx, named.address.as_str())?.into_iter().collect());
    }
    let number = certificate.identity_number();
    let mut rows = account_rows::of_signer(tx, &certificate.digest().0, number)?;
    for email in certificate.emails().iter().take(EMAILS) {
        if let Some(row) = account_rows::by_address(tx, &email.to_ascii_lowercase())? {
            rows.push(row);
        }
    }
    rows.sort_by(|one, other| one.address.cmp(&other.address));
    rows.dedup_by(|one, other| one.id == other.id);
    Ok(rows)
}

/// A signature with its chain is some ten kilobytes.
const LARGEST: usize = 256 * 1024;
/// Addresses of a certificate that are looked at.
const EMAILS: usize = 8;
