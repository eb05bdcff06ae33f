//! What the demonstration says in the end: the time line, the files, and how to go on by hand.

use super::connection::HOST;
use super::folder::Folder;
use super::journey::{Journey, Piece};
use super::letter;
use super::provider::Provider;
use super::verdict::Verdict;
use crate::command::show;
use serde::Serialize;
use std::path::{Path, PathBuf};

#[derive(Serialize)]
pub struct Report {
    /// Everything verified.
    pub valid: bool,
    /// Absent when the folder was temporary and is gone.
    pub dir: Option<PathBuf>,
    pub message_id: String,
    pub sender: String,
    pub recipient: String,
    pub subject: String,
    pub keywords: Vec<String>,
    pub timeline: Vec<Row>,
    pub verified: Vec<Verdict>,
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
    /// Signature, chain, time stamp and digest of the original.
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
        verified: Vec<Verdict>,
        seconds: f64,
    ) -> Self {
        let timeline = journey.evidence.iter().map(|piece| row(piece, &verified)).collect();
        let base = provider.base_port;
        Self {
            valid: verified.iter().all(|verdict| verdict.valid),
            dir: (!folder.is_temporary()).then(|| folder.path().to_owned()),
            message_id: journey.message_id,
            sender: provider.sender.address.to_string(),
            recipient: provider.recipient.address.to_string(),
            subject: letter::SUBJECT.to_owned(),
            keywords: journey.keywords,
            timeline,
            verified,
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
        let mut out = String::from("\n");
        let head = ["olay · event", "zaman · time", "delil no · evidence id", "doğrulama · check"];
        let rows: Vec<Vec<String>> = self.timeline.iter().map(Row::cells).collect();
        out += &show::table(&head, &rows, "");
        out += "\n";
        for bad in self.verified.iter().filter(|verdict| !verdict.valid) {
            out += &format!("{}: kep verify {:?}\n", bad.file.display(), bad.exit_code);
            out += &format!("{:#}\n", bad.report);
        }
        let verdict = match self.valid {
            true => "hepsi doğrulandı · everything verified",
            false => "DOĞRULANAMADI · NOT VERIFIED",
        };
        out +=
            &format!("{verdict}: {} dosya · files, {:.1} s\n", self.verified.len(), self.seconds);
        out += &match &self.dir {
            Some(dir) => files(dir),
            None => "geçici klasör silindi · the temporary folder is gone; --dir DIR keeps it\n"
                .to_owned(),
        };
        if let (Some(pid), Some(dir)) = (self.pid, &self.dir) {
            out += &self.settings(pid, dir);
        }
        out
    }

    /// What a mail program is told, in the order in which it asks.
    fn settings(&self, pid: u32, dir: &Path) -> String {
        let Ports { submission_tls, submission_starttls, imap_tls, imap_starttls } = self.ports;
        let (sender, recipient) = (&self.sender, &self.recipient);
        let provider = dir.join("provider");
        let provider = provider.display();
        format!(
            "\nSunucu çalışıyor · the server runs, pid {pid}; durdurmak için · to stop it: kill {pid}\n\
             \n\
             Thunderbird\n\
             \x20 IMAP        {HOST}, port {imap_tls} (SSL/TLS) · {imap_starttls} (STARTTLS)\n\
             \x20 SMTP        {HOST}, port {submission_tls} (SSL/TLS) · {submission_starttls} (STARTTLS)\n\
             \x20 kimlik doğrulama · authentication: normal parola · normal password\n\
             \x20 kullanıcı · user name: {sender} | {recipient}\n\
             \x20 parolalar · passwords: {provider}/passwords.txt\n\
             \x20 Ayarlar > Gizlilik ve güvenlik > Sertifikalar · Settings > Privacy & Security > \
             Certificates\n\
             \x20   Makamlar · Authorities (web + e-posta · web + mail): {provider}/trust/tls-ca.pem, \
             seal-ca.pem, user-ca.pem\n\
             \x20   Kişisel · Your Certificates: {provider}/users/ADDRESS.p12 (aynı parola · same \
             password)\n\
             \x20 Hesap ayarları > Uçtan uca şifreleme > S/MIME · Account Settings > End-To-End \
             Encryption > S/MIME:\n\
             \x20   imza sertifikasını seçin, her iletiyi imzalayın · choose it, sign every message\n"
        )
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let check = if self.valid { "imza, zaman damgası ✓" } else { "GEÇERSİZ · INVALID" };
        let event = format!("{} · {}", self.turkish, self.event);
        vec![event, self.time_turkish.clone(), self.evidence_id.clone(), check.to_owned()]
    }
}

fn row(piece: &Piece, verified: &[Verdict]) -> Row {
    let evidence = &piece.evidence;
    let mine = |verdict: &&Verdict| verdict.file == piece.xml || verdict.file == piece.mail;
    let mut verdicts = verified.iter().filter(mine).peekable();
    Row {
        event: evidence.event.name(),
        turkish: evidence.event.turkish(),
        time: evidence.event_time.iso8601(),
        time_turkish: evidence.event_time.turkish(),
        evidence_id: evidence.id.to_string(),
        valid: verdicts.peek().is_some() && verdicts.all(|verdict| verdict.valid),
    }
}

fn files(dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "deliller · evidence   {dir}/evidence\n\
         iletiler · mails      {dir}/mails\n\
         özgün · original      {dir}/original\n\
         sağlayıcı · provider  {dir}/provider\n"
    )
}
