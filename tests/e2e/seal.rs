//! The provider's own seal: with an authority between it and the root, of the wrong kind, expired,
//! taken back. What would prove nothing is not made, and nothing is lost.

use crate::judges::{exported, judge};
use crate::scene::{ALI, AYSE, Plan, Scene, until};
use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use kep::trust::{Certificate, Clock};
use kep::wire::Timestamp;

fn seal_profile() -> Profile {
    let (domain, email) = ("hs05.kep.tr".to_owned(), "kepservisi@hs05.kep.tr".to_owned());
    Profile::Seal { domain, email }
}

fn issued(by: &CertificateAuthority, profile: &Profile, at: Timestamp) -> Issued {
    by.issue(profile, KeyKind::P256, &Links::default(), at).unwrap()
}

/// An authority whose key `kep dev init` keeps for its register.
fn authority(scene: &Scene, name: &str) -> CertificateAuthority {
    let read = |end: &str| {
        std::fs::read(scene.provider().join(format!("secrets/registers/{name}.{end}"))).unwrap()
    };
    CertificateAuthority::from_pem(&read("key"), &read("pem")).unwrap()
}

/// Makes this the seal, with what stands behind it.
fn seal_with(scene: &Scene, seal: &Issued, chain: &[&Certificate]) {
    let secrets = scene.provider().join("secrets");
    std::fs::write(secrets.join("seal.key"), &*seal.key_pem().unwrap()).unwrap();
    let chain: String = chain.iter().map(|certificate| certificate.pem()).collect();
    std::fs::write(secrets.join("seal.pem"), seal.certificate().pem() + &chain).unwrap();
}

