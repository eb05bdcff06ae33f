//! What vanished is forgotten in time, and whoever was away ends with what is there all the same.

use super::bed::Bed;
use super::contents::content;
use super::{NOW, on_both};
use kep::store::mail::memory::{self, Memory};
use kep::store::mail::view;
use kep::store::mail::{self, Kind, Role, change};
use kep::store::{StoreError, Tx};
use kep::wire::imap::{Uid, UidSet};
use kep::wire::{AccountId, ContentId, MailboxId, Timestamp};

const DAY: i64 = 24 * 3600 * 1000;
const FEW: Memory = Memory { uids: 3, millis: i64::MAX / 4 };
const SHORT: Memory = Memory { uids: 1_000, millis: 10 * DAY };

#[derive(Clone, Copy)]
struct Box {
    account: AccountId,
    id: MailboxId,
    content: ContentId,
}

async fn inbox(bed: &Bed) -> Box {
    let account = bed.account("ayse@hs05.kep.tr").await;
    let content = content(&bed.store, &[b"mail"]).await;
    let id = bed
        .write(move |tx| {
            // Something keeps the content whatever is removed.
            let hidden = mail::of_role(tx, account, Role::Hidden)?;
            mail::lay_in(tx, hidden, content, &plain())?;
            Ok(mail::of_role(tx, account, Role::Inbox)?)
        })
        .await;
    Box { account, id, content }
}

fn plain() -> mail::NewMessage {
    mail::NewMessage::of(b"Subject: x\r\n\r\n", Kind::Plain, NOW)
}

impl Box {
    async fn arrive(&self, bed: &Bed, count: u64) {
        let (id, content) = (self.id, self.content);
        bed.write(move |tx| {
            (0..count).try_for_each(|_| mail::lay_in(tx, id, content, &plain()).map(drop))?;
            Ok(())
        })
        .await;
    }

    async fn remove(&self, bed: &Bed, first: Uid, last: Uid) {
        let (account, id) = (self.account, self.id);
        bed.write(move |tx| {
            let mailbox = view::owned(tx, account, id)?.unwrap();
            Ok(change::remove_all(tx, &mailbox, &UidSet::range(first, last))?)
        })
        .await;
    }
}

async fn sweep(bed: &Bed, memory: Memory, now: Timestamp) -> u64 {
    memory::sweep(&bed.store, memory, now).await.unwrap()
}

async fn vanished(bed: &Bed, of: &Box, since: u64) -> String {
    let (account, id) = (of.account, of.id);
    bed.read(move |tx| {
        let mailbox = view::owned(tx, account, id)?.unwrap();
        Ok(view::changes(tx, &mailbox, since)?.vanished.to_string())
    })
    .await
}

const KEPT: &str = "SELECT COUNT(*) FROM vanished";

