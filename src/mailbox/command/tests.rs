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
