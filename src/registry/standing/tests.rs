use super::*;
use proptest::prelude::*;
use std::fmt::Write;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(text).unwrap()
}

const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

#[test]
fn a_closed_account_is_readable_for_three_months() {
    let closed = at("2026-11-30T21:30:00Z"); // the first of December in Turkey
    let until = at("2027-03-01T20:59:59.999Z");
    let state = AccountState::Closed { since: Some(closed) };
    assert_eq!(state.readable_until(), Some(until));
    assert_eq!([closed, until].map(|now| state.stage_at(now)), [Stage::Closed; 2]);
    assert_eq!(state.stage_at(until.plus_millis(1)), Stage::Ended);
    let of_old = AccountState::Closed { since: None };
    assert_eq!((of_old.readable_until(), of_old.stage_at(until)), (None, Stage::Closed));
    // A month may have no such day.
    let late = AccountState::Closed { since: Some(at("2026-11-30T09:00:00Z")) };
    assert_eq!(late.stage_at(at("2027-02-28T20:59:00Z")), Stage::Closed);
    assert_eq!(late.stage_at(at("2027-02-28T21:00:00Z")), Stage::Ended);
}

#[test]
fn invariant_09_a_closing_completes_at_its_hour_whoever_writes_it_down_and_when() {
    let hour = NOW.plus_secs(7 * 86_400);
    let state = AccountState::Closing { since: NOW, completes: Some(hour) };
    assert_eq!(state.stage_at(hour.plus_millis(-1)), Stage::Closing);
    assert_eq!(state.at(hour), AccountState::Closed { since: Some(hour) });
    // Much later: it was closed then, and its three months are over.
    assert_eq!(state.stage_at(hour.plus_secs(120 * 86_400)), Stage::Ended);
    let late = state.after(Move::Withdraw, hour).unwrap_err();
    assert_eq!(late.stage, Stage::Closed);
    let staff = AccountState::Closing { since: NOW, completes: None };
    assert_eq!(staff.stage_at(hour.plus_secs(9_999_999)), Stage::Closing);
}

/// [`super::super::accounts::Access`] has three values: the table says no more of what it stands for.
#[test]
fn what_an_account_is_let_in_to_is_one_of_three_and_the_same_for_each_service() {
    for (stage, service) in Stage::ALL
        .into_iter()
        .flat_map(|stage| [Service::Both, Service::Receive].map(|service| (stage, service)))
    {
        let may = |act| answer(stage, service, act) == Answer::Yes;
        let reads = [Act::Login, Act::Read, Act::Flag].map(may);
        let adds = [Act::Append, Act::Manage].map(may);
        let known = [([true; 3], [true; 2]), ([true; 3], [false; 2]), ([false; 3], [false; 2])];
        assert!(known.contains(&(reads, adds)), "{stage:?} {service:?}");
        for act in [Act::Login, Act::Append] {
            assert_eq!(may(act), answer(stage, Service::Both, act) == Answer::Yes, "{stage:?}");
        }
    }
}

#[test]
fn states_change_as_the_law_has_it_and_no_other_way() {
    let suspended = AccountState::Suspended { since: NOW, reason: "borç".into() };
    let closing = AccountState::Closing { since: NOW, completes: None };
    let closed = AccountState::Closed { since: Some(NOW) };
    let ended = AccountState::Ended { since: NOW };
    let moves = [
        Move::Suspend { reason: "borç".into() },
        Move::Resume,
        Move::Request { completes: None },
        Move::Withdraw,
        Move::Close,
        Move::Reopen,
        Move::End,
    ];
    let become_of = |state: &AccountState| {
        moves.clone().map(|step| state.after(step, NOW).map_or("-", |after| after.word()))
    };
    //                                      suspend      resume    request    withdraw  close     reopen    end
    assert_eq!(
        become_of(&AccountState::Active),
        ["suspended", "-", "closing", "-", "closed", "active", "-"]
    );
    assert_eq!(become_of(&suspended), ["-", "active", "-", "-", "closed", "-", "-"]);
    assert_eq!(become_of(&closing), ["-", "-", "-", "active", "closed", "-", "-"]);
    assert_eq!(become_of(&closed), ["-", "-", "-", "-", "closed", "active", "-"]);
    assert_eq!(become_of(&ended), ["-", "-", "-", "-", "-", "active", "-"]);
    let later = NOW.plus_secs(120 * 86_400);
    let end = closed.after(Move::End, later).unwrap();
    assert_eq!(end, AccountState::Ended { since: closed.readable_until().unwrap() });
    // Closing again gives no further time.
    assert_eq!(closed.after(Move::Close, NOW.plus_secs(99)), Ok(closed.clone()));
}

