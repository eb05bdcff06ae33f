//! The index of an export, three times: for programs (JSON), for spreadsheets (CSV), for people (HTML).

use super::Summary;
use crate::wire::sheet::harmless;
use serde::Serialize;

#[derive(Serialize)]
pub struct Index {
    pub export: Summary,
    pub mails: Vec<Mail>,
    pub evidence: Vec<Proof>,
}

#[derive(Serialize)]
pub struct Mail {
    pub file: String,
    pub mailbox: String,
    pub uid: i64,
    pub date: String,
    pub from: String,
    pub to: String,
    pub subject: String,
    pub octets: u64,
    /// The provider's message it belongs to.
    pub message: Option<String>,
    /// Its content is left out, since it was not opened.
    pub unopened: bool,
}

#[derive(Serialize)]
pub struct Proof {
    pub file: String,
    pub message: String,
    pub event: String,
    pub recipient: String,
    pub time: String,
    pub stamped: String,
    pub dialect: String,
    pub issuer: String,
    /// Files of what validates it.
    pub material: Vec<String>,
}

/// The mails, then the evidence, a line each (RFC 4180).
pub fn csv(index: &Index) -> String {
    let head =
        "dosya/file,tur/kind,tarih/date,gonderen/from,alici/to,konu/subject,ileti/message\r\n";
    let mails = index.mails.iter().map(|mail| {
        let message = mail.message.as_deref().unwrap_or_default();
        let kind = if mail.unopened { "kapali/unopened" } else { "ileti/mail" };
        [&mail.file, kind, &mail.date, &mail.from, &mail.to, &mail.subject, message].map(cell)
    });
    let evidence = index.evidence.iter().map(|one| {
        let words = [&one.file, "delil/evidence", &one.time, &one.issuer, &one.recipient];
        let [file, kind, time, issuer, recipient] = words.map(cell);
        [file, kind, time, issuer, recipient, cell(&one.event), cell(&one.message)]
    });
    let lines = mails.chain(evidence).map(|cells| cells.join(",") + "\r\n");
    head.to_owned() + &lines.collect::<String>()
}

/// Quoted; what a spreadsheet would take for a formula is text.
fn cell(text: &str) -> String {
    format!("\"{}\"", harmless(text).replace('"', "\"\"").replace(['\r', '\n'], " "))
}

pub fn html(index: &Index) -> String {
    let Summary { address, at, mails, unopened, evidence, .. } = &index.export;
    let mut page = format!(
        "<!doctype html>\n<html lang=\"tr\"><meta charset=\"utf-8\"><title>{0}</title>\n\
         <style>body{{font-family:sans-serif}}td,th{{text-align:left;padding:.2em .6em;\
         vertical-align:top}}</style>\n<h1>{0}</h1>\n\
         <p>{1} · {2} ileti ({3} kapalı), {4} delil</p>\n\
         <p lang=\"en\">{2} mails ({3} unopened), {4} evidence</p>\n<h2>İletiler · Mails</h2>\n<table>\n",
        escaped(address),
        escaped(at),
        mails,
        unopened,
        evidence
    );
    for mail in &index.mails {
        let mark = if mail.unopened { " (kapalı · unopened)" } else { "" };
        page += &format!(
            "<tr><td>{}<td>{}<td>{}<td>{}<td><a href=\"{}\">{}</a>{mark}\n",
            escaped(&mail.date),
            escaped(&mail.mailbox),
            escaped(&mail.from),
            escaped(&mail.to),
            escaped(&mail.file),
            escaped(if mail.subject.is_empty() { "—" } else { &mail.subject }),
        );
    }
    page += "</table>\n<h2>Deliller · Evidence</h2>\n<table>\n";
    for one in &index.evidence {
        page += &format!(
            "<tr><td>{}<td>{}<td>{}<td>{}<td><a href=\"{}\">XML</a>\n",
            escaped(&one.time),
            escaped(&one.event),
            escaped(&one.recipient),
            escaped(&one.message),
            escaped(&one.file),
        );
    }
    page + "</table>\n"
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// What stands beside it.
pub const README: &str = "\
Bu arsiv, bir KEP hesabinin iletilerini ve delillerini icerir.
  iletiler/   iletiler, alindiklari gibi (.eml)
  deliller/   deliller (XML), ileti kimligine gore
  dogrulama/  delilleri dogrulayan sertifikalar, iptal listeleri ve OCSP yanitlari
  index.json, index.csv, index.html   dizin
  SHA256SUMS  denetim: sha256sum -c SHA256SUMS
Acilmamis iletilerin icerigi arsivde yoktur: disa aktarmak okumak degildir.
Deliller cevrimdisi dogrulanir: kep verify deliller/*/*.xml --trust KLASOR

This archive has the mails and the evidence of a KEP account.
  iletiler/   mails, octet for octet (.eml)
  deliller/   evidence (XML), by the message's identifier
  dogrulama/  certificates, revocation lists and OCSP answers that validate it
  index.json, index.csv, index.html   the index
  SHA256SUMS  proof of the files: sha256sum -c SHA256SUMS
The content of unopened messages is not in it: exporting is not reading.
Evidence is verified offline: kep verify deliller/*/*.xml --trust FOLDER
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_neither_two_nor_a_formula() {
        assert_eq!(cell("a\"b,c\r\nd"), "\"a\"\"b,c  d\"");
        assert_eq!(cell("=HYPERLINK(1)"), "\"'=HYPERLINK(1)\"");
        assert_eq!(cell(""), "\"\"");
    }

    #[test]
    fn a_subject_is_text_in_the_page() {
        let mail = Mail {
            file: "iletiler/1-INBOX/1.eml".into(),
            mailbox: "INBOX".into(),
            uid: 1,
            date: "2026".into(),
            from: "a".into(),
            to: "b".into(),
            subject: "<script>x</script>\"".into(),
            octets: 1,
            message: None,
            unopened: true,
        };
        let index = Index { export: Summary::default(), mails: vec![mail], evidence: Vec::new() };
        let page = html(&index);
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
        assert!(page.contains("kapalı · unopened"));
    }
}
