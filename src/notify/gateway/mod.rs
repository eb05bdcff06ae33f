//! SMS over a generic HTTP gateway: a URL and a body with places for number and text, a header with a
//! secret, and a rule by which an answer means that it was taken. Pure; `dial.rs` asks.

mod dial;

use super::fate::Said;
use crate::trust::dial::Dial;
use crate::wire::Mobile;
use secrecy::SecretString;

pub struct Gateway {
    pub dial: Dial,
    /// With `{to}`, `{text}`, `{from}` and `{id}`.
    pub url: String,
    /// The same; without it nothing is sent but the URL (GET).
    pub body: Option<String>,
    pub form: Form,
    /// Name and value of a header.
    pub header: Option<(String, SecretString)>,
    pub sender: String,
    /// What the answer must contain beside a status of 2xx.
    pub success: Option<String>,
    /// What an answer contains that is for good, whatever its status.
    pub refused: Option<String>,
    /// Where an answer in JSON names the message (RFC 6901).
    pub reference: Option<String>,
}

/// What the body is, and so how values are written in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Json,
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    Xml,
}

impl Form {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Urlencoded => "application/x-www-form-urlencoded",
            Self::Xml => "text/xml; charset=utf-8",
        }
    }

    fn written(self, value: &str) -> String {
        match self {
            // Without its quotes: they stand in the template.
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned()
            }
            Self::Urlencoded => percent(value),
            Self::Xml => quick_xml::escape::escape(value).into_owned(),
        }
    }
}

/// What is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pub url: String,
    pub body: Option<String>,
}

impl Gateway {
    pub fn request(&self, to: &Mobile, text: &str, id: i64) -> Request {
        let id = id.to_string();
        let values =
            [("to", to.digits()), ("text", text), ("from", self.sender.as_str()), ("id", &id)];
        Request {
            url: filled(&self.url, &values, percent),
            body: self.body.as_ref().map(|body| filled(body, &values, |v| self.form.written(v))),
        }
    }

    /// What a status and a body mean. A gateway may say again what it was asked: of what is `secret`
    /// its answer is shown to nobody.
    pub fn said(&self, status: u16, body: &str, secret: bool) -> Said {
        let shown = match secret {
            true => "(not shown)".to_owned(),
            false => body.chars().take(SHOWN).collect::<String>(),
        };
        let contains =
            |mark: &Option<String>| mark.as_ref().is_some_and(|mark| body.contains(mark));
        if contains(&self.refused) {
            return Said::Never(format!("HTTP {status}: {shown}"));
        }
        let why = format!("HTTP {status}: {shown}");
        match status {
            200..=299 if self.success.is_none() || contains(&self.success) => {
                Said::Taken(self.named(body).into_iter().collect())
            }
            // The request itself is wrong; all else an operator, or time, mends.
            400 | 413 | 422 => Said::Never(why),
            _ => Said::Later(why),
        }
    }

    fn named(&self, body: &str) -> Option<String> {
        let json: serde_json::Value = serde_json::from_str(body).ok()?;
        let found = match json.pointer(self.reference.as_ref()?)? {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let sound = !found.is_empty() && found.len() <= NAME && !found.contains(char::is_control);
        sound.then_some(found)
    }
}

/// Each place once, from left to right: a value is not looked at again.
fn filled(template: &str, values: &[(&str, &str)], written: impl Fn(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, place) = rest.split_at(at);
        out.push_str(before);
        let found = values.iter().find_map(|(name, value)| {
            let after = place.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?;
            Some((value, after))
        });
        rest = match found {
            Some((value, after)) => {
                out.push_str(&written(value));
                after
            }
            // A brace of JSON.
            None => {
                out.push('{');
                place.get(1..).unwrap_or_default()
            }
        };
    }
    out + rest
}

/// All but unreserved characters (RFC 3986 §2.3), as UTF-8.
fn percent(value: &str) -> String {
    let octet = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(octet).to_string()
        }
        other => format!("%{other:02X}"),
    };
    value.bytes().map(octet).collect()
}

const SHOWN: usize = 120;
const NAME: usize = 100;

#[cfg(test)]
mod tests;
