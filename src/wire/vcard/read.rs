//! A file of cards, one after the other. A card that can't be read is told with its line, and the next one
//! is read all the same. Work and memory are linear in the file.

use super::lines::{Line, Lines};
use super::property::TYPE;
use super::{Card, Parameter, Property};
use crate::wire::mime::layout::Encoding;
use crate::wire::mime::text::{decode_charset, decode_transfer};

/// What one entry of a file is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    /// Where it begins, from 1.
    pub line: usize,
    pub card: Result<Card, Bad>,
}

/// Why a card can't be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bad {
    /// Something that is neither a card nor blank stands between cards.
    Outside,
    /// Cards within cards.
    Nested,
    /// It has no end.
    Endless,
    /// None of 2.1, 3.0 and 4.0.
    Version,
    /// A line without name or colon.
    Line,
    /// A control character.
    Control,
    /// More properties or parameters, or more text, than any contact has.
    TooLarge,
    /// Binary text that isn't.
    Encoding,
}

/// All cards of a file.
pub fn read(octets: &[u8]) -> impl Iterator<Item = Read> {
    Reader { lines: Lines::new(octets), outside: false }
}

struct Reader<'a> {
    lines: Lines<'a>,
    /// What stands outside is told once until the next card.
    outside: bool,
}

impl Iterator for Reader<'_> {
    type Item = Read;

    fn next(&mut self) -> Option<Read> {
        loop {
            let line = self.lines.next()?;
            if is(&line, b"BEGIN:VCARD") {
                self.outside = false;
                return Some(Read { line: line.number, card: self.card() });
            }
            if !line.octets.trim_ascii().is_empty() && !std::mem::replace(&mut self.outside, true) {
                return Some(Read { line: line.number, card: Err(Bad::Outside) });
            }
        }
    }
}

impl Reader<'_> {
    fn card(&mut self) -> Result<Card, Bad> {
        let (mut card, mut bad, mut depth, mut size) = (Card::default(), None, 0_usize, 0_usize);
        let mut version = None;
        loop {
            let Some(line) = self.lines.next() else { return Err(bad.unwrap_or(Bad::Endless)) };
            if is(&line, b"END:VCARD") {
                match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => break,
                }
            } else if is(&line, b"BEGIN:VCARD") {
                depth += 1;
                bad = bad.or(Some(Bad::Nested));
            }
            size = size.saturating_add(line.octets.len());
            if size > CARD_MAX || card.properties.len() >= PROPERTIES_MAX {
                bad = bad.or(Some(Bad::TooLarge));
            }
            if bad.is_some() || line.octets.trim_ascii().is_empty() {
                continue;
            }
            match property(&line.octets) {
                Ok(found) if found.name == "VERSION" => version = Some(found.value),
                Ok(found) => card.properties.push(found),
                Err(error) => bad = Some(error),
            }
        }
        match bad {
            Some(bad) => Err(bad),
            None if !is_known(version.as_deref()) => Err(Bad::Version),
            None => Ok(card),
        }
    }
}

/// Files without a version are of programs that write 3.0, and none of them differs in what is read.
fn is_known(version: Option<&str>) -> bool {
    version.is_none_or(|version| matches!(version.trim(), "2.1" | "3.0" | "4.0"))
}

fn is(line: &Line, text: &[u8]) -> bool {
    let bare = line.octets.trim_ascii();
    bare.len() == text.len() && bare.eq_ignore_ascii_case(text)
}

fn property(line: &[u8]) -> Result<Property, Bad> {
    let (head, value) = cut(line).ok_or(Bad::Line)?;
    let head = decode_charset(head, None);
    let mut parts = outside_quotes(&head, ';').into_iter();
    let (group, name) = named(parts.next().unwrap_or_default()).ok_or(Bad::Line)?;
    let mut parameters = Vec::new();
    for part in parts {
        if parameters.len() >= PARAMETERS_MAX {
            return Err(Bad::TooLarge);
        }
        if !part.trim().is_empty() {
            merge(&mut parameters, parameter(part));
        }
    }
    let (value, is_binary) = decoded(value, &mut parameters)?;
    let sound = |text: &str| !text.chars().any(|c| c.is_control() && c != '\t');
    let told = parameters.iter().flat_map(|parameter| &parameter.values);
    if !sound(&value) || !told.into_iter().all(|text| sound(&text.replace('\n', ""))) {
        return Err(Bad::Control);
    }
    let mut property = Property { group, name, parameters, value };
    if is_binary {
        embedded(&mut property);
    }
    Ok(property)
}

/// The colon that ends the head stands outside quotation marks.
fn cut(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut quoted = false;
    let colon = line.iter().position(|b| {
        quoted ^= *b == b'"';
        *b == b':' && !quoted
    })?;
    Some((line.get(..colon)?, line.get(colon + 1..)?))
}

