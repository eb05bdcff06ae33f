//! A name server of Debian's (nsd), with a root zone and a provider's zone that are really signed, under
//! a trust anchor of the test's own.

use crate::tool::tool;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How the provider's zone is signed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signing {
    Good,
    /// The signature of the TLSA record is another's.
    Forged,
    /// Its parent says that it is not.
    Unsigned,
}

pub struct NameServer {
    place: tempfile::TempDir,
    pub port: u16,
    sign: PathBuf,
    serve: PathBuf,
    /// Names of the key files.
    root: String,
    child: String,
    running: Option<Child>,
}

pub const DOMAIN: &str = "hs06.kep.tr";

impl NameServer {
    /// `None` where the programs may be absent.
    pub fn new() -> Option<Self> {
        let (serve, sign, keys) = (tool("nsd")?, tool("ldns-signzone")?, tool("ldns-keygen")?);
        let place = tempfile::tempdir().unwrap();
        let key = |zone: &str| {
            let arguments = ["-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", zone];
            said(Command::new(&keys).args(arguments).current_dir(place.path()))
        };
        let (root, child) = (key("."), key(DOMAIN));
        Some(Self { port: free_port(), place, sign, serve, root, child, running: None })
    }

    /// The key in which trust begins.
    pub fn anchor(&self) -> PathBuf {
        self.place.path().join(format!("{}.key", self.root))
    }

    /// Serves these records of the provider, in the place of those before.
    pub fn publish(&mut self, records: &str, signing: Signing) {
        self.stop();
        let delegation = match signing {
            Signing::Unsigned => String::new(),
            _ => self.read(&format!("{}.ds", self.child)),
        };
        let head = "@ 1 SOA ns. posta. 1 60 60 600 1\n@ 1 NS ns.\n";
        let root =
            format!("$ORIGIN .\n{head}ns. 1 A 127.0.0.1\n{DOMAIN}. 1 NS ns.\n{delegation}\n");
        self.write("root.zone", &root);
        self.write("child.zone", &format!("$ORIGIN {DOMAIN}.\n$TTL 1\n{head}{records}\n"));
        self.signed(".", "root", &self.root);
        self.signed(DOMAIN, "child", &self.child);
        match signing {
            Signing::Good => {}
            Signing::Forged => {
                let lines = self.read("child.signed");
                self.write("child.signed", &lines.lines().map(forged).collect::<String>());
            }
            Signing::Unsigned => {
                self.write("child.signed", &self.read("child.zone"));
            }
        }
        self.start();
    }

    fn signed(&self, zone: &str, name: &str, key: &str) {
        let (out, zone_file) = (format!("{name}.signed"), format!("{name}.zone"));
        let arguments = ["-o", zone, "-f", &out, &zone_file, key];
        said(Command::new(&self.sign).args(arguments).current_dir(self.place.path()));
    }

    fn start(&mut self) {
        let (place, port) = (self.place.path().display(), self.port);
        let conf = format!(
            "server:\n ip-address: 127.0.0.1@{port}\n port: {port}\n username: \"\"\n chroot: \"\"\n \
             zonesdir: \"{place}\"\n pidfile: \"{place}/nsd.pid\"\n database: \"\"\n xfrdfile: \
             \"{place}/xfrd.state\"\n zonelistfile: \"{place}/zone.list\"\n xfrdir: \"{place}\"\n \
             server-count: 1\nremote-control:\n control-enable: no\nzone:\n name: \".\"\n zonefile: \
             root.signed\nzone:\n name: \"{DOMAIN}\"\n zonefile: child.signed\n"
        );
        self.write("nsd.conf", &conf);
        let log = std::fs::File::create(self.place.path().join("nsd.log")).unwrap();
        let mut command = Command::new(&self.serve);
        command.arg("-d").arg("-c").arg(self.place.path().join("nsd.conf"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(command.spawn().unwrap());
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err() {
            assert!(Instant::now() < deadline, "{}", self.read("nsd.log"));
            std::thread::yield_now();
        }
    }

    /// It has children, which end with it when it is asked to.
    fn stop(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let asked = Command::new("kill").args(["-s", "TERM", &running.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()));
        let _ = running.wait();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.place.path().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.place.path().join(name), text).unwrap();
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Turns a letter of the signature of a TLSA record.
fn forged(line: &str) -> String {
    let fields: Vec<_> = line.split('\t').collect();
    let (Some(&"RRSIG"), Some(signature)) = (fields.get(3), line.rsplit(' ').next()) else {
        return format!("{line}\n");
    };
    if !fields.get(4).is_some_and(|field| field.starts_with("TLSA ")) {
        return format!("{line}\n");
    }
    let other = if signature.starts_with('A') { "B" } else { "A" };
    let (rest, tail) = (&line[..line.len() - signature.len()], &signature[1..]);
    format!("{rest}{other}{tail}\n")
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).trim().to_owned();
    assert!(output.status.success(), "{command:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// Free for both, a moment ago.
fn free_port() -> u16 {
    for _ in 0..100 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = tcp.local_addr().unwrap().port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
