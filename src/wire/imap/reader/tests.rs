//! Pieces, cuts and limits of the reader.

use super::*;
use proptest::prelude::*;

/// Runs `input` in the given pieces; messages are accepted.
fn run(pieces: &[&[u8]]) -> Vec<String> {
    let mut reader = Reader::new(Limits { line: 200, command: 300 });
    let mut said: Vec<String> = Vec::new();
    let mut message: Vec<u8> = Vec::new();
    for piece in pieces {
        reader.feed(piece);
        while let Some(event) = reader.event() {
            match event {
                Event::Chunk(bytes) => {
                    message.extend(bytes);
                    continue;
                }
                Event::Append { .. } => reader.accept(),
                Event::AppendMore(steps) => {
                    said.push(String::from_utf8_lossy(&message).into_owned());
                    said.push(format!("More {steps:?}"));
                    reader.accept();
                    continue;
                }
                _ => {}
            }
            said.push(format!("{event:?}"));
        }
    }
    said
}

const DIALOGUE: &[u8] = b"a1 NOOP\r\na2 LOGIN {3}\r\nali {4+}\r\nx\r\ny\r\na3 APPEND INBOX (\\Seen) {11+}\r\nbir\r\niki{3}\r\n\
a4 BOGUS\r\na6 APPEND INBOX UTF8 (~{3+}\r\nx))y\r\na7 APPEND INBOX UTF8 (~{3+}\r\nx)))\r\n\
a5 LOGIN {999+}\r\n";

#[test]
fn commands_come_out_whole() {
    let said = run(&[DIALOGUE]);
    assert_eq!(said.len(), 13, "{said:#?}");
    assert!(said[0].contains("a1") && said[0].contains("Noop"));
    assert_eq!(said[1], "GoOn");
    assert!(said[2].contains("user: \"ali\""));
    assert!(said[3].starts_with("Append { tag: \"a3\""));
    assert_eq!(said[4], "bir\r\niki{3}");
    assert!(said[6].contains("a4"));
    assert!(said[8].contains("Bad { tag: None"), "{said:#?}");
    assert!(said[10].ends_with("x))"), "{said:#?}");
}

#[test]
fn cuts_change_nothing() {
    let whole = run(&[DIALOGUE]);
    for at in 0..DIALOGUE.len() {
        assert_eq!(run(&[&DIALOGUE[..at], &DIALOGUE[at..]]), whole, "cut at {at}");
    }
    let bytes: Vec<&[u8]> = DIALOGUE.chunks(1).collect();
    assert_eq!(run(&bytes), whole);
}

#[test]
fn what_is_too_long_is_skipped_without_being_kept() {
    let mut reader = Reader::new(Limits { line: 200, command: 300 });
    let mut bad = 0;
    for _ in 0..1000 {
        reader.feed(&[b'x'; 100]);
        while let Some(event) = reader.event() {
            assert!(matches!(event, Event::Bad { reason: "Line too long", .. }));
            bad += 1;
        }
        assert!(reader.bytes.len() <= 300);
    }
    reader.feed(b"\r\na NOOP\r\n");
    assert!(matches!(reader.event(), Some(Event::Command(_))));
    assert_eq!(bad, 1);
}

#[test]
fn a_refused_message_is_skipped_only_when_it_comes() {
    let mut reader = Reader::new(Limits::AFTER_LOGIN);
    reader.feed(b"a APPEND x {5+}\r\nhello\r\nb APPEND x {5}\r\nc NOOP\r\n");
    for _ in 0..2 {
        assert!(matches!(reader.event(), Some(Event::Append { .. })));
        assert!(reader.event().is_none());
        reader.refuse();
    }
    assert!(matches!(reader.event(), Some(Event::Command(_))));
}

#[test]
fn a_literal_bomb_ends_the_talk() {
    let mut reader = Reader::new(Limits::BEFORE_LOGIN);
    reader.feed(b"a LOGIN {4294967295+}\r\n");
    assert!(matches!(reader.event(), Some(Event::Bad { .. })));
    assert!(matches!(reader.event(), Some(Event::Hopeless(_))));
    reader.feed(&[b'x'; 1000]);
    assert!(reader.event().is_none() && reader.bytes.is_empty());
}

/// Found by fuzzing: the announcement was seen only when it came in one piece, and what followed was
/// then taken for commands.
#[test]
fn a_literal_behind_a_skipped_line_is_seen_however_it_is_cut() {
    let skipped = [b"a LOGIN x y".as_slice(), &[b'z'; 300], b" {9+}\r\nb NOOP\r\n\r\nc NOOP\r\n"];
    let skipped = skipped.concat();
    let whole = run(&[&skipped]);
    assert_eq!(whole.len(), 2, "{whole:?}");
    for at in 0..skipped.len() {
        assert_eq!(run(&[&skipped[..at], &skipped[at..]]), whole, "cut at {at}");
    }
}

/// The same with more digits than are kept of a line.
#[test]
fn a_number_of_any_length_behind_a_skipped_line_is_judged_however_it_is_cut() {
    for (digits, plus) in [(5, "+"), (18, "+"), (19, "+"), (20, "+"), (40, "+"), (40, "")] {
        let zeros = "0".repeat(digits);
        let line = format!(
            "a LOGIN x y{} {{{zeros}5{plus}}}\r\nxyxyxb NOOP\r\nc NOOP\r\n",
            "z".repeat(300)
        );
        let line = line.as_bytes();
        let whole = run(&[line]);
        assert!(whole[0].contains("Line too long"), "{whole:?}");
        match digits {
            ..20 => assert!(whole.len() == 2 && whole[1].contains("\"c\""), "{whole:?}"),
            _ => assert_eq!(whole[1..], ["Hopeless(\"Literal too big\")"]),
        }
        let octets: Vec<&[u8]> = line.chunks(1).collect();
        assert_eq!(run(&octets), whole, "{digits}");
        for at in 300..line.len() {
            assert_eq!(run(&[&line[..at], &line[at..]]), whole, "{digits} cut at {at}");
        }
    }
}

