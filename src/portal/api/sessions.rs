//! Sessions of the person who asks: who he is, his other ones, and proving anew who he is.

mod run;

use super::endpoint::{Endpoint, Tag, Verb, params};
use super::kinds::Name;
use super::login::SessionShown;
use super::problem::Problem;
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    vec![
        Endpoint::new(Verb::Get, "/session", "showSession", Tag::Credentials)
            .says("Oturumu ve oturumun sahibini gösterir.", "Shows the session, and whose it is.")
            .personal()
            .runs(run::show),
        Endpoint::new(Verb::Delete, "/session", "logOut", Tag::Credentials)
            .says("Oturumu kapatır.", "Ends the session.")
            .personal()
            .runs(run::log_out),
        Endpoint::new(Verb::Post, "/session/step-up", "stepUp", Tag::Credentials)
            .says(
                "Kimliğin yeniden kanıtlanmasını başlatır; /login/second ile sürer.",
                "Begins to prove anew who one is; /login/second goes on with it.",
            )
            .personal()
            .runs(run::step_up),
        Endpoint::new(Verb::Get, "/sessions", "listSessions", Tag::Credentials)
            .says("Kişinin açık oturumlarını listeler.", "Lists the person's sessions.")
            .personal()
            .runs(run::list),
        Endpoint::new(Verb::Delete, "/sessions", "endSessions", Tag::Credentials)
            .says("Bu oturum dışındakileri kapatır.", "Ends all sessions but this one.")
            .personal()
            .runs(run::end_all),
        Endpoint::new(Verb::Delete, "/sessions/{session}", "endSession", Tag::Credentials)
            .says("Bir oturumu kapatır.", "Ends a session.")
            .personal()
            .may_say([Problem::CredentialUnknown])
            .runs(run::end),
    ]
}

params! {
    OneSession {
        path session: Name = "0a1b2c3d4e5f6071", "The session's id.";
    }
}

/// Who is there.
#[derive(Serialize, ToSchema)]
struct WhoAmI {
    #[schema(example = "ali.veli@hs05.kep.tr")]
    address: String,
    /// Of the account.
    #[schema(example = "Ali Veli")]
    name: String,
    /// Who acts for it; none when it is its holder.
    operator: Option<ActingOperator>,
    session: SessionShown,
    /// Whether enough was shown of late for a legal act.
    #[schema(example = false)]
    legal: bool,
}

#[derive(Serialize, ToSchema)]
struct ActingOperator {
    #[schema(example = "003")]
    code: String,
    #[schema(example = "Ayşe Yılmaz")]
    name: String,
    #[schema(example = json!(["reads"]))]
    roles: Vec<String>,
}

#[derive(Serialize, ToSchema)]
struct Sessions {
    /// The latest first.
    sessions: Vec<SessionShown>,
}

/// How many have ended.
#[derive(Serialize, ToSchema)]
struct EndedSessions {
    #[schema(minimum = 0, example = 2)]
    ended: u64,
}
