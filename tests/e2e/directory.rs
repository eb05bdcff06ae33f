//! `kep directory` and `kep account contact`, and a server that keeps the central directory current.

use crate::central::Mock;
use crate::scene::{ALI, AYSE, Plan, Scene, until};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn who_agrees_is_told_to_the_central_directory_and_found_into_an_address_book() {
    let Some(mock) = Mock::start("kart-42") else { return };
    let scene = Scene::new(Plan::default()).await;
    let token = scene.scratch("directory.token");
    std::fs::write(&token, "kart-42\n").unwrap();
    scene.set("directory", "url", &format!("{:?}", mock.url));
    scene.set("directory", "token_file", &format!("{:?}", token.display().to_string()));
    let server = scene.serve().await;
    let name = scene.json(&["account", "show", AYSE]).await["name"].as_str().unwrap().to_owned();
    let (given, family) = name.rsplit_once(' ').unwrap();

    let wrong =
        scene.kep(&["directory", "consent", "set", AYSE, "--listed", "--fields", "shoes"]).await;
    assert!(wrong.code == Some(65) && wrong.err.contains("hint: given, family"), "{}", wrong.err);
    let agree =
        ["directory", "consent", "set", AYSE, "--listed", "--findable", "--fields", "given,family"];
    assert_eq!(scene.kep(&agree).await.code, Some(0));
    let known = until("the entry", async || {
        let entry = mock.state().await["entries"][AYSE].clone();
        entry.is_object().then_some(entry)
    })
    .await;
    assert_eq!(known["told"]["record"]["family"], family);
    assert_eq!(scene.json(&["directory", "push", "list"]).await, json!([]));

    let other = json!({ "address": "ayse@hs01.kep.tr", "kind": "person", "given": given, "family": family });
    mock.set(json!({ "others": [other] })).await;
    let ask = ["directory", "query", "person", "--for", ALI, "--given", given, "--family", family];
    let found = scene.json(&[&ask[..], &["--save"]].concat()).await;
    assert_eq!(
        (found["found"].as_array().unwrap().len(), &found["central"]),
        (2, &json!("answered"))
    );
    assert_eq!(found["saved"].as_array().unwrap().len(), 2);
    assert_eq!(scene.json(&[&ask[..], &["--save"]].concat()).await["saved"], json!([]));
    address_book(&scene).await;

    drop(mock);
    let alone = scene.kep(&ask).await;
    assert!(
        alone.out.contains(AYSE) && alone.out.contains("Merkezi rehbere ulaşılamadı"),
        "{}",
        alone.out
    );
    let few = scene.kep(&["directory", "query", "person", "--for", ALI, "--given", given]).await;
    assert!(few.code == Some(65) && few.err.contains("hint: Ad ve soyad"), "{}", few.err);
    let log = scene.json(&["directory", "log", "--account", ALI]).await;
    let told: Vec<_> = log.as_array().unwrap().iter().map(|row| &row["central"]).collect();
    assert_eq!(told, ["unreachable", "not-asked", "answered", "answered"]);
    // Taken back, and told when it is there again.
    assert_eq!(scene.kep(&["directory", "consent", "set", AYSE]).await.code, Some(0));
    assert_eq!(scene.json(&ask).await["found"], json!([]));
    let waits = until("what was heard", async || {
        let waits = scene.json(&["directory", "push", "list"]).await;
        (waits[0]["attempts"].as_i64()? > 0).then(|| waits[0].clone())
    })
    .await;
    assert_eq!((&waits["address"], &waits["refused"]), (&json!(AYSE), &json!(false)));
    assert!(!server.log().contains("kart-42"));
    server.stop().await;
}

