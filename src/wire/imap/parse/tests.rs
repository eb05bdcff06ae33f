//! What is a command and what is not.

use super::*;
use crate::wire::imap::MessageSet;
use crate::wire::imap::command::FetchItem;

fn parse(text: &str) -> Result<Command, &'static str> {
    parse_command_bytes(format!("a1 {text}\r\n").as_bytes()).map(|tagged| tagged.command)
}

/// The command as Debug shows it, for what is too dull to compare piece by piece.
fn shown(text: &str) -> String {
    format!("{:?}", parse(text).unwrap_or_else(|e| panic!("{text}: {e}")))
}

#[test]
fn what_mail_programs_send_is_read() {
    for text in [
        "CAPABILITY",
        "ID (\"name\" \"Thunderbird\" \"version\" NIL)",
        "ID (\"name\" \"Thunderbird\" )",
        "ID NIL",
        "authenticate PLAIN AGFsaQBnaXpsaQ==",
        "LOGIN \"ali@hs05.kep.tr\" \"p\\\"w\"",
        "ENABLE CONDSTORE QRESYNC",
        "LIST (SUBSCRIBED) \"\" \"*\" RETURN (SPECIAL-USE CHILDREN STATUS (MESSAGES UNSEEN SIZE))",
        "LIST \"\" (\"INBOX\" %)",
        "list \"\" %",
        "LIST (RECURSIVEMATCH SUBSCRIBED) \"\" *",
        "LSUB \"\" \"*\"",
        "SELECT INBOX (CONDSTORE)",
        "SELECT INBOX (QRESYNC (67890007 90060115194045000 41:211,214:541 (1,5 2,9)))",
        "STATUS \"&AMcA9g-p Kutusu\" (UIDNEXT MESSAGES UNSEEN RECENT)",
        "CREATE Yeni (USE (\\Archive))",
        "UID FETCH 1:* (FLAGS)",
        "UID fetch 1:2,4 (UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date)])",
        "FETCH 1:50 (UID FLAGS INTERNALDATE ENVELOPE BODYSTRUCTURE) (CHANGEDSINCE 12)",
        "UID FETCH 1:* FLAGS (CHANGEDSINCE 5 VANISHED)",
        "UID FETCH 7 BODY.PEEK[1.2.MIME]<0.2048>",
        "FETCH 1 BINARY.PEEK[1.2]<0.10>",
        "UID STORE 4 +FLAGS.SILENT (\\Deleted $Forwarded)",
        "STORE 1:3 (UNCHANGEDSINCE 7) FLAGS \\Seen",
        "STORE 1 -FLAGS ()",
        "UID SEARCH RETURN (MIN COUNT) UNDELETED SINCE 1-Feb-2026",
        "SEARCH CHARSET UTF-8 OR SUBJECT {5+}\r\n\u{15f}uba (NOT FROM ali UNSEEN) 1:*",
        "SEARCH RETURN (PARTIAL -1:-100 COUNT CONTEXT UPDATE) FLAGGED",
        "UID FETCH 1:* (FLAGS) (PARTIAL 1:500 CHANGEDSINCE 5)",
        "SORT (SUBJECT REVERSE DATE) UTF-8 TO \"ali\" SINCE 1-Feb-2026",
        "UID SORT RETURN (MIN COUNT) (DISPLAYFROM REVERSE DISPLAYTO ARRIVAL CC SIZE) US-ASCII ALL",
        "UID THREAD REFERENCES UTF-8 SINCE 1-Feb-2026",
        "THREAD ORDEREDSUBJECT {5+}\r\nUTF-8 TEXT ali",
        "ESEARCH IN (mailboxes \"folder1\" subtree (\"a\" {1+}\r\nb) personal) UNSEEN",
        "ESEARCH RETURN (SAVE) CHARSET UTF-8 ALL",
        "CANCELUPDATE \"b1\" \"b2\"",
        "SEARCH RETURN (RELEVANCY) FUZZY (TEXT elma FROM ali) NOT FUZZY SUBJECT x",
        "UID SORT (RELEVANCY) UTF-8 FUZZY TEXT elma",
        "UID COPY 1:3 \"Ar&AV8-iv/Gelen\"",
        "UID MOVE $ Trash",
        "UID EXPUNGE 3,5",
        "APPEND Drafts (\\Seen) CATENATE (URL \"/INBOX;UIDVALIDITY=385759045/;UID=20/;section=HEADER\")",
        "APPEND x CATENATE (URL /a/;UID=1 URL {9+}\r\n/b/;UID=2) (\\Draft) CATENATE (URL /c/;UID=3)",
        "UID REPLACE 7 Drafts \" 7-Jul-2026 02:44:25 +0300\" CATENATE (URL /a/;UID=1)",
        "FETCH 1:* (PREVIEW (LAZY) SAVEDATE EMAILID THREADID BINARY.SIZE[1.2] BINARY.PEEK[])",
        "FETCH 1 PREVIEW (CHANGEDSINCE 7)",
        "SEARCH SAVEDBEFORE 1-Feb-2026 SAVEDON 2-Feb-2026 SAVEDSINCE \"3-Feb-2026\" SAVEDATESUPPORTED",
        "SEARCH EMAILID M6d99ac3275bb4e NOT THREADID T64b478a75b7ea9",
        "STATUS INBOX (MAILBOXID APPENDLIMIT)",
    ] {
        parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    }
}

