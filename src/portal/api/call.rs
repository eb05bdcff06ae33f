//! A request that has been read and whose caller is known, and the answer to it.

use super::endpoint::{Answer, Once};
use super::flow::Flow;
use super::kinds::Word;
use super::once::Name;
use super::problem::Problem;
use super::tongue::Tongue;
use crate::registry::api_tokens::{self, ApiToken, Holder, Scope};
use crate::registry::audit::{Actor, By, Channel};
use crate::registry::legal::LegalAct;
use crate::registry::operators::{Act, Operator};
use crate::registry::sessions;
use crate::registry::{Access, Account, accounts};
use crate::store::{Tx, accounts as rows};
use crate::wire::{AccountId, Timestamp};
use axum::body::Bytes;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    Anybody,
    Account {
        token: ApiToken,
        account: Box<Account>,
        /// Whose token it is, where it is not the holder's.
        operator: Option<Box<Operator>>,
    },
    Staff {
        token: ApiToken,
        name: String,
    },
    /// A person, by a session of his.
    Person(Box<Present>),
}

/// Who is there by a session.
#[derive(Clone, Debug)]
pub struct Present {
    pub admitted: sessions::Admitted,
    /// Whether a browser keeps the session, in a cookie.
    pub by_cookie: bool,
}

/// From where a request came.
#[derive(Clone, Debug)]
pub struct Origin {
    pub address: IpAddr,
    /// The program, as it calls itself.
    pub agent: String,
    /// What it has shown in TLS, in DER, its own certificate first.
    pub certificates: Arc<Vec<Vec<u8>>>,
    /// Whether it bears the header that no page of another site can set.
    pub proven: bool,
}

impl Default for Origin {
    fn default() -> Self {
        let address = Ipv6Addr::UNSPECIFIED.into();
        Self { address, agent: String::new(), certificates: Arc::default(), proven: false }
    }
}

#[derive(Clone, Debug)]
pub struct Call {
    pub caller: Caller,
    pub origin: Origin,
    pub now: Timestamp,
    pub tongue: Tongue,
    /// What an operator's roles must allow for it.
    pub act: Option<Act>,
    pub asked: Asked,
    /// Whether the answer's head alone is asked for (HEAD).
    pub head: bool,
    pub body: Bytes,
    /// `Content-Type` without its parameters, in small letters.
    pub media: Option<String>,
    pub if_match: Option<IfMatch>,
    /// `Idempotency-Key`.
    pub name: Option<String>,
    /// What the request is known by where it is done once.
    pub named: Option<Name>,
}

/// The words of a path and of a query.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub path: Vec<(&'static str, String)>,
    pub query: Vec<(String, String)>,
}

/// `If-Match` (RFC 9110 §13.1.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum IfMatch {
    Any,
    OneOf(Vec<String>),
}

/// An answer, whole.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reply {
    pub status: u16,
    pub media: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// What comes instead of `body`; it is kept by no name.
    #[serde(skip)]
    pub flow: Option<Flow>,
}

pub type Answered<T> = Result<T, Problem>;

impl Call {
    /// The account that asks.
    pub fn account(&self) -> Answered<&Account> {
        match &self.caller {
            Caller::Account { account, .. } => Ok(account),
            Caller::Person(present) => Ok(&present.admitted.account),
            Caller::Anybody | Caller::Staff { .. } => Err(Problem::NotAnAccount),
        }
    }

    pub fn account_id(&self) -> Answered<AccountId> {
        Ok(self.account()?.id)
    }

    /// Whose doing it is, as evidence and the audit log name it.
    pub fn person(&self) -> Answered<String> {
        let account = self.account()?;
        let who = match self.operator() {
            Some(operator) => format!("{} / {}", account.address, operator.label()),
            None => account.address.to_string(),
        };
        Ok(match self.token() {
            Some(token) => format!("{who} (API: {})", token.name),
            None => who,
        })
    }

    /// Who acts for the account, where it is not its holder.
    pub fn operator(&self) -> Option<&Operator> {
        self.caller.operator()
    }

    /// An operator does what his roles say.
    pub fn on_duty(&self, act: Act) -> Answered<()> {
        on_duty(self.operator(), Some(act))
    }

    /// The session that asks.
    pub fn session(&self) -> Answered<&sessions::Admitted> {
        match &self.caller {
            Caller::Person(present) => Ok(&present.admitted),
            Caller::Anybody => Err(Problem::NoToken),
            Caller::Account { .. } | Caller::Staff { .. } => Err(Problem::SessionNeeded),
        }
    }

    /// A browser's pages are the portal.
    pub fn channel(&self) -> Channel {
        match &self.caller {
            Caller::Person(present) if present.by_cookie => Channel::Portal,
            _ => Channel::Api,
        }
    }

