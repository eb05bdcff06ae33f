//! SCRAM-SHA-256-PLUS over TLS 1.2 and 1.3: what a client may bind to, and what it may not.

use crate::imap_script::Stage;
use crate::imap_served::{Keys, Served};
use crate::wire::Wire;
use data_encoding::BASE64;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::sync::Arc;

const PLUS: &str = "SCRAM-SHA-256-PLUS";
const PLAIN: &str = "SCRAM-SHA-256";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scram_binds_to_the_servers_certificate_over_tls_1_2_too() {
    let keys = Arc::new(Keys::make());
    let mut served = Served::open("", &keys).await;
    let play = tokio::task::spawn_blocking(move || {
        served.given("user ali secret", b"").unwrap();
        let end_point = openssl::sha::sha256(&keys.shown);
        let by = "p=tls-server-end-point";
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let scram = |mechanism, flag, bound: &[u8]| {
                let wire = Wire::open(served.port(), true, trust(&keys, version));
                scram(wire, mechanism, flag, bound)
            };
            assert!(scram(PLUS, by, &end_point).starts_with("a OK"), "{version:?}");
            assert!(scram(PLAIN, "n", b"").starts_with("a OK"), "{version:?}");
            for (mechanism, flag, bound) in [
                // The certificate of somebody in between; another kind with the same octets.
                (PLUS, by, &openssl::sha::sha256(b"another")),
                (PLUS, "p=tls-unique", &end_point),
                (PLUS, "p=tls-exporter", &end_point),
                (PLUS, "p=TLS-SERVER-END-POINT", &end_point),
                (PLAIN, by, &end_point),
            ] {
                let said = scram(mechanism, flag, bound);
                assert!(said.starts_with("a NO"), "{version:?} {mechanism} {flag}: {said}");
            }
            // Somebody took the better mechanism away.
            assert!(scram(PLAIN, "y", b"").starts_with("a NO"), "{version:?}");
            assert!(scram(PLUS, "n", b"").starts_with("a NO"), "{version:?}");
        }
    });
    play.await.unwrap();
}

fn trust(keys: &Keys, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(keys.authority.as_bytes()).unwrap()).unwrap();
    let suites = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(suites);
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn line(wire: &mut Wire) -> String {
    String::from_utf8(wire.line().unwrap().unwrap()).unwrap()
}

/// The tagged answer to an exchange of a client that knows the password.
fn scram(mut wire: Wire, mechanism: &str, flag: &str, bound: &[u8]) -> String {
    let greeting = line(&mut wire);
    assert!(greeting.contains(&format!("AUTH={mechanism}")), "{greeting}");
    let bare = "n=ali,r=rOprNGfwEbeRWgbNEkqO";
    let first = BASE64.encode(format!("{flag},,{bare}").as_bytes());
    wire.send(format!("a AUTHENTICATE {mechanism} {first}\r\n").as_bytes());
    let said = line(&mut wire);
    let Some(challenge) = said.strip_prefix("+ ") else { return said };
    let challenge = String::from_utf8(BASE64.decode(challenge.as_bytes()).unwrap()).unwrap();
    let fields: Vec<_> = challenge.split(',').collect();
    let salt = BASE64.decode(&fields[1].as_bytes()[2..]).unwrap();
    let mut salted = [0; 32];
    let (rounds, sha256) = (fields[2][2..].parse().unwrap(), MessageDigest::sha256());
    openssl::pkcs5::pbkdf2_hmac(b"secret", &salt, rounds, sha256, &mut salted).unwrap();
    let bound = BASE64.encode(&[format!("{flag},,").as_bytes(), bound].concat());
    let last = format!("c={bound},{}", fields[0]);
    let message = format!("{bare},{challenge},{last}");
    let client_key = hmac(&salted, b"Client Key");
    let signature = hmac(&openssl::sha::sha256(&client_key), message.as_bytes());
    let proof: Vec<_> = client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
    let last = BASE64.encode(format!("{last},p={}", BASE64.encode(&proof)).as_bytes());
    wire.send(format!("{last}\r\n").as_bytes());
    let said = line(&mut wire);
    if !said.starts_with("+ ") {
        return said;
    }
    wire.send(b"\r\n");
    line(&mut wire)
}

fn hmac(key: &[u8], octets: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(octets).unwrap()
}
