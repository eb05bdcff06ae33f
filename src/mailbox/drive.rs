//! A session over a world that says yes to everything, or to most: what fuzzing drives. Nothing of it is
//! stored, nothing panics, and it always ends.

mod trouble;

use super::ask::{
    Annotated, Annotations, Answer, Appended, Ask, Changes, FlagRow, Found, LoggedIn, MailboxEntry,
    MailboxKind, Metadata, Moved, Opening, OwnRights, Proof, Quota, Resource, Row, Salt, Selected,
    Standing, Status, Stored, ThreadToken,
};
use super::{Config, Next, Session};
use crate::wire::imap::metadata::EntryName;
use crate::wire::imap::{Flags, Keywords, MailboxName, ModSeq, Rights, Structure, Uid, UidSet};
use crate::wire::{AccountId, ContentId, MailboxId, ThreadId, Timestamp};
use trouble::Trouble;

/// How a session is driven.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Octets that come at once.
    pub piece: usize,
    /// Whether an idling client's mailbox changes with each piece.
    pub news: bool,
    /// What goes wrong when asks are answered; nothing with 0.
    pub trouble: u64,
    /// How many messages one command works on, if fewer than else.
    pub limit: Option<usize>,
}

/// Feeds `bytes` in small pieces and answers what is asked.
pub fn drive(config: Config, bytes: &[u8]) {
    drive_at(config, bytes, Pace { piece: PIECE, news: true, trouble: 0, limit: None });
}

/// What a session says to `bytes` that come at this pace.
pub fn drive_at(config: Config, bytes: &[u8], pace: Pace) -> Vec<u8> {
    let mut session = Session::new(config);
    pace.limit.into_iter().for_each(|limit| session.limit_to(limit));
    let mut pieces = bytes.chunks(pace.piece.max(1));
    let mut said = Vec::new();
    let mut trouble = Trouble::new(pace.trouble);
    // Each octet can cause a few turns at most: a chunk of a message, its ask, its answer.
    for _ in 0..bytes.len().saturating_mul(8).saturating_add(1_000) {
        match session.next() {
            Next::Read => match pieces.next() {
                Some(piece) => session.feed(piece),
                None => session.timeout(),
            },
            Next::Wait(_) => match pieces.next() {
                Some(piece) => {
                    if pace.news {
                        session.changed();
                    }
                    session.feed(piece);
                }
                None => session.timeout(),
            },
            Next::Send(bytes) => said.extend(bytes),
            Next::StartTls => session.secured(),
            Next::Compress => session.compressed(),
            Next::Expand => session.expanded(),
            Next::Ask(ask) => session.answer(trouble.answer(ask)),
            Next::Close => break,
        }
    }
    said
}

