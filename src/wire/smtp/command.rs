//! One command line into one `Command`.
//!
//! smtp-proto reads the parameters of MAIL and RCPT. The guard before it takes only lines it can't
//! misread (no quoted local part, known parameters, each once); the guard after it compares.

mod guard;

use guard::{Parameter, check_parameters, head_of, path};
use smtp_proto as proto;
use std::fmt;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    Ehlo(String),
    Helo(String),
    Mail(Mail),
    Rcpt(Rcpt),
    Data,
    Bdat { size: u64, last: bool },
    Auth { mechanism: Mechanism, initial: Option<String> },
    StartTls,
    Rset,
    Noop,
    Quit,
    Vrfy,
    Expn,
    Help,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub from: Path,
    pub size: Option<u64>,
    pub body: Body,
    pub smtputf8: bool,
    pub ret: Option<Ret>,
    /// Decoded.
    pub envid: Option<String>,
    pub requiretls: bool,
    /// RFC 4954 §5, decoded; `<>` when the submitter is unknown.
    pub auth: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rcpt {
    pub to: Path,
    pub notify: Notify,
    pub orcpt: Option<Orcpt>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Path {
    /// `<>`; only as reverse path.
    Null,
    /// `<postmaster>` without a domain; only as forward path.
    Postmaster,
    /// What stands between the brackets: ASCII, one `@`, nothing quoted.
    Address(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Body {
    #[default]
    SevenBit,
    EightBitMime,
    /// RFC 3030 §3.
    BinaryMime,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ret {
    Full,
    Headers,
}

/// RFC 3461 NOTIFY.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Notify {
    /// Not given.
    #[default]
    Unsaid,
    Never,
    On {
        success: bool,
        failure: bool,
        delay: bool,
    },
}

/// RFC 3461 ORCPT: an address of any type, for whoever makes the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Orcpt {
    /// `rfc822`, `utf-8`, `x400`, …
    pub kind: String,
    /// Decoded.
    pub address: String,
}

impl Ret {
    /// As the parameter says it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "FULL",
            Self::Headers => "HDRS",
        }
    }
}

impl Notify {
    /// As the parameter says it; none when it was not given.
    pub fn words(self) -> Option<String> {
        match self {
            Self::Unsaid => None,
            Self::Never => Some("NEVER".to_owned()),
            Self::On { success, failure, delay } => {
                let named = [(success, "SUCCESS"), (failure, "FAILURE"), (delay, "DELAY")];
                let words: Vec<_> = named.iter().filter(|n| n.0).map(|n| n.1).collect();
                (!words.is_empty()).then(|| words.join(","))
            }
        }
    }
}

impl fmt::Display for Orcpt {
    /// As the parameter says it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.kind, xtext(&self.address))
    }
}

