//! What became of notices, over the API, on both drivers: the account's own, and all that the staff has to mend.

use super::api::{self, AYSE, account};
use super::api_staff::{Staff, acts};
use super::bed::Bed;
use super::{NOW, on_both};
use kep::registry::api_tokens::{Scope, Scopes};
use kep::registry::outbox::{self, Fields, Kind, Language, Outgoing};
use kep::store::outbox::{self as rows, State};
use kep::wire::{AccountId, Reach};
use serde_json::{Value, json};

const ALI: &str = "ali.veli@hs05.kep.tr";
const SECRET: &str = "428911";

/// One that is to be said, and what became of it.
async fn told(bed: &Bed, account: AccountId, kind: Kind, to: &'static str, fate: Fate) -> i64 {
    let secret = Fields::secret(&bed.vault, &[("code", SECRET)]).unwrap();
    let fields = if kind.is_asked_for() { secret } else { Fields::plain(&[("sender", "gizli")]) };
    let new = Outgoing {
        account,
        to: Reach::parse(to).unwrap(),
        language: Language::Turkish,
        kind,
        fields,
        cause: format!("{}/{to}", kind.word()),
        due: NOW,
        expires: NOW.plus_secs(3600),
    };
    bed.write(move |tx| {
        let id = outbox::queue(tx, &new)?.unwrap();
        match fate {
            Fate::Waits => {}
            Fate::PutOff(why) => {
                rows::begin(tx, id)?;
                rows::put_off(tx, id, NOW.plus_secs(60), why)?;
            }
            Fate::Is(state, why) => _ = rows::settle(tx, id, state, why, NOW)?,
        }
        Ok(id)
    })
    .await
}

#[derive(Clone, Copy)]
enum Fate {
    Waits,
    PutOff(&'static str),
    Is(State, &'static str),
}

const PHONE: &str = "+905321234567";
const MAIL: &str = "ali@example.org";

async fn some(bed: &Bed, account: AccountId) -> [i64; 6] {
    use Fate::{Is, PutOff, Waits};
    [
        told(bed, account, Kind::Mail, MAIL, Is(State::Sent, "")).await,
        told(bed, account, Kind::Mail, PHONE, Is(State::Failed, "550 5.1.1 hedef yok")).await,
        told(bed, account, Kind::Unread, PHONE, Is(State::Failed, "no credits for SMS are left"))
            .await,
        told(
            bed,
            account,
            Kind::LoginCode,
            PHONE,
            Is(State::Failed, "given up after 3 attempts: x"),
        )
        .await,
        told(bed, account, Kind::Evidence, MAIL, PutOff("421 sonra")).await,
        told(bed, account, Kind::Contract, MAIL, Waits).await,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_sees_what_it_was_not_told_and_why_and_nothing_of_what_it_says() {
    on_both(|bed| async move {
        let ali = account(&bed, ALI).await;
        let ayse = account(&bed, AYSE).await;
        let ids = some(&bed, ali).await;
        told(&bed, ayse, Kind::Mail, MAIL, Fate::Waits).await;
        let api = api::Api::of(&bed, 10_000, api::people(&bed));
        let own = api::token(&bed, ALI, Scopes::of([Scope::AccountAudit])).await;
        let get = async |path: &str| {
            let (status, said) = api.ask(&own, "GET", path, Value::Null).await;
            assert_eq!(status, 200, "{path}: {said}");
            said["notices"].as_array().unwrap().clone()
        };
        let all = get("/notices").await;
        let fates: Vec<_> = all
            .iter()
            .map(|one| (one["number"].as_i64().unwrap(), &one["state"], &one["trouble"]))
            .collect();
        assert_eq!(
            fates,
            [
                (ids[5], &json!("waiting"), &Value::Null),
                (ids[4], &json!("waiting"), &json!("delayed")),
                (ids[3], &json!("failed"), &json!("given-up")),
                (ids[2], &json!("failed"), &json!("no-credits")),
                (ids[1], &json!("failed"), &json!("refused")),
                (ids[0], &json!("sent"), &Value::Null),
            ]
        );
        let text = json!(all).to_string();
        for hidden in ["gizli", SECRET, PHONE, MAIL, "5.1.1"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        let failed = get(&format!("/notices?state=failed&limit=2&before={}", ids[3])).await;
        assert_eq!(json!(failed), json!([all[3], all[4]]));
        assert_eq!(api.ask(&own, "GET", "/notices?state=x", Value::Null).await.0, 400);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_staff_sees_what_failed_or_waits_and_has_it_tried_again() {
    on_both(|bed| async move {
        let staff = Staff::of(&bed).await;
        let (ali, ayse) = (account(&bed, ALI).await, account(&bed, AYSE).await);
        let ids = some(&bed, ali).await;
        let hers = told(&bed, ayse, Kind::Mail, MAIL, Fate::Is(State::Failed, "550")).await;
        let (list, selin) = ("/staff/notices", staff.selin.as_str());
        let numbers = async |query: &str| {
            let said = staff.get(&format!("{list}{query}")).await;
            let all = said["notices"].as_array().unwrap().iter();
            all.map(|one| one["number"].as_i64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(numbers("").await, [hers, ids[5], ids[4], ids[3], ids[2], ids[1]]);
        assert_eq!(numbers("?state=sent").await, [ids[0]]);
        let page = format!("?account={ALI}&limit=2&before={}", ids[4]);
        assert_eq!(numbers(&page).await, [ids[3], ids[2]]);
        let one = |id: i64| format!("{list}/{id}");
        let again = |id: i64| format!("{list}/{id}/retry");
        let shown = staff.get(&one(ids[1])).await;
        assert_eq!(
            (&shown["notice"]["trouble"], &shown["notice"]["account"], &shown["parts"]),
            (&json!("550 5.1.1 hedef yok"), &json!(ALI), &json!([]))
        );
        assert!(!shown.to_string().contains("gizli"), "{shown}");
        staff.refused(&staff.ece, &again(ids[1]), Value::Null, "staff-role-missing").await;
        let (_, said) = staff.api.ask(&staff.ece, "GET", list, Value::Null).await;
        assert_eq!(said["code"], "staff-role-missing");
        for waits in [ids[1], ids[5], hers] {
            let tried = staff.done(selin, &again(waits), Value::Null).await;
            assert_eq!(tried["notice"]["state"], "waiting", "{tried}");
        }
        // What was said, and a code whose time is over, is not said again.
        for gone in [ids[0], ids[3]] {
            staff.refused(selin, &again(gone), Value::Null, "notice-gone").await;
        }
        bed.write(move |tx| Ok(rows::begin(tx, ids[4])?)).await;
        staff.refused(selin, &again(ids[4]), Value::Null, "notice-under-way").await;
        staff.refused(selin, &again(999), Value::Null, "notice-unknown").await;
        let said = acts(&bed).await;
        let tried = said.iter().filter(|act| *act == "notice.retry staff:selin").count();
        assert_eq!(tried, 3, "{said:?}");
    })
    .await;
}
