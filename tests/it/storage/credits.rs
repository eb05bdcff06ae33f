//! Credits on both drivers: entries are once each, no writer overdraws, and what is kept is the sum.

mod model;

use super::bed::{self, Bed, account_row, submission};
use super::{NOW, on_both};
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::credits::{
    self, Addition, Balance, Charge, CreditError, Done, Kind as Entered, Ledger, Paid, Short, Unit,
};
use kep::registry::policy::{self, Policies};
use kep::registry::staff::{self, StaffRole};
use kep::registry::{AccountState, OpeningMode, SignatureRule};
use kep::store::accounts::{self, AccountRow};
use kep::store::credits as rows;
use kep::store::fsck::{Depth, Kind, check};
use kep::store::submissions::{self, NewSubmission};
use kep::store::{Lane, Store, StoreError, Tx};
use kep::wire::{AccountId, KepAddress};
use secrecy::SecretString;

const AYSE: &str = "ayse@hs05.kep.tr";

pub fn by(name: &str) -> By {
    By { actor: Actor::Staff(name.into()), channel: Channel::CommandLine, at: NOW }
}

pub fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

pub fn addition(unit: Unit, amount: i64, reference: &str) -> Addition {
    Addition { unit, amount, reason: "havale".into(), reference: reference.into() }
}

/// In the words of the registry.
pub async fn opened(store: &Store, address: &str) -> AccountId {
    let (opening, policy) = (OpeningMode::Sealed, SignatureRule::Required);
    let row = AccountRow {
        state: AccountState::Active.word().into(),
        opening: opening.word().into(),
        signature_policy: policy.word().into(),
        ..account_row(address)
    };
    store.write(Lane::Client, move |tx| accounts::add(tx, &row)).await.unwrap()
}

pub async fn topped_up(bed: &Bed, amount: i64) -> AccountId {
    let account = opened(&bed.store, AYSE).await;
    let what = addition(Unit::Credit, amount, &format!("dekont {amount}"));
    credits::top_up(&bed.store, &by("mali"), &address(AYSE), &what).await.unwrap();
    account
}

async fn balance(bed: &Bed, account: AccountId) -> Balance {
    bed.read(move |tx| Ok(rows::balance(tx, account)?)).await
}

async fn proven(bed: &Bed) {
    let found = credits::audit(&bed.store).await.unwrap();
    assert_eq!(found.faults, [""; 0]);
}

fn charge(total: i64, low: i64) -> Charge {
    Charge { total, elsewhere: 1, here: 1, back: vec![21, 31, 41], low }
}

/// As the desk lays it in.
pub async fn hand_in(store: &Store, new: NewSubmission) -> Result<Paid, StoreError> {
    let blobs = store.blobs.clone();
    let work = move |tx: &mut Tx<'_>| -> Result<Paid, StoreError> {
        let paid = credits::pay(tx, &new, &[])?;
        if paid == Paid::Yes {
            submissions::lay_in(tx, &blobs, &new)?.unwrap();
        }
        Ok(paid)
    };
    store.write(Lane::Client, work).await
}

fn paid_submission(store: &Store, n: u32, account: AccountId, charge: Charge) -> NewSubmission {
    let mut new = submission(store, n, account, format!("mail {n}").as_bytes());
    new.details.charge = Some(charge);
    new
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_writers_of_one_account_never_overdraw_it() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 20).await;
        let writers = (0..8_u32).map(|writer| {
            let store = bed.store.clone();
            tokio::spawn(async move {
                let mut taken = 0;
                for n in 0..5 {
                    let new = paid_submission(&store, writer * 10 + n, account, charge(1, 0));
                    taken += u32::from(hand_in(&store, new).await.unwrap() == Paid::Yes);
                }
                taken
            })
        });
        let mut taken = 0;
        for writer in writers.collect::<Vec<_>>() {
            taken += writer.await.unwrap();
        }
        assert_eq!(taken, 20);
        assert_eq!(bed.count("SELECT COUNT(*) FROM submission").await, 20);
        let expected = Balance { reserved: 20, ..Balance::default() };
        assert_eq!(balance(&bed, account).await, expected);
        proven(&bed).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invariant_02_the_same_mail_is_paid_once_however_many_bring_it() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 5).await;
        let tasks = (0..8_u32).map(|n| {
            let store = bed.store.clone();
            let mut new = submission(&store, n, account, b"mail");
            new.details.charge = Some(charge(2, 0));
            tokio::spawn(async move { hand_in(&store, new).await.unwrap() })
        });
        let mut first = 0;
        for task in tasks.collect::<Vec<_>>() {
            match task.await.unwrap() {
                Paid::Yes => first += 1,
                Paid::Before(_) => {}
                Paid::Short(short) => panic!("{short:?}"),
            }
        }
        assert_eq!(first, 1);
        let now = balance(&bed, account).await;
        assert_eq!((now.available, now.reserved), (3, 2));
        let mut new = paid_submission(&bed.store, 9, account, charge(4, 0));
        let short = hand_in(&bed.store, new.clone()).await.unwrap();
        assert_eq!(short, Paid::Short(Short { needed: 4, left: 3 }));
        assert_eq!(bed.count("SELECT COUNT(*) FROM submission").await, 1, "nothing half-done");
        new.details.charge = None;
        assert_eq!(hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
        proven(&bed).await;
    })
    .await;
}