/// RFC 3461 §4.
pub fn xtext(text: &str) -> String {
    let encode = |octet: u8| match octet {
        b'+' | b'=' => format!("+{octet:02X}"),
        b'!'..=b'~' => char::from(octet).to_string(),
        other => format!("+{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mechanism {
    Plain,
    Login,
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CommandError {
    #[error("unknown command")]
    Unknown,
    /// Known to the field, not spoken here.
    #[error("{0} is not implemented")]
    NotImplemented(&'static str),
    /// A browser or the like was made to talk to us (cross-protocol request forgery).
    #[error("this is SMTP")]
    OtherProtocol,
    /// What should stand there.
    #[error("syntax: {0}")]
    Syntax(&'static str),
    #[error("parameter {0} can't be read")]
    Parameter(String),
    #[error("parameter {0} is not supported")]
    UnknownParameter(String),
    #[error("quoted local parts are not accepted: {0}")]
    QuotedLocal(String),
    #[error("not ASCII: {0}")]
    NotAscii(String),
    #[error("not an address: {0}")]
    Address(String),
}

/// Reads one line, without its CRLF.
pub fn parse(line: &[u8]) -> Result<Command, CommandError> {
    let text = String::from_utf8_lossy(line);
    let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let rest = rest.trim_end_matches(' ');
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => host(rest, "EHLO domain").map(Command::Ehlo),
        "HELO" => host(rest, "HELO domain").map(Command::Helo),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest),
        "DATA" => alone(rest, Command::Data, "DATA"),
        "BDAT" => bdat(rest),
        "AUTH" => auth(rest),
        "STARTTLS" => alone(rest, Command::StartTls, "STARTTLS"),
        "RSET" => alone(rest, Command::Rset, "RSET"),
        "QUIT" => alone(rest, Command::Quit, "QUIT"),
        "NOOP" => Ok(Command::Noop),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" => Ok(Command::Expn),
        "HELP" => Ok(Command::Help),
        "LHLO" => Err(CommandError::NotImplemented("LHLO")),
        "ETRN" => Err(CommandError::NotImplemented("ETRN")),
        "ATRN" => Err(CommandError::NotImplemented("ATRN")),
        "BURL" => Err(CommandError::NotImplemented("BURL")),
        "TURN" => Err(CommandError::NotImplemented("TURN")),
        "GET" | "POST" | "PUT" | "HEAD" | "CONNECT" | "OPTIONS" => Err(CommandError::OtherProtocol),
        _ => Err(CommandError::Unknown),
    }
}

fn alone(rest: &str, command: Command, syntax: &'static str) -> Result<Command, CommandError> {
    if rest.is_empty() { Ok(command) } else { Err(CommandError::Syntax(syntax)) }
}

fn host(rest: &str, syntax: &'static str) -> Result<String, CommandError> {
    let good = (1..=DOMAIN_MAX).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_graphic());
    good.then(|| rest.to_owned()).ok_or(CommandError::Syntax(syntax))
}

fn bdat(rest: &str) -> Result<Command, CommandError> {
    let (size, last) = match rest.split_once(' ') {
        None => (rest, false),
        Some((size, last)) if last.eq_ignore_ascii_case("LAST") => (size, true),
        Some(_) => return Err(CommandError::Syntax(BDAT)),
    };
    let size = digits(size).ok_or(CommandError::Syntax(BDAT))?;
    Ok(Command::Bdat { size, last })
}

fn auth(rest: &str) -> Result<Command, CommandError> {
    let (name, initial) = match rest.split_once(' ') {
        None => (rest, None),
        Some((name, initial)) => (name, Some(initial)),
    };
    let graphic = |text: &str| text.bytes().all(|b| b.is_ascii_graphic());
    if name.is_empty() || !graphic(name) || !initial.is_none_or(graphic) {
        return Err(CommandError::Syntax("AUTH mechanism [initial-response]"));
    }
    let mechanism = match name.to_ascii_uppercase().as_str() {
        "PLAIN" => Mechanism::Plain,
        "LOGIN" => Mechanism::Login,
        _ => Mechanism::Unknown,
    };
    Ok(Command::Auth { mechanism, initial: initial.map(str::to_owned) })
}

fn mail(rest: &str) -> Result<Command, CommandError> {
    let (inside, parameters) = path(rest, "FROM:<", MAIL)?;
    check_parameters(&parameters, &MAIL_PARAMETERS)?;
    let size = parameters.iter().find(|p| p.is("SIZE"));
    let size = size.map(|p| p.value.and_then(digits).ok_or_else(|| p.bad())).transpose()?;
    // SIZE is ours: smtp-proto's number wraps around beyond 2^64.
    let line = proto_line("MAIL FROM:<", inside, &parameters, "SIZE");
    let proto::Request::Mail { from } = proto_parse(&line, inside)? else {
        return Err(CommandError::Syntax(MAIL));
    };
    same_address(&from.address, inside)?;
    let flag = |bit| from.flags & bit != 0;
    Ok(Command::Mail(Mail {
        from: match inside {
            "" => Path::Null,
            address => Path::Address(address.to_owned()),
        },
        size,
        body: match (flag(proto::MAIL_BODY_BINARYMIME), flag(proto::MAIL_BODY_8BITMIME)) {
            (true, _) => Body::BinaryMime,
            (_, true) => Body::EightBitMime,
            _ => Body::SevenBit,
        },
        smtputf8: flag(proto::MAIL_SMTPUTF8),
        ret: match (flag(proto::MAIL_RET_FULL), flag(proto::MAIL_RET_HDRS)) {
            (true, _) => Some(Ret::Full),
            (_, true) => Some(Ret::Headers),
            _ => None,
        },
        envid: decoded(from.env_id.as_deref(), "ENVID")?,
        requiretls: flag(proto::MAIL_REQUIRETLS),
        auth: decoded(from.auth.as_deref(), "AUTH")?,
    }))
}

fn rcpt(rest: &str) -> Result<Command, CommandError> {
    let (inside, parameters) = path(rest, "TO:<", RCPT)?;
    check_parameters(&parameters, &RCPT_PARAMETERS)?;
    if inside.is_empty() {
        return Err(CommandError::Syntax(RCPT));
    }
    let given = parameters.iter().find(|p| p.is("ORCPT"));
    let original = given.map(|p| p.value.and_then(orcpt).ok_or_else(|| p.bad())).transpose()?;
    // ORCPT is ours: smtp-proto knows the type rfc822 only.
    let line = proto_line("RCPT TO:<", inside, &parameters, "ORCPT");
    let proto::Request::Rcpt { to } = proto_parse(&line, inside)? else {
        return Err(CommandError::Syntax(RCPT));
    };
    let path = if inside.eq_ignore_ascii_case("postmaster") {
        Path::Postmaster
    } else {
        same_address(&to.address, inside)?;
        Path::Address(inside.to_owned())
    };
    Ok(Command::Rcpt(Rcpt { to: path, notify: notify(to.flags)?, orcpt: original }))
}

/// RFC 3461 §4.2: an address type, `;`, the address as xtext.
pub fn orcpt(value: &str) -> Option<Orcpt> {
    let (kind, address) = value.split_once(';')?;
    let atom = |octet: u8| octet.is_ascii_alphanumeric() || octet == b'-';
    let address = xtext_decoded(address)?;
    let good = !kind.is_empty() && kind.bytes().all(atom) && !address.is_empty();
    good.then(|| Orcpt { kind: kind.to_owned(), address })
}

/// Printable ASCII only: it goes into headers of reports one day.
fn xtext_decoded(text: &str) -> Option<String> {
    let mut pieces = text.split('+');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        decoded.push(char::from(u8::from_str_radix(digits, 16).ok()?));
        decoded.push_str(rest);
    }
    decoded.bytes().all(|b| (0x20..0x7f).contains(&b)).then_some(decoded)
}

fn notify(flags: u64) -> Result<Notify, CommandError> {
    let flag = |bit| flags & bit != 0;
    let success = flag(proto::RCPT_NOTIFY_SUCCESS);
    let failure = flag(proto::RCPT_NOTIFY_FAILURE);
    let delay = flag(proto::RCPT_NOTIFY_DELAY);
    match (flag(proto::RCPT_NOTIFY_NEVER), success || failure || delay) {
        (false, false) => Ok(Notify::Unsaid),
        (true, false) => Ok(Notify::Never),
        (false, true) => Ok(Notify::On { success, failure, delay }),
        // RFC 3461 §4.1: NEVER stands alone.
        (true, true) => Err(CommandError::Parameter("NOTIFY".into())),
    }
}

/// The line rebuilt from what the guard has read: smtp-proto sees nothing else.
fn proto_line(opening: &str, inside: &str, parameters: &[Parameter], without: &str) -> String {
    let mut line = format!("{opening}{inside}>");
    for parameter in parameters.iter().filter(|p| !p.is(without)) {
        line.push(' ');
        line.push_str(parameter.key);
        if let Some(value) = parameter.value {
            line.push('=');
            line.push_str(value);
        }
    }
    line + "\r\n"
}

fn proto_parse<'a>(
    line: &'a str,
    inside: &str,
) -> Result<proto::Request<std::borrow::Cow<'a, str>>, CommandError> {
    proto::Request::parse(&mut line.as_bytes().iter()).map_err(|error| match error {
        proto::Error::InvalidParameter { param } => CommandError::Parameter(param.to_owned()),
        proto::Error::UnsupportedParameter { param } => {
            CommandError::UnknownParameter(head_of(&param))
        }
        _ => CommandError::Address(head_of(inside)),
    })
}

