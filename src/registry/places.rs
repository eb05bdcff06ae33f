//! From where people log in. A network that an account never came from is told of, once; which ones it
//! came from is kept as digests under the vault's key, so that the rows tell nobody where anyone lives.

use super::notices;
use crate::store::{Lane, RowsError, Store, Tx};
use crate::trust::vault::Purpose;
use crate::wire::{AccountId, Timestamp};
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

pub struct Places {
    store: Store,
    /// Those that this process has noted already: a login is no reason to write.
    noted: Mutex<HashSet<(AccountId, IpAddr)>>,
}

impl Places {
    pub fn new(store: Store) -> Self {
        Self { store, noted: Mutex::default() }
    }

    /// Somebody was let in. What goes wrong here keeps nobody out.
    pub async fn came(
        &self,
        account: AccountId,
        from: IpAddr,
        channel: &'static str,
        now: Timestamp,
    ) {
        let place = network(from);
        if self.noted().contains(&(account, place)) {
            return;
        }
        let input = [&account.0.to_be_bytes()[..], place.to_string().as_bytes()].concat();
        let digest = match self.store.blobs.vault().derive(Purpose::LoginPlace, &input) {
            Ok(digest) => digest,
            Err(error) => return tracing::warn!(%error, "a place can't be named"),
        };
        let shown = shown(place);
        let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
            notices::new_place(tx, account, &digest, (channel, &shown), now)
        };
        match self.store.write(Lane::Background, work).await {
            Ok(_) => {
                let mut noted = self.noted();
                if noted.len() >= NOTED {
                    noted.clear();
                }
                noted.insert((account, place));
            }
            Err(error) => tracing::warn!(%error, "from where somebody came can't be noted"),
        }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, HashSet<(AccountId, IpAddr)>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one provider of access gives a neighbourhood: /24, /48.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            Ipv4Addr::new(a, b, c, 0).into()
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

fn shown(network: IpAddr) -> String {
    match network {
        IpAddr::V4(_) => format!("{network}/24"),
        IpAddr::V6(_) => format!("{network}/48"),
    }
}

/// Some megabytes.
const NOTED: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_come_from_the_same_place() {
        let of = |text: &str| shown(network(text.parse().unwrap()));
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.1"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
    }
}
