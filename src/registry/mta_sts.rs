//! The policies of other providers (RFC 8461): fetched over HTTPS when their record says that there is a
//! new one, kept in rows, and in force until they end, whatever becomes of the record meanwhile.

use super::route::NoWay;
use crate::store::mta_sts::{self as rows, Kept};
use crate::store::{Lane, Store, Tx};
use crate::trust::dial::{self, DialError};
use crate::trust::dns::Dns;
use crate::trust::{Certificate, TrustError, tls};
use crate::wire::mta_sts::{self, Mode, Policy};
use crate::wire::{KepDomain, Timestamp};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// How policies are fetched.
#[derive(Clone, Debug)]
pub struct PolicySettings {
    pub port: u16,
    pub timeout: Duration,
    /// The public authorities, a file or folder: of the servers that have the policies, and of the mail
    /// servers that they allow.
    pub authorities: PathBuf,
}

/// Fetches policies, and keeps them.
pub struct Policies {
    store: Store,
    dns: Dns,
    settings: PolicySettings,
    authorities: Mutex<Option<(SystemTime, Vec<Certificate>)>>,
    /// When one could not be fetched the last time.
    failed: Mutex<HashMap<KepDomain, Timestamp>>,
}

/// What is to be done about a policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    /// The one that is kept is in force, and there is no newer one.
    Keep,
    Fetch,
    /// There is none.
    Nothing,
}

impl Policies {
    pub fn new(store: Store, dns: Dns, settings: PolicySettings) -> Self {
        let (authorities, failed) = (Mutex::default(), Mutex::default());
        Self { store, dns, settings, authorities, failed }
    }

    /// The policy in force, which must be enforced: one that only tests, or none, names no server.
    pub async fn of(&self, domain: &KepDomain, now: Timestamp) -> Result<Policy, NoWay> {
        let own = |error: &dyn std::fmt::Display| NoWay::Own(format!("kept policies: {error}"));
        let wanted = domain.to_string();
        let kept = self.store.look_up(move |tx: &mut Tx<'_>| rows::find(tx, &wanted)).await;
        let kept = kept.map_err(|error: crate::store::RowsError| own(&error))?;
        // Who can't be asked, or hides the record, gets around nothing.
        let asked = self.dns.texts(&format!("_mta-sts.{domain}")).await;
        let id = asked.as_ref().ok().and_then(|answer| mta_sts::record(&answer.records));
        let policy = match step(id.as_deref(), kept.as_ref(), self.failed_at(domain), now) {
            Step::Keep => kept.map(|kept| kept.policy),
            Step::Fetch => Some(self.fetched(domain, id.unwrap_or_default(), kept, now).await?),
            Step::Nothing => None,
        };
        match (policy, asked) {
            (Some(policy), _) if policy.mode == Mode::Enforce => Ok(policy),
            (Some(policy), _) => Err(NoWay::NotEnforced(domain.to_string(), policy.mode)),
            (None, Err(fault)) => Err(NoWay::Dns(fault)),
            (None, Ok(_)) => Err(NoWay::NoPolicy(domain.to_string())),
        }
    }

    /// The public authorities; read again when their file changes.
    pub fn authorities(&self) -> Result<Vec<Certificate>, TrustError> {
        let path = &self.settings.authorities;
        let changed = std::fs::metadata(path).and_then(|about| about.modified()).ok();
        let mut kept = self.authorities.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some((read, all)), Some(changed)) = (&*kept, changed)
            && *read == changed
        {
            return Ok(all.clone());
        }
        let all = tls::public_issuers(path)?;
        *kept = changed.map(|changed| (changed, all.clone()));
        Ok(all)
    }

    /// The new policy; the one that is kept, as long as it is in force, when there is no getting it.
    async fn fetched(
        &self,
        domain: &KepDomain,
        id: String,
        kept: Option<Kept>,
        now: Timestamp,
    ) -> Result<Policy, NoWay> {
        let authorities = self.authorities().map_err(|error| NoWay::Own(error.to_string()))?;
        match self.fetch(domain, &authorities).await {
            Ok(policy) => {
                self.failed.lock().unwrap_or_else(PoisonError::into_inner).remove(domain);
                let (new, at) = (Kept { id, policy, fetched_at: now }, domain.to_string());
                let policy = new.policy.clone();
                let work = move |tx: &mut Tx<'_>| rows::put(tx, &at, &new);
                let put = self.store.write(Lane::Background, work).await;
                put.map_err(|error| NoWay::Own(format!("kept policies: {error}")))?;
                Ok(policy)
            }
            Err(why) => {
                let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
                failed.insert(domain.clone(), now);
                let kept = kept.filter(|kept| now < end(kept));
                let kept = kept.ok_or(NoWay::PolicyUnreachable(domain.to_string(), why.clone()))?;
                tracing::warn!(%domain, why, "its new policy (MTA-STS) can't be had; the old one holds");
                Ok(kept.policy)
            }
        }
    }

