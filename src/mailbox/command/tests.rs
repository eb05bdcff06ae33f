//! Dialogues whose asks are answered by hand: what a store seldom does.

use crate::mailbox::ask::{Answer, Ask, Changes, Refusal, Selected, Stored};
use crate::mailbox::drive::{flags, row, selected, yes};
use crate::mailbox::{Config, Next, Session, Tls};
use crate::wire::imap::{ModSeq, UidSet};

/// What a session says to these lines.
fn hear(session: &mut Session, lines: &str, mut answer: impl FnMut(Ask) -> Answer) -> String {
    session.feed(lines.as_bytes());
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(octets) => said.extend(octets),
            Next::Ask(ask) => session.answer(answer(ask)),
            Next::Read | Next::Wait(_) => return String::from_utf8_lossy(&said).into_owned(),
            other => panic!("{other:?}"),
        }
    }
}

/// Three messages at mod-sequence 5, and nothing new.
fn usual(ask: Ask) -> Answer {
    match ask {
        Ask::Select { name, examine } => Answer::Selected(Selected {
            uids: UidSet::range(1, 3),
            uid_next: 4,
            highest_modseq: 5,
            recent: UidSet::new(),
            ..selected(name, examine)
        }),
        Ask::Changes { .. } | Ask::News { .. } => Answer::Changes(at(5)),
        other => yes(other),
    }
}

fn at(highest_modseq: ModSeq) -> Changes {
    Changes { uid_next: 4, highest_modseq, ..Changes::default() }
}

fn begin(lines: &str) -> Session {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    let said = hear(&mut session, &format!("a LOGIN a b\r\n{lines}"), usual);
    assert!(!said.contains(" NO ") && !said.contains(" BAD "), "{said}");
    session
}

fn is_news(ask: &Ask) -> bool {
    matches!(ask, Ask::Changes { .. } | Ask::News { .. })
}

/// Others change a flag again after the mailbox was selected: its mod-sequence would say that all before
/// it was told.
#[test]
fn what_changes_after_a_resync_began_comes_with_the_next_news() {
    for along in [true, false] {
        let mut session = begin("b ENABLE QRESYNC\r\n");
        let rows = || vec![flags(1, 4), flags(2, 7)];
        let said = hear(&mut session, "c SELECT x (QRESYNC (1 3))\r\n", |ask| match ask {
            ask if is_news(&ask) => Answer::Changes(Changes {
                changed: UidSet::range(1, 2),
                flags: if along { rows() } else { Vec::new() },
                ..at(7)
            }),
            Ask::Flags { .. } => Answer::Flags(rows()),
            other => usual(other),
        });
        assert!(said.contains("* 1 FETCH (UID 1 FLAGS () MODSEQ (4))"), "{said}");
        assert!(said.contains("[HIGHESTMODSEQ 5]") && !said.contains("(7)"), "{said}");
    }
}

const BLIND: &str = "c NOTIFY SET (selected (MessageNew MessageExpunge))\r\n";
const SEEING: &str = "h NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))\r\n";

/// Others changed message 2, and the client is not told of flags.
fn blind() -> Session {
    let mut session = begin(&format!("b SELECT x\r\n{BLIND}"));
    let said = hear(&mut session, "d NOOP\r\n", |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(Changes { changed: UidSet::one(2), ..at(6) }),
        other => usual(other),
    });
    assert!(!said.contains("FETCH"), "{said}");
    session
}

#[test]
fn who_was_not_told_of_flags_and_adds_one_in_silence_hears_of_the_others() {
    let mut session = blind();
    hear(&mut session, "e STORE 2 +FLAGS.SILENT (\\Seen)\r\n", |ask| match ask {
        Ask::Store(store) => Answer::Stored(Stored {
            changed: store.uids,
            modseq: 7,
            before: [(6, UidSet::one(2))].into(),
            ..Stored::default()
        }),
        other => usual(other),
    });
    let said = hear(&mut session, SEEING, |ask| match ask {
        ask if is_news(&ask) => {
            Answer::Changes(Changes { changed: UidSet::one(2), flags: vec![flags(2, 7)], ..at(7) })
        }
        other => usual(other),
    });
    assert!(said.contains("* 2 FETCH (UID 2 FLAGS ())"), "{said}");
}