#[tokio::test]
async fn a_reservation_ends_once_and_a_recipient_is_given_back_once() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 10).await;
        for n in [1, 2] {
            let new = paid_submission(&bed.store, n, account, charge(1, 0));
            assert_eq!(hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
        }
        let moved = bed
            .write(move |tx| {
                let (one, two, cost) = (bed::id(1), bed::id(2), charge(1, 0));
                let to = submissions::recipients(tx, &one)?.remove(0);
                let early = credits::give_back(tx, account, &one, &cost, &to, 41, NOW)?;
                let spent = credits::spend(tx, account, &one, &cost, NOW)?;
                let again = credits::spend(tx, account, &one, &cost, NOW)?;
                let late = credits::release(tx, account, &one, &cost, NOW)?;
                let other = credits::give_back(tx, account, &one, &cost, &to, 20, NOW)?;
                let back = credits::give_back(tx, account, &one, &cost, &to, 31, NOW)?;
                let twice = credits::give_back(tx, account, &one, &cost, &to, 41, NOW)?;
                let released = credits::release(tx, account, &two, &cost, NOW)?;
                let gone = credits::spend(tx, account, &two, &cost, NOW)?;
                Ok([early, spent, again, late, other, back, twice, released, gone])
            })
            .await;
        assert_eq!(moved, [0, 1, 0, 0, 0, 1, 0, 1, 0]);
        let expected = Balance { available: 10, ..Balance::default() };
        assert_eq!(balance(&bed, account).await, expected);
        proven(&bed).await;
        let all = credits::history(&bed.store, &address(AYSE), None, 3).await.unwrap();
        let kinds = |all: &[credits::Entry]| all.iter().map(|one| one.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&all), [Entered::Release, Entered::GiveBack, Entered::Spend]);
        assert_eq!(all[1].recipient, Some(1));
        let before = all.last().map(|one| one.seq);
        let rest = credits::history(&bed.store, &address(AYSE), before, 9).await.unwrap();
        assert_eq!(kinds(&rest), [Entered::Reserve, Entered::Reserve, Entered::TopUp]);
        assert_eq!(rest.iter().map(|one| one.rest).collect::<Vec<_>>(), [8, 9, 10]);
    })
    .await;
}

#[tokio::test]
async fn a_top_up_is_once_by_its_reference_and_stands_in_the_audit() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 10).await;
        opened(&bed.store, "can@hs05.kep.tr").await;
        let top_up = async |to: &str, what: &Addition| {
            credits::top_up(&bed.store, &by("mali"), &address(to), what).await
        };
        let same = addition(Unit::Credit, 10, " dekont 10 ");
        assert!(matches!(top_up(AYSE, &same).await, Ok(Done::Before(_))));
        for other in [addition(Unit::Credit, 11, "dekont 10"), addition(Unit::Sms, 10, "dekont 10")]
        {
            assert!(matches!(top_up(AYSE, &other).await, Err(CreditError::Taken(_))));
        }
        let elsewhere = top_up("can@hs05.kep.tr", &same).await;
        assert!(matches!(elsewhere, Err(CreditError::Taken(_))));
        for amount in [0, -1, i64::MAX, i64::MIN] {
            let what = addition(Unit::Credit, amount, "x");
            assert!(matches!(top_up(AYSE, &what).await, Err(CreditError::Amount)), "{amount}");
        }
        let long = "x".repeat(101);
        for reference in ["", " ", "a\nb", long.as_str()] {
            let what = addition(Unit::Credit, 1, reference);
            assert!(matches!(top_up(AYSE, &what).await, Err(CreditError::Reference)));
        }
        let nobody = top_up("yok@hs05.kep.tr", &addition(Unit::Credit, 1, "y")).await;
        assert!(matches!(nobody, Err(CreditError::Registry(_))));
        let person = Actor::Person { account, name: "Ayşe".into() };
        let own = By { actor: person, ..by("x") };
        let own = credits::top_up(&bed.store, &own, &address(AYSE), &same).await;
        assert!(matches!(own, Err(CreditError::NotStaff)));
        assert_eq!(balance(&bed, account).await.available, 10);
        let acts = "SELECT COUNT(*) FROM audit WHERE act = 'credit.top-up'";
        assert_eq!(bed.count(acts).await, 1);
        proven(&bed).await;
    })
    .await;
}

