//! Virtual mailboxes are what their rule makes of the account's other mailboxes, whatever happens to
//! these, whoever breaks off in between; and whoever keeps a copy of one can bring it up to date.

use super::bed::{self, Bed};
use super::contents::content;
use super::{NOW, on_both};
use kep::store::fsck::{self, Depth};
use kep::store::mail::gather::{self, Rule, fresh};
use kep::store::mail::memory::{self, Memory};
use kep::store::mail::view::{self, Mailbox};
use kep::store::mail::{self, Kind, NewMessage, Place, Role, change, tree};
use kep::store::{Lane, StoreError, Tx};
use kep::wire::imap::{Flags, MailboxName, SystemFlags, Uid, UidSet};
use kep::wire::{AccountId, ContentId, MailboxId};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

/// A fixed sequence of numbers that look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

type State = BTreeMap<Uid, (Place, Flags)>;

/// What a mail program remembers of a virtual mailbox.
#[derive(Default)]
struct Mirror {
    state: State,
    mod_seq: u64,
    uid_next: Uid,
    ever: BTreeMap<Uid, Place>,
}

impl Mirror {
    /// Asks for what changed, as QRESYNC does, and says whether that led to what is there.
    fn resynchronise(&mut self, tx: &mut Tx<'_>, of: &Mailbox) -> Result<(), StoreError> {
        let changes = view::changes(tx, of, self.mod_seq)?;
        let now: State = gather::members(tx, of, &UidSet::range(1, Uid::MAX))?
            .into_iter()
            .map(|member| (member.uid, (member.source, member.flags)))
            .collect();
        self.state.retain(|uid, _| !changes.vanished.contains(*uid));
        for uid in changes.arrived.union(&changes.changed).iter() {
            self.state.insert(uid, now[&uid].clone());
        }
        assert_eq!(self.state, now);
        for uid in changes.arrived.iter() {
            assert!(uid >= self.uid_next || self.mod_seq == 0, "UIDs grow");
        }
        for (uid, (place, _)) in &now {
            assert_eq!(self.ever.entry(*uid).or_insert(*place), place, "a UID is of one message");
        }
        assert!(of.mod_seq >= self.mod_seq && of.uid_next >= self.uid_next);
        (self.mod_seq, self.uid_next) = (of.mod_seq, of.uid_next);
        Ok(())
    }
}

/// The messages that belong into a virtual mailbox.
fn defined(tx: &mut Tx<'_>, of: &Mailbox) -> Result<BTreeMap<Place, Flags>, StoreError> {
    let rule = Rule::of(of).unwrap();
    let mut all = BTreeMap::new();
    for source in view::mailboxes(tx, of.account)?.iter().filter(|m| gather::is_source(m)) {
        let rows = view::rows(tx, source, &UidSet::range(1, Uid::MAX))?;
        let belonging = rows.into_iter().filter(|row| rule.holds(&row.flags));
        all.extend(belonging.map(|row| (row.place(source), row.flags)));
    }
    Ok(all)
}

fn look(
    tx: &mut Tx<'_>,
    account: AccountId,
    role: Role,
    mirror: &mut Mirror,
) -> Result<(), StoreError> {
    let id = mail::of_role(tx, account, role)?;
    let mailbox = view::owned(tx, account, id)?.unwrap();
    mirror.resynchronise(tx, &mailbox)?;
    let shown: BTreeMap<_, _> = mirror.state.values().cloned().collect();
    assert_eq!(shown.len(), mirror.state.len(), "each is shown once");
    assert_eq!(shown, defined(tx, &mailbox)?);
    Ok(())
}

fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

