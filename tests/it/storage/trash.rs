//! The trash gives back what is asked for and lets go of what is old; evidence is not a message.

use super::bed::{self, Bed, submission};
use super::contents::content;
use super::evidence::{append, new};
use super::{NOW, on_both};
use kep::spool::opening;
use kep::store::mail::origin::{Origin, origin};
use kep::store::mail::view::{self, Mailbox};
use kep::store::mail::{self, Kind, NewMessage, Role, change, trash, tree};
use kep::store::submissions::{self, RecipientState};
use kep::store::{StoreError, Tx, evidence};
use kep::wire::imap::{MailboxName, SystemFlags, Uid, UidSet};
use kep::wire::{AccountId, Timestamp};

fn of(tx: &mut Tx<'_>, account: AccountId, name: &str) -> Result<Mailbox, StoreError> {
    Ok(view::named(tx, account, name)?.unwrap())
}

fn all() -> UidSet {
    UidSet::range(1, Uid::MAX)
}

async fn lay_in(
    bed: &Bed,
    account: AccountId,
    name: &'static str,
    octets: &'static str,
    kind: Kind,
    at: Timestamp,
) -> Uid {
    let content = content(&bed.store, &[octets.as_bytes()]).await;
    let ours = matches!(kind, Kind::Evidence | Kind::Stub | Kind::Sealed);
    let message_id = ours.then(|| bed::id(1));
    let new = NewMessage { message_id, ..NewMessage::of(octets.as_bytes(), kind, at) };
    bed.write(move |tx| {
        let mailbox = of(tx, account, name)?;
        Ok(mail::lay_in(tx, mailbox.id, content, &new)?)
    })
    .await
}

async fn throw_away(bed: &Bed, account: AccountId, name: &'static str, at: Timestamp) {
    bed.write(move |tx| {
        let mailbox = of(tx, account, name)?;
        Ok(trash::discard(tx, &mailbox, &all(), at)?)
    })
    .await;
}

async fn count(bed: &Bed, account: AccountId, name: &'static str) -> usize {
    bed.read(move |tx| {
        let mailbox = of(tx, account, name)?;
        Ok(view::rows(tx, &mailbox, &all())?.len())
    })
    .await
}

async fn restore(bed: &Bed, account: AccountId) -> usize {
    let restored = bed.write(move |tx| {
        let bin = of(tx, account, "Çöp Kutusu")?;
        Ok(trash::restore(tx, &bin, &all(), NOW)?)
    });
    restored.await.iter().map(|restored| restored.placed.to.len()).sum()
}

#[tokio::test]
async fn what_is_thrown_away_comes_back_to_where_it_was() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let folder = MailboxName::parse("Arşiv/Proje").unwrap();
        bed.write(move |tx| {
            tree::make(tx, account, &folder, NOW).unwrap();
            Ok(())
        })
        .await;
        let places = ["INBOX", "Giden Kutusu", "Arşiv/Proje", "Deliller", "Taslaklar"];
        for name in places {
            let kind = if name == "Deliller" { Kind::Evidence } else { Kind::Plain };
            lay_in(&bed, account, name, "Subject: x\r\n\r\n", kind, NOW).await;
            throw_away(&bed, account, name, NOW).await;
            assert_eq!(count(&bed, account, name).await, 0);
        }
        assert_eq!(restore(&bed, account).await, 5);
        for name in places {
            assert_eq!(count(&bed, account, name).await, 1, "{name}");
        }
        assert_eq!(count(&bed, account, "Çöp Kutusu").await, 0);
    })
    .await;
}

#[tokio::test]
async fn where_it_was_gone_its_origin_says_where_it_comes() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        let (folder, gone) = (MailboxName::parse("x").unwrap(), MailboxName::parse("x").unwrap());
        bed.write(move |tx| {
            tree::make(tx, account, &folder, NOW).unwrap();
            Ok(())
        })
        .await;
        let mine = "From: \"Ayşe\" <Ayse@hs05.kep.tr>\r\nSubject: mine\r\n\r\n";
        lay_in(&bed, account, "x", mine, Kind::Plain, NOW).await;
        lay_in(&bed, account, "x", "From: ali@hs05.kep.tr\r\n\r\n", Kind::Plain, NOW).await;
        lay_in(&bed, account, "x", "Subject: dispatch\r\n\r\n", Kind::Dispatch, NOW).await;
        lay_in(&bed, account, "x", "Subject: evidence\r\n\r\n", Kind::Evidence, NOW).await;
        let draft = lay_in(&bed, account, "x", mine, Kind::Plain, NOW).await;
        bed.write(move |tx| {
            let mailbox = of(tx, account, "x")?;
            let change = |flags: &_| {
                let mut flags = kep::wire::imap::Flags::clone(flags);
                flags.system = SystemFlags::DRAFT;
                flags
            };
            Ok(change::set_flags(tx, &mailbox, &UidSet::one(draft), None, &change)?)
        })
        .await;
        throw_away(&bed, account, "x", NOW).await;
        bed.write(move |tx| {
            assert!(tree::delete(tx, account, &gone, 1000, NOW).unwrap());
            Ok(())
        })
        .await;
        assert_eq!(restore(&bed, account).await, 5);
        for (name, messages) in
            [("Giden Kutusu", 1), ("INBOX", 2), ("Deliller", 1), ("Taslaklar", 1)]
        {
            assert_eq!(count(&bed, account, name).await, messages, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_moved_out_by_a_client_forgets_where_it_was() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        lay_in(&bed, account, "Giden Kutusu", "Subject: x\r\n\r\n", Kind::Plain, NOW).await;
        throw_away(&bed, account, "Giden Kutusu", NOW).await;
        bed.write(move |tx| {
            let (bin, inbox) = (of(tx, account, "Çöp Kutusu")?, of(tx, account, "INBOX")?);
            Ok(change::move_all(tx, &bin, &all(), &inbox, NOW)?)
        })
        .await;
        assert_eq!(bed.count("SELECT COUNT(*) FROM message WHERE came_from IS NOT NULL").await, 0);
        let nothing = bed.write(move |tx| {
            let inbox = of(tx, account, "INBOX")?;
            Ok(trash::restore(tx, &inbox, &all(), NOW)?)
        });
        assert_eq!(nothing.await, [], "only what is in the trash is restored");
    })
    .await;
}