#[tokio::test]
async fn a_correction_takes_two_people_and_leaves_nothing_below_zero() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 10).await;
        let secret = SecretString::from("uzun bir parola sozu");
        let roles = [StaffRole::Manager, StaffRole::Accountant, StaffRole::Approver];
        for (name, role) in ["mudur", "mali", "onay"].into_iter().zip(roles) {
            staff::add(&bed.store, &by("kurucu"), name, name, &[role], &secret).await.unwrap();
        }
        let correct = async |second: &str, amount: i64, reference: &str| {
            let what = addition(Unit::Credit, amount, reference);
            credits::correct(&bed.store, &by("mali"), second, &address(AYSE), &what).await
        };
        assert!(matches!(correct("MALI ", -3, "a").await, Err(CreditError::SamePerson)));
        assert!(matches!(correct("kimse", -3, "a").await, Err(CreditError::NoApprover(_))));
        assert!(matches!(correct("onay", -11, "a").await, Err(CreditError::Short(10))));
        assert!(matches!(correct("onay", 0, "a").await, Err(CreditError::Amount)));
        assert!(matches!(correct("onay", -3, "a").await, Ok(Done::Now(_))));
        assert!(matches!(correct("onay", -3, "a").await, Ok(Done::Before(_))));
        assert!(matches!(correct("onay", 3, "a").await, Err(CreditError::Taken(_))));
        assert!(matches!(correct("onay", 2, "b").await, Ok(Done::Now(_))));
        assert_eq!(balance(&bed, account).await.available, 9);
        staff::end(&bed.store, &by("kurucu"), "onay").await.unwrap();
        assert!(matches!(correct("onay", 1, "c").await, Err(CreditError::NoApprover(_))));
        let sums = credits::audit(&bed.store).await.unwrap().sums;
        assert!(sums.contains(&(Ledger::Correction, 1)), "{sums:?}");
        assert!(sums.contains(&(Ledger::TopUp, -10)), "{sums:?}");
        proven(&bed).await;
    })
    .await;
}

#[tokio::test]
async fn somebody_is_told_once_at_each_crossing() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 4).await;
        for n in 1..=3 {
            let new = paid_submission(&bed.store, n, account, charge(1, 3));
            assert_eq!(hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
        }
        let lows = bed.read(|tx| Ok(rows::lows(tx, 10)?)).await;
        let [low] = lows.as_slice() else { panic!("{lows:?}") };
        assert_eq!((low.ledger, low.rest, low.threshold), (Ledger::Available, 2, 3));
        assert_eq!(low.account, account);
        let id = low.id;
        let told = bed.write(move |tx| Ok([rows::told_low(tx, id)?, rows::told_low(tx, id)?]));
        assert_eq!(told.await, [true, false]);
        let more = addition(Unit::Credit, 9, "daha");
        credits::top_up(&bed.store, &by("mali"), &address(AYSE), &more).await.unwrap();
        let new = paid_submission(&bed.store, 4, account, charge(8, 3));
        assert_eq!(hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
        let lows = bed.read(|tx| Ok(rows::lows(tx, 10)?)).await;
        assert_eq!(lows.iter().map(|low| low.rest).collect::<Vec<_>>(), [2]);
    })
    .await;
}

#[tokio::test]
async fn a_notice_takes_one_sms_by_its_cause_when_credits_are_asked_for() {
    on_both(|bed| async move {
        let account = opened(&bed.store, AYSE).await;
        let send = async |cause: &'static str| {
            let sent = move |tx: &mut Tx<'_>| Ok(credits::spend_sms(tx, account, cause, NOW)?);
            bed.write(sent).await
        };
        assert!(send("a").await, "nobody asks for credits");
        assert_eq!(bed.count("SELECT COUNT(*) FROM credit_entry").await, 0);
        decide(&bed, "credit.enforced", "yes").await;
        assert!(!send("a").await);
        let two = addition(Unit::Sms, 2, "paket");
        credits::top_up(&bed.store, &by("mali"), &address(AYSE), &two).await.unwrap();
        assert!(send("a").await && send("a").await && send("b").await);
        assert!(!send("c").await);
        let now = balance(&bed, account).await;
        assert_eq!((now.sms, now.sms_spent), (0, 2));
        proven(&bed).await;
    })
    .await;
}

async fn decide(bed: &Bed, key: &str, value: &str) {
    policy::set(&bed.store, &by("kurul"), key, value, NOW, "karar").await.unwrap();
}