/// One thing that a user or a step does.
fn act(
    tx: &mut Tx<'_>,
    account: AccountId,
    content: ContentId,
    dice: &[u64],
) -> Result<(), StoreError> {
    let mailboxes: Vec<_> = view::mailboxes(tx, account)?
        .into_iter()
        .filter(|mailbox| !mailbox.role.is_gathered() && mailbox.role != Role::Opening)
        .collect();
    let pick = |at: usize| mailboxes[dice[at] as usize % mailboxes.len()].clone();
    let (from, to) = (pick(1), pick(2));
    let uids = UidSet::range(1 + dice[3] as Uid % 20, 1 + dice[3] as Uid % 20 + dice[4] as Uid % 4);
    let flag =
        [SystemFlags::FLAGGED, SystemFlags::SEEN, SystemFlags::DELETED][dice[5] as usize % 3];
    match dice[0] % 12 {
        0..=3 => {
            let new =
                NewMessage { saved_at: NOW.plus_secs(dice[6] as i64 % 99), ..message(dice[5]) };
            mail::lay_in(tx, from.id, content, &new)?;
        }
        4..=6 => {
            let toggled = |old: &Flags| Flags {
                system: if old.system.has(flag) {
                    old.system.without(flag)
                } else {
                    old.system | flag
                },
                ..old.clone()
            };
            change::set_flags(tx, &from, &uids, None, &toggled)?;
        }
        7 | 8 => _ = change::move_all(tx, &from, &uids, &to, NOW)?,
        9 => _ = change::copy(tx, &from, &uids, &to, NOW)?,
        10 => _ = change::remove_all(tx, &from, &uids)?,
        _ => folders(tx, account, dice[6]),
    }
    Ok(())
}

/// Those that can't be done are refused, which is right, too.
fn folders(tx: &mut Tx<'_>, account: AccountId, dice: u64) {
    _ = match dice % 4 {
        0 => tree::make(tx, account, &name("x"), NOW),
        1 => tree::rename(tx, account, &name("x"), &name("Çöp Kutusu/x"), NOW),
        2 => tree::rename(tx, account, &name("Çöp Kutusu/x"), &name("x"), NOW),
        _ => tree::delete(tx, account, &name("x"), 1000, NOW).map(drop),
    };
}

fn message(dice: u64) -> NewMessage {
    let flags = if dice.is_multiple_of(3) { SystemFlags::FLAGGED.bits() } else { 0 };
    NewMessage { flags, ..NewMessage::of(b"Subject: x\r\n\r\n", Kind::Plain, NOW) }
}

/// Goes on with a gathering so many times; then whoever did it is gone.
async fn broken_off(bed: &Bed, account: AccountId, id: MailboxId, turns: u64) {
    let mut left = turns;
    let mut gathering = pin!(fresh::freshen(&bed.store, account, id));
    poll_fn(|context| {
        left = left.saturating_sub(1);
        match left {
            0 => Poll::Ready(()),
            _ => gathering.as_mut().poll(context).map(|done| done.unwrap()),
        }
    })
    .await;
}

