//! What a caller hears when something is not done: a stable code, and what it says in Turkish and
//! English, as RFC 9457 has it. One table for the API's own; what a submission is refused for comes
//! from the room that accepts (its one table, as SMTP says it) and is listed beside it.

mod table;

pub use table::Problem;

use super::tongue::Tongue;
use crate::registry::RegistryError;
use crate::registry::addresses::{Malformed, Untaken};
use crate::registry::applications::ApplicationError;
use crate::store::{RowsError, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Stable, for programs.
    pub code: &'static str,
    pub status: u16,
    /// `{}` stands for the detail.
    pub turkish: &'static str,
    pub english: &'static str,
    /// What the caller can do; may be empty.
    pub hint_turkish: &'static str,
    pub hint_english: &'static str,
}

/// What a problem is about, where that is said in either language.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Both {
    pub turkish: String,
    pub english: String,
}

/// A problem as it is said (RFC 9457, section 3.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct Said {
    /// Where the code is explained.
    #[serde(rename = "type")]
    #[schema(example = "/api/v1/errors/message-unknown")]
    pub kind: String,
    /// What it says, in the language that was asked for.
    #[schema(example = "Böyle bir ileti yok.")]
    pub title: String,
    /// The status of the answer.
    #[schema(minimum = 400, maximum = 599, example = 404)]
    pub status: u16,
    /// Stable, for programs.
    #[schema(pattern = "^[a-z0-9-]+$", example = "message-unknown")]
    pub code: String,
    /// What can be done about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hint: Option<String>,
    /// Of a submission that was refused: what SMTP would have said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refusal: Option<Refused>,
}

/// What SMTP would have said of a submission.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Refused {
    /// The reply code (RFC 5321).
    #[schema(minimum = 400, maximum = 599, example = 550)]
    pub reply: u16,
    /// The enhanced status code (RFC 3463).
    #[schema(example = "5.7.7")]
    pub enhanced: String,
    /// The reason that evidence names (TS 102 640-2, annex D).
    #[schema(example = "InvalidUserSignature")]
    pub reason: String,
}

/// A refusal of a submission, as the room that accepts has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    pub entry: Entry,
    pub said: Refused,
    /// The address, name or number that it is about; may be empty.
    pub detail: String,
}

/// An entry of the catalogue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[schema(as = ErrorEntry)]
pub struct Entry {
    /// Stable, for programs.
    #[schema(pattern = "^[a-z0-9-]+$", example = "message-unknown")]
    pub code: String,
    #[schema(minimum = 400, maximum = 599, example = 404)]
    pub status: u16,
    /// `{}` stands for what it is about.
    #[schema(example = "Böyle bir ileti yok.")]
    pub turkish: String,
    #[schema(example = "There is no such message.")]
    pub english: String,
    pub hint_turkish: Option<String>,
    pub hint_english: Option<String>,
}

impl Problem {
    pub fn said(&self, tongue: Tongue) -> Said {
        let entry = self.entry();
        let (title, hint) = match tongue {
            Tongue::Turkish => (entry.turkish, entry.hint_turkish),
            Tongue::English => (entry.english, entry.hint_english),
        };
        let refusal = match self {
            Self::Refused(refusal) => Some(refusal.said.clone()),
            _ => None,
        };
        Said {
            kind: format!("{}/errors/{}", super::BASE, entry.code),
            title: title.replace("{}", &self.shown(tongue)),
            status: entry.status,
            code: entry.code,
            hint,
            refusal,
        }
    }

    pub fn status(&self) -> u16 {
        match self {
            Self::Refused(refusal) => refusal.entry.status,
            _ => self.row().status,
        }
    }

    /// The API's own problems, once each.
    pub fn catalogue() -> Vec<Entry> {
        Self::all().iter().map(Self::entry).collect()
    }

    pub(super) fn entry(&self) -> Entry {
        if let Self::Refused(refusal) = self {
            return refusal.entry.clone();
        }
        let (row, some) = (self.row(), |hint: &str| (!hint.is_empty()).then(|| hint.to_owned()));
        Entry {
            code: row.code.to_owned(),
            status: row.status,
            turkish: row.turkish.to_owned(),
            english: row.english.to_owned(),
            hint_turkish: some(row.hint_turkish),
            hint_english: some(row.hint_english),
        }
    }

    /// What it is about comes from the caller: short, and one line.
    fn shown(&self, tongue: Tongue) -> String {
        self.detail(tongue).chars().filter(|c| !c.is_control()).take(DETAIL).collect()
    }
}

impl Both {
    pub fn new(turkish: impl Into<String>, english: impl Into<String>) -> Self {
        Self { turkish: turkish.into(), english: english.into() }
    }

    /// Of a problem that may come, whatever it will be about.
    pub fn any() -> Self {
        Self::new("{}", "{}")
    }

    pub fn said(&self, tongue: Tongue) -> &str {
        match tongue {
            Tongue::Turkish => &self.turkish,
            Tongue::English => &self.english,
        }
    }
}

