//! The number of an operator (işlem yetkilisi) within an account: 1 to 999, written with three digits.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct OperatorCode(u16);

impl OperatorCode {
    pub const LAST: i64 = 999;

    /// As people write it, with or without zeros in front.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok()).flatten().and_then(Self::of_number)
    }

    /// As rows have it: 0 is the account's holder, who has no code.
    pub fn of_number(number: i64) -> Option<Self> {
        (1..=Self::LAST).contains(&number).then(|| u16::try_from(number).ok()).flatten().map(Self)
    }

    pub fn number(self) -> i64 {
        i64::from(self.0)
    }

    /// The number of the operator, or the holder's.
    pub fn or_holder(code: Option<Self>) -> i64 {
        code.map_or(0, Self::number)
    }
}

impl fmt::Display for OperatorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_is_written_and_nothing_else_is_one() {
        for number in 1..=OperatorCode::LAST {
            let code = OperatorCode::of_number(number).unwrap();
            assert_eq!(OperatorCode::parse(&code.to_string()), Some(code));
            assert_eq!(code.number(), number);
        }
        assert_eq!(OperatorCode::parse("1").unwrap().to_string(), "001");
        for bad in ["", "0", "000", "1000", "0001", "-1", "+1", "1a", "٣"] {
            assert_eq!(OperatorCode::parse(bad), None, "{bad:?}");
        }
        assert_eq!(OperatorCode::of_number(0), None);
        assert_eq!(OperatorCode::of_number(i64::MIN), None);
    }
}
