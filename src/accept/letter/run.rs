//! The way of a letter to the desk.

use super::Letter;
use crate::accept::ask::{Envelope, Login, Recipient, SubmitAnswer};
use crate::accept::refusal::Refusal;
use crate::accept::run::Desk;
use crate::accept::session::{recipient_address, route};
use crate::wire::smtp::{Body, Notify, Path};

impl Desk {
    /// Judges a letter, and lays it in.
    pub async fn hand_in(&self, letter: Letter) -> SubmitAnswer {
        let Letter { from, recipients, octets, most } = letter;
        let size = octets.len() as u64;
        if size > most {
            return SubmitAnswer::Refused(Refusal::TooLarge(most.to_string()));
        }
        let recipients = match self.addressed(&from, &recipients, size).await {
            Ok(recipients) => recipients,
            Err(refusal) => return SubmitAnswer::Refused(refusal),
        };
        let mut body = self.body(from.account);
        body.add(&octets);
        drop(octets);
        let envelope = Envelope {
            from,
            recipients,
            body: Body::EightBitMime,
            smtputf8: false,
            requiretls: false,
            announced_size: Some(size),
            ret: None,
            envid: None,
        };
        self.submit(envelope, body).await
    }

    async fn addressed(
        &self,
        from: &Login,
        texts: &[String],
        size: u64,
    ) -> Result<Vec<Recipient>, Refusal> {
        let mut recipients: Vec<Recipient> = Vec::with_capacity(texts.len());
        for text in texts {
            let address = recipient_address(&Path::Address(text.clone()))?;
            if recipients.iter().any(|known| known.address == address) {
                continue;
            }
            if recipients.len() >= self.max_recipients {
                return Err(Refusal::TooManyRecipients(self.max_recipients.to_string()));
            }
            let answer = self.recipient(&address, from.account, size).await;
            let route = route(answer, &address, Some(size))?;
            recipients.push(Recipient { address, route, notify: Notify::default(), orcpt: None });
        }
        Ok(recipients)
    }
}