pub(super) fn yes(ask: Ask) -> Answer {
    match ask {
        Ask::Login(login) => Answer::LoggedIn(LoggedIn {
            account: AccountId(1),
            signature: matches!(login.proof, Proof::Scram { .. }).then(|| vec![1; 32]),
            notice: None,
        }),
        Ask::Salt { .. } => {
            let (salt, nonce) = (b"salt".to_vec(), "nonce".to_owned());
            Answer::Salt(Salt { salt, iterations: 4096, nonce })
        }
        Ask::Mailboxes(want) => Answer::Mailboxes(vec![MailboxEntry {
            name: MailboxName::inbox(),
            kind: MailboxKind::Mailbox(None),
            gathered: false,
            subscribed: true,
            rights: Rights::ALL,
            status: want.status.map(|_| Status::default()),
        }]),
        Ask::Select { name, examine } => Answer::Selected(selected(name, examine)),
        Ask::Open { name } => Answer::Selected(selected(name, true)),
        Ask::Changes { .. } | Ask::News { .. } => Answer::Changes(Changes {
            name: None,
            arrived: UidSet::range(8, 9),
            changed: UidSet::one(2),
            vanished: UidSet::one(4),
            uid_next: 10,
            highest_modseq: 2,
            recent: UidSet::one(9),
            flags: Vec::new(),
        }),
        Ask::Overview => Answer::Overview(vec![standing(1, "INBOX"), standing(2, "x")]),
        Ask::Status { .. } => Answer::Status(Status::default()),
        Ask::Rows { uids, .. } => Answer::Rows(uids.iter().map(row).collect()),
        Ask::Flags { uids, .. } => Answer::Flags(uids.iter().map(|uid| flags(uid, 1)).collect()),
        Ask::Create { .. } => Answer::Created(MailboxId(2)),
        Ask::Previews { uids, .. } => {
            Answer::Previews(uids.iter().map(|uid| (uid, "text".to_owned())).collect())
        }
        Ask::Content(content) => {
            let all = content.pieces.into_iter().flat_map(|(_, range)| {
                MAIL.get(range.start as usize..range.end as usize).unwrap_or_default()
            });
            Answer::Content(all.take(CHUNK).copied().collect())
        }
        Ask::Store(store) => {
            let flags = |uid| FlagRow { uid, modseq: 3, flags: store.flags.clone() };
            let rows = store.uids.iter().filter(|_| store.echo).map(flags).collect();
            let (changed, modified) = (store.uids, UidSet::new());
            let before = [(2, changed.clone())].into();
            Answer::Stored(Stored { changed, modseq: 3, before, modified, rows })
        }
        Ask::Copy { .. } => Answer::Copied(None),
        Ask::Move { uids, .. } => Answer::Moved(Moved { placed: None, gone: uids }),
        Ask::Expunge { uids, .. } => Answer::Expunged(uids.unwrap_or_default()),
        Ask::AppendCommit | Ask::Replace { .. } => {
            Answer::Appended(Appended { uid_validity: 1, uids: UidSet::one(9) })
        }
        Ask::Metadata(want) => {
            let values = want.entries.into_iter().map(|entry| (entry, Some(b"x".to_vec())));
            Answer::Metadata(Metadata { values: values.collect(), longest: Some(9), more: false })
        }
        Ask::Annotations { since } => {
            let step = since.unwrap_or(3) + 1;
            let entries = EntryName::parse(b"/private/x").map(|entry| vec![(entry, step)]);
            let entries = entries.unwrap_or_default();
            let changed = vec![
                Annotated { mailbox: None, entries: entries.clone() },
                Annotated { mailbox: Some(standing(1, "INBOX")), entries },
            ];
            Answer::Annotations(Annotations { step, changed })
        }
        Ask::SetMetadata { .. } => Answer::Annotated(4),
        Ask::Quota { .. } => {
            let mailboxes = Resource { used: 1, limit: 2 };
            Answer::Quota(Quota { storage: None, mailboxes })
        }
        Ask::Rights { .. } => {
            Answer::Rights(OwnRights { identifier: "ali".into(), rights: Rights::ALL })
        }
        Ask::Search(_) => Answer::Found(Found {
            uids: UidSet::range(1, 3),
            highest_modseq: 2,
            there: UidSet::range(1, 9),
            exact: UidSet::one(1),
            read: 0,
        }),
        Ask::Sort { uids, .. } => Answer::Sorted(uids.iter().collect()),
        Ask::Thread { uids, .. } => {
            let each = |uid| [ThreadToken::Open, ThreadToken::Message(uid), ThreadToken::Close];
            Answer::Threads(uids.iter().flat_map(each).collect())
        }
        _ => Answer::Done,
    }
}

pub(super) fn selected(name: MailboxName, examine: bool) -> Selected {
    Selected {
        mailbox: MailboxId(1),
        name,
        uid_validity: 1,
        uid_next: 8,
        highest_modseq: 1,
        uids: UidSet::range(1, 7),
        first_unseen: Some(1),
        keywords: Keywords::from_stored("work $KepRead"),
        read_only: examine,
        recent: UidSet::range(6, 7),
    }
}

fn standing(id: i64, name: &str) -> Standing {
    Standing {
        id: MailboxId(id),
        name: MailboxName::parse(name).unwrap_or_else(MailboxName::inbox),
        special: None,
        inbox: id == 1,
        subscribed: true,
        uid_validity: 1,
        modseq: 3,
    }
}

pub(super) fn flags(uid: Uid, modseq: ModSeq) -> FlagRow {
    FlagRow { uid, modseq, flags: Flags::default() }
}

/// Every second one is an unopened dispatch.
pub(super) fn row(uid: Uid) -> Row {
    Row {
        uid,
        modseq: 1,
        flags: Flags::default(),
        internal_date: Timestamp::from_secs(0),
        saved_at: Timestamp::from_secs(0),
        content: ContentId(uid.into()),
        thread: Some(ThreadId(uid.into())),
        size: MAIL.len() as u64,
        opening: if uid.is_multiple_of(2) { Opening::Sealed } else { Opening::Open },
        structure: Structure::compute(MAIL),
        header: MAIL.get(..HEADER).unwrap_or_default().to_vec(),
    }
}

