//! What comes back with an account that is opened again, on both drivers: all that read it while it was
//! closed, and nothing of what it had before it ended.

use super::bed::Bed;
use super::holders::{
    DAY, SECRET, acts, address, company, domain, open, staff, stage, stepped, wish,
};
use super::{NOW, on_both};
use kep::registry::accounts::{CertificateUse, SignatureRule};
use kep::registry::api_tokens::{self, NewToken, Scopes};
use kep::registry::app_passwords::{self, NewPassword, Scopes as MailScopes};
use kep::registry::applications::{self, Paper, PaperKind, Step, Wish};
use kep::registry::credentials::{Owner, certificates, passkeys, totp};
use kep::registry::holders::records;
use kep::registry::operators::{self, Person, Role, Roles};
use kep::registry::outbox::{self as queued, Fields, Kind, Language, Outgoing};
use kep::registry::standing::Stage;
use kep::registry::terms::{self, Terms};
use kep::registry::{accounts, closings, policy};
use kep::store::credentials::OwnerKey;
use kep::store::credentials::passkeys::{self as passkey_rows, PasskeyRow};
use kep::store::credentials::sessions::{self as session_rows, SessionRow};
use kep::store::notices::{self as places, TargetRow};
use kep::store::{accounts as account_rows, operators as operator_rows, outbox};
use kep::trust::password::Passwords;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::{AccountId, OperatorCode, Reach, Timestamp};

const FIRM: &str = "ornek@ornek.hs05.kep.tr";
const VKN: &str = "8760052205";
const MEHMET: &str = "10000000214";

/// All that lets somebody in, act or sign: a session, an app, a passkey, the password of a program, a
/// certificate, a token, an operator with a certificate, a place to be told at, an e-seal.
async fn furnished(bed: &Bed) -> AccountId {
    let (store, by, firm) = (&bed.store, staff("ayse", NOW), address(FIRM));
    let id = open(store, FIRM, company(VKN)).await.unwrap();
    policy::set(store, &by, "e-seal.allowed", "yes", NOW, "deneme").await.unwrap();
    let seal = Terms { e_seal: Some(true), ..Terms::default() };
    terms::set(store, &firm, &seal, &by).await.unwrap();
    let owner = Owner::holder(id);
    totp::enrol(store, owner, "KEP", &by).await.unwrap();
    let new = NewPassword { name: "Telefon".into(), opening: None, scopes: MailScopes::mail() };
    app_passwords::add(store, &firm, new, &by).await.unwrap();
    api_tokens::add(
        store,
        &by,
        &firm,
        None,
        NewToken { name: "arşiv", scopes: Scopes::full(false), days: 1000 },
    )
    .await
    .unwrap();
    let root = CertificateAuthority::create("Root", KeyKind::P256, NOW).unwrap();
    let issued = |name: &str| {
        let profile = Profile::User { name: name.into(), email: FIRM.into() };
        root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap().certificate().clone()
    };
    let both = CertificateUse::Both;
    certificates::add(store, owner, issued("Örnek"), both, &by).await.unwrap();
    let person = Person::new("Mehmet", "Ak", MEHMET, None, None).unwrap();
    let roles = Roles::new([Role::Full]).unwrap();
    let code = operators::add(store, &by, &firm, person, roles).await.unwrap().code;
    let operator = Owner { account: id, operator: code.number() };
    certificates::add(store, operator, issued("Mehmet"), both, &by).await.unwrap();
    let key = OwnerKey { account: id, operator: 0 };
    bed.write(move |tx| {
        let passkey = PasskeyRow {
            id: vec![7],
            owner: key,
            name: "Anahtar".into(),
            public_key: vec![8],
            sign_count: 0,
            added_at: NOW,
            used_at: None,
        };
        passkey_rows::add(tx, &passkey)?;
        for operator in [0, code.number()] {
            let session = SessionRow {
                id: format!("oturum{operator}"),
                owner: OwnerKey { account: id, operator },
                proofs: String::new(),
                created_at: NOW,
                seen_at: NOW,
                ends_at: NOW.plus_secs(9000 * DAY),
                address: "192.0.2.1".into(),
                agent: String::new(),
            };
            session_rows::add(tx, &session, &[operator as u8])?;
        }
        let place = TargetRow {
            id: 0,
            account: id,
            channel: "mail".into(),
            target: "ali@ornek.example".into(),
            language: "tr".into(),
            events: String::new(),
            quiet: None,
            deputy: None,
            added_at: NOW,
            verified_at: None,
        };
        let place = places::add(tx, &place)?.unwrap();
        Ok(places::verified(tx, place, NOW)?)
    })
    .await;
    id
}

