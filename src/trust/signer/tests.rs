use super::*;
use crate::trust::pki::{CertificateAuthority, KeyKind, Links};
use crate::trust::testing::{self, NOW};
use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn a_key_in_a_file_signs() {
    let dir = tempfile::tempdir().unwrap();
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let authority = CertificateAuthority::create("Kök", kind, NOW).unwrap();
        let links = Links::default();
        let issued = authority.issue(&testing::seal_profile(), kind, &links, NOW).unwrap();
        let (key, certificate) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
        fs::write(&key, issued.key_pem().unwrap()).unwrap();
        let chain = issued.certificate().pem() + &authority.certificate().pem();
        fs::write(&certificate, chain).unwrap();
        let signer = open(&SignerSource::File { key, certificate }).unwrap();
        assert_eq!(signer.chain(), [authority.certificate().clone()]);
        let signature = signer.sign(b"content").unwrap();
        let verified = |octets| {
            let (certificate, algorithm) = (signer.certificate(), signer.algorithm());
            crate::trust::verify_octets(certificate, algorithm, octets, &signature)
        };
        assert!(verified(b"content"));
        assert!(!verified(b"other content"));
    }
}

/// openssl's own way is the judge of what is verified without it.
#[test]
fn a_touched_signature_verifies_for_nobody() {
    let authority = testing::authority("Kök");
    let issued = authority.issue(&testing::seal_profile(), KeyKind::P256, &Links::default(), NOW);
    let signer = issued.unwrap().signer().unwrap();
    let (certificate, good) = (signer.certificate(), signer.sign(b"content").unwrap());
    let touched = (0..8 * good.len()).map(|bit| {
        let mut octets = good.clone();
        octets[bit / 8] ^= 1 << (bit % 8);
        octets
    });
    let long_form = [&[good[0], 0x81, good[1]], &good[2..]].concat();
    let others = [good.clone(), [&good[..], b"\0"].concat(), long_form, Vec::new()];
    for signature in touched.chain(others) {
        let own =
            crate::trust::verify_octets(certificate, signer.algorithm(), b"content", &signature);
        let sha256 = openssl::hash::MessageDigest::sha256();
        let mut judge = openssl::sign::Verifier::new(sha256, certificate.key()).unwrap();
        let judged = judge.verify_oneshot(&signature, b"content").unwrap_or(false);
        assert_eq!((own, own), (judged, signature == good), "{signature:02x?}");
    }
}

#[test]
fn a_foreign_certificate_is_refused() {
    let authority = testing::authority("Kök");
    let (one, other) = (testing::user(&authority), testing::user(&authority));
    let key = one.key_pem().unwrap();
    let refused = FileSigner::from_pem(&key, vec![other.certificate().clone()]);
    assert!(matches!(refused, Err(TrustError::KeyMismatch(_))));
}

#[test]
fn a_short_rsa_key_is_refused() {
    let authority = testing::authority("Kök");
    let rsa = openssl::rsa::Rsa::generate(1024).unwrap();
    let public = rsa.public_key_to_pem().unwrap();
    let links = Links::default();
    let weak = authority.issue_for(&testing::seal_profile(), &public, &links, NOW).unwrap();
    let refused = FileSigner::from_pem(&rsa.private_key_to_pem().unwrap(), vec![weak]);
    assert!(refused.err().unwrap().to_string().contains("1024 bits"));
}

#[test]
fn files_that_are_no_keys_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (key, certificate) = (dir.path().join("key.pem"), dir.path().join("cert.pem"));
    let source = SignerSource::File { key, certificate };
    assert!(open(&source).err().unwrap().to_string().contains("cert.pem"));
}