#[test]
fn flags_that_can_not_be_read_are_told_later() {
    let mut session = blind();
    let said = hear(&mut session, SEEING, |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(at(6)),
        Ask::Flags { .. } => Answer::Refused(Refusal::Unavailable),
        other => usual(other),
    });
    assert!(said.contains("h OK") && !said.contains("FETCH"), "{said}");
    let said = hear(&mut session, "i NOOP\r\n", |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(at(6)),
        other => usual(other),
    });
    assert!(said.contains("* 2 FETCH (UID 2 FLAGS ())"), "{said}");
}

/// The same of what NOTIFY wants of new messages, which come after the flags.
#[test]
fn what_is_wanted_of_new_messages_is_told_later_when_flags_can_not_be_read() {
    let notify = "c NOTIFY SET (selected (MessageNew (UID) MessageExpunge FlagChange))\r\n";
    let mut session = begin(&format!("b SELECT x\r\n{notify}"));
    let (changed, arrived) = (UidSet::one(2), UidSet::one(4));
    let news = Changes { changed, arrived, ..at(6) };
    let said = hear(&mut session, "d NOOP\r\n", |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(news.clone()),
        Ask::Flags { .. } => Answer::Refused(Refusal::Unavailable),
        other => usual(other),
    });
    assert!(said.contains("* 4 EXISTS") && !said.contains("FETCH"), "{said}");
    let said = hear(&mut session, "e NOOP\r\n", |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(news.clone()),
        other => usual(other),
    });
    assert!(said.contains("* 2 FETCH") && said.contains("* 4 FETCH (UID 4)"), "{said}");
    assert!(!said.contains("EXISTS"), "{said}");
}

#[test]
fn with_uidonly_a_new_message_of_which_the_uid_is_wanted_has_one_item() {
    let notify = "c NOTIFY SET (selected (MessageNew (UID) MessageExpunge))\r\n";
    let mut session = begin(&format!("b ENABLE UIDONLY\r\nc SELECT x\r\n{notify}"));
    let said = hear(&mut session, "d NOOP\r\n", |ask| match ask {
        ask if is_news(&ask) => Answer::Changes(Changes { arrived: UidSet::one(4), ..at(6) }),
        other => usual(other),
    });
    assert!(said.contains("* 4 UIDFETCH (UID 4)\r\n"), "{said}");
}

#[test]
fn a_refused_notify_leaves_the_one_before_it_in_force() {
    let mut session = begin("b NOTIFY SET (personal (MailboxMetadataChange))\r\n");
    let refuse = |ask| match ask {
        Ask::Overview => Answer::Refused(Refusal::Unavailable),
        other => usual(other),
    };
    let said = hear(&mut session, "c NOTIFY SET (personal (MailboxName))\r\n", refuse);
    assert!(said.contains("c NO"), "{said}");
    let said = hear(&mut session, "d NOOP\r\n", usual);
    assert!(said.contains("* METADATA \"INBOX\" \"/private/x\"\r\n"), "{said}");
    hear(&mut session, "e NOTIFY SET (personal (MailboxName))\r\n", usual);
    let said = hear(&mut session, "f NOOP\r\n", |ask| match ask {
        Ask::Annotations { .. } => panic!("nobody wants them"),
        other => usual(other),
    });
    assert!(!said.contains("METADATA"), "{said}");
}

/// From the highest down those behind must come first; what comes short once is not asked for in full
/// each time.
#[test]
fn rows_that_come_short_are_asked_for_in_smaller_batches() {
    let mut session = begin("");
    session.limit_to(512);
    let select = |ask| match usual(ask) {
        Answer::Selected(all) => {
            Answer::Selected(Selected { uids: UidSet::range(1, 600), uid_next: 601, ..all })
        }
        other => other,
    };
    hear(&mut session, "b SELECT x\r\n", select);
    let mut asked = Vec::new();
    let said = hear(&mut session, "c UID FETCH 1:* (RFC822.SIZE)\r\n", |ask| match ask {
        Ask::Rows { uids, .. } => {
            asked.push(uids.len());
            Answer::Rows(uids.iter().take(64).map(row).collect())
        }
        other => usual(other),
    });
    assert_eq!(said.matches(" FETCH (").count(), 512);
    assert!(said.contains("c OK [MESSAGELIMIT 512 89]"), "{said}");
    assert_eq!(asked[..5], [256, 128, 64, 128, 64]);
    assert_eq!(asked.iter().filter(|most| **most == 256).count(), 1);
}
