use super::*;
use crate::trust::Clock;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use rustls::pki_types::ServerName;
use std::fs;
use std::io::{Read, Write};

struct World {
    dir: tempfile::TempDir,
    authority: CertificateAuthority,
}

impl World {
    fn new() -> Self {
        let now = Clock::System.now();
        let authority = CertificateAuthority::create("TLS Kök", KeyKind::P256, now).unwrap();
        let world = Self { dir: tempfile::tempdir().unwrap(), authority };
        world.renew();
        world
    }

    fn files(&self) -> (PathBuf, PathBuf) {
        (self.dir.path().join("tls.pem"), self.dir.path().join("tls.key"))
    }

    fn renew(&self) {
        let addresses = vec!["127.0.0.1".parse().unwrap()];
        let profile = Profile::TlsServer { names: vec!["localhost".into()], addresses };
        let (links, now) = (Links::default(), Clock::System.now());
        let issued = self.authority.issue(&profile, KeyKind::P256, &links, now).unwrap();
        let (certificate, key) = self.files();
        fs::write(certificate, issued.certificate().pem()).unwrap();
        fs::write(key, issued.key_pem().unwrap()).unwrap();
    }

    fn client(&self) -> Arc<ClientConfig> {
        client(std::slice::from_ref(self.authority.certificate())).unwrap()
    }

    fn open(&self) -> ServerTls {
        let (certificate, key) = self.files();
        ServerTls::open(&certificate, &key, &["imap"]).unwrap()
    }
}

/// Shakes hands in memory; gives the certificate that the client saw.
fn shake(
    server: &Arc<ServerConfig>,
    client: &Arc<ClientConfig>,
    name: &'static str,
) -> Result<Vec<u8>, rustls::Error> {
    let name = ServerName::try_from(name).unwrap();
    let mut client = rustls::ClientConnection::new(client.clone(), name)?;
    let mut server = rustls::ServerConnection::new(server.clone())?;
    while client.is_handshaking() || server.is_handshaking() {
        let mut octets = Vec::new();
        client.write_tls(&mut octets).unwrap();
        server.read_tls(&mut octets.as_slice()).unwrap();
        server.process_new_packets()?;
        let mut octets = Vec::new();
        server.write_tls(&mut octets).unwrap();
        let mut rest = octets.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    client.writer().write_all(b"x").unwrap();
    let mut octets = Vec::new();
    client.write_tls(&mut octets).unwrap();
    server.read_tls(&mut octets.as_slice()).unwrap();
    server.process_new_packets()?;
    let mut read = [0; 1];
    server.reader().read_exact(&mut read).unwrap();
    Ok(client.peer_certificates().unwrap()[0].to_vec())
}

#[test]
fn a_new_certificate_is_in_force_for_the_next_connection() {
    let world = World::new();
    let (tls, client) = (world.open(), world.client());
    let at = Duration::from_secs;
    let first = shake(&tls.current(at(1)), &client, "localhost").unwrap();
    world.renew();
    let soon = shake(&tls.current(at(1)), &client, "localhost").unwrap();
    assert_eq!(first, soon, "the files are looked at once a second");
    let second = shake(&tls.current(at(3)), &client, "127.0.0.1").unwrap();
    assert_ne!(first, second);
    world.renew();
    tls.reload().unwrap();
    let third = shake(&tls.current(at(3)), &client, "localhost").unwrap();
    assert_ne!(second, third);
}

#[test]
fn wrong_files_leave_the_old_certificate_in_force() {
    let world = World::new();
    let (certificate, key) = world.files();
    let (tls, client) = (world.open(), world.client());
    let before = shake(&tls.current(Duration::from_secs(1)), &client, "localhost").unwrap();
    let old_key = fs::read(&key).unwrap();
    world.renew();
    fs::write(&key, &old_key).unwrap(); // of another certificate
    assert!(tls.reload().is_err());
    fs::write(&certificate, "garbage").unwrap();
    assert!(tls.reload().is_err());
    let after = shake(&tls.current(Duration::from_secs(9)), &client, "localhost").unwrap();
    assert_eq!(before, after);
    world.renew();
    let fresh = shake(&tls.current(Duration::from_secs(19)), &client, "localhost").unwrap();
    assert_ne!(before, fresh, "tried again when both fit");
}

#[test]
fn a_foreign_server_is_refused() {
    let (world, other) = (World::new(), World::new());
    let server = world.open().current(Duration::ZERO);
    assert!(shake(&server, &other.client(), "localhost").is_err());
    assert!(shake(&server, &world.client(), "hs05.kep.tr").is_err());
    assert!(shake(&server, &world.client(), "localhost").is_ok());
}

#[test]
fn the_public_authorities_of_the_system_can_be_read() {
    let path = std::path::Path::new("/etc/ssl/certs/ca-certificates.crt");
    if !path.exists() {
        println!("skipped: there is no {}", path.display());
        return;
    }
    let all = public_issuers(path).unwrap();
    assert!(!all.is_empty() && dialer(&PeerTrust::Issuers(all), None).is_ok());
}
