//! A request that its caller names (Idempotency-Key) is done once: what it was answered is kept in the
//! transaction that does it. Where there are others before it, the name is taken first, and given back
//! when nothing came of it (`Call::once`).

use super::call::{Answered, Call, Reply};
use super::problem::Problem;
use crate::store::Tx;
use crate::store::api_tokens::{self as rows, Known, Named};
use crate::trust::vault::{Purpose, Vault};
use crate::wire::{Timestamp, sha256};

/// The name of a request, and what it says.
#[derive(Clone, Debug)]
pub struct Name {
    token: String,
    name: String,
    digest: Vec<u8>,
}

/// What is to be done about a named request.
pub enum Begun {
    Now,
    Before(Reply),
}

impl Name {
    /// `None` when it has none. What it says is known by octets of which nobody without the master key
    /// learns anything: a password that it holds could be guessed by a mere digest.
    pub fn of(vault: &Vault, call: &Call, operation: &str) -> Answered<Option<Self>> {
        let Some((token, name)) = call.caller.counted().zip(call.name.clone()) else {
            return Ok(None);
        };
        let mut said = format!("{operation}\n").into_bytes();
        for (name, value) in &call.asked.path {
            said.extend(format!("{name}={value}\n").as_bytes());
        }
        for (name, value) in &call.asked.query {
            said.extend(format!("{name}?{value}\n").as_bytes());
        }
        said.extend(call.media.as_deref().unwrap_or_default().as_bytes());
        said.push(b'\n');
        said.extend(&sha256(&call.body).0);
        let digest = vault.derive(Purpose::NamedRequest, &said).map_err(|error| {
            tracing::error!(%error, "api");
            Problem::Internal
        })?;
        Ok(Some(Self { token, name, digest: digest.to_vec() }))
    }

    fn named(&self) -> Named<'_> {
        Named { token: &self.token, name: &self.name, digest: &self.digest }
    }

    /// Within one transaction: does it, unless it was done.
    pub fn done_in(
        &self,
        tx: &mut Tx<'_>,
        now: Timestamp,
        work: &dyn Fn(&mut Tx<'_>) -> Answered<Reply>,
    ) -> Answered<Reply> {
        match self.begin(tx, now)? {
            Begun::Before(reply) => Ok(reply),
            Begun::Now => {
                let reply = work(tx)?;
                self.keep(tx, &reply)?;
                Ok(reply)
            }
        }
    }

    /// Takes the name, or says what is known by it.
    pub fn begin(&self, tx: &mut Tx<'_>, now: Timestamp) -> Answered<Begun> {
        match rows::begin(tx, self.named(), now, now.plus_millis(-KEPT))? {
            Known::New => Ok(Begun::Now),
            Known::Other => Err(Problem::RequestOfAnother),
            Known::Running(since) if now.millis() - since.millis() < GIVEN_UP => {
                Err(Problem::RequestRunning)
            }
            Known::Running(since) => match rows::take_over(tx, self.named(), since, now)? {
                true => Ok(Begun::Now),
                false => Err(Problem::RequestRunning),
            },
            Known::Answered(reply) => {
                let reply = serde_json::from_slice(&reply);
                Ok(Begun::Before(reply.map_err(|_| Problem::Internal)?))
            }
        }
    }

    /// The same, in the transaction that does it. Whoever was given up meanwhile and finds it answered
    /// has not done it.
    pub fn settle(&self, tx: &mut Tx<'_>, reply: &Reply) -> Answered<()> {
        match self.keep(tx, reply)? {
            true => Ok(()),
            false => Err(Problem::RequestRunning),
        }
    }

    /// Keeps what it was answered; says whether nothing was kept yet.
    pub fn keep(&self, tx: &mut Tx<'_>, reply: &Reply) -> Answered<bool> {
        let octets = serde_json::to_vec(reply).map_err(|_| Problem::Internal)?;
        Ok(rows::answered(tx, self.named(), &octets)?)
    }

    /// Nothing came of it.
    pub fn give_back(&self, tx: &mut Tx<'_>) -> Answered<()> {
        Ok(rows::forget(tx, self.named())?)
    }
}

/// How long an answer is kept.
const KEPT: i64 = 24 * 3600 * 1000;
/// Whoever worked on it for so long is gone.
const GIVEN_UP: i64 = 5 * 60 * 1000;
