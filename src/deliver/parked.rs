//! Connections that stay open a moment after their mail: the next one spares the other provider, and us,
//! a handshake. Which ended meanwhile is noticed when they are used again.

use crate::wire::KepDomain;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Connections that nobody uses now, of each provider in the order they were parked.
pub struct Parked<T>(Mutex<HashMap<KepDomain, Vec<(Instant, T)>>>);

impl<T> Parked<T> {
    pub fn park(&self, domain: &KepDomain, open: T, now: Instant) {
        self.lock().entry(domain.clone()).or_default().push((now, open));
    }

    /// The one that was used last.
    pub fn take(&self, domain: &KepDomain) -> Option<T> {
        let mut all = self.lock();
        let of_one = all.get_mut(domain)?;
        let open = of_one.pop();
        if of_one.is_empty() {
            all.remove(domain);
        }
        open.map(|(_, open)| open)
    }

    /// Takes those that nobody has used for so long; and says when others will have been.
    pub fn tired(&self, linger: Duration, now: Instant) -> (Vec<T>, Option<Instant>) {
        let (mut tired, mut next) = (Vec::new(), None::<Instant>);
        self.lock().retain(|_, of_one| {
            let fresh = of_one.partition_point(|(since, _)| *since + linger <= now);
            tired.extend(of_one.drain(..fresh).map(|(_, open)| open));
            let first = of_one.first().map(|(since, _)| *since + linger);
            next = [next, first].into_iter().flatten().min();
            !of_one.is_empty()
        });
        (tired, next)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<KepDomain, Vec<(Instant, T)>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Parked<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_parked_serves_its_own_provider_or_gets_tired() {
        let (parked, start) = (Parked::default(), Instant::now());
        let [one, other] =
            ["hs05.kep.tr", "hs06.kep.tr"].map(|domain| KepDomain::parse(domain).unwrap());
        let at = |secs| start + Duration::from_secs(secs);
        for (n, domain, secs) in [(1, &one, 0), (2, &one, 3), (3, &other, 4)] {
            parked.park(domain, n, at(secs));
        }
        let linger = Duration::from_secs(5);
        assert_eq!(parked.tired(linger, at(4)), (vec![], Some(at(5))));
        assert_eq!(parked.tired(linger, at(5)), (vec![1], Some(at(8))));
        assert_eq!(parked.take(&one), Some(2));
        assert_eq!(parked.take(&one), None);
        assert_eq!(parked.tired(Duration::ZERO, at(5)), (vec![3], None));
        assert_eq!(parked.take(&other), None);
    }
}