#[tokio::test]
async fn what_is_moved_within_the_trash_remembers_where_it_was() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.write(move |tx| {
            let folder = MailboxName::parse("Çöp Kutusu/x").unwrap();
            tree::make(tx, account, &folder, NOW).unwrap();
            Ok(())
        })
        .await;
        lay_in(&bed, account, "Arşiv/Gelen", "Subject: x\r\n\r\n", Kind::Plain, NOW).await;
        throw_away(&bed, account, "Arşiv/Gelen", NOW).await;
        bed.write(move |tx| {
            let (bin, folder) = (of(tx, account, "Çöp Kutusu")?, of(tx, account, "Çöp Kutusu/x")?);
            change::move_all(tx, &bin, &all(), &folder, NOW)?;
            Ok(change::move_all(tx, &folder, &all(), &bin, NOW)?)
        })
        .await;
        assert_eq!(restore(&bed, account).await, 1);
        assert_eq!(count(&bed, account, "Arşiv/Gelen").await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM message WHERE came_from IS NOT NULL").await, 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_old_goes_for_good_and_what_is_young_stays() {
    on_both(|bed| async move {
        let day = |days: i64| NOW.plus_secs(days * 24 * 3600);
        let (ayse, ali) =
            (bed.account("ayse@hs05.kep.tr").await, bed.account("ali@hs05.kep.tr").await);
        let content = content(&bed.store, &[b"Subject: x\r\n\r\n"]).await;
        let new = NewMessage::of(b"Subject: x\r\n\r\n", Kind::Plain, day(-90));
        bed.write(move |tx| {
            let inbox = mail::of_role(tx, ayse, Role::Inbox)?;
            for _ in 0..600 {
                mail::lay_in(tx, inbox, content, &new)?;
            }
            Ok(())
        })
        .await;
        throw_away(&bed, ayse, "INBOX", day(0)).await;
        lay_in(&bed, ali, "INBOX", "Subject: y\r\n\r\n", Kind::Plain, day(-90)).await;
        throw_away(&bed, ali, "INBOX", day(20)).await;
        assert_eq!(trash::empty(&bed.store, day(0)).await.unwrap(), 0, "not when it was written");
        assert_eq!(trash::empty(&bed.store, day(1)).await.unwrap(), 600);
        assert_eq!(trash::empty(&bed.store, day(1)).await.unwrap(), 0);
        let vanished = "SELECT COUNT(*) FROM vanished v JOIN mailbox b ON b.id = v.mailbox
                        WHERE b.role = 'trash'";
        assert_eq!(bed.count(vanished).await, 600);
        assert_eq!(count(&bed, ali, "Çöp Kutusu").await, 1);
        assert_eq!(bed.count("SELECT COUNT(*) FROM content").await, 1);
    })
    .await;
}

