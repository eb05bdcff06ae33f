//! `kep verify` from outside: exit codes, what it names, and that roles stay apart.

use crate::scene::{ALI, AYSE, Plan, Scene};
use crate::tool;
use base64_of::base64_lines;
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
    let scene = Scene::new(Plan { direct: true, ..Plan::default() }).await;
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
        (String::new(), 1, "BAD  form"),
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
    let missing = scene.scratch("missing.xml");
    let (code, said) = verify(&scene, &trust, &missing).await;
    assert_eq!(code, Some(66), "{said}");
    assert!(said.contains("hint: "), "{said}");
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
        // The anchors of their time-stamp authority are not in the sample.
        assert_ne!(code, Some(64), "{name}: {said}");
        println!("{name}: exit {code:?}");
    }
}