    /// Whose doing it is, for the audit.
    pub fn by(&self) -> Answered<By> {
        let (channel, at) = (self.channel(), self.now);
        let actor = match &self.caller {
            Caller::Anybody => return Err(Problem::NoToken),
            Caller::Staff { name, .. } => Actor::Staff(name.clone()),
            Caller::Account { .. } | Caller::Person(_) => {
                Actor::Person { account: self.account_id()?, name: self.person()? }
            }
        };
        Ok(By { actor, channel, at })
    }

    pub fn token(&self) -> Option<&ApiToken> {
        match &self.caller {
            Caller::Anybody | Caller::Person(_) => None,
            Caller::Account { token, .. } | Caller::Staff { token, .. } => Some(token),
        }
    }

    /// Who asks may still, in the transaction that acts: a session may have ended since the request came, a
    /// token been taken away, an operator have lost a role. Until the transaction ends that changes no more.
    pub fn stands_in(&self, tx: &mut Tx<'_>) -> Answered<()> {
        if let Ok(account) = self.account_id() {
            rows::lock(tx, account)?;
        }
        let found = match &self.caller {
            Caller::Anybody => return Ok(()),
            Caller::Account { token, .. } | Caller::Staff { token, .. } => {
                api_tokens::admit_again(tx, token)?
            }
            Caller::Person(present) => {
                let again = sessions::admit_again(tx, &present.admitted.session, self.now)?;
                again.map(|admitted| admitted.operator)
            }
        };
        on_duty(found.ok_or(Problem::TokenUnknown)?.as_ref(), self.act)
    }

    /// Nothing is added to a closed account.
    pub fn may_add(&self) -> Answered<()> {
        adding(self.account()?.access(self.now))
    }

    /// The same in the transaction that adds it: the account may have been closed since this came.
    pub fn may_add_in(&self, tx: &mut Tx<'_>) -> Answered<()> {
        adding(accounts::access(tx, self.account_id()?, self.now)?)
    }

    /// Whether what stands there may be moved, marked and removed: as long as it can be read.
    pub fn may_file_in(&self, tx: &mut Tx<'_>) -> Answered<()> {
        match accounts::access(tx, self.account_id()?, self.now)?.is_over() {
            true => Err(Problem::AccountOver),
            false => Ok(()),
        }
    }

    /// Its answer, in the transaction that does it: where the caller has named the request, it is kept there,
    /// so that it is done once, whatever comes between.
    pub fn once<A: Answer>(&self, tx: &mut Tx<'_>, answer: A) -> Answered<Once<A>> {
        let reply = answer.reply()?;
        if let Some(name) = &self.named {
            name.settle(tx, &reply)?;
        }
        Ok(Once::of(reply))
    }

    /// Whether the caller's copy is the newest.
    pub fn matches(&self, tag: &str) -> Answered<()> {
        match &self.if_match {
            Some(IfMatch::OneOf(tags)) if !tags.iter().any(|one| one == tag) => {
                Err(Problem::Changed)
            }
            _ => Ok(()),
        }
    }
}

fn on_duty(operator: Option<&Operator>, act: Option<Act>) -> Answered<()> {
    match operator.zip(act).is_some_and(|(operator, act)| !operator.may(act)) {
        true => Err(Problem::OperatorMayNot),
        false => Ok(()),
    }
}

fn adding(access: Access) -> Answered<()> {
    match access {
        Access::Whole => Ok(()),
        Access::Reading { until: Some(until) } => {
            Err(Problem::AccountReadOnly(until.turkish_day()))
        }
        Access::Reading { until: None } | Access::Over => Err(Problem::AccountOver),
    }
}

impl Caller {
    pub fn of(admitted: api_tokens::Admitted, now: Timestamp) -> Answered<Self> {
        let api_tokens::Admitted { token, account, operator } = admitted;
        match (&token.holder, account) {
            (Holder::Account(_), Some(account)) if account.access(now).is_over() => {
                Err(Problem::AccountOver)
            }
            (Holder::Account(_), Some(account)) => {
                let (account, operator) = (Box::new(account), operator.map(Box::new));
                Ok(Self::Account { token, account, operator })
            }
            (Holder::Staff(name), _) => Ok(Self::Staff { name: name.clone(), token }),
            (Holder::Account(_), None) => Err(Problem::TokenUnknown),
        }
    }

    /// What its limits and named requests are counted by; nothing of nobody.
    pub fn counted(&self) -> Option<String> {
        match self {
            Self::Anybody => None,
            Self::Account { token, .. } | Self::Staff { token, .. } => Some(token.id.clone()),
            Self::Person(present) => Some(format!("session/{}", present.admitted.session.id)),
        }
    }

