//! Authorities' requests on both drivers: two decide, and what is handed out is for the authority alone.
//! openssl is the judge of its forms.

use super::bed::{Bed, id, message};
use super::holders::word;
use super::{NOW, on_both};
use crate::lane::tool;
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::authority::{self, AuthorityError, NewRequest, Scope, State};
use kep::registry::holds;
use kep::store::mail::{self, Kind, NewMessage, Role, view};
use kep::store::{StoreError, contents};
use kep::trust::Certificate;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::imap::UidSet;
use kep::wire::{AccountId, KepAddress, Timestamp};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::{X509, X509Name};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const WHO: &str = "a@hs05.kep.tr";
const DAY: i64 = 86_400;

fn by(name: &str) -> By {
    By { actor: Actor::Staff(name.to_owned()), channel: Channel::CommandLine, at: NOW }
}

/// An authority's certificate, good at `NOW`, and its key.
fn reader(key: PKey<Private>) -> (Certificate, PKey<Private>) {
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "Ankara 3. Asliye Ceza Mahkemesi").unwrap();
    let name = name.build();
    let mut made = X509::builder().unwrap();
    made.set_version(2).unwrap();
    made.set_serial_number(&BigNum::from_u32(77).unwrap().to_asn1_integer().unwrap()).unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(&name).unwrap();
    made.set_pubkey(&key).unwrap();
    made.set_not_before(&Asn1Time::from_unix(NOW.secs() - DAY).unwrap()).unwrap();
    made.set_not_after(&Asn1Time::from_unix(NOW.secs() + 300 * DAY).unwrap()).unwrap();
    made.sign(&key, MessageDigest::sha256()).unwrap();
    let der = made.build().to_der().unwrap();
    (Certificate::from_der(&der).unwrap(), key)
}

fn rsa() -> (Certificate, PKey<Private>) {
    reader(PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap())
}

pub fn elliptic() -> (Certificate, PKey<Private>) {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    reader(PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap())
}

fn request(certificate: Certificate) -> NewRequest {
    NewRequest {
        authority: "Ankara 3. Asliye Ceza Mahkemesi".into(),
        file_number: "2026/1453 E.".into(),
        legal_basis: "CMK m. 134".into(),
        address: KepAddress::parse(WHO).unwrap(),
        scope: Scope::All,
        from: NOW.plus_secs(-DAY),
        until: NOW.plus_secs(DAY),
        certificate,
        note: String::new(),
    }
}

impl Bed {
    async fn mail(&self, account: AccountId, text: &str, at: Timestamp, n: u32) {
        let put = self.store.blobs.put(text.as_bytes().to_vec()).unwrap();
        let blobs = Arc::clone(&self.store.blobs);
        self.write(move |tx| {
            let content = contents::create_from(tx, &blobs, &[&put])?;
            let mailbox = mail::of_role(tx, account, Role::Inbox)?;
            let new = message(&put, Kind::Plain, Some(id(n)));
            let new = NewMessage { internal_date: at, saved_at: at, ..new };
            mail::lay_in(tx, mailbox, content, &new)?;
            Ok(())
        })
        .await;
    }

    async fn entered(&self, certificate: Certificate) -> i64 {
        authority::enter(&self.store, &by("can"), request(certificate)).await.unwrap()
    }

    async fn approve(&self, name: &str, id: i64) -> Result<(), AuthorityError> {
        authority::decide(&self.store, &by(name), id, true, "kararla karşılaştırıldı").await
    }

