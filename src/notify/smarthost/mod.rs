//! Notices as ordinary mail, through a smarthost. The mail is made here (pure); `dial.rs` hands it over.

mod dial;

pub use dial::{Connection, Login, Smarthost};

use super::texts::Words;
use crate::wire::{MailAddress, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::text::Text;
use std::io;

/// A mail to one address. Its Message-ID is the notice's own: who gets it twice can tell. It is marked as
/// made by no person (RFC 3834), so that no absence is answered to it.
pub fn mail(
    (name, from): (&str, &MailAddress),
    to: &MailAddress,
    words: &Words,
    id: i64,
    now: Timestamp,
) -> io::Result<Vec<u8>> {
    let domain = from.as_str().rsplit_once('@').map_or("localhost", |(_, domain)| domain);
    MessageBuilder::new()
        .from((name, from.as_str()))
        .to(to.as_str())
        .subject(words.subject.as_str())
        .date(now.secs())
        .message_id(format!("kep-notice.{id}@{domain}"))
        .header("Auto-Submitted", Text::new("auto-generated"))
        .text_body(words.mail.as_str())
        .write_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_a_mail_of_nobody() {
        let address = |text| MailAddress::parse(text).unwrap();
        let words = Words {
            subject: "Yeni KEP iletisi".into(),
            sms: String::new(),
            mail: "Şu adresten\r\n\r\nÖrnek".into(),
        };
        let from = ("Örnek KEP", &address("bildirim@example.com"));
        let now = Timestamp::from_secs(1_795_424_000);
        let octets = mail(from, &address("ali@example.org"), &words, 42, now).unwrap();
        let parsed = mail_parser::MessageParser::default().parse(&octets).unwrap();
        assert_eq!(parsed.message_id(), Some("kep-notice.42@example.com"));
        assert_eq!(parsed.header("Auto-Submitted").unwrap().as_text(), Some("auto-generated"));
        assert_eq!(parsed.body_text(0).unwrap().trim_end(), words.mail);
        assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("ali@example.org"));
    }
}
