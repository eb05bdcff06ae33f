//! One property of a card: `group.NAME;PARAMETER=value:value` (RFC 6350 §3.3).

/// A property; its value stands as on the line, escaped.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Property {
    /// Ties properties together, `item1` above all.
    pub group: Option<String>,
    /// In upper case.
    pub name: String,
    pub parameters: Vec<Parameter>,
    pub value: String,
}

/// A parameter with its values, in plain text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// In upper case.
    pub name: String,
    pub values: Vec<String>,
}

impl Property {
    pub fn new(name: &str, value: String) -> Self {
        Self { group: None, name: name.to_owned(), parameters: Vec::new(), value }
    }

    pub fn with_type(mut self, kind: &str) -> Self {
        self.parameters.push(Parameter { name: TYPE.to_owned(), values: vec![kind.to_owned()] });
        self
    }

    /// Whether its TYPE names this kind (RFC 6350 §5.6), in letters of either case.
    pub fn is_type(&self, kind: &str) -> bool {
        let mut types = self.values(TYPE);
        types.any(|value| value.eq_ignore_ascii_case(kind))
    }

    /// All values of a parameter.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let all = self.parameters.iter().filter(move |parameter| parameter.name == name);
        all.flat_map(|parameter| parameter.values.iter().map(String::as_str))
    }

    /// 1 is the most preferred, 100 the least; without one it comes last (RFC 6350 §5.3).
    pub fn preference(&self) -> u8 {
        let said = self.values("PREF").next().and_then(|value| value.parse().ok());
        said.filter(|rank| (1..=100).contains(rank)).unwrap_or(LAST)
    }
}

pub(super) const TYPE: &str = "TYPE";
const LAST: u8 = 101;