fn same_address(read: &str, inside: &str) -> Result<(), CommandError> {
    // QUIRK(kep, 2026-11): a source route (`@a,@b:`) is refused. docs/quirks.md#2
    if read == inside { Ok(()) } else { Err(CommandError::Address(head_of(inside))) }
}

/// Decoded xtext goes into headers of reports one day: printable ASCII only.
fn decoded(value: Option<&str>, name: &str) -> Result<Option<String>, CommandError> {
    match value {
        Some(text) if text.bytes().all(|b| (0x20..0x7f).contains(&b)) => Ok(Some(text.to_owned())),
        Some(_) => Err(CommandError::Parameter(name.to_owned())),
        None => Ok(None),
    }
}

fn digits(text: &str) -> Option<u64> {
    let all = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    // Twenty digits can be more than 2^64; as a size that is simply too much.
    all.then(|| text.parse().unwrap_or(u64::MAX))
}

const MAIL: &str = "MAIL FROM:<address> [parameters]";
const RCPT: &str = "RCPT TO:<address> [parameters]";
const BDAT: &str = "BDAT chunk-size [LAST]";
const MAIL_PARAMETERS: [&str; 7] =
    ["SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "REQUIRETLS", "AUTH"];
const RCPT_PARAMETERS: [&str; 2] = ["NOTIFY", "ORCPT"];
/// RFC 5321 §4.5.3.1.2.
const DOMAIN_MAX: usize = 255;

#[cfg(test)]
mod tests;
