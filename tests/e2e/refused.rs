//! What is refused: by name, with the code, in Turkish and English, and nothing stays of it.

use crate::client::imap::Imap;
use crate::client::mail::Signer;
use crate::client::smtp::{Prepared, Reply, Smtp};
use crate::client::tls::Security;
use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, letter, until};
use crate::tool::{run, tool};
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::Timestamp;
use openssl::pkey::PKey;
use openssl::x509::X509;
use std::path::Path;
use std::time::Duration;

/// A refusal: code, enhanced code, Turkish (in ASCII, as SMTP has it) and English.
type Expected = (u16, &'static str, &'static str, &'static str);

fn assert_refused(what: &str, reply: &Reply, expected: Expected) {
    let (code, enhanced, turkish, english) = expected;
    assert_eq!(reply.code, code, "{what}: {reply:?}");
    assert!(reply.lines.iter().all(|line| line.starts_with(enhanced)), "{what}: {reply:?}");
    let text = reply.lines.join("\n");
    assert!(text.contains(turkish), "{what}: no {turkish:?} in {text}");
    assert!(text.contains(english), "{what}: no {english:?} in {text}");
}

/// After DATA: each has a rejection evidence.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_06_bad_signatures_and_forms_are_refused_by_name_and_leave_evidence_alone() {
    let scene = Scene::new(Plan::default()).await;
    let revoked = &scene.account(MEHMET).signer;
    let serial = revoked.certificate().serial_number().to_bn().unwrap().to_dec_str().unwrap();
    let list = scene.provider().join("secrets/registers/user.revoked");
    std::fs::write(list, format!("{serial} 1600000000\n")).unwrap();
    let server = scene.serve().await;
    let mut cases = signature_cases(&scene);
    cases.extend(form_cases(&scene));
    if let Some(mail) = signed_with_sha1(&scene) {
        let weak = "Imzanin ozeti zayif (SHA-1 veya MD5).";
        cases.push((ALI, mail, (550, "5.7.6", weak, "The signature's digest is weak")));
    }
    for (rejections, (from, mail, expected)) in (1..).zip(&cases) {
        let reply = scene.submit(from, &[AYSE], mail).await;
        assert_refused(expected.3, &reply, *expected);
        until("one more rejection evidence", async || {
            (scene.count("submission-rejection").await == rejections).then_some(())
        })
        .await;
    }
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]));
    let list = scene.json(&["evidence", "list", "--limit", "1000"]).await;
    assert_eq!(list.as_array().unwrap().len(), cases.len());
    let mut reasons = Vec::new();
    for row in list.as_array().unwrap() {
        for (file, xml) in exported(&scene, row["id"].as_str().unwrap()).await {
            judge(&scene, &file, &xml);
            let code = xml.split("EventReason#").nth(1).unwrap();
            reasons.push(code.split('<').next().unwrap().to_owned());
        }
    }
    for (reason, least) in
        [("InvalidUserSignature", 4), ("UserCertExpiredOrRevoked", 2), ("PolicyViolation", 2)]
    {
        let named = reasons.iter().filter(|name| *name == reason).count();
        assert!(named >= least, "{reason}: {reasons:?}");
    }
    server.stop().await;
}

fn signature_cases(scene: &Scene) -> Vec<(&'static str, Vec<u8>, Expected)> {
    let sign = |signer: &Signer, id: &str| signer.sign(&letter(ALI, &[AYSE], id)).unwrap();
    let ali = &scene.account(ALI).signer;
    let mut altered = sign(ali, "degismis@x");
    let at = find(&altered, b"Content-Disposition: attachment").unwrap() + 200;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let users = authority(scene, "user");
    let unknown = CertificateAuthority::create("CN", KeyKind::P256, now()).unwrap();
    let four_years_ago = now().plus_secs(-4 * 366 * 86_400);
    let unsigned = letter(ALI, &[AYSE], "imzasiz@x").unsigned();
    let revoked = scene.account(MEHMET).signer.sign(&letter(MEHMET, &[AYSE], "iptal@x")).unwrap();
    let untrusted = "Imza sertifikasi guvenilen bir koke bagli degil.";
    vec![
        (ALI, unsigned, (550, "5.7.7", "Ileti imzali degil.", "The message is not signed.")),
        (ALI, altered, (550, "5.7.7", "Imza iletiye uymuyor", "it was changed after signing")),
        (
            ALI,
            sign(&scene.account(AYSE).signer, "baskasi@x"),
            (550, "5.7.7", "bu hesabin kayitli imzacisi degildir", "is not registered"),
        ),
        (
            ALI,
            sign(&issued(&unknown, now()), "tanimsiz@x"),
            (550, "5.7.7", untrusted, "does not lead to a trusted root"),
        ),
        (
            ALI,
            sign(&issued(&users, four_years_ago), "eski@x"),
            (550, "5.7.7", "Imza sertifikasinin suresi dolmus.", "certificate has expired"),
        ),
        (MEHMET, revoked, (550, "5.7.7", "Imza sertifikasi iptal edilmis.", "has been revoked")),
    ]
}

