//! What speaks to the outside, as the settings name it.

use super::fate::Said;
use super::gateway::Gateway;
use super::smarthost::{self, Smarthost};
use super::smpp::Client;
use super::texts::Words;
use crate::wire::{MailAddress, Reach, Timestamp};
use std::time::Duration;
use tokio::time::timeout;

/// A way for SMS.
pub enum Sms {
    Smpp(Client),
    Http(Gateway),
}

/// Ways that are set; where there is none, what should go there waits until its window ends.
pub struct Senders {
    pub sms: Option<Sms>,
    pub mail: Option<Smarthost>,
    /// Name and address that mails are from.
    pub from: Option<(String, MailAddress)>,
}

impl Senders {
    /// One attempt, bounded well within a job's lease.
    pub async fn send(
        &self,
        to: &Reach,
        words: &Words,
        (id, secret): (i64, bool),
        now: Timestamp,
    ) -> Said {
        match timeout(LONGEST, self.attempt(to, words, (id, secret), now)).await {
            Ok(said) => said,
            Err(_) => Said::Later("no answer in time".to_owned()),
        }
    }

    async fn attempt(
        &self,
        to: &Reach,
        words: &Words,
        (id, secret): (i64, bool),
        now: Timestamp,
    ) -> Said {
        match (to, &self.sms, &self.mail, &self.from) {
            (Reach::Sms(to), Some(Sms::Smpp(client)), ..) => client.send(to, &words.sms, id).await,
            (Reach::Sms(to), Some(Sms::Http(gateway)), ..) => {
                gateway.send(to, &words.sms, id, secret).await
            }
            (Reach::Mail(to), _, Some(host), Some((name, from))) => {
                match smarthost::mail((name, from), to, words, id, now) {
                    Ok(octets) => host.send(to, &octets).await,
                    Err(error) => Said::Never(format!("the mail can't be written: {error}")),
                }
            }
            (Reach::Sms(_), None, ..) => Said::Later("notify.sms is off".to_owned()),
            (Reach::Mail(_), ..) => Said::Later("notify.mail.server is not set".to_owned()),
        }
    }
}

const LONGEST: Duration = Duration::from_secs(120);
