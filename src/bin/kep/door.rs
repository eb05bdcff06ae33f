//! Who is let in to a mailbox: by which password, proof or certificate, and what the account's state
//! leaves of it. A wrong one waits, longer each time.

use crate::settings::Scram;
use kep::mailbox::answer::{Admitted, Door, Duty, Judging, Peer};
use kep::mailbox::ask::{Login, Notice, Proof, Refusal, Salt};
use kep::registry::accounts::AccountState;
use kep::registry::app_passwords::Scope;
use kep::registry::login::{Logins, Means, NotHere, Outcome, Pauses, Proven};
use kep::registry::operators::{self, Operator};
use kep::registry::places::Places;
use kep::registry::standing::{Act, Answer, answer};
use kep::registry::{Account, RegistryError};
use kep::trust::{Certificate, Clock, UserTrust};
use kep::wire::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone)]
pub struct MailDoor {
    pub logins: Arc<Logins>,
    pub users: Arc<UserTrust>,
    pub pauses: Arc<Pauses>,
    pub places: Arc<Places>,
    pub clock: Clock,
    /// Whether SCRAM is offered.
    pub scram: Scram,
}

impl Door for MailDoor {
    fn login(&self, login: Login, peer: Peer) -> Judging<Admitted> {
        let door = self.clone();
        Box::pin(async move { door.judge(login, peer).await })
    }

    fn salt(&self, user: String) -> Judging<Salt> {
        let logins = Arc::clone(&self.logins);
        Box::pin(async move {
            let salted = logins.salted(&user).await.map_err(trouble)?;
            let (salt, iterations, nonce) = (salted.salt, salted.iterations, salted.nonce);
            Ok(Salt { salt, iterations, nonce })
        })
    }

    fn scram(&self) -> Judging<bool> {
        let (logins, scram) = (Arc::clone(&self.logins), self.scram);
        Box::pin(async move {
            match scram {
                Scram::Auto => logins.any_generated().await.map_err(trouble),
                Scram::On => Ok(true),
                Scram::Off => Ok(false),
            }
        })
    }
}

impl MailDoor {
    async fn judge(&self, login: Login, peer: Peer) -> Result<Admitted, Refusal> {
        let Login { user, proof, mechanism } = login;
        let now = self.clock.now();
        let wrong = match &proof {
            Proof::Scram { .. } => Refusal::BadProof,
            Proof::Password(_) | Proof::Certificate => Refusal::BadCredentials,
        };
        let (outcome, signature) = match proof {
            Proof::Password(secret) => {
                (self.logins.login(&user, &secret, Scope::Imap, now).await, None)
            }
            Proof::Scram { message, proof } => {
                match self.logins.prove(&user, &message, &proof, Scope::Imap, now).await {
                    Ok((outcome, signature)) => (Ok(outcome), Some(signature.to_vec())),
                    Err(error) => (Err(error), None),
                }
            }
            Proof::Certificate => (self.by_certificate(&user, &peer).await?, None),
        };
        match outcome.map_err(trouble)? {
            Outcome::Proven(proven) => {
                let name = proven.account.address.as_str();
                self.pauses.after_success(peer.address, name, now);
                let admitted = self.admit(&proven, signature, now)?;
                self.places.came(proven.account.id, peer.address, "IMAP", now).await;
                Ok(admitted)
            }
            Outcome::Rejected => {
                self.rejected(&user, mechanism, peer.address).await;
                Err(wrong)
            }
            Outcome::NotHere(why) => {
                self.rejected(&user, mechanism, peer.address).await;
                Err(match why {
                    NotHere::Scope => Refusal::PasswordScope,
                    NotHere::SecondFactor => Refusal::PasswordAlone,
                })
            }
        }
    }

