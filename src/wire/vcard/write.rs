//! Cards as text: version 4.0, CRLF, lines of at most 75 octets that break between characters.

use super::{Card, Parameter, Property};
use std::fmt::{self, Write};

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BEGIN:VCARD\r\nVERSION:4.0\r\n")?;
        for property in &self.properties {
            folded(f, &line(property))?;
        }
        f.write_str("END:VCARD\r\n")
    }
}

fn line(property: &Property) -> String {
    let mut out = String::new();
    if let Some(group) = &property.group {
        out.push_str(group);
        out.push('.');
    }
    out.push_str(&property.name);
    for parameter in &property.parameters {
        out.push(';');
        out.push_str(&written(parameter));
    }
    out.push(':');
    out.push_str(&property.value);
    out
}

fn written(parameter: &Parameter) -> String {
    let values: Vec<_> = parameter.values.iter().map(|value| parameter_value(value)).collect();
    format!("{}={}", parameter.name, values.join(","))
}

/// RFC 6868: a circumflex, a quotation mark and a line end have escapes of their own.
fn parameter_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            c if c.is_control() && c != '\t' => {}
            c => out.push(c),
        }
    }
    let blank = |c: Option<char>| c.is_some_and(char::is_whitespace);
    let ends = blank(out.chars().next()) || blank(out.chars().next_back());
    match ends || out.contains([':', ';', ',']) {
        true => format!("\"{out}\""),
        false => out,
    }
}

fn folded(f: &mut fmt::Formatter<'_>, line: &str) -> fmt::Result {
    let mut width = 0;
    for c in line.chars() {
        if width + c.len_utf8() > WIDTH {
            f.write_str("\r\n ")?;
            width = 1;
        }
        f.write_char(c)?;
        width += c.len_utf8();
    }
    f.write_str("\r\n")
}

/// Octets of a line without its end (RFC 6350 §3.2).
const WIDTH: usize = 75;