    async fn fetch(
        &self,
        domain: &KepDomain,
        authorities: &[Certificate],
    ) -> Result<Policy, String> {
        let host = format!("mta-sts.{domain}");
        let addresses = self.dns.addresses(&host).await.map_err(|fault| fault.to_string())?;
        if addresses.records.is_empty() {
            return Err(format!("{host} has no address"));
        }
        let (port, timeout) = (self.settings.port, self.settings.timeout);
        let octets = dial::policy(&host, port, &addresses.records, authorities, timeout).await;
        let octets = octets.map_err(|error: DialError| error.to_string())?;
        Policy::parse(&octets).map_err(|fault| format!("{host}: {fault}"))
    }

    fn failed_at(&self, domain: &KepDomain) -> Option<Timestamp> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get(domain).copied()
    }
}

fn step(id: Option<&str>, kept: Option<&Kept>, failed: Option<Timestamp>, now: Timestamp) -> Step {
    let in_force = kept.filter(|kept| now < end(kept));
    match (id, in_force) {
        (None, None) => Step::Nothing,
        (Some(_), None) => Step::Fetch,
        (None, Some(_)) => Step::Keep,
        // §3.3: nobody is asked all the time for what he does not give.
        (Some(_), Some(_)) if failed.is_some_and(|at| now < at.plus_millis(AGAIN)) => Step::Keep,
        (Some(id), Some(kept)) => {
            let age = (i64::from(kept.policy.max_age) * 1000 / 2).min(DAY);
            match id == kept.id && now < kept.fetched_at.plus_millis(age) {
                true => Step::Keep,
                false => Step::Fetch,
            }
        }
    }
}

fn end(kept: &Kept) -> Timestamp {
    kept.fetched_at.plus_millis(i64::from(kept.policy.max_age) * 1000)
}

/// RFC 8461 §3.3: five minutes or longer.
const AGAIN: i64 = 5 * 60 * 1000;
/// One that is not new is fetched again each day, so that it is never near its end (§10.2).
const DAY: i64 = 24 * 3600 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(id: &str, max_age: u32) -> Kept {
        let policy = Policy { mode: Mode::Enforce, mx: vec!["posta.hs06.kep.tr".into()], max_age };
        Kept { id: id.into(), policy, fetched_at: Timestamp::from_secs(1_000_000) }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn a_policy_is_in_force_until_it_ends_whatever_becomes_of_its_record() {
        let week = kept("a", 604_800);
        for (id, kept, at, expected) in [
            (None, None, 0, Step::Nothing),
            (Some("a"), None, 0, Step::Fetch),
            (Some("a"), Some(&week), 10, Step::Keep),
            (None, Some(&week), 10, Step::Keep),
            (None, Some(&week), 604_799, Step::Keep),
            (None, Some(&week), 604_800, Step::Nothing),
            (Some("b"), Some(&week), 10, Step::Fetch),
            (Some("a"), Some(&week), 86_400, Step::Fetch),
            (Some("a"), Some(&week), 604_800, Step::Fetch),
        ] {
            assert_eq!(step(id, kept, None, after(at)), expected, "{id:?} {at}");
        }
        let hour = kept("a", 3600);
        assert_eq!(step(Some("a"), Some(&hour), None, after(1799)), Step::Keep);
        assert_eq!(step(Some("a"), Some(&hour), None, after(1800)), Step::Fetch, "before it ends");
        assert_eq!(step(Some("a"), Some(&kept("a", 0)), None, after(0)), Step::Fetch);
    }

    #[test]
    fn who_does_not_give_his_policy_is_asked_again_by_and_by() {
        let week = kept("a", 604_800);
        let failed = Some(after(100));
        assert_eq!(step(Some("b"), Some(&week), failed, after(399)), Step::Keep);
        assert_eq!(step(Some("b"), Some(&week), failed, after(400)), Step::Fetch);
        assert_eq!(step(Some("b"), None, failed, after(101)), Step::Fetch, "nothing else to go by");
    }
}
