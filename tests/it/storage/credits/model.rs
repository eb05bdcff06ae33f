//! Random courses of an account against a model that knows no rows. Each act may run twice, and may be
//! undone when it has run and run again, as after a crash.

use super::{addition, address, bed, by, opened, staffed};
use crate::storage::NOW;
use crate::storage::bed::Bed;
use kep::registry::credits::{self, Balance, Charge, Unit};
use kep::registry::policy;
use kep::store::submissions::{Recipient, RecipientState};
use kep::store::{Lane, Store, StoreError, Tx};
use kep::wire::{AccountId, MessageId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::BTreeSet;

#[derive(Clone, Debug)]
enum Act {
    TopUp { amount: i64, reference: u8 },
    TopUpSms { amount: i64, reference: u8 },
    Reserve { price: i64, here: usize, elsewhere: usize },
    Spend(usize),
    Release(usize),
    GiveBack { message: usize, recipient: usize, evidence: u8 },
    Sms { cause: u8 },
    SmsBack { cause: u8 },
    Correct { sms: bool, amount: i64, reference: u8 },
}

/// How an act runs.
#[derive(Clone, Copy, Debug)]
enum Run {
    Once,
    Twice,
    /// It ran, and power failed before the commit.
    Crashed,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Reserved,
    Spent,
    Released,
}

struct Message {
    id: MessageId,
    charge: Charge,
    here: usize,
    state: State,
    given: BTreeSet<usize>,
}

#[derive(Default)]
struct Model {
    balance: Balance,
    references: BTreeSet<(bool, u8)>,
    causes: BTreeSet<u8>,
    /// Of these causes nothing could be sent.
    unsent: BTreeSet<u8>,
    corrected: BTreeSet<u8>,
    messages: Vec<Message>,
}

fn act() -> impl Strategy<Value = (Act, Run)> {
    let act = prop_oneof![
        2 => (1..9_i64, 0..6_u8).prop_map(|(amount, reference)| Act::TopUp { amount, reference }),
        1 => (1..4_i64, 0..6_u8).prop_map(|(amount, reference)| Act::TopUpSms { amount, reference }),
        5 => (0..4_i64, 0..3_usize, 0..3_usize)
            .prop_map(|(price, here, elsewhere)| Act::Reserve { price, here, elsewhere }),
        4 => any::<usize>().prop_map(Act::Spend),
        1 => any::<usize>().prop_map(Act::Release),
        4 => (any::<usize>(), 1..5_usize, prop::sample::select(vec![20, 21, 31, 41]))
            .prop_map(|(message, recipient, evidence)| Act::GiveBack { message, recipient, evidence }),
        2 => (0..6_u8).prop_map(|cause| Act::Sms { cause }),
        1 => (0..6_u8).prop_map(|cause| Act::SmsBack { cause }),
        2 => (any::<bool>(), prop_oneof![-6..0_i64, 1..4_i64], 0..6_u8)
            .prop_map(|(sms, amount, reference)| Act::Correct { sms, amount, reference }),
    ];
    let run = prop_oneof![4 => Just(Run::Once), 2 => Just(Run::Twice), 2 => Just(Run::Crashed)];
    (act, run)
}

#[test]
fn the_balance_is_the_sum_of_the_entries_whatever_happens() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for (bed, cases) in
        [(Some(runtime.block_on(Bed::sqlite())), 48), (runtime.block_on(Bed::postgres()), 12)]
    {
        let Some(bed) = bed else { continue };
        runtime.block_on(async {
            let by = by("kurul");
            policy::set(&bed.store, &by, "credit.enforced", "yes", NOW, "karar").await.unwrap();
            staffed(&bed).await;
        });
        let next = std::cell::Cell::new(0);
        let mut runner =
            TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let course = prop::collection::vec(act(), 1..40);
        let held = runner.run(&course, |course| {
            next.set(next.get() + 1);
            runtime.block_on(live(&bed.store, next.get(), &course))
        });
        held.unwrap();
        let audit = runtime.block_on(credits::audit(&bed.store)).unwrap();
        assert_eq!(audit.faults, [""; 0]);
    }
}