/// What was found is Ali's; it goes out and comes in again.
async fn address_book(scene: &Scene) {
    let list = async |who: &str| scene.json(&["account", "contact", "list", who]).await;
    assert_eq!(list(ALI).await.as_array().unwrap().len(), 2);
    let export = scene.kep(&["account", "contact", "export", ALI]).await.out;
    assert_eq!(export.matches("END:VCARD").count(), 2);
    let file = scene.scratch("kişiler.vcf");
    std::fs::write(
        &file,
        export.clone() + "BEGIN:VCARD\r\nFN:x\r\nEMAIL:x@hs1.kep.tr\r\nEND:VCARD\r\n",
    )
    .unwrap();
    let import = ["account", "contact", "import", AYSE, file.to_str().unwrap()];
    let counts =
        |report: &Value| ["added", "unchanged", "bad"].map(|key| report[key].as_i64().unwrap());
    let dry = scene.json(&[&import[..], &["--dry-run"]].concat()).await;
    assert_eq!((counts(&dry), list(AYSE).await), ([2, 0, 1], json!([])));
    let report = scene.json(&import).await;
    assert_eq!(counts(&report), [2, 0, 1]);
    assert_eq!(report["entries"][2]["error"], "kep-address");
    assert_eq!(counts(&scene.json(&import).await), [0, 2, 1]);
    assert_eq!(scene.kep(&["account", "contact", "export", AYSE]).await.out, export);

    let add = [
        "account",
        "contact",
        "add",
        ALI,
        "--given",
        "Işıl",
        "--family",
        "Öz",
        "--group",
        "Müvekkil",
    ];
    let added = scene
        .json(&[&add[..], &["--kep", "isil@hs02.kep.tr", "--mobile", "0532 000"]].concat())
        .await;
    let found = scene.json(&["account", "contact", "list", ALI, "--search", "IŞIL"]).await;
    assert_eq!(found[0]["uid"], added["uid"]);
    let again = scene.kep(&[&add[..], &["--kep", "isil@hs02.kep.tr"]].concat()).await;
    assert!(
        again.code == Some(65) && again.err.contains("Bu adres defterinizde kayıtlı: Işıl Öz"),
        "{}",
        again.err
    );
    let change = ["account", "contact", "change", ALI, "isil@hs02.kep.tr"];
    let wished = ["--family", "Öztürk", "--title", "Avukat", "--kep", "isil.ozturk@hs02.kep.tr"];
    let changed = scene.json(&[&change[..], &wished].concat()).await;
    assert_eq!((&changed["name"], &changed["uid"]), (&json!("Işıl Öztürk"), &added["uid"]));
    assert_eq!(changed["phones"][0]["number"], "0532 000", "what isn't named stays");
    let unknown = scene.kep(&[&change[..], &["--note", "x"]].concat()).await;
    assert!(unknown.code == Some(66) && unknown.err.contains("hint: "), "{}", unknown.err);
    let back = ["account", "contact", "change", ALI, "isil.ozturk@hs02.kep.tr"];
    let wished = ["--family", "Öz", "--title", "", "--kep", "isil@hs02.kep.tr", "--mobile", ""];
    let changed = scene.json(&[&back[..], &wished].concat()).await;
    assert_eq!((&changed["name"], &changed["phones"]), (&json!("Işıl Öz"), &json!([])));
    let list = scene.scratch("adresler.txt");
    std::fs::write(&list, format!("# kimler\n{AYSE}\n\nyok@hs05.kep.tr\n")).unwrap();
    let check = ["directory", "check", "--for", ALI, "--file", list.to_str().unwrap(), "x@y"];
    let checked = scene.json(&check).await;
    let words: Vec<_> = checked["checked"].as_array().unwrap().iter().collect();
    let words: Vec<_> = words.iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!((words.len(), words[0], words[2]), (3, "malformed", "not-listed"), "{checked}");
    let none = scene.kep(&["directory", "check", "--for", ALI]).await;
    assert_eq!(none.code, Some(64), "{}", none.err);
    let sheet = scene
        .kep(&["account", "contact", "export", ALI, "--format", "csv", "--group", "müvekkil"])
        .await
        .out;
    assert!(sheet.starts_with("\u{feff}Ad Soyad;") && sheet.lines().count() == 2, "{sheet}");
    let groups = scene.json(&["account", "contact", "group", "list", ALI]).await;
    assert_eq!(groups, json!([{ "group": "Müvekkil", "members": 1 }]));
    assert_eq!(
        scene.kep(&["account", "contact", "remove", ALI, "isil@hs02.kep.tr"]).await.code,
        Some(0)
    );
    let gone = scene.kep(&["account", "contact", "show", ALI, "isil@hs02.kep.tr"]).await;
    assert!(gone.code == Some(66) && gone.err.contains("hint: "), "{}", gone.err);
}
