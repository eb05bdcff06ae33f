//! What a search over many mailboxes asks for, one after the other.

use kep::mailbox::ask::*;
use kep::mailbox::session::{Config, Next, Session, Tls};
use kep::wire::imap::{Keywords, MailboxName, Rights, UidSet};
use kep::wire::{AccountId, MailboxId};

fn entry(name: &str, gathered: bool) -> MailboxEntry {
    MailboxEntry {
        name: MailboxName::parse(name).unwrap(),
        kind: MailboxKind::Mailbox(None),
        gathered,
        subscribed: true,
        rights: Rights::ALL,
        status: None,
    }
}

fn opened(name: MailboxName) -> Selected {
    Selected {
        mailbox: MailboxId(1),
        name,
        uid_validity: 1,
        uid_next: 2,
        highest_modseq: 1,
        uids: UidSet::one(1),
        first_unseen: None,
        keywords: Keywords::default(),
        read_only: true,
        recent: UidSet::new(),
    }
}

/// The mailboxes that are opened, with the octets that were read before each. In each search 100 are.
fn searched(command: &str) -> Vec<(String, u64)> {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(format!("a LOGIN x y\r\nb {command}\r\n").as_bytes());
    let mut searched = Vec::new();
    loop {
        match session.next() {
            Next::Send(_) => {}
            Next::Ask(Ask::Login(_)) => {
                let it = LoggedIn { account: AccountId(1), signature: None, notice: None };
                session.answer(Answer::LoggedIn(it));
            }
            Next::Ask(Ask::Mailboxes(_)) => session.answer(Answer::Mailboxes(vec![
                entry("A", false),
                entry("B", false),
                entry("Etiketler/C", true),
                entry("Önemli", true),
            ])),
            Next::Ask(Ask::Open { name }) => {
                searched.push((name.as_str().to_owned(), 0));
                session.answer(Answer::Selected(opened(name)));
            }
            Next::Ask(Ask::Search(search)) => {
                searched.last_mut().unwrap().1 = search.read;
                let read = search.read + 100;
                session.answer(Answer::Found(Found { read, ..Found::default() }));
            }
            Next::Read => return searched,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_search_of_all_that_is_personal_passes_over_virtual_mailboxes() {
    let names =
        |command: &str| -> Vec<_> { searched(command).into_iter().map(|(name, _)| name).collect() };
    assert_eq!(names("ESEARCH IN (personal) ALL"), ["A", "B"]);
    assert_eq!(names("ESEARCH IN (subtree Etiketler) ALL"), ["Etiketler/C"]);
    assert_eq!(names("ESEARCH IN (personal mailboxes \"&ANY-nemli\") ALL"), ["A", "B", "Önemli"]);
    assert_eq!(names("ESEARCH IN (subscribed) ALL").len(), 4);
}

#[test]
fn invariant_10_what_was_read_of_one_mailbox_counts_for_the_next() {
    let searched = searched("ESEARCH IN (personal) BODY x");
    assert_eq!(searched, [("A".into(), 0), ("B".into(), 100)]);
}