const MAIL: &[u8] = b"Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\n\r\ntext\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--b--\r\n";
/// Of the mail above.
const HEADER: usize = 57;
const PIECE: usize = 97;
/// Octets of content in one answer: some strings come in pieces, some together.
const CHUNK: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::Tls;
    use proptest::prelude::*;

    fn config() -> Config {
        Config { tls: Tls::Active, id: Vec::new() }
    }

    #[test]
    fn the_mail_is_as_said() {
        assert_eq!(crate::wire::mime::parse(MAIL).header, 0..HEADER);
    }

    #[test]
    fn what_comes_behind_compress_before_its_answer_is_not_read() {
        let lines = b"a LOGIN a b\r\nb COMPRESS DEFLATE\r\nc NOOP\r\nd NOOP\r\n";
        let pace = Pace { piece: usize::MAX, news: false, trouble: 0, limit: None };
        let whole = drive_at(config(), lines, pace);
        let whole = String::from_utf8_lossy(&whole).into_owned();
        assert!(whole.contains("b BAD ") && whole.contains("* BYE "), "{whole}");
        assert!(!whole.contains("c OK"), "{whole}");
        drive(config(), lines);
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            drive(config(), &bytes);
        }

        #[test]
        fn any_commands_come_to_an_end_and_how_they_are_cut_changes_nothing(lines in proptest::collection::vec(prop_oneof![
            Just("a LOGIN a b"), Just("a SELECT x"), Just("a FETCH 1:* (ENVELOPE BODY[] BODYSTRUCTURE)"),
            Just("a FETCH 1:3 (PREVIEW (LAZY) SAVEDATE EMAILID THREADID BINARY[2.1] BINARY.SIZE[1])"),
            Just("a UID FETCH 2 (BODY[2.HEADER.FIELDS (X)] BODY.PEEK[1]<1.2> FLAGS)"), Just("a IDLE"), Just("DONE"),
            Just("a STORE 1:* FLAGS (x)"), Just("a EXPUNGE"), Just("a UID MOVE 1:3 y"), Just("a UID COPY 1:3 y"),
            Just("a APPEND x {3+}\r\nabc"), Just("a APPEND x {3}"), Just("a APPEND x {3+}\r\nabc {3+}\r\nabc"),
            Just("a APPEND x CATENATE (URL /x/;UID=1 TEXT {3+}\r\nabc URL {9+}\r\n/x/;UID=1)"), Just("a REPLACE 1 x {3+}\r\nabc"), Just("a SEARCH RETURN (SAVE ALL) 1:2"),
            Just("a FETCH $ (UID) (CHANGEDSINCE 1)"), Just("a LIST \"\" % RETURN (STATUS (SIZE))"), Just("a CLOSE"), Just("a SEARCH RETURN (RELEVANCY PARTIAL -1:-2) FUZZY TEXT x"),
            Just("a UID SEARCH RETURN (UPDATE PARTIAL 1:2) SEEN"), Just("a SORT (REVERSE DATE) UTF-8 1:3"),
            Just("a THREAD REFERENCES UTF-8 ALL"), Just("a ESEARCH IN (selected personal) RETURN (MIN) ALL"),
            Just("a GETMETADATA (DEPTH 1) x /private/y"), Just("a SETMETADATA x (/private/y ~{3+}\r\na\0b /shared/z NIL)"),
            Just("a LIST \"\" % RETURN (METADATA (/private/y) MYRIGHTS)"), Just("a GETACL x"), Just("a GETQUOTAROOT x"),
            Just("a UNAUTHENTICATE"), Just("a AUTHENTICATE PLAIN"), Just("AGEAYg=="), Just("a AUTHENTICATE SCRAM-SHA-256 biwsbj1hLHI9Yg=="), Just("*"), Just("="), Just("a NOOP"), Just("a ENABLE QRESYNC"), Just("a SELECT x (QRESYNC (1 1 1:9 (1 1)))"),
            Just("a UID FETCH 1:* (UID) (CHANGEDSINCE 1 VANISHED)"), Just("a ENABLE UIDONLY IMAP4rev2"),
            Just("a NOTIFY SET STATUS (selected (MessageNew (UID BODY[1]) MessageExpunge FlagChange)) (personal (MailboxName))"),
            Just("a NOTIFY SET (selected-delayed (MessageNew MessageExpunge)) (inboxes (MessageNew MessageExpunge))"),
            Just("a NOTIFY SET (personal (MailboxMetadataChange ServerMetadataChange))"), Just("a ENABLE METADATA"),
            Just("a NOTIFY NONE"), Just("a UIDBATCHES 500 1:2"), Just("a UNSELECT"), Just("\0\"{")
        ], 0..40)) {
            let bytes = format!("{}\r\n", lines.join("\r\n"));
            drive(config(), bytes.as_bytes());
            for (trouble, limit) in [(0, None), (1, None), (2, Some(2)), (3, Some(3)), (4, None)] {
                let at = |piece| drive_at(config(), bytes.as_bytes(), Pace { piece, news: false, trouble, limit });
                prop_assert_eq!(at(usize::MAX), at(1));
            }
        }
    }
}
