//! Passwords that are made for mail programs, of the person who asks: each for its doors, with its way of
//! opening, taken away alone.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::{Name, TextLine};
use super::problem::Problem;
use crate::registry::accounts::OpeningMode;
use crate::registry::app_passwords::{AppPassword, Scope};
use crate::registry::legal::LegalAct;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let some = || String::from("{}");
    vec![
        Endpoint::new(Verb::Get, "/app-passwords", "listAppPasswords", Tag::Credentials)
            .says("Posta programı parolalarını listeler.", "Lists the passwords of mail programs.")
            .personal()
            .runs(run::list),
        Endpoint::new(Verb::Post, "/app-passwords", "createAppPassword", Tag::Credentials)
            .says(
                "Bir posta programı için parola üretir; bir kez gösterilir.",
                "Makes a password for a mail program; it is shown this once.",
            )
            .legal(LegalAct::MailPassword)
            .may_say([Problem::CredentialUnfit(some()), Problem::CredentialsMany(some())])
            .runs(run::create),
        Endpoint::new(
            Verb::Delete,
            "/app-passwords/{password}",
            "revokeAppPassword",
            Tag::Credentials,
        )
        .says(
            "Bir posta programının parolasını geri alır.",
            "Takes the password of a mail program away.",
        )
        .personal()
        .may_say([Problem::CredentialUnknown])
        .runs(run::revoke),
    ]
}

params! {
    OnePassword {
        path password: Name = "abcde", "The password's id: its first group.";
    }
}

/// A door.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = MailDoorWord)]
enum Door {
    Smtp,
    Imap,
}

/// How an unopened message stands in the inbox of that program: kapalı zarf, or doğrudan.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OpeningWord)]
enum Opening {
    Sealed,
    Direct,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAppPassword {
    /// The program, the device.
    #[schema(inline)]
    name: TextLine,
    /// None: SMTP and IMAP.
    doors: Option<Vec<Door>>,
    /// None: as the account opens.
    opening: Option<Opening>,
}

/// A password of a mail program, without itself.
#[derive(Serialize, ToSchema)]
#[schema(as = AppPasswordShown)]
struct Shown {
    /// Its first group.
    #[schema(example = "abcde")]
    id: String,
    #[schema(example = "Thunderbird, evde")]
    name: String,
    doors: Vec<Door>,
    opening: Option<Opening>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    created: String,
    /// To within an hour.
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    used: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct AppPasswords {
    passwords: Vec<Shown>,
}

#[derive(Serialize, ToSchema)]
struct MadeAppPassword {
    /// Shown this once.
    #[schema(example = "abcde-fghjk-mnpqr-stvwx-yz012-34567")]
    password: String,
    made: Shown,
}

impl Door {
    fn scope(self) -> Scope {
        match self {
            Self::Smtp => Scope::Smtp,
            Self::Imap => Scope::Imap,
        }
    }
}

impl Opening {
    fn mode(self) -> OpeningMode {
        match self {
            Self::Sealed => OpeningMode::Sealed,
            Self::Direct => OpeningMode::Direct,
        }
    }
}

impl Shown {
    fn of(one: &AppPassword) -> Self {
        let all = [Door::Smtp, Door::Imap];
        let opening = [Opening::Sealed, Opening::Direct];
        Self {
            id: one.id.clone(),
            name: one.name.clone(),
            doors: all.into_iter().filter(|door| one.scopes.contains(door.scope())).collect(),
            opening: opening.into_iter().find(|way| Some(way.mode()) == one.opening),
            created: one.created_at.iso8601(),
            used: one.used_at.map(|at| at.iso8601()),
        }
    }
}
