//! CBOR (RFC 8949), as authenticators write it (CTAP 2.1 §8): definite lengths, no tags. What is
//! nested deeper than any of them nests is refused.

/// A data item; texts and octets are borrowed from what was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    Text(&'a str),
    Array(Vec<Value<'a>>),
    Map(Vec<(Value<'a>, Value<'a>)>),
    Bool(bool),
    /// Null, undefined, a number with a fraction: nothing that is asked for here.
    Other,
}

impl<'a> Value<'a> {
    /// One item, and the octets behind it.
    pub fn read(octets: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut reader = Reader { rest: octets };
        let value = reader.value(DEPTH)?;
        Some((value, reader.rest))
    }

    /// One item and nothing behind it.
    pub fn read_all(octets: &'a [u8]) -> Option<Self> {
        Self::read(octets).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
    }

    /// What a map has under a number; nothing when it has it twice.
    pub fn at(&self, key: i64) -> Option<&Value<'a>> {
        self.only(|known| *known == Value::Int(key))
    }

    /// What a map has under a text.
    pub fn named(&self, key: &str) -> Option<&Value<'a>> {
        self.only(|known| *known == Value::Text(key))
    }

    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(octets) => Some(octets),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// How many entries a map has.
    pub fn entries(&self) -> Option<usize> {
        match self {
            Self::Map(entries) => Some(entries.len()),
            _ => None,
        }
    }

    fn only(&self, is: impl Fn(&Value<'a>) -> bool) -> Option<&Value<'a>> {
        let Self::Map(entries) = self else { return None };
        let mut found = entries.iter().filter(|(key, _)| is(key));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => Some(value),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Option<Value<'a>> {
        let depth = depth.checked_sub(1)?;
        let first = *self.take(1)?.first()?;
        let (major, low) = (first >> 5, first & 0x1f);
        if major == SIMPLE {
            return self.simple(low);
        }
        let argument = self.argument(low)?;
        match major {
            0 => i64::try_from(argument).ok().map(Value::Int),
            // §3.1: minus one, minus the argument.
            1 => i64::try_from(argument).ok().map(|n| Value::Int(-1 - n)),
            2 => Some(Value::Bytes(self.take(usize::try_from(argument).ok()?)?)),
            3 => {
                let text = self.take(usize::try_from(argument).ok()?)?;
                std::str::from_utf8(text).ok().map(Value::Text)
            }
            4 => (0..self.count(argument, 1)?)
                .map(|_| self.value(depth))
                .collect::<Option<_>>()
                .map(Value::Array),
            5 => {
                let entries = 0..self.count(argument, 2)?;
                let entries = entries.map(|_| Some((self.value(depth)?, self.value(depth)?)));
                entries.collect::<Option<_>>().map(Value::Map)
            }
            _ => None,
        }
    }

    /// Items take an octet each at least: what is announced is there, or nothing is made for it.
    fn count(&self, announced: u64, each: usize) -> Option<usize> {
        let count = usize::try_from(announced).ok()?;
        (count.checked_mul(each)? <= self.rest.len()).then_some(count)
    }

    fn argument(&mut self, low: u8) -> Option<u64> {
        let size = match low {
            0..=23 => return Some(u64::from(low)),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            // 31 is an indefinite length; the others mean nothing.
            _ => return None,
        };
        let octets = self.take(size)?;
        Some(octets.iter().fold(0, |value, octet| value << 8 | u64::from(*octet)))
    }

    fn simple(&mut self, low: u8) -> Option<Value<'a>> {
        let size = match low {
            20 => return Some(Value::Bool(false)),
            21 => return Some(Value::Bool(true)),
            0..=23 => 0,
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        self.take(size).map(|_| Value::Other)
    }

    fn take(&mut self, size: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(taken)
    }
}

const SIMPLE: u8 = 7;
/// CTAP 2.1 §8: four levels; one more for what surrounds them.
const DEPTH: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    /// RFC 8949, appendix A.
    #[test]
    fn the_examples_of_the_standard_are_read() {
        let read = |hex: &str| HEXLOWER.decode(hex.as_bytes()).unwrap();
        for (hex, value) in [
            ("00", Value::Int(0)),
            ("17", Value::Int(23)),
            ("1818", Value::Int(24)),
            ("1903e8", Value::Int(1000)),
            ("1b000000e8d4a51000", Value::Int(1_000_000_000_000)),
            ("20", Value::Int(-1)),
            ("3863", Value::Int(-100)),
            ("390100", Value::Int(-257)),
            ("f4", Value::Bool(false)),
            ("f5", Value::Bool(true)),
            ("f6", Value::Other),
            ("f93c00", Value::Other),
            ("4401020304", Value::Bytes(&[1, 2, 3, 4])),
            ("62c3bc", Value::Text("ü")),
            ("83010203", Value::Array(vec![Value::Int(1), Value::Int(2), Value::Int(3)])),
        ] {
            assert_eq!(Value::read_all(&read(hex)), Some(value), "{hex}");
        }
        let map = read("a26161016162820203");
        let map = Value::read_all(&map).unwrap();
        assert_eq!(map.named("a").and_then(Value::int), Some(1));
        assert_eq!(map.named("c"), None);
    }

    #[test]
    fn what_no_authenticator_writes_is_refused() {
        for hex in [
            "",                   // nothing
            "18",                 // cut
            "5f",                 // indefinite length
            "9bffffffffffffffff", // more than there can be
            "1bffffffffffffffff", // no i64
            "c074",               // a tag
            "61ff",               // no UTF-8
            "fc",                 // reserved
            "8181818181818100",   // too deep
            "0000",               // something behind it
        ] {
            let octets = HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(Value::read_all(&octets), None, "{hex}");
        }
        let twice = HEXLOWER.decode(b"a201010102").unwrap();
        assert_eq!(Value::read_all(&twice).unwrap().at(1), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_octets_there_are_nothing_panics(octets: Vec<u8>) {
            let _ = Value::read(&octets);
        }
    }
}
