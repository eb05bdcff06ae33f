//! The directory on both stores: who is found by what he agreed to, who may ask how often, and the central
//! directory as a process of its own (tests/directory/central.py), on its good and bad days.

use super::bed::{Bed, account_row};
use super::{NOW, on_both};
use crate::central::Mock;
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::directory::dial::CentralDirectory;
use kep::registry::directory::run::Push;
use kep::registry::directory::{
    self, Answer, Central, Consent, Directory, DirectoryError, Key, Kind, Query, QueryForm, Record,
    Subject, entry,
};
use kep::registry::holders::records;
use kep::registry::operators::{self, Person, Role, Roles};
use kep::registry::policy;
use kep::store::accounts::{self as account_rows, AccountRow};
use kep::store::directory::push::{self, PushRow};
use kep::store::directory::query as query_rows;
use kep::store::{Lane, RowsAt, RowsError, Tx};
use kep::trust::Clock;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::wire::{AccountId, KepAddress, KepDomain, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("zeynep".into()), channel: Channel::CommandLine, at }
}

pub async fn open(
    bed: &Bed,
    address: &'static str,
    name: &'static str,
    number: &'static str,
) -> AccountId {
    let row = AccountRow {
        state: "active".into(),
        opening: "sealed".into(),
        name: name.into(),
        national_id: Some(number.into()),
        ..account_row(address)
    };
    bed.write(move |tx| account_rows::add(tx, &row)).await
}

async fn close(bed: &Bed, account: AccountId) {
    let sql = "UPDATE account SET state = 'closed' WHERE id = $1";
    bed.write(move |tx| Ok(tx.execute(sql, &[account.0.into()])?)).await;
}

async fn agree(bed: &Bed, account: AccountId, listed: bool, findable: bool, fields: &[&str]) {
    let consent = Consent::parse(listed, findable, fields).unwrap();
    directory::set_consent(&bed.store, account, consent, by(NOW)).await.unwrap();
}

pub fn query(kind: &str, keys: &[(&str, &str)]) -> Query {
    let mut form: serde_json::Map<String, Value> =
        keys.iter().map(|(key, text)| ((*key).to_owned(), (*text).into())).collect();
    form.insert("kind".into(), kind.into());
    Query::parse(&serde_json::from_value::<QueryForm>(form.into()).unwrap()).unwrap()
}

pub fn alone(bed: &Bed) -> Directory {
    let ours = KepDomain::parse("hs05.kep.tr").unwrap();
    Directory { store: bed.store.clone(), ours, central: None }
}

pub async fn ask(directory: &Directory, account: AccountId, query: Query) -> Answer {
    directory::ask(directory, account, query, by(NOW)).await.unwrap()
}

fn addresses(answer: &Answer) -> Vec<&str> {
    answer.found.iter().map(|found| found.record.address.as_str()).collect()
}

const NAME: [(&str, &str); 2] = [("given", "AYŞE"), ("family", "yılmaz")];