async fn live(store: &Store, n: usize, course: &[(Act, Run)]) -> Result<(), TestCaseError> {
    let name = format!("hesap{n}@hs05.kep.tr");
    let account = opened(store, &name).await;
    let mut model = Model::default();
    for (step, (act, run)) in course.iter().enumerate() {
        carry_out(store, (account, n, &name), &mut model, step, act, *run).await;
        let there = store.read(move |tx| kep::store::credits::balance(tx, account)).await;
        prop_assert_eq!(there.unwrap(), model.balance, "{:?}", act);
    }
    let statement = credits::statement(store, &address(&name), 1000).await.unwrap();
    let mut summed = Balance::default();
    for entry in &statement.entries {
        summed.put(entry.from, -entry.amount);
        summed.put(entry.to, entry.amount);
    }
    prop_assert_eq!(summed, model.balance);
    Ok(())
}

async fn carry_out(
    store: &Store,
    (account, n, name): (AccountId, usize, &str),
    model: &mut Model,
    step: usize,
    act: &Act,
    run: Run,
) {
    match *act {
        Act::TopUp { amount, reference } => {
            top_up(store, n, name, model, (false, amount, reference), run).await
        }
        Act::TopUpSms { amount, reference } => {
            top_up(store, n, name, model, (true, amount, reference), run).await;
        }
        Act::Reserve { price, here, elsewhere } => {
            let id = MessageId::parse(&format!("{n}.{step}@hs05.kep.tr")).unwrap();
            let total = price * (here + elsewhere) as i64;
            if total == 0 {
                return;
            }
            let charge =
                Charge { total, elsewhere: price, here: price, back: vec![21, 41], low: 2 };
            let (named, cost) = (id.clone(), charge.clone());
            // An identifier is made anew for each try: what was laid in is not laid in again.
            let run = if matches!(run, Run::Twice) { Run::Once } else { run };
            let reserved = running(store, run, move |tx| {
                Ok(i64::from(credits::reserve(tx, account, &named, &cost, NOW)?))
            });
            let enough = model.balance.available >= total;
            assert_eq!(reserved.await, i64::from(enough));
            if enough {
                model.balance.available -= total;
                model.balance.reserved += total;
                let (state, given) = (State::Reserved, BTreeSet::new());
                model.messages.push(Message { id, charge, here, state, given });
            }
        }
        Act::Spend(which) => end(store, account, model, which, State::Spent, run).await,
        Act::Release(which) => end(store, account, model, which, State::Released, run).await,
        Act::GiveBack { message, recipient, evidence } => {
            give_back(store, account, model, (message, recipient, evidence), run).await;
        }
        Act::Sms { cause } => {
            let named = format!("bildirim {cause}");
            let sent = running(store, run, move |tx| {
                Ok(i64::from(credits::spend_sms(tx, account, &named, NOW)?))
            });
            let before = model.causes.contains(&cause);
            let enough = before || model.balance.sms > 0;
            assert_eq!(sent.await, i64::from(enough));
            if enough && !before {
                model.causes.insert(cause);
                model.balance.sms -= 1;
                model.balance.sms_spent += 1;
            }
        }
        Act::SmsBack { cause } => {
            let named = format!("bildirim {cause}");
            running(store, run, move |tx| Ok(credits::give_back_sms(tx, account, &named, NOW)?))
                .await;
            if model.causes.contains(&cause) && model.unsent.insert(cause) {
                model.balance.sms += 1;
                model.balance.sms_spent -= 1;
            }
        }
        Act::Correct { sms, amount, reference } => {
            let unit = if sms { Unit::Sms } else { Unit::Credit };
            let what = addition(unit, amount, &format!("{n}/düzeltme/{reference}"));
            let own = if sms { &mut model.balance.sms } else { &mut model.balance.available };
            let taken = model.corrected.contains(&reference);
            let enough = *own + amount >= 0;
            let times = if matches!(run, Run::Once) { 1 } else { 2 };
            for _ in 0..times {
                let done =
                    credits::correct(store, &by("mali"), "onay", &address(name), &what).await;
                assert!(taken || done.is_ok() == enough, "{done:?}");
            }
            if enough && !taken {
                *own += amount;
                model.corrected.insert(reference);
            }
        }
    }
}