/// Says how many messages were ever shown.
async fn a_life(bed: &Bed, account: AccountId, seed: u64, steps: u64) -> usize {
    let mut dice = Dice(seed);
    let kept = content(&bed.store, &[b"Subject: x\r\n\r\n"]).await;
    let hold = message(1);
    // Something keeps the content whatever is removed.
    let hidden = bed.read(move |tx| Ok(mail::of_role(tx, account, Role::Hidden)?)).await;
    bed.write(move |tx| Ok(mail::lay_in(tx, hidden, kept, &hold)?)).await;
    let mut mirrors = [(Role::All, Mirror::default()), (Role::Flagged, Mirror::default())];
    for _ in 0..steps {
        let thrown: Vec<u64> = (0..7).map(|_| dice.below(1 << 20)).collect();
        bed.write(move |tx| act(tx, account, kept, &thrown)).await;
        if dice.below(5) == 0 {
            let memory = Memory { uids: dice.below(4), ..Memory::default() };
            memory::sweep(&bed.store, memory, NOW).await.unwrap();
        }
        let (role, mirror) = &mut mirrors[dice.below(2) as usize];
        let role = *role;
        let id = bed.read(move |tx| Ok(mail::of_role(tx, account, role)?)).await;
        match dice.below(4) {
            0 => broken_off(bed, account, id, dice.below(6)).await,
            1 => {
                let two = [1, 2].map(|_| fresh::freshen(&bed.store, account, id));
                let [one, other] = two;
                let (one, other) = tokio::join!(one, other);
                one.and(other).unwrap();
                let taken = std::mem::take(mirror);
                let cell = std::sync::Mutex::new(taken);
                let looked = bed
                    .store
                    .read::<_, StoreError, _>(move |tx| {
                        let mut mirror = cell.lock().unwrap();
                        look(tx, account, role, &mut mirror)?;
                        Ok(std::mem::take(&mut *mirror))
                    })
                    .await;
                *mirror = looked.unwrap();
            }
            _ => {}
        }
    }
    mirrors.iter().map(|(_, mirror)| mirror.ever.len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn virtual_mailboxes_are_what_their_rule_makes_of_the_others() {
    on_both(|bed| async move {
        let steps = if bed.store.shared() { 120 } else { 400 };
        for (seed, address) in
            [(1, "ayse@hs05.kep.tr"), (2, "ali@hs05.kep.tr"), (3, "can@hs05.kep.tr")]
        {
            let account = bed.account(address).await;
            assert!(a_life(&bed, account, seed, steps).await > steps as usize / 4);
            let found = fsck::check(&bed.store, Depth::Quick, |_| ()).await.unwrap();
            assert_eq!(found, []);
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_content_s_last_message_leaves_is_shown_no_more() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let content = content(&bed.store, &[b"mail"]).await;
        let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
        let message = bed::message(&put, Kind::Plain, None);
        let place = bed
            .write(move |tx| {
                let inbox = mail::of_role(tx, account, Role::Inbox)?;
                let uid = mail::lay_in(tx, inbox, content, &message)?;
                Ok(Place { mailbox: inbox, uid })
            })
            .await;
        let all = bed.read(move |tx| Ok(mail::of_role(tx, account, Role::All)?)).await;
        fresh::freshen(&bed.store, account, all).await.unwrap();
        assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 2);
        bed.write(move |tx| Ok(mail::remove(tx, place)?)).await;
        // Nobody has looked since.
        assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 0);
        assert_eq!(bed.count("SELECT COUNT(*) FROM content").await, 0);
        assert_eq!(bed.count("SELECT COUNT(*) FROM vanished").await, 2);
        fresh::freshen(&bed.store, account, all).await.unwrap();
        assert_eq!(bed.count("SELECT COUNT(*) FROM vanished").await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_virtual_mailbox_that_is_wrong_is_found() {
    let breaks: [(&'static str, fsck::Kind); 5] = [
        ("UPDATE message SET flags = 1 WHERE source IS NOT NULL", fsck::Kind::Gathered),
        ("DELETE FROM message WHERE source IS NOT NULL", fsck::Kind::Gathered),
        ("DELETE FROM message WHERE source IS NULL", fsck::Kind::Gathered),
        ("UPDATE gathered SET mod_seq = 99", fsck::Kind::Gathered),
        ("UPDATE message SET source = NULL, source_uid = NULL", fsck::Kind::Stray),
    ];
    for (wrong, kind) in breaks {
        let bed = Bed::sqlite().await;
        let account = bed.account("ayse@hs05.kep.tr").await;
        let content = content(&bed.store, &[b"mail"]).await;
        let put = bed.store.blobs.put(b"x".to_vec()).unwrap();
        let message = bed::message(&put, Kind::Plain, None);
        let all = bed
            .write(move |tx| {
                let inbox = mail::of_role(tx, account, Role::Inbox)?;
                mail::lay_in(tx, inbox, content, &message)?;
                Ok(mail::of_role(tx, account, Role::All)?)
            })
            .await;
        fresh::freshen(&bed.store, account, all).await.unwrap();
        bed.store
            .write::<_, StoreError, _>(Lane::Client, move |tx| Ok(tx.execute(wrong, &[])?))
            .await
            .unwrap();
        let found = fsck::check(&bed.store, Depth::Quick, |_| ()).await.unwrap();
        assert!(found.iter().any(|finding| finding.kind == kind), "{wrong}: {found:?}");
    }
}
