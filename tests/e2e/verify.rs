//! `kep verify` from outside: exit codes, what it names, and that roles stay apart.

use crate::scene::{ALI, AYSE, Plan, Scene};
use crate::tool;
use base64_of::base64_lines;
use kep::trust::Certificate;
use kep::trust::pki::{CertificateAuthority, Revoked};
use kep::wire::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

mod base64_of {
    //! S/MIME parts want base64 in lines.
    pub fn base64_lines(octets: &[u8]) -> String {
        let text = openssl::base64::encode_block(octets);
        let lines = text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line));
        lines.map(|line| format!("{line}\r\n")).collect()
    }
}

async fn verify(scene: &Scene, trust: &Path, file: &Path) -> (Option<i32>, String) {
    let (trust, file) = (trust.to_str().unwrap(), file.to_str().unwrap());
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"))
        .args(["verify", "--trust", trust, file])
        .current_dir(scene.provider())
        .output()
        .await
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// A provider's delivery evidence and dispatch as files.
async fn travelled() -> (Scene, PathBuf, PathBuf) {
    sent(Scene::new(Plan { direct: true, ..Plan::default() }).await).await
}

async fn sent(scene: Scene) -> (Scene, PathBuf, PathBuf) {
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "denetim@imza");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("INBOX").await.unwrap();
    let fetched = imap.fetch("1", "(BODY.PEEK[])").await.unwrap();
    let dispatch = scene.scratch("dispatch.eml");
    std::fs::write(&dispatch, &fetched[0].literals[0]).unwrap();
    let folder = scene.scratch("evidence");
    let ran = scene.kep(&["evidence", "export", &id, "--dir", folder.to_str().unwrap()]).await;
    let path = ran.out.lines().find(|line| line.contains("delivery")).unwrap().to_owned();
    server.stop().await;
    (scene, PathBuf::from(path), dispatch)
}

#[tokio::test]
async fn what_was_altered_is_named_and_what_is_whole_is_valid() {
    let (scene, evidence, dispatch) = travelled().await;
    let trust = scene.provider().join("trust");
    for file in [&evidence, &dispatch] {
        let (code, said) = verify(&scene, &trust, file).await;
        assert_eq!(code, Some(0), "{said}");
    }
    let xml = std::fs::read_to_string(&evidence).unwrap();
    let changed = scene.scratch("changed.xml");
    let root = xml.find("?>").unwrap() + 2;
    let cases = [
        (xml.replace(AYSE, "ayse.yilmiz@hs05.kep.tr"), 1, "BAD  reference-document"),
        (xml.replace("<ds:SignatureValue", "<ds:SignatureValu"), 1, "BAD"),
        (format!("{}<!DOCTYPE a []>{}", &xml[..root], &xml[root..]), 1, "BAD  form"),
        (xml[..xml.len() / 2].to_owned(), 1, "BAD  form"),
        (String::new(), 2, "?    form"),
    ];
    for (text, expected, named) in cases {
        std::fs::write(&changed, text).unwrap();
        let (code, said) = verify(&scene, &trust, &changed).await;
        assert_eq!(code, Some(expected), "{named}: {said}");
        assert!(said.contains(named), "{named}: {said}");
    }
    let nothing = scene.scratch("no-anchors");
    std::fs::create_dir(&nothing).unwrap();
    assert_eq!(verify(&scene, &nothing, &evidence).await.0, Some(2), "can't tell without anchors");
}

#[tokio::test]
async fn invariant_08_a_dispatch_sealed_with_a_users_key_is_invalid() {
    let (scene, _, dispatch) = travelled().await;
    let octets = std::fs::read(&dispatch).unwrap();
    let text = String::from_utf8_lossy(&octets);
    let mark = text.split("boundary=\"").nth(1).unwrap().split('"').next().unwrap();
    let border = format!("\r\n--{mark}\r\n");
    let find = |from: usize| {
        let at = octets[from..].windows(border.len()).position(|w| w == border.as_bytes());
        from + at.unwrap()
    };
    let begin = find(0) + border.len();
    let end = find(begin);
    let forged = scene.account(ALI).signer.signature(&octets[begin..end]).unwrap();
    let mut mail = octets[..end].to_vec();
    let part = format!(
        "{border}Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--{mark}--\r\n",
        base64_lines(&forged)
    );
    mail.extend_from_slice(part.as_bytes());
    let file = scene.scratch("forged.eml");
    std::fs::write(&file, mail).unwrap();
    let (code, said) = verify(&scene, &scene.provider().join("trust"), &file).await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BAD  seal"), "{said}");
}

