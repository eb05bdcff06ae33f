//! What an account takes with it, on both stores: what goes while it is written, what was refused, and who
//! may make it.

use super::bed::{Bed, id, message, submission};
use super::{NOW, evidence, on_both};
use kep::registry::audit::{self, Actor, By, Channel, Wanted};
use kep::registry::export::{self, ExportError, Extent, Summary};
use kep::registry::holds;
use kep::registry::staff::{self, StaffRole};
use kep::store::evidence::{self as rows, Wanted as Which};
use kep::store::mail::{self, Kind, NewMessage, Role};
use kep::store::submissions::RecipientState;
use kep::store::{Lane, Store, StoreError, Tx, contents, submissions};
use kep::trust::Clock;
use kep::wire::imap::UidSet;
use kep::wire::{AccountId, EvidenceId, KepAddress, Timestamp};
use secrecy::SecretString;
use std::io::{self, Write};
use std::sync::Arc;

const WHO: &str = "a@hs05.kep.tr";

fn by(name: &str) -> By {
    By { actor: Actor::Staff(name.to_owned()), channel: Channel::CommandLine, at: NOW }
}

async fn lay(bed: &Bed, account: AccountId, n: u32) {
    let put = bed.store.blobs.put(format!("Subject: {n}\r\n\r\nmetin {n}").into_bytes()).unwrap();
    let blobs = Arc::clone(&bed.store.blobs);
    bed.write(move |tx| {
        let content = contents::create_from(tx, &blobs, &[&put])?;
        let inbox = mail::of_role(tx, account, Role::Inbox)?;
        mail::lay_in(tx, inbox, content, &message(&put, Kind::Plain, Some(id(n))))?;
        Ok(())
    })
    .await;
}

/// Takes everything of a mailbox away when the first octets are written.
struct Expunging {
    store: Store,
    /// Rows, or contents alone, as no program does.
    rows: bool,
    done: bool,
    out: Vec<u8>,
}

impl Write for Expunging {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if !std::mem::replace(&mut self.done, true) {
            let rows = self.rows;
            let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
                let last = "SELECT MAX(content) FROM message";
                let last = tx.one("content", last, &[])?.int(0)?;
                if rows {
                    tx.execute("DELETE FROM message WHERE content = $1", &[last.into()])?;
                }
                Ok(contents::forget(tx, kep::wire::ContentId(last))?)
            };
            let gone = self.store.write(Lane::Client, work);
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(gone))
                .map_err(io::Error::other)?;
        }
        self.out.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_expunged_while_it_is_exported_is_no_empty_mail() {
    on_both(|bed| async move {
        let account = bed.account(WHO).await;
        for n in 1..4 {
            lay(&bed, account, n).await;
        }
        let gathered = async |rows| {
            let (store, out) = (bed.store.clone(), Vec::new());
            let out = Expunging { store, rows, done: false, out };
            let all = Extent::whole(account, WHO.to_owned());
            export::gather(&bed.store, &all, NOW, &[], out, &mut |_| {}).await
        };
        let (summary, written) = gathered(true).await.unwrap();
        assert_eq!(summary.mails, 2);
        let has = |text: &[u8]| memchr::memmem::find(&written.out, text).is_some();
        assert!(has(b"/2.eml") && !has(b"/3.eml"));
        // What is lost is told, and not an empty mail.
        let lost = gathered(false).await.map(|(summary, _)| summary);
        assert!(matches!(lost, Err(ExportError::Store(_))), "{lost:?}");
    })
    .await;
}