    /// The handshake proved that the peer holds the key; the certificate is judged as one that signs.
    async fn by_certificate(
        &self,
        user: &str,
        peer: &Peer,
    ) -> Result<Result<Outcome, RegistryError>, Refusal> {
        let shown = peer.certificates.iter().take(CHAIN).map(|der| Certificate::from_der(der));
        let shown: Vec<_> = shown.collect::<Result<_, _>>().unwrap_or_default();
        let Some((first, others)) = shown.split_first() else {
            self.rejected(user, "EXTERNAL", peer.address).await;
            return Err(Refusal::BadCertificate);
        };
        let judged =
            self.users.judge_certificate(first.clone(), others.to_vec(), self.clock.now()).await;
        if let Err(fault) = judged {
            tracing::info!(peer = %peer.address, user, %fault, "a certificate was refused at login");
            // Also when it is our trouble: whoever tries it again and again makes us ask others.
            self.rejected(user, "EXTERNAL", peer.address).await;
            return Err(match fault.is_temporary() {
                true => Refusal::Unavailable,
                false => Refusal::BadCertificate,
            });
        }
        Ok(self.logins.certificate(user, first).await)
    }

    fn admit(
        &self,
        proven: &Proven,
        signature: Option<Vec<u8>>,
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        let account = &proven.account;
        let may = |act| answer(account.state.stage_at(now), account.service, act) == Answer::Yes;
        if !may(Act::Login) {
            return Err(Refusal::AccountClosed);
        }
        let adds = may(Act::Append);
        let duty = match &proven.operator {
            Some(operator) if !operator.may(operators::Act::Read) => {
                return Err(Refusal::MayNotRead);
            }
            Some(Operator { code, roles, .. }) => Some(Duty { code: *code, roles: *roles }),
            None => None,
        };
        Ok(Admitted {
            account: proven.account.id,
            person: proven.person(),
            adds,
            password: proven.password().map(str::to_owned),
            duty,
            own_password: (proven.by == Means::Password).then_some(now),
            opening: proven.opening(),
            notice: notice(account, now),
            signature,
        })
    }

    async fn rejected(&self, user: &str, how: &str, peer: IpAddr) {
        tracing::info!(%peer, user, how, "login failed");
        metrics::counter!("kep_imap_login_failures_total").increment(1);
        tokio::time::sleep(self.pauses.after_failure(peer, user, self.clock.now())).await;
    }
}

/// The date that its holder should know of: when it is closed, or until when it can be read.
fn notice(account: &Account, now: Timestamp) -> Option<Notice> {
    match account.state_at(now) {
        AccountState::Closing { completes, .. } => completes.map(Notice::Closes),
        closed => closed.readable_until().map(Notice::Readable),
    }
}

fn trouble(error: RegistryError) -> Refusal {
    tracing::error!(%error, "login");
    Refusal::Unavailable
}

