//! Why something is not accepted: one enum, and one table that says of each refusal what the mail
//! program hears, what a person reads, and what the evidence names.
//!
//! Texts are Turkish, then English. An SMTP reply is ASCII (RFC 6531 allows UTF-8 in replies only
//! to a few commands), so `wire::smtp::Reply` folds the Turkish letters there; the portal and
//! evidence mails use the texts as they stand.

mod table;

pub use table::Refusal;

use crate::wire::smtp::Reply;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Stable name, for logs, transcripts and the portal.
    pub name: &'static str,
    /// RFC 5321 reply code.
    pub code: u16,
    /// RFC 3463 code.
    pub enhanced: &'static str,
    /// TS 102 640-2 Annex D.
    pub reason: EventReason,
    /// `{}` stands for the detail.
    pub turkish: &'static str,
    pub english: &'static str,
    /// What the sender can do; may be empty.
    pub hint_turkish: &'static str,
    pub hint_english: &'static str,
}

/// The reasons of TS 102 640-2 Annex D that a refused submission can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventReason {
    InvalidMessageFormat,
    MalwareFound,
    InvalidUserSignature,
    UserCertExpiredOrRevoked,
    PolicyViolation,
    UnknownRecipient,
    MailboxFull,
    TechnicalMalfunction,
    Other,
}

impl EventReason {
    /// The fragment of `http:uri.etsi.org/REM/EventReason#…`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidMessageFormat => "InvalidMessageFormat",
            Self::MalwareFound => "MalwareFound",
            Self::InvalidUserSignature => "InvalidUserSignature",
            Self::UserCertExpiredOrRevoked => "UserCertExpiredOrRevoked",
            Self::PolicyViolation => "PolicyViolation",
            Self::UnknownRecipient => "UnknownRecipient",
            Self::MailboxFull => "MailboxFull",
            Self::TechnicalMalfunction => "TechnicalMalfunction",
            Self::Other => "Other",
        }
    }
}

impl Refusal {
    pub fn no_credit(needed: i64, left: i64) -> Self {
        Self::NoCredit(format!("{needed} / {left}"))
    }

    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// The TS 102 640-2 EventReason.
    pub fn event_reason(&self) -> &'static str {
        self.row().reason.as_str()
    }

    /// Worth trying again as it is.
    pub fn is_temporary(&self) -> bool {
        self.row().code < 500
    }

    pub fn turkish(&self) -> String {
        self.filled(self.row().turkish)
    }

    pub fn english(&self) -> String {
        self.filled(self.row().english)
    }

    /// What the sender can do about it, in Turkish and English.
    pub fn hint(&self) -> Option<(&'static str, &'static str)> {
        let row = self.row();
        (!row.hint_turkish.is_empty()).then_some((row.hint_turkish, row.hint_english))
    }

    /// What the mail program hears: Turkish, then English, each with its hint.
    pub fn reply(&self) -> Reply {
        let row = self.row();
        let (hint_turkish, hint_english) = self.hint().unwrap_or_default();
        let join = |text: String, hint: &str| format!("{text} {hint}").trim_end().to_owned();
        Reply::new(row.code, row.enhanced, join(self.turkish(), hint_turkish))
            .line(join(self.english(), hint_english))
    }

    /// The detail comes from the peer: short, and nothing that could end a line.
    fn filled(&self, text: &str) -> String {
        let detail: String =
            self.detail().chars().filter(|c| !c.is_control()).take(DETAIL_MAX).collect();
        text.replace("{}", &detail)
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let row = self.row();
        write!(f, "{} ({} {}): {}", row.name, row.code, row.enhanced, self.english())
    }
}

impl std::error::Error for Refusal {}

/// Longer than any address (RFC 5321 §4.5.3.1: 64 + 1 + 255).
const DETAIL_MAX: usize = 320;

#[cfg(test)]
mod tests;