#[test]
fn annotations_quotas_and_rights_are_read() {
    for (text, expected) in [
        ("GETMETADATA INBOX /shared/comment", "depth: Zero"),
        ("GETMETADATA \"\" (/shared/comment /private/comment)", "name: [], entries: [EntryName("),
        ("GETMETADATA (MAXSIZE 1024) INBOX (/shared/comment)", "max_size: Some(1024)"),
        ("GETMETADATA (DEPTH 1 MAXSIZE 0) INBOX {3+}\r\n/pr", "Bad entry name"),
        ("GETMETADATA (DEPTH 1) INBOX (/private/filters)", "depth: One"),
        ("getmetadata INBOX (depth infinity) /PRIVATE", "depth: Infinity"),
        ("GETMETADATA INBOX (DEPTH) /private", "Bad entry name"),
        ("GETMETADATA INBOX ()", "Missing argument"),
        ("GETMETADATA INBOX", "Missing argument"),
        ("SETMETADATA INBOX (/private/comment {3+}\r\na\0b)", "NUL in a literal"),
        ("SETMETADATA INBOX (/private/comment ~{3+}\r\na\0b)", "Some([97, 0, 98])"),
        ("SETMETADATA INBOX (/private/comment NIL /shared/comment \"NIL\")", "None), (EntryName"),
        ("SETMETADATA INBOX (/private/comment NILS)", "Expected a string or NIL"),
        ("SETMETADATA INBOX (/private/comment \"x\" /private/b)", "Missing argument"),
        ("SETMETADATA INBOX /private/comment x", "Syntax error"),
        ("LIST \"\" % RETURN (METADATA (\"/shared/x\") MYRIGHTS)", "my_rights: true"),
        ("LIST \"\" % RETURN (METADATA)", "Missing argument"),
        ("STATUS INBOX (DELETED-STORAGE)", "DeletedStorage"),
        ("GETQUOTA \"\"", "GetQuota([])"),
        ("GETQUOTAROOT INBOX", "GetQuotaRoot("),
        ("SETQUOTA \"\" (STORAGE 512 MESSAGE 100)", "SetQuota"),
        ("SETQUOTA \"\" (STORAGE)", "Missing argument"),
        ("SETACL INBOX Fred -lrswipkxtea0", "acl: Set"),
        ("SETACL INBOX Fred", "Missing argument"),
        ("SETACL INBOX Fred LR", "Bad rights"),
        ("LISTRIGHTS ~/Mail/saved \"a b\"", "List { identifier: \"a b\" }"),
        ("CREATE Yeni (USE (\\Junk \\Yok))", "uses: [Some(Junk), None]"),
    ] {
        let told = match parse(text) {
            Ok(command) => format!("{command:?}"),
            Err(reason) => reason.to_owned(),
        };
        assert!(told.contains(expected), "{text}: {told}");
    }
    let many = |count| (0..count).map(|n| format!("/private/{n}")).collect::<Vec<_>>().join(" ");
    assert!(parse(&format!("GETMETADATA INBOX ({})", many(64))).is_ok());
    assert_eq!(
        parse(&format!("GETMETADATA INBOX ({})", many(65))).unwrap_err(),
        "Too many entries"
    );
}

/// Found by fuzzing: a tilde was always taken for the start of a literal of RFC 3516.
#[test]
fn names_may_start_with_a_tilde() {
    assert!(shown("SELECT ~ali/posta").contains("name: [126, 97, 108, 105"));
    assert!(shown("FETCH 1 BODY[HEADER.FIELDS (~x)]").contains("\"~x\""));
    assert!(shown("SELECT ~{3}\r\nabc").contains("name: [97, 98, 99]"));
}

