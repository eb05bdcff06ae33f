//! A TCP proxy between two providers, that does to a connection what the world does to connections.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What befalls one connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Both ends see it broken.
    Cut(At),
    /// Nothing passes any more, and nobody is told, until `release`.
    HalfOpen(At),
    /// Each piece comes so much later.
    Slow(Duration),
    /// Closed at once, as by somebody on the way who lets nothing through.
    Refused,
}

/// Where in a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// So many octets reached the server.
    ToServer(u64),
    /// So many octets reached the client.
    ToClient(u64),
    /// Whatever the server answers once it has so many octets.
    AnswerTo(u64),
}

/// Serves until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    faults: Mutex<VecDeque<Fault>>,
    /// What happened, for whoever reads of a failure.
    happened: Mutex<Vec<String>>,
    released: watch::Sender<u32>,
}

impl Proxy {
    pub async fn start(at: IpAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind((at, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            faults: Mutex::default(),
            happened: Mutex::default(),
            released: watch::channel(0).0,
        });
        let of = Arc::clone(&shared);
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let of = Arc::clone(&of);
                tokio::spawn(async move { of.carry(client, to).await });
            }
        });
        Self { address, shared, serving }
    }

    /// The next connections, one each; those after them pass.
    pub fn befall(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.lock().unwrap().extend(faults);
    }

    /// Faults that no connection has met yet.
    pub fn left(&self) -> usize {
        self.shared.faults.lock().unwrap().len()
    }

    /// What has befallen nobody yet never will.
    pub fn spare(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Half-open connections are reset, as when somebody on the way lost his tables.
    pub fn release(&self) {
        self.shared.released.send_modify(|times| *times += 1);
    }

    pub fn happened(&self) -> Vec<String> {
        self.shared.happened.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Shared {
    async fn carry(&self, client: TcpStream, to: SocketAddr) {
        let fault = self.faults.lock().unwrap().pop_front();
        let met = match fault {
            Some(Fault::Refused) => "refused".to_owned(),
            _ => self.pass(client, to, fault).await,
        };
        self.happened.lock().unwrap().push(match fault {
            Some(fault) => format!("{fault:?}: {met}"),
            None => met,
        });
    }

    async fn pass(&self, mut client: TcpStream, to: SocketAddr, fault: Option<Fault>) -> String {
        let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(to));
        let Ok(Ok(mut server)) = connecting.await else { return format!("{to} not reached") };
        let (mut up, mut down) = (Direction::default(), Direction::default());
        let (mut from_client, mut from_server) = (vec![0; PIECE], vec![0; PIECE]);
        loop {
            let (upward, read) = tokio::select! {
                read = client.read(&mut from_client), if up.open => (true, read),
                read = server.read(&mut from_server), if down.open => (false, read),
                else => return format!("passed {}", counted(&up, &down)),
            };
            let (way, piece, other) = match upward {
                true => (&mut up, &from_client, &mut server),
                false => (&mut down, &from_server, &mut client),
            };
            let Ok(read @ 1..) = read else {
                way.open = false;
                // The other end may be gone, too.
                let _ = other.shutdown().await;
                continue;
            };
            if let Some(Fault::Slow(pause)) = fault {
                tokio::time::sleep(pause).await;
            }
            let strikes = fault.and_then(Fault::at);
            let room = strikes.map_or(u64::MAX, |at| at.room(upward, &up, &down));
            let passing = usize::try_from(room).unwrap_or(usize::MAX).min(read);
            let way = if upward { &mut up } else { &mut down };
            way.octets += passing as u64;
            if other.write_all(&piece[..passing]).await.is_err() {
                return format!("lost {}", counted(&up, &down));
            }
            if passing == read {
                continue;
            }
            if matches!(fault, Some(Fault::HalfOpen(_))) {
                // A proxy that is gone lets go.
                let _ = self.released.subscribe().changed().await;
            }
            return format!("struck {}", counted(&up, &down));
        }
    }
}

struct Direction {
    octets: u64,
    open: bool,
}

impl Default for Direction {
    fn default() -> Self {
        Self { octets: 0, open: true }
    }
}

fn counted(up: &Direction, down: &Direction) -> String {
    format!("after {} octets there and {} back", up.octets, down.octets)
}

impl Fault {
    fn at(self) -> Option<At> {
        match self {
            Self::Cut(at) | Self::HalfOpen(at) => Some(at),
            Self::Slow(_) | Self::Refused => None,
        }
    }
}

impl At {
    /// How many octets may still pass that way.
    fn room(self, upward: bool, up: &Direction, down: &Direction) -> u64 {
        match (self, upward) {
            (Self::ToServer(octets), true) => octets.saturating_sub(up.octets),
            (Self::ToClient(octets), false) => octets.saturating_sub(down.octets),
            (Self::AnswerTo(octets), false) if up.octets >= octets => 0,
            _ => u64::MAX,
        }
    }
}

/// Longer than it takes to find out that there is no way to a host.
const CONNECT: Duration = Duration::from_secs(20);
const PIECE: usize = 16 << 10;
