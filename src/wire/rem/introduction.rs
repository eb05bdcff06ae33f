//! What people read when they open a dispatch or an evidence mail: text and HTML, Turkish then
//! English, from templates that an operator may replace.

use super::{Event, Evidence};
use quick_xml::escape::escape;

/// An introduction, ready for its mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Introduction {
    pub text: String,
    pub html: String,
}

/// A title and lines in each language; `{name}` stands for a value. Lines whose values are all empty
/// are left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Template {
    pub turkish: Words,
    pub english: Words,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub title: String,
    pub lines: Vec<String>,
}

impl Template {
    /// Values: `subject`, `sender`, `recipients`, `time`, `provider`, `message_id`, `evidence_id`.
    pub fn dispatch() -> Self {
        Self { turkish: Words::new(DISPATCH_TR), english: Words::new(DISPATCH_EN) }
    }

    /// The same values, and `event`, `event_en`, `recipient`, `reason`, `reason_en`, `due`, `person`.
    pub fn evidence() -> Self {
        Self { turkish: Words::new(EVIDENCE_TR), english: Words::new(EVIDENCE_EN) }
    }

    pub fn render(&self, values: &[(&str, &str)]) -> Introduction {
        let [turkish, english] = [&self.turkish, &self.english].map(|w| w.filled(values));
        let (mut text, mut html) = (String::with_capacity(ROOM), String::with_capacity(ROOM));
        turkish.text(&mut text);
        push(&mut text, &["\r\n", RULE, "\r\n\r\n"]);
        english.text(&mut text);
        let begin = "<!DOCTYPE html>\r\n<html lang=\"tr\"><head><meta charset=\"utf-8\"><title>";
        let title = escape(turkish.title.as_str());
        push(&mut html, &[begin, &title, "</title></head>\r\n<body>\r\n<div lang=\"tr\">\r\n"]);
        turkish.html(&mut html);
        html.push_str("</div>\r\n<hr>\r\n<div lang=\"en\">\r\n");
        english.html(&mut html);
        html.push_str("</div>\r\n</body></html>\r\n");
        Introduction { text, html }
    }
}

impl Words {
    fn new((title, lines): (&str, &[&str])) -> Self {
        Self {
            title: title.to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        }
    }

    fn filled(&self, values: &[(&str, &str)]) -> Self {
        let lines = self.lines.iter().filter_map(|line| filled(line, values));
        Self { title: filled(&self.title, values).unwrap_or_default(), lines: lines.collect() }
    }

    fn text(&self, out: &mut String) {
        push(out, &[&self.title, "\r\n\r\n"]);
        self.lines.iter().for_each(|line| push(out, &[line, "\r\n"]));
    }

    fn html(&self, out: &mut String) {
        push(out, &["<h1>", &escape(self.title.as_str()), "</h1>\r\n"]);
        self.lines.iter().for_each(|line| push(out, &["<p>", &escape(line.as_str()), "</p>\r\n"]));
    }
}

fn push(out: &mut String, pieces: &[&str]) {
    pieces.iter().for_each(|piece| out.push_str(piece));
}

/// The values of the default templates, as an evidence has them; times are those of Turkey.
pub fn values_of(evidence: &Evidence) -> Vec<(&'static str, String)> {
    let joined = |texts: Vec<&str>| texts.join(", ");
    let reasons = evidence.reasons.iter();
    let recipient = evidence.recipient().map(|party| party.address.clone());
    vec![
        ("subject", evidence.message.subject.clone()),
        ("sender", evidence.sender.address.clone()),
        ("recipients", joined(evidence.recipients.iter().map(|r| r.address.as_str()).collect())),
        ("recipient", recipient.unwrap_or_default()),
        ("time", evidence.event_time.turkish()),
        ("due", evidence.due_time.map(|t| t.turkish()).unwrap_or_default()),
        ("provider", evidence.issuer.name.clone()),
        ("message_id", evidence.message.message_id.clone()),
        ("evidence_id", evidence.id.to_string()),
        ("event", evidence.event.turkish().to_owned()),
        ("event_en", evidence.event.english().to_owned()),
        ("reason", joined(reasons.clone().map(|why| why.reason.turkish()).collect())),
        ("reason_en", joined(reasons.map(|why| why.reason.english()).collect())),
        ("person", evidence.opening.as_ref().map(|o| o.person.clone()).unwrap_or_default()),
    ]
}

