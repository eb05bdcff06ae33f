//! The time to read ends while nobody looks: the server was down when it did.

use crate::judges::{exported, judge};
use crate::reading::Delivered;
use crate::scene::{ALI, AYSE, until};
use std::ffi::OsString;

fn moved(hours: i64) -> [(&'static str, OsString); 1] {
    [("KEP_DEV_CLOCK_OFFSET_SECS", (hours * 3600).to_string().into())]
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_09_a_time_out_during_a_stop_is_caught_up_with_due_and_issue_time() {
    let Delivered { scene, server, id, original } = Delivered::new(false).await;
    // A second one is opened in time.
    let mail = scene.letter(ALI, &[AYSE], "okunan@x");
    let read = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&read, 2).await;
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    imap.select("INBOX").await.unwrap();
    imap.uid_move("2", "Açılacaklar").await.unwrap();
    let before = scene.settled(&read, 3).await;
    drop(imap);
    server.stop().await;

    let shown = scene.json(&["message", "show", &id]).await;
    let due = shown["recipients"][0]["due"].as_str().unwrap().to_owned();
    let timeline = scene.json(&["message", "timeline", &id]).await;
    let delivery =
        timeline.as_array().unwrap().iter().find(|row| row["event"] == "delivery").unwrap();
    let stamped = chrono::DateTime::parse_from_rfc3339(delivery["stamped"].as_str().unwrap());
    let term = chrono::DateTime::parse_from_rfc3339(&due).unwrap() - stamped.unwrap();
    assert_eq!(term, chrono::TimeDelta::hours(24), "not 24 hours from the time stamp");

    // An hour before the end nothing happens; an hour after, it is caught up.
    let server = scene.serve_with(&moved(23)).await;
    let mail = scene.letter(ALI, &[AYSE], "sonraki@x");
    let later = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&later, 2).await;
    assert_eq!(scene.events(&id).await.len(), 2);
    server.stop().await;
    let server = scene.serve_with(&moved(25)).await;
    let events = scene.settled(&id, 3).await;
    let expected = [
        format!("delivery {AYSE}"),
        format!("retrieval-expiration {AYSE}"),
        "submission-acceptance".to_owned(),
    ];
    assert_eq!(events, expected);
    let shown = scene.json(&["message", "show", &id]).await;
    assert_eq!(shown["recipients"][0]["state"], "expired", "{shown}");
    expired_evidence(&scene, &id, &due).await;

    // It counts as read: the whole message is there, and that makes no read fact.
    let mut imap = scene.doors().imap(scene.account(AYSE)).await.unwrap();
    until("the dispatch", async || {
        imap.select("INBOX").await.unwrap();
        let mails = imap.fetch("1:*", "(BODY.PEEK[])").await.unwrap();
        let whole = |octets: &Vec<u8>| octets.windows(original.len()).any(|w| w == original);
        mails.iter().flat_map(|mail| &mail.literals).any(whole).then_some(())
    })
    .await;
    assert_eq!(scene.events(&later).await.len(), 2);
    assert_eq!(scene.events(&id).await, expected);
    assert_eq!(scene.events(&read).await, before);
    server.stop().await;

    // Another start, later still: nothing is issued twice.
    let server = scene.serve_with(&moved(26)).await;
    let mut sent = scene.doors().imap(scene.account(ALI)).await.unwrap();
    sent.select("Giden Kutusu").await.unwrap();
    let copy = sent.fetch("1", "(FLAGS)").await.unwrap();
    assert!(copy[0].flags.iter().any(|flag| flag == "$KepReadByTimeout"), "{:?}", copy[0].flags);
    assert_eq!(scene.events(&id).await, expected);
    server.stop().await;
}

async fn expired_evidence(scene: &crate::scene::Scene, id: &str, due: &str) {
    let files = exported(scene, id).await;
    let is = |name: &std::path::Path| name.to_string_lossy().contains("retrieval-expiration");
    let (file, xml) = files.iter().find(|(file, _)| is(file)).unwrap();
    judge(scene, file, xml);
    let timeline = scene.json(&["message", "timeline", id]).await;
    let rows = timeline.as_array().unwrap();
    let row = rows.iter().find(|row| row["event"] == "retrieval-expiration").unwrap();
    // It happened when it was due; the stamp says when it was issued.
    let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap();
    assert_eq!(time(row["time"].as_str().unwrap()), time(due));
    let late = time(row["stamped"].as_str().unwrap()) - time(due);
    assert!(late > chrono::TimeDelta::minutes(50), "{row}");
    assert!(xml.contains(&due[..19]) || xml.contains(&utc(due)), "no due time in {xml}");
}

