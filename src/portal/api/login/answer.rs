//! What a step of a login comes to, as it is answered.

use crate::portal::api::admit;
use crate::portal::api::call::{Answered, Reply};
use crate::portal::api::endpoint::{Answer, Gives, Json};
use crate::registry::sessions::Session;
use crate::registry::signin::{Asking, Second};
use crate::wire::OperatorCode;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use utoipa::ToSchema;

/// What a login has come to.
#[derive(Serialize, ToSchema)]
pub struct LoginAnswer {
    /// `in`: there is a session. `second`: a second factor is asked for. `which`: one of `accounts` is to be
    /// named. `stepped`: something was proven anew in the session that was there.
    #[schema(example = "in")]
    pub state: String,
    /// The session's, shown this once; none where a cookie keeps it. With `which` the step's.
    pub token: Option<String>,
    pub session: Option<SessionShown>,
    pub second: Option<SecondStep>,
    pub accounts: Option<Vec<String>>,
}

/// A session, without its token.
#[derive(Serialize, ToSchema)]
pub struct SessionShown {
    /// Names it; lets nobody in.
    #[schema(example = "0a1b2c3d4e5f6071")]
    pub id: String,
    /// Who acts for the account: an operator's code.
    #[schema(example = "003")]
    pub operator: Option<String>,
    /// What was shown.
    #[schema(example = json!(["password", "totp"]))]
    pub factors: Vec<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    pub created: String,
    /// To within a minute.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    pub seen: String,
    /// However it is used.
    #[schema(format = DateTime, example = "2026-11-29T17:00:00.000Z")]
    pub ends: String,
    /// The network address it began from.
    #[schema(example = "192.0.2.7")]
    pub address: String,
    /// The program it began with.
    #[schema(example = "Firefox")]
    pub agent: String,
}

/// A second factor is asked for.
#[derive(Serialize, ToSchema)]
pub struct SecondStep {
    /// The answer comes with it, once.
    pub token: String,
    /// What this person can show; a signature always.
    #[schema(example = json!(["totp", "signature"]))]
    pub factors: Vec<String>,
    /// Tries.
    #[schema(minimum = 0, example = 5)]
    pub left: u8,
    #[schema(format = DateTime, example = "2026-11-29T09:05:00.000Z")]
    pub ends: String,
    /// The factor that was tried waits until then; another one may be shown.
    #[schema(format = DateTime, example = "2026-11-29T09:15:00.000Z")]
    pub locked_until: Option<String>,
    /// Of a passkey: `PublicKeyCredentialRequestOptionsJSON`.
    #[schema(value_type = Option<Object>)]
    pub options: Option<serde_json::Value>,
    /// Of a signature: what is to be signed.
    pub text: Option<String>,
    /// Whether a code is on its way.
    #[schema(example = false)]
    pub sent: bool,
}

impl LoginAnswer {
    pub fn state(state: &str) -> Self {
        let state = state.to_owned();
        Self { state, token: None, session: None, second: None, accounts: None }
    }
}

impl SessionShown {
    pub fn of(session: &Session) -> Self {
        let operator = OperatorCode::of_number(session.owner.operator);
        Self {
            id: session.id.clone(),
            operator: operator.map(|code| code.to_string()),
            factors: session.factors().map(|factor| factor.word().to_owned()).collect(),
            created: session.created_at.iso8601(),
            seen: session.seen_at.iso8601(),
            ends: session.ends_at.iso8601(),
            address: session.address.clone(),
            agent: session.agent.clone(),
        }
    }
}

impl SecondStep {
    pub fn of(second: &Second) -> Self {
        let can = second.options;
        let all = [
            ("totp", can.totp),
            ("backup-code", can.backup_code),
            ("passkey", can.passkey),
            ("sms", can.sms),
            ("signature", true),
        ];
        let factors = all.into_iter().filter(|(_, can)| *can).map(|(word, _)| word.to_owned());
        let (options, text) = match &second.asking {
            Asking::Passkey(options) => (Some(options.clone()), None),
            Asking::Signature(text) => (None, Some(text.clone())),
            Asking::Nothing | Asking::Sms => (None, None),
        };
        Self {
            token: second.token.expose_secret().to_owned(),
            factors: factors.collect(),
            left: second.left,
            ends: second.ends_at.iso8601(),
            locked_until: second.locked_until.map(|until| until.iso8601()),
            options,
            text,
            sent: matches!(second.asking, Asking::Sms),
        }
    }
}

/// The answer to a login, and what a browser keeps of it.
pub struct Entry {
    pub answer: LoginAnswer,
    pub cookie: Option<SecretString>,
}

impl Answer for Entry {
    fn gives() -> Gives {
        Json::<LoginAnswer>::gives()
    }

    fn reply(self) -> Answered<Reply> {
        let reply = Reply::json(200, &self.answer)?;
        Ok(match &self.cookie {
            Some(token) => reply.with("Set-Cookie", admit::keep(token)),
            None => reply,
        })
    }
}