/// The subject of a dispatch, not yet encoded.
pub fn message_subject(original: &str) -> String {
    format!("[KEP İletisi] {original}")
}

/// The subject of an evidence mail, not yet encoded.
pub fn evidence_subject(event: Event, original: &str) -> String {
    format!("[KEP Delili: {}] {original}", event.turkish())
}

/// Values go in once, left to right, so that a value with braces stays as it is. `None` when the
/// line has places and all of them are empty.
fn filled(line: &str, values: &[(&str, &str)]) -> Option<String> {
    let mut out = String::with_capacity(line.len() + 64);
    let (mut places, mut full) = (0, 0);
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            out.push('{');
            rest = after;
            continue;
        };
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, v)| v);
        places += 1;
        full += usize::from(!value.is_empty());
        match value.contains(char::is_control) {
            true => out.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c })),
            false => out.push_str(value),
        }
        rest = behind;
    }
    out.push_str(rest);
    (places == 0 || full > 0).then_some(out)
}

/// Octets of most introductions in one form.
const ROOM: usize = 2 << 10;
const RULE: &str = "------------------------------------------------------------";

const DISPATCH_TR: (&str, &[&str]) = (
    "KEP iletisi",
    &[
        "Konu: {subject}",
        "Gönderen: {sender}",
        "Alıcılar: {recipients}",
        "Kabul zamanı: {time}",
        "Hizmet sağlayıcı: {provider}",
        "İleti kimliği: {message_id}",
        "Özgün ileti AttachedMimeMessage.eml ekindedir; kabul delili XML ekindedir. Bu zarf hizmet \
         sağlayıcının işlem sertifikasıyla imzalanmıştır.",
    ],
);

const DISPATCH_EN: (&str, &[&str]) = (
    "Registered e-mail message",
    &[
        "Subject: {subject}",
        "Sender: {sender}",
        "Recipients: {recipients}",
        "Accepted: {time}",
        "Provider: {provider}",
        "Message identifier: {message_id}",
        "The original message is attached as AttachedMimeMessage.eml, the evidence of its \
         acceptance as XML. This envelope is signed with the provider's seal certificate.",
    ],
);

const EVIDENCE_TR: (&str, &[&str]) = (
    "KEP delili: {event}",
    &[
        "Konu: {subject}",
        "Gönderen: {sender}",
        "Alıcılar: {recipients}",
        "İlgili alıcı: {recipient}",
        "Olay zamanı: {time}",
        "Süre sonu: {due}",
        "Neden: {reason}",
        "Açan: {person}",
        "Hizmet sağlayıcı: {provider}",
        "İleti kimliği: {message_id}",
        "Delil kimliği: {evidence_id}",
        "Delil XML ekindedir; imzalı ve zaman damgalıdır. Saklayınız.",
    ],
);

const EVIDENCE_EN: (&str, &[&str]) = (
    "Evidence: {event_en}",
    &[
        "Subject: {subject}",
        "Sender: {sender}",
        "Recipients: {recipients}",
        "Recipient concerned: {recipient}",
        "Time of the event: {time}",
        "End of the period: {due}",
        "Reason: {reason_en}",
        "Opened by: {person}",
        "Provider: {provider}",
        "Message identifier: {message_id}",
        "Evidence identifier: {evidence_id}",
        "The evidence is attached as XML, signed and time-stamped. Please keep it.",
    ],
);