async fn top_up(
    store: &Store,
    n: usize,
    name: &str,
    model: &mut Model,
    (sms, amount, reference): (bool, i64, u8),
    run: Run,
) {
    let unit = if sms { Unit::Sms } else { Unit::Credit };
    // The same reference is the same payment.
    let amount = amount + i64::from(reference) * 10;
    let what = addition(unit, amount, &format!("{n}/{sms}/{reference}"));
    let times = if matches!(run, Run::Once) { 1 } else { 2 };
    let first = model.references.insert((sms, reference));
    for _ in 0..times {
        // Another amount by a known reference is refused; what stands stays.
        let done = credits::top_up(store, &by("mali"), &address(name), &what).await;
        assert!(done.is_ok() || !first);
    }
    if first {
        match unit {
            Unit::Credit => model.balance.available += amount,
            Unit::Sms => model.balance.sms += amount,
        }
    }
}

async fn end(
    store: &Store,
    account: AccountId,
    model: &mut Model,
    which: usize,
    to: State,
    run: Run,
) {
    let count = model.messages.len();
    let Some(message) = which.checked_rem(count).and_then(|n| model.messages.get_mut(n)) else {
        return;
    };
    let (id, charge) = (message.id.clone(), message.charge.clone());
    let moved = running(store, run, move |tx| {
        Ok(match to {
            State::Spent => credits::spend(tx, account, &id, &charge, NOW)?,
            _ => credits::release(tx, account, &id, &charge, NOW)?,
        })
    });
    let moved = moved.await;
    if message.state != State::Reserved {
        assert_eq!(moved, 0);
        return;
    }
    message.state = to;
    let total = message.charge.total;
    model.balance.reserved -= total;
    match to {
        State::Spent => model.balance.spent += total,
        _ => model.balance.available += total,
    }
}

async fn give_back(
    store: &Store,
    account: AccountId,
    model: &mut Model,
    (which, recipient, evidence): (usize, usize, u8),
    run: Run,
) {
    let count = model.messages.len();
    let Some(message) = which.checked_rem(count).and_then(|n| model.messages.get_mut(n)) else {
        return;
    };
    let recipients = (message.charge.total / message.charge.here) as usize;
    let n = 1 + recipient % recipients;
    let failed = Recipient {
        n,
        address: bed::RECIPIENT.to_owned(),
        account: (n <= message.here).then_some(account),
        state: RecipientState::Failed,
        relayed_at: None,
        delivered_at: None,
        due_at: None,
        opened_at: None,
    };
    let (id, charge) = (message.id.clone(), message.charge.clone());
    running(store, run, move |tx| {
        Ok(credits::give_back(tx, account, &id, &charge, &failed, evidence, NOW)?)
    })
    .await;
    let gives = message.state == State::Spent && message.charge.back.contains(&evidence);
    if gives && message.given.insert(n) {
        model.balance.spent -= message.charge.here;
        model.balance.available += message.charge.here;
    }
}

/// What the last run came to.
async fn running(
    store: &Store,
    run: Run,
    act: impl Fn(&mut Tx<'_>) -> Result<i64, StoreError> + Clone + Send + 'static,
) -> i64 {
    match run {
        Run::Once => {}
        Run::Twice => {
            let first = store.write(Lane::Background, act.clone()).await.unwrap();
            let again = store.write(Lane::Background, act).await.unwrap();
            // A second run moves nothing, and an SMS that was paid for may go.
            return if again == 0 { first } else { again };
        }
        Run::Crashed => {
            let act = act.clone();
            let crash = move |tx: &mut Tx<'_>| -> Result<i64, StoreError> {
                act(tx)?;
                Err(StoreError::NotFound("power".to_owned()))
            };
            store.write(Lane::Background, crash).await.unwrap_err();
        }
    }
    store.write(Lane::Background, act).await.unwrap()
}
