//! The central directory (Merkezi KEP Rehberi) over HTTP and JSON: it is asked for other providers'
//! entries and told of ours. Its own protocol is not public; docs/directory.md has this one.

use super::query::QueryForm;
use super::record::Record;
use crate::trust::TrustError;
use crate::trust::dial::{Dial, DialError, Method, Request, is_safe};
use crate::wire::KepAddress;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Where it is.
#[derive(Clone)]
pub struct CentralDirectory {
    dial: Dial,
    url: String,
    token: Option<SecretString>,
}

/// What it said to a question.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Heard {
    pub records: Vec<(KepAddress, Record)>,
    /// It has more than it told.
    pub more: bool,
    /// Entries that are not well-formed, left out.
    pub unsound: usize,
}

/// An entry as it is told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Told {
    pub revision: i64,
    /// Whether queries may find it.
    pub findable: bool,
    /// T.C. kimlik no and the like, MERSİS and DETSİS stand in the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    pub record: Record,
}

#[derive(Debug, thiserror::Error)]
pub enum CentralError {
    #[error("{0}: neither https nor this machine")]
    Unsafe(String),
    #[error(transparent)]
    Own(#[from] TrustError),
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("HTTP {0}: {1}")]
    Status(u16, String),
    #[error("the answer is not well-formed: {0}")]
    Form(String),
}

impl CentralError {
    /// It would not have what it was told, however often.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Status(400 | 403 | 413 | 422, _))
    }
}

impl CentralDirectory {
    /// A token goes to nobody on the way: `https`, or this machine.
    pub fn new(
        url: &str,
        token: Option<SecretString>,
        timeout: Duration,
    ) -> Result<Self, CentralError> {
        if !is_safe(url) {
            return Err(CentralError::Unsafe(url.to_owned()));
        }
        let (dial, url) = (Dial::straight(timeout)?, url.trim_end_matches('/').to_owned());
        Ok(Self { dial, url, token })
    }

    pub async fn ask(&self, form: &QueryForm, most: usize) -> Result<Heard, CentralError> {
        let body = Asked { query: form, limit: most };
        let octets = self.send(Method::Post, "/v1/query", Some(&body), None).await?;
        heard(&octets, most)
    }

    /// Which of these addresses it has.
    pub async fn check(&self, addresses: &[KepAddress]) -> Result<Heard, CentralError> {
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        let most = addresses.len();
        let body = Some(&Batch { addresses });
        heard(&self.send(Method::Post, "/v1/check", body, None).await?, most)
    }

    /// Tells of an entry. Said twice it is said once; where a later revision is known, that one holds.
    pub async fn tell(&self, address: &str, told: &Told) -> Result<(), CentralError> {
        let key = format!("{address}/{}", told.revision);
        let path = format!("/v1/entries/{address}");
        settled(self.send(Method::Put, &path, Some(told), Some(&key)).await, &[409])
    }

    /// Tells that an account is listed no more.
    pub async fn withdraw(&self, address: &str, revision: i64) -> Result<(), CentralError> {
        let key = format!("{address}/{revision}");
        let path = format!("/v1/entries/{address}?revision={revision}");
        settled(self.send::<()>(Method::Delete, &path, None, Some(&key)).await, &[404, 409])
    }

    async fn send<T: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: Option<&T>,
        key: Option<&str>,
    ) -> Result<Vec<u8>, CentralError> {
        let url = format!("{}{path}", self.url);
        let json = body.map(serde_json::to_vec).transpose();
        let json = json.map_err(|error| CentralError::Form(error.to_string()))?;
        let request =
            Request { method, url: &url, bearer: self.token.as_ref(), idempotency_key: key, json };
        let (status, octets) = self.dial.exchange(request, ANSWER_MAX).await?;
        match status {
            200..=299 => Ok(octets),
            _ => Err(CentralError::Status(status, shown(&octets))),
        }
    }
}

/// What an answer tells, at most so many.
fn heard(octets: &[u8], most: usize) -> Result<Heard, CentralError> {
    let said: Said =
        serde_json::from_slice(octets).map_err(|error| CentralError::Form(error.to_string()))?;
    let mut heard = Heard { more: said.more, ..Heard::default() };
    for entry in said.entries {
        let record = serde_json::from_value::<Record>(entry).ok().and_then(Record::judged);
        let named =
            record.and_then(|record| Some((KepAddress::parse(&record.address).ok()?, record)));
        match named {
            Some(entry) if heard.records.len() < most => heard.records.push(entry),
            Some(_) => heard.more = true,
            None => heard.unsound += 1,
        }
    }
    Ok(heard)
}

/// Some refusals say that it is as it should be.
fn settled(sent: Result<Vec<u8>, CentralError>, content: &[u16]) -> Result<(), CentralError> {
    match sent {
        Err(CentralError::Status(status, _)) if content.contains(&status) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// For the log: the beginning, as a line.
fn shown(octets: &[u8]) -> String {
    let text = String::from_utf8_lossy(octets);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

#[derive(Serialize)]
struct Asked<'a> {
    query: &'a QueryForm,
    limit: usize,
}

#[derive(Serialize)]
struct Batch {
    addresses: Vec<String>,
}

#[derive(Deserialize)]
struct Said {
    entries: Vec<serde_json::Value>,
    #[serde(default)]
    more: bool,
}

/// Octets of an answer.
const ANSWER_MAX: usize = 1 << 20;