/// The only test that opens tokens: SoftHSM2 reads its configuration once per process.
#[test]
fn a_key_in_a_token_signs_and_never_leaves_it() {
    if !soft_token("tests::a_key_in_a_token_signs_and_never_leaves_it") {
        return;
    }
    let authority = testing::authority("Kök");
    let choice = TokenChoice::Label("kep-test".into());
    for (number, kind) in [KeyKind::P256, KeyKind::Rsa2048].into_iter().enumerate() {
        let token = Token::open(Path::new(MODULE), &choice, PIN.into()).unwrap();
        let (label, id) = (format!("seal-{number}"), [7, number as u8]);
        let public = token.generate(kind, &label, &id).unwrap();
        let profile = testing::seal_profile();
        let sealed = authority.issue_for(&profile, &public, &Links::default(), NOW).unwrap();
        let key = KeyChoice::Label(label.clone());
        let email = "kepservisi@hs05.kep.tr";
        let request = token.request(&key, kind, &public, "hs05.kep.tr", email).unwrap();
        judge_request(&request);
        token.keep_certificate(&sealed, &label, &id).unwrap();
        for key in [KeyChoice::Label(label), KeyChoice::Id(id.to_vec())] {
            let (module, token) = (MODULE.into(), choice.clone());
            let pin = PIN.into();
            let source = SignerSource::Pkcs11 { module, token, pin, key, certificate: None };
            let signer = open(&source).unwrap();
            assert_eq!(signer.certificate(), &sealed);
            judge_by_openssl(&*signer, &authority);
            std::thread::scope(|scope| {
                for _ in 0..16 {
                    scope.spawn(|| signer.sign(b"content").unwrap());
                }
            });
        }
    }
    let late = open(&SignerSource::Pkcs11 {
        module: MODULE.into(),
        token: choice.clone(),
        pin: PIN.into(),
        key: KeyChoice::Id(vec![7, 0]),
        certificate: None,
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(runtime.block_on(sign(&late.unwrap(), b"content".to_vec())).is_ok());
    let source = |pin: &str, key: &str| SignerSource::Pkcs11 {
        module: MODULE.into(),
        token: choice.clone(),
        pin: pin.into(),
        key: KeyChoice::Label(key.into()),
        certificate: None,
    };
    assert!(open(&source(PIN, "absent")).is_err());
}

fn judge_request(request: &str) {
    if !testing::openssl_is_here() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("request.pem"), request).unwrap();
    let (ok, said) = testing::openssl(dir.path(), "req -verify -in request.pem -noout -text");
    assert!(ok && said.contains("email:kepservisi@hs05.kep.tr"), "{said}");
}

/// A detached CAdES signature by a key that never left its token.
fn judge_by_openssl(signer: &dyn Signer, authority: &CertificateAuthority) {
    use crate::wire::cms::{Prepared, oid};
    if !testing::openssl_is_here() {
        return;
    }
    let content = b"Merhaba\r\n";
    let digest = crate::wire::sha256(content);
    let prepared = Prepared::new(signer.identity(), oid::DATA, digest, Some(NOW));
    let signature = signer.sign(prepared.to_sign()).unwrap();
    let p7s = prepared.signed(signature).detached(None);
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("content"), content).unwrap();
    fs::write(dir.path().join("p7s"), p7s).unwrap();
    fs::write(dir.path().join("ca.pem"), authority.certificate().pem()).unwrap();
    let verify = "cms -verify -cades -binary -inform DER -in p7s -content content";
    let verify = format!("{verify} -CAfile ca.pem -attime {} -out out", NOW.secs());
    let (ok, said) = testing::openssl(dir.path(), &verify);
    assert!(ok, "{said}");
}

/// SoftHSM2 finds its tokens by an environment variable, which only a new process can be given:
/// the test calls itself again with a fresh token.
pub(super) fn soft_token(test: &str) -> bool {
    if std::env::var_os("SOFTHSM2_CONF").is_some() {
        return true;
    }
    if !Path::new(MODULE).exists() || Command::new("softhsm2-util").output().is_err() {
        println!("skipped: no SoftHSM2 at {MODULE}");
        return false;
    }
    let dir = tempfile::tempdir().unwrap();
    let (tokens, conf) = (dir.path().join("tokens"), dir.path().join("softhsm2.conf"));
    fs::create_dir(&tokens).unwrap();
    fs::write(&conf, format!("directories.tokendir = {}\n", tokens.display())).unwrap();
    let mut init = Command::new("softhsm2-util");
    init.args(["--init-token", "--free", "--label", "kep-test", "--so-pin", "1234", "--pin", PIN]);
    assert!(init.env("SOFTHSM2_CONF", &conf).output().unwrap().status.success());
    let mut again = Command::new(std::env::current_exe().unwrap());
    let test = format!("trust::signer::{test}");
    again.args(["--exact", &test, "--nocapture"]).env("SOFTHSM2_CONF", &conf);
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    false
}

pub(super) const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
pub(super) const PIN: &str = "5678";