/// What is there of it: a word for each.
async fn found(bed: &Bed, id: AccountId) -> Vec<&'static str> {
    let (store, firm) = (&bed.store, address(FIRM));
    let owner = Owner::holder(id);
    let programs = app_passwords::list(store, &firm).await.unwrap();
    let tokens = api_tokens::list(store, Some(&firm)).await.unwrap();
    let all = operators::list(store, &firm).await.unwrap();
    let known = accounts::certificates(store, id).await.unwrap();
    let (sessions, places) = bed
        .read(move |tx| {
            Ok((session_rows::of_account(tx, id)?.len(), places::of_account(tx, id)?.len()))
        })
        .await;
    let there = [
        ("app", totp::known(store, owner).await.unwrap().is_some()),
        ("passkey", !passkeys::list(store, owner).await.unwrap().is_empty()),
        ("program", !programs.is_empty()),
        ("token", !tokens.is_empty()),
        ("operator", all.iter().any(|one| one.is_active())),
        ("certificates", !known.is_empty()),
        ("sessions", sessions > 0),
        ("place", places > 0),
        ("e-seal", records::of(store, &firm).await.unwrap().e_seal),
    ];
    there.into_iter().filter(|(_, there)| *there).map(|(word, _)| word).collect()
}

const ALL: [&str; 9] = [
    "app",
    "passkey",
    "program",
    "token",
    "operator",
    "certificates",
    "sessions",
    "place",
    "e-seal",
];

/// Whether the password that was applied with fits.
async fn opens(verifier: &str) -> bool {
    let passwords = Passwords::new(1).unwrap();
    passwords.verify(Some(verifier), &SECRET.into(), NOW).await
}

async fn password(bed: &Bed) -> String {
    let row = bed.read(|tx| Ok(account_rows::by_address(tx, FIRM)?)).await;
    row.unwrap().password
}

/// How many are told that what they log in by has changed.
async fn told(bed: &Bed) -> usize {
    let all = bed.read(|tx| Ok(outbox::list(tx, None, None, 100)?)).await;
    all.iter().filter(|row| row.kind == "credentials").count()
}

