//! Structures as clients get them, and imap-codec as judge.

mod oracle;

use super::write::{Enclosed, STRUCTURE_MAX, Writer, envelope};
use super::*;
use proptest::prelude::*;

const DISPATCH: &str = "Date: Mon, 23 Nov 2026 11:29:24 +0300\r\nSubject: =?utf-8?q?S=C3=B6z?=\r\n\
From: \"ali@hs05.kep.tr ad\u{131}na\" <kepservisi@hs05.kep.tr>\r\nTo: g: a@b;\r\n\
Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n--m\r\n\
Content-Type: message/rfc822; name=\"AttachedMimeMessage.eml\"\r\n\r\nSubject: GIZLI\r\n\
Content-Type: application/pdf; name=secret.pdf\r\n\r\nx\r\n--m--\r\n";

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_row_holds_what_a_client_gets() {
    let row = Structure::compute(DISPATCH.as_bytes());
    let it = Structure::read(&row).unwrap();
    assert_eq!(
        text(it.envelope),
        "(\"Mon, 23 Nov 2026 11:29:24 +0300\" \"=?utf-8?q?S=C3=B6z?=\" \
         (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
         (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
         (({22}\r\nali@hs05.kep.tr ad\u{131}na NIL \"kepservisi\" \"hs05.kep.tr\")) \
         ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL)) NIL NIL NIL NIL)"
    );
    assert!(text(it.bodystructure).contains("secret.pdf"));
    assert!(text(it.bodystructure).starts_with(
        "((\"TEXT\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 5 0 NIL NIL NIL NIL)"
    ));
    assert_eq!(it.layout().unwrap().nodes().len(), 4);
}

#[test]
fn an_unopened_dispatch_shows_nothing_of_the_original() {
    let row = Structure::compute(DISPATCH.as_bytes());
    let it = Structure::read(&row).unwrap();
    for masked in [it.masked_bodystructure, it.masked_body] {
        assert!(!text(masked).contains("secret") && !text(masked).contains("GIZLI"));
        assert!(text(masked).contains("AttachedMimeMessage.eml"));
        assert!(text(masked).contains("(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"));
    }
}

#[test]
fn a_plain_mail_is_kept_once() {
    let row = Structure::compute(b"Subject: x\r\n\r\nbody\r\n");
    let it = Structure::read(&row).unwrap();
    assert_eq!(it.masked_body, it.body);
    assert_eq!(
        text(it.body),
        "(\"TEXT\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 6 1)"
    );
}

#[test]
fn a_structure_too_large_is_shown_without_what_is_enclosed_then_as_a_leaf() {
    let part = format!("--i\r\nContent-Type: a/b; x={}\r\n\r\n\r\n", "y".repeat(9_000));
    let inside = format!("Content-Type: multipart/x; boundary=i\r\n\r\n{}", part.repeat(80));
    let enclosed = format!(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nhello\r\n\
                            --m\r\nContent-Type: message/rfc822\r\n\r\n{inside}\r\n--m--\r\n"
    );
    let row = Structure::compute(enclosed.as_bytes());
    let it = Structure::read(&row).unwrap();
    assert!(text(it.bodystructure).contains("(\"application\" \"octet-stream\""));
    assert!(text(it.bodystructure).starts_with("((\"TEXT\""), "the wrapping is shown");
    assert!(text(it.masked_body).contains("\"RFC822\""), "{}", text(it.masked_body));
    let row = Structure::compute(inside.as_bytes());
    let it = Structure::read(&row).unwrap();
    assert!(text(it.body).starts_with("(\"TEXT\" \"plain\" NIL"), "{}", text(it.body));
    assert!(row.len() < 4096);
    let many = format!("To: {}\r\n\r\n", "a@b,".repeat(100_000));
    assert!(Structure::compute(many.as_bytes()).len() < STRUCTURE_MAX);
}

proptest! {
    #[test]
    fn any_mail_has_a_structure(mail in proptest::collection::vec(any::<u8>(), 0..300)) {
        let row = Structure::compute(&mail);
        prop_assert!(Structure::read(&row).is_some_and(|it| it.layout().is_some()));
    }

    #[test]
    fn no_row_is_too_odd(row in proptest::collection::vec(any::<u8>(), 0..60)) {
        Structure::read(&row);
    }

    #[test]
    fn imap_codec_writes_the_same(mail in mail()) {
        let mail = mail.concat();
        let mail = mail.as_bytes();
        let root = mime::parse(mail);
        let mut own = Vec::new();
        envelope(&mut own, root.header_bytes(mail));
        prop_assert_eq!(own, oracle::envelope_of(root.header_bytes(mail)));
        for enclosed in [Enclosed::Open, Enclosed::Masked, Enclosed::Leaf] {
            for extended in [true, false] {
                let mut own = Vec::new();
                Writer { message: mail, enclosed, extended }.structure(&mut own, &root);
                prop_assert_eq!(own, oracle::structure_of(mail, &root, enclosed, extended));
            }
        }
    }
}

/// Lines that make messages of all shapes: nested, cut, with fields that are odd or stand twice.
fn mail() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(LINES), 0..40)
}

const LINES: &[&str] = &[
    "Content-Type: multipart/mixed; boundary=m\r\n",
    "Content-Type: multipart/digest; boundary=\"d\"\r\n",
    "Content-Type: message/rfc822; name=\"a \\\"b\\\\.eml\"\r\n",
    "Content-Type: application/pdf;\r\n name=\"\u{15f}.pdf\"; x=\0\r\n",
    "Content-Type: TEXT/Html; charset=utf-8\r\n",
    "Content-Type: text\r\n",
    "Content-Disposition: attachment; filename=\"a;b\"\r\n",
    "Content-Disposition: inline\r\n",
    "Content-Language: tr, en\r\n",
    "Content-Location: http://a/\r\n",
    "Content-MD5: Q2hlY2s=\r\n",
    "Content-ID: <a@b>\r\n",
    "Content-Description: \t\u{7f}ek\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "From: \"Ali \\\"Veli\\\"\" <ali@b>, (c) d@e\r\n",
    "Sender:\r\n",
    "Reply-To: <@r:a@b>\r\n",
    "To: g: a@b, \u{15f}@c;, d\r\n",
    "Cc: x@y\r\n",
    "Subject: bir\r\n  iki \\ \u{131}\r\n",
    "Subject: \r\n",
    "Date: Mon, 23 Nov 2026 11:29:24 +0300\r\n",
    "Message-ID: <1@a>\r\nIn-Reply-To: <0@a>\r\n",
    "\r\n",
    "--m\r\n",
    "--m--\r\n",
    "--d\r\n",
    "text\r\n",
    "bare\n",
];
