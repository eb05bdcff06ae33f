//! The first words of a message, as lists of messages show them (RFC 8970).

use super::layout::{Layout, Node, Shape};
use super::{Content, Decoder, text};
use std::ops::Range;

/// Gives octets of the message, as far as there are some.
pub type Read<'a, E> = dyn FnMut(Range<u64>) -> Result<Vec<u8>, E> + 'a;

/// The words of the first text that is shown, at most `LENGTH` characters in one line; empty when
/// there is no text. Of a dispatch (`enclosed`) it is the text of the message it encloses: its own
/// says the same in all of them.
pub fn preview<E>(layout: &Layout, enclosed: bool, read: &mut Read<'_, E>) -> Result<String, E> {
    let nodes = layout.nodes();
    let inner = nodes.iter().position(|node| node.shape == Shape::Message);
    let from = inner.filter(|_| enclosed).map_or(0, |at| at + 1);
    let mut html = None;
    let leaves = nodes.iter().skip(from).filter(|node| node.shape == Shape::Leaf);
    for node in leaves.take(PARTS) {
        let content = Content::of_header(&read(cut(&node.header, HEADER_MAX))?, false);
        let attached = content.disposition.as_ref();
        let attached = attached.is_some_and(|(kind, _)| kind.eq_ignore_ascii_case(b"attachment"));
        if attached || !content.is_kind("text") {
            continue;
        }
        if content.is("text", "html") {
            html = html.or(Some((node, content)));
            continue;
        }
        let words = words(&decoded(node, &content, read)?);
        if !words.is_empty() {
            return Ok(words);
        }
    }
    match html {
        Some((node, content)) => Ok(words(&text::html_to_text(&decoded(node, &content, read)?))),
        None => Ok(String::new()),
    }
}

/// The beginning of a text.
fn decoded<E>(node: &Node, content: &Content, read: &mut Read<'_, E>) -> Result<String, E> {
    let octets = read(cut(&node.body, BODY_MAX))?;
    let whole = octets.len() as u64 == node.body.end - node.body.start;
    let mut bytes = Vec::new();
    let Some(mut decoder) = Decoder::new(node.encoding) else { return Ok(String::new()) };
    decoder.feed(&octets, &mut bytes);
    if whole {
        decoder.finish(&mut bytes);
    } else {
        bytes.truncate(whole_letters(&bytes));
    }
    Ok(text::decode_charset(&bytes, content.param("charset")).into_owned())
}

/// Where the last whole letter ends, of UTF-8 that was cut; of other text all of it.
fn whole_letters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

/// In one line, without what can't be seen.
fn words(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word = word.trim_matches(is_unseen);
        if word.is_empty() {
            continue;
        }
        let space = usize::from(!out.is_empty());
        let room = LENGTH.saturating_sub(length + space);
        if room == 0 {
            break;
        }
        if space == 1 {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !is_unseen(*c)).take(room));
        length = out.chars().count();
    }
    out
}

/// Letters without a width and marks that turn the direction of a line.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn cut(range: &Range<u64>, most: u64) -> Range<u64> {
    range.start..range.end.min(range.start.saturating_add(most))
}

/// RFC 8970 §3.1: 200 characters are recommended, more than 256 forbidden.
const LENGTH: usize = 200;
/// Parts looked at.
const PARTS: usize = 16;
/// Octets of a part's header.
const HEADER_MAX: u64 = 8 << 10;
/// Octets of a text; newsletters have long heads.
const BODY_MAX: u64 = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mime::parse;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn of(mail: &[u8], enclosed: bool) -> String {
        let layout = Layout::of(&parse(mail));
        let mut read = |range: Range<u64>| {
            let part = mail.get(range.start as usize..range.end as usize);
            Ok::<_, Infallible>(part.unwrap_or_default().to_vec())
        };
        preview(&layout, enclosed, &mut read).unwrap()
    }

    #[test]
    fn it_is_the_text_in_one_line() {
        assert_eq!(
            of(b"Subject: x\r\n\r\n  Merhaba\r\n\r\nd\xc3\xbcnya \t!\r\n", false),
            "Merhaba dünya !"
        );
        assert_eq!(of(b"Content-Type: text/plain; charset=iso-8859-9\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=DEubat =\r\nay=FD", false), "Şubat ayı");
        assert_eq!(of(b"Content-Type: image/png\r\n\r\nx", false), "");
        assert_eq!(of(b"\r\n\r\n\r\n", false), "");
        assert_eq!(of("\r\na\u{200b}b \u{202e}c".as_bytes(), false), "ab c");
    }

    #[test]
    fn html_is_read_when_there_is_nothing_else() {
        let html = "Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>t</title><style>p{}</style></head>\
                    <body><p>Say\u{131}n &amp; yetkili,</p><script>x()</script></body></html>";
        assert_eq!(of(html.as_bytes(), false), "Sayın & yetkili,");
        let both = format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n{html}\r\n--b\r\n\
             Content-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nfile\r\n--b\r\n\r\nplain\r\n--b--\r\n"
        );
        assert_eq!(of(both.as_bytes(), false), "plain");
    }

    #[test]
    fn of_a_dispatch_it_is_what_is_enclosed() {
        let dispatch =
            b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nintroduction\r\n--b\r\n\
            Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\nenclosed\r\n--b--\r\n";
        assert_eq!(of(dispatch, true), "enclosed");
        assert_eq!(of(dispatch, false), "introduction");
        assert_eq!(of(b"\r\nno dispatch", true), "no dispatch");
    }

    #[test]
    fn it_has_two_hundred_letters_at_most_and_whole_ones() {
        let long =
            format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", "\u{15f}".repeat(40_000));
        assert_eq!(of(long.as_bytes(), false), "\u{15f}".repeat(200));
        // Cut in the middle of a letter.
        let spaces = " ".repeat((BODY_MAX - 5) as usize);
        let cut =
            format!("Content-Type: text/plain; charset=utf-8\r\n\r\nab{spaces}\u{15f}\u{15f}");
        assert_eq!(of(cut.as_bytes(), false), "ab ş");
    }

    proptest! {
        #[test]
        fn no_mail_is_too_odd(mail in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(of(&mail, true).chars().count() <= LENGTH);
        }
    }
}
