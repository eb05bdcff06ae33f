//! Who asks: by a token of the API, or by a session, as a bearer's or in a cookie. What an operator's session
//! may is the table of his roles; which act a scope is stands here.

pub mod run;

use super::call::Origin;
use crate::portal::serve::Peer;
use crate::registry::api_tokens::Scope;
use crate::registry::operators::Act;
use axum::extract::ConnectInfo;
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderMap, USER_AGENT};
use axum::http::request::Parts;
use secrecy::{ExposeSecret, SecretString};

/// Which act a scope is; nothing where each operator may.
pub fn duty(scope: Scope) -> Option<Act> {
    match scope {
        Scope::MailRead | Scope::MailOpen | Scope::EvidenceRead | Scope::ContactsRead => {
            Some(Act::Read)
        }
        Scope::MailWrite | Scope::ContactsWrite => Some(Act::File),
        Scope::MailSend => Some(Act::Submit),
        Scope::Tokens => Some(Act::Manage),
        Scope::AccountAudit => Some(Act::Audit),
        Scope::AccountRead | Scope::CreditsRead | Scope::Verify => None,
        Scope::StaffAccounts | Scope::StaffPolicies | Scope::StaffAudit => None,
    }
}

pub fn bearer(headers: &HeaderMap) -> Option<SecretString> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = shown.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| SecretString::from(token.trim()))
}

/// The session that a browser keeps.
pub fn cookie(headers: &HeaderMap) -> Option<SecretString> {
    let all = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == SESSION).then(|| SecretString::from(value))
    })
}

/// `Set-Cookie` of a session: the browser sends it back here alone, over TLS, from our own pages, and shows it
/// to no script (RFC 6265bis §4.1.3.2). Its end is the session's.
pub fn keep(token: &SecretString) -> String {
    format!("{SESSION}={}; Path=/; Secure; HttpOnly; SameSite=Strict", token.expose_secret())
}

/// The same, forgotten.
pub fn forget() -> String {
    format!("{SESSION}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// From where a request comes.
pub fn origin(parts: &Parts) -> Origin {
    let proven = parts.headers.contains_key(PROOF);
    let agent = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok());
    let agent = agent.unwrap_or_default().to_owned();
    match parts.extensions.get::<ConnectInfo<Peer>>() {
        Some(ConnectInfo(peer)) => Origin {
            address: peer.address.ip().to_canonical(),
            agent,
            certificates: peer.certificates.clone(),
            proven,
        },
        None => Origin { agent, proven, ..Origin::default() },
    }
}

/// The browser keeps it for this host alone (RFC 6265bis §4.1.3.2).
const SESSION: &str = "__Host-kep-session";
/// A page of another site can't set it without asking us first, and we don't answer such questions.
const PROOF: &str = "x-kep-request";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_by_its_whole_name() {
        let found = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, text.parse().unwrap());
            cookie(&headers).map(|token| token.expose_secret().to_owned())
        };
        assert_eq!(found("a=b; __Host-kep-session=xyz;c").as_deref(), Some("xyz"));
        for other in ["kep-session=xyz", "__host-kep-session=xyz", "__Host-kep-session", ""] {
            assert_eq!(found(other), None, "{other}");
        }
        let kept = keep(&SecretString::from("xyz"));
        for word in ["__Host-", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
            assert!(kept.contains(word) && forget().contains(word), "{word}");
        }
        assert!(!kept.contains("Domain") && forget().ends_with("Max-Age=0"));
    }
}