    fn out(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_alone_decides_nothing_at_the_same_time_too() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece", "ayse", "zeki"]).await;
        bed.account(WHO).await;
        let certificate = elliptic().0;
        let id = bed.entered(certificate.clone()).await;
        let alone = bed.approve("can", id).await;
        assert!(matches!(alone, Err(AuthorityError::OnePerson(_))), "{alone:?}");
        let system = By::system("authority", NOW);
        let nobody = authority::decide(&bed.store, &system, id, true, "x").await;
        assert!(matches!(nobody, Err(AuthorityError::NotStaff)), "{nobody:?}");
        // He, and two others, all at once: one of the others.
        let names = ["can", "ece", "can", "ayse"];
        let all = names.map(|name| bed.approve(name, id));
        let [one, two, three, four] = all;
        let (one, two, three, four) = tokio::join!(one, two, three, four);
        assert!(one.is_err() && three.is_err());
        assert_eq!(usize::from(two.is_ok()) + usize::from(four.is_ok()), 1, "{two:?} {four:?}");
        let found = authority::find(&bed.store, id).await.unwrap();
        let State::Approved(decided) = &found.state else { panic!("{:?}", found.state) };
        assert_ne!(decided.by, found.entered_by);
        let again = bed.approve("zeki", id).await;
        assert!(matches!(again, Err(AuthorityError::DecidedAlready(..))), "{again:?}");
        let unknown = bed.approve("ece", 999).await;
        assert!(matches!(unknown, Err(AuthorityError::Unknown(999))), "{unknown:?}");

        let refused = bed.entered(certificate).await;
        let decide = authority::decide(&bed.store, &by("ece"), refused, false, "imza yok").await;
        decide.unwrap();
        let (word, _) = word(NOW);
        for id in [refused, bed.entered(rsa().0).await] {
            let out = bed.out("never.p7m");
            let early = authority::export(&bed.store, &word, &by("ece"), id, &out).await;
            assert!(matches!(early, Err(AuthorityError::NotApproved(..))), "{early:?}");
            assert!(!out.exists());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_not_entered() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece", "ayse", "zeki"]).await;
        bed.account(WHO).await;
        let enter = |change: fn(&mut NewRequest)| {
            let mut new = request(elliptic().0);
            change(&mut new);
            let store = bed.store.clone();
            async move { authority::enter(&store, &by("can"), new).await }
        };
        let period = enter(|new| new.until = new.from).await;
        assert!(matches!(period, Err(AuthorityError::Period)), "{period:?}");
        for change in [
            (|new: &mut NewRequest| new.authority = " ".into()) as fn(&mut NewRequest),
            |new| new.file_number = "a\nb".into(),
            |new| new.legal_basis = "x".repeat(301),
        ] {
            let bad = enter(change).await;
            assert!(matches!(bad, Err(AuthorityError::Line { .. })), "{bad:?}");
        }
        let stranger = enter(|new| new.address = KepAddress::parse("b@hs05.kep.tr").unwrap()).await;
        assert!(matches!(stranger, Err(AuthorityError::UnknownAccount(_))), "{stranger:?}");
        // A certificate that signs and does not encrypt, and one of another time.
        let root = CertificateAuthority::create("Root", KeyKind::P256, NOW).unwrap();
        let signs = Profile::User { name: "Hakim".into(), email: "h@example.com".into() };
        let signs = root.issue(&signs, KeyKind::P256, &Links::default(), NOW).unwrap();
        let mut new = request(signs.certificate().clone());
        let bad = authority::enter(&bed.store, &by("can"), new.clone()).await;
        assert!(matches!(bad, Err(AuthorityError::Certificate(_))), "{bad:?}");
        new.certificate = elliptic().0;
        let late = By { at: NOW.plus_secs(400 * DAY), ..by("can") };
        let bad = authority::enter(&bed.store, &late, new).await;
        assert!(matches!(bad, Err(AuthorityError::Certificate(_))), "{bad:?}");
        assert!(authority::list(&bed.store, None, 9).await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_handed_out_is_read_by_the_authority_and_by_nobody_else() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece", "ayse", "zeki"]).await;
        let (Some(openssl), Some(unzip)) = (tool("openssl"), tool("unzip")) else { return };
        let account = bed.account(WHO).await;
        bed.mail(account, "Subject: bir\r\n\r\ngizli icerik bir", NOW, 1).await;
        bed.mail(account, "Subject: eski\r\n\r\nbaska zaman", NOW.plus_secs(-9 * DAY), 2).await;
        bed.mail(account, "Subject: silinen\r\n\r\ntutulan icerik", NOW, 3).await;
        let address = KepAddress::parse(WHO).unwrap();
        holds::place(&bed.store, &by("can"), "ece", &address, None, "2026/17").await.unwrap();
        bed.write(move |tx| {
            let inbox = mail::of_role(tx, account, Role::Inbox)?;
            let inbox = view::owned(tx, account, inbox)?.unwrap();
            mail::change::remove_all(tx, &inbox, &UidSet::range(3, 3))?;
            Ok::<_, StoreError>(())
        })
        .await;
        super::evidence::append(&bed.store, super::evidence::new(&bed.store, 1, "delivery", WHO))
            .await;
        let (word, _) = word(NOW);
        for (name, (certificate, key)) in [("rsa", rsa()), ("ec", elliptic())] {
            let id = bed.entered(certificate.clone()).await;
            bed.approve("ece", id).await.unwrap();
            let out = bed.out(&format!("{name}.p7m"));
            // What a crash left there.
            std::fs::write(bed.out(&format!("{name}.p7m.part")), b"half").unwrap();
            let written =
                authority::export(&bed.store, &word, &by("zeki"), id, &out).await.unwrap();
            assert_eq!(written.summary.mails, 2, "one of the time asked for, one that is held");
            assert!(!bed.out(&format!("{name}.p7m.part")).exists());
            let twice = authority::export(&bed.store, &word, &by("zeki"), id, &out).await;
            assert!(matches!(twice, Err(AuthorityError::Exists(_))), "{twice:?}");

            let key_file = bed.out(&format!("{name}.key"));
            std::fs::write(&key_file, key.private_key_to_pem_pkcs8().unwrap()).unwrap();
            let pem = bed.out(&format!("{name}.pem"));
            std::fs::write(&pem, certificate.pem()).unwrap();
            let zip = bed.out(&format!("{name}.zip"));
            decrypt(&openssl, &out, &key_file, &pem, &zip);
            verify(&openssl, &written.seal, &zip);
            let listed = list(&unzip, &zip);
            for part in ["TALEP.json", "SHA256SUMS", "index.json", "iletiler/tutulan/"] {
                assert!(listed.contains(part), "{part} {listed}");
            }
            let text = text(&unzip, &zip);
            assert!(text.contains("gizli icerik bir") && text.contains("tutulan icerik"));
            assert!(!text.contains("baska zaman"));
            let sealed = std::fs::read(&out).unwrap();
            for clear in [&b"gizli"[..], b"PK\x03\x04", b"TALEP"] {
                assert!(!sealed.windows(clear.len()).any(|part| part == clear));
            }
        }
        let all = authority::list(&bed.store, None, 9).await.unwrap();
        let last = authority::list(&bed.store, None, 1).await.unwrap();
        assert_eq!((all.len(), last.len(), last[0].0.id), (2, 1, all[0].0.id));
        let before = authority::list(&bed.store, Some(last[0].0.id), 9).await.unwrap();
        assert_eq!(before[0].0.id, all[1].0.id);
        assert!(all.iter().all(|(_, exports)| exports.len() == 1 && exports[0].by == "zeki"));
        let acts = "SELECT COUNT(*) FROM audit WHERE act = 'authority.export'";
        assert_eq!(bed.count(acts).await, 2);
    })
    .await;
}

pub fn decrypt(openssl: &Path, from: &Path, key: &Path, certificate: &Path, to: &Path) {
    let [from, key, certificate, to] = [from, key, certificate, to].map(|p| p.to_str().unwrap());
    let command = ["cms", "-decrypt", "-inform", "DER", "-binary", "-in", from, "-inkey", key];
    let command = [&command[..], &["-recip", certificate, "-out", to]].concat();
    let (good, said) = run(openssl, &command);
    assert!(good, "{}", String::from_utf8_lossy(&said));
}

pub fn verify(openssl: &Path, seal: &Path, zip: &Path) {
    let [seal, zip] = [seal, zip].map(|path| path.to_str().unwrap());
    let command = ["cms", "-verify", "-noverify", "-binary", "-inform", "DER", "-in", seal];
    let command = [&command[..], &["-content", zip, "-out", "/dev/null"]].concat();
    let (good, said) = run(openssl, &command);
    assert!(good, "{}", String::from_utf8_lossy(&said));
}

pub fn list(unzip: &Path, zip: &Path) -> String {
    let (good, said) = run(unzip, &["-l", zip.to_str().unwrap()]);
    assert!(good);
    String::from_utf8_lossy(&said).into_owned()
}

fn text(unzip: &Path, zip: &Path) -> String {
    let (good, said) = run(unzip, &["-p", zip.to_str().unwrap(), "iletiler/*"]);
    assert!(good);
    String::from_utf8_lossy(&said).into_owned()
}

fn run(program: &Path, arguments: &[&str]) -> (bool, Vec<u8>) {
    let ran = std::process::Command::new(program).args(arguments).output().unwrap();
    (ran.status.success(), [ran.stdout, ran.stderr].concat())
}