fn form_cases(scene: &Scene) -> Vec<(&'static str, Vec<u8>, Expected)> {
    let ali = &scene.account(ALI).signer;
    let hidden = ali.sign(&letter(ALI, &[MEHMET], "gizli@x")).unwrap();
    let other_from = ali.sign(&letter(MEHMET, &[AYSE], "gonderen@x")).unwrap();
    vec![
        (
            ALI,
            hidden,
            (550, "5.7.1", "gizli aliciya KEP iletisi gonderilemez", "no hidden recipients"),
        ),
        (
            ALI,
            other_from,
            (550, "5.7.1", "oturum acan hesap degildir", "is not the account that logged in"),
        ),
    ]
}

/// In the dialogue: no evidence, and the connection goes on.
#[tokio::test(flavor = "multi_thread")]
async fn invariant_06_what_the_dialogue_refuses_leaves_nothing() {
    let scene = Scene::new(Plan::default()).await;
    scene.kep(&["account", "close", MEHMET]).await;
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    let mail_from = format!("MAIL FROM:<{ALI}>");
    let too_large = format!("{mail_from} SIZE=26214400");
    let cases: [(&[&str], Expected); 7] = [
        (&[&too_large], (552, "5.3.4", "Ileti cok buyuk", "The message is too big")),
        (
            &["MAIL FROM:<ayse.yilmaz@hs05.kep.tr>"],
            (550, "5.7.1", "oturum acan hesap degildir", "is not the account that logged in"),
        ),
        (
            &[&mail_from, "RCPT TO:<yok.boyle@hs05.kep.tr>"],
            (550, "5.1.1", "adli bir KEP hesabi yok", "There is no KEP account"),
        ),
        (
            &[&mail_from, "RCPT TO:<ali@example.com>"],
            (550, "5.1.2", "bir KEP adresi degildir", "is not a KEP address"),
        ),
        (
            &[&mail_from, "RCPT TO:<birisi@hs77.kep.tr>"],
            (550, "5.1.2", "bu KEP saglayicisi kayitli degil", "is not registered"),
        ),
        (
            &[&mail_from, "RCPT TO:<mehmet.demir@hs05.kep.tr>"],
            (550, "5.2.1", "hesabi kapalidir", "is closed"),
        ),
        (
            &[&mail_from, "RCPT TO:<\"a b\"@hs05.kep.tr>"],
            (550, "5.1.3", "gecerli bir KEP adresi degildir", "is not a valid KEP address"),
        ),
    ];
    for (commands, expected) in cases {
        let (last, before) = commands.split_last().unwrap();
        for command in before {
            smtp.command(command).await.unwrap().must_be(250).unwrap();
        }
        assert_refused(last, &smtp.command(last).await.unwrap(), expected);
        smtp.command("RSET").await.unwrap().must_be(250).unwrap();
    }
    // The same connection is still good.
    let mail = scene.letter(ALI, &[AYSE], "sonra@x");
    let receipt = smtp.submit(ALI, &[AYSE], &Prepared::new(&mail)).await.unwrap();
    let id = receipt.reply.must_be(250).unwrap().message_id().unwrap().to_owned();
    scene.settled(&id, 2).await;
    assert_eq!(scene.count("submission-rejection").await, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_size_that_lies_is_found_out() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "max_size", "\"1 MiB\"");
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    assert!(smtp.offers("SIZE"));
    let big = letter(ALI, &[AYSE], "yalan@x");
    let big = crate::client::mail::Letter { attachment: 1 << 20, ..big };
    let mail = scene.account(ALI).signer.sign(&big).unwrap();
    let told = smtp.submit_as(ALI, &[AYSE], &Prepared::new(&mail), 1000).await.unwrap().reply;
    assert_refused("lying", &told, (552, "5.3.4", "Ileti cok buyuk", "The message is too big"));
    until("the rejection evidence", async || {
        (scene.count("submission-rejection").await == 1).then_some(())
    })
    .await;
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejection_evidence_is_capped_and_the_refusals_go_on() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "max_rejections_per_hour", "2");
    let server = scene.serve().await;
    for n in 0..5 {
        let mail = letter(ALI, &[AYSE], &format!("{n}@x")).unsigned();
        assert_eq!(scene.submit(ALI, &[AYSE], &mail).await.code, 550);
    }
    // One that comes after all of them: what they left would be there by then.
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "iyi@x")).await;
    scene.settled(&id, 2).await;
    assert_eq!(scene.count("submission-rejection").await, 2);
    server.stop().await;
}