#[tokio::test]
async fn a_quote_is_what_is_charged_by_the_terms_of_its_day() {
    on_both(|bed| async move {
        let to =
            [address("ayse@hs05.kep.tr"), address("can@hs07.kep.tr"), address("a@x.hs05.kep.tr")];
        let quote = async |octets, at| {
            let own = kep::wire::KepDomain::parse("hs05.kep.tr").unwrap();
            credits::quote(&bed.store, &own, octets, &to, at).await.unwrap()
        };
        let first = quote(1, NOW).await;
        assert_eq!((first.enforced, first.total), (false, 3));
        decide(&bed, "credit.enforced", "yes").await;
        let (later, key) = (NOW.plus_secs(60), "credit.prices");
        policy::set(&bed.store, &by("kurul"), key, "1 KiB = 2, more = 4", later, "zam")
            .await
            .unwrap();
        policy::set(&bed.store, &by("kurul"), "credit.free-here", "yes", later, "zam")
            .await
            .unwrap();
        assert_eq!(quote(1, NOW).await.total, 3);
        let dearer = [quote(1024, later).await, quote(1025, later).await];
        assert_eq!(
            dearer.map(|one| (one.enforced, one.total, one.here)),
            [(true, 2, 0), (true, 4, 0)]
        );
        let terms = bed.read(move |tx| Ok(policy::at(tx, later)?)).await;
        let of = credits::Recipients { here: 2, elsewhere: 1 };
        assert_eq!(credits::charge(&terms, 1025, of).map(|charge| charge.total), Some(4));
        let alone = credits::Recipients { here: 2, elsewhere: 0 };
        assert_eq!(credits::charge(&terms, 1025, alone), None, "what is free has no entry");
        assert_eq!(credits::charge(&Policies::default(), 1025, of), None);
    })
    .await;
}

#[tokio::test]
async fn what_does_not_add_up_is_found_by_the_audit_and_by_fsck() {
    on_both(|bed| async move {
        let account = topped_up(&bed, 10).await;
        let new = paid_submission(&bed.store, 1, account, charge(1, 0));
        assert_eq!(hand_in(&bed.store, new).await.unwrap(), Paid::Yes);
        let breaks: [(&str, &str, &[Kind], &str); 6] = [
            (
                "UPDATE credit_balance SET available = available + 1",
                "UPDATE credit_balance SET available = available - 1",
                &[Kind::CreditSum],
                "is kept",
            ),
            (
                "UPDATE credit_entry SET amount = 11 WHERE kind = 'top-up'",
                "UPDATE credit_entry SET amount = 10 WHERE kind = 'top-up'",
                &[Kind::CreditSum],
                "by sum",
            ),
            (
                "UPDATE credit_entry SET target = 'spent' WHERE kind = 'reserve'",
                "UPDATE credit_entry SET target = 'reserved' WHERE kind = 'reserve'",
                &[Kind::CreditSum],
                "available to spent",
            ),
            (
                "UPDATE credit_entry SET account = 99",
                "UPDATE credit_entry SET account = (SELECT MIN(account) FROM credit_balance)",
                &[Kind::CreditSum],
                "no balance",
            ),
            (
                "UPDATE submission SET state = 'dispatched'",
                "UPDATE submission SET state = 'held'",
                &[Kind::CreditUnsettled],
                "",
            ),
            (
                "UPDATE credit_entry SET kind = 'release' WHERE kind = 'reserve'",
                "UPDATE credit_entry SET kind = 'reserve' WHERE kind = 'release'",
                &[Kind::CreditUnfounded],
                "available to reserved",
            ),
        ];
        for (harm, mend, kinds, said) in breaks {
            bed.write(move |tx| Ok(tx.execute(harm, &[])?)).await;
            let found = check(&bed.store, Depth::Quick, |_| ()).await.unwrap();
            let all = kinds.iter().all(|kind| found.iter().any(|one| one.kind == *kind));
            assert!(all, "{harm}: {found:?}");
            let audit = credits::audit(&bed.store).await.unwrap();
            let told = said.is_empty() || audit.faults.iter().any(|fault| fault.contains(said));
            assert!(told, "{harm}: {:?}", audit.faults);
            bed.write(move |tx| Ok(tx.execute(mend, &[])?)).await;
        }
        proven(&bed).await;
        let of_credits = [Kind::CreditSum, Kind::CreditUnsettled, Kind::CreditUnfounded];
        let found = check(&bed.store, Depth::Quick, |_| ()).await.unwrap();
        assert!(!found.iter().any(|one| of_credits.contains(&one.kind)), "{found:?}");
    })
    .await;
}

/// The rows themselves refuse what no code of ours does.
#[tokio::test]
async fn no_statement_can_take_a_balance_below_zero() {
    on_both(|bed| async move {
        topped_up(&bed, 1).await;
        let below = |tx: &mut Tx<'_>| -> Result<u64, StoreError> {
            Ok(tx.execute("UPDATE credit_balance SET available = available - 2", &[])?)
        };
        assert!(bed.store.write(Lane::Client, below).await.is_err());
        proven(&bed).await;
    })
    .await;
}
