//! Address lists as ENVELOPE shows them (RFC 9051 §7.5.2): pieces in raw octets, encoded words not
//! decoded. Reads what RFC 5322 allows and most of what programs write instead.

/// One entry of an address list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// With the source route of an old address, as `@relay,@other` (RFC 5322 §4.4).
    Mailbox {
        name: Option<Vec<u8>>,
        route: Option<Vec<u8>>,
        local: Vec<u8>,
        domain: Vec<u8>,
    },
    GroupStart(Vec<u8>),
    GroupEnd,
}

/// The addresses in an unfolded value, at most `ADDRESSES`.
pub fn addresses(value: &[u8]) -> Vec<Address> {
    let mut reader = Reader { text: value, at: 0, found: Vec::new(), in_group: false };
    while reader.at < value.len() && reader.found.len() < ADDRESSES {
        reader.entry();
    }
    reader.found
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    found: Vec<Address>,
    in_group: bool,
}

/// What stands before `<`, `,`, `:` or `;`.
#[derive(Default)]
struct Phrase {
    /// Words and specials, a space where there was some.
    text: Vec<u8>,
    comment: Vec<u8>,
    route: Vec<u8>,
    /// A space was seen since the last word.
    space: bool,
}

impl Phrase {
    fn push(&mut self, word: &[u8]) {
        if self.space && !self.text.is_empty() {
            self.text.push(b' ');
        }
        self.space = false;
        self.text.extend_from_slice(word);
    }

    fn name(&self) -> Option<Vec<u8>> {
        let name = if self.text.is_empty() { &self.comment } else { &self.text };
        (!name.is_empty()).then(|| name.clone())
    }
}