#[tokio::test]
async fn what_is_archived_counts_by_its_origin_wherever_it_is_filed() {
    on_both(|bed| async move {
        let ayse = bed.account("ayse@hs05.kep.tr").await;
        let ali = bed.account("ali@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, ayse, b"mail")).await.unwrap();
        let content = content(&bed.store, &[b"Subject: x\r\n\r\n"]).await;
        let new = |kind| NewMessage {
            message_id: Some(bed::id(1)),
            ..NewMessage::of(b"Subject: x\r\n\r\n", kind, NOW)
        };
        // Each keeps what he has of it where the other one's would be kept.
        let filed = [
            (ayse, "Arşiv/Gelen", new(Kind::Plain), Origin::Outgoing),
            (ayse, "Arşiv", new(Kind::Evidence), Origin::Outgoing),
            (ayse, "Arşiv", new(Kind::Dispatch), Origin::Incoming),
            (ali, "Arşiv/Giden", new(Kind::Evidence), Origin::Incoming),
            (ali, "Arşiv/Giden", new(Kind::Stub), Origin::Incoming),
            (ali, "Arşiv", new(Kind::Sealed), Origin::Incoming),
        ];
        for (account, name, message, expected) in filed {
            let found = bed.write(move |tx| {
                let mailbox = of(tx, account, name)?;
                let uid = mail::lay_in(tx, mailbox.id, content, &message)?;
                let row = view::row(tx, &mailbox, uid)?.unwrap();
                Ok(origin(tx, account, &row)?)
            });
            assert_eq!(found.await, expected, "{name}");
        }
    })
    .await;
}

#[tokio::test]
async fn invariant_05_who_hides_an_evidence_mail_removes_no_evidence() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
        append(&bed.store, new(&bed.store, 1, "submission-acceptance", "")).await;
        for _ in 0..3 {
            lay_in(&bed, account, "Deliller", "Subject: delil\r\n\r\n", Kind::Evidence, NOW).await;
        }
        // Filed, thrown away, and removed for good where it was.
        bed.write(move |tx| {
            let (evidence, archive) =
                (of(tx, account, "Deliller")?, of(tx, account, "Arşiv/Gelen")?);
            change::move_all(tx, &evidence, &UidSet::one(1), &archive, NOW)?;
            trash::discard(tx, &archive, &all(), NOW)?;
            trash::discard(tx, &evidence, &UidSet::one(2), NOW)?;
            Ok(change::remove_all(tx, &evidence, &UidSet::one(3))?)
        })
        .await;
        assert_eq!(trash::empty(&bed.store, NOW.plus_secs(1)).await.unwrap(), 2);
        assert_eq!(bed.count("SELECT COUNT(*) FROM message").await, 0);
        let kept = bed.read(|tx| Ok(evidence::of_message(tx, &bed::id(1))?)).await;
        assert_eq!(kept.len(), 1);
        let xml = bed.count("SELECT COUNT(*) FROM evidence e JOIN blob b ON b.id = e.xml").await;
        assert_eq!(xml, 1, "its XML has its key still");
    })
    .await;
}

#[tokio::test]
async fn invariant_03_an_unopened_dispatch_in_the_trash_outlives_its_time_to_read() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
        let (id, state) = (bed::id(1), RecipientState::Delivered);
        bed.write(move |tx| Ok(submissions::outcome(tx, &id, 1, state, NOW)?)).await;
        lay_in(&bed, account, "INBOX", "Subject: dispatch\r\n\r\n", Kind::Sealed, NOW).await;
        lay_in(&bed, account, "INBOX", "Subject: mail\r\n\r\n", Kind::Plain, NOW).await;
        throw_away(&bed, account, "INBOX", NOW).await;
        let later = NOW.plus_secs(1);
        assert_eq!(trash::empty(&bed.store, later).await.unwrap(), 1, "the other mail");
        assert_eq!(trash::empty(&bed.store, later).await.unwrap(), 0);
        assert_eq!(count(&bed, account, "Çöp Kutusu").await, 1);
        let (id, end) = (bed::id(1), NOW.plus_secs(24 * 3600));
        assert!(bed.write(move |tx| Ok(opening::expire(tx, &id, 1, end, end)?)).await);
        assert_eq!(trash::empty(&bed.store, later).await.unwrap(), 1, "its time has ended");
        assert_eq!(count(&bed, account, "Çöp Kutusu").await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_notice_that_goes_for_good_leaves_the_way_to_its_message() {
    on_both(|bed| async move {
        let account = bed.account("ayse@hs05.kep.tr").await;
        bed.lay_in(submission(&bed.store, 1, account, b"mail")).await.unwrap();
        let (id, state) = (bed::id(1), RecipientState::Delivered);
        bed.write(move |tx| Ok(submissions::outcome(tx, &id, 1, state, NOW)?)).await;
        let dispatch = content(&bed.store, &[b"dispatch"]).await;
        let sealed = NewMessage {
            message_id: Some(bed::id(1)),
            ..NewMessage::of(b"dispatch", Kind::Sealed, NOW)
        };
        bed.write(move |tx| {
            let hidden = mail::of_role(tx, account, Role::Hidden)?;
            Ok(mail::lay_in(tx, hidden, dispatch, &sealed)?)
        })
        .await;
        lay_in(&bed, account, "INBOX", "Subject: notice\r\n\r\n", Kind::Stub, NOW).await;
        throw_away(&bed, account, "INBOX", NOW).await;
        assert_eq!(trash::empty(&bed.store, NOW.plus_secs(1)).await.unwrap(), 1);
        let (id, end) = (bed::id(1), NOW.plus_secs(24 * 3600));
        assert!(bed.write(move |tx| Ok(opening::expire(tx, &id, 1, end, end)?)).await);
        assert_eq!(count(&bed, account, "INBOX").await, 1, "the dispatch, when the time has ended");
    })
    .await;
}