/// Refused before its end was read; the evidence is about all of it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_while_it_is_read_has_evidence_of_its_own_octets() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let head = |subject: &str| {
        format!(
            "From: {ALI}\r\nTo: {AYSE}\r\nMessage-ID: <{subject}@x>\r\nSubject: {subject}\r\n\r\n"
        )
    };
    let large = "0123456789\r\n".repeat(20_000);
    let mails = [
        format!("{}a\0b\r\n", head("bir")),
        format!("{}b\0a\r\n", head("iki")),
        format!("{}{large}\nson\r\n{large}", head("buyuk")),
    ];
    for (n, mail) in (1..).zip(&mails) {
        // The same mail refused twice is one rejection, in one piece or in chunks.
        for _ in 0..2 {
            assert_eq!(scene.submit(ALI, &[AYSE], mail.as_bytes()).await.code, 554);
        }
        let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
        let reply = smtp.submit_chunk(ALI, &[AYSE], mail.as_bytes()).await.unwrap();
        assert_eq!(reply.code, 554);
        until("one more rejection evidence", async || {
            (scene.count("submission-rejection").await == n).then_some(())
        })
        .await;
    }
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "iyi@x")).await;
    scene.settled(&id, 2).await;
    let list = scene.json(&["evidence", "list", "--limit", "1000"]).await;
    let rejections = list.as_array().unwrap().iter();
    let mut told = Vec::new();
    for row in rejections.filter(|row| row["event"] == "submission-rejection") {
        for (file, xml) in exported(&scene, row["id"].as_str().unwrap()).await {
            judge(&scene, &file, &xml);
            told.push(xml);
        }
    }
    assert_eq!(told.len(), mails.len());
    for (mail, subject) in mails.iter().zip(["bir", "iki", "buyuk"]) {
        let digest = kep::wire::sha256(mail.as_bytes()).base64();
        let named = [digest.as_str(), subject, "EventReason#InvalidMessageFormat<"];
        let of_it = told.iter().filter(|xml| named.iter().all(|text| xml.contains(text)));
        assert_eq!(of_it.count(), 1, "{subject}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_is_noticed_when_the_answer_kept_in_mind_is_too_old() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("trust", "cache", "\"0ms\"");
    let server = scene.serve().await;
    scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "once@x")).await;
    let signer = scene.account(ALI).signer.certificate().serial_number().to_bn().unwrap();
    let list = scene.provider().join("secrets/registers/user.revoked");
    std::fs::write(list, format!("{} 1600000000\n", signer.to_dec_str().unwrap())).unwrap();
    let reply = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    assert_refused("revoked", &reply, (550, "5.7.7", "iptal edilmis", "has been revoked"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_and_closed_accounts_do_not_log_in() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "auth_failure_delay", "\"0ms\"");
    let server = scene.serve().await;
    let doors = scene.doors();
    let mut smtp = Smtp::connect(doors.submission, &doors.tls, Security::Implicit).await.unwrap();
    let reply = smtp.auth_plain(ALI, "yanlis").await.unwrap();
    assert_refused("password", &reply, (535, "5.7.8", "parola yanlis", "credentials invalid"));
    let reply = smtp.command(&format!("MAIL FROM:<{ALI}>")).await.unwrap();
    assert_refused("no login", &reply, (530, "5.7.0", "oturum acmaniz gerekir", "required"));
    let ali = scene.account(ALI);
    // A login that was good is remembered for a while; closing ends it all the same.
    doors.smtp(ali).await.unwrap().quit().await.unwrap();
    scene.kep(&["account", "close", ALI]).await;
    let reply = smtp.auth_plain(ALI, &ali.password).await.unwrap();
    assert_refused("closed", &reply, (535, "5.7.13", "hesabi kapalidir", "is closed"));
    scene.kep(&["account", "reopen", ALI]).await;
    smtp.auth_plain(ALI, &ali.password).await.unwrap().must_be(235).unwrap();
    server.stop().await;
}