/// Found by fuzzing: lines behind a message and answers of AUTHENTICATE had a limit only when they
/// came in pieces.
#[test]
fn an_answer_is_as_long_in_one_piece_as_in_many() {
    for length in [197, 198, 199, 200, 201] {
        let line = [&vec![b'x'; length][..], b"\r\n"].concat();
        let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
            let mut reader = Reader::new(Limits { line: 200, command: 300 });
            reader.expect_line();
            let mut events = Vec::new();
            for piece in pieces {
                reader.feed(piece);
                events.extend(reader.event().map(|event| format!("{event:?}")));
            }
            events
        };
        let whole = read(&mut std::iter::once(line.as_slice()));
        assert_eq!(whole[0].starts_with("Line"), length <= 198, "{length}: {whole:?}");
        assert_eq!(read(&mut line.chunks(1)), whole);
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..10)) {
        run(&pieces.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    #[test]
    fn no_words_are_too_odd(words in proptest::collection::vec(prop_oneof![
        Just("a "), Just("\r\n"), Just("FETCH "), Just("SEARCH "), Just("("), Just(")"), Just("1:*"), Just(" "),
        Just("BODY[1.HEADER.FIELDS (X)]"), Just("{3}\r\n"), Just("{2+}\r\nab"), Just("\""), Just("UID "), Just("OR "),
        Just("NOT "), Just("LIST "), Just("APPEND x "), Just("STORE "), Just("+FLAGS "), Just("<0.1>"), Just("RETURN ")
    ], 0..30)) {
        let words = words.concat();
        let octets: Vec<&[u8]> = words.as_bytes().chunks(1).collect();
        prop_assert_eq!(run(&octets), run(&[words.as_bytes()]));
    }
}

/// Several messages, parts of messages, and a literal that is an argument.
const MANY: &[u8] = b"a APPEND INBOX (\\Seen) {3+}\r\none {3+}\r\ntwo UTF8 (~{3+}\r\nsix) CATENATE (URL \"/x;UID=1\" TEXT {4+}\r\n\
four URL {8+}\r\n/y/;UID= TEXT {4+}\r\nfive)\r\nb APPEND x CATENATE (URL /z)\r\nc UID REPLACE 7 x {2+}\r\nok\r\nd NOOP\r\n";

#[test]
fn messages_and_their_parts_come_one_after_another() {
    let said = run(&[MANY]);
    let text = said.join("\n");
    for part in ["onetwosixfour", "onetwosixfourfiveok"] {
        assert!(said.iter().any(|line| line == part), "{said:#?}");
    }
    assert_eq!(text.matches("Message {").count(), 6, "{said:#?}");
    assert_eq!(text.matches("Octets(").count(), 4);
    assert_eq!(text.matches("Text(").count(), 2);
    assert_eq!(text.matches("Url(").count(), 3);
    assert_eq!(text.matches("End]").count(), 3, "{said:#?}");
    assert!(text.contains("replaces: Some(Uid("));
    for at in 0..MANY.len() {
        assert_eq!(run(&[&MANY[..at], &MANY[at..]]), said, "cut at {at}");
    }
}

#[test]
fn what_is_refused_amid_an_append_is_skipped_to_its_end() {
    for rest in [" {3+}\r\ntwo {1+}\r\nx\r\n", "\r\n", " nonsense {2+}\r\n\r\n\r\n"] {
        let mut reader = Reader::new(Limits::AFTER_LOGIN);
        reader.feed(format!("a APPEND x {{3+}}\r\none{rest}b NOOP\r\n").as_bytes());
        assert!(matches!(reader.event(), Some(Event::Append { .. })));
        reader.accept();
        assert!(matches!(reader.event(), Some(Event::Chunk(_))));
        reader.refuse();
        assert!(matches!(reader.event(), Some(Event::Command(_))), "{rest}");
        assert!(!reader.is_amid());
    }
}

#[test]
fn invariant_10_a_line_that_trickles_in_is_looked_through_once() {
    let mut reader = Reader::new(Limits::AFTER_LOGIN);
    for count in 1..=60_000 {
        reader.feed(b"a");
        assert!(reader.event().is_none());
        assert_eq!(reader.scanned, (0, count));
    }
    reader.feed(b"\r\nb NOOP\r\nc");
    assert!(matches!(reader.event(), Some(Event::Bad { .. })));
    assert!(matches!(reader.event(), Some(Event::Command(_))));
    assert!(reader.event().is_none());
    // Behind a literal the line begins elsewhere; what is refused amid an APPEND is another line.
    reader.feed(b" LOGIN a {3+}\r\nb\nc");
    assert!(reader.event().is_none());
    reader.feed(b" d\r\ne APPEND x {1+}\r\nx (");
    assert!(matches!(reader.event(), Some(Event::Bad { .. } | Event::Command(_))));
    assert!(matches!(reader.event(), Some(Event::Append { .. })));
    reader.accept();
    assert!(matches!(reader.event(), Some(Event::Chunk(_))));
    assert!(reader.event().is_none());
    reader.refuse();
    reader.feed(b"\r\nf NOOP\r\n");
    assert!(matches!(reader.event(), Some(Event::Command(_))));
}
