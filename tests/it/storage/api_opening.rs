//! What the staff does over the API that was for the command line alone: an account is opened from its
//! application, and what an authority asked for is handed out.

use super::api::{self, Api, people};
use super::api_login::{log_in, token};
use super::api_staff::{Staff, application};
use super::authority::{decrypt, elliptic, list, verify};
use super::bed::Bed;
use super::holders::word;
use super::{NOW, on_both};
use crate::lane::tool;
use axum::body::Body;
use axum::http::{Request, Response};
use data_encoding::HEXLOWER;
use kep::registry::audit::{self, Wanted};
use kep::registry::staff;
use kep::wire::{Digest, sha256};
use serde_json::{Value, json};

const ALI: &str = "ali.veli@hs05.kep.tr";
const SECRET: &str = "kimsenin bilmedigi bir soz";
const OPENS: &str = "application.activate";

/// Who did this, the newest first.
async fn actors(bed: &Bed, act: &str) -> Vec<String> {
    let wanted = Wanted { act: Some(act.into()), most: 9, ..Wanted::default() };
    let all = audit::list(&bed.store, wanted).await.unwrap();
    all.into_iter()
        .map(|entry| format!("{} {} {}", entry.act, entry.actor, entry.channel))
        .collect()
}

/// An application of Ali's that was checked, and its path.
async fn checked(staff: &Staff) -> String {
    let mut new = application(ALI, "10000000146");
    new["papers"] = json!([{ "kind": "signed-contract" }]);
    let made = staff.done(&staff.selin, "/staff/applications", new).await;
    let one = format!("/staff/applications/{}", made["number"]);
    staff.done(&staff.selin, &format!("{one}/check"), json!({})).await;
    one
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approved_application_is_activated_once_and_its_password_lets_its_holder_in() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        let one = checked(&staff).await;
        let (activate, with) =
            (format!("{one}/activate"), |secret: &str| json!({ "password": secret }));
        let selin = staff.selin.as_str();
        staff.refused(selin, &activate, with(SECRET), "application-mistimed").await;
        for who in [&staff.can, &staff.ece] {
            staff.done(who, &format!("{one}/approve"), Value::Null).await;
        }
        staff.refused(&staff.ece, &activate, with(SECRET), "staff-role-missing").await;
        for unfit in ["kisa", "galatasaray1905", "Ali Veli 1980"] {
            staff.refused(selin, &activate, with(unfit), "password-unfit").await;
        }
        staff.refused(selin, &activate, json!({}), "bad-body").await;
        staff
            .refused(selin, "/staff/applications/99/activate", with(SECRET), "application-unknown")
            .await;
        assert!(actors(&bed, OPENS).await.is_empty());

        let named = async |secret: &str, name| {
            staff.api.named(selin, "POST", &activate, with(secret), Some(name)).await
        };
        let (status, done) = named(SECRET, "bir").await;
        assert_eq!((status, &done["application"]["state"]), (200, &json!("activated")), "{done}");
        assert_eq!(
            (&done["contract"]["number"], done["contract"]["ends"].is_string()),
            (&json!(1), true)
        );
        assert_eq!(named(SECRET, "bir").await, (200, done), "the same again");
        assert_eq!(named("baska uzun bir soz", "bir").await.1["code"], "idempotency-key-reused");
        assert_eq!(named(SECRET, "iki").await.1["code"], "application-mistimed");
        assert_eq!(actors(&bed, OPENS).await, ["application.activate staff:selin api"]);
        let shown = staff.get(&format!("/staff/accounts/{ALI}")).await;
        assert_eq!(shown["account"]["standing"]["state"], "active");
        token(&log_in(&staff.api, ALI, SECRET).await);
    })
    .await;
}

/// Whoever holds the disk tries no passwords by what is kept of a named request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_named_request_says_is_not_guessed_from_what_is_kept_of_it() {
    let bed = Bed::sqlite().await;
    let staff = Staff::of(&bed).await;
    let one = checked(&staff).await;
    for who in [&staff.can, &staff.ece] {
        staff.done(who, &format!("{one}/approve"), Value::Null).await;
    }
    let (path, body) = (format!("{one}/activate"), json!({ "password": SECRET }));
    let asked = staff.api.named(&staff.selin, "POST", &path, body.clone(), Some("bir")).await;
    assert_eq!(asked.0, 200, "{}", asked.1);
    let number = one.rsplit('/').next().unwrap();
    let mut said =
        format!("activateApplication\napplication={number}\napplication/json\n").into_bytes();
    said.extend(sha256(body.to_string().as_bytes()).0);
    let guessed = HEXLOWER.encode(&sha256(&said).0);
    let kept = "SELECT COUNT(*) FROM api_reply WHERE name = 'bir'";
    assert_eq!(bed.count(kept).await, 1);
    let like = format!("{kept} AND hex(digest) = upper('{guessed}')");
    assert_eq!(bed.count(Box::leak(like.into_boxed_str())).await, 0);
}

