//! Ways in: generated passwords, SCRAM bound to its connection, certificates, compressed connections,
//! closed accounts, and how mail programs find the door.

use crate::client::imap::Imap;
use crate::client::mail::Signer;
use crate::client::smtp::Smtp;
use crate::client::tls::Security;
use crate::client::world::Account;
use crate::judges::exported;
use crate::scene::{ALI, AYSE, MEHMET, Plan, Running, Scene, until};
use crate::tool::{run, tool};
use data_encoding::BASE64;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A line at a time, over a TLS connection of which the test knows all.
struct Raw {
    stream: TlsStream<TcpStream>,
    heard: Vec<u8>,
    packed: Option<(Compress, Decompress)>,
}

impl Raw {
    /// With the certificate of `holder`, and the greeting.
    async fn connect(scene: &Scene, holder: Option<&Signer>) -> (Self, String) {
        let mut roots = RootCertStore::empty();
        let file = scene.provider().join("trust/tls-ca.pem");
        for found in CertificateDer::pem_file_iter(file).unwrap() {
            roots.add(found.unwrap()).unwrap();
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match holder {
            Some(holder) => {
                let chain = vec![CertificateDer::from(holder.certificate().to_der().unwrap())];
                let key = holder.key().private_key_to_pem_pkcs8().unwrap();
                let key = PrivateKeyDer::from_pem_slice(&key).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
            None => builder.with_no_client_auth(),
        };
        let tcp = TcpStream::connect(scene.doors().imap).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        let mut raw = Self { stream, heard: Vec::new(), packed: None };
        let greeting = raw.line().await;
        (raw, greeting)
    }

    async fn send(&mut self, line: &str) {
        let mut octets = format!("{line}\r\n").into_bytes();
        if let Some((pack, _)) = &mut self.packed {
            let mut out = Vec::with_capacity(octets.len() + 1024);
            pack.compress_vec(&octets, &mut out, FlushCompress::Sync).unwrap();
            octets = out;
        }
        self.stream.write_all(&octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.heard.windows(2).position(|two| two == b"\r\n") {
                let line: Vec<u8> = self.heard.drain(..end + 2).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            let mut octets = [0; 4096];
            let count = self.stream.read(&mut octets).await.unwrap();
            assert!(count > 0, "hung up");
            match &mut self.packed {
                Some((_, unpack)) => {
                    self.heard.reserve(1 << 20);
                    let came = &octets[..count];
                    unpack.decompress_vec(came, &mut self.heard, FlushDecompress::None).unwrap();
                }
                None => self.heard.extend_from_slice(&octets[..count]),
            }
        }
    }

    /// The tagged answer.
    async fn command(&mut self, line: &str) -> String {
        self.send(&format!("a {line}")).await;
        loop {
            let line = self.line().await;
            if let Some(answer) = line.strip_prefix("a ") {
                return answer.to_owned();
            }
        }
    }

    /// RFC 9266.
    fn binding(&self) -> [u8; 32] {
        let (_, tls) = self.stream.get_ref();
        tls.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap()
    }

    /// The tagged answer to an exchange of SCRAM (RFC 5802 §3).
    async fn scram(&mut self, mechanism: &str, flag: &str, bound: &[u8], secret: &str) -> String {
        let bare = format!("n={ALI},r=rOprNGfwEbeRWgbNEkqO");
        let first = BASE64.encode(format!("{flag},,{bare}").as_bytes());
        self.send(&format!("a AUTHENTICATE {mechanism} {first}")).await;
        let Some(challenge) = self.line().await.strip_prefix("+ ").map(str::to_owned) else {
            return "refused at once".to_owned();
        };
        let challenge = String::from_utf8(BASE64.decode(challenge.as_bytes()).unwrap()).unwrap();
        let fields: Vec<_> = challenge.split(',').collect();
        let salt = BASE64.decode(&fields[1].as_bytes()[2..]).unwrap();
        let bound = BASE64.encode(&[format!("{flag},,").as_bytes(), bound].concat());
        let last = format!("c={bound},{}", fields[0]);
        let message = format!("{bare},{challenge},{last}");
        let mut salted = [0; 32];
        let digest = MessageDigest::sha256();
        let rounds = fields[2][2..].parse().unwrap();
        openssl::pkcs5::pbkdf2_hmac(secret.as_bytes(), &salt, rounds, digest, &mut salted).unwrap();
        let client_key = hmac(&salted, b"Client Key");
        let signature = hmac(&openssl::sha::sha256(&client_key), message.as_bytes());
        let proof: Vec<_> =
            client_key.iter().zip(signature).map(|(key, sign)| key ^ sign).collect();
        let last = format!("{last},p={}", BASE64.encode(&proof));
        self.send(&BASE64.encode(last.as_bytes())).await;
        let answer = self.line().await;
        let Some(server) = answer.strip_prefix("+ ") else { return answer[2..].to_owned() };
        let signature = hmac(&hmac(&salted, b"Server Key"), message.as_bytes());
        let expected = format!("v={}", BASE64.encode(&signature));
        assert_eq!(BASE64.decode(server.as_bytes()).unwrap(), expected.as_bytes());
        self.send("").await;
        self.line().await[2..].to_owned()
    }
}

fn hmac(key: &[u8], octets: &[u8]) -> Vec<u8> {
    let key = PKey::hmac(key).unwrap();
    let mut signer = openssl::sign::Signer::new(MessageDigest::sha256(), &key).unwrap();
    signer.sign_oneshot_to_vec(octets).unwrap()
}

/// Makes a generated password: its id and itself.
async fn generated(scene: &Scene, who: &str, name: &str, more: &[&str]) -> (String, String) {
    let command = [&["account", "app-password", "add", who, "--name", name][..], more].concat();
    let made = scene.json(&command).await;
    let text = |key: &str| made[key].as_str().unwrap().to_owned();
    (text("id"), text("password"))
}

async fn imap_login(scene: &Scene, user: &str, password: &str) -> std::io::Result<Imap> {
    let doors = scene.doors();
    Imap::login(doors.imap, &doors.tls, Security::Implicit, user, password).await
}

async fn smtp_login(scene: &Scene, user: &str, password: &str) -> std::io::Result<Smtp> {
    let doors = scene.doors();
    Smtp::login(doors.submission, &doors.tls, Security::Implicit, user, password).await
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_03_a_generated_password_opens_as_it_says_and_evidence_names_it() {
    let scene = Scene::new(Plan::default()).await;
    let (id, phone) = generated(&scene, AYSE, "Ayşe'nin telefonu", &["--opening", "direct"]).await;
    let (_, desktop) = generated(&scene, AYSE, "Thunderbird", &[]).await;
    assert!(phone.len() >= 30 && phone.starts_with(&id), "{phone}");
    let server = scene.serve().await;
    let message = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "bir@x")).await;
    scene.settled(&message, 2).await;
    smtp_login(&scene, AYSE, &phone).await.unwrap().quit().await.unwrap();
    assert!(smtp_login(&scene, ALI, &phone).await.is_err());

    let opened = async || {
        scene.json(&["message", "show", &message]).await["recipients"][0]["opened"].clone()
    };
    // Another program downloads the notice in the background, which is not reading.
    let mut other = imap_login(&scene, AYSE, &desktop).await.unwrap();
    assert_eq!(other.select("INBOX").await.unwrap().exists, 1);
    other.fetch("1", "(BODY.PEEK[])").await.unwrap();
    assert_eq!(opened().await, Value::Null);
    let mut imap = imap_login(&scene, AYSE, &phone).await.unwrap();
    imap.select("INBOX").await.unwrap();
    imap.fetch("1", "(ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER])").await.unwrap();
    assert_eq!(opened().await, Value::Null);
    imap.fetch("1", "(BODY.PEEK[] BODY.PEEK[TEXT])").await.unwrap();
    assert!(opened().await.is_string());
    let dispatch = until("the dispatch", async || {
        imap.command("NOOP").await.unwrap();
        let found = imap.fetch("1", "(UID BODY.PEEK[])").await.unwrap();
        found.into_iter().find(|one| one.uid.is_some_and(|uid| uid > 1))
    })
    .await;
    let whole = String::from_utf8_lossy(&dispatch.literals[0]).into_owned();
    assert!(whole.contains("AttachedMimeMessage.eml"), "the dispatch itself");
    scene.settled(&message, 3).await;
    let named = exported(&scene, &message)
        .await
        .into_iter()
        .any(|(_, xml)| xml.contains(&format!("{AYSE} (Ayşe")) && xml.contains("nin telefonu)"));
    assert!(named, "the read evidence names the password");

    let listed = scene.json(&["account", "app-password", "list", AYSE]).await;
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one["used"].is_string() && one.get("password").is_none()));
    let remove = ["account", "app-password", "remove", AYSE, &id];
    assert_eq!(scene.kep(&remove).await.code, Some(0));
    let again = scene.kep(&remove).await;
    assert!(again.code != Some(0) && again.err.contains("hint: "), "{}", again.err);
    assert!(imap_login(&scene, AYSE, &phone).await.is_err());
    assert!(imap_login(&scene, AYSE, &desktop).await.is_ok());
    assert!(!server.log().contains(&phone) && !server.log().contains(&desktop));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scram_is_bound_to_its_connection_and_a_certificate_to_its_account() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    // Where nobody could log in by it, it is not in the way of who else would choose it.
    assert!(!Raw::connect(&scene, None).await.1.contains("SCRAM"));
    let (_, secret) = generated(&scene, ALI, "Posta", &[]).await;
    another_programs_scram(&scene, &secret);
    let (plus, plain) = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
    let by = "p=tls-exporter";
    let (mut raw, greeting) = Raw::connect(&scene, None).await;
    assert!(greeting.contains(&format!("AUTH={plus}")) && !greeting.contains("EXTERNAL"));
    let bound = raw.binding();
    assert!(raw.scram(plus, by, &bound, &secret).await.starts_with("OK"), "bound");
    // Somebody in between has another channel; or takes the better mechanism away.
    let refused = [
        (plus, by, [0; 32].as_slice(), secret.as_str()),
        (plus, "n", &[], &secret),
        (plus, "p=tls-unique", &bound, &secret),
        (plain, "y", &[], &secret),
        (plain, by, &bound, &secret),
        (plain, "n", &[], &scene.account(ALI).password),
    ];
    for (mechanism, flag, bound, secret) in refused {
        let (mut raw, _) = Raw::connect(&scene, None).await;
        let bound = if bound.len() == 32 && bound[0] != 0 {
            raw.binding().to_vec()
        } else {
            bound.to_vec()
        };
        let answer = raw.scram(mechanism, flag, &bound, secret).await;
        assert!(!answer.starts_with("OK"), "{mechanism} {flag}: {answer}");
    }
    let (mut raw, _) = Raw::connect(&scene, None).await;
    assert!(raw.scram(plain, "n", &[], &secret).await.starts_with("OK"), "unable to bind");
    // The same over a compressed connection, which idles too.
    assert!(raw.command("COMPRESS DEFLATE").await.starts_with("OK"));
    raw.packed = Some((Compress::new(Compression::fast(), false), Decompress::new(false)));
    assert!(raw.command("SELECT INBOX").await.starts_with("OK"));
    assert!(raw.command("COMPRESS DEFLATE").await.starts_with("NO [COMPRESSIONACTIVE]"));
    raw.send("a IDLE").await;
    assert!(raw.line().await.starts_with("+"));
    scene.accepted(AYSE, &[ALI], &scene.letter(AYSE, &[ALI], "sikisik@x")).await;
    while raw.line().await != "* 1 EXISTS" {}
    raw.send("DONE").await;
    while !raw.line().await.starts_with("a OK") {}

