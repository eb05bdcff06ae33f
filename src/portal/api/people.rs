//! Who logs in, and how, and what new accounts begin with: what the API needs of the registry for it.

use crate::registry::accounts::SignatureRule;
use crate::registry::login::{Logins, Pauses};
use crate::registry::places::Places;
use crate::registry::signin::SignIn;
use std::sync::Arc;

pub struct People {
    pub sign_in: SignIn,
    /// Whose a certificate in TLS is.
    pub logins: Arc<Logins>,
    /// One for all doors.
    pub pauses: Arc<Pauses>,
    pub places: Arc<Places>,
    /// How apps and authenticators name us.
    pub provider: String,
    /// The rule of signatures for a new account, where no policy says one.
    pub signature: SignatureRule,
}