/// What `kep check` finds wrong with the seal.
async fn checked(scene: &Scene) -> String {
    let ran = scene.kep(&["check"]).await;
    assert_eq!(ran.code, Some(78), "{}{}", ran.out, ran.err);
    let wrong = |line: &&str| line.starts_with("WRONG") && line.contains("  seal  ");
    ran.out.lines().find(wrong).unwrap_or_else(|| panic!("{}", ran.out)).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_of_a_seal_below_an_intermediate_authority_is_verified_with_the_root_alone() {
    let scene = Scene::new(Plan { direct: true, ..Plan::default() }).await;
    let now = Clock::System.now();
    let root = CertificateAuthority::create("Mühür Kök", KeyKind::P256, now).unwrap();
    let between = root.issue_authority("Mühür Ara", KeyKind::P256, now).unwrap();
    seal_with(&scene, &issued(&between, &seal_profile(), now), &[between.certificate()]);
    let trust = scene.provider().join("trust");
    std::fs::write(trust.join("seal-ca.pem"), root.certificate().pem()).unwrap();
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "ara@x")).await;
    scene.settled(&id, 2).await;
    for (file, xml) in exported(&scene, &id).await {
        judge(&scene, &file, &xml);
        // Alone: nothing beside it, and no store of ours that could help.
        let alone = scene.scratch("alone.xml");
        std::fs::write(&alone, xml).unwrap();
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"))
            .args(["verify", "--trust", trust.to_str().unwrap(), alone.to_str().unwrap()])
            .current_dir(scene.scratch(""))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_of_another_role_or_authority_does_not_start_and_check_names_it() {
    let scene = Scene::new(Plan::default()).await;
    let now = Clock::System.now();
    let stranger = CertificateAuthority::create("Yabancı", KeyKind::P256, now).unwrap();
    let stamps = Profile::TimeStamp { name: "ZDS".to_owned() };
    let person =
        Profile::User { name: "Ali Veli".to_owned(), email: "kepservisi@hs05.kep.tr".to_owned() };
    let cases = [
        (issued(&authority(&scene, "user"), &person, now), "no trusted authority"),
        (issued(&authority(&scene, "seal"), &stamps, now), "purpose"),
        (issued(&stranger, &seal_profile(), now), "no trusted authority"),
    ];
    for (seal, why) in cases {
        seal_with(&scene, &seal, &[]);
        let ran = scene.kep(&["serve"]).await;
        assert_eq!(ran.code, Some(78), "{why}: {}", ran.err);
        assert!(ran.err.contains(why) && ran.err.contains("hint:"), "{why}: {}", ran.err);
        let line = checked(&scene).await;
        assert!(line.contains(why), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_seal_accepts_nothing_new_and_check_names_it() {
    let scene = Scene::new(Plan::default()).await;
    let long_ago = Clock::System.now().plus_secs(-4 * 365 * 86_400);
    seal_with(&scene, &issued(&authority(&scene, "seal"), &seal_profile(), long_ago), &[]);
    let line = checked(&scene).await;
    assert!(line.contains("expired at"), "{line}");
    let server = scene.serve().await;
    server.logged("nothing is sealed", 1).await;
    let reply = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "eski@x")).await;
    assert_eq!(reply.code, 451, "{reply:?}");
    assert_eq!(scene.json(&["evidence", "list"]).await, serde_json::json!([]));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_that_was_taken_back_makes_no_evidence_and_nothing_is_lost() {
    let scene = Scene::new(Plan { direct: true, ..Plan::default() }).await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "iptal@x")).await;
    scene.settled(&id, 2).await;
    let before = exported(&scene, &id).await;
    server.stop().await;

    let secrets = scene.provider().join("secrets");
    let seal = std::fs::read(secrets.join("seal.pem")).unwrap();
    let seal = Certificate::from_pem(&seal).unwrap().remove(0);
    let since = Clock::System.now().secs();
    let register = secrets.join("registers/seal.revoked");
    std::fs::write(&register, format!("{} {since}\n", seal.serial())).unwrap();
    let server = scene.serve().await;
    assert!(checked(&scene).await.contains("revoked at"));
    let reply = scene.submit(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "sonra@x")).await;
    assert_eq!(reply.code, 451, "{reply:?}");
    // Opening is a fact whatever the seal; its evidence waits.
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("INBOX").await.unwrap();
    imap.fetch("1", "(BODY[])").await.unwrap();
    server.logged("put off", 1).await;
    assert_eq!(scene.events(&id).await.len(), 2);
    server.stop().await;

    // What was made before stays what it was.
    let trust = scene.provider().join("trust");
    for (file, _) in &before {
        let (trust, file) = (trust.to_str().unwrap(), file.to_str().unwrap());
        let ran = scene.kep(&["verify", "--trust", trust, file]).await;
        assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    }
    seal_with(
        &scene,
        &issued(&authority(&scene, "seal"), &seal_profile(), Clock::System.now()),
        &[],
    );
    let server = scene.serve().await;
    let events = until("the evidence that waited", async || {
        Some(scene.events(&id).await).filter(|events| events.len() == 3)
    })
    .await;
    assert!(events.iter().any(|event| event.starts_with("retrieval")), "{events:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_evidence_after_the_start_is_kept_with_what_is_known_of_seal_and_time_stamp() {
    let scene = Scene::new(Plan::default()).await;
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "malzeme@x")).await;
    scene.settled(&id, 2).await;
    for (file, _) in exported(&scene, &id).await {
        let folder = file.with_extension("material");
        let answers = std::fs::read_dir(&folder).unwrap().filter(|entry| {
            let path = entry.as_ref().unwrap().path();
            path.extension().is_some_and(|end| end == "crl" || end == "ocsp")
        });
        assert!(answers.count() >= 2, "{}", folder.display());
        let alone = scene.scratch("trust");
        let _ = std::fs::remove_dir_all(&alone);
        std::fs::create_dir(&alone).unwrap();
        for name in ["seal-ca.pem", "tsa-ca.pem"] {
            std::fs::copy(scene.provider().join("trust").join(name), alone.join(name)).unwrap();
        }
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_kep"))
            .args(["verify", "--trust", alone.to_str().unwrap(), file.to_str().unwrap()])
            .current_dir(scene.scratch(""))
            .output()
            .await
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said.matches(": not revoked at").count(), 2, "{said}");
        assert_eq!(output.status.code(), Some(0), "{said}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_stamps_of_an_authority_that_was_taken_back_are_not_taken() {
    let scene = Scene::new(Plan::default()).await;
    let secrets = scene.provider().join("secrets");
    let stamper = std::fs::read(secrets.join("tsa.pem")).unwrap();
    let stamper = Certificate::from_pem(&stamper).unwrap().remove(0);
    let since = Clock::System.now().plus_secs(-60).secs();
    let register = secrets.join("registers/tsa.revoked");
    std::fs::write(&register, format!("{} {since}\n", stamper.serial())).unwrap();
    let server = scene.serve().await;
    let id = scene.accepted(ALI, &[AYSE], &scene.letter(ALI, &[AYSE], "damga@x")).await;
    server.logged("put off", 1).await;
    assert_eq!(scene.events(&id).await, [""; 0]);
    let ran = scene.kep(&["check"]).await;
    let wrong = ran.out.lines().find(|line| line.starts_with("WRONG"));
    let wrong = wrong.unwrap_or_else(|| panic!("{}", ran.out));
    assert!(wrong.contains("time stamps") && wrong.contains("revoked at"), "{wrong}");
    server.stop().await;
    std::fs::remove_file(register).unwrap();
    let server = scene.serve().await;
    scene.settled(&id, 2).await;
    server.stop().await;
}