    by_certificate(&scene).await;
    server.stop().await;
}

/// Cyrus' SASL library, which chooses SCRAM when it is offered.
fn another_programs_scram(scene: &Scene, secret: &str) {
    let Some(program) = tool("mbsync") else { return };
    let rc = scene.scratch("mbsyncrc");
    std::fs::create_dir(scene.scratch("near")).unwrap();
    let text = format!(
        "IMAPAccount kep\nHost localhost\nPort {}\nUser {ALI}\nPass {secret}\nSSLType IMAPS\n\
         CertificateFile {}\n\nIMAPStore far\nAccount kep\n\nMaildirStore near\nPath {}/\n\
         SubFolders Verbatim\n\nChannel all\nFar :far:\nNear :near:\nPatterns *\n",
        scene.port(2),
        scene.provider().join("trust/tls-ca.pem").display(),
        scene.scratch("near").display(),
    );
    std::fs::write(&rc, text).unwrap();
    let (good, said) = run(&program, &["-Dn", "-c", rc.to_str().unwrap(), "-l", "all"]);
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(good && said.contains("INBOX"), "{said}");
    // Debian keeps the mechanism in a package of its own.
    let machine = format!("/usr/lib/{}-linux-gnu/sasl2/libscram.so", std::env::consts::ARCH);
    if std::path::Path::new(&machine).exists() {
        assert!(said.contains("AUTHENTICATE SCRAM-SHA-256"), "{said}");
    }
}

