//! The kinds of values a setting can have: how each is written, read and bounded.

use kep::accept::scan::Place;
use kep::registry::read_policy::{PolicyEntry, PolicyTable};
use kep::wire::{KepDomain, Timestamp};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

/// A value that a setting can have.
pub trait Kind: Sized {
    /// How one is written, for errors and the page.
    const FORM: &'static str;

    /// Reads a value; `base` is the folder that paths are relative to. The error says what is wrong
    /// and never repeats what might be a secret.
    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String>;

    /// What holds when the file is silent and no default is declared.
    fn absent() -> Option<Self> {
        None
    }

    /// What bounds are compared by.
    fn measure(&self) -> Option<u128> {
        None
    }
}

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Size(pub u64);

/// Where rows rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rows {
    /// A file in the data folder.
    Sqlite,
    /// A server, named by a URL without password.
    Postgres(String),
}

/// Capabilities of IMAP, as the session names them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Capabilities(pub Vec<&'static str>);

/// Where clamd listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClamdPlace(pub Place);

/// An `http` or `https` URL.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Url(String);

/// An object identifier in dotted form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ObjectId(String);

/// An ISO 3166 code of two letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Country(String);

impl Url {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ObjectId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Country {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Kind> Kind for Option<T> {
    const FORM: &'static str = T::FORM;

    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        T::read(value, base).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn measure(&self) -> Option<u128> {
        self.as_ref()?.measure()
    }
}

impl Kind for String {
    const FORM: &'static str = "text";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        match text {
            "" => Err("is empty".to_owned()),
            _ if text.len() > TEXT_MAX => Err(format!("has more than {TEXT_MAX} bytes")),
            _ if text.chars().any(char::is_control) => Err("has a control character".to_owned()),
            _ => Ok(text.to_owned()),
        }
    }
}

impl Kind for ClamdPlace {
    const FORM: &'static str = "a socket's path, or `\"address:port\"`";

    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = text(value)?;
        match text.parse() {
            Ok(address) => Ok(Self(Place::Tcp(address))),
            Err(_) => PathBuf::read(value, base).map(|path| Self(Place::Unix(path))),
        }
    }
}

impl Kind for Vec<Url> {
    const FORM: &'static str = "a list of URLs";

    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let list = value.as_array().ok_or_else(|| wrong_type(value))?;
        list.iter().map(|item| Url::read(item.get_ref(), base)).collect()
    }
}

impl Kind for Capabilities {
    const FORM: &'static str = "a list of capabilities of IMAP";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let list = value.as_array().ok_or_else(|| wrong_type(value))?;
        let one = |name: &str| {
            let known = kep::mailbox::session::offered(name);
            known.ok_or_else(|| format!("{name:?} is no capability that could be withheld"))
        };
        let all = list.iter().map(|item| one(text(item.get_ref())?));
        all.collect::<Result<_, _>>().map(Self)
    }
}

impl Kind for PathBuf {
    const FORM: &'static str = "a path, relative to this file";

    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let text = text(value)?;
        if text.contains("-----BEGIN") {
            return Err("is the thing itself; write the path of a file that holds it".to_owned());
        }
        String::read(value, base).map(|text| base.join(text))
    }
}

impl Kind for KepDomain {
    const FORM: &'static str = "a provider's domain, `\"hsNN.kep.tr\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        let domain = Self::parse(text).map_err(|_| format!("{text:?} is no KEP domain"))?;
        let whole = domain.provider() == domain;
        whole.then_some(domain).ok_or_else(|| format!("{text:?} is an institution's sub-domain"))
    }
}

impl Kind for SocketAddr {
    const FORM: &'static str = "`\"address:port\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        text.parse().map_err(|_| format!("{text:?} is no address with a port"))
    }
}

impl Kind for Vec<SocketAddr> {
    const FORM: &'static str = "a list of `\"address:port\"`";

    fn read(value: &DeValue<'_>, base: &Path) -> Result<Self, String> {
        let list = value.as_array().ok_or_else(|| wrong_type(value))?;
        list.iter().map(|item| SocketAddr::read(item.get_ref(), base)).collect()
    }
}

impl Kind for u16 {
    const FORM: &'static str = "a port";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let number = integer(value)?.ok_or_else(|| wrong_type(value))?;
        let port = number.try_into().ok().filter(|port| *port != 0);
        port.ok_or_else(|| format!("{number} is no port"))
    }
}

impl Kind for u32 {
    const FORM: &'static str = "a whole number";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let number = integer(value)?.ok_or_else(|| wrong_type(value))?;
        number.try_into().map_err(|_| format!("{number} is out of range"))
    }

    fn measure(&self) -> Option<u128> {
        Some(u128::from(*self))
    }
}

impl Size {
    /// `10 GiB`.
    pub fn parse(text: &str) -> Option<Self> {
        let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
        with_unit(text, &units).map(Self)
    }
}

impl Kind for Size {
    const FORM: &'static str =
        "a size, `\"64 KiB\"`, `\"25 MiB\"`, `\"1 GiB\"`, or a number of bytes";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        if let Some(bytes) = integer(value)? {
            return bytes.try_into().map(Self).map_err(|_| format!("{bytes} is out of range"));
        }
        let text = text(value)?;
        Self::parse(text).ok_or_else(|| format!("{text:?} is no size"))
    }

    fn measure(&self) -> Option<u128> {
        Some(u128::from(self.0))
    }
}