#[tokio::test]
async fn a_person_is_found_by_what_he_agreed_to_and_by_nothing_else() {
    on_both(|bed| async move {
        let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
        let directory = alone(&bed);
        let found = async |keys: &[(&str, &str)]| {
            ask(&directory, asker, query("person", keys)).await.found.len()
        };
        let owner = async || {
            let asked = query("address", &[("address", "ayse@hs05.kep.tr")]);
            ask(&directory, asker, asked).await.found
        };
        assert_eq!((found(&NAME).await, owner().await.len()), (0, 0), "without a word: nothing");
        agree(&bed, ayse, true, false, &["given", "family"]).await;
        assert_eq!(
            (found(&NAME).await, owner().await.len()),
            (0, 0),
            "listed, and not to be found"
        );
        agree(&bed, ayse, true, true, &["given"]).await;
        assert_eq!(found(&NAME).await, 0, "both parts of a name are needed");
        let seen = owner().await;
        assert_eq!(seen[0].record.shown(), "Ayşe");
        agree(&bed, ayse, true, true, &["given", "family"]).await;
        assert_eq!(found(&NAME).await, 1);
        assert_eq!(found(&[NAME[0], NAME[1], ("province", "Ankara")]).await, 0);
        assert_eq!(found(&[("given", "ayşe"), ("family", "yılma")]).await, 0);
        // Nobody finds somebody by his number, nor by a wrong one with it.
        assert_eq!(found(&[NAME[0], NAME[1], ("identity", "10000000078")]).await, 1);
        let text = serde_json::to_string(&owner().await[0].record).unwrap();
        assert!(!text.contains("10000000146"), "{text}");
        agree(&bed, ayse, false, false, &[]).await;
        assert_eq!(
            (found(&NAME).await, owner().await.len()),
            (0, 0),
            "taken back, and gone at once"
        );

        agree(&bed, ayse, true, true, &["given", "family"]).await;
        close(&bed, ayse).await;
        let push = Push { store: bed.store.clone(), clock: Clock::Fixed(NOW), central: None };
        assert_eq!(push.sweep().await.unwrap(), 1);
        assert_eq!(push.sweep().await.unwrap(), 0);
        assert_eq!(found(&NAME).await, 0, "a closed account");
        let wanted =
            Wanted { subject: Some("ayse@hs05.kep.tr".into()), most: 100, ..Wanted::default() };
        let acts = audit::list(&bed.store, wanted).await.unwrap();
        assert_eq!(acts.iter().filter(|entry| entry.act == "directory.consent").count(), 5);
    })
    .await;
}

#[tokio::test]
async fn of_several_the_number_decides_last_and_too_many_are_not_told() {
    on_both(|bed| async move {
        let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        for (address, number) in [
            ("a@hs05.kep.tr", "10000000146"),
            ("b@hs05.kep.tr", "10000000214"),
            ("c@hs05.kep.tr", "10000000382"),
        ] {
            let account = open(&bed, address, "Ayşe Yılmaz", number).await;
            agree(&bed, account, true, true, &["given", "family"]).await;
        }
        let directory = alone(&bed);
        let several = ask(&directory, asker, query("person", &NAME)).await;
        assert_eq!(addresses(&several), ["a@hs05.kep.tr", "b@hs05.kep.tr", "c@hs05.kep.tr"]);
        assert_eq!(several.ask.first(), Some(&Key::Province));
        assert!(!several.ask.contains(&Key::Identity));
        let with = |number| query("person", &[NAME[0], NAME[1], ("identity", number)]);
        let one = ask(&directory, asker, with("10000000214")).await;
        assert_eq!((addresses(&one), one.ask.len()), (vec!["b@hs05.kep.tr"], 0));
        assert_eq!(ask(&directory, asker, with("10000000450")).await.found, []);

        policy::set(&bed.store, &by(NOW), "directory.results", "2", NOW, "deneme").await.unwrap();
        let many = ask(&directory, asker, query("person", &NAME)).await;
        assert!(many.more && many.found.is_empty() && !many.ask.is_empty());
    })
    .await;
}

fn company(address: &str, title: &str, mersis: &str, province: &str) -> Subject {
    let address = KepAddress::parse(address).unwrap();
    let record = Record {
        title: Some(title.into()),
        mersis: Some(mersis.into()),
        province: Some(province.into()),
        ..Record::bare(&address, Kind::Company)
    };
    let tax_number = mersis.get(1..11).map(str::to_owned);
    Subject { record, tax_number, identity: None }
}

