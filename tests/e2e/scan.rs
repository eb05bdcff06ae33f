//! Mail is shown to clamd, a real one; what is infected is refused by name, and nothing passes unseen.

use crate::clamd::{Clamd, MARKED, eicar};
use crate::scene::{ALI, AYSE, MEHMET, Plan, Scene, until};
use crate::tool::{run, tool};
use data_encoding::BASE64;

async fn scanned(more: &str) -> Option<(Scene, Clamd)> {
    let clamd = Clamd::start(more).await?;
    let scene = Scene::new(Plan::default()).await;
    scene.set("scan", "clamd", &format!("{:?}", clamd.socket().display().to_string()));
    scene.set("scan", "timeout", "'20s'");
    Some((scene, clamd))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infected_mail_is_refused_with_evidence_that_names_the_virus() {
    let Some((scene, _clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    let infected = signed(&scene, eicar().as_bytes(), "bulasik.1@x");
    let reply = scene.submit(ALI, &[AYSE, MEHMET], &infected).await;
    assert_eq!(reply.code, 554, "{reply:?}");
    assert!(reply.lines.iter().any(|line| line.contains("Eicar-Test-Signature")), "{reply:?}");
    assert!(reply.lines[0].starts_with("5.7.0"), "{reply:?}");
    until("the rejection evidence", async || {
        (scene.count("submission-rejection").await == 1).then_some(())
    })
    .await;
    let listed = scene.json(&["evidence", "list"]).await;
    let id = listed[0]["id"].as_str().unwrap();
    let xml = scene.json(&["evidence", "show", id]).await["xml"].as_str().unwrap().to_owned();
    assert!(xml.contains("MalwareFound") && xml.contains("Eicar-Test-Signature"), "{xml}");
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]));

    // What a signature wraps is seen, too; clamd itself reads no CMS.
    let wrapped = opaque(&scene, MARKED.as_bytes(), "sarili.1@x");
    let reply = scene.submit(ALI, &[AYSE], &wrapped).await;
    assert!(reply.code == 554 && reply.lines[0].contains("Kep-Test"), "{reply:?}");
    let clean = opaque(&scene, b"Temiz.", "sarili.2@x");
    scene.accepted(ALI, &[AYSE], &clean).await;

    let clean = scene.accepted(ALI, &[AYSE], &signed(&scene, b"Temiz.", "temiz.1@x")).await;
    scene.settled(&clean, 2).await;
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    let checked = scene.kep(&["check"]).await;
    assert!(
        checked.out.contains("ClamAV") && checked.out.contains("virus scan"),
        "{}",
        checked.out
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_the_api_an_infected_mail_is_refused_by_its_code_and_with_the_same_evidence() {
    let Some(curl) = tool("curl") else { return };
    let Some((scene, _clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    let token = ["account", "token", "add", ALI, "--name", "curl", "--scope", "all"];
    let token = scene.json(&token).await["token"].as_str().unwrap().to_owned();
    let post = |mail: &[u8]| {
        let (file, authority) =
            (scene.scratch("mail.eml"), scene.provider().join("trust/tls-ca.pem"));
        std::fs::write(&file, mail).unwrap();
        let (bearer, data) =
            (format!("Authorization: Bearer {token}"), format!("@{}", file.display()));
        let url = format!("https://localhost:{}/api/v1/submissions", scene.port(5));
        let mail = ["-H", "Content-Type: message/rfc822", "--data-binary", &data];
        let more = ["-sS", "-w", "\n%{http_code}", "--cacert", authority.to_str().unwrap()];
        let (good, said) = run(&curl, &[&more[..], &["-H", &bearer], &mail, &[&url]].concat());
        let said = String::from_utf8(said).unwrap();
        assert!(good, "{said}");
        let (body, status) = said.rsplit_once('\n').unwrap();
        let body: serde_json::Value = serde_json::from_str(body).expect(&said);
        (status.to_owned(), body)
    };
    let (status, said) = post(&signed(&scene, eicar().as_bytes(), "bulasik.2@x"));
    assert_eq!((status.as_str(), &said["code"]), ("422", &"refused-virus".into()), "{said}");
    assert!(said.to_string().contains("Eicar-Test-Signature"), "{said}");
    until("the rejection evidence", async || {
        (scene.count("submission-rejection").await == 1).then_some(())
    })
    .await;
    let listed = scene.json(&["evidence", "list"]).await;
    let id = listed[0]["id"].as_str().unwrap();
    let xml = scene.json(&["evidence", "show", id]).await["xml"].as_str().unwrap().to_owned();
    assert!(xml.contains("MalwareFound") && xml.contains("Eicar-Test-Signature"), "{xml}");
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]));
    let (status, said) = post(&signed(&scene, b"Temiz.", "temiz.2@x"));
    assert!(status.starts_with('2'), "{status} {said}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_scanner_is_down_nothing_passes_and_nothing_is_lost() {
    let Some((scene, mut clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    clamd.end();
    let mail = signed(&scene, b"Temiz.", "bekleyen.1@x");
    let reply = scene.submit(ALI, &[AYSE], &mail).await;
    assert_eq!(reply.code, 451, "{reply:?}");
    assert!(reply.lines.iter().any(|line| line.contains("virus scan")), "{reply:?}");
    let checked = scene.kep(&["check"]).await;
    assert!(checked.code != Some(0) && checked.out.contains("clamd:"), "{}", checked.out);
    assert_eq!(scene.json(&["message", "list"]).await, serde_json::json!([]));
    clamd.go_on().await;
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    // A temporary answer makes no evidence.
    assert_eq!(scene.count("submission-rejection").await, 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_into_passes_by_policy_only() {
    let Some((scene, _clamd)) = scanned("StreamMaxLength 200K").await else { return };
    let server = scene.serve().await;
    let large = signed(&scene, &vec![b'a'; 300_000], "buyuk.1@x");
    let reply = scene.submit(ALI, &[AYSE], &large).await;
    assert!(reply.code == 554 && reply.lines[0].contains("StreamMaxLength"), "{reply:?}");
    let locked = signed(&scene, &encrypted_zip(), "kilitli.1@x");
    scene.accepted(ALI, &[AYSE], &locked).await;
    server.logged("passes without a scan", 1).await;
    let set = ["policy", "set", "virus.beyond", "accept", "--reason", "Büyük ekler"];
    assert_eq!(scene.kep(&set).await.code, Some(0));
    scene.accepted(ALI, &[AYSE], &large).await;
    server.logged("passes without a scan", 2).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn by_policy_mail_waits_for_a_scanner_that_is_away() {
    let Some((scene, mut clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    let why = ["--reason", "Tarayıcı bakımda"];
    let set = [&["policy", "set", "virus.unscanned", "hold"][..], &why].concat();
    let set = scene.kep(&set).await;
    assert_eq!(set.code, Some(0), "{}", set.err);
    clamd.end();
    let (clean, infected) =
        (signed(&scene, b"Temiz.", "sonra.1@x"), signed(&scene, eicar().as_bytes(), "sonra.2@x"));
    let good = scene.accepted(ALI, &[AYSE], &clean).await;
    let bad = scene.accepted(ALI, &[AYSE], &infected).await;
    assert_eq!(scene.accepted(ALI, &[AYSE], &clean).await, good, "the same again");
    let shown = scene.json(&["message", "show", &good]).await;
    assert_eq!(shown["message"]["state"], "unscanned");
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    let (_, _) = server.end("KILL").await;

    let server = scene.serve().await;
    assert_eq!(scene.events(&good).await, Vec::<String>::new());
    clamd.go_on().await;
    let events = scene.settled(&good, 2).await;
    assert_eq!(events, [format!("delivery {AYSE}"), "submission-acceptance".to_owned()]);
    until("the rejection evidence", async || {
        (scene.events(&bad).await == ["submission-rejection"]).then_some(())
    })
    .await;
    assert_ne!(scene.kep(&["message", "show", &bad]).await.code, Some(0), "as if it never came");
    assert_eq!(scene.submit(ALI, &[AYSE], &infected).await.code, 554);
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_scanner_that_is_given_up_is_told_of_and_goes_on_by_policy() {
    let Some((scene, mut clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    let set = async |key: &str, value: &str| {
        let set = scene.kep(&["policy", "set", key, value, "--reason", "Tarayıcı yok"]).await;
        assert_eq!(set.code, Some(0), "{}", set.err);
    };
    set("virus.unscanned", "hold").await;
    clamd.end();
    let clean = signed(&scene, b"Temiz.", "birakilan.1@x");
    let id = scene.accepted(ALI, &[AYSE], &clean).await;
    server.stop().await;
    let conf = std::fs::read_to_string(scene.conf()).unwrap();
    std::fs::write(scene.conf(), conf.replace("\nclamd = ", "\n#clamd = ")).unwrap();

    let server = scene.serve().await;
    server.logged("virus.abandoned", 1).await;
    let checked = scene.kep(&["check"]).await;
    assert!(checked.code != Some(0), "{}", checked.out);
    assert!(checked.out.contains("1 messages were taken and wait"), "{}", checked.out);
    let examined = scene.kep(&["fsck"]).await;
    assert_eq!(examined.code, Some(0), "nothing is lost");
    assert!(examined.out.contains("odd: scan: 1 messages"), "{}", examined.out);
    assert_eq!(scene.events(&id).await, Vec::<String>::new());
    server.stop().await;

    set("virus.abandoned", "accept").await;
    let server = scene.serve().await;
    scene.settled(&id, 2).await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_infected_after_its_250_gives_its_credit_back_with_the_evidence() {
    let Some((scene, mut clamd)) = scanned("").await else { return };
    let server = scene.serve().await;
    let why = ["--reason", "Tarayıcı bakımda"];
    for (key, value) in [("virus.unscanned", "hold"), ("credit.enforced", "yes")] {
        let set = scene.kep(&[&["policy", "set", key, value][..], &why].concat()).await;
        assert_eq!(set.code, Some(0), "{}", set.err);
    }
    let act = ["account", "credit", "top-up", ALI, "5", "--reason", "havale", "--reference", "1"];
    assert_eq!(scene.kep(&act).await.code, Some(0));
    let has = async || {
        let shown = scene.json(&["account", "credit", ALI]).await;
        ["available", "reserved", "spent"].map(|key| shown[key].as_i64().unwrap())
    };
    clamd.end();
    let bad = signed(&scene, eicar().as_bytes(), "kontor.1@x");
    let good = signed(&scene, b"Temiz.", "kontor.2@x");
    let bad = scene.accepted(ALI, &[AYSE], &bad).await;
    let good = scene.accepted(ALI, &[AYSE], &good).await;
    assert_eq!(has().await, [3, 2, 0], "both are charged while they wait");
    clamd.go_on().await;
    until("the rejection evidence", async || {
        (scene.events(&bad).await == ["submission-rejection"]).then_some(())
    })
    .await;
    scene.settled(&good, 2).await;
    assert_eq!(has().await, [4, 0, 1]);
    let audit = scene.json(&["credit", "audit"]).await;
    assert_eq!(audit["proven"], true, "{audit}");
    assert_eq!(scene.kep(&["fsck"]).await.code, Some(0));
    server.stop().await;
}

fn head(id: &str) -> String {
    format!(
        "Date: Mon, 23 Nov 2026 10:00:00 +0300\r\nFrom: <{ALI}>\r\nTo: <{AYSE}>\r\nCc: <{MEHMET}>\r\n\
         Subject: Ekli\r\nMessage-ID: <{id}>\r\nMIME-Version: 1.0\r\n"
    )
}

fn attached(octets: &[u8]) -> String {
    format!(
        "Content-Type: application/octet-stream; name=\"ek.bin\"\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; \
         filename=\"ek.bin\"\r\n\r\n{}",
        wrapped(octets)
    )
}

/// A mail with a file, signed by Ali.
fn signed(scene: &Scene, file: &[u8], id: &str) -> Vec<u8> {
    let entity = attached(file);
    let signature = scene.account(ALI).signer.signature(entity.as_bytes()).unwrap();
    let mail = format!(
        "{}Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; \
         micalg=sha-256; boundary=\"sinir\"\r\n\r\n--sinir\r\n{entity}\r\n--sinir\r\n\
         Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--sinir--\r\n",
        head(id),
        wrapped(&signature)
    );
    mail.into_bytes()
}

/// The same, with the file inside the signature.
fn opaque(scene: &Scene, file: &[u8], id: &str) -> Vec<u8> {
    use openssl::cms::{CMSOptions, CmsContentInfo};
    let signer = &scene.account(ALI).signer;
    let options = CMSOptions::BINARY | CMSOptions::NOSMIMECAP;
    let entity = attached(file);
    let (certificate, key) = (signer.certificate(), signer.key());
    let entity = Some(entity.as_bytes());
    let made = CmsContentInfo::sign(Some(certificate), Some(key), None, entity, options);
    let mail = format!(
        "{}Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        head(id),
        wrapped(&made.unwrap().to_der().unwrap())
    );
    mail.into_bytes()
}

/// A ZIP with one file that a password closes (APPNOTE 4.4.4, bit 0).
fn encrypted_zip() -> Vec<u8> {
    let (name, body) = (b"gizli.txt", [0x5a_u8; 32]);
    let common = |sum: u32| {
        let mut fields = Vec::new();
        fields.extend_from_slice(&[20, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
        fields.extend_from_slice(&sum.to_le_bytes());
        fields.extend_from_slice(&(body.len() as u32).to_le_bytes());
        fields.extend_from_slice(&(body.len() as u32 - 12).to_le_bytes());
        fields.extend_from_slice(&(name.len() as u16).to_le_bytes());
        fields.extend_from_slice(&[0, 0]);
        fields
    };
    let local = [&b"PK\x03\x04"[..], &common(7), name, &body].concat();
    let central = [&b"PK\x01\x02"[..], &[20, 0], &common(7), &[0; 14], name].concat();
    let mut end = b"PK\x05\x06\0\0\0\0\x01\0\x01\0".to_vec();
    end.extend_from_slice(&(central.len() as u32).to_le_bytes());
    end.extend_from_slice(&(local.len() as u32).to_le_bytes());
    end.extend_from_slice(&[0, 0]);
    [local, central, end].concat()
}

fn wrapped(octets: &[u8]) -> String {
    let text = BASE64.encode(octets);
    let lines = text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned());
    lines.collect::<Vec<_>>().join("\r\n")
}
