//! Random acts of several tasks at the same time, on the same accounts and the same messages: whatever comes
//! before what, nothing is made and nothing is lost.

use super::{addition, address, by, charge, opened, proven, staffed};
use crate::storage::bed::{Bed, RECIPIENT};
use crate::storage::{NOW, on_both};
use kep::registry::credits::{self, Balance, Charge, Done, Unit};
use kep::registry::policy;
use kep::store::submissions::{Recipient, RecipientState};
use kep::store::{Lane, StoreError, Tx};
use kep::wire::{AccountId, MessageId};
use std::sync::{Arc, Mutex};

const ACCOUNTS: [&str; 2] = ["ali@hs05.kep.tr", "veli@hs05.kep.tr"];
const TASKS: u64 = 6;
const ACTS: u64 = 50;

/// What the tasks share.
struct Together {
    bed: Bed,
    accounts: [AccountId; 2],
    /// What was reserved for.
    messages: Mutex<Vec<(usize, MessageId, Charge)>>,
    /// What came from outside, by account: credits and SMS.
    came: Mutex<[[i64; 2]; 2]>,
}

/// The same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        // Knuth, MMIX.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

impl Together {
    async fn write(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<i64, StoreError> + Send + 'static,
    ) -> i64 {
        self.bed.store.write(Lane::Client, work).await.unwrap()
    }

    async fn act(&self, task: u64, step: u64, dice: &mut Dice) {
        let at = dice.below(2) as usize;
        let account = self.accounts[at];
        match dice.below(8) {
            0 | 1 => self.put(at, dice).await,
            2 | 3 => {
                let id = MessageId::parse(&format!("{task}.{step}@hs05.kep.tr")).unwrap();
                let cost = charge(2, 3);
                let (named, price) = (id.clone(), cost.clone());
                let work = move |tx: &mut Tx<'_>| {
                    Ok(i64::from(credits::reserve(tx, account, &named, &price, NOW)?))
                };
                if self.write(work).await == 1 {
                    self.messages.lock().unwrap().push((at, id, cost));
                }
            }
            4 | 5 => self.follow(dice).await,
            6 => {
                let cause = format!("bildirim {}", dice.below(40));
                self.write(move |tx| Ok(i64::from(credits::spend_sms(tx, account, &cause, NOW)?)))
                    .await;
            }
            _ => {
                let cause = format!("bildirim {}", dice.below(40));
                self.write(move |tx| Ok(credits::give_back_sms(tx, account, &cause, NOW)?)).await;
            }
        }
    }

    /// From outside: bought, or set right.
    async fn put(&self, at: usize, dice: &mut Dice) {
        let sms = dice.below(2) as usize;
        let unit = [Unit::Credit, Unit::Sms][sms];
        let (number, to, store) = (dice.below(30), address(ACCOUNTS[at]), &self.bed.store);
        let amount = 1 + number as i64 % 4;
        let done = if dice.below(3) == 0 {
            // One that takes more than is there is refused.
            let amount = if number % 2 == 0 { -amount } else { amount };
            let what = addition(unit, amount, &format!("düzeltme {at} {sms} {number}"));
            (credits::correct(store, &by("mali"), "onay", &to, &what).await, amount)
        } else {
            let what = addition(unit, amount, &format!("dekont {at} {sms} {number}"));
            (credits::top_up(store, &by("mali"), &to, &what).await, amount)
        };
        if let (Ok(Done::Now(_)), amount) = done {
            self.came.lock().unwrap()[at][sms] += amount;
        }
    }

    /// What becomes of a message, which another task may decide otherwise just now.
    async fn follow(&self, dice: &mut Dice) {
        let (which, what) = (dice.below(1 << 20) as usize, dice.below(4));
        let found = {
            let messages = self.messages.lock().unwrap();
            which.checked_rem(messages.len()).map(|n| messages[n].clone())
        };
        let Some((at, id, charge)) = found else { return };
        let account = self.accounts[at];
        let failed = Recipient {
            n: 1 + which % 2,
            address: RECIPIENT.to_owned(),
            account: None,
            state: RecipientState::Failed,
            relayed_at: None,
            delivered_at: None,
            due_at: None,
            opened_at: None,
        };
        let work = move |tx: &mut Tx<'_>| match what {
            0 => Ok(credits::release(tx, account, &id, &charge, NOW)?),
            1 | 2 => Ok(credits::spend(tx, account, &id, &charge, NOW)?),
            _ => Ok(credits::give_back(tx, account, &id, &charge, &failed, 21, NOW)?),
        };
        self.write(work).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_balance_is_the_sum_of_the_entries_whoever_acts_at_the_same_time() {
    on_both(|bed| async move {
        let kurul = by("kurul");
        policy::set(&bed.store, &kurul, "credit.enforced", "yes", NOW, "karar").await.unwrap();
        staffed(&bed).await;
        let accounts =
            [opened(&bed.store, ACCOUNTS[0]).await, opened(&bed.store, ACCOUNTS[1]).await];
        let (messages, came) = (Mutex::default(), Mutex::default());
        let together = Arc::new(Together { bed, accounts, messages, came });
        let tasks = (0..TASKS).map(|task| {
            let together = Arc::clone(&together);
            tokio::spawn(async move {
                let mut dice = Dice(task + 1);
                for step in 0..ACTS {
                    together.act(task, step, &mut dice).await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
        let store = &together.bed.store;
        let came = *together.came.lock().unwrap();
        for (name, came) in ACCOUNTS.into_iter().zip(came) {
            let statement = credits::statement(store, &address(name), 10_000).await.unwrap();
            let mut summed = Balance::default();
            for entry in &statement.entries {
                summed.put(entry.from, -entry.amount);
                summed.put(entry.to, entry.amount);
            }
            let kept = statement.balance;
            assert_eq!(summed, kept, "{name}");
            let Balance { available, reserved, spent, sms, sms_spent } = kept;
            assert_eq!([available + reserved + spent, sms + sms_spent], came, "{name}");
            assert!([available, reserved, spent, sms, sms_spent].iter().all(|sum| *sum >= 0));
            assert!(reserved + spent > 0 && sms_spent > 0, "{name}: too little happened");
        }
        proven(&together.bed).await;
    })
    .await;
}