#[tokio::test]
async fn companies_and_public_bodies_are_listed_by_law() {
    on_both(|bed| async move {
        let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        let first = open(&bed, "gida@gida.hs05.kep.tr", "Örnek Gıda A.Ş.", "-").await;
        let second = open(&bed, "yapi@hs05.kep.tr", "Örnek Yapı Ltd. Şti.", "-").await;
        let third = open(&bed, "belediye@hs05.kep.tr", "Örnek Belediyesi", "-").await;
        bed.write(move |tx| {
            let gida =
                company("gida@gida.hs05.kep.tr", "Örnek Gıda A.Ş.", "0123456789012345", "Ankara");
            let yapi =
                company("yapi@hs05.kep.tr", "Örnek Yapı Ltd. Şti.", "0987654321098765", "İzmir");
            entry::enter(tx, first, Some(gida), NOW)?;
            entry::enter(tx, second, Some(yapi), NOW)?;
            let mut body = company("belediye@hs05.kep.tr", "Örnek Belediyesi", "", "Ankara");
            body.record.kind = Kind::Public;
            (body.record.mersis, body.record.detsis) = (None, Some("12345678".into()));
            entry::enter(tx, third, Some(body), NOW)?;
            Ok(())
        })
        .await;
        let directory = alone(&bed);
        for (kind, keys, found) in [
            (
                "company",
                &[("title", "ÖRNEK")][..],
                &["gida@gida.hs05.kep.tr", "yapi@hs05.kep.tr"][..],
            ),
            ("company", &[("title", "gıd örnek")], &["gida@gida.hs05.kep.tr"]),
            ("company", &[("title", "örnek"), ("province", "IZMIR")], &["yapi@hs05.kep.tr"]),
            ("company", &[("mersis", "0987654321098765")], &["yapi@hs05.kep.tr"]),
            ("company", &[("tax_number", "1234567890")], &["gida@gida.hs05.kep.tr"]),
            ("company", &[("tax_number", "1234567890"), ("title", "yapı")], &[]),
            ("company", &[("title", "rnek")], &[]),
            ("public", &[("detsis", "12345678")], &["belediye@hs05.kep.tr"]),
            ("public", &[("title", "belediye")], &["belediye@hs05.kep.tr"]),
            ("address", &[("address", "YAPI@hs05.kep.tr")], &["yapi@hs05.kep.tr"]),
        ] {
            let answer = ask(&directory, asker, query(kind, keys)).await;
            assert_eq!(addresses(&answer), found, "{kind} {keys:?}");
        }
        let consent = Consent::parse(true, true, &[]).unwrap();
        bed.write(move |tx| Ok(entry::enter(tx, first, None, NOW)?)).await;
        let gone =
            ask(&directory, asker, query("company", &[("mersis", "0123456789012345")])).await;
        assert_eq!(gone.found, []);
        close(&bed, second).await;
        let refused = directory::set_consent(&bed.store, second, consent, by(NOW)).await;
        assert!(matches!(refused, Err(DirectoryError::NoPerson)));
    })
    .await;
}