    /// Who acts for the account, where it is not its holder.
    pub fn operator(&self) -> Option<&Operator> {
        match self {
            Self::Person(present) => present.admitted.operator.as_ref(),
            Self::Account { operator, .. } => operator.as_deref(),
            Self::Anybody | Self::Staff { .. } => None,
        }
    }

    /// A session may what its holder may, a token what its scopes say; an operator's, what his roles say, too.
    pub fn may(&self, scope: Option<Scope>, act: Option<Act>) -> Answered<()> {
        // Where no scope is asked for, his roles count all the same.
        on_duty(self.operator(), act)?;
        let Some(scope) = scope else { return Ok(()) };
        let token = match self {
            Self::Anybody => return Err(Problem::NoToken),
            Self::Person(_) if scope.is_of_staff() => return Err(Problem::NotStaff),
            Self::Person(_) => return Ok(()),
            Self::Account { token, .. } | Self::Staff { token, .. } => token,
        };
        match token.scopes.has(scope) {
            true => Ok(()),
            false => Err(Problem::ScopeMissing(scope.word().to_owned())),
        }
    }
}

impl Present {
    /// Whether enough was proven of late for such an act.
    pub fn proves(&self, act: LegalAct, now: Timestamp) -> Answered<()> {
        let sessions::Admitted { session, rules, .. } = &self.admitted;
        match session.proves(act.asks(), rules, now) {
            true => Ok(()),
            false => Err(Problem::StepUpNeeded),
        }
    }
}

impl Asked {
    pub fn path<T: Word>(&self, name: &str) -> Answered<T> {
        let text = self.path.iter().find(|(known, _)| *known == name).map(|(_, text)| text);
        let text = text.ok_or(Problem::Internal)?;
        T::read(text).ok_or_else(|| Problem::NoSuchResource(text.clone()))
    }

    pub fn query<T: Word>(&self, name: &str) -> Answered<Option<T>> {
        let Some((_, text)) = self.query.iter().find(|(known, _)| known == name) else {
            return Ok(None);
        };
        match T::read(text) {
            Some(value) => Ok(Some(value)),
            None => Err(Problem::BadParameter(name.to_owned())),
        }
    }

    /// Whether the query says nothing but these, each once.
    pub fn only(&self, known: &[&str]) -> Answered<()> {
        for (at, (name, _)) in self.query.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                return Err(Problem::UnknownParameter(name.clone()));
            }
            if self.query.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(Problem::RepeatedParameter(name.clone()));
            }
        }
        Ok(())
    }
}

impl IfMatch {
    /// What is no tag, and a weak one, matches nothing.
    pub fn read(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        let tags = text.split(',').map(str::trim);
        let strong = |tag: &str| Some(tag.strip_prefix('"')?.strip_suffix('"')?.to_owned());
        Self::OneOf(tags.take(TAGS).filter_map(strong).collect())
    }
}

impl Reply {
    pub fn json<T: Serialize>(status: u16, value: &T) -> Answered<Self> {
        let body = serde_json::to_vec(value).map_err(|error| {
            tracing::error!(%error, "api");
            Problem::Internal
        })?;
        Ok(Self { status, media: Some(JSON.to_owned()), headers: Vec::new(), body, flow: None })
    }

    pub fn nothing() -> Self {
        Self { status: 204, media: None, headers: Vec::new(), body: Vec::new(), flow: None }
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A resource has one version at a time; a caller may know some older ones.
const TAGS: usize = 32;
pub const JSON: &str = "application/json";
pub const PROBLEM: &str = "application/problem+json";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_says_what_is_known_and_says_it_once() {
        let asked = |pairs: &[(&str, &str)]| Asked {
            path: Vec::new(),
            query: pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        };
        assert_eq!(asked(&[("limit", "1")]).only(&["limit"]), Ok(()));
        let unknown = Err(Problem::UnknownParameter("x".into()));
        assert_eq!(asked(&[("limit", "1"), ("x", "")]).only(&["limit"]), unknown);
        let twice = Err(Problem::RepeatedParameter("limit".into()));
        assert_eq!(asked(&[("limit", "1"), ("limit", "1")]).only(&["limit"]), twice);
    }

    #[test]
    fn versions_are_compared_strongly() {
        assert_eq!(IfMatch::read("*"), IfMatch::Any);
        for (text, tags) in [
            ("\"7\"", vec!["7"]),
            ("\"7\", W/\"8\",\"9\"", vec!["7", "9"]),
            ("\"\"", vec![""]),
            ("7", vec![]),
            ("", vec![]),
            ("\"", vec![]),
        ] {
            let tags = tags.into_iter().map(str::to_owned).collect();
            assert_eq!(IfMatch::read(text), IfMatch::OneOf(tags), "{text}");
        }
    }
}
