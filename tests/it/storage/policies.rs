//! Policies on both drivers: each is set by its key, as `kep policy set` does, and seen in what the server
//! does. No value here is what holds by itself.

use super::bed::{self, Bed, submission};
use super::credentials::{self, ALI};
use super::duties::{self, broke_off};
use super::operators::{self as firms, firm};
use super::signin::{OWN, by_password, entered, root, sign_in};
use super::{NOW, archive, credits as tills, directory as entries, notices as places, on_both};
use kep::registry::accounts;
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::credentials::{CredentialError, PasswordFault, Rules, passwords};
use kep::registry::credits::{self, Ledger, Paid, Recipients, Till, Unit};
use kep::registry::directory::{self, run::Push};
use kep::registry::notices::{self, Event};
use kep::registry::outbox::{self, Retried};
use kep::registry::sessions::{self, StepUp};
use kep::registry::shares::Whose;
use kep::registry::signin::Answer;
use kep::registry::standing::Stage;
use kep::registry::tasks::sweep::{self, Round};
use kep::registry::{closings, contracts, handovers, operators, policy};
use kep::store::outbox::State;
use kep::store::submissions::{self, RecipientState};
use kep::store::{StoreError, Tx, credits as balances};
use kep::trust::Clock;
use kep::wire::{AccountId, Timestamp};
use secrecy::SecretString;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

fn by(at: Timestamp) -> By {
    By { actor: Actor::Staff("ayse".into()), channel: Channel::CommandLine, at }
}

fn day(n: i64) -> Timestamp {
    NOW.plus_secs(n * DAY)
}

async fn decide(bed: &Bed, key: &str, value: &str) {
    policy::set(&bed.store, &by(NOW), key, value, NOW, "karar").await.unwrap();
}

