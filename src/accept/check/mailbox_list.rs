//! Address lists (RFC 5322 §3.4), read the one way every reader agrees on: no routes, no white
//! space or comment within an address. Raw 8-bit display names are taken; comments are skipped.

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Mailbox(String),
    /// The members' addresses.
    Group(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Reads a field's value. Empty places between commas (obs-addr-list) are passed over.
pub(super) fn parse(value: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let mut cursor = Cursor { octets: value, at: 0 };
    let mut entries = Vec::new();
    loop {
        cursor.skip_space()?;
        match cursor.peek() {
            None => return Ok(entries),
            Some(b',') => cursor.at += 1,
            Some(_) => {
                entries.push(cursor.entry()?);
                cursor.skip_space()?;
                if !matches!(cursor.peek(), None | Some(b',')) {
                    return Err(Malformed);
                }
            }
        }
    }
}

/// All addresses, those in groups too.
pub(super) fn addresses(entries: Vec<Entry>) -> Vec<String> {
    let of = |entry| match entry {
        Entry::Mailbox(address) => vec![address],
        Entry::Group(members) => members,
    };
    entries.into_iter().flat_map(of).collect()
}

struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.octets.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let octet = self.peek()?;
        self.at += 1;
        Some(octet)
    }

    fn entry(&mut self) -> Result<Entry, Malformed> {
        let words = self.words()?;
        match self.peek() {
            Some(b':') if !words.is_empty() => {
                self.at += 1;
                self.group().map(Entry::Group)
            }
            _ => self.mailbox(words).map(Entry::Mailbox),
        }
    }

    fn group(&mut self) -> Result<Vec<String>, Malformed> {
        let mut members = Vec::new();
        loop {
            self.skip_space()?;
            match self.peek() {
                Some(b';') => {
                    self.at += 1;
                    return Ok(members);
                }
                Some(b',') => self.at += 1,
                Some(_) => {
                    let words = self.words()?;
                    members.push(self.mailbox(words)?);
                    self.skip_space()?;
                    if !matches!(self.peek(), Some(b',' | b';')) {
                        return Err(Malformed);
                    }
                }
                None => return Err(Malformed),
            }
        }
    }

    /// What follows the words before `<` or `@`.
    fn mailbox(&mut self, words: Vec<String>) -> Result<String, Malformed> {
        match (self.take(), words.as_slice()) {
            (Some(b'<'), _) => {
                let local = self.words()?;
                let [local] = local.as_slice() else { return Err(Malformed) };
                if self.take() != Some(b'@') || self.was_apart() {
                    return Err(Malformed);
                }
                let address = self.address(local)?;
                self.skip_space()?;
                if self.take() == Some(b'>') { Ok(address) } else { Err(Malformed) }
            }
            (Some(b'@'), [local]) if !self.was_apart() => self.address(local),
            _ => Err(Malformed),
        }
    }

    /// Something stood between the local part and the `@` just taken.
    fn was_apart(&self) -> bool {
        let before = self.at.checked_sub(2).and_then(|at| self.octets.get(at));
        !before.is_some_and(|octet| is_atom(*octet) || *octet == b'"')
    }

    fn address(&mut self, local: &str) -> Result<String, Malformed> {
        let domain = match self.peek() {
            Some(b'[') => self.literal()?,
            _ => self.atom().ok_or(Malformed)?,
        };
        Ok(format!("{local}@{domain}"))
    }

    /// Atoms and quoted strings with space between; a quoted string keeps its quotes.
    fn words(&mut self) -> Result<Vec<String>, Malformed> {
        let mut words = Vec::new();
        loop {
            self.skip_space()?;
            if self.peek() == Some(b'"') {
                words.push(self.quoted()?);
            } else if let Some(atom) = self.atom() {
                words.push(atom);
            } else {
                return Ok(words);
            }
        }
    }

    /// A dot counts as a letter (`Ali V. Can <…>` is common).
    fn atom(&mut self) -> Option<String> {
        let rest = self.octets.get(self.at..)?;
        let end = rest.iter().position(|b| !is_atom(*b)).unwrap_or(rest.len());
        self.at += end;
        let text = String::from_utf8_lossy(rest.get(..end)?);
        (end > 0).then(|| text.into_owned())
    }

    fn quoted(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.take().ok_or(Malformed)? {
                b'"' => break,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
        let text = self.octets.get(start..self.at).ok_or(Malformed)?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    fn literal(&mut self) -> Result<String, Malformed> {
        let rest = self.octets.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|b| *b == b']').ok_or(Malformed)? + 1;
        self.at += end;
        Ok(String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned())
    }

    /// White space, folds and comments.
    fn skip_space(&mut self) -> Result<(), Malformed> {
        let mut depth = 0;
        while let Some(octet) = self.peek() {
            match octet {
                b'(' => depth += 1,
                b')' if depth > 0 => depth -= 1,
                b'\\' if depth > 0 => self.at += 1,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if depth > 0 => {}
                _ => return Ok(()),
            }
            self.at += 1;
        }
        if depth == 0 { Ok(()) } else { Err(Malformed) }
    }
}