async fn by_certificate(scene: &Scene) {
    let revoked = &scene.account(MEHMET).signer;
    let serial = revoked.certificate().serial_number().to_bn().unwrap().to_dec_str().unwrap();
    let list = scene.provider().join("secrets/registers/user.revoked");
    let now = kep::wire::Timestamp::from_utc(chrono::Utc::now()).secs();
    std::fs::write(list, format!("{serial} {}\n", now - 60)).unwrap();
    let enter = async |holder: &Signer, user: &str| {
        let (mut raw, greeting) = Raw::connect(scene, Some(holder)).await;
        assert!(greeting.contains("AUTH=EXTERNAL"), "{greeting}");
        let user = if user.is_empty() { "=".to_owned() } else { BASE64.encode(user.as_bytes()) };
        let answer = raw.command(&format!("AUTHENTICATE EXTERNAL {user}")).await;
        answer.split([' ', ']']).take(2).collect::<Vec<_>>().join(" ")
    };
    let ali = &scene.account(ALI).signer;
    assert!(enter(ali, "").await.starts_with("OK"));
    assert!(enter(ali, ALI).await.starts_with("OK"));
    assert_eq!(enter(ali, AYSE).await, "NO [AUTHENTICATIONFAILED");
    assert_eq!(enter(revoked, MEHMET).await, "NO [AUTHENTICATIONFAILED");
    assert_eq!(enter(&self_made(ali), ALI).await, "NO [AUTHENTICATIONFAILED");
}