#[test]
fn a_state_is_its_row_and_a_row_its_state() {
    let states = [
        AccountState::Active,
        AccountState::Suspended { since: NOW, reason: "borç".into() },
        AccountState::Closing { since: NOW, completes: Some(NOW.plus_secs(1)) },
        AccountState::Closing { since: NOW, completes: None },
        AccountState::Closed { since: Some(NOW) },
        AccountState::Closed { since: None },
        AccountState::Ended { since: NOW },
    ];
    for state in states {
        assert_eq!(AccountState::of(&state.row()).unwrap(), state);
    }
    for word in ["applied", "open", "", "suspended", "ended"] {
        let row = StandingRow { state: word.into(), ..StandingRow::default() };
        assert!(AccountState::of(&row).is_err(), "{word}");
    }
}

#[test]
fn each_state_and_service_has_its_row() {
    for stage in Stage::ALL {
        assert_eq!(Stage::parse(stage.word()), Some(stage));
        for service in [Service::Both, Service::Receive] {
            let rows = TABLE.iter().filter(|(of, to, _)| (*of, *to) == (stage, service));
            assert_eq!(rows.count(), 1, "{stage:?} {service:?}");
            assert_eq!(Service::parse(service.word()), Some(service));
        }
    }
}

/// The page for people has the same table.
#[test]
fn the_page_has_the_same_table() {
    let mut table = String::new();
    let acts: Vec<_> = Act::ALL.iter().map(|act| act.word()).collect();
    writeln!(table, "| state | service | {} |", acts.join(" | ")).unwrap();
    writeln!(table, "|---|---|{}", "---|".repeat(acts.len())).unwrap();
    for (stage, service, cells) in TABLE {
        let cells: Vec<_> = cells.iter().map(|cell| cell.word()).collect();
        let row = (stage.word(), service.word(), cells.join(" | "));
        writeln!(table, "| {} | {} | {} |", row.0, row.1, row.2).unwrap();
    }
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/accounts-states.md");
    let text = std::fs::read_to_string(page).unwrap();
    assert!(text.contains(&table), "docs/accounts-states.md should have:\n{table}");
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        Just(Move::Suspend { reason: "x".into() }),
        Just(Move::Resume),
        proptest::option::of(0_i64..20).prop_map(|days| Move::Request {
            completes: days.map(|days| NOW.plus_secs(days * 86_400)),
        }),
        Just(Move::Withdraw),
        Just(Move::Close),
        Just(Move::Reopen),
        Just(Move::End),
    ]
}

proptest! {
    /// However moves follow each other: whoever is closed stays so until he is reopened, his three months
    /// never grow, and nothing is lost by writing down late what time has done.
    #[test]
    fn whatever_is_done_time_to_read_never_grows(
        moves in proptest::collection::vec((a_move(), 0_i64..40), 0..40)
    ) {
        let (mut state, mut now) = (AccountState::Active, NOW);
        for (step, days) in moves {
            now = now.plus_secs(days * 86_400);
            let (before, until) = (state.stage_at(now), state.at(now).readable_until());
            let reopens = step == Move::Reopen;
            let direct = state.after(step.clone(), now);
            prop_assert_eq!(&direct, &state.at(now).after(step, now));
            if let Ok(after) = direct {
                if matches!(before, Stage::Closed | Stage::Ended) && !reopens {
                    prop_assert!(matches!(after.stage_at(now), Stage::Closed | Stage::Ended));
                    prop_assert!(after.readable_until().is_none() || after.readable_until() == until);
                }
                prop_assert_eq!(AccountState::of(&after.row()).unwrap(), after.clone());
                state = after;
            }
        }
    }
}