#[test]
fn what_is_no_command_is_refused() {
    for text in [
        "",
        "NOOP x",
        "BOGUS",
        "UID NOOP",
        "LOGIN ali",
        "LOGIN \"a",
        "SELECT",
        "FETCH 1",
        "FETCH 0 FLAGS",
        "FETCH 1 (FLAGS",
        "FETCH 1 BODY[MIME]",
        "FETCH 1 BODY[0]",
        "FETCH 1 BODY[1.]x",
        "FETCH 1 BODY[]<0.0>",
        "FETCH 1 BODY[HEADER.FIELDS ()]",
        "FETCH 1:* FLAGS (VANISHED)",
        "STORE 1 FLAGS",
        "STORE 1 +X (\\Seen)",
        "SEARCH",
        "SEARCH FOO",
        "SEARCH CHARSET klingon ALL",
        "SEARCH (ALL",
        "SEARCH OR ALL",
        "SEARCH RETURN (PARTIAL 0:4) ALL",
        "SEARCH RETURN (PARTIAL 1:-4) ALL",
        "SEARCH RETURN (ALL)",
        "SORT (SUBJECT) ALL",
        "SORT SUBJECT UTF-8 ALL",
        "SORT () UTF-8 ALL",
        "SORT (REVERSE) UTF-8 ALL",
        "THREAD JWZ UTF-8 ALL",
        "THREAD REFERENCES UTF-8",
        "UID ESEARCH ALL",
        "ESEARCH IN (mailboxes ()) ALL",
        "ESEARCH IN (\"selected\") ALL",
        "CANCELUPDATE",
        "SEARCH ON 99-Foo-1",
        "LIST (X) \"\" *",
        "LIST (RECURSIVEMATCH) \"\" *",
        "LIST \"\"",
        "CREATE a (USE (Foo))",
        "ENABLE",
        "STATUS x (FOO)",
        "LOGIN {2}\r\na\0 x",
        "COPY 1",
        "APPEND x CATENATE",
        "APPEND x CATENATE ()",
        "APPEND x CATENATE (URL)",
        "APPEND x CATENATE (URL /a TEXT)",
        "APPEND x CATENATE (URL /a",
        "APPEND x CATENATE (URL /a URL /b)x",
        "APPEND x CATENATE (MIME /a)",
        "APPEND x UTF8 (CATENATE (URL /a))",
        "REPLACE $ x CATENATE (URL /a)",
        "REPLACE x CATENATE (URL /a)",
        "REPLACE 1 x CATENATE (URL /a) CATENATE (URL /b)",
        "FETCH 1 PREVIEW (LAZY",
        "FETCH 1 BINARY",
        "FETCH 1 BINARY[TEXT]",
        "FETCH 1 BINARY.SIZE[1]<0.1>",
        "SEARCH SAVEDON",
        "SEARCH EMAILID (M1)",
        "STATUS x (MAILBOXID[1])",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert!(parse_command_bytes(b"").is_err());
    assert!(parse_command_bytes(b"+ NOOP\r\n").is_err());
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = format!("SEARCH {}ALL{}", "(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(parse(&deep).err(), Some("Search nested too deep"));
    let nots = format!("SEARCH {}ALL", "NOT ".repeat(5_000));
    assert_eq!(parse(&nots).err(), Some("Search nested too deep"));
    let wide = format!("SEARCH {}ALL", "SEEN ".repeat(5_000));
    assert_eq!(parse(&wide).err(), Some("Too many search keys"));
    let texts = |count: usize| format!("SEARCH{}", " TEXT x".repeat(count));
    assert!(parse(&texts(64)).is_ok());
    assert_eq!(parse(&texts(65)).err(), Some("Too many search texts"));
    let sorts = format!("SORT ({}SIZE) UTF-8 ALL", "SIZE ".repeat(20));
    assert_eq!(parse(&sorts).err(), Some("Too many sort keys"));
    let sources = format!("ESEARCH IN ({}personal) ALL", "personal ".repeat(32));
    assert_eq!(parse(&sources).err(), Some("Too many sources"));
    let names = format!("ESEARCH IN (mailboxes ({}x)) ALL", "x ".repeat(300));
    assert_eq!(parse(&names).err(), Some("Too many mailboxes"));
    let again = format!("FETCH 1 ({}UID)", "UID ".repeat(100));
    assert_eq!(parse(&again).err(), Some("Too many FETCH items"));
    let set = format!("FETCH {}1 FLAGS", "1,".repeat(20_000));
    assert_eq!(parse(&set).err(), Some("Bad message set"));
    let urls = format!("APPEND x CATENATE (URL /a{})", " URL /a".repeat(5_000));
    assert_eq!(parse(&urls).err(), Some("Too many parts"));
    let part = format!("FETCH 1 BODY[{}1]", "1.".repeat(5_000));
    assert_eq!(parse(&part).err(), Some("Part number too deep"));
}

#[test]
fn responses_call_sections_by_their_names() {
    for (asked, name) in [
        ("BODY.PEEK[]", "BODY[]"),
        ("body[text]<5.10>", "BODY[TEXT]<5>"),
        ("BODY[1.2.Header]", "BODY[1.2.HEADER]"),
        ("BODY.PEEK[HEADER.FIELDS (\"From\" To)]", "BODY[HEADER.FIELDS (From To)]"),
        ("BODY[3.HEADER.FIELDS.NOT (a(b)]", "-"),
        ("RFC822", "RFC822"),
        ("rfc822.peek", "RFC822"),
    ] {
        match parse(&format!("FETCH 1 {asked}")) {
            Ok(Command::Fetch(fetch)) => match &fetch.items[0] {
                FetchItem::Section { name: found, .. } => assert_eq!(found, name),
                other => panic!("{other:?}"),
            },
            _ => assert_eq!(name, "-"),
        }
    }
}

#[test]
fn searches_become_trees() {
    assert!(shown("SEARCH 1:3 NOT (SEEN DELETED)").contains(
        "And([Messages(Sequence(SequenceSet { ranges: [(Some(1), Some(3))] })), Not(And([Flag(SystemFlags(1)), Flag(SystemFlags(8))]))])"
    ));
    match parse("UID SEARCH UID 5:*") {
        Ok(Command::Search(search)) => {
            assert!(search.uid && search.returns.is_none());
            assert!(matches!(search.key, SearchKey::Messages(MessageSet::Uid(_))));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_append_is_read_up_to_its_message() {
    let head = |text: &str| match append_head(text.as_bytes()) {
        Head::Append(tag, append) => format!("{tag} {append:?}"),
        Head::Bad(_, reason) => reason.to_owned(),
        Head::More(..) | Head::Other => "other".to_owned(),
    };
    let whole =
        head("a APPEND \"Taslaklar\" (\\Seen \\Draft kw) \" 7-Jul-2026 02:44:25 +0300\" {310}\r\n");
    assert!(whole.contains("Octets(Literal { size: 310, sync: true, binary: false"), "{whole}");
    assert!(whole.contains("2026-07-06T23:44:25"), "{whole}");
    assert!(head("a APPEND x ~{3+}\r\n").contains("sync: false, binary: true"));
    assert_eq!(head("a APPEND {5}\r\n"), "other");
    assert!(head("a APPEND {5}\r\nINBOX {7}\r\n").contains("size: 7"));
    assert_eq!(head("a APPEND x \"yesterday\" {3}\r\n"), "Bad date");
    assert_eq!(head("a LOGIN {3}\r\n"), "other");
}

mod oracle;

#[test]
fn notify_is_read_within_bounds() {
    let names = |count: usize| vec!["x"; count].join(" ");
    let groups = |count: usize| vec!["(personal NONE)"; count].join(" ");
    for good in [
        "NOTIFY NONE".to_owned(),
        "notify set status (Selected-Delayed (messagenew (uid body.peek[1]) messageexpunge))"
            .into(),
        "NOTIFY SET (subtree (a \"b c\") (MessageNew MessageExpunge FlagChange)) (subscribed NONE)"
            .into(),
        "NOTIFY SET (mailboxes {1+}\r\nx (SubscriptionChange))".into(),
        format!("NOTIFY SET (mailboxes ({}) NONE)", names(256)),
        format!("NOTIFY SET {}", groups(32)),
    ] {
        assert!(parse(&good).is_ok(), "{good}");
    }
    for bad in [
        "NOTIFY".to_owned(),
        "NOTIFY SET".into(),
        "NOTIFY SET ()".into(),
        "NOTIFY SET (personal ())".into(),
        "NOTIFY SET (mailboxes () NONE)".into(),
        "NOTIFY SET (personal (MessageNew (UID)))".into(),
        "NOTIFY SET (selected (MessageNew () MessageExpunge))".into(),
        format!("NOTIFY SET (mailboxes ({}) NONE)", names(257)),
        format!("NOTIFY SET {}", groups(33)),
    ] {
        assert!(parse(&bad).is_err(), "{bad}");
    }
}

#[test]
fn what_a_client_knows_has_no_star() {
    for good in ["(QRESYNC (1 2))", "(QRESYNC (1 2 3:4))", "(QRESYNC (1 2 (1:2 3,5)))"] {
        assert!(parse(&format!("SELECT x {good}")).is_ok(), "{good}");
    }
    for bad in ["(1 2 *)", "(1 2 1:*)", "(1 2 1:3 (* 3))", "(1)", "(1 2 3 4)", "(4294967296 1)", ""]
    {
        assert!(parse(&format!("SELECT x (QRESYNC {bad})")).is_err(), "{bad}");
    }
}
