//! Shows a mail to clamd, and weighs what it says by the policies in force.

use super::{Clamd, Leniency, ScanFault, Verdict, pieces};
use crate::accept::heavy;
use crate::accept::refusal::Refusal;
use crate::store::{Store, StoreError};
use crate::wire::Timestamp;
use std::borrow::Cow;

/// Who looks for viruses.
pub struct Scanner {
    pub clamd: Clamd,
}

/// Nothing can be said of a mail now.
#[derive(Debug)]
pub enum ScanTrouble {
    Unavailable,
    Store(StoreError),
}

impl Scanner {
    /// Why a mail may not come in, if so.
    pub async fn judge(
        &self,
        store: &Store,
        mail: &[u8],
        now: Timestamp,
    ) -> Result<Option<Refusal>, ScanTrouble> {
        let verdict = self.scan(mail).await.map_err(|error| {
            metrics::counter!("kep_scan_failed_total").increment(1);
            tracing::error!(%error, "virus scan");
            ScanTrouble::Unavailable
        })?;
        metrics::counter!("kep_scanned_total", "verdict" => verdict.word()).increment(1);
        if verdict == Verdict::Clean {
            return Ok(None);
        }
        let refusal = verdict.refusal(leniency(store, now).await?);
        if refusal.is_none() {
            tracing::warn!(?verdict, "passes without a scan, by policy");
        }
        Ok(refusal)
    }

    /// The worst that is said of a mail: of its octets as they are, and of what opaque signatures in it
    /// hide from clamd.
    async fn scan(&self, mail: &[u8]) -> Result<Verdict, ScanFault> {
        let hidden = heavy(mail.len(), || pieces::hidden(mail));
        let mut worst = Verdict::Clean;
        for piece in std::iter::once(Cow::Borrowed(mail)).chain(hidden) {
            let verdict = self.clamd.scan(&piece).await?;
            worst = match (worst, verdict) {
                (worst @ Verdict::Virus(_), _) | (worst, Verdict::Clean) => worst,
                (_, virus @ Verdict::Virus(_)) => virus,
                (Verdict::Clean, other) => other,
                (worst, _) => worst,
            };
        }
        Ok(worst)
    }
}

async fn leniency(_store: &Store, _now: Timestamp) -> Result<Leniency, ScanTrouble> {
    Ok(Leniency { encrypted: true, beyond: false })
}
