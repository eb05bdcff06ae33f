//! An operation of the API: what is asked, who may, what it takes and gives, and the function that does
//! it. Router and document are both made of the list of these, so that neither says more than the other.

mod body;
mod file;
mod words;

pub use body::{
    Created, Document, Done, Json, Mail, MailFile, Once, PlainFile, Ready, Tagged, XmlFile,
};
pub use file::{BookFile, ContactsFile, SealedFile, ZipFile};
pub use words::NoWords;
pub(super) use words::params;

use super::call::{Answered, Call, Reply};
use super::kinds::Word;
use super::problem::Problem;
use super::{Asked, Portal};
use crate::registry::api_tokens::Scope;
use crate::registry::legal::LegalAct;
use crate::registry::operators::Act;
use crate::store::Tx;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

pub struct Endpoint {
    pub verb: Verb,
    /// Under `BASE`; `{name}` stands for a word.
    pub path: &'static str,
    /// Of the document; stable.
    pub id: &'static str,
    pub tag: Tag,
    pub turkish: &'static str,
    pub english: &'static str,
    /// `None`: anybody may, unless it is for sessions.
    pub scope: Option<Scope>,
    /// Only a person himself may, by a session.
    pub personal: bool,
    /// For which more than a password must have been shown of late.
    pub legal: Option<LegalAct>,
    /// What it is for an operator, where that is not what the scope says.
    pub act: Option<Act>,
    pub fields: Vec<Field>,
    pub takes: Takes,
    pub gives: Gives,
    /// Whether the caller may name the request (Idempotency-Key).
    pub named: bool,
    /// Whether the caller may say which version it changes (If-Match).
    pub guarded: bool,
    /// Whether it hands a message to the room that accepts, with all that may be refused there.
    pub submits: bool,
    /// What it may answer beside what each operation may.
    pub problems: Vec<Problem>,
    pub begin: Begin,
}

/// What belongs together in the document.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tag {
    Account,
    /// What persons decide about the account: contract, closing, contact data, operators.
    Affairs,
    Mailboxes,
    Messages,
    Drafts,
    Labels,
    Submissions,
    Evidence,
    Verification,
    Contacts,
    Directory,
    Notices,
    Exports,
    Credits,
    Tokens,
    Login,
    Credentials,
    Staff,
    About,
}

/// A word of the path or the query, as the document has it.
pub struct Field {
    pub place: Place,
    pub name: &'static str,
    pub says: &'static str,
    pub schema: Schema,
    pub example: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Path,
    Query,
}

/// A body that is sent.
pub enum Takes {
    Nothing,
    Json { schema: Box<RefOr<Schema>>, parts: Parts },
    Octets { media: &'static [&'static str], most: Most, example: &'static str },
}

/// How many octets a body may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Most {
    /// What may be submitted.
    Message,
    /// What may be verified.
    Document,
    /// An address book.
    Contacts,
}

/// A body that is given.
pub struct Gives {
    pub status: u16,
    pub body: Body,
    /// Headers that stand there each time.
    pub headers: &'static [&'static str],
}

pub enum Body {
    Nothing,
    Json { schema: Box<RefOr<Schema>>, parts: Parts },
    Octets(&'static [&'static str]),
}

pub type Parts = Vec<(String, RefOr<Schema>)>;
pub type Unit = Box<dyn Fn(&mut Tx<'_>) -> Answered<Reply> + Send + Sync>;
pub type Running = Pin<Box<dyn Future<Output = Answered<Reply>> + Send>>;
type Begin = Box<dyn Fn(&Arc<Portal>, &Arc<Call>) -> Answered<Task> + Send + Sync>;

/// What is to be done for an answer.
pub enum Task {
    Ready(Reply),
    Read(Unit),
    /// Answered when it is durable.
    Write(Unit),
    Run(Running),
}

/// The words of a request, read.
pub trait Params: Sized + Send + Sync + 'static {
    fn fields() -> Vec<Field>;
    fn read(asked: &Asked) -> Answered<Self>;
}

/// The body of a request, read.
pub trait Given: Sized + Send + Sync + 'static {
    fn takes() -> Takes;
    fn read(call: &Call) -> Answered<Self>;
}

/// What a handler gives.
pub trait Answer: Sized + Send + 'static {
    fn gives() -> Gives;
    fn reply(self) -> Answered<Reply>;
}

impl Endpoint {
    pub fn new(verb: Verb, path: &'static str, id: &'static str, tag: Tag) -> Self {
        Self {
            verb,
            path,
            id,
            tag,
            turkish: "",
            english: "",
            scope: None,
            personal: false,
            legal: None,
            act: None,
            fields: Vec::new(),
            takes: Takes::Nothing,
            gives: Gives { status: 204, body: Body::Nothing, headers: &[] },
            named: false,
            guarded: false,
            submits: false,
            problems: Vec::new(),
            begin: Box::new(|_, _| Err(Problem::Internal)),
        }
    }