fn utc(text: &str) -> String {
    let time = chrono::DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_moves_only_where_no_real_authority_stamps() {
    let scene = crate::scene::Scene::new(crate::scene::Plan::default()).await;
    scene.set("timestamp", "url", "\"http://tsa.example/\"");
    let ran = scene.kep_with(&["serve"], &moved(25)).await;
    assert_eq!(ran.code, Some(78), "{}", ran.err);
    assert!(ran.err.contains("KEP_DEV_CLOCK_OFFSET_SECS") && ran.err.contains("hint:"));
}

/// A holiday file of these years, whose fixed days are these.
fn holidays(years: &[i32], days: &[chrono::NaiveDate]) -> String {
    let mut text = "[feasts]\nramazan = { name = \"R\", days = 3 }\n\
                    kurban = { name = \"K\", days = 4 }\n"
        .to_owned();
    for day in days {
        text += &format!("[[fixed]]\nday = \"{}\"\nname = \"x\"\n", day.format("%m-%d"));
    }
    for year in years {
        text += &format!(
            "[[year]]\nyear = {year}\nramazan = [{year}-07-04]\nkurban = [{year}-07-11]\n\
             basis = \"computed\"\n"
        );
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_holiday_file_and_the_rule_in_force_decide_when_the_time_ends() {
    use chrono::{Datelike, Days, Weekday};
    let scene = crate::scene::Scene::new(crate::scene::Plan::default()).await;
    let today = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now())
        .with_timezone(&chrono::FixedOffset::east_opt(3 * 3600).unwrap());
    let after = |days| today.date_naive().checked_add_days(Days::new(days)).unwrap();
    // A long feast of our own, beginning today: longer than any weekend.
    let feast: Vec<_> = (0..5).map(after).collect();
    let years = [today.year(), today.year() + 1];
    std::fs::write(scene.provider().join("tatiller.toml"), holidays(&years, &feast)).unwrap();
    scene.set("opening", "holidays", "'tatiller.toml'");
    let from = |days: i64| (today + chrono::TimeDelta::days(days)).to_rfc3339();
    let entry =
        |days, rule| format!("{{ from = {}, type = 'standart', rule = '{rule}' }}", from(days));
    let entries = [entry(-9, "48h"), entry(-1, "next-business-day"), entry(9, "fifth-day")];
    scene.set("opening", "read_policy", &format!("[{}]", entries.join(", ")));
    let check = scene.kep(&["check"]).await;
    assert!(check.out.lines().any(|line| line.contains("holidays") && line.contains("are listed")));

    let server = scene.serve().await;
    let mail = scene.letter(ALI, &[AYSE], "tatilde@x");
    let id = scene.accepted(ALI, &[AYSE], &mail).await;
    scene.settled(&id, 2).await;
    let shown = scene.json(&["message", "show", &id]).await;
    let due = chrono::DateTime::parse_from_rfc3339(shown["recipients"][0]["due"].as_str().unwrap());
    // At 24.00 of the first weekday behind the feast; midnight may have passed since we looked.
    let ends = |first: u64| {
        let works = |day: &chrono::NaiveDate| {
            !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) && !feast.contains(day)
        };
        (first..).map(after).find(works).unwrap().succ_opt().unwrap()
    };
    let due = due.unwrap().with_timezone(today.offset());
    assert!(due.time() == chrono::NaiveTime::MIN, "{due}");
    assert!([ends(1), ends(2)].contains(&due.date_naive()), "{due}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn check_warns_of_a_year_that_the_holiday_file_does_not_list() {
    let scene = crate::scene::Scene::new(crate::scene::Plan::default()).await;
    let new_year = chrono::NaiveDate::from_ymd_opt(2015, 1, 1).unwrap();
    std::fs::write(scene.provider().join("tatiller.toml"), holidays(&[2015], &[new_year])).unwrap();
    scene.set("opening", "holidays", "'tatiller.toml'");
    let check = scene.kep(&["check"]).await;
    let line = check.out.lines().find(|line| line.contains("holidays")).unwrap();
    assert!(line.starts_with("warning"), "{line}");
    assert!(line.contains("the holiday file says nothing about 20"), "{line}");
    assert_eq!(check.code, Some(0), "a warning: {}", check.out);
}
