//! Trees of well-made, broken and hostile messages.

use super::*;
use proptest::prelude::*;

const DISPATCH: &str = "From: a\r\nContent-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\r\npreamble\r\n--m\r\n\r\nhello\r\n--m\r\n\
Content-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: multipart/mixed; boundary=mm\r\n\r\n\
--mm\r\n\r\none\r\n--mm--\r\nepilogue\r\n--m\r\nContent-Type: application/xml\r\n\r\n<x/>\r\n--m--\r\n\
--s\r\nContent-Type: application/pkcs7-signature\r\n\r\nsig\r\n--s--\r\n";

fn body<'a>(text: &'a str, part: &Part) -> &'a str {
    &text[part.body.clone()]
}

#[test]
fn a_dispatch_has_its_tree() {
    let root = parse(DISPATCH.as_bytes());
    let mixed = &root.children()[0];
    assert_eq!(mixed.children().len(), 3);
    assert_eq!(body(DISPATCH, &mixed.children()[0]), "hello");
    let original = &mixed.children()[1];
    assert!(matches!(original.inside, Body::Message(_)));
    let message = &original.children()[0];
    assert_eq!(message.header.start, original.body.start);
    assert_eq!(message.body.end, original.body.end);
    assert!(body(DISPATCH, original).ends_with("--mm--\r\nepilogue"));
    assert_eq!(body(DISPATCH, &message.children()[0]), "one");
    assert_eq!(body(DISPATCH, &mixed.children()[2]), "<x/>");
    assert_eq!(body(DISPATCH, &root.children()[1]), "sig");
}

#[test]
fn empty_and_headless_messages_have_a_tree() {
    assert_eq!(parse(b"").header, 0..0);
    assert_eq!(parse(b"\r\nbody").header, 0..2);
    assert_eq!(parse(b"\r\nbody").body, 2..6);
    assert_eq!(parse(b"Subject: x").body, 10..10);
    let cut = parse(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX: y");
    assert_eq!(cut.children().len(), 1);
    assert!(matches!(parse(b"Content-Type: multipart/mixed\r\n\r\nx").inside, Body::Leaf));
}

#[test]
fn a_missing_close_of_an_inner_part_is_ended_by_the_outer_one() {
    let text = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
                Content-Type: multipart/mixed; boundary=ab\r\n\r\n--ab\r\n\r\nx\r\n--a\r\n\r\ny\r\n--a--\r\n--a\r\n\r\nz";
    let root = parse(text.as_bytes());
    assert_eq!(root.children().len(), 2);
    assert_eq!(body(text, &root.children()[0].children()[0]), "x");
    assert_eq!(body(text, &root.children()[1]), "y");
}

#[test]
fn what_is_too_deep_is_a_leaf() {
    let level =
        |n: usize| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
    let text: String = (0..200).map(level).collect();
    let mut part = &parse(text.as_bytes());
    let mut depth = 1;
    while let Some(child) = part.children().first() {
        part = child;
        depth += 1;
    }
    assert_eq!(depth, DEPTH);
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(5_000);
    assert!(!parse(nested.as_bytes()).children().is_empty());
}

#[test]
fn parts_are_counted() {
    let text = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(5_000)
    );
    assert_eq!(parse(text.as_bytes()).children().len(), PARTS - 1);
}

fn inside(part: &Part) -> bool {
    part.header.end == part.body.start
        && part.body.start <= part.body.end
        && part.children().iter().all(|child| {
            part.body.start <= child.header.start
                && child.body.end <= part.body.end
                && inside(child)
        })
}

proptest! {
    #[test]
    fn any_octets_have_a_tree_with_ranges_inside_each_other(
        words in proptest::collection::vec(prop_oneof![
            Just("--b\r\n"), Just("--b--\r\n"), Just("--c\n"), Just("\r\n"), Just("x"), Just("\n"),
            Just("Content-Type: multipart/mixed; boundary=b\r\n\r\n"),
            Just("Content-Type: multipart/digest; boundary=\"c\"\n\n"),
            Just("Content-Type: message/rfc822\r\n\r\n"), Just("\0\u{ff}: ;=\"(")
        ], 0..40)
    ) {
        let text = words.concat();
        let root = parse(text.as_bytes());
        prop_assert!(inside(&root));
        prop_assert_eq!(root.body.end, text.len());
    }
}
