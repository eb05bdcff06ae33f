//! How each provider's server was found.

use super::BELL;
use crate::store::rows::{RowsError, Tx};
use crate::wire::{KepDomain, Timestamp};

/// What is the matter with a provider's server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    Unreachable,
    /// It can't be found, or is not the one that the registry knows.
    NotIdentified,
}

/// How a provider's server was found. The default is a well one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Health {
    /// Since it was well.
    pub failures: u32,
    pub trouble: Trouble,
    pub reply: String,
    pub down_since: Timestamp,
    /// Not asked again before.
    pub probe_at: Timestamp,
    /// By an operator: nothing is sent.
    pub held: bool,
}

pub fn health(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<Health, RowsError> {
    let row = tx.first(
        "SELECT failures, trouble, reply, down_since, probe_at, held FROM relay_peer
         WHERE provider = $1",
        &[provider.as_str().into()],
    )?;
    let Some(row) = row else { return Ok(Health::default()) };
    Ok(Health {
        failures: row.int(0)?.try_into().unwrap_or(u32::MAX),
        trouble: Trouble::parse(row.text(1)?)?,
        reply: row.text(2)?.to_owned(),
        down_since: Timestamp::from_millis(row.int(3)?),
        probe_at: Timestamp::from_millis(row.int(4)?),
        held: row.int(5)? != 0,
    })
}

/// The server is not well. What an operator holds stays held, whoever says so at the same time.
pub fn set_unwell(tx: &mut Tx<'_>, provider: &KepDomain, health: &Health) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "INSERT INTO relay_peer (provider, failures, trouble, reply, down_since, probe_at, held)
         VALUES ($1, $2, $3, $4, $5, $6, 0)
         ON CONFLICT (provider) DO UPDATE SET failures = excluded.failures,
             trouble = excluded.trouble, reply = excluded.reply,
             down_since = excluded.down_since, probe_at = excluded.probe_at",
        &[
            provider.as_str().into(),
            i64::from(health.failures).into(),
            health.trouble.word().into(),
            (&health.reply).into(),
            health.down_since.millis().into(),
            health.probe_at.millis().into(),
        ],
    )?;
    Ok(())
}

/// The server is well, or is to be asked again now; what an operator holds stays held.
pub fn set_well(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "UPDATE relay_peer SET failures = 0, trouble = $1, reply = '', down_since = 0, probe_at = 0
         WHERE provider = $2",
        &[Trouble::Unreachable.word().into(), provider.as_str().into()],
    )?;
    forget_well(tx, provider)
}

/// An operator holds what is for a provider, or lets it go on; how its server was found stays.
pub fn set_held(tx: &mut Tx<'_>, provider: &KepDomain, held: bool) -> Result<(), RowsError> {
    tx.wakes.step(BELL);
    tx.execute(
        "INSERT INTO relay_peer (provider, failures, trouble, reply, down_since, probe_at, held)
         VALUES ($1, 0, $2, '', 0, 0, $3) ON CONFLICT (provider) DO UPDATE SET held = excluded.held",
        &[provider.as_str().into(), Trouble::Unreachable.word().into(), held.into()],
    )?;
    forget_well(tx, provider)
}

fn forget_well(tx: &mut Tx<'_>, provider: &KepDomain) -> Result<(), RowsError> {
    tx.execute(
        "DELETE FROM relay_peer WHERE provider = $1 AND failures = 0 AND held = 0",
        &[provider.as_str().into()],
    )?;
    Ok(())
}

impl Trouble {
    pub fn word(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::NotIdentified => "not-identified",
        }
    }

    fn parse(word: &str) -> Result<Self, RowsError> {
        [Self::Unreachable, Self::NotIdentified]
            .into_iter()
            .find(|trouble| trouble.word() == word)
            .ok_or(RowsError::Stored("the trouble with a provider"))
    }
}

impl Health {
    pub fn is_down(&self) -> bool {
        self.failures > 0
    }
}

impl Default for Health {
    fn default() -> Self {
        Self {
            failures: 0,
            trouble: Trouble::Unreachable,
            reply: String::new(),
            down_since: Timestamp::from_millis(0),
            probe_at: Timestamp::from_millis(0),
            held: false,
        }
    }
}
