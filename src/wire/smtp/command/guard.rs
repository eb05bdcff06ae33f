//! The guard before smtp-proto: which paths and parameters it gets to see.

use super::CommandError;

/// A parameter as it stands on the line.
pub(super) struct Parameter<'a> {
    pub key: &'a str,
    pub value: Option<&'a str>,
}

impl Parameter<'_> {
    pub fn is(&self, key: &str) -> bool {
        self.key.eq_ignore_ascii_case(key)
    }

    pub fn bad(&self) -> CommandError {
        CommandError::Parameter(self.key.to_ascii_uppercase())
    }
}

/// What stands between the brackets, and the parameters behind them.
pub(super) fn path<'a>(
    rest: &'a str,
    opening: &str,
    syntax: &'static str,
) -> Result<(&'a str, Vec<Parameter<'a>>), CommandError> {
    let good = rest.get(..opening.len()).is_some_and(|head| head.eq_ignore_ascii_case(opening));
    let tail = rest.get(opening.len()..).filter(|_| good).ok_or(CommandError::Syntax(syntax))?;
    // QUIRK(kep, 2026-11): quoted local parts are refused by name. docs/quirks.md#3
    if tail.starts_with('"') || tail.split('>').next().is_some_and(|p| p.contains(['"', '\\'])) {
        return Err(CommandError::QuotedLocal(head_of(tail)));
    }
    let (inside, behind) = tail.split_once('>').ok_or(CommandError::Syntax(syntax))?;
    if !inside.is_ascii() {
        return Err(CommandError::NotAscii(head_of(inside)));
    }
    let graphic = inside.bytes().all(|b| b.is_ascii_graphic() && b != b'<');
    if !graphic || inside.len() > PATH_MAX {
        return Err(CommandError::Address(head_of(inside)));
    }
    if !behind.is_empty() && !behind.starts_with(' ') {
        return Err(CommandError::Syntax(syntax));
    }
    Ok((inside, behind.split(' ').filter(|p| !p.is_empty()).map(parameter).collect()))
}

fn parameter(text: &str) -> Parameter<'_> {
    match text.split_once('=') {
        None => Parameter { key: text, value: None },
        Some((key, value)) => Parameter { key, value: Some(value) },
    }
}

/// Known ones only, each once, values printable, xtext well formed.
pub(super) fn check_parameters(given: &[Parameter], known: &[&str]) -> Result<(), CommandError> {
    for (number, one) in given.iter().enumerate() {
        if !known.iter().any(|key| one.is(key)) {
            return Err(CommandError::UnknownParameter(head_of(one.key)));
        }
        let twice = given.iter().take(number).any(|other| other.is(one.key));
        let printable = one
            .value
            .is_none_or(|v| !v.is_empty() && v.bytes().all(|b| b.is_ascii_graphic() && b != b'='));
        let xtext = ["ENVID", "ORCPT", "AUTH"].iter().any(|key| one.is(key));
        if twice || !printable || (xtext && !one.value.is_some_and(is_xtext)) {
            return Err(one.bad());
        }
    }
    Ok(())
}

/// RFC 3461 §4: `+` is followed by two upper-case hexadecimal digits.
fn is_xtext(value: &str) -> bool {
    value.split('+').skip(1).all(|after| {
        let hex = after.as_bytes().get(..2);
        hex.is_some_and(|h| h.iter().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')))
    })
}

pub(super) fn head_of(text: &str) -> String {
    text.chars().take(PATH_MAX).collect()
}

/// RFC 5321 §4.5.3.1.3, without the brackets.
const PATH_MAX: usize = 254;