    pub fn says(self, turkish: &'static str, english: &'static str) -> Self {
        Self { turkish, english, ..self }
    }

    pub fn needs(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// For a person in a session alone.
    pub fn personal(self) -> Self {
        Self { personal: true, ..self }
    }

    /// The same, after a step-up.
    pub fn legal(self, act: LegalAct) -> Self {
        Self { personal: true, legal: Some(act), ..self }
    }

    pub fn acts(self, act: Act) -> Self {
        Self { act: Some(act), ..self }
    }

    /// Anybody may, without showing who he is.
    pub fn is_open(&self) -> bool {
        self.scope.is_none() && !self.personal
    }

    /// What an operator's roles must allow.
    pub fn duty(&self) -> Option<Act> {
        self.act.or_else(|| self.scope.and_then(super::admit::duty))
    }

    pub fn named(self) -> Self {
        Self { named: true, ..self }
    }

    pub fn guarded(self) -> Self {
        Self { guarded: true, ..self }
    }

    pub fn submits(self) -> Self {
        Self { submits: true, ..self }
    }

    pub fn may_say(self, problems: impl IntoIterator<Item = Problem>) -> Self {
        Self { problems: problems.into_iter().collect(), ..self }
    }

    /// Done by a function that only looks.
    pub fn reads<P: Params, A: Answer>(
        self,
        work: fn(&mut Tx<'_>, &Call, &P) -> Answered<A>,
    ) -> Self {
        self.typed::<P, (), A>(Box::new(move |_, call| {
            let (ask, call) = (P::read(&call.asked)?, Arc::clone(call));
            <()>::read(&call)?;
            Ok(Task::Read(Box::new(move |tx| work(tx, &call, &ask)?.reply())))
        }))
    }

    /// Done by a function that changes something, in one transaction.
    pub fn writes<P: Params, B: Given, A: Answer>(
        self,
        work: fn(&mut Tx<'_>, &Call, &P, &B) -> Answered<A>,
    ) -> Self {
        self.typed::<P, B, A>(Box::new(move |_, call| {
            let (ask, body, call) = (P::read(&call.asked)?, B::read(call)?, Arc::clone(call));
            Ok(Task::Write(Box::new(move |tx| work(tx, &call, &ask, &body)?.reply())))
        }))
    }

    /// Done by a function that waits.
    pub fn runs<P: Params, B: Given, A: Answer, F>(
        self,
        work: fn(Arc<Portal>, Arc<Call>, P, B) -> F,
    ) -> Self
    where
        F: Future<Output = Answered<A>> + Send + 'static,
    {
        self.typed::<P, B, A>(Box::new(move |portal, call| {
            let (ask, body) = (P::read(&call.asked)?, B::read(call)?);
            let done = work(Arc::clone(portal), Arc::clone(call), ask, body);
            Ok(Task::Run(super::run::reply(done)))
        }))
    }

    /// Done without a look at the store.
    pub fn tells<P: Params, A: Answer>(self, work: fn(&Portal, &Call, &P) -> Answered<A>) -> Self {
        self.typed::<P, (), A>(Box::new(move |portal, call| {
            let ask = P::read(&call.asked)?;
            <()>::read(call)?;
            Ok(Task::Ready(work(portal, call, &ask)?.reply()?))
        }))
    }

    fn typed<P: Params, B: Given, A: Answer>(self, begin: Begin) -> Self {
        Self { fields: P::fields(), takes: B::takes(), gives: A::gives(), begin, ..self }
    }
}

impl Verb {
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl Tag {
    pub const ALL: [Self; 19] = [
        Self::Account,
        Self::Affairs,
        Self::Mailboxes,
        Self::Messages,
        Self::Drafts,
        Self::Labels,
        Self::Submissions,
        Self::Evidence,
        Self::Verification,
        Self::Contacts,
        Self::Directory,
        Self::Notices,
        Self::Exports,
        Self::Credits,
        Self::Tokens,
        Self::Login,
        Self::Credentials,
        Self::Staff,
        Self::About,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Affairs => "Affairs",
            Self::Mailboxes => "Mailboxes",
            Self::Messages => "Messages",
            Self::Drafts => "Drafts",
            Self::Labels => "Labels",
            Self::Submissions => "Submissions",
            Self::Evidence => "Evidence",
            Self::Verification => "Verification",
            Self::Contacts => "Contacts",
            Self::Directory => "Directory",
            Self::Notices => "Notices",
            Self::Exports => "Exports",
            Self::Credits => "Credits",
            Self::Tokens => "Tokens",
            Self::Login => "Login",
            Self::Credentials => "Credentials",
            Self::Staff => "Staff",
            Self::About => "About",
        }
    }
}

impl Field {
    pub fn of<T: Word>(
        place: Place,
        name: &'static str,
        says: &'static str,
        example: Value,
    ) -> Self {
        Self { place, name, says, schema: T::schema(), example }
    }
}
