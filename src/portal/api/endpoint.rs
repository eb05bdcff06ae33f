//! An operation of the API: what is asked, who may, what it takes and gives, and the function that does
//! it. Router and document are both made of the list of these, so that neither says more than the other.

use super::call::{Answered, Call, JSON, Reply};
use super::kinds::Word;
use super::problem::Problem;
use super::{Asked, Portal};
use crate::registry::api_tokens::Scope;
use crate::store::Tx;
use axum::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

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
    /// `None`: anybody may.
    pub scope: Option<Scope>,
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
    Mailboxes,
    Messages,
    Drafts,
    Labels,
    Submissions,
    Evidence,
    Verification,
    Tokens,
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
    Json { schema: RefOr<Schema>, parts: Parts },
    Octets { media: &'static [&'static str], most: Most, example: &'static str },
}

/// How many octets a body may have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Most {
    /// What may be submitted.
    Message,
    /// What may be verified.
    Document,
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
    Json { schema: RefOr<Schema>, parts: Parts },
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
    pub const ALL: [Self; 11] = [
        Self::Account,
        Self::Mailboxes,
        Self::Messages,
        Self::Drafts,
        Self::Labels,
        Self::Submissions,
        Self::Evidence,
        Self::Verification,
        Self::Tokens,
        Self::Staff,
        Self::About,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Account => "Account",
            Self::Mailboxes => "Mailboxes",
            Self::Messages => "Messages",
            Self::Drafts => "Drafts",
            Self::Labels => "Labels",
            Self::Submissions => "Submissions",
            Self::Evidence => "Evidence",
            Self::Verification => "Verification",
            Self::Tokens => "Tokens",
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

/// No words.
pub struct NoWords;

impl Params for NoWords {
    fn fields() -> Vec<Field> {
        Vec::new()
    }

    fn read(asked: &Asked) -> Answered<Self> {
        asked.only(&[]).map(|()| Self)
    }
}

/// Words of a request: those of the path are there, those of the query may be.
macro_rules! params {
    ($(#[$meta:meta])* $name:ident {
        $(path $in_path:ident: $path_type:ty = $path_example:tt, $path_says:literal;)*
        $(query $in_query:ident: $query_type:ty = $query_example:tt, $query_says:literal;)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug)]
        pub struct $name {
            $(pub $in_path: $path_type,)*
            $(pub $in_query: Option<$query_type>,)*
        }

        impl $crate::portal::api::endpoint::Params for $name {
            fn fields() -> Vec<$crate::portal::api::endpoint::Field> {
                use $crate::portal::api::endpoint::{Field, Place};
                vec![
                    $(Field::of::<$path_type>(
                        Place::Path, stringify!($in_path), $path_says,
                        serde_json::json!($path_example),
                    ),)*
                    $(Field::of::<$query_type>(
                        Place::Query, stringify!($in_query), $query_says,
                        serde_json::json!($query_example),
                    ),)*
                ]
            }

            fn read(
                asked: &$crate::portal::api::Asked,
            ) -> $crate::portal::api::call::Answered<Self> {
                asked.only(&[$(stringify!($in_query)),*])?;
                Ok(Self {
                    $($in_path: asked.path(stringify!($in_path))?,)*
                    $($in_query: asked.query(stringify!($in_query))?,)*
                })
            }
        }
    };
}
pub(super) use params;

impl Given for () {
    fn takes() -> Takes {
        Takes::Nothing
    }

    fn read(call: &Call) -> Answered<Self> {
        if call.body.is_empty() { Ok(()) } else { Err(Problem::NeedlessBody) }
    }
}

/// JSON, in a body or in an answer.
#[derive(Clone, Debug)]
pub struct Json<T>(pub T);

fn of_type<T: ToSchema>() -> (RefOr<Schema>, Parts) {
    let mut parts = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    (Ref::from_schema_name(T::name().as_ref()).into(), parts)
}

impl<T: DeserializeOwned + ToSchema + Send + Sync + 'static> Given for Json<T> {
    fn takes() -> Takes {
        let (schema, parts) = of_type::<T>();
        Takes::Json { schema, parts }
    }

    fn read(call: &Call) -> Answered<Self> {
        if call.media.as_deref() != Some(JSON) {
            return Err(Problem::WrongMedia(JSON.to_owned()));
        }
        // What is read field by field may stand in an array for serde; not for the document.
        if !call.body.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::BadBody("no object".to_owned()));
        }
        let read = serde_json::from_slice(&call.body);
        read.map(Self).map_err(|error| Problem::BadBody(error.to_string()))
    }
}

/// A mail, as its octets are.
#[derive(Clone, Debug)]
pub struct Mail(pub Bytes);