#[tokio::test]
async fn what_vanished_before_many_others_is_forgotten() {
    on_both(|bed| async move {
        let of = inbox(&bed).await;
        of.arrive(&bed, 10).await;
        let before = bed.read(move |tx| Ok(mail_mod_seq(tx, of.id)?)).await;
        for uid in 1..=5 {
            of.remove(&bed, uid, uid).await;
        }
        assert_eq!(sweep(&bed, Memory::default(), NOW).await, 0);
        assert_eq!(sweep(&bed, Memory { uids: 5, ..FEW }, NOW).await, 0);
        assert_eq!(vanished(&bed, &of, before).await, "1:5");
        assert_eq!(sweep(&bed, FEW, NOW).await, 2);
        assert_eq!(bed.count(KEPT).await, 3);
        // Who missed what is forgotten is told of all that is not in use; others of what they missed.
        of.arrive(&bed, 1).await;
        assert_eq!(vanished(&bed, &of, before).await, "1:5");
        assert_eq!(vanished(&bed, &of, before + 1).await, "1:5");
        assert_eq!(vanished(&bed, &of, before + 2).await, "3:5");
        assert_eq!(vanished(&bed, &of, before + 4).await, "5");
        assert_eq!(vanished(&bed, &of, u64::MAX).await, "");
        // What went together is forgotten together.
        of.remove(&bed, 7, 11).await;
        assert_eq!(sweep(&bed, FEW, NOW).await, 8);
        assert_eq!(vanished(&bed, &of, before + 5).await, "1:5,7:11");
        assert_eq!(sweep(&bed, FEW, NOW).await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_vanished_long_ago_is_forgotten() {
    on_both(|bed| async move {
        let of = inbox(&bed).await;
        of.arrive(&bed, 9).await;
        let before = bed.read(move |tx| Ok(mail_mod_seq(tx, of.id)?)).await;
        of.remove(&bed, 1, 2).await;
        let day = |n: i64| NOW.plus_millis(n * DAY);
        assert_eq!(sweep(&bed, SHORT, day(0)).await, 0);
        of.remove(&bed, 5, 5).await;
        assert_eq!(sweep(&bed, SHORT, day(9)).await, 0);
        // A clock that was wrong for a while forgets nothing too early.
        assert_eq!(sweep(&bed, SHORT, day(-400)).await, 0);
        assert_eq!(sweep(&bed, SHORT, day(-391)).await, 0);
        assert_eq!(vanished(&bed, &of, before).await, "1:2,5");
        assert_eq!(sweep(&bed, SHORT, day(0)).await, 3);
        assert_eq!(vanished(&bed, &of, before).await, "1:2,5");
        of.remove(&bed, 7, 7).await;
        assert_eq!(sweep(&bed, SHORT, day(9)).await, 0);
        assert_eq!(sweep(&bed, SHORT, day(10)).await, 0, "looked at the first time on day 9");
        assert_eq!(vanished(&bed, &of, before + 2).await, "7");
    })
    .await;
}

#[tokio::test]
async fn who_breaks_off_a_sweep_leaves_what_is_right() {
    let bed = Bed::sqlite().await;
    let of = inbox(&bed).await;
    of.arrive(&bed, 1200).await;
    let before = bed.read(move |tx| Ok(mail_mod_seq(tx, of.id)?)).await;
    for uid in 1..=1100 {
        of.remove(&bed, uid, uid).await;
    }
    let trigger = "CREATE TRIGGER stuck BEFORE DELETE ON vanished WHEN OLD.uid = 600
                   BEGIN SELECT RAISE(ABORT, 'no'); END";
    bed.write(move |tx| Ok(tx.execute(trigger, &[])?)).await;
    assert!(memory::sweep(&bed.store, FEW, NOW).await.is_err());
    assert_eq!(bed.count(KEPT).await, 1100 - 512, "a unit went, the next one did not");
    assert_eq!(vanished(&bed, &of, before).await, "1:1100");
    assert_eq!(vanished(&bed, &of, before + 700).await, "1:1100");
    assert_eq!(vanished(&bed, &of, before + 1099).await, "1100");
    bed.write(|tx| Ok(tx.execute("DROP TRIGGER stuck", &[])?)).await;
    assert_eq!(sweep(&bed, FEW, NOW).await, 1100 - 512 - 3);
    assert_eq!(bed.count(KEPT).await, 3);
}

fn mail_mod_seq(tx: &mut Tx<'_>, id: MailboxId) -> Result<u64, kep::store::RowsError> {
    let sql = "SELECT mod_seq FROM mailbox WHERE id = $1";
    Ok(tx.one("mailbox", sql, &[id.0.into()])?.int(0)? as u64)
}

/// A fixed sequence of numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// What a mail program holds that comes now and then.
#[derive(Clone, Default)]
struct Program {
    uids: UidSet,
    mod_seq: u64,
}

impl Program {
    /// As it is after it has asked for what it missed.
    fn comes(&self, tx: &mut Tx<'_>, of: Box) -> Result<Self, StoreError> {
        let mailbox = view::owned(tx, of.account, of.id)?.unwrap();
        let changes = view::changes(tx, &mailbox, self.mod_seq)?;
        let uids = self.uids.difference(&changes.vanished).union(&changes.arrived);
        assert_eq!(uids, view::glance(tx, &mailbox, None)?.uids);
        Ok(Self { uids, mod_seq: mailbox.mod_seq })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_was_away_ends_with_what_is_there() {
    on_both(|bed| async move {
        let of = inbox(&bed).await;
        let mut dice = Dice(bed.store.shared().into());
        let mut programs = vec![Program::default(); 4];
        let mut now = NOW;
        for _ in 0..if bed.store.shared() { 200 } else { 600 } {
            match dice.below(8) {
                0..=2 => of.arrive(&bed, 1 + dice.below(4)).await,
                3 | 4 => {
                    let first = 1 + dice.below(60) as Uid;
                    of.remove(&bed, first, first + dice.below(5) as Uid).await;
                }
                5 => {
                    now = now.plus_millis(dice.below(8) as i64 * DAY);
                    let memory = Memory { uids: dice.below(9), ..SHORT };
                    sweep(&bed, memory, now).await;
                }
                _ => {
                    // The last ones come seldom.
                    let which = (dice.below(4) * dice.below(4) / 3) as usize;
                    let program = programs[which].clone();
                    programs[which] = bed.read(move |tx| program.comes(tx, of)).await;
                }
            }
        }
        assert!(bed.count("SELECT forgotten FROM mailbox WHERE role = 'inbox'").await > 0);
    })
    .await;
}
