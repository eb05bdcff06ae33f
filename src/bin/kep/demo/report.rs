//! What the demonstration says in the end: the time line, the files, and how to go on by hand.

use super::connection::HOST;
use super::folder::Folder;
use super::journey::{Journey, Piece};
use super::letter;
use super::provider::Provider;
use super::verdict::Verdict;
use crate::command::show;
use kep::wire::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
pub struct Report {
    /// Everything verified.
    pub valid: bool,
    pub dir: PathBuf,
    pub message_id: String,
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    /// Of the sender's copy.
    pub keywords: Vec<String>,
    pub timeline: Vec<Row>,
    /// What `kep verify --json` printed, and its exit code.
    pub verify: Value,
    pub verify_exit_code: Option<i32>,
    pub files: usize,
    pub seconds: f64,
    /// Of the server, when it was left running.
    pub pid: Option<u32>,
    pub ports: Ports,
}

/// One evidence on the time line.
#[derive(Serialize)]
pub struct Row {
    pub event: &'static str,
    pub turkish: &'static str,
    /// When it happened, as the evidence says.
    pub time: String,
    /// The same for people in Turkey.
    pub time_turkish: String,
    pub evidence_id: String,
    /// Value and certificate.
    pub signature: bool,
    /// Imprint, signature and authority.
    pub time_stamp: bool,
    pub stamped_at: Option<String>,
    /// All checks of the evidence and of the mail that brought it.
    pub valid: bool,
}

#[derive(Serialize)]
pub struct Ports {
    pub submission_tls: u16,
    pub submission_starttls: u16,
    pub imap_tls: u16,
    pub imap_starttls: u16,
}

impl Report {
    pub fn new(
        provider: &Provider,
        folder: &Folder,
        journey: Journey,
        verdict: Verdict,
        seconds: f64,
    ) -> Self {
        let base = provider.base_port;
        let timeline: Vec<_> = journey.evidence.iter().map(|piece| row(piece, &verdict)).collect();
        let each = timeline.iter().all(|row| row.signature && row.time_stamp && row.valid);
        Self {
            valid: verdict.is_valid() && each,
            dir: folder.path().to_owned(),
            message_id: journey.message_id,
            sender: provider.sender.address.to_string(),
            recipient: provider.recipient.address.to_string(),
            subject: letter::SUBJECT.to_owned(),
            keywords: journey.keywords,
            timeline,
            verify_exit_code: verdict.exit_code,
            files: verdict.files(),
            verify: verdict.report,
            seconds,
            pid: None,
            ports: Ports {
                submission_tls: base,
                submission_starttls: base + 1,
                imap_tls: base + 2,
                imap_starttls: base + 3,
            },
        }
    }

    pub fn text(&self) -> String {
        let head = [
            "olay · event",
            "zaman · time",
            "delil no · evidence id",
            "imza · signature",
            "zaman damgası · time stamp",
        ];
        let rows: Vec<Vec<String>> = self.timeline.iter().map(Row::cells).collect();
        let mut out = format!("\n{}\n", show::table(&head, &rows, ""));
        if !self.valid {
            out += &format!("kep verify ({:?}): {:#}\n", self.verify_exit_code, self.verify);
        }
        let verdict = match self.valid {
            true => "hepsi doğrulandı · everything verified",
            false => "DOĞRULANAMADI · NOT VERIFIED",
        };
        out += &format!("{verdict}: {} dosya · files, {:.1} s\n", self.files, self.seconds);
        out += &files(&self.dir);
        if let Some(pid) = self.pid {
            out += &self.settings(pid, &self.dir.join("provider"));
        }
        out
    }

    /// What a mail program is told, in the order in which it asks.
    fn settings(&self, pid: u32, provider: &Path) -> String {
        let Ports { submission_tls, submission_starttls, imap_tls, imap_starttls } = self.ports;
        let (sender, recipient, provider) = (&self.sender, &self.recipient, provider.display());
        format!(
            "
Sunucu çalışıyor · the server runs, pid {pid}
durdurmak · stop it:         kill {pid}
yeniden başlatmak · again:   kep serve --conf {provider}/kep.toml

Thunderbird
  IMAP: {HOST}, port {imap_tls} (SSL/TLS) | {imap_starttls} (STARTTLS)
  SMTP: {HOST}, port {submission_tls} (SSL/TLS) | {submission_starttls} (STARTTLS)
  kullanıcı · user name: {sender} | {recipient}
  kimlik doğrulama · authentication: normal parola · normal password
  parolalar · passwords: {provider}/passwords.txt
  Ayarlar > Gizlilik ve Güvenlik > Sertifikalar · Settings > Privacy & Security > Certificates
    Yetkililer · Authorities, web siteleri için · for web sites: {provider}/trust/tls-ca.pem
    Yetkililer · Authorities, e-posta için · for mail: {provider}/trust/seal-ca.pem, user-ca.pem
    Sertifikalarınız · Your Certificates: {provider}/users/{sender}.p12 (aynı parola · same password)
  Hesap Ayarları > Uçtan Uca Şifreleme > S/MIME · Account Settings > End-To-End Encryption > S/MIME
    imza sertifikasını seçin, her iletiyi imzalayın · choose it, sign every message
"
        )
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let check = |good: bool| if good { "✓" } else { "GEÇERSİZ · INVALID" };
        let stamped = self.stamped_at.as_deref().and_then(Timestamp::parse_iso8601);
        let stamped = stamped.map_or_else(|| "-".to_owned(), Timestamp::turkish);
        vec![
            format!("{} · {}", self.turkish, self.event),
            self.time_turkish.clone(),
            self.evidence_id.clone(),
            check(self.signature && self.valid).to_owned(),
            format!("{} {stamped}", check(self.time_stamp)),
        ]
    }
}

fn row(piece: &Piece, verdict: &Verdict) -> Row {
    let (evidence, xml) = (&piece.evidence, &piece.xml);
    Row {
        event: evidence.event.name(),
        turkish: evidence.event.turkish(),
        time: evidence.event_time.iso8601(),
        time_turkish: evidence.event_time.turkish(),
        evidence_id: evidence.id.to_string(),
        signature: verdict.signature(xml),
        time_stamp: verdict.time_stamp(xml),
        stamped_at: verdict.stamped_at(xml).map(str::to_owned),
        valid: verdict.holds_for(xml) && verdict.holds_for(&piece.mail),
    }
}

fn files(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "deliller · evidence   {dir}/evidence
iletiler · mails      {dir}/mails
özgün · original      {dir}/original
sağlayıcı · provider  {dir}/provider
"
    )
}