impl Reader<'_> {
    /// One address, or the start or end of a group, with the separator behind it.
    fn entry(&mut self) {
        let mut phrase = Phrase::default();
        let mut angle: Option<Phrase> = None;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            let inside = angle.is_some();
            match byte {
                b',' if !inside || self.ends_angle() => break,
                b';' => return self.group_end(phrase, angle),
                b':' if !inside => return self.group_start(&phrase),
                b'<' if !inside => angle = Some(Phrase::default()),
                b'>' => {}
                _ => self.word(byte, angle.as_mut().unwrap_or(&mut phrase)),
            }
        }
        self.mailbox(phrase, angle);
    }

    /// A word, space, comment or quoted string whose first octet was just taken.
    fn word(&mut self, first: u8, into: &mut Phrase) {
        match first {
            // `<@relay:a@b>`
            b':' => into.route = std::mem::take(&mut into.text),
            b'(' => into.comment = self.comment(),
            b'"' => into.push(&self.quoted()),
            b' ' | b'\t' => into.space = true,
            _ => {
                self.at -= 1;
                into.push(self.atom());
            }
        }
    }

    /// A comma inside `<…>` stands in a source route when a `>` is still to come.
    fn ends_angle(&self) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let rest = rest.get(..ROUTE_MAX).unwrap_or(rest);
        let close = rest.iter().position(|b| *b == b'>');
        let open = rest.iter().position(|b| *b == b'<').unwrap_or(usize::MAX);
        close.is_none_or(|close| close > open)
    }

    fn atom(&mut self) -> &[u8] {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let end = rest.iter().position(|b| SPECIALS.contains(b)).unwrap_or(rest.len()).max(1);
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn quoted(&mut self) -> Vec<u8> {
        self.until(b'"', None)
    }

    fn comment(&mut self) -> Vec<u8> {
        self.until(b')', Some(b'('))
    }

    fn until(&mut self, close: u8, open: Option<u8>) -> Vec<u8> {
        let (mut out, mut depth) = (Vec::new(), 0_usize);
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => {
                    out.extend(self.text.get(self.at));
                    self.at += 1;
                    continue;
                }
                b if b == close && depth == 0 => break,
                b if b == close => depth -= 1,
                b if Some(b) == open => depth += 1,
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    fn group_start(&mut self, phrase: &Phrase) {
        self.in_group = true;
        self.found.push(Address::GroupStart(phrase.text.clone()));
    }

    fn group_end(&mut self, phrase: Phrase, angle: Option<Phrase>) {
        self.mailbox(phrase, angle);
        if std::mem::take(&mut self.in_group) {
            self.found.push(Address::GroupEnd);
        }
    }

    fn mailbox(&mut self, phrase: Phrase, angle: Option<Phrase>) {
        let (name, route, spec) = match angle {
            Some(angle) => (phrase.name(), some(angle.route), angle.text),
            // RFC 5322 §3.4: comments alone, as between the ends of an empty group, are no address.
            None if phrase.text.is_empty() => return,
            None => (some(phrase.comment), None, phrase.text),
        };
        let route = route.filter(|route| route.starts_with(b"@"));
        if spec.is_empty() && name.is_none() {
            return;
        }
        let at = spec.iter().rposition(|b| *b == b'@');
        let (local, domain) = match at {
            Some(at) => {
                (spec.get(..at).unwrap_or_default(), spec.get(at + 1..).unwrap_or_default())
            }
            None => (spec.as_slice(), &b""[..]),
        };
        let (local, domain) = (local.trim_ascii().to_vec(), domain.trim_ascii().to_vec());
        self.found.push(Address::Mailbox { name, route, local, domain });
    }
}

fn some(text: Vec<u8>) -> Option<Vec<u8>> {
    (!text.is_empty()).then_some(text)
}

const SPECIALS: &[u8] = b" \t,;:<>(\"";

/// How far the end of a source route is looked for; more would cost its square.
const ROUTE_MAX: usize = 1_000;
/// In one field; a header with more is shown with the first ones.
const ADDRESSES: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(value: &str) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let one = |address: &Address| match address {
            Address::Mailbox { route: Some(route), local, domain, .. } => {
                format!("{}:{}|{}", text(route), text(local), text(domain))
            }
            Address::Mailbox { name: Some(name), local, domain, .. } => {
                format!("{}|{}|{}", text(name), text(local), text(domain))
            }
            Address::Mailbox { name: None, local, domain, .. } => {
                format!("-|{}|{}", text(local), text(domain))
            }
            Address::GroupStart(name) => format!("{}:", text(name)),
            Address::GroupEnd => ";".to_owned(),
        };
        addresses(value.as_bytes()).iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn addresses_come_apart() {
        for (value, expected) in [
            ("a@b.c", "-|a|b.c"),
            ("Ali Veli <a@b>, \"Ş, Y.\" <c@d>", "Ali Veli|a|b Ş, Y.|c|d"),
            ("=?utf-8?q?=C5=9Eule?= <s@t>", "=?utf-8?q?=C5=9Eule?=|s|t"),
            ("a@b (Ali (V))", "Ali (V)|a|b"),
            ("grup: a@b, C <c@d>;, e@f", "grup: -|a|b C|c|d ; -|e|f"),
            ("undisclosed-recipients:;", "undisclosed-recipients: ;"),
            ("<@x,@y:a@b>", "@x,@y:a|b"),
            ("<x:a@b>", "-|a|b"),
            ("\"a b\"@c", "-|a b|c"),
            ("yalnız isim", "-|yalnız isim|"),
            ("A <a@b, c@d", "A|a|b -|c|d"),
            (",, ,", ""),
            ("group:;, two: (c) ;, (d)", "group: ; two: ;"),
            ("Name <>, (c) a@b", "Name|| c|a|b"),
        ] {
            assert_eq!(shown(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_octets_are_too_odd(value in proptest::collection::vec(any::<u8>(), 0..200)) {
            addresses(&value);
        }

        #[test]
        fn specials_in_any_order_come_to_an_end(value in "[a<>,;:\"()@\\\\ ]{0,80}") {
            addresses(value.as_bytes());
        }
    }
}