async fn swept(bed: &Bed, at: Timestamp) -> Round {
    sweep::round(&bed.store, at).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_wait_is_how_long_a_request_to_close_waits() {
    on_both(|bed| async move {
        duties::person(&bed).await;
        decide(&bed, "closing.wait", "3d").await;
        let asked = closings::request(&bed.store, &duties::ali(), "", &by(NOW)).await.unwrap();
        assert_eq!(asked.completes_at, Some(day(3)));
        let account = accounts::get(&bed.store, &duties::ali()).await.unwrap();
        let stages = [day(3).plus_millis(-1), day(3)].map(|at| account.state.stage_at(at));
        assert_eq!(stages, [Stage::Closing, Stage::Closed]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn contract_months_is_the_term_of_a_contract_that_names_none() {
    on_both(|bed| async move {
        duties::person(&bed).await;
        decide(&bed, "contract.months", "24").await;
        let term = contracts::renew(&bed.store, &duties::ali(), None, &by(NOW)).await.unwrap();
        let days = (term.ends_at.secs() - term.starts_at.secs()) / DAY;
        assert!((729..=731).contains(&days), "{days}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hold_lapse_is_how_long_a_message_waits_for_its_signature() {
    on_both(|bed| async move {
        firms::open(&bed).await;
        decide(&bed, "hold.lapse", "2d").await;
        super::handovers::hold(&bed).await;
        let lapse = async |at| handovers::lapse(&bed.store, at).await.unwrap();
        assert_eq!([lapse(day(2).plus_millis(-1)).await, lapse(day(2)).await], [0, 1]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_archive_stamp_is_the_time_between_two_stamps() {
    on_both(|bed| async move {
        decide(&bed, "retention.archive-stamp", "3d").await;
        super::evidence::append(&bed.store, super::evidence::new(&bed.store, 1, "delivery", "a"))
            .await;
        let stamps = archive::Stamps::begun("A", NOW);
        let round = async |at| {
            let stamp = stamps.archivist(&bed, at).round().await.unwrap();
            stamp.map(|stamp| stamp.n)
        };
        assert_eq!([round(NOW).await, round(day(2)).await], [Some(1), None]);
        assert_eq!(round(day(3)).await, Some(2));
    })
    .await;
}

#[tokio::test]
async fn directory_log_is_how_long_questions_are_kept() {
    on_both(|bed| async move {
        let asker = entries::open(&bed, "mert@hs05.kep.tr", "Mert Can", "10000000078").await;
        decide(&bed, "directory.log", "2d").await;
        let query = entries::query("address", &[("address", "ayse@hs05.kep.tr")]);
        entries::ask(&entries::alone(&bed), asker, query).await;
        let kept = async |at| {
            let (store, clock) = (bed.store.clone(), Clock::Fixed(at));
            Push { store, clock, central: None }.housekeeping().await;
            directory::log(&bed.store, Some(asker), 9).await.unwrap().len()
        };
        assert_eq!([kept(day(2)).await, kept(day(2).plus_millis(1)).await], [1, 0]);
    })
    .await;
}

#[tokio::test]
async fn each_kind_of_account_has_the_share_that_was_decided_for_it() {
    on_both(|bed| async move {
        let account = bed.account("a@hs05.kep.tr").await;
        for (key, value) in [
            ("storage.person", "4 KiB"),
            ("storage.company", "8 KiB"),
            ("storage.public", "16 KiB"),
        ] {
            decide(&bed, key, value).await;
        }
        for (kind, limit) in [("person", 4096), ("company", 8192), ("public", 16_384)] {
            bed.of_kind(account, kind).await;
            assert_eq!(bed.share(account, NOW).await, (0, Some(limit), Whose::Policy), "{kind}");
        }
    })
    .await;
}

/// As a message is paid for when it is handed in.
async fn paid(bed: &Bed, account: AccountId) -> credits::Charge {
    let to = Recipients { here: 1, elsewhere: 0 };
    let charge = Till::new(bed.store.clone()).charge(100, to, NOW).await.unwrap();
    let mut new = submission(&bed.store, 1, account, b"mail");
    new.details.charge = charge.clone();
    assert_eq!(tills::hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
    charge.unwrap()
}

#[tokio::test]
async fn credit_give_back_names_the_evidence_that_gives_credits_back() {
    on_both(|bed| async move {
        decide(&bed, "credit.enforced", "yes").await;
        decide(&bed, "credit.give-back", "41").await;
        let account = tills::topped_up(&bed, 5).await;
        let charge = paid(&bed, account).await;
        let back = bed
            .write(move |tx| {
                let id = bed::id(1);
                let to = submissions::recipients(tx, &id)?.remove(0);
                credits::spend(tx, account, &id, &charge, NOW)?;
                let mut back =
                    |number| credits::give_back(tx, account, &id, &charge, &to, number, NOW);
                Ok([back(21)?, back(31)?, back(41)?])
            })
            .await;
        assert_eq!(back, [0, 0, 1]);
    })
    .await;
}

#[tokio::test]
async fn credit_low_and_credit_sms_low_are_below_what_an_account_is_warned() {
    on_both(|bed| async move {
        for (key, value) in
            [("credit.enforced", "yes"), ("credit.low", "4"), ("credit.sms-low", "2")]
        {
            decide(&bed, key, value).await;
        }
        let account = tills::topped_up(&bed, 4).await;
        let two = tills::addition(Unit::Sms, 2, "paket");
        let ayse = tills::address("ayse@hs05.kep.tr");
        credits::top_up(&bed.store, &by(NOW), &ayse, &two).await.unwrap();
        paid(&bed, account).await;
        bed.write(move |tx| Ok(credits::spend_sms(tx, account, "a", NOW)?)).await;
        let lows = bed.read(|tx| Ok(balances::lows(tx, 9)?)).await;
        let lows: Vec<_> = lows.iter().map(|one| (one.ledger, one.rest, one.threshold)).collect();
        assert_eq!(lows, [(Ledger::Available, 3, 4), (Ledger::Sms, 1, 2)]);
    })
    .await;
}

#[tokio::test]
async fn notice_pause_is_between_two_of_a_kind() {
    on_both(|bed| async move {
        let ali = places::open(&bed, ALI).await;
        places::proven(&bed, ALI, "ali@example.com", places::change(&[Event::Mail])).await;
        decide(&bed, "notice.pause", "10m").await;
        for cause in ["1", "2"] {
            bed.write(places::mail(ali, cause, NOW)).await;
        }
        let due: Vec<_> = places::of(&bed, "mail").await.iter().map(|row| row.due_at).collect();
        assert_eq!(due, [NOW, NOW.plus_secs(600)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notice_window_is_how_long_a_notice_is_tried() {
    on_both(|bed| async move {
        let ali = places::open(&bed, ALI).await;
        places::proven(&bed, ALI, "ali@example.com", places::change(&[Event::Mail])).await;
        decide(&bed, "notice.window", "1h").await;
        bed.write(places::mail(ali, "1", NOW)).await;
        let tried = async |at| {
            // No smarthost is set.
            let notify = places::notify(&bed, "http://127.0.0.1:1/", at);
            places::round(&bed, &notify, at).await;
            places::of(&bed, "mail").await.remove(0)
        };
        let end = NOW.plus_secs(HOUR);
        assert_eq!(tried(NOW).await.state, State::Waiting);
        let failed = tried(end).await;
        assert_eq!((failed.state, failed.expires_at), (State::Failed, end));
        let again = outbox::retry(&bed.store, &by(end), failed.id).await.unwrap();
        assert_eq!(again, Some(Retried::Now));
        assert_eq!(places::of(&bed, "mail").await[0].expires_at, end.plus_secs(HOUR));
    })
    .await;
}

#[tokio::test]
async fn notice_unread_is_how_long_before_the_end_the_unread_are_told_of() {
    on_both(|bed| async move {
        let ali = places::open(&bed, ALI).await;
        places::proven(&bed, ALI, "ali@example.com", places::change(&[Event::Unread])).await;
        decide(&bed, "notice.unread", "2h").await;
        let (due, told) = (day(1), day(1).plus_secs(-2 * HOUR));
        bed.lay_in(submission(&bed.store, 1, ali, b"mail")).await.unwrap();
        bed.write(move |tx| {
            submissions::outcome(tx, &bed::id(1), 1, RecipientState::Delivered, NOW)?;
            Ok(notices::watch(tx, ali, &bed::id(1), 1, due, NOW)?)
        })
        .await;
        let looked = bed.count("SELECT due_at FROM job WHERE name LIKE 'unread/%'").await;
        assert_eq!(looked, told.millis());
        bed.write(move |tx| Ok(notices::look_unread(tx, (&bed::id(1), 1), due, NOW, told)?)).await;
        assert_eq!(places::of(&bed, "unread").await[0].due_at, told);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notice_ending_is_how_long_before_its_end_a_contract_is_told_of() {
    on_both(|bed| async move {
        let account = duties::person(&bed).await;
        duties::place(&bed, account, &[Event::Contract]).await;
        decide(&bed, "notice.ending", "10d").await;
        let end = contracts::of(&bed.store, &duties::ali()).await.unwrap()[0].ends_at;
        let tell = async |days: i64| {
            notices::tell_of_endings(&bed.store, end.plus_secs(-days * DAY)).await.unwrap()
        };
        assert_eq!([tell(11).await, tell(10).await], [0, 1]);
    })
    .await;
}

#[tokio::test]
async fn notice_keep_is_how_long_notices_are_kept_that_were_sent() {
    on_both(|bed| async move {
        places::open(&bed, ALI).await;
        // None is forgotten while what it tells of may be told again.
        decide(&bed, "notice.ending", "1d").await;
        decide(&bed, "notice.keep", "3d").await;
        places::proven(&bed, ALI, "ali@example.com", places::change(&[Event::Mail])).await;
        let kept = async |at| {
            places::notify(&bed, "http://127.0.0.1:1/", at).tend().await;
            places::of(&bed, "verify").await.len()
        };
        assert_eq!([kept(day(3)).await, kept(day(3).plus_millis(1)).await], [1, 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_tries_and_login_lock_are_how_often_and_how_long() {
    on_both(|bed| async move {
        let root = root();
        credentials::ali(&bed).await;
        let desk = sign_in(&bed, &root);
        decide(&bed, "login.tries", "2").await;
        decide(&bed, "login.lock", "1h").await;
        for _ in 0..2 {
            assert!(matches!(by_password(&desk, ALI, "yanlış", NOW).await, Answer::Wrong));
        }
        let end = NOW.plus_secs(HOUR);
        for at in [NOW, end.plus_millis(-1)] {
            let answer = by_password(&desk, ALI, OWN, at).await;
            assert!(matches!(answer, Answer::Locked(until) if until == end), "{answer:?}");
        }
        entered(by_password(&desk, ALI, OWN, end).await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_password_length_is_asked_of_a_new_password() {
    on_both(|bed| async move {
        let owner = credentials::ali(&bed).await;
        decide(&bed, "login.password-length", "14").await;
        let set = async |text: &str| {
            let secret = SecretString::from(text);
            passwords::set(&bed.store, owner, &secret, None, &by(NOW)).await
        };
        let short = set("on üç karakte").await;
        let fault = CredentialError::Password(PasswordFault::Short(14));
        assert_eq!(short.unwrap_err().to_string(), fault.to_string());
        set("on üç karakter").await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_two_factors_asks_everybody_for_two() {
    on_both(|bed| async move {
        let (root, owner) = (root(), credentials::ali(&bed).await);
        let desk = sign_in(&bed, &root);
        credentials::app(&bed, owner).await;
        entered(by_password(&desk, ALI, OWN, NOW).await);
        decide(&bed, "login.two-factors", "yes").await;
        assert!(matches!(by_password(&desk, ALI, OWN, NOW).await, Answer::Second(_)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_when_its_policies_say_so() {
    for (key, value, ends) in [("session.length", "10m", 600), ("session.idle", "5m", 300)] {
        on_both(|bed| async move {
            let root = root();
            credentials::ali(&bed).await;
            decide(&bed, key, value).await;
            let one = entered(by_password(&sign_in(&bed, &root), ALI, OWN, NOW).await);
            let alive = async |at| sessions::find(&bed.store, &one.token, at).await.unwrap();
            let end = NOW.plus_secs(ends);
            assert!(alive(end).await.is_none(), "{key}");
            assert!(alive(end.plus_millis(-1)).await.is_some(), "{key}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn session_step_up_is_for_how_long_a_proof_is_enough() {
    on_both(|bed| async move {
        let root = root();
        credentials::ali(&bed).await;
        decide(&bed, "session.step-up", "1m").await;
        let one = entered(by_password(&sign_in(&bed, &root), ALI, OWN, NOW).await);
        let rules = bed.read(|tx| Ok(Rules::at(tx, NOW)?)).await;
        let proves = |secs| one.session.proves(StepUp::Presence, &rules, NOW.plus_secs(secs));
        assert_eq!([60, 61].map(proves), [true, false]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_certificate_and_task_contract_are_how_long_before_an_end_there_is_a_task() {
    on_both(|bed| async move {
        firms::open(&bed).await;
        let ayse = firms::appoint(&bed, "10000000146", &[operators::Role::Signs]).await;
        let certificate = firms::mailed("ayse@example.org", 60);
        let end = certificate.not_after();
        operators::give_certificate(&bed.store, &by(NOW), &firm(), ayse, certificate)
            .await
            .unwrap();
        decide(&bed, "task.certificate", "10d").await;
        let opened =
            async |end: Timestamp, days: i64| swept(&bed, end.plus_secs(-days * DAY)).await.opened;
        assert_eq!([opened(end, 11).await, opened(end, 10).await], [0, 1]);

        duties::person(&bed).await;
        decide(&bed, "task.contract", "5d").await;
        let end = contracts::of(&bed.store, &duties::ali()).await.unwrap()[0].ends_at;
        assert_eq!([opened(end, 6).await, opened(end, 5).await], [0, 1]);
    })
    .await;
}

/// What the firm sent.
async fn accepted(bed: &Bed) -> AccountId {
    firms::open(bed).await;
    let account = accounts::get(&bed.store, &firm()).await.unwrap().id;
    bed.lay_in(submission(&bed.store, 1, account, b"Subject: x\r\n\r\n")).await.unwrap();
    account
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_evidence_and_task_relay_are_how_late_evidence_is_before_there_is_a_task() {
    type Done = fn(&mut Tx<'_>) -> Result<(), StoreError>;
    let waits: [(_, _, Done, i64); 2] = [
        ("task.evidence", "2h", |tx| Ok(kep::spool::certify(tx, &bed::id(1), NOW)?), 2 * HOUR),
        (
            "task.relay",
            "1h",
            |tx| Ok(submissions::relayed(tx, &bed::id(1), 1, NOW).map(drop)?),
            HOUR,
        ),
    ];
    for (key, value, work, late) in waits {
        on_both(|bed| async move {
            accepted(&bed).await;
            decide(&bed, key, value).await;
            bed.write(work).await;
            let late = NOW.plus_secs(late);
            assert_eq!(swept(&bed, late.plus_millis(-1)).await.opened, 0, "{key}");
            assert_eq!(swept(&bed, late).await.opened, 1, "{key}");
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn task_upload_is_how_long_the_task_of_an_unfinished_upload_stands() {
    on_both(|bed| async move {
        let account = accepted(&bed).await;
        decide(&bed, "task.upload", "1d").await;
        assert!(broke_off(&bed, account, "1@x", NOW).await);
        let closed = [swept(&bed, day(1).plus_millis(-1)).await, swept(&bed, day(1)).await];
        assert_eq!(closed.map(|round| round.closed), [0, 1]);
    })
    .await;
}

/// Each policy is set, by its key, in the test that is named here; what that observes is for people to read.
#[test]
fn each_policy_has_a_test_that_sets_it() {
    let keys: Vec<_> = SET_IN.iter().flat_map(|(_, _, keys)| keys.iter().copied()).collect();
    let declared: Vec<_> = policy::DECLARED.iter().map(|one| one.key).collect();
    let without: Vec<_> = declared.iter().filter(|key| !keys.contains(key)).collect();
    assert!(without.is_empty(), "set by no test: {without:?}");
    for (file, test, keys) in SET_IN {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let (_, from) = text.split_once(&format!("async fn {test}()")).expect(test);
        let (body, _) = from.split_once("\n}\n").expect(test);
        for key in *keys {
            assert!(
                declared.contains(key) && body.contains(&format!("\"{key}\"")),
                "{test}: {key}"
            );
        }
    }
}

const HERE: &str = "tests/it/storage/policies.rs";
const CREDITS: &str = "tests/it/storage/credits.rs";
const DIRECTORY: &str = "tests/it/storage/directory.rs";
const SCAN: &str = "tests/e2e/scan.rs";

const SET_IN: &[(&str, &str, &[&str])] = &[
    (
        "src/evidence/run/tests/time_to_read.rs",
        "a_decision_holds_for_what_is_delivered_after_it_and_for_nothing_before",
        &["read.standart", "read.e-yazisma", "read.e-tebligat"],
    ),
    (
        "tests/e2e/administration.rs",
        "a_size_that_is_decided_holds_for_the_next_connection",
        &["size.message"],
    ),
    (
        "tests/e2e/accounts.rs",
        "a_new_account_is_asked_for_the_signature_that_the_provider_has_decided",
        &["signature.default"],
    ),
    (
        SCAN,
        "what_waits_for_a_scanner_that_is_given_up_is_told_of_and_goes_on_by_policy",
        &["virus.unscanned", "virus.abandoned"],
    ),
    (SCAN, "what_cannot_be_looked_into_passes_by_policy_only", &["virus.beyond"]),
    (
        "src/accept/relay/tests/scanning.rs",
        "an_encrypted_dispatch_is_rejected_by_its_reason_where_policy_refuses_it",
        &["virus.encrypted"],
    ),
    (
        "tests/e2e/keeping.rs",
        "what_is_in_the_trash_goes_when_the_time_is_over_that_was_decided",
        &["retention.trash"],
    ),
    (HERE, "retention_archive_stamp_is_the_time_between_two_stamps", &["retention.archive-stamp"]),
    (
        HERE,
        "each_kind_of_account_has_the_share_that_was_decided_for_it",
        &["storage.person", "storage.company", "storage.public"],
    ),
    (
        "tests/it/storage/shares.rs",
        "who_is_nearly_full_is_told_once_until_he_made_room",
        &["storage.warn"],
    ),
    (HERE, "hold_lapse_is_how_long_a_message_waits_for_its_signature", &["hold.lapse"]),
    (
        "tests/it/storage/holders.rs",
        "policies_say_who_completes_and_whether_a_closed_account_receives",
        &["closing.by-system", "closing.receives"],
    ),
    (
        "tests/it/storage/addresses.rs",
        "once_there_is_staff_no_registrar_opens_an_account_alone",
        &["account.direct"],
    ),
    (HERE, "closing_wait_is_how_long_a_request_to_close_waits", &["closing.wait"]),
    (HERE, "contract_months_is_the_term_of_a_contract_that_names_none", &["contract.months"]),
    (
        "tests/it/storage/holders.rs",
        "an_e_seal_is_an_institutions_and_asks_for_the_policy",
        &["e-seal.allowed"],
    ),
    (
        HERE,
        "task_certificate_and_task_contract_are_how_long_before_an_end_there_is_a_task",
        &["task.certificate", "task.contract"],
    ),
    (
        HERE,
        "task_evidence_and_task_relay_are_how_late_evidence_is_before_there_is_a_task",
        &["task.evidence", "task.relay"],
    ),
    (HERE, "task_upload_is_how_long_the_task_of_an_unfinished_upload_stands", &["task.upload"]),
    (HERE, "notice_unread_is_how_long_before_the_end_the_unread_are_told_of", &["notice.unread"]),
    (HERE, "notice_pause_is_between_two_of_a_kind", &["notice.pause"]),
    (HERE, "notice_window_is_how_long_a_notice_is_tried", &["notice.window"]),
    (HERE, "notice_ending_is_how_long_before_its_end_a_contract_is_told_of", &["notice.ending"]),
    (HERE, "notice_keep_is_how_long_notices_are_kept_that_were_sent", &["notice.keep"]),
    (HERE, "login_tries_and_login_lock_are_how_often_and_how_long", &["login.tries", "login.lock"]),
    (HERE, "login_password_length_is_asked_of_a_new_password", &["login.password-length"]),
    (HERE, "login_two_factors_asks_everybody_for_two", &["login.two-factors"]),
    (HERE, "a_session_ends_when_its_policies_say_so", &["session.length", "session.idle"]),
    (HERE, "session_step_up_is_for_how_long_a_proof_is_enough", &["session.step-up"]),
    (
        CREDITS,
        "a_quote_is_what_is_charged_by_the_terms_of_its_day",
        &["credit.enforced", "credit.prices", "credit.free-here"],
    ),
    (HERE, "credit_give_back_names_the_evidence_that_gives_credits_back", &["credit.give-back"]),
    (
        HERE,
        "credit_low_and_credit_sms_low_are_below_what_an_account_is_warned",
        &["credit.low", "credit.sms-low"],
    ),
    (
        "tests/it/storage/api_exports.rs",
        "an_export_whose_time_is_over_is_fetched_no_more",
        &["export.open"],
    ),
    (
        DIRECTORY,
        "who_asks_too_often_waits_and_each_question_is_noted_without_what_was_asked",
        &["directory.queries-per-hour", "directory.results-per-day"],
    ),
    (
        DIRECTORY,
        "of_several_the_number_decides_last_and_too_many_are_not_told",
        &["directory.results"],
    ),
    (HERE, "directory_log_is_how_long_questions_are_kept", &["directory.log"]),
];
