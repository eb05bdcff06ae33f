//! What is guessed at: counted by network before it is judged, and answered later each time that it is wrong.

pub mod run;

use crate::portal::api::call::Call;
use crate::portal::api::problem::Problem;
use crate::registry::audit::Channel;
use crate::registry::credentials::CredentialError;
use crate::registry::signin::Client;
use crate::wire::Timestamp;

/// What was shown, judged.
pub enum Judged<T> {
    Right(T),
    /// The answer waits, and the try counts.
    Wrong(T),
    /// Neither: it came too late, or somebody else must be asked first.
    Not(Problem),
}

pub fn locked(until: Timestamp) -> Problem {
    Problem::LoginLocked(until.turkish())
}

/// From where somebody logs in.
pub fn client(call: &Call, cookie: bool) -> Client {
    Client {
        address: call.origin.address,
        agent: call.origin.agent.clone(),
        channel: if cookie { Channel::Portal } else { Channel::Api },
    }
}

impl From<CredentialError> for Problem {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Registry(error) => error.into(),
            CredentialError::Password(fault) => Self::PasswordUnfit(fault.english()),
            CredentialError::TotpThere => Self::FactorThere,
            CredentialError::NoTotp => Self::NoFactor,
            CredentialError::Code => Self::CodeWrong,
            CredentialError::Passkey(fault) => Self::PasskeyUnfit(fault.to_string()),
            CredentialError::PasskeyThere => Self::CredentialThere,
            CredentialError::ManyPasskeys(most) | CredentialError::ManyCertificates(most) => {
                Self::CredentialsMany(most.to_string())
            }
            CredentialError::PasskeyName(_) | CredentialError::CertificateOfAnother => {
                Self::CredentialUnfit(error.to_string())
            }
            CredentialError::Expired => Self::LoginExpired,
            CredentialError::NoPortal => Self::PasskeysOff,
            CredentialError::NoPhone => Self::NoPhone,
            CredentialError::LastFactor => Self::LastFactor,
            CredentialError::Locked(until) => locked(until),
        }
    }
}
