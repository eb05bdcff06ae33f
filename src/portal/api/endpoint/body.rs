//! What bodies of requests and answers are made of.

use super::{Answer, Body, Given, Gives, Most, Parts, Takes};
use crate::portal::api::call::{Answered, Call, JSON, Reply};
use crate::portal::api::problem::Problem;
use axum::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Ref, RefOr};

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

fn of_type<T: ToSchema>() -> (Box<RefOr<Schema>>, Parts) {
    let mut parts = vec![(T::name().into_owned(), T::schema())];
    T::schemas(&mut parts);
    (Box::new(Ref::from_schema_name(T::name().as_ref()).into()), parts)
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

/// An answer that was kept when it was made ([`Call::once`]).
pub struct Once<A>(Reply, PhantomData<fn() -> A>);

impl<A> Once<A> {
    pub fn of(reply: Reply) -> Self {
        Self(reply, PhantomData)
    }
}

impl<A: Answer> Answer for Once<A> {
    fn gives() -> Gives {
        A::gives()
    }

    fn reply(self) -> Answered<Reply> {
        Ok(self.0)
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
        let at = format!("{}{}", crate::portal::api::BASE, self.at);
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
                let disposition = crate::portal::api::headers::attachment(&self.name);
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
        let body = Body::Json { schema: Box::new(RefOr::T(any)), parts: Vec::new() };
        Gives { status: 200, body, headers: &[] }
    }

    fn reply(self) -> Answered<Reply> {
        let body = self.0.as_ref().clone();
        Ok(Reply { status: 200, media: Some(JSON.to_owned()), headers: Vec::new(), body })
    }
}