/// A document to be verified.
#[derive(Clone, Debug)]
pub struct Document(pub Bytes);

fn octets(call: &Call, media: &[&str]) -> Answered<Bytes> {
    match media.iter().any(|known| call.media.as_deref() == Some(*known)) {
        true => Ok(call.body.clone()),
        false => Err(Problem::WrongMedia(media.join(", "))),
    }
}

impl Given for Mail {
    fn takes() -> Takes {
        Takes::Octets { media: MAIL, most: Most::Message, example: EXAMPLE_MAIL }
    }

    fn read(call: &Call) -> Answered<Self> {
        octets(call, MAIL).map(Self)
    }
}

impl Given for Document {
    fn takes() -> Takes {
        Takes::Octets { media: DOCUMENT, most: Most::Document, example: "<REMEvidence/>" }
    }

    fn read(call: &Call) -> Answered<Self> {
        octets(call, DOCUMENT).map(Self)
    }
}

const MAIL: &[&str] = &["message/rfc822"];
const DOCUMENT: &[&str] = &["application/octet-stream"];
const EXAMPLE_MAIL: &str = "From: ali.veli@hs05.kep.tr\r\nTo: ayse.yilmaz@hs05.kep.tr\r\n\
    Subject: Taslak\r\n\r\nMerhaba\r\n";

impl<T: Serialize + ToSchema + Send + 'static> Answer for Json<T> {
    fn gives() -> Gives {
        let (schema, parts) = of_type::<T>();
        Gives { status: 200, body: Body::Json { schema, parts }, headers: &[] }
    }

    fn reply(self) -> Answered<Reply> {
        Reply::json(200, &self.0)
    }
}

/// JSON with the version of what it tells of.
pub struct Tagged<T>(pub T, pub String);

impl<T: Serialize + ToSchema + Send + 'static> Answer for Tagged<T> {
    fn gives() -> Gives {
        Gives { headers: &["ETag"], ..Json::<T>::gives() }
    }

    fn reply(self) -> Answered<Reply> {
        Ok(Reply::json(200, &self.0)?.with("ETag", format!("\"{}\"", self.1)))
    }
}

/// JSON of what was made, and where it is.
pub struct Created<T> {
    pub value: T,
    /// Under `BASE`.
    pub at: String,
}

impl<T: Serialize + ToSchema + Send + 'static> Answer for Created<T> {
    fn gives() -> Gives {
        Gives { status: 201, headers: &["Location"], ..Json::<T>::gives() }
    }

    fn reply(self) -> Answered<Reply> {
        let at = format!("{}{}", super::BASE, self.at);
        Ok(Reply::json(201, &self.value)?.with("Location", at))
    }
}

/// It is done, and there is nothing to say.
pub struct Done;

impl Answer for Done {
    fn gives() -> Gives {
        Gives { status: 204, body: Body::Nothing, headers: &[] }
    }

    fn reply(self) -> Answered<Reply> {
        Ok(Reply::nothing())
    }
}

/// A file to be kept. An attachment is whatever its sender says, and is never given as that: a browser
/// would show it.
macro_rules! files {
    ($($(#[$doc:meta])* $name:ident = $media:literal;)*) => { $(
        $(#[$doc])*
        pub struct $name {
            pub name: String,
            pub octets: Vec<u8>,
        }

        impl Answer for $name {
            fn gives() -> Gives {
                let body = Body::Octets(&[$media]);
                Gives { status: 200, body, headers: &["Content-Disposition"] }
            }

            fn reply(self) -> Answered<Reply> {
                let disposition = super::headers::attachment(&self.name);
                let (media, headers) = (Some($media.to_owned()), Vec::new());
                let reply = Reply { status: 200, media, headers, body: self.octets };
                Ok(reply.with("Content-Disposition", disposition))
            }
        }
    )* };
}

files! {
    /// A mail.
    MailFile = "message/rfc822";
    /// Evidence.
    XmlFile = "application/xml";
    /// Anything else.
    PlainFile = "application/octet-stream";
}

/// JSON that stands there already.
pub struct Ready(pub Arc<Vec<u8>>);

impl Answer for Ready {
    fn gives() -> Gives {
        let any = utoipa::openapi::schema::ObjectBuilder::new().into();
        let body = Body::Json { schema: RefOr::T(any), parts: Vec::new() };
        Gives { status: 200, body, headers: &[] }
    }

    fn reply(self) -> Answered<Reply> {
        let body = self.0.as_ref().clone();
        Ok(Reply { status: 200, media: Some(JSON.to_owned()), headers: Vec::new(), body })
    }
}
