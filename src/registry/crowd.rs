//! Counts connections, in all and by address: one client can't take the place of all others. And
//! how we part from one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

#[derive(Clone)]
pub struct Crowd {
    counts: Arc<Mutex<Counts>>,
    most: usize,
    per_address: usize,
}

#[derive(Default)]
struct Counts {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A place among the connections, free again when this is dropped.
pub struct Seat {
    crowd: Crowd,
    address: IpAddr,
}

impl Crowd {
    pub fn new(most: usize, per_address: usize) -> Self {
        Self { counts: Arc::default(), most, per_address }
    }

    pub fn admit(&self, address: IpAddr) -> Option<Seat> {
        let address = network(address);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let here = counts.by_address.get(&address).copied().unwrap_or_default();
        if counts.all >= self.most || here >= self.per_address {
            return None;
        }
        counts.all += 1;
        counts.by_address.insert(address, here + 1);
        Some(Seat { crowd: self.clone(), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        match counts.by_address.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.by_address.remove(&self.address)),
        }
    }
}

/// Ends our side of a connection, and reads on for a moment: octets that nobody read would make a
/// reset of the end (RFC 1122 §4.2.2.13), and the peer would never see our last words.
pub async fn part<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let goodbye = async {
        stream.shutdown().await?;
        let (mut unread, mut left) = ([0; 2048], MOST_UNREAD);
        while left > 0 {
            match stream.read(&mut unread).await? {
                0 => break,
                octets => left = left.saturating_sub(octets),
            }
        }
        std::io::Result::Ok(())
    };
    // The peer may have gone first, or never go: either way we have done our part.
    let _ = timeout(GOODBYE, goodbye).await;
}

/// A client has a whole /64 of IPv6 addresses to choose from.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 => v4,
    }
}

const GOODBYE: Duration = Duration::from_secs(2);
/// What a peer may have sent before it heard us.
const MOST_UNREAD: usize = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_takes_its_part_only() {
        let crowd = Crowd::new(3, 2);
        let at = |text: &str| crowd.admit(text.parse().unwrap());
        let one = at("2001:db8::1").unwrap();
        let _two = at("2001:db8::2").unwrap();
        assert!(at("2001:db8::3").is_none());
        let _v4 = at("192.0.2.1").unwrap();
        assert!(at("192.0.2.2").is_none(), "all seats are taken");
        drop(one);
        assert!(at("::ffff:192.0.2.1").is_some());
    }
}