/// A request for what Ali has, entered by selin, and what its certificate's key is.
async fn entered(staff: &Staff) -> (String, String, String) {
    let (certificate, key) = elliptic();
    let new = json!({
        "authority": "Ankara 3. Asliye Ceza Mahkemesi", "file": "2026/1453 E.", "basis": "CMK m. 134",
        "address": ALI, "scope": "all", "from": "2026-11-01", "until": "2026-11-29",
        "certificate": data_encoding::BASE64.encode(certificate.der()),
    });
    let made = staff.done(&staff.selin, "/staff/authority-requests", new).await;
    let one = format!("/staff/authority-requests/{}", made["number"]);
    let key = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
    (one, certificate.pem(), key)
}

async fn fetched(staff: &Staff, verb: &str, path: &str) -> Response<Vec<u8>> {
    let request = Request::builder().method(verb).uri(format!("/api/v1{path}"));
    let request = request.header("Authorization", format!("Bearer {}", staff.selin));
    let (status, answer) = staff.api.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(answer.body()));
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_authority_asked_for_is_handed_out_over_the_api_as_it_is_into_a_file() {
    on_both(|bed| async move {
        let mut staff = Staff::of(&bed).await;
        api::account(&bed, ALI).await;
        let (one, certificate, key) = entered(&staff).await;
        let (export, selin) = (format!("{one}/export"), staff.selin.clone());
        let code = "authority-request-not-approved";
        staff.refused(&selin, &export, Value::Null, code).await;
        staff.done(&staff.can, &format!("{one}/approve"), json!({ "reason": "Yazı ekte" })).await;
        staff.refused(&staff.ece, &export, Value::Null, "staff-role-missing").await;
        let nothing = "/staff/authority-requests/99/export";
        staff.refused(&selin, nothing, Value::Null, "authority-request-unknown").await;
        // Without a seal nothing is handed out, and nothing is told of.
        let (status, said) = staff.post(&selin, &export, Value::Null).await;
        assert_eq!((status, &said["code"]), (503, &json!("unavailable")));
        assert!(actors(&bed, "authority.export").await.is_empty());

        staff.api = Api::with_word(&bed, people(&bed), word(NOW).0);
        let answer = fetched(&staff, "POST", &export).await;
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "application/pkcs7-mime");
        assert!(header("content-disposition").contains("talep-1.zip.p7m\""));
        let shown = staff.get(&one).await;
        let out = &shown["exports"][0];
        assert_eq!((&out["by"], shown["exports"].as_array().unwrap().len()), (&json!("selin"), 1));
        let Digest(sealed) = sha256(answer.body());
        assert_eq!(out["encrypted_sha256"], HEXLOWER.encode(&sealed));
        assert_eq!(
            actors(&bed, "authority.export").await,
            ["authority.export staff:selin api", "authority.export.begin staff:selin api"]
        );
        let seal = format!("{one}/exports/{}/seal", out["number"]);
        let seal = fetched(&staff, "GET", &seal).await;
        let (status, said) =
            staff.api.ask(&selin, "GET", &format!("{one}/exports/99/seal"), Value::Null).await;
        assert_eq!((status, &said["code"]), (404, &json!("export-unknown")));
        // Who has left hands nothing out.
        staff::end(&bed.store, &super::logins::by(), "selin").await.unwrap();
        assert!(staff.post(&selin, &export, Value::Null).await.0 >= 400);

        let (Some(openssl), Some(unzip)) = (tool("openssl"), tool("unzip")) else { return };
        let file = |name: &str, octets: &[u8]| {
            let path = bed.dir.path().join(name);
            std::fs::write(&path, octets).unwrap();
            path
        };
        let (given, zip) = (file("talep.p7m", answer.body()), file("talep.zip", b""));
        let key = file("key.pem", key.as_bytes());
        decrypt(&openssl, &given, &key, &file("makam.pem", certificate.as_bytes()), &zip);
        verify(&openssl, &file("talep.p7s", seal.body()), &zip);
        let Digest(clear) = sha256(&std::fs::read(&zip).unwrap());
        assert_eq!(out["sha256"], HEXLOWER.encode(&clear));
        assert!(list(&unzip, &zip).contains("TALEP.json"));
    })
    .await;
}
