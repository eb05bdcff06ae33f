//! The provider that the journey goes through: made as `kep dev init` makes it, then known only by
//! the files that it exports.

use crate::arguments::{DevInit, Key, Signature};
use crate::command::dev;
use crate::failure::{Failure, Outcome};
use kep::trust::random;
use kep::wire::KepAddress;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

pub struct Provider {
    pub folder: PathBuf,
    pub conf: PathBuf,
    pub base_port: u16,
    pub sender: Person,
    pub recipient: Person,
}

/// Someone with an account, as `passwords.txt` names him.
pub struct Person {
    pub address: KepAddress,
    pub password: String,
}

impl Provider {
    pub async fn make(folder: &Path) -> Outcome<Self> {
        let wanted = DevInit {
            dir: folder.to_owned(),
            domain: DOMAIN.to_owned(),
            base_port: free_ports()?,
            accounts: ACCOUNTS.map(str::to_owned).to_vec(),
            key: Key::P256,
            direct: false,
            signature: Signature::Required,
            json: false,
        };
        let made = dev::make(&wanted).await?;
        let list = made.dir.join("passwords.txt");
        let text = std::fs::read_to_string(&list);
        let text = text.map_err(|e| Failure::not_found(format!("{}: {e}", list.display())))?;
        let (sender, recipient) = (person(&text, ACCOUNTS[0])?, person(&text, ACCOUNTS[1])?);
        let base_port = wanted.base_port;
        Ok(Self { folder: made.dir, conf: made.conf, base_port, sender, recipient })
    }

    pub fn submission(&self) -> u16 {
        self.base_port
    }

    pub fn imap(&self) -> u16 {
        self.base_port + 2
    }

    pub fn trust(&self) -> PathBuf {
        self.folder.join("trust")
    }

    pub fn p12(&self, person: &Person) -> PathBuf {
        self.folder.join("users").join(format!("{}.p12", person.address))
    }

    pub fn log(&self) -> PathBuf {
        self.folder.join("serve.log")
    }
}

/// A line of `passwords.txt`: `ADDRESS PASSWORD`.
fn person(list: &str, local: &str) -> Outcome<Person> {
    let pairs = list.lines().filter_map(|line| line.split_once(' '));
    let known = pairs.filter_map(|(address, password)| {
        let address = KepAddress::parse(address).ok()?;
        Some(Person { address, password: password.to_owned() })
    });
    let mut wanted = known.filter(|person| person.address.local() == local);
    wanted.next().ok_or_else(|| Failure::software(format!("passwords.txt has no {local}")))
}

/// The first of eight free ports in a row.
fn free_ports() -> Outcome<u16> {
    for _ in 0..TRIES {
        let slot = u16::try_from(random::below(u64::from(SLOTS))).unwrap_or_default();
        let base = LOWEST + slot * PORTS;
        let bound = (base..base + PORTS)
            .map_while(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok());
        // Held until all are seen to be free, then given back.
        let held: Vec<TcpListener> = bound.collect();
        if held.len() == usize::from(PORTS) {
            return Ok(base);
        }
    }
    Err(Failure::unavailable("no eight free ports in a row on 127.0.0.1")
        .hint("`ss -ltn` shows what listens"))
}

const DOMAIN: &str = "hs05.kep.tr";
const ACCOUNTS: [&str; 2] = ["ali.veli", "ayse.yilmaz"];
/// As many as `kep dev init` lays out.
const PORTS: u16 = 8;
/// Below the ports that systems give to outgoing connections (32768 and up on Linux), so that none
/// of those takes one before the server does.
const LOWEST: u16 = 20_000;
const SLOTS: u16 = 1_500;
const TRIES: u32 = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_below_those_of_outgoing_connections() {
        let base = free_ports().unwrap();
        assert!(base >= LOWEST && base + PORTS <= 32_768);
    }

    #[test]
    fn a_person_is_found_by_the_local_part() {
        let list = "ali.veli@hs05.kep.tr a b\nayse@hs05.kep.tr c\n";
        assert_eq!(person(list, "ali.veli").unwrap().password, "a b");
        assert!(person(list, "yok").is_err());
    }
}