#[tokio::test]
async fn who_asks_too_often_waits_and_each_question_is_noted_without_what_was_asked() {
    on_both(|bed| async move {
        let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        let other = open(&bed, "ali@hs05.kep.tr", "Ali Veli", "10000000146").await;
        agree(&bed, other, true, true, &["given", "family"]).await;
        for (key, value) in
            [("directory.queries-per-hour", "3"), ("directory.results-per-day", "4")]
        {
            policy::set(&bed.store, &by(NOW), key, value, NOW, "deneme").await.unwrap();
        }
        let directory = alone(&bed);
        let ask_at = async |account, at: Timestamp| {
            let asked = query("person", &[("given", "Ali"), ("family", "Veli")]);
            directory::ask(&directory, account, asked, by(at)).await
        };
        for n in 0..3 {
            assert_eq!(ask_at(asker, NOW.plus_secs(n)).await.unwrap().found.len(), 1);
        }
        let Err(DirectoryError::Often(until)) = ask_at(asker, NOW.plus_secs(9)).await else {
            panic!("the fourth in an hour")
        };
        assert_eq!(until, NOW.plus_secs(3600));
        assert!(ask_at(other, NOW.plus_secs(9)).await.is_ok(), "another account has its own count");
        assert!(ask_at(asker, NOW.plus_secs(3601)).await.is_ok());
        let harvest = ask_at(asker, NOW.plus_secs(3 * 3600)).await;
        assert!(matches!(harvest, Err(DirectoryError::Often(_))), "four results in a day");
        assert!(ask_at(asker, NOW.plus_secs(2 * 86_400)).await.is_ok());

        let log = directory::log(&bed.store, Some(asker), 10).await.unwrap();
        assert_eq!(log.len(), 5);
        assert_eq!(
            (log[0].kind.as_str(), log[0].keys.as_str(), log[0].results),
            ("person", "given family", Some(1))
        );
        assert_eq!((log[0].actor.as_str(), log[0].central.as_str()), ("staff:zeynep", "absent"));
        assert_eq!(directory::log(&bed.store, None, 10).await.unwrap().len(), 6);
        assert_eq!(directory::log(&bed.store, Some(other), 10).await.unwrap().len(), 1);
        assert!(!format!("{log:?}").contains("Veli"));
        bed.write(move |tx| Ok(query_rows::forget(tx, NOW.plus_secs(86_400))?)).await;
        assert_eq!(directory::log(&bed.store, None, 10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_are_under_way_count_towards_what_is_told_in_a_day() {
    on_both(|bed| async move {
        let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        for address in ["a@hs05.kep.tr", "b@hs05.kep.tr", "c@hs05.kep.tr"] {
            let account = open(&bed, address, "Ayşe Yılmaz", "10000000146").await;
            agree(&bed, account, true, true, &["given", "family"]).await;
        }
        for (key, value) in [("directory.results", "3"), ("directory.results-per-day", "7")] {
            policy::set(&bed.store, &by(NOW), key, value, NOW, "deneme").await.unwrap();
        }
        let directory = alone(&bed);
        let asked = |at| directory::ask(&directory, asker, query("person", &NAME), by(at));
        // One began and was never answered: for some minutes it may still be told three.
        let row = query_rows::QueryRow {
            id: 0,
            account: asker,
            actor: "staff:zeynep".into(),
            channel: "api".into(),
            kind: "person".into(),
            keys: String::new(),
            asked_at: NOW,
            results: None,
            central: String::new(),
        };
        bed.write(move |tx| Ok(query_rows::note(tx, &row, 3)?)).await;
        assert_eq!(asked(NOW).await.unwrap().found.len(), 3);
        let narrow = asked(NOW).await.unwrap();
        assert!(narrow.more && narrow.found.is_empty(), "one is left, and there are three");
        assert_eq!(asked(NOW.plus_secs(301)).await.unwrap().found.len(), 3, "4 were left");
        let one = query("address", &[("address", "a@hs05.kep.tr")]);
        let ask_one = |at| directory::ask(&directory, asker, one.clone(), by(at));
        assert_eq!(ask_one(NOW.plus_secs(302)).await.unwrap().found.len(), 1);
        let Err(DirectoryError::Often(until)) = ask_one(NOW.plus_secs(303)).await else {
            panic!("eight in a day")
        };
        assert_eq!(until, NOW.plus_secs(86_400), "when the first three are a day old");
        assert_eq!(ask_one(until.plus_secs(1)).await.unwrap().found.len(), 1);

        // At the same time, too.
        let later = NOW.plus_secs(3 * 86_400);
        let all = (0..8).map(|_| asked(later));
        let mut told = 0;
        for answer in futures(all).await.into_iter().flatten() {
            told += answer.found.len();
        }
        assert!((1..=7).contains(&told), "{told}");
    })
    .await;
}

async fn futures<F: Future>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = all.map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(move |cx| {
        for (one, done) in pinned.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(output) = one.as_mut().poll(cx) {
                *done = Some(output);
            }
        }
        match pinned.iter().all(|(_, done)| done.is_some()) {
            true => std::task::Poll::Ready(pinned.drain(..).filter_map(|(_, done)| done).collect()),
            false => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sweep_brings_nobody_back_who_takes_his_consent_back_meanwhile() {
    let Some(bed) = Bed::postgres().await else { return };
    let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
    agree(&bed, ayse, true, true, &["given", "family"]).await;
    // Changed unseen, so that the sweep has something to do.
    let rename = "UPDATE account SET name = 'Ayşe Demir' WHERE id = $1";
    bed.write(move |tx| Ok(tx.execute(rename, &[ayse.0.into()])?)).await;
    let RowsAt::Postgres(url) = &bed.at else { panic!("not PostgreSQL") };
    let admin = Arc::new(super::server::admin(url).await);
    let (sweeper, handle) = (bed.another().await, tokio::runtime::Handle::current());
    let (tell, told) = std::sync::mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    let takes_back = move |tx: &mut Tx<'_>| -> Result<(), RowsError> {
        account_rows::lock(tx, ayse)?;
        tx.execute("UPDATE directory_consent SET listed = 0 WHERE account = $1", &[ayse.0.into()])?;
        entry::refresh(tx, ayse, NOW)?;
        let push = Push { store: sweeper.clone(), clock: Clock::Fixed(NOW), central: None };
        let _ = tell.lock().unwrap().send(handle.spawn(async move { push.sweep().await }));
        // It waits for this one, and goes on after it.
        let waits = "SELECT COUNT(*) FROM pg_stat_activity
                     WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let waiting =
            async { while admin.query_one(waits, &[]).await.unwrap().get::<_, i64>(0) == 0 {} };
        let long = std::time::Duration::from_secs(60);
        let waiting = async { tokio::time::timeout(long, waiting).await };
        handle.block_on(waiting).expect("the sweep waits");
        Ok(())
    };
    bed.store.write(Lane::Client, takes_back).await.unwrap();
    told.recv().unwrap().await.unwrap().unwrap();
    let entry = bed.read(move |tx| Ok(kep::store::directory::entry(tx, ayse)?)).await.unwrap();
    assert_eq!((entry.record, entry.findable), (None, false));
}

#[tokio::test]
async fn who_hurries_what_the_central_directory_has_to_hear_stands_in_the_audit() {
    on_both(|bed| async move {
        let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
        agree(&bed, ayse, true, true, &["given"]).await;
        let by = by(NOW.plus_secs(9));
        let hurried = kep::registry::directory::run::hurry(&bed.store, &by).await.unwrap();
        assert_eq!(hurried, 0, "it was due at once");
        let wanted = Wanted { most: 1, ..Wanted::default() };
        let act = audit::list(&bed.store, wanted).await.unwrap().remove(0);
        assert_eq!(act.act, "directory.push.retry");
    })
    .await;
}

fn reached(mock: &Mock, token: &str) -> Arc<CentralDirectory> {
    let token = Some(token.to_owned().into());
    Arc::new(CentralDirectory::new(&mock.url, token, Duration::from_secs(2)).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_central_directory_tells_of_others_and_its_bad_days_cost_nobody_ours() {
    let Some(mock) = Mock::start("sir-42") else { return };
    let bed = Bed::sqlite().await;
    let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
    let ayse = open(&bed, "ayse@hs05.kep.tr", "AYŞE yılmaz", "10000000146").await;
    agree(&bed, ayse, true, true, &["given", "family"]).await;
    let theirs = |address: &str| json!({ "address": address, "kind": "person", "given": "AYŞE", "family": "yılmaz" });
    // One of them is ours: what became of its consent, the central directory may not have heard.
    let others =
        [theirs("ayse@hs01.kep.tr"), theirs("eski@hs05.kep.tr"), theirs("ayse@hs02.kep.tr")];
    mock.set(json!({ "others": others })).await;
    let directory = Directory { central: Some(reached(&mock, "sir-42")), ..alone(&bed) };
    policy::set(&bed.store, &by(NOW), "directory.queries-per-hour", "1000", NOW, "deneme")
        .await
        .unwrap();
    let ours = vec!["ayse@hs05.kep.tr"];
    let all = vec!["ayse@hs05.kep.tr", "ayse@hs01.kep.tr", "ayse@hs02.kep.tr"];
    for (mode, state, found) in [
        ("good", Central::Answered, &all),
        ("odd", Central::Partial, &all),
        ("wrong", Central::Unreachable, &ours),
        ("page", Central::Unreachable, &ours),
        ("huge", Central::Unreachable, &ours),
        ("cut", Central::Unreachable, &ours),
        ("moved", Central::Unreachable, &ours),
        ("slow", Central::Unreachable, &ours),
    ] {
        mock.set(json!({ "mode": mode })).await;
        let answer = ask(&directory, asker, query("person", &NAME)).await;
        assert_eq!((answer.central, &addresses(&answer)), (state, found), "{mode}");
        let noted = directory::log(&bed.store, Some(asker), 1).await.unwrap().remove(0);
        assert_eq!(
            (noted.central.as_str(), noted.results),
            (state.word(), Some(found.len() as i64))
        );
        assert_eq!(answer.central.said().is_some(), state != Central::Answered);
    }
    mock.set(json!({ "mode": "good" })).await;
    let stranger = Directory { central: Some(reached(&mock, "baska")), ..alone(&bed) };
    let answer = ask(&stranger, asker, query("person", &NAME)).await;
    assert_eq!(answer.central, Central::Unreachable, "it doesn't know us");
    let own = query("address", &[("address", "ayse@hs05.kep.tr")]);
    assert_eq!(ask(&directory, asker, own).await.central, Central::NotAsked);
    let foreign = query("address", &[("address", "ayse@hs01.kep.tr")]);
    assert_eq!(addresses(&ask(&directory, asker, foreign).await), ["ayse@hs01.kep.tr"]);
    // A namesake of ours and others': the number decides over ours as well.
    let numbered = |number| query("person", &[NAME[0], NAME[1], ("identity", number)]);
    let his = ask(&directory, asker, numbered("10000000146")).await;
    assert_eq!(addresses(&his).first(), Some(&"ayse@hs05.kep.tr"));
    let another = ask(&directory, asker, numbered("10000000214")).await;
    assert!(!addresses(&another).contains(&"ayse@hs05.kep.tr"), "{another:?}");
    policy::set(&bed.store, &by(NOW), "directory.results", "1", NOW, "deneme").await.unwrap();
    let many = ask(&directory, asker, query("person", &NAME)).await;
    assert!(many.more && many.found.is_empty());

    drop(mock);
    let answer = ask(&directory, asker, query("address", &[("address", "ayse@hs01.kep.tr")])).await;
    assert_eq!((answer.central, answer.found.len()), (Central::Unreachable, 0));
    for url in ["http://rehber.example/api", "ftp://localhost", ""] {
        assert!(CentralDirectory::new(url, None, Duration::from_secs(1)).is_err(), "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_central_directory_hears_of_each_change_until_it_has_it() {
    on_both(|bed| async move {
        let Some(mock) = Mock::start("sir-42") else { return };
        let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
        let (clock, central) = (Clock::Hand(Arc::default()), reached(&mock, "sir-42"));
        clock.advance(NOW.millis());
        let push = Push { store: bed.store.clone(), clock: clock.clone(), central: None };
        let known = async || mock.state().await["entries"]["ayse@hs05.kep.tr"].clone();
        let waits = async || -> Vec<PushRow> {
            let look = |tx: &mut Tx<'_>| push::list(tx, 10);
            bed.store.read::<_, RowsError, _>(look).await.unwrap()
        };
        agree(&bed, ayse, true, false, &["given"]).await;
        agree(&bed, ayse, true, true, &["given", "family"]).await;
        assert_eq!(waits().await.len(), 1, "the newest alone waits");
        assert_eq!(push.tell_all(&central).await.unwrap(), None);
        let told = known().await;
        assert_eq!(
            (told["revision"].as_i64(), told["told"]["findable"].as_bool()),
            (Some(2), Some(true))
        );
        assert_eq!(told["told"]["identity"], "10000000146");
        assert_eq!(told["told"]["record"]["family"], "Yılmaz");
        assert_eq!(waits().await, []);

        // Down: it waits, each time longer, and says why.
        mock.set(json!({ "mode": "wrong" })).await;
        agree(&bed, ayse, true, true, &["given"]).await;
        assert_eq!(push.tell_all(&central).await.unwrap(), Some(NOW.plus_secs(30)));
        let failed = waits().await.remove(0);
        assert_eq!((failed.attempts, failed.refused), (1, false));
        assert!(failed.heard.contains("500"), "{}", failed.heard);
        clock.advance(30_000);
        assert_eq!(push.tell_all(&central).await.unwrap(), Some(NOW.plus_secs(90)));
        // It would not have it: an operator sees that, and may try again.
        mock.set(json!({ "mode": "refuse" })).await;
        clock.advance(60_000);
        push.tell_all(&central).await.unwrap();
        let refused = waits().await.remove(0);
        assert!(
            refused.refused && refused.heard.contains("kimlik no gerekir"),
            "{}",
            refused.heard
        );
        mock.set(json!({ "mode": "good" })).await;
        let now = clock.now();
        let hurry = move |tx: &mut Tx<'_>| push::hurry(tx, now);
        assert_eq!(bed.store.write::<_, RowsError, _>(Lane::Client, hurry).await.unwrap(), 1);
        assert_eq!(push.tell_all(&central).await.unwrap(), None);
        assert_eq!(known().await["revision"], 3);

        // Told again after a crash: it knows it already, and that is good.
        bed.write(move |tx| Ok(push::lay_in(tx, ayse, 3, now)?)).await;
        assert_eq!(push.tell_all(&central).await.unwrap(), None);
        assert_eq!((waits().await.len(), mock.state().await["told"].as_i64()), (0, Some(2)));
        // Taken for work by somebody who went down with it: due again when his time is over.
        agree(&bed, ayse, false, false, &[]).await;
        let take = move |tx: &mut Tx<'_>| push::take(tx, now, now.plus_secs(600), 10);
        assert_eq!(bed.store.write::<_, RowsError, _>(Lane::Client, take).await.unwrap().len(), 1);
        assert_eq!(push.tell_all(&central).await.unwrap(), Some(now.plus_secs(600)));
        clock.advance(600_000);
        assert_eq!(push.tell_all(&central).await.unwrap(), None);
        let gone = known().await;
        assert_eq!((gone["revision"].as_i64(), &gone["told"]), (Some(4), &Value::Null));
    })
    .await;
}

async fn verdicts(directory: &Directory, account: AccountId, of: &[&str]) -> Vec<String> {
    let of: Vec<String> = of.iter().map(|one| (*one).to_owned()).collect();
    let (checked, central) =
        directory::check(directory, account, None, &of, by(NOW)).await.unwrap();
    let words = checked.iter().map(|one| one.verdict.word().to_owned());
    words.chain([central.word().to_owned()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn many_addresses_are_checked_at_once_and_no_more_is_told_than_whether_they_are_there() {
    let Some(mock) = Mock::start("sir-42") else { return };
    let bed = Bed::sqlite().await;
    let asker = open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
    let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
    open(&bed, "gizli@hs05.kep.tr", "Gizli Kişi", "10000000214").await;
    agree(&bed, ayse, true, true, &[]).await;
    let theirs = json!({ "address": "can@hs01.kep.tr", "kind": "company", "title": "Can A.Ş." });
    mock.set(json!({ "others": [theirs] })).await;
    let directory = Directory { central: Some(reached(&mock, "sir-42")), ..alone(&bed) };
    let of = [
        "ayse@hs05.kep.tr",
        "gizli@hs05.kep.tr",
        "yok@hs05.kep.tr",
        " CAN@hs01.kep.tr ",
        "yok@hs01.kep.tr",
        "ali@example.com",
        "ayse@hs05.kep.tr",
    ];
    let known = ["listed", "not-listed", "not-listed"];
    let rest = |theirs: [&'static str; 2], central| {
        [&known[..], &theirs, &["malformed", "listed", central]].concat()
    };
    let good = rest(["listed", "not-listed"], "answered");
    assert_eq!(verdicts(&directory, asker, &of).await, good);
    let silent = rest(["unanswered", "unanswered"], "unreachable");
    for mode in ["wrong", "page", "huge", "cut", "moved", "slow"] {
        mock.set(json!({ "mode": mode })).await;
        assert_eq!(verdicts(&directory, asker, &of).await, silent, "{mode}");
    }
    mock.set(json!({ "mode": "odd" })).await;
    let partial = rest(["listed", "unanswered"], "partial");
    assert_eq!(verdicts(&directory, asker, &of).await, partial);
    assert_eq!(verdicts(&directory, asker, &of[..3]).await.last().unwrap(), "not-asked");
    let without = rest(["unanswered", "unanswered"], "absent");
    assert_eq!(verdicts(&alone(&bed), asker, &of).await, without);
    // Of another kind is not there.
    let people = [of[0].to_owned(), of[3].to_owned()];
    mock.set(json!({ "mode": "good" })).await;
    let kind = Some(Kind::Company);
    let (found, _) = directory::check(&directory, asker, kind, &people, by(NOW)).await.unwrap();
    assert_eq!(
        found.iter().map(|one| one.verdict.word()).collect::<Vec<_>>(),
        ["not-listed", "listed"]
    );
    let noted = directory::log(&bed.store, Some(asker), 1).await.unwrap().remove(0);
    assert_eq!((noted.kind.as_str(), noted.results), ("check-company", Some(2)));
    for many in [0, 201] {
        let of = vec!["a@hs05.kep.tr".to_owned(); many];
        let refused = directory::check(&directory, asker, None, &of, by(NOW)).await;
        assert!(matches!(refused, Err(DirectoryError::Batch(_))));
    }
    // Who guesses is told no more than the day's share.
    policy::set(&bed.store, &by(NOW), "directory.results-per-day", "60", NOW, "deneme")
        .await
        .unwrap();
    let guesses: Vec<String> = (0..200).map(|n| format!("a{n}@hs05.kep.tr")).collect();
    let refused = directory::check(&directory, asker, None, &guesses, by(NOW)).await;
    assert!(matches!(refused, Err(DirectoryError::Often(_))));
}

#[tokio::test]
async fn who_acts_for_a_company_stands_in_its_entry_and_a_persons_key_by_his_consent() {
    on_both(|bed| async move {
        let ayse = open(&bed, "ayse@hs05.kep.tr", "Ayşe Yılmaz", "10000000146").await;
        let root = CertificateAuthority::create("Kök", KeyKind::P256, NOW).unwrap();
        let identity_number = "10000000146".to_owned();
        let profile = Profile::Qualified { name: "Ayşe Yılmaz".into(), identity_number };
        let issued = root.issue(&profile, KeyKind::P256, &Links::default(), NOW).unwrap();
        let certificate = issued.certificate().clone();
        let (digest, kept) = (certificate.digest(), certificate.clone());
        bed.write(move |tx| {
            Ok(account_rows::add_certificate(tx, ayse, &digest.0, kept.der(), "both", NOW)?)
        })
        .await;
        let record = async |account| {
            bed.read(move |tx| {
                let row = kep::store::directory::entry(tx, account)?.unwrap();
                Ok(serde_json::from_str::<Record>(&row.record.unwrap()).unwrap())
            })
            .await
        };
        agree(&bed, ayse, true, true, &["given"]).await;
        assert!(record(ayse).await.signature_keys.is_empty(), "it is not ticked");
        agree(&bed, ayse, true, true, &["given", "signature"]).await;
        let seen = record(ayse).await;
        let key = data_encoding::BASE64.encode(&certificate.public_key().unwrap());
        assert_eq!(seen.signature_keys, [key]);
        assert!(!serde_json::to_string(&seen).unwrap().contains("10000000146"));
        // One that has ended verifies nothing any more.
        let late = certificate.not_after().plus_secs(1);
        assert!(bed.write(move |tx| Ok(entry::refresh(tx, ayse, late)?)).await);
        assert!(record(ayse).await.signature_keys.is_empty());

        let firm = super::operators::firm();
        super::operators::open(&bed).await;
        let id = kep::registry::accounts::get(&bed.store, &firm).await.unwrap().id;
        let holder = super::holders::company("8760052205");
        records::set_holder(&bed.store, &firm, holder, &by(NOW)).await.unwrap();
        let person = Person::new("Mehmet", "Demir", "10000000214", None, None).unwrap();
        let roles = Roles::new([Role::Full]).unwrap();
        let person = person.titled(" Genel  Müdür ").unwrap();
        let added = operators::add(&bed.store, &by(NOW), &firm, person, roles).await.unwrap();
        let named = async || {
            let named = record(id).await.operators.into_iter();
            named.map(|one| (one.name, one.title)).collect::<Vec<_>>()
        };
        let title = |text: &str| ("Mehmet Demir".to_owned(), Some(text.to_owned()));
        assert_eq!(named().await, [title("Genel Müdür")]);
        let set = async |text: &str| {
            operators::set_title(&bed.store, &by(NOW), &firm, added.code, text).await.unwrap();
        };
        set("Müdür").await;
        assert_eq!(named().await, [title("Müdür")]);
        set("").await;
        assert_eq!(named().await, [("Mehmet Demir".to_owned(), None)]);
        operators::end(&bed.store, &by(NOW), &firm, added.code).await.unwrap();
        assert!(named().await.is_empty());
    })
    .await;
}