impl Kind for Duration {
    const FORM: &'static str = "a time, `\"250ms\"`, `\"30s\"`, `\"5m\"`, `\"24h\"` or `\"7d\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
        with_unit(text, &units).map(Self::from_millis).ok_or_else(|| format!("{text:?} is no time"))
    }

    fn measure(&self) -> Option<u128> {
        Some(self.as_millis())
    }
}

impl Kind for Rows {
    const FORM: &'static str = "`\"sqlite\"` or `\"postgres://user@host/database\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        if text == "sqlite" {
            return Ok(Self::Sqlite);
        }
        let rest = ["postgres://", "postgresql://"].iter().find_map(|p| text.strip_prefix(p));
        let rest = rest.ok_or("is neither \"sqlite\" nor a postgres URL")?;
        let user = rest.split(['/', '?']).next().and_then(|host| host.rsplit_once('@'));
        if user.is_some_and(|(user, _)| user.contains(':')) || rest.contains("password=") {
            return Err("holds a password; name its file in data.rows_password_file".to_owned());
        }
        Ok(Self::Postgres(text.to_owned()))
    }
}

impl Kind for Url {
    const FORM: &'static str = "a URL, `\"https://…\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        let rest = ["https://", "http://"].iter().find_map(|p| text.strip_prefix(p));
        let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
        if host.contains('@') {
            return Err("holds a user or password, which no file of ours may".to_owned());
        }
        let good = !host.is_empty()
            && text.len() <= TEXT_MAX
            && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self(text.to_owned())).ok_or_else(|| "is no http or https URL".to_owned())
    }
}

impl Kind for ObjectId {
    const FORM: &'static str = "an object identifier, `\"1.2.3\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        let mut arcs = text.split('.');
        let good = text.len() <= OID_MAX
            && text.contains('.')
            && matches!(arcs.next(), Some("0" | "1" | "2"))
            && arcs.all(|arc| arc.parse::<u32>().is_ok_and(|number| number.to_string() == arc));
        good.then(|| Self(text.to_owned()))
            .ok_or_else(|| format!("{text:?} is no object identifier"))
    }
}

impl Kind for Country {
    const FORM: &'static str = "an ISO 3166 code, `\"TR\"`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let text = text(value)?;
        let good = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        good.then(|| Self(text.to_owned())).ok_or_else(|| format!("{text:?} is no country code"))
    }
}

impl Kind for PolicyTable {
    const FORM: &'static str = "a list of `{ from = time, type = \"standart\", rule = \"24h\" }`";

    fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
        let list = value.as_array().ok_or_else(|| wrong_type(value))?;
        if list.len() > POLICIES_MAX {
            return Err(format!("has more than {POLICIES_MAX} entries"));
        }
        list.iter().map(|item| policy(item.get_ref())).collect::<Result<_, _>>().map(Self::new)
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

fn policy(value: &DeValue<'_>) -> Result<PolicyEntry, String> {
    let table = value.as_table().ok_or_else(|| wrong_type(value))?;
    if let Some(key) =
        table.keys().find(|key| !matches!(key.get_ref().as_ref(), "from" | "type" | "rule"))
    {
        return Err(format!("{:?} is no part of an entry", key.get_ref()));
    }
    let field = |name: &str| table.get(name).ok_or_else(|| format!("an entry lacks {name:?}"));
    let word = |name: &str| field(name).and_then(|value| text(value.get_ref()));
    let from = field("from")?;
    let from = from.get_ref().as_datetime().ok_or_else(|| wrong_type(from.get_ref()))?;
    let zoned =
        from.offset.is_some().then(|| Timestamp::parse_iso8601(&from.to_string())).flatten();
    Ok(PolicyEntry {
        from: zoned.ok_or_else(|| format!("{from} needs date, time and zone (+03:00)"))?,
        message_type: word("type")?.parse().map_err(|e| format!("{e}"))?,
        rule: word("rule")?.parse().map_err(|e| format!("{e}"))?,
    })
}

pub(super) fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| wrong_type(value))
}

fn wrong_type(value: &DeValue<'_>) -> String {
    let kind = value.type_str();
    let article = if kind.starts_with(['a', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("is {article} {kind}")
}

/// `None` when it is no integer; one that fits no `i64` is an error.
fn integer(value: &DeValue<'_>) -> Result<Option<i64>, String> {
    let Some(number) = value.as_integer() else { return Ok(None) };
    i64::from_str_radix(number.as_str(), number.radix())
        .map(Some)
        .map_err(|_| format!("{} is out of range", number.as_str()))
}

/// `25 MiB` with `MiB` among the units, each worth so much.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    let worth = units.iter().find(|(name, _)| *name == unit.trim_start())?.1;
    number.parse::<u64>().ok()?.checked_mul(worth)
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

const TEXT_MAX: usize = 1000;
const OID_MAX: usize = 128;
/// One a year for each of three types would fill three centuries.
const POLICIES_MAX: usize = 1000;