/// By an application, at that time.
async fn activated(bed: &Bed, at: Timestamp) {
    let (store, by) = (&bed.store, staff("ayse", at));
    let papers = PaperKind::ALL.iter().map(|kind| Paper::parse(kind.word()).unwrap()).collect();
    let wish = Wish { papers, ..wish(FIRM, company(VKN)) };
    let id = applications::add(store, &domain(), wish, &by).await.unwrap().id;
    stepped(store, id, Step::Check, "ayse").await.unwrap();
    stepped(store, id, Step::Approve, "ece").await.unwrap();
    stepped(store, id, Step::Approve, "can").await.unwrap();
    let rule = SignatureRule::Required;
    applications::activate(store, id, &SECRET.into(), rule, &by).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_an_account_can_be_read_all_that_reads_it_stays() {
    on_both(|bed| async move {
        let id = furnished(&bed).await;
        assert_eq!(found(&bed, id).await, ALL);
        let (store, firm, by) = (&bed.store, address(FIRM), staff("ayse", NOW.plus_secs(DAY)));
        closings::close(store, &firm, &by).await.unwrap();
        closings::reopen(store, &firm, Some(VKN), &by).await.unwrap();
        assert_eq!(found(&bed, id).await, ALL, "nothing is new but that it is open");
        closings::close(store, &firm, &by).await.unwrap();
        let before = told(&bed).await;
        activated(&bed, NOW.plus_secs(2 * DAY)).await;
        assert_eq!(found(&bed, id).await, ALL);
        // The password that was applied for is one as any other: sessions end by it, and one is told.
        assert!(opens(&password(&bed).await).await);
        assert_eq!(told(&bed).await, before + 1);
        let sessions = bed.read(move |tx| Ok(session_rows::of_account(tx, id)?)).await;
        assert_eq!(sessions.iter().map(|one| one.owner.operator).collect::<Vec<_>>(), [1]);
        assert!(acts(store, FIRM).await.contains(&"account.password".to_owned()));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_account_had_before_it_ended_works_no_more() {
    on_both(|bed| async move {
        let id = furnished(&bed).await;
        let (store, firm) = (&bed.store, address(FIRM));
        let waiting = Outgoing {
            account: id,
            to: Reach::parse("ali@ornek.example").unwrap(),
            language: Language::Turkish,
            kind: Kind::Mail,
            fields: Fields::plain(&[("account", FIRM)]),
            cause: "mail/1".into(),
            due: NOW,
            expires: NOW.plus_secs(2000 * DAY),
        };
        bed.write(move |tx| Ok(queued::queue(tx, &waiting)?)).await;
        // Whether or not somebody had written down that it ended.
        closings::close(store, &firm, &staff("ayse", NOW)).await.unwrap();
        let before = told(&bed).await;
        let late = NOW.plus_secs(900 * DAY);
        activated(&bed, late).await;
        assert_eq!(stage(store, FIRM, late).await, Stage::Active);
        assert_eq!(found(&bed, id).await, [""; 0]);
        assert_eq!((opens(&password(&bed).await).await, told(&bed).await), (true, before + 1));
        let all = bed.read(|tx| Ok(outbox::list(tx, None, None, 100)?)).await;
        let his = all.into_iter().filter(|row| row.target == "ali@ornek.example");
        let his: Vec<_> = his.map(|row| (row.kind, row.state)).collect();
        let [said, unsaid] = [outbox::State::Waiting, outbox::State::Withdrawn];
        assert_eq!(his, [("credentials".to_owned(), said), ("mail".to_owned(), unsaid)]);
        let code = OperatorCode::of_number(1).unwrap();
        let mehmet = operators::get(store, &firm, code).await.unwrap();
        assert!(mehmet.has_ended(), "his code and name stay");
        let his = bed.read(move |tx| Ok(operator_rows::certificates(tx, id, 1)?)).await;
        assert_eq!(his.len(), 1, "nobody takes it for the holder's");
        let said = acts(store, FIRM).await;
        for act in ["operator.end", "token.remove", "account.e_seal", "account.begin-anew"] {
            assert!(said.contains(&act.to_owned()), "{act}: {said:?}");
        }
    })
    .await;
}

/// Staff who reopen it without an application give out the password too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_account_that_staff_reopen_has_no_password() {
    on_both(|bed| async move {
        let id = furnished(&bed).await;
        let (store, firm) = (&bed.store, address(FIRM));
        bed.write(move |tx| Ok(account_rows::set_password(tx, id, "eski", NOW)?)).await;
        closings::close(store, &firm, &staff("ayse", NOW)).await.unwrap();
        let by = staff("ayse", NOW.plus_secs(900 * DAY));
        closings::reopen(store, &firm, Some(VKN), &by).await.unwrap();
        assert_eq!(found(&bed, id).await, [""; 0]);
        assert_eq!(password(&bed).await, "-");
    })
    .await;
}
