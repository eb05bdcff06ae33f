//! What no command of a mail program reaches: evidence itself, and anything of another account.

use crate::client::imap::Imap;
use crate::scene::{ALI, AYSE, Plan, Scene};

async fn login(scene: &Scene, address: &str) -> Imap {
    scene.doors().imap(scene.account(address)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_05_expunging_an_evidence_mail_hides_it_and_keeps_the_evidence() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "gizle.1@istemci.example");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    let events = scene.settled(&id, 2).await;
    let evidence = scene.json(&["evidence", "list", "--message", &id]).await;

    for address in [ALI, AYSE] {
        let mut imap = login(&scene, address).await;
        assert_eq!(imap.select("Deliller").await.unwrap().exists, 2);
        imap.uid_store("1:*", "+FLAGS.SILENT (\\Deleted)").await.unwrap();
        imap.command("EXPUNGE").await.unwrap();
        assert_eq!(imap.select("Deliller").await.unwrap().exists, 0);
        // One can't put one's own in its place.
        let refused = imap.append("Deliller", "", &mail).await.unwrap_err();
        assert!(refused.to_string().contains(" NO "), "{refused}");
    }
    assert_eq!(scene.events(&id).await, events);
    assert_eq!(scene.json(&["evidence", "list", "--message", &id]).await, evidence);
    for (file, xml) in crate::judges::exported(&scene, &id).await {
        crate::judges::judge(&scene, &file, &xml);
    }
    let ran = scene.kep(&["fsck"]).await;
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_10_no_name_leads_into_another_account() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "duvar.1@istemci.example");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let mut hers = login(&scene, AYSE).await;
    hers.command("CREATE Ozel").await.unwrap();
    let draft = b"Subject: ozel\r\n\r\nyalniz benim\r\n";
    hers.append("Ozel", "", draft).await.unwrap();
    let before = shown(&mut hers).await;

    let mut his = login(&scene, ALI).await;
    let own = shown(&mut his).await;
    let namespace = his.command("NAMESPACE").await.unwrap();
    assert_eq!(namespace.untagged[0].text, "NAMESPACE ((\"\" \"/\")) NIL NIL");
    his.append("Taslaklar", "", b"Subject: benim\r\n\r\nx\r\n").await.unwrap();
    his.select("Taslaklar").await.unwrap();
    for name in NAMES {
        for command in [
            format!("SELECT {name}"),
            format!("STATUS {name} (MESSAGES)"),
            format!("EXAMINE {name}"),
            format!("DELETE {name}"),
            format!("RENAME {name} Aldim"),
            format!("GETACL {name}"),
        ] {
            his.command(&command).await.expect_err(&command);
        }
        his.select("Taslaklar").await.unwrap();
        for command in [format!("UID COPY 1 {name}"), format!("UID MOVE 1 {name}")] {
            his.command(&command).await.expect_err(&command);
        }
        let text = name.trim_matches('"');
        his.append(text, "", b"Subject: x\r\n\r\nx\r\n").await.expect_err(name);
        // Some names he may make, and then they are his.
        let made = his.command(&format!("CREATE {name}")).await;
        for pattern in ["*", "%", "../*", "#user/*", "~ayse.yilmaz/*"] {
            for listed in his.list(pattern).await.unwrap() {
                let count = his.count(&listed).await.unwrap_or(0);
                assert!(own.iter().any(|(n, _)| *n == listed) || count == 0, "{name}: {listed}");
            }
        }
        if made.is_ok() {
            assert_eq!(his.count(text).await.unwrap(), 0, "{name}");
            his.command(&format!("DELETE {name}")).await.unwrap();
        }
    }
    assert_eq!(shown(&mut hers).await, before);
    assert_eq!(scene.events(&id).await.len(), 2, "nothing was opened");
    server.stop().await;
}

/// Each mailbox with its count.
async fn shown(imap: &mut Imap) -> Vec<(String, u32)> {
    let mut all = Vec::new();
    for name in imap.list("*").await.unwrap() {
        let count = imap.count(&name).await.unwrap();
        all.push((name, count));
    }
    all
}

/// Names with which other servers, or careless ones, lead elsewhere.
const NAMES: [&str; 15] = [
    "Ozel",
    "\"../ayse.yilmaz@hs05.kep.tr/INBOX\"",
    "\"../Ozel\"",
    "\"../../Ozel\"",
    "\"INBOX/../Ozel\"",
    "\"/Ozel\"",
    "\"~ayse.yilmaz/Ozel\"",
    "\"#user/ayse.yilmaz@hs05.kep.tr/Ozel\"",
    "\"Other Users/ayse.yilmaz@hs05.kep.tr/INBOX\"",
    "\"user/ayse.yilmaz@hs05.kep.tr\"",
    "\"user.ayse.yilmaz\"",
    "\"ayse.yilmaz@hs05.kep.tr\"",
    "\"ayse.yilmaz@hs05.kep.tr/INBOX\"",
    "\"Ozel' OR '1'='1\"",
    "\"\"",
];