#[tokio::test]
async fn mails_of_the_italian_sample_are_judged() {
    let Some(samples) = tool::reference("xsd/examples/rem-eml") else { return };
    let scene = Scene::new(Plan::default()).await;
    let trust = scene.scratch("agid");
    std::fs::create_dir(&trust).unwrap();
    let root = std::fs::read(samples.join("REM-ROOT-CA.crt")).unwrap();
    let root = match root.starts_with(b"-----") {
        true => root,
        false => openssl::x509::X509::from_der(&root).unwrap().to_pem().unwrap(),
    };
    std::fs::write(trust.join("seal-ca.pem"), root).unwrap();
    for name in ["REM_Dispatch.RA01.eml", "REM_ContentConsignment1.RD01.eml"] {
        let (code, said) = verify(&scene, &trust, &samples.join(name)).await;
        assert!(said.contains("ok   reference-document"), "{name}: {said}");
        assert!(said.contains("ok   seal-certificate"), "{name}: {said}");
        // The anchors of their time-stamp authority are not in the sample, and nothing else is open.
        assert_eq!(code, Some(2), "{name}: {said}");
        assert_eq!(said.matches("?    ").count(), 1, "{name}: {said}");
        assert!(said.contains("?    time-stamp-certificate"), "{name}: {said}");
    }
}

/// The set that the project keeps: made, sealed and stamped in January 2025.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify")
}

/// `kep verify` among the golden files: exit code, stdout, stderr.
fn judged<A: AsRef<OsStr>>(arguments: &[A]) -> (Option<i32>, String, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_kep"))
        .arg("verify")
        .args(arguments)
        .current_dir(golden())
        .output()
        .unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_golden_set_is_judged_in_the_words_that_are_kept() {
    for name in ["evidence", "dispatch"] {
        let ending = if name == "dispatch" { "eml" } else { "xml" };
        let (code, said, _) = judged(&["--trust", "trust", &format!("{name}.{ending}")]);
        let kept = std::fs::read_to_string(golden().join(format!("{name}.txt"))).unwrap();
        // Once the authority's certificate has ended, the report says so in a line of its own.
        let said: String =
            said.split_inclusive('\n').filter(|line| !line.contains("certificate ended")).collect();
        assert_eq!((code, said), (Some(0), kept));
    }
    let (code, said, _) = judged(&["evidence.xml"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("hint: --trust DIR with seal-ca.pem in it"), "{said}");
}

#[test]
fn exit_codes_tell_valid_invalid_open_and_usage_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let dispatch = std::fs::read(golden().join("dispatch.eml")).unwrap();
    let altered = String::from_utf8(dispatch).unwrap().replace("Merhaba", "Elveda!");
    std::fs::write(path("altered.eml"), altered).unwrap();
    std::fs::write(path("empty.xml"), "").unwrap();
    std::fs::File::create(path("large.eml")).unwrap().set_len((64 << 20) + 1).unwrap();
    std::fs::create_dir(path("folder")).unwrap();
    let verify = |files: &[&str]| judged(&[&["--trust", "trust"], files].concat());
    let altered = path("altered.eml");
    assert_eq!(verify(&["evidence.xml", "dispatch.eml"]).0, Some(0));
    assert_eq!(verify(&[&altered]).0, Some(1));
    let open = [
        (path("missing.xml"), "can't be read"),
        (path("empty.xml/deeper"), "can't be read"),
        // Opens, and can't be read, not even by root.
        ("/proc/self/mem".to_owned(), "can't be read"),
        (path("folder"), "this is a folder"),
        (path("empty.xml"), "nothing in it"),
        (path("large.eml"), "larger than 64 MiB"),
        ("/dev/zero".to_owned(), "larger than 64 MiB"),
    ];
    for (file, why) in &open {
        let (code, said, _) = verify(&[file]);
        assert_eq!(code, Some(2), "{file}: {said}");
        assert!(said.contains("?    form") && said.contains(why), "{file}: {said}");
        assert!(said.contains("hint: "), "{file}: {said}");
        // The others are judged all the same, and the worst decides.
        let (code, said, _) = verify(&[file, "evidence.xml"]);
        assert_eq!(code, Some(2), "{file}: {said}");
        assert!(said.contains("GEÇERLİ · VALID"), "{file}: {said}");
    }
    let missing = path("missing.xml");
    assert_eq!(verify(&[&missing, &altered, "evidence.xml"]).0, Some(1), "1 beats 2");
    for wrong in [&[][..], &["--no-such-option", "evidence.xml"], &["evidence.xml", "--trust"]] {
        assert_eq!(judged(wrong).0, Some(64), "{wrong:?}");
    }
}

#[test]
fn options_that_name_nothing_useful_are_told_apart_from_judgements() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("broken.crl"), "no list").unwrap();
    let here = folder.path().to_str().unwrap().to_owned();
    let cases = [
        (["--trust", &path("missing")], 66),
        (["--trust", &here], 65),
        (["--original", &path("missing.eml")], 66),
        (["--conf", &path("missing.toml")], 78),
    ];
    for (option, expected) in cases {
        let (code, _, said) = judged(&[&option[..], &["evidence.xml"]].concat());
        assert_eq!(code, Some(expected), "{option:?}: {said}");
        assert!(said.contains("hint: "), "{option:?}: {said}");
    }
}