fn outside_quotes(text: &str, at: char) -> Vec<&str> {
    let mut quoted = false;
    let split = text.split(|c: char| {
        quoted ^= c == '"';
        c == at && !quoted
    });
    split.collect()
}

fn named(text: &str) -> Option<(Option<String>, String)> {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let (group, name) = match text.trim().rsplit_once('.') {
        Some((group, name)) => (Some(group), name),
        None => (None, text.trim()),
    };
    let good = word(name) && group.is_none_or(word);
    good.then(|| (group.map(str::to_owned), name.to_ascii_uppercase()))
}

/// In 2.1 a parameter may stand without its name.
fn parameter(text: &str) -> Parameter {
    let Some((name, values)) = text.split_once('=') else {
        let bare = text.trim().to_ascii_uppercase();
        let name = match bare.as_str() {
            "QUOTED-PRINTABLE" | "BASE64" | "8BIT" | "7BIT" => "ENCODING",
            "INLINE" | "URL" | "CONTENT-ID" => "VALUE",
            _ => TYPE,
        };
        return Parameter { name: name.to_owned(), values: vec![bare.to_ascii_lowercase()] };
    };
    let values = outside_quotes(values, ',').into_iter();
    let name = match name.trim().to_ascii_uppercase() {
        name if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !name.is_empty() =>
        {
            name
        }
        _ => "X-UNKNOWN".to_owned(),
    };
    Parameter { name, values: values.map(unquoted).collect() }
}

/// RFC 6868.
fn unquoted(value: &str) -> String {
    let bare = value.trim();
    let bare = bare.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(bare);
    let (mut out, mut chars) = (String::with_capacity(bare.len()), bare.chars());
    while let Some(c) = chars.next() {
        match c {
            '^' => match chars.next() {
                Some('^') => out.push('^'),
                Some('\'') => out.push('"'),
                Some('n') => out.push('\n'),
                Some(other) => out.extend(['^', other]),
                None => out.push('^'),
            },
            '"' => {}
            c => out.push(c),
        }
    }
    out
}

/// `TYPE=home;TYPE=fax` is `TYPE=home,fax`; the preferred type of 3.0 is a parameter in 4.0.
fn merge(parameters: &mut Vec<Parameter>, mut new: Parameter) {
    if new.name == TYPE {
        let before = new.values.len();
        new.values.retain(|value| !value.eq_ignore_ascii_case("pref"));
        if new.values.len() < before {
            merge(parameters, Parameter { name: "PREF".to_owned(), values: vec!["1".to_owned()] });
        }
        if new.values.is_empty() {
            return;
        }
    }
    match parameters.iter_mut().find(|known| known.name == new.name) {
        Some(known) => known.values.extend(new.values),
        None => parameters.push(new),
    }
}

/// The value in UTF-8, and whether it is octets in base64; what said how it was written is taken away.
fn decoded(value: &[u8], parameters: &mut Vec<Parameter>) -> Result<(String, bool), Bad> {
    let mut taken = |name: &str| {
        let place = parameters.iter().position(|parameter| parameter.name == name)?;
        parameters.remove(place).values.into_iter().next()
    };
    let (encoding, charset) = (taken("ENCODING"), taken("CHARSET"));
    let charset = charset.as_deref().map(str::as_bytes);
    let encoding = encoding.unwrap_or_default().to_ascii_lowercase();
    match encoding.as_str() {
        "quoted-printable" => {
            let octets = decode_transfer(value, Encoding::QuotedPrintable);
            let text = decode_charset(&octets, charset);
            Ok((text.replace("\r\n", "\n").replace('\n', "\\n"), false))
        }
        "b" | "base64" => {
            let bare: Vec<u8> =
                value.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
            let octets = data_encoding::BASE64.decode(&bare).map_err(|_| Bad::Encoding)?;
            Ok((data_encoding::BASE64.encode(&octets), true))
        }
        _ => Ok((decode_charset(value, charset).into_owned(), false)),
    }
}

/// What 3.0 has in base64 is a `data:` URI in 4.0 (RFC 6350 §6.2.4).
fn embedded(property: &mut Property) {
    let family = match property.name.as_str() {
        "PHOTO" | "LOGO" => "image",
        "SOUND" => "audio",
        _ => "application",
    };
    let kind = property.values(TYPE).next().unwrap_or("octet-stream").to_ascii_lowercase();
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
    let kind: String = kind.chars().filter(plain).collect();
    property.parameters.retain(|parameter| parameter.name != TYPE);
    property.value = format!("data:{family}/{kind};base64,{}", property.value);
}

/// Octets of one card, a small picture included.
const CARD_MAX: usize = 256 * 1024;
const PROPERTIES_MAX: usize = 1000;
const PARAMETERS_MAX: usize = 32;