impl From<RowsError> for Problem {
    fn from(error: RowsError) -> Self {
        Self::from(StoreError::from(error))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "api");
        match error.is_full() {
            true => Self::StorageFull,
            false => Self::Unavailable,
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            RegistryError::Unknown(_) => Self::AccountUnknown,
            RegistryError::Standing(_, mistimed) => {
                Self::AccountStanding(mistimed.stage.word().to_owned())
            }
            RegistryError::Holder(faults) => Self::FormUnfit(faults.to_string()),
            RegistryError::Reason(_) | RegistryError::Months(_) => {
                Self::FormUnfit(error.to_string())
            }
            RegistryError::NoHolder(_) => Self::HolderUnknown,
            RegistryError::NotForPersons => Self::NotForPersons,
            RegistryError::HasOperators(_) => Self::OperatorsNotForPersons,
            RegistryError::Forbidden(_) => Self::PolicyForbids,
            RegistryError::NotTheHolder(_) => Self::NotTheHolder,
            RegistryError::Untaken(_, why) => why.into(),
            RegistryError::Foreign(_, own) => Self::AddressNotGiven(Both::new(
                format!("Sağlayıcının adresi değil; adresler {own} ile biter."),
                format!("it is none of the provider's, which end in {own}"),
            )),
            RegistryError::Reserved(_) => Untaken::Reserved.into(),
            RegistryError::Application(error) => error.into(),
            RegistryError::ByApplication => Self::ApplicationNeeded,
            RegistryError::NoContract(_) => Self::ContractNone,
            RegistryError::EarlyRenewal(_, from) => Self::ContractEarly(from.turkish_day()),
            RegistryError::NoRequest(_) => Self::ClosingUnknown,
            RegistryError::NoReceipt(_) | RegistryError::Unsigned(_) => Self::ReceiptUnsigned,
            other => {
                tracing::error!(error = %other, "api");
                Self::Internal
            }
        }
    }
}

impl From<ApplicationError> for Problem {
    fn from(error: ApplicationError) -> Self {
        match error {
            ApplicationError::Unknown(_) => Self::ApplicationUnknown,
            ApplicationError::Mistimed { stage, .. } => Self::ApplicationMistimed(stage.to_owned()),
            ApplicationError::Papers(kinds) => {
                let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
                Self::PapersMissing(words.join(", "))
            }
            ApplicationError::SameHand(_) => Self::SecondPersonNeeded,
            ApplicationError::Nameless => Self::NotStaff,
            ApplicationError::Open(_) => Untaken::Given.into(),
        }
    }
}

impl From<Untaken> for Problem {
    fn from(why: Untaken) -> Self {
        Self::AddressNotGiven(Both::new(why.turkish(), why.english()))
    }
}

impl From<Malformed> for Problem {
    fn from(why: Malformed) -> Self {
        Self::AddressNotGiven(Both::new(why.turkish(), why.english()))
    }
}

/// Characters of what a problem is about.
const DETAIL: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_is_its_own_and_says_something_in_both_languages() {
        let all = Problem::catalogue();
        let codes: BTreeSet<_> = all.iter().map(|entry| entry.code.clone()).collect();
        assert_eq!(codes.len(), all.len());
        for entry in all {
            assert!((400..600).contains(&entry.status), "{entry:?}");
            assert!(!entry.turkish.is_empty() && !entry.english.is_empty(), "{entry:?}");
            assert_eq!(entry.hint_turkish.is_some(), entry.hint_english.is_some(), "{entry:?}");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(entry.code.chars().all(plain), "{entry:?}");
        }
    }

    #[test]
    fn a_problem_is_said_in_the_language_that_was_asked_for() {
        let problem = Problem::BadParameter("limit\r\n".into());
        let said = problem.said(Tongue::English);
        assert_eq!((said.status, said.code.as_str()), (400, "bad-parameter"));
        assert!(said.title.contains("limit") && !said.title.contains('\n'), "{}", said.title);
        assert_ne!(said.title, problem.said(Tongue::Turkish).title);
        assert_eq!(said.kind, "/api/v1/errors/bad-parameter");
    }

    #[test]
    fn a_refused_submission_says_what_smtp_would_say() {
        let entry = Entry {
            code: "refused-signature-missing".into(),
            status: 422,
            turkish: "{} imzalı değil.".into(),
            english: "{} is not signed.".into(),
            hint_turkish: None,
            hint_english: None,
        };
        let said =
            Refused { reply: 550, enhanced: "5.7.7".into(), reason: "InvalidUserSignature".into() };
        let refusal = Refusal { entry, said: said.clone(), detail: "X".into() };
        let problem = Problem::Refused(Box::new(refusal)).said(Tongue::English);
        assert_eq!((problem.status, problem.title.as_str()), (422, "X is not signed."));
        assert_eq!(problem.refusal, Some(said));
    }
}