/// Names Ali as his own does, under no authority.
fn self_made(like: &Signer) -> Signer {
    let mut builder = openssl::x509::X509Builder::new().unwrap();
    let theirs = like.certificate();
    builder.set_version(2).unwrap();
    builder.set_subject_name(theirs.subject_name()).unwrap();
    builder.set_issuer_name(theirs.subject_name()).unwrap();
    builder.set_not_before(theirs.not_before()).unwrap();
    builder.set_not_after(theirs.not_after()).unwrap();
    let serial = openssl::bn::BigNum::from_u32(7).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_pubkey(like.key()).unwrap();
    builder.sign(like.key(), MessageDigest::sha256()).unwrap();
    Signer::new(builder.build(), like.key().clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_is_read_for_three_months_and_finds_its_server_meanwhile() {
    let scene = Scene::new(Plan { direct: true, ..Plan::default() }).await;
    let port = scene.without_portal();
    scene.set("listen", "autoconfig", &format!("\"127.0.0.1:{port}\""));
    scene.set("provider", "mail_host", "\"posta.hs05.kep.tr\"");
    let server = scene.serve().await;
    let message = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "bir@x")).await;
    scene.settled(&message, 2).await;
    let ayse = scene.account(AYSE);
    let mut early = scene.doors().imap(ayse).await.unwrap();
    let closed = scene.kep(&["account", "close", AYSE]).await;
    assert!(closed.out.contains("can be read until the end of"), "{}", closed.out);
    let shown = scene.json(&["account", "show", AYSE]).await;
    assert!(shown["closed"].is_string() && shown["readable_until"].is_string(), "{shown}");
    // Who is connected already adds nothing any more either.
    let mail = b"Subject: taslak\r\n\r\nx\r\n";
    let late = early.append("Taslaklar", "\\Draft", mail).await.unwrap_err();
    assert!(late.to_string().contains("NOPERM"), "{late}");
    reads_only(&scene, ayse).await;
    assert!(page(port, "/mail/config-v1.1.xml").await.contains("<hostname>posta.hs05.kep.tr"));
    let dns = scene.kep(&["check", "--dns"]).await.out;
    assert!(dns.contains("IN SRV 0 1") && dns.contains("autoconfig.hs05.kep.tr."), "{dns}");
    server.stop().await;

    let server = later(&scene, 100).await;
    for error in [
        imap_login(&scene, AYSE, &ayse.password).await.err().unwrap(),
        smtp_login(&scene, AYSE, &ayse.password).await.err().unwrap(),
    ] {
        let text = error.to_string();
        assert!(text.contains("CONTACTADMIN") || text.contains("5.7.13"), "{text}");
    }
    let wrong = imap_login(&scene, AYSE, "wrong").await.err().unwrap().to_string();
    assert!(wrong.contains("AUTHENTICATIONFAILED"), "only the right password is told: {wrong}");
    // It had ended: nothing that let her in before does, and she is given a password anew.
    assert_eq!(scene.kep(&["account", "reopen", AYSE]).await.code, Some(0));
    assert!(imap_login(&scene, AYSE, &ayse.password).await.is_err());
    let file = scene.scratch("ayse.password");
    std::fs::write(&file, "yeniden acilan hesabin sozu").unwrap();
    let given = ["account", "password", AYSE, "--password-file", file.to_str().unwrap()];
    let given = scene.kep(&given).await;
    assert_eq!(given.code, Some(0), "{}", given.err);
    assert!(imap_login(&scene, AYSE, "yeniden acilan hesabin sozu").await.is_ok());
    server.stop().await;
}