#[test]
fn the_original_is_compared_field_by_field() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.eml");
    let original = std::fs::read_to_string(golden().join("original.eml")).unwrap();
    std::fs::write(&other, original.replace(AYSE, "mehmet.demir@hs05.kep.tr")).unwrap();
    let with = |file: &str| judged(&["--trust", "trust", "--original", file, "evidence.xml"]);
    let (code, said, _) = with("original.eml");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok   original-digest"), "{said}");
    let (code, said, _) = with(other.to_str().unwrap());
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BAD  original-digest"), "{said}");
    assert!(said.contains("(alıcılar)") && said.contains("mehmet.demir"), "{said}");
}

#[test]
fn the_json_form_has_the_fields_that_the_page_names() {
    let files = ["evidence.xml", "dispatch.eml", "missing.xml"];
    let (code, said, _) = judged(&[&["--json", "--trust", "trust"][..], &files].concat());
    assert_eq!(code, Some(2), "{said}");
    let run: Value = serde_json::from_str(&said).unwrap();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.md");
    let page = std::fs::read_to_string(page).unwrap();
    let keys = |value: &Value| -> Vec<String> {
        let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.iter().for_each(|key| assert!(page.contains(&format!("`{key}`")), "{key}"));
        keys
    };
    let sorted =
        |names: &str| -> BTreeSet<String> { names.split_whitespace().map(str::to_owned).collect() };
    let set = |value: &Value| -> BTreeSet<String> { keys(value).into_iter().collect() };
    assert_eq!(set(&run), sorted("verdict files between"));
    assert_eq!(run["verdict"], "cant-tell");
    let report = sorted("name kind verdict evidence checks enclosed");
    let reports = run["files"].as_array().unwrap();
    let kinds: Vec<_> = reports.iter().map(|r| r["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["evidence", "dispatch", "unknown"]);
    let verdicts: Vec<_> = reports.iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["valid", "valid", "cant-tell"]);
    let check = sorted("name state turkish detail hint");
    let every = reports.iter().chain(reports[1]["enclosed"].as_array().unwrap());
    for one in every {
        assert_eq!(set(one), report);
        for made in one["checks"].as_array().unwrap() {
            assert_eq!(set(made), check);
            let state = made["state"].as_str().unwrap();
            assert!(["good", "bad", "unknown", "note"].contains(&state), "{state}");
        }
    }
    let facts = sorted(
        "id dialect event event_turkish event_english number reasons issuer event_time \
         submission_time due_time stamped_at sender recipients recipient subject message_id \
         ua_message_id digest",
    );
    assert_eq!(set(&reports[0]["evidence"]), facts);
    assert_eq!(reports[0]["evidence"]["recipients"][0], AYSE);
    assert_eq!(reports[2]["evidence"], Value::Null);
    assert_eq!(reports[2]["checks"][0]["state"], "unknown");
    assert_eq!(run["between"][0]["name"], "same-message");
}

#[tokio::test]
async fn a_seal_that_was_taken_back_is_judged_by_the_lists_at_hand() {
    let (scene, evidence, _) = travelled().await;
    let trust = scene.provider().join("trust");
    let (code, said) = verify(&scene, &trust, &evidence).await;
    assert_eq!(code, Some(0), "{said}");
    let secret = |name: &str| std::fs::read(scene.provider().join("secrets").join(name)).unwrap();
    let (key, own) = (secret("registers/seal.key"), secret("registers/seal.pem"));
    let authority = CertificateAuthority::from_pem(&key, &own).unwrap();
    let seal = Certificate::from_pem(&secret("seal.pem")).unwrap().remove(0);
    let now = kep::trust::Clock::System.now();
    let list = |since: Timestamp| {
        let revoked = [Revoked { serial: seal.serial().to_owned(), at: since, reason: None }];
        authority.crl(&revoked, now, now.plus_secs(86_400)).unwrap()
    };
    // Whoever hands evidence on may lay anything beside it: what can't be read says nothing.
    for name in ["a.crl", "b.crt", "c.ocsp", "d.txt"] {
        std::fs::write(evidence.with_extension("material").join(name), "garbage").unwrap();
    }
    let large = evidence.with_extension("material").join("large.crl");
    std::fs::File::create(large).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(verify(&scene, &trust, &evidence).await.0, Some(0));
    for (since, expected) in [(-86_400, 1), (60, 0)] {
        // In the folder of anchors, and beside the evidence as `kep evidence export` lays it.
        let beside = evidence.with_extension("material");
        for folder in [&trust, &beside] {
            let file = folder.join("seal.crl");
            std::fs::write(&file, list(now.plus_secs(since))).unwrap();
            let (code, said) = verify(&scene, &trust, &evidence).await;
            assert_eq!(code, Some(expected), "{}: {said}", file.display());
            assert!(said.contains("revoked at"), "{said}");
            std::fs::remove_file(file).unwrap();
        }
    }
}

#[tokio::test]
async fn our_own_provider_knows_the_original_and_the_kept_material() {
    let (scene, evidence, dispatch) = travelled().await;
    let trust = scene.provider().join("trust");
    let (trust, file) = (trust.to_str().unwrap(), evidence.to_str().unwrap());
    let ran = scene.kep(&["verify", "--trust", trust, file]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok   original-digest"), "{}", ran.out);
    // What was collected about the sender's certificate when the message was accepted.
    let mail = dispatch.to_str().unwrap();
    let ran = scene.kep(&["verify", "--trust", trust, mail]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("ok   enclosed-original"), "{}", ran.out);
    assert!(ran.out.contains("ok   revocation"), "{}", ran.out);
    // And about the seal's, when the evidence was issued.
    assert!(ran.out.contains("İşlem Sertifikası hs05.kep.tr,O=hs05.kep.tr,C=TR: not revoked"));
    // Evidence that says something else than ours is laid beside ours.
    let xml = std::fs::read_to_string(&evidence).unwrap();
    let changed = scene.scratch("changed.xml");
    std::fs::write(&changed, xml.replace(AYSE, "ayse.yilmiz@hs05.kep.tr")).unwrap();
    let ran = scene.kep(&["verify", "--trust", trust, changed.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("(own copy): delil"), "{}", ran.out);
    assert!(ran.out.contains("BAD  field") && ran.out.contains("(alıcılar)"), "{}", ran.out);
}

#[tokio::test]
async fn nothing_is_delivered_before_its_seal_is_stamped() {
    let (scene, evidence, dispatch) = travelled().await;
    let trust = scene.provider().join("trust");
    let files = [dispatch.to_str().unwrap(), evidence.to_str().unwrap()];
    let (trust, json) = (["--trust", trust.to_str().unwrap()], ["--json"]);
    let (code, said, _) = judged(&[&trust[..], &json, &files].concat());
    assert_eq!(code, Some(0), "{said}");
    let run: Value = serde_json::from_str(&said).unwrap();
    let checks = run["files"][0]["checks"].as_array().unwrap();
    let stamp = checks.iter().find(|check| check["name"] == "time-stamp-certificate").unwrap();
    let detail = stamp["detail"].as_str().unwrap();
    let at = |text: &str| Timestamp::parse_iso8601(text).unwrap();
    let sealed = at(detail.rsplit_once(' ').unwrap().1);
    let delivered = at(run["files"][1]["evidence"]["event_time"].as_str().unwrap());
    assert!(sealed <= delivered, "sealed {sealed}, delivered {delivered}");
}
