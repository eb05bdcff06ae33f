//! The sockets that a server listens on.

use crate::failure::{Failure, Outcome};
use listenfd::ListenFd;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Sockets: from systemd by name, or bound here.
pub struct Sockets {
    /// A name may stand for several: one for each address family, say.
    given: Vec<(String, std::net::TcpListener)>,
}

impl Sockets {
    pub fn from_environment() -> Outcome<Self> {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut handed = ListenFd::from_env();
        let mut given = Vec::new();
        for (at, name) in names.split(':').enumerate().take(handed.len()) {
            let socket = handed.take_tcp_listener(at);
            let socket = socket.map_err(|e| Failure::config(format!("socket {name}: {e}")))?;
            if let Some(socket) = socket {
                given.push((name.to_owned(), socket));
            }
        }
        Ok(Self { given })
    }

    /// All that were handed over by this name, or else a new one.
    pub async fn bind(&mut self, name: &str, address: SocketAddr) -> Outcome<Vec<TcpListener>> {
        let wrong = |error: std::io::Error| {
            Failure::unavailable(format!("listen.{name} = {address}: {error}"))
                .hint("is another server running there? `ss -ltnp` shows")
        };
        let (named, others) =
            std::mem::take(&mut self.given).into_iter().partition(|(n, _)| n == name);
        self.given = others;
        let mut listeners = Vec::new();
        for (_, socket) in named as Vec<(String, std::net::TcpListener)> {
            socket.set_nonblocking(true).map_err(wrong)?;
            listeners.push(TcpListener::from_std(socket).map_err(wrong)?);
        }
        if listeners.is_empty() {
            listeners.push(TcpListener::bind(address).await.map_err(wrong)?);
        }
        Ok(listeners)
    }

    /// A socket that nobody serves would let clients wait for ever.
    pub fn refuse_unused(&self) -> Outcome<()> {
        match self.given.first() {
            None => Ok(()),
            Some((name, _)) => {
                Err(Failure::config(format!("the socket {name} is not in [listen]"))
                    .hint("FileDescriptorName= must be a key of [listen]"))
            }
        }
    }
}
