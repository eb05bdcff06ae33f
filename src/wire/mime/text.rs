//! Octets → text for people and for SEARCH: encoded words (RFC 2047), transfer encodings,
//! charsets. Undeclared 8-bit text is UTF-8 when it is valid, else windows-1254, Turkey's habit.

use super::layout::Encoding;
use super::tree::Part;
use crate::wire::Timestamp;
use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use std::borrow::Cow;

/// A field's value as people read it: unfolded, encoded words decoded, no control characters.
pub fn decode_words(value: &[u8]) -> String {
    let value = super::fields::unfold(value);
    let text = guess(&value);
    let mut line = text.into_owned().into_bytes();
    line.push(b'\n');
    let decoded = MessageStream::new(&line).parse_unstructured();
    let decoded = decoded.as_text().unwrap_or_default();
    decoded.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The first field of that name, decoded.
pub fn decoded_field(header: &[u8], name: &str) -> Option<String> {
    super::fields::field(header, name).map(|field| decode_words(field.value))
}

/// The day and time of a `Date:` value, or nothing when it is none.
pub fn parse_date(value: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(value);
    let date = mail_parser::DateTime::parse_rfc822(text.trim()).filter(|date| date.is_valid())?;
    Some(Timestamp::from_secs(date.to_timestamp()))
}

/// The octets behind a transfer encoding; as they are when they don't decode.
pub fn decode_transfer(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    let decoded = match encoding {
        Encoding::Base64 => base64_decode(bytes),
        Encoding::QuotedPrintable => quoted_printable_decode(bytes),
        Encoding::Identity | Encoding::Other => None,
    };
    decoded.map_or(Cow::Borrowed(bytes), Cow::Owned)
}

/// Octets in a charset as text; a charset nobody knows is guessed.
pub fn decode_charset<'a>(bytes: &'a [u8], charset: Option<&[u8]>) -> Cow<'a, str> {
    let declared = charset.map(<[u8]>::to_ascii_lowercase).unwrap_or_default();
    let plain = matches!(declared.as_slice(), b"" | b"us-ascii" | b"utf-8");
    match charset_decoder(&declared).filter(|_| !plain) {
        Some(decode) => Cow::Owned(decode(bytes)),
        None => guess(bytes),
    }
}

/// Whether text in that charset can be read.
pub fn is_charset(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    matches!(name.as_slice(), b"us-ascii" | b"utf-8") || charset_decoder(&name).is_some()
}

/// A text part's content; nothing for other parts. HTML is returned with its tags.
pub fn part_text(part: &Part, message: &[u8]) -> Option<String> {
    if !part.content.is_kind("text") {
        return None;
    }
    let encoding = Encoding::of(&part.content);
    let bytes = decode_transfer(part.body_bytes(message), encoding);
    Some(decode_charset(&bytes, part.content.param("charset")).into_owned())
}

/// What is seen of HTML: no tags.
pub fn html_to_text(html: &str) -> String {
    mail_parser::decoders::html::html_to_text(html)
}

fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => match charset_decoder(b"windows-1254") {
            Some(decode) => Cow::Owned(decode(bytes)),
            None => String::from_utf8_lossy(bytes),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn turkish_words_are_read_in_any_dress() {
        for value in [
            "=?utf-8?q?S=C3=B6zle=C5=9Fme?=".as_bytes(),
            b"=?iso-8859-9?Q?S=F6zle=FEme?=",
            b"=?windows-1254?B?U/Z6bGX+bWU=?=",
            "Sözleşme".as_bytes(),
            b"S\xf6zle\xfeme",
        ] {
            assert_eq!(decode_words(value), "Sözleşme");
        }
        assert_eq!(decode_words(b"=?utf-8?q?a?=\r\n =?utf-8?q?b?= c"), "ab c");
    }

    #[test]
    fn parts_are_read_through_encoding_and_charset() {
        let mail = b"Content-Type: text/plain; charset=iso-8859-9\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=DEubat =\r\nay=FD";
        assert_eq!(part_text(&super::super::parse(mail), mail).as_deref(), Some("Şubat ayı"));
    }

    #[test]
    fn dates_are_instants() {
        let date = parse_date(b" Mon, 23 Nov 2026 11:29:24 +0300 (TRT)").unwrap();
        assert_eq!(date.iso8601_secs(), "2026-11-23T08:29:24Z");
        assert_eq!(parse_date("yarın".as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_octets_are_too_odd(value in proptest::collection::vec(any::<u8>(), 0..120)) {
            decode_words(&value);
            parse_date(&value);
            decode_charset(&value, Some(&value));
            decode_transfer(&value, Encoding::Base64);
            decode_transfer(&value, Encoding::QuotedPrintable);
        }
    }
}
