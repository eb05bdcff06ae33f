//! What became of a mail, recipient by recipient.

use super::plan::To;
use crate::wire::KepAddress;
use crate::wire::smtp::{Reply, ReplyError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    pub recipients: Vec<(KepAddress, Outcome)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing known yet; never in a finished report.
    Pending,
    /// RCPT was taken; never in a finished report.
    Taken,
    /// The server has the mail for this recipient.
    Accepted(Reply),
    /// The server said no: for good (5xx) or for now (4xx).
    Refused(Reply),
    Failed(Failure),
}

/// Why the dialogue came to no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    #[error("greeted with {} {}", .0.code(), .0.text())]
    Greeting(Reply),
    #[error("EHLO answered with {} {}", .0.code(), .0.text())]
    Hello(Reply),
    #[error("the server offers no TLS")]
    NoTls,
    #[error("STARTTLS answered with {} {}", .0.code(), .0.text())]
    StartTls(Reply),
    #[error("replies were sent along with the answer to STARTTLS")]
    Injected,
    #[error("the server offers no AUTH PLAIN")]
    NoLogin,
    #[error("AUTH answered with {} {}", .0.code(), .0.text())]
    Login(Reply),
    /// MAIL was refused for good, with an answer that is about who sends and not about the mail.
    #[error("MAIL answered with {} {}", .0.code(), .0.text())]
    Mail(Reply),
    #[error("the mail is larger than the server's limit of {limit} octets")]
    TooLarge { limit: u64 },
    #[error("the server lacks {0}")]
    Lacks(&'static str),
    #[error("unexpected reply {} {}", .0.code(), .0.text())]
    Unexpected(Reply),
    #[error("{0}")]
    Protocol(ReplyError),
    #[error("TLS: {0}")]
    Tls(String),
    #[error("no answer in time")]
    Silent,
    #[error("the connection was lost")]
    Lost,
    /// The server may have the mail: sending it again may double it (it is one message there too,
    /// when the server knows identifiers).
    #[error("the connection was lost after the mail was sent")]
    LostAfterBody,
}

impl Outcome {
    /// No use in trying again.
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Accepted(_) => true,
            Self::Refused(reply) => !reply.is_transient(),
            Self::Failed(Failure::TooLarge { .. } | Failure::Lacks(_)) => true,
            Self::Failed(
                Failure::Greeting(reply) | Failure::Login(reply) | Failure::Mail(reply),
            ) => !reply.is_transient(),
            Self::Pending | Self::Taken | Self::Failed(_) => false,
        }
    }
}

impl Report {
    pub(super) fn pending(recipients: &[To]) -> Self {
        let pending = |to: &To| (to.address.clone(), Outcome::Pending);
        Self { recipients: recipients.iter().map(pending).collect() }
    }

    pub(super) fn recipient(&mut self, index: usize, reply: Reply) {
        if let Some((_, outcome @ Outcome::Pending)) = self.recipients.get_mut(index) {
            *outcome = match reply.code() {
                200..=299 => Outcome::Taken,
                // RFC 5321 §4.5.3.1.10: the old code for too many recipients at a time.
                552 if reply.enhanced().is_none_or(|code| code == "5.5.3") => {
                    Outcome::Refused(Reply::new(452, "4.5.3", reply.text()))
                }
                _ => Outcome::Refused(reply),
            };
        }
    }

    pub(super) fn anyone_taken(&self) -> bool {
        self.recipients.iter().any(|(_, outcome)| *outcome == Outcome::Taken)
    }

    pub(super) fn anyone_accepted(&self) -> bool {
        self.recipients.iter().any(|(_, outcome)| matches!(outcome, Outcome::Accepted(_)))
    }

    /// MAIL was refused.
    pub(super) fn refuse_mail(&mut self, reply: &Reply) {
        let outcome = match reply.is_transient() || is_of_the_mail(reply) {
            true => Outcome::Refused(reply.clone()),
            false => Outcome::Failed(Failure::Mail(reply.clone())),
        };
        self.settle(&Outcome::Pending, &outcome);
    }

    pub(super) fn refuse_taken(&mut self, reply: &Reply) {
        self.settle(&Outcome::Taken, &Outcome::Refused(reply.clone()));
    }

    pub(super) fn finish(&mut self, reply: &Reply) {
        let outcome = match reply.code() {
            200..=299 => Outcome::Accepted(reply.clone()),
            _ => Outcome::Refused(reply.clone()),
        };
        self.settle(&Outcome::Taken, &outcome);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        let failed = Outcome::Failed(failure);
        self.settle(&Outcome::Pending, &failed);
        self.settle(&Outcome::Taken, &failed);
    }

    fn settle(&mut self, from: &Outcome, to: &Outcome) {
        for (_, outcome) in self.recipients.iter_mut().filter(|(_, outcome)| outcome == from) {
            outcome.clone_from(to);
        }
    }
}

/// A refusal of MAIL that another mail need not meet: its size, its form, its parameters. Everything
/// else is about us, and would meet the whole queue.
fn is_of_the_mail(reply: &Reply) -> bool {
    match reply.enhanced() {
        Some(code) => {
            ["5.2.3", "5.3.4", "5.5.2", "5.5.4"].contains(&code) || code.starts_with("5.6.")
        }
        None => matches!(reply.code(), 501 | 504 | 552 | 555),
    }
}
