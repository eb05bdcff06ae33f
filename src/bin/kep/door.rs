//! Who is let in to a mailbox: by which password, proof or certificate, and what the account's state
//! leaves of it. A wrong one waits, longer each time.

use kep::mailbox::answer::{Admitted, Door, Judging, Peer};
use kep::mailbox::ask::{Login, Proof, Refusal, Salt};
use kep::registry::login::{Logins, Outcome, Pauses, Proven};
use kep::registry::{Access, RegistryError};
use kep::trust::{Certificate, Clock, UserTrust};
use std::net::IpAddr;
use std::sync::Arc;

#[derive(Clone)]
pub struct MailDoor {
    pub logins: Arc<Logins>,
    pub users: Arc<UserTrust>,
    pub pauses: Arc<Pauses>,
    pub clock: Clock,
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
        let logins = Arc::clone(&self.logins);
        Box::pin(async move { logins.any_generated().await.map_err(trouble) })
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
            Proof::Password(secret) => (self.logins.login(&user, &secret, now).await, None),
            Proof::Scram { message, proof } => {
                match self.logins.prove(&user, &message, &proof, now).await {
                    Ok((outcome, signature)) => (Ok(outcome), Some(signature.to_vec())),
                    Err(error) => (Err(error), None),
                }
            }
            Proof::Certificate => (self.by_certificate(&user, &peer).await?, None),
        };
        match outcome.map_err(trouble)? {
            Outcome::Proven(proven) => {
                self.pauses.after_success(peer.address);
                self.admit(&proven, signature)
            }
            Outcome::Rejected => {
                self.rejected(&user, mechanism, peer.address).await;
                Err(wrong)
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
        let shown: Vec<_> = shown.collect::<Result<_, _>>().map_err(|_| Refusal::BadCertificate)?;
        let (first, others) = shown.split_first().ok_or(Refusal::BadCertificate)?;
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

    fn admit(&self, proven: &Proven, signature: Option<Vec<u8>>) -> Result<Admitted, Refusal> {
        let adds = match proven.account.access(self.clock.now()) {
            Access::Whole => true,
            Access::Reading { .. } => false,
            Access::Over => return Err(Refusal::AccountClosed),
        };
        Ok(Admitted {
            account: proven.account.id,
            person: proven.person(),
            adds,
            password: proven.password().map(str::to_owned),
            opening: proven.opening(),
            signature,
        })
    }

    async fn rejected(&self, user: &str, how: &str, peer: IpAddr) {
        tracing::info!(%peer, user, how, "login failed");
        metrics::counter!("kep_imap_login_failures_total").increment(1);
        tokio::time::sleep(self.pauses.after_failure(peer, user, self.clock.now())).await;
    }
}

fn trouble(error: RegistryError) -> Refusal {
    tracing::error!(%error, "login");
    Refusal::Unavailable
}

/// Certificates of a chain that are looked at.
const CHAIN: usize = 8;