/// What IMAP has seen fail makes SMTP wait: whoever guesses doesn't choose the slower door.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_are_counted_over_imap_and_smtp_together() {
    let scene = Scene::new(Plan::default()).await;
    scene.set("accept", "auth_failure_delay", "\"500ms\"");
    let server = scene.serve().await;
    let doors = scene.doors();
    let wrong = Imap::login(doors.imap, &doors.tls, Security::Implicit, ALI, "yanlis").await;
    assert!(wrong.is_err());
    let mut smtp = Smtp::connect(doors.submission, &doors.tls, Security::Implicit).await.unwrap();
    let since = tokio::time::Instant::now();
    assert_eq!(smtp.auth_plain(ALI, "yanlis").await.unwrap().code, 535);
    assert!(since.elapsed() >= Duration::from_secs(1), "{:?}", since.elapsed());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_closed_in_mid_session_sends_nothing_more() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mut smtp = scene.doors().smtp(scene.account(ALI)).await.unwrap();
    scene.kep(&["account", "close", ALI]).await;
    let mail = Prepared::new(&scene.letter(ALI, &[AYSE], "kapandi.1@x"));
    let reply = smtp.submit(ALI, &[AYSE], &mail).await.unwrap().reply;
    assert_refused("closed", &reply, (550, "5.7.1", "ileti gonderilemez", "none can be sent"));
    server.stop().await;
}

/// The users' authority of the provider, to issue what it never issued.
fn authority(scene: &Scene, name: &str) -> CertificateAuthority {
    let read = |extension: &str| {
        let file = format!("secrets/registers/{name}.{extension}");
        std::fs::read(scene.provider().join(file)).unwrap()
    };
    CertificateAuthority::from_pem(&read("key"), &read("pem")).unwrap()
}

/// A certificate for Ali, as of a given day.
fn issued(by: &CertificateAuthority, at: Timestamp) -> Signer {
    let profile = Profile::User { name: "Ali Veli".to_owned(), email: ALI.to_owned() };
    let issued = by.issue(&profile, KeyKind::P256, &Links::default(), at).unwrap();
    let certificate = X509::from_pem(issued.certificate().pem().as_bytes()).unwrap();
    Signer::new(certificate, PKey::private_key_from_pem(&issued.key_pem().unwrap()).unwrap())
}

fn signed_with_sha1(scene: &Scene) -> Option<Vec<u8>> {
    let openssl = tool("openssl")?;
    let signer = &scene.account(ALI).signer;
    let sha1 = |octets: &[u8]| {
        let name = |name: &str| scene.scratch(name).to_str().unwrap().to_owned();
        let [data, certificate, key, out] = ["data", "ali.pem", "ali.key", "sha1.der"].map(name);
        std::fs::write(&data, octets).unwrap();
        std::fs::write(&certificate, signer.certificate().to_pem().unwrap()).unwrap();
        std::fs::write(&key, signer.key().private_key_to_pem_pkcs8().unwrap()).unwrap();
        let flags = ["cms", "-sign", "-binary", "-md", "sha1", "-outform", "DER"];
        let files = ["-in", &data, "-signer", &certificate, "-inkey", &key, "-out", &out];
        let (good, said) = run(&openssl, &[&flags[..], &files].concat());
        assert!(good, "{}", String::from_utf8_lossy(&said));
        std::fs::read(Path::new(&out))
    };
    Some(signer.sign_by(&letter(ALI, &[AYSE], "sha1@x"), sha1).unwrap())
}

#[allow(clippy::disallowed_methods)] // certificates are made for today
fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_secs(since.as_secs() as i64)
}

fn find(whole: &[u8], part: &[u8]) -> Option<usize> {
    whole.windows(part.len()).position(|window| window == part)
}
