//! The message that travels: Turkish letters in subject, text and file name, signed by its author.

use super::provider::Person;
use crate::failure::{Failure, Outcome};
use data_encoding::HEXLOWER;
use kep::trust::{UserSigner, random};
use kep::wire::{KepAddress, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::MimePart;
use secrecy::SecretString;
use std::path::Path;

pub const SUBJECT: &str = "Sözleşme hakkında: İğdır şubesi, ıslak imzalı nüsha";
pub const FILE_NAME: &str = "Sözleşme ĞÜŞİÖÇ.pdf";

/// The letter's octets, signed with the sender's PKCS#12 file.
pub fn write(sender: &Person, to: &KepAddress, p12: &Path, now: Timestamp) -> Outcome<Vec<u8>> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::data(format!("{}: {error}", p12.display()))
            .hint("the password of the .p12 is the account's, see passwords.txt")
    };
    let file = std::fs::read(p12).map_err(|error| wrong(&error))?;
    let password = SecretString::from(sender.password.clone());
    let signer = UserSigner::from_pkcs12(&file, &password).map_err(|error| wrong(&error))?;
    let mut part = Vec::new();
    content().write_part(&mut part);
    let signed = signer.multipart_signed(&part, now).map_err(|error| wrong(&error))?;
    let id = format!("{}@localhost", HEXLOWER.encode(&random::bytes::<12>()));
    let mail = MessageBuilder::new()
        .from(sender.address.as_str())
        .to(to.as_str())
        .subject(SUBJECT)
        .header("Date", Raw::new(now.rfc5322()))
        .message_id(id)
        .body(MimePart::raw(signed));
    mail.write_to_vec().map_err(Failure::software)
}

fn content() -> MimePart<'static> {
    let alternative = vec![MimePart::new("text/plain", TEXT), MimePart::new("text/html", HTML)];
    let parts = vec![
        MimePart::new("multipart/alternative", alternative),
        MimePart::new("application/pdf", pdf()).attachment(FILE_NAME),
    ];
    MimePart::new("multipart/mixed", parts)
}

/// One page with one line, as PDF 1.4 wants it: the table says where each object begins.
fn pdf() -> Vec<u8> {
    let stream = "BT /F1 18 Tf 72 760 Td (Sozlesme / Contract) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{stream}\nendstream", stream.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let (mut out, mut table) = ("%PDF-1.4\n".to_owned(), "0000000000 65535 f \n".to_owned());
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", out.len());
        out += &format!("{} 0 obj\n{object}\nendobj\n", at + 1);
    }
    let (size, start) = (objects.len() + 1, out.len());
    out += &format!("xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n");
    out += &format!("startxref\n{start}\n%%EOF\n");
    out.into_bytes()
}

const TEXT: &str = "Sayın Ayşe Yılmaz,\r\n\r\nekteki sözleşmeyi bilgilerinize sunarız. \
Çağrı merkezimiz öğleden sonra ulaşılabilir.\r\n\r\nSaygılarımızla\r\nAli Veli\r\n";
const HTML: &str = "<!DOCTYPE html><html lang=\"tr\"><body><p>Sayın Ayşe Yılmaz,</p>\
<p>ekteki <strong>sözleşmeyi</strong> bilgilerinize sunarız. Çağrı merkezimiz öğleden sonra \
ulaşılabilir.</p><p>Saygılarımızla<br>Ali Veli</p></body></html>\r\n";

#[cfg(test)]
mod tests {
    use super::*;
    use mail_parser::{MessageParser, MimeHeaders};

    #[test]
    fn the_parts_are_read_again_as_they_were_meant() {
        let mut part = Vec::new();
        content().write_part(&mut part);
        let message = MessageParser::new().parse(&part).unwrap();
        assert_eq!(message.body_text(0).as_deref(), Some(TEXT));
        assert_eq!(message.body_html(0).as_deref(), Some(HTML));
        let file = message.attachment(0).unwrap();
        assert_eq!(file.attachment_name(), Some(FILE_NAME));
        assert_eq!(file.contents(), pdf());
    }
}