async fn later(scene: &Scene, days: i64) -> Running {
    let offset = (days * 86_400).to_string();
    scene.serve_with(&[("KEP_DEV_CLOCK_OFFSET_SECS", offset.into())]).await
}

async fn reads_only(scene: &Scene, ayse: &Account) {
    let mut imap = scene.doors().imap(ayse).await.unwrap();
    assert_eq!(imap.select("INBOX").await.unwrap().exists, 1);
    let whole = imap.fetch("1", "(BODY.PEEK[])").await.unwrap();
    assert!(whole[0].literals[0].len() > 1000);
    let flagged = imap.command("STORE 1 +FLAGS (\\Seen \\Flagged)").await.unwrap();
    assert!(flagged.untagged.iter().any(|line| line.text.contains("\\Flagged")));
    let refused =
        imap.append("Taslaklar", "\\Draft", b"Subject: x\r\n\r\nx\r\n").await.unwrap_err();
    assert!(refused.to_string().contains("NOPERM"), "{refused}");
    let refused = imap.command("COPY 1 Taslaklar").await.unwrap_err();
    assert!(refused.to_string().contains("NOPERM"), "{refused}");
    let refused = smtp_login(scene, AYSE, &ayse.password).await.err().unwrap().to_string();
    assert!(refused.contains("5.7.13") || refused.contains("535"), "{refused}");
}

async fn page(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
