//! Who may, for all operations of the API: each without a token, with one that lacks its scope, with another
//! account's and with the staff's. What a path names of another account is a 404 as if it were not there.
//! The table is walked by the operations: a new one that names something has a row here.

use super::api::{self, Api, people, token, unopened};
use super::api_login::{log_in, stepped_up};
use super::api_staff::{his, member};
use super::bed::{self, Bed};
use super::credentials::passkey_maker::{Authenticator, Kind};
use super::credentials::{ALI, ali, app};
use super::logins::{address, by, open};
use super::{NOW, evidence, on_both};
use kep::portal::api::{Endpoint, operations};
use kep::registry::CertificateUse;
use kep::registry::api_tokens::{self, NewToken, Scope, Scopes};
use kep::registry::app_passwords::{self, NewPassword};
use kep::registry::credentials::{Owner, certificates, passkeys};
use kep::registry::notices::{self, Change, Whose};
use kep::registry::operators::{self, Person, Role, Roles};
use kep::registry::outbox::Language;
use kep::registry::staff::StaffRole;
use kep::registry::tasks::{self, NewTask, TaskKind};
use kep::registry::{accounts, closings, export, handovers, sessions};
use kep::store::mail::{self, Kind as MailKind, NewMessage};
use kep::store::submissions::{self, SubmissionState};
use kep::store::{StoreError, Tx};
use kep::trust::passkey::Relying;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::Reach;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const AYSE: &str = "ayse.yilmaz@hs05.kep.tr";
const MAIL: &str = "From: a\r\nSubject: taslak\r\n\r\nx";