async fn pages(bed: &Bed, account: AccountId, which: Which<'static>, limit: usize) -> Vec<String> {
    let (mut before, mut all) = ((Timestamp::from_millis(i64::MAX), String::new()), Vec::new());
    loop {
        let (at, last) = before.clone();
        let page =
            bed.read(move |tx| Ok(rows::seen(tx, account, which, (at, &last), limit)?)).await;
        let Some(last) = page.last() else { return all };
        before = (last.event_time, last.id.as_str().to_owned());
        all.extend(page.iter().map(|row| format!("{} {}", row.event, row.recipient)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_export_has_the_evidence_that_a_list_shows_of_what_was_refused_too() {
    on_both(|bed| async move {
        let (sender, other) = (bed.account(WHO).await, bed.account("mert@hs05.kep.tr").await);
        let mut sent = submission(&bed.store, 1, sender, b"bir");
        sent.recipients[0].account = Some(other);
        bed.lay_in(sent).await.unwrap();
        for (n, (event, recipient)) in [
            ("submission-acceptance", ""),
            ("delivery", "mert@hs05.kep.tr"),
            ("delivery", "ali@hs06.kep.tr"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut new = evidence::new(&bed.store, 1, event, recipient);
            new.event_time = NOW.plus_secs(n as i64);
            assert!(evidence::append(&bed.store, new).await);
        }
        // Refused at the door: of a message that is nowhere.
        let refused = evidence::new(&bed.store, 9, "submission-rejection", "");
        let (refused_id, blobs) = (refused.id.clone(), Arc::clone(&bed.store.blobs));
        let shown = refused_id.clone();
        bed.write(move |tx| {
            rows::append(tx, &blobs, &refused)?;
            Ok(rows::show_to(tx, sender, &shown)?)
        })
        .await;

        for limit in [1, 2, 100] {
            let all = pages(&bed, sender, Which::default(), limit).await;
            assert_eq!(all.len(), 4, "{all:?}");
            assert_eq!(all[0], "delivery ali@hs06.kep.tr");
            let theirs = pages(&bed, other, Which::default(), limit).await;
            assert_eq!(theirs, ["delivery mert@hs05.kep.tr", "submission-acceptance "]);
        }
        let delivered = Which { event: Some("delivery"), ..Which::default() };
        assert_eq!(pages(&bed, sender, delivered, 1).await.len(), 2);
        let of_message = Which { message: Some("1@hs05.kep.tr"), ..delivered };
        assert_eq!(pages(&bed, other, of_message, 1).await, ["delivery mert@hs05.kep.tr"]);
        let late = Which { since: Some(NOW.plus_secs(1)), ..Which::default() };
        assert_eq!(pages(&bed, sender, late, 1).await.len(), 2);
        let one = |account, id: EvidenceId| {
            bed.read(move |tx| Ok(rows::seen_one(tx, account, &id)?.is_some()))
        };
        assert!(one(sender, refused_id.clone()).await && !one(other, refused_id).await);

        for (account, address, evidence) in [(sender, WHO, 4), (other, "mert@hs05.kep.tr", 2)] {
            let all = Extent::whole(account, address.to_owned());
            let gathered =
                export::gather(&bed.store, &all, NOW, &[], Vec::new(), &mut |_| {}).await;
            let (summary, _): (Summary, Vec<u8>) = gathered.unwrap();
            assert_eq!(summary.evidence, evidence, "{address}");
        }
        let by_time = Extent { until: NOW.plus_secs(1), ..Extent::whole(sender, WHO.to_owned()) };
        let gathered =
            export::gather(&bed.store, &by_time, NOW, &[], Vec::new(), &mut |_| {}).await;
        assert_eq!(gathered.unwrap().0.evidence, 2);
        // What is withdrawn is not sent, and its evidence stays whose it was.
        let withdrawn = bed.write(|tx| Ok(submissions::withdraw(tx, &id(1))?)).await;
        assert!(!withdrawn, "it was accepted");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_period_has_what_was_accepted_sealed_or_delivered_in_it_wherever_it_stands_since() {
    on_both(|bed| async move {
        bed.staff(&["can", "ece"]).await;
        let (sender, other) = (bed.account(WHO).await, bed.account("mert@hs05.kep.tr").await);
        let (day, at) = (86_400, |days: i64| NOW.plus_secs(days * 86_400));
        // As a mail program laid it in under a date of its own, and moved it since.
        let lay = async |account: AccountId, kind: Kind, of: Option<u32>, role: Role| {
            let put = bed.store.blobs.put(b"Subject: x\r\n\r\nmetin".to_vec()).unwrap();
            let new = message(&put, kind, of.map(id));
            let new = NewMessage { internal_date: at(-90), saved_at: at(90), ..new };
            let blobs = Arc::clone(&bed.store.blobs);
            bed.write(move |tx| {
                let content = contents::create_from(tx, &blobs, &[&put])?;
                let mailbox = mail::of_role(tx, account, role)?;
                Ok(mail::lay_in(tx, mailbox, content, &new)?)
            })
            .await
        };
        let mut sent = submission(&bed.store, 1, sender, b"bir");
        sent.recipients[0].account = Some(other);
        bed.lay_in(sent).await.unwrap();
        let mut acceptance = evidence::new(&bed.store, 1, "submission-acceptance", "");
        acceptance.event_time = at(10);
        assert!(evidence::append(&bed.store, acceptance).await);
        let delivered = at(20);
        bed.write(move |tx| {
            Ok(submissions::outcome(tx, &id(1), 1, RecipientState::Delivered, delivered)?)
        })
        .await;
        lay(sender, Kind::Plain, Some(1), Role::Sent).await;
        lay(sender, Kind::Evidence, Some(1), Role::Inbox).await;
        lay(sender, Kind::Plain, None, Role::Inbox).await;
        lay(other, Kind::Dispatch, Some(1), Role::Inbox).await;
        let mails = async |account: AccountId, around: Timestamp, held: bool| {
            let (from, until) = (around.plus_secs(-day), around.plus_secs(day));
            let all = Extent::whole(account, WHO.to_owned());
            let period = Extent { from, until, held, evidence: false, ..all };
            let gathered =
                export::gather(&bed.store, &period, NOW, &[], Vec::new(), &mut |_| {}).await;
            gathered.unwrap().0.mails
        };
        for (around, of_sender, of_other, why) in [
            (at(0), 1, 0, "accepted"),
            (at(10), 1, 1, "sealed"),
            (at(20), 0, 1, "delivered to the other"),
            (at(90), 3, 1, "laid in, or moved"),
            (at(-90), 3, 1, "as it is dated"),
            (at(5), 0, 0, "nothing"),
        ] {
            assert_eq!(mails(sender, around, false).await, of_sender, "{why}");
            assert_eq!(mails(other, around, false).await, of_other, "{why}");
        }
        // What its owner removed and a hold keeps, by the same.
        let address = KepAddress::parse("mert@hs05.kep.tr").unwrap();
        holds::place(&bed.store, &by("can"), "ece", &address, None, "2026/17").await.unwrap();
        bed.write(move |tx| {
            let inbox = mail::of_role(tx, other, Role::Inbox)?;
            let inbox = mail::view::owned(tx, other, inbox)?.unwrap();
            Ok(mail::change::remove_all(tx, &inbox, &UidSet::range(1, 1))?)
        })
        .await;
        assert_eq!(mails(other, at(20), false).await, 0);
        assert_eq!(mails(other, at(20), true).await, 1);
        assert_eq!(mails(other, at(5), true).await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn once_there_is_staff_two_export_and_the_audit_has_it_first() {
    on_both(|bed| async move {
        bed.account(WHO).await;
        let address = KepAddress::parse(WHO).unwrap();
        let path = |name: &str| bed.dir.path().join(name);
        let export = async |by: &By, second, name: &str| {
            let file = std::fs::File::create(path(name)).unwrap();
            export::export(
                &bed.store,
                (by, &Clock::Fixed(NOW)),
                second,
                &address,
                file,
                &mut |_| {},
            )
            .await
        };
        export(&by("root@localhost"), None, "1.zip").await.unwrap();
        for (name, roles) in [
            ("mudur", &[StaffRole::Manager][..]),
            ("ayse", &[StaffRole::Registrar, StaffRole::Approver]),
            ("can", &[StaffRole::Approver]),
            ("ece", &[StaffRole::Registrar]),
        ] {
            let secret = SecretString::from("uzun bir parola");
            let by = by("root@localhost");
            staff::add(&bed.store, &by, name, name, roles, &secret).await.unwrap();
        }
        for (by, second) in [
            (by("ayse"), None),
            (by("ayse"), Some("ayse")),
            (By::system("export", NOW), Some("ayse")),
        ] {
            let alone = export(&by, second, "2.zip").await;
            assert!(matches!(alone, Err(ExportError::OnePerson)), "{alone:?}");
        }
        // The second is an approver, and the first a registrar.
        for (first, second) in [("ayse", "ece"), ("ayse", "yok"), ("can", "ayse")] {
            let unfit = export(&by(first), Some(second), "2.zip").await;
            assert!(matches!(unfit, Err(ExportError::OffDuty(_))), "{unfit:?}");
        }
        export(&by("ayse"), Some("can"), "3.zip").await.unwrap();
        let wanted = Wanted { subject: Some(WHO.into()), most: 2, ..Wanted::default() };
        let acts = audit::list(&bed.store, wanted).await.unwrap();
        assert_eq!(
            (acts[0].act.as_str(), acts[1].act.as_str()),
            ("account.exported", "account.export")
        );
        assert!(format!("{:?}", acts[1]).contains("can"), "{acts:?}");
    })
    .await;
}