fn is_atom(octet: u8) -> bool {
    octet >= 0x80
        || octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'/')
        || matches!(octet, b'=' | b'?' | b'^' | b'_' | b'`' | b'{' | b'|' | b'}' | b'~' | b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Vec<String>, Malformed> {
        parse(value.as_bytes()).map(addresses)
    }

    #[test]
    fn the_usual_forms_are_read() {
        for value in [
            "ali@hs05.kep.tr",
            " <ali@hs05.kep.tr>",
            "Ali Veli <ali@hs05.kep.tr>",
            "\"Veli, Ali \\\"x\\\" <b@c.d>\" <ali@hs05.kep.tr>",
            "=?utf-8?q?=C3=87a=C4=9Fr=C4=B1?=\r\n <ali@hs05.kep.tr>",
            "Çağrı V. Can <ali@hs05.kep.tr> (not <b@c.d>)",
            ",ali@hs05.kep.tr,",
        ] {
            assert_eq!(read(value).unwrap(), ["ali@hs05.kep.tr"], "{value}");
        }
    }

    #[test]
    fn groups_are_told_from_mailboxes() {
        let entries = parse(b"Kurul: a@hs05.kep.tr, B <b@hs05.kep.tr>;, c@hs05.kep.tr").unwrap();
        assert!(matches!(entries.as_slice(), [Entry::Group(_), Entry::Mailbox(_)]));
        assert_eq!(read("undisclosed-recipients:;").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_readers_disagree_on_is_malformed() {
        for value in [
            "ali",
            "ali veli@hs05.kep.tr",
            "<@route:ali@hs05.kep.tr>",
            "<ali@hs05.kep.tr",
            "ali@hs05.kep.tr veli@hs05.kep.tr",
            "<ali@hs05.kep.tr> <veli@hs05.kep.tr>",
            "(open ali@hs05.kep.tr",
            "\"open ali@hs05.kep.tr",
            "ali @hs05.kep.tr",
            "ali(c)@hs05.kep.tr",
            "<ali @hs05.kep.tr>",
            "ali@ hs05.kep.tr",
            "ali@@hs05.kep.tr",
            "group: a@b.c",
            ": a@b.c;",
        ] {
            assert_eq!(read(value), Err(Malformed), "{value}");
        }
    }

    #[test]
    fn a_quoted_local_part_keeps_its_quotes() {
        assert_eq!(read("\"ali\"@hs05.kep.tr").unwrap(), ["\"ali\"@hs05.kep.tr"]);
    }

    proptest::proptest! {
        #[test]
        fn no_value_makes_it_panic(value in proptest::collection::vec(proptest::num::u8::ANY, 0..80)) {
            let _ = parse(&value);
        }
    }
}
