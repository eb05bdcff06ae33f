//! imap-codec as judge: on the grammar both know, what it reads we read, and the reverse.

use super::*;
use imap_codec::CommandCodec;
use imap_codec::decode::Decoder;
use proptest::prelude::*;

fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("INBOX".to_owned()),
        Just("\"a b\"".to_owned()),
        Just("{3+}\r\nxyz".to_owned()),
        "[a-z]{1,6}"
    ]
}

fn set() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("1".to_owned()),
        Just("1:*".to_owned()),
        Just("2,4:7,*".to_owned()),
        Just("0".to_owned()),
        Just("1:".to_owned())
    ]
}

fn fetch_item() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("FLAGS"),
        Just("UID"),
        Just("ENVELOPE"),
        Just("BODY"),
        Just("BODYSTRUCTURE"),
        Just("RFC822"),
        Just("RFC822.SIZE"),
        Just("RFC822.HEADER"),
        Just("BODY[]"),
        Just("BODY.PEEK[1.2.MIME]"),
        Just("BODY[TEXT]<0.5>"),
        Just("BODY[HEADER.FIELDS (From To)]"),
        Just("BODY[1.HEADER.FIELDS.NOT (X)]<1.2>"),
        Just("BODY[MIME]"),
        Just("MODSEQ"),
        Just("INTERNALDATE"),
        Just("BODY[1.1.1]")
    ]
    .prop_map(str::to_owned)
}

fn search_key() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("ALL".to_owned()),
        Just("SEEN".to_owned()),
        Just("UNANSWERED".to_owned()),
        Just("KEYWORD work".to_owned()),
        Just("SINCE 1-Feb-2026".to_owned()),
        Just("SENTON 12-Mar-2026".to_owned()),
        Just("LARGER 10".to_owned()),
        Just("HEADER X-A b".to_owned()),
        Just("SUBJECT \"a b\"".to_owned()),
        Just("UID 1:3".to_owned()),
        Just("TEXT".to_owned()),
        set()
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("NOT {a}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("OR {a} {b}")),
            proptest::collection::vec(inner, 1..3).prop_map(|all| format!("({})", all.join(" "))),
        ]
    })
}

fn sort_key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("ARRIVAL"),
        Just("REVERSE CC"),
        Just("DATE"),
        Just("reverse from"),
        Just("SIZE"),
        Just("SUBJECT"),
        Just("TO"),
        Just("REVERSE DISPLAYFROM"),
        Just("DISPLAYTO"),
        Just("REVERSE"),
        Just("COLOUR")
    ]
    .prop_map(str::to_owned)
}

fn command() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NOOP".to_owned()),
        Just("CHECK".to_owned()),
        Just("IDLE".to_owned()),
        Just("NAMESPACE".to_owned()),
        Just("EXPUNGE".to_owned()),
        Just("EXPUNGE 1".to_owned()),
        Just("UID EXPUNGE 1:3".to_owned()),
        (word(), word()).prop_map(|(a, b)| format!("LOGIN {a} {b}")),
        (word(), word()).prop_map(|(a, b)| format!("RENAME {a} {b}")),
        word().prop_map(|a| format!("SELECT {a} (CONDSTORE)")),
        word().prop_map(|a| format!("STATUS {a} (MESSAGES UNSEEN)")),
        word().prop_map(|a| format!("LIST \"\" {a}")),
        (set(), word()).prop_map(|(a, b)| format!("COPY {a} {b}")),
        (set(), word()).prop_map(|(a, b)| format!("UID MOVE {a} {b}")),
        (set(), proptest::collection::vec(fetch_item(), 1..3))
            .prop_map(|(a, b)| format!("UID FETCH {a} ({})", b.join(" "))),
        (set(), fetch_item()).prop_map(|(a, b)| format!("FETCH {a} {b} (CHANGEDSINCE 5)")),
        (set(), Just(["+FLAGS", "FLAGS.SILENT", "-FLAGS"]))
            .prop_map(|(a, b)| format!("STORE {a} {} (\\Seen work)", b[a.len() % 3])),
        proptest::collection::vec(search_key(), 1..3)
            .prop_map(|keys| format!("UID SEARCH {}", keys.join(" "))),
        search_key().prop_map(|key| format!("SEARCH CHARSET UTF-8 {key}")),
        (proptest::collection::vec(sort_key(), 0..4), search_key())
            .prop_map(|(by, key)| format!("UID SORT ({}) UTF-8 {key}", by.join(" "))),
        (sort_key(), search_key()).prop_map(|(by, key)| format!("SORT {by} US-ASCII {key}")),
        search_key().prop_map(|key| format!("THREAD REFERENCES UTF-8 {key}")),
        search_key().prop_map(|key| format!("UID THREAD OrderedSubject us-ascii {key}")),
    ]
}

proptest! {
    #[test]
    fn both_read_the_same(text in command()) {
        let line = format!("a1 {text}\r\n");
        let theirs = CommandCodec::default().decode(line.as_bytes()).is_ok_and(|(rest, _)| rest.is_empty());
        let ours = parse_command_bytes(line.as_bytes());
        prop_assert_eq!(ours.is_ok(), theirs, "{}: {:?}", line, ours.err());
    }
}