/// What the words of a path name.
enum Names {
    /// A thing of an account; with what it is asked by.
    Own(&'static str),
    /// Something that belongs to no account, for whoever may.
    Common,
}

use Names::{Common, Own};

/// Each operation whose path has a word in it. `-`: without a body; `mail`: a mail.
#[rustfmt::skip]
const TABLE: &[(&str, Names)] = &[
    ("showMailbox", Own("-")),
    ("renameMailbox", Own(r#"{"name":"Başka"}"#)),
    ("deleteMailbox", Own("-")),
    ("showMessage", Own("-")),
    ("downloadMessage", Own("-")),
    ("downloadOriginal", Own("-")),
    ("listParts", Own("-")),
    ("downloadPart", Own("-")),
    ("readMessage", Own("-")),
    ("showTimeline", Own("-")),
    ("openMessage", Own("-")),
    ("changeMessage", Own(r#"{"starred":true}"#)),
    ("moveMessage", Own(r#"{"mailbox":"archive"}"#)),
    ("archiveMessage", Own("-")),
    ("trashMessage", Own("-")),
    ("restoreMessage", Own("-")),
    ("deleteMessage", Own("-")),
    ("replaceDraft", Own("mail")),
    ("discardDraft", Own("-")),
    ("showLabel", Own("-")),
    ("changeLabel", Own(r#"{"name":"Başka"}"#)),
    ("deleteLabel", Own("-")),
    ("showSubmission", Own("-")),
    ("showSubmissionTimeline", Own("-")),
    ("showEvidence", Own("-")),
    ("downloadEvidence", Own("-")),
    ("showContact", Own("-")),
    ("changeContact", Own(r#"{"name":"Başka"}"#)),
    ("deleteContact", Own("-")),
    ("showContactGroup", Own("-")),
    ("renameContactGroup", Own(r#"{"name":"Başka"}"#)),
    ("deleteContactGroup", Own("-")),
    ("joinContactGroup", Own("-")),
    ("leaveContactGroup", Own("-")),
    ("showNoticePlace", Own("-")),
    ("changeNoticePlace", Own("{}")),
    ("removeNoticePlace", Own("-")),
    ("sendNoticeCode", Own("-")),
    ("verifyNoticePlace", Own(r#"{"code":"000000"}"#)),
    ("showExport", Own("-")),
    ("downloadExport", Own("-")),
    ("downloadMessageEvidence", Own("-")),
    ("revokeToken", Own("-")),
    ("dismissTask", Own("-")),
    ("returnHandover", Own(r#"{"reason":"Eksik"}"#)),
    ("endSession", Own("-")),
    ("renamePasskey", Own(r#"{"name":"Cep"}"#)),
    ("removePasskey", Own("-")),
    ("revokeAppPassword", Own("-")),
    ("removeCertificate", Own("-")),
    ("showClosing", Own("-")),
    ("withdrawClosing", Own("-")),
    ("downloadReceipt", Own("-")),
    ("downloadReceiptSignature", Own("-")),
    ("showOperator", Own("-")),
    ("changeOperator", Own(r#"{"title":"Müdür"}"#)),
    ("endOperator", Own("-")),
    ("suspendOperator", Own("-")),
    ("resumeOperator", Own("-")),
    ("sendOperatorPasswordLink", Own("-")),
    ("showError", Common),
    ("listDecisions", Common),
    ("decidePolicy", Common),
    ("cancelPolicy", Common),
    ("showApplication", Common),
    ("checkApplication", Common),
    ("approveApplication", Common),
    ("refuseApplication", Common),
    ("withdrawApplication", Common),
    ("activateApplication", Common),
    ("showStaffAccount", Common),
    ("suspendAccount", Common),
    ("resumeAccount", Common),
    ("closeAccount", Common),
    ("reopenAccount", Common),
    ("changeStaffAccount", Common),
    ("renewStaffContract", Common),
    ("requestStaffClosing", Common),
    ("withdrawStaffClosing", Common),
    ("setStaffHolder", Common),
    ("changeStaffContact", Common),
    ("setStaffInvoice", Common),
    ("removeStaffInvoice", Common),
    ("showStaffNotice", Common),
    ("retryNotice", Common),
    ("showStaffCredits", Common),
    ("listLedger", Common),
    ("topUpCredits", Common),
    ("proposeCorrection", Common),
    ("proposeRelease", Common),
    ("showAuthorityRequest", Common),
    ("approveAuthorityRequest", Common),
    ("refuseAuthorityRequest", Common),
    ("exportAuthorityRequest", Common),
    ("downloadAuthoritySeal", Common),
    ("showProposal", Common),
    ("approveProposal", Common),
    ("refuseProposal", Common),
];

/// By the name of a path's word: that of Ali's thing, and one of the same form that nobody has.
type Words = BTreeMap<&'static str, (String, String)>;

async fn things(bed: &Bed, api: &Api, owner: Owner, whole: &str) -> Words {
    let mut words = Words::new();
    let mut is = |word: &'static str, own: String, none: &str| {
        words.insert(word, (own, none.to_owned()));
    };
    let made = async |path: &str, body: Value| api.ask(whole, "POST", path, body).await.1;
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{value}")).to_owned();
    is("message", unopened(bed, owner.account, 1).await, "999999-1");
    is("part", "1".into(), "1");
    is("submission", bed::id(1).to_string(), "99@hs05.kep.tr");
    let label = made("/labels", json!({ "name": "Acele" })).await;
    is("label", text(&label["key"]), "yok");
    let contact = made("/contacts", json!({ "name": "Deneme" })).await;
    is("contact", text(&contact["id"]), "4f2b1c3e-0d5a-4b7e-9c1d-2e3f4a5b6c7d");
    is("mailbox", inbox(bed, owner).await, "999999");
    let delivered = evidence::new(&bed.store, 1, "delivery", "a");
    let id = delivered.id.to_string();
    let other = evidence::new(&bed.store, 2, "delivery", "a").id.to_string();
    assert!(evidence::append(&bed.store, delivered).await);
    is("evidence", id, &other);
    is("token", whole[..5].to_owned(), "zzzzz");
    let at_hand = sessions::list(&bed.store, owner.account, NOW).await.unwrap();
    is("session", at_hand[0].id.clone(), "0a1b2c3d4e5f6071");
    is("task", a_task(bed, owner).await.to_string(), "999");
    is("handover", a_handover(bed, owner).await.to_string(), "999");
    is("passkey", a_passkey(bed, owner).await, "AbCdEf");
    let phone = NewPassword {
        name: "Telefon".into(),
        opening: None,
        scopes: app_passwords::Scopes::mail(),
    };
    let added = app_passwords::add(&bed.store, &address(ALI), phone, &by()).await.unwrap().0;
    is("password", added.id.clone(), "zzzzz");
    is("fingerprint", a_certificate(bed, owner).await, &"ab".repeat(32));
    is("operator", an_operator(bed).await, "777");
    let asked = closings::request(&bed.store, &address(ALI), "", &by()).await.unwrap();
    is("closing", asked.id.to_string(), "999");
    let group = made("/address-book/groups", json!({ "name": "Müşteriler" })).await;
    is("group", group["number"].to_string(), "999");
    is("place", a_place(bed).await.to_string(), "999");
    is("export", an_export(bed, owner).await.to_string(), "999");
    words
}

async fn inbox(bed: &Bed, owner: Owner) -> String {
    let role = mail::Role::Inbox;
    bed.read(move |tx| Ok(mail::of_role(tx, owner.account, role)?)).await.0.to_string()
}

async fn an_operator(bed: &Bed) -> String {
    let person = Person::new("Can", "Ak", "10000000214", None, Some("can@example.org")).unwrap();
    let roles = Roles::new([Role::Reads]).unwrap();
    operators::add(&bed.store, &by(), &address(ALI), person, roles).await.unwrap().code.to_string()
}

async fn a_place(bed: &Bed) -> i64 {
    let change = Change {
        language: Language::Turkish,
        events: BTreeSet::new(),
        quiet: None,
        whose: Whose::Holder,
    };
    let reach = Reach::parse("+905321234567").unwrap();
    notices::add(&bed.store, &by(), &address(ALI), reach, change).await.unwrap().id
}

async fn an_export(bed: &Bed, owner: Owner) -> i64 {
    let ask = move |tx: &mut Tx<'_>| Ok(export::ask(tx, owner.account, &by()).unwrap().id);
    bed.write(ask).await
}

async fn a_task(bed: &Bed, owner: Owner) -> i64 {
    let new = NewTask {
        account: owner.account,
        kind: TaskKind::UploadUnfinished,
        subject: "1".into(),
        operator: None,
        note: String::new(),
        due: None,
    };
    bed.write(move |tx| Ok(tasks::open(tx, &new, NOW)?)).await;
    let wanted = tasks::Wanted { most: 1, ..tasks::Wanted::default() };
    tasks::list(&bed.store, &address(ALI), wanted).await.unwrap()[0].id
}

async fn a_handover(bed: &Bed, owner: Owner) -> i64 {
    let mut new = bed::submission(&bed.store, 7, owner.account, MAIL.as_bytes());
    new.state = SubmissionState::Held;
    let store = bed.store.clone();
    bed.write(move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        submissions::lay_in(tx, &store.blobs, &new)?.unwrap();
        let copy = NewMessage::of(MAIL.as_bytes(), MailKind::Plain, NOW);
        handovers::hold(tx, owner.account, &new, &copy, &by())
    })
    .await;
    handovers::list(&bed.store, &address(ALI), true, 0, 1).await.unwrap()[0].id
}

async fn a_passkey(bed: &Bed, owner: Owner) -> String {
    let relying = Relying::of_portal("https://kep.example/").unwrap();
    let begun = passkeys::begin(&bed.store, &relying, "Deneme", owner, NOW).await.unwrap();
    let challenge = begun.options["challenge"].as_str().unwrap().as_bytes();
    let challenge = data_encoding::BASE64URL_NOPAD.decode(challenge).unwrap();
    let mut key = Authenticator::new(Kind::Es256, "https://kep.example", "kep.example");
    let answer = key.create(&challenge);
    let (token, by) = (&begun.token, by());
    passkeys::finish(&bed.store, &relying, owner, token, &answer, "Cep", &by).await.unwrap().id
}

async fn a_certificate(bed: &Bed, owner: Owner) -> String {
    let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
    let profile = Profile::User { name: "Ali".into(), email: ALI.into() };
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
    let certificate = issued.certificate().clone();
    let fingerprint = certificate.digest().hex();
    let uses = CertificateUse::Both;
    certificates::add(&bed.store, owner, certificate, uses, &by()).await.unwrap();
    fingerprint
}

/// The path with the words of Ali's things, or with those that nobody has.
fn path(endpoint: &Endpoint, words: &Words, own: bool) -> String {
    let word = |part: &str| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => {
            let found = words.get(name);
            let (mine, none) =
                found.unwrap_or_else(|| panic!("{}: nothing is called {name}", endpoint.id));
            if own { mine.clone() } else { none.clone() }
        }
        None => part.to_owned(),
    };
    endpoint.path.split('/').map(word).collect::<Vec<_>>().join("/")
}

/// Anything in the place of each word.
fn anywhere(endpoint: &Endpoint) -> String {
    let word = |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
    endpoint.path.split('/').map(word).collect::<Vec<_>>().join("/")
}

fn body(written: &str) -> Value {
    match written {
        "-" => Value::Null,
        "mail" => json!(MAIL),
        json => serde_json::from_str(json).unwrap(),
    }
}

fn without(scope: Scope) -> Scopes {
    let all = Scope::ALL.into_iter().map(|(one, ..)| one);
    Scopes::of(all.filter(|one| one.is_of_staff() == scope.is_of_staff() && *one != scope))
}

fn row(endpoint: &Endpoint) -> Option<&'static Names> {
    let found = TABLE.iter().find(|(id, _)| *id == endpoint.id).map(|(_, names)| names);
    let named = endpoint.path.contains('{');
    assert_eq!(found.is_some(), named, "{}: a row for each path that names something", endpoint.id);
    found
}

#[test]
fn the_table_has_the_operations_that_name_something_and_no_others() {
    let operations = operations();
    for endpoint in &operations {
        row(endpoint);
    }
    for (id, _) in TABLE {
        assert!(operations.iter().any(|endpoint| endpoint.id == *id), "{id} is no operation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_does_what_he_may_not() {
    on_both(|bed| async move {
        api::account(&bed, ALI).await;
        member(&bed, "mudur", &StaffRole::ALL).await;
        let staff = member(&bed, "selin", &StaffRole::ALL).await;
        let api = Api::of(&bed, 100_000, people(&bed));
        let whole = token(&bed, ALI, Scopes::full(false)).await;
        let mut lacking = BTreeMap::new();
        for (scope, ..) in Scope::ALL {
            let scopes = without(scope);
            let made = match scope.is_of_staff() {
                false => token(&bed, ALI, scopes).await,
                true => {
                    let by = his("selin");
                    let new = NewToken { name: "dar", scopes, days: 1 };
                    let add = api_tokens::add_staff(&bed.store, &by, "selin", new);
                    add.await.unwrap().1.expose_secret().to_owned()
                }
            };
            lacking.insert(scope, made);
        }
        for endpoint in operations().iter().filter(|endpoint| !endpoint.is_open()) {
            let (id, method, path) = (endpoint.id, endpoint.verb.word(), anywhere(endpoint));
            let heard = async |token: &str| {
                let (status, said) = api.ask(token, method, &path, Value::Null).await;
                (status, said["code"].as_str().unwrap_or_default().to_owned())
            };
            let none = api.bare(method, &path).await;
            assert_eq!(none, (401, "no-token".to_owned()), "{id}");
            assert_eq!(heard("yok").await, (401, "token-unknown".to_owned()), "{id}");
            let Some(scope) = endpoint.scope else {
                for token in [&whole, &staff] {
                    assert_eq!(heard(token).await, (403, "session-needed".to_owned()), "{id}");
                }
                continue;
            };
            let lacks = (403, "scope-missing".to_owned());
            assert_eq!(heard(&lacking[&scope]).await, lacks, "{id}");
            // Nobody is both.
            let other = if scope.is_of_staff() { &whole } else { &staff };
            assert_eq!(heard(other).await, lacks, "{id}");
        }
    })
    .await;
}

/// A condition that can't be looked at is no reason to go on (RFC 9110, section 13.1.1).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_knows_no_versions_refuses_if_match() {
    let bed = Bed::sqlite().await;
    api::account(&bed, ALI).await;
    member(&bed, "mudur", &StaffRole::ALL).await;
    let staff = member(&bed, "selin", &StaffRole::ALL).await;
    let api = Api::of(&bed, 100_000, people(&bed));
    let whole = token(&bed, ALI, Scopes::full(false)).await;
    for endpoint in operations().iter().filter(|one| one.verb.word() != "GET") {
        let Some(scope) = endpoint.scope else { continue };
        let token = if scope.is_of_staff() { &staff } else { &whole };
        let (method, path) = (endpoint.verb.word(), anywhere(endpoint));
        let code = api.if_match(token, method, &path, "\"0\"").await;
        assert_eq!(code == "bad-header", !endpoint.guarded, "{}: {code}", endpoint.id);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_accounts_things_are_not_there() {
    on_both(|bed| async move {
        let owner = ali(&bed).await;
        open(&bed, AYSE, Vec::new()).await;
        let ayse = accounts::get(&bed.store, &address(AYSE)).await.unwrap().id;
        let (_, paper) = app(&bed, Owner::holder(ayse)).await;
        let api = Api::of(&bed, 100_000, people(&bed));
        member(&bed, "mudur", &StaffRole::ALL).await;
        let staff = member(&bed, "selin", &StaffRole::ALL).await;
        let whole = token(&bed, ALI, Scopes::full(false)).await;
        let other = token(&bed, AYSE, Scopes::full(false)).await;
        let secret = "kendi sözü";
        log_in(&api, ALI, secret).await;
        let hers = log_in(&api, AYSE, secret).await["token"].as_str().unwrap().to_owned();
        stepped_up(&api, &hers, &paper[0]).await;
        let words = things(&bed, &api, owner, &whole).await;
        for endpoint in &operations() {
            let Some(Own(written)) = row(endpoint) else { continue };
            let (id, method) = (endpoint.id, endpoint.verb.word());
            let (own, none) = (path(endpoint, &words, true), path(endpoint, &words, false));
            let hers = if endpoint.personal { &hers } else { &other };
            let asked = api.ask(hers, method, &own, body(written)).await;
            let absent = api.ask(hers, method, &none, body(written)).await;
            assert_eq!(absent.0, 404, "{id}: {}", absent.1);
            assert_eq!(asked, absent, "{id}: as if it were not there");
            let (status, said) = api.ask(&staff, method, &own, body(written)).await;
            assert_eq!(status, 403, "{id}: {said}");
        }
        // It was there all the time.
        for endpoint in operations().iter().filter(|one| one.verb.word() == "GET") {
            let Some(Own(_)) = row(endpoint) else { continue };
            let own = path(endpoint, &words, true);
            let (status, said) = api.ask(&whole, "GET", &own, Value::Null).await;
            assert_ne!(status, 404, "{}: {said}", endpoint.id);
        }
        // For a person alone, too; what takes something away comes last.
        let his = log_in(&api, ALI, secret).await["token"].as_str().unwrap().to_owned();
        let (_, paper) = app(&bed, owner).await;
        stepped_up(&api, &his, &paper[0]).await;
        let mut personal = operations();
        personal.retain(|one| one.personal && matches!(row(one), Some(Own(_))));
        personal.sort_by_key(|one| one.verb.word() == "DELETE");
        assert!(personal.len() > 15, "{}", personal.len());
        for endpoint in &personal {
            let Some(Own(written)) = row(endpoint) else { continue };
            let (method, own) = (endpoint.verb.word(), path(endpoint, &words, true));
            let (status, said) = api.ask(&his, method, &own, body(written)).await;
            let code = said["code"].as_str().unwrap_or_default();
            assert!(status != 404 && status < 500, "{}: {status} {said}", endpoint.id);
            let barred = ["session-needed", "step-up-needed", "scope-missing", "no-token"];
            assert!(!barred.contains(&code), "{}: {said}", endpoint.id);
        }
    })
    .await;
}