/// Certificates of a chain that are looked at.
const CHAIN: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use kep::registry::accounts::{self, NewAccount, OpeningMode, SignatureRule};
    use kep::registry::app_passwords::{self, NewPassword, Scopes};
    use kep::registry::audit::{Actor, By, Channel};
    use kep::store::{RowsAt, Store};
    use kep::trust::Anchors;
    use kep::trust::password::Passwords;
    use kep::trust::pki::{CertificateAuthority, KeyKind};
    use kep::trust::vault::Vault;
    use kep::wire::{KepAddress, KepDomain};
    use std::path::Path;
    use std::time::Duration;

    async fn door(place: &Path, scram: Scram) -> MailDoor {
        door_to(store(place).await, scram)
    }

    async fn store(place: &Path) -> Store {
        let key = place.join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let rows = RowsAt::File(place.join("rows.db"));
        Store::open(&rows, &place.join("blobs"), vault).await.unwrap()
    }

    fn door_to(store: Store, scram: Scram) -> MailDoor {
        let domain = KepDomain::parse("hs05.kep.tr").unwrap();
        let users = authority().certificate().clone();
        MailDoor {
            places: Arc::new(Places::new(store.clone())),
            logins: Arc::new(Logins::new(store, Passwords::new(1).unwrap(), domain)),
            users: Arc::new(UserTrust::new(Anchors::new(vec![users]).unwrap(), Vec::new(), None)),
            pauses: Arc::new(Pauses::new(Duration::from_millis(1))),
            clock: Clock::System,
            scram,
        }
    }

    fn authority() -> CertificateAuthority {
        CertificateAuthority::create("Users", KeyKind::P256, Clock::System.now()).unwrap()
    }

    #[tokio::test]
    async fn whoever_tries_certificates_waits_longer_each_time() {
        let place = tempfile::tempdir().unwrap();
        let door = door(place.path(), Scram::Auto).await;
        let stranger = authority().certificate().der().to_vec();
        // One of no authority, one that is none at all, none.
        let tries = [vec![stranger], vec![b"no certificate".to_vec()], Vec::new()];
        let (address, now) = (IpAddr::from([192, 0, 2, 7]), door.clock.now());
        for (name, certificates) in ["ali@hs05.kep.tr", "veli@hs05.kep.tr", ""].iter().zip(tries) {
            let peer = Peer { address, certificates: Arc::new(certificates) };
            let login = Login {
                user: (*name).to_owned(),
                proof: Proof::Certificate,
                mechanism: "EXTERNAL",
            };
            let refused = door.login(login, peer).await.unwrap_err();
            assert_eq!(refused, Refusal::BadCertificate, "{name}");
        }
        // Three failures of its network: it would wait eight times the first pause now, by whatever
        // protocol; another network doesn't.
        let pause = |address: [u8; 4], name| door.pauses.after_failure(address.into(), name, now);
        assert_eq!(pause([192, 0, 2, 7], "ayse@hs05.kep.tr"), Duration::from_millis(8));
        assert_eq!(pause([192, 0, 2, 8], "mehmet@hs05.kep.tr"), Duration::from_millis(1));
        // And the name is one that was tried.
        assert_eq!(pause([192, 0, 2, 9], "ali@hs05.kep.tr"), Duration::from_millis(2));
    }

    #[tokio::test]
    async fn a_password_for_sending_reads_nothing() {
        let place = tempfile::tempdir().unwrap();
        let store = store(place.path()).await;
        let domain = KepDomain::parse("hs05.kep.tr").unwrap();
        let address = KepAddress::parse("ali@hs05.kep.tr").unwrap();
        let at = Clock::System.now();
        let new = NewAccount {
            address: address.clone(),
            name: "Ali".into(),
            identity_number: None,
            opening: OpeningMode::Sealed,
            signature: SignatureRule::Optional,
            password: "x".into(),
            certificates: Vec::new(),
            at,
        };
        accounts::add(&store, &domain, new).await.unwrap();
        let by = By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at };
        let door = door_to(store.clone(), Scram::Auto);
        for (scope, refused) in [(Scope::Smtp, Some(Refusal::PasswordScope)), (Scope::Imap, None)] {
            let scopes = Scopes::new([scope]).unwrap();
            let new = NewPassword { name: "P".into(), opening: None, scopes };
            let (_, secret) = app_passwords::add(&store, &address, new, &by).await.unwrap();
            let proof = Proof::Password(secret);
            let login = Login { user: address.to_string(), proof, mechanism: "PLAIN" };
            let peer = Peer { address: [192, 0, 2, 1].into(), certificates: Arc::default() };
            assert_eq!(door.login(login, peer).await.err(), refused, "{scope:?}");
        }
    }

    #[tokio::test]
    async fn scram_is_offered_as_the_settings_have_it() {
        for (scram, offered) in [(Scram::Auto, false), (Scram::On, true), (Scram::Off, false)] {
            let place = tempfile::tempdir().unwrap();
            assert_eq!(door(place.path(), scram).await.scram().await, Ok(offered), "{scram:?}");
        }
    }
}
