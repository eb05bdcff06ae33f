//! What the account sent: handed in whole and signed, listed, and followed.

mod run;

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, Tag, Verb, params};
use super::kinds::{Cursor, Limit, SubmissionKey};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::store::evidence::{self, EvidenceRow, Wanted};
use crate::store::submissions::{self as rows, Origin, Recipient as RecipientRow};
use crate::store::{RowsError, Tx};
use crate::wire::rem::Event;
use crate::wire::{MessageId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let get = |path, id| {
        Endpoint::new(Verb::Get, path, id, Tag::Submissions)
            .needs(Scope::MailRead)
            .may_say([Problem::SubmissionUnknown])
    };
    vec![
        Endpoint::new(Verb::Post, "/submissions", "submitMessage", Tag::Submissions)
            .says(
                "İmzalı bir iletiyi To ve Cc alanlarındaki alıcılara gönderir. Aynı ileti 24 saat içinde ikinci kez gelirse aynı kimlikle yanıtlanır.",
                "Submits a signed message for those whom To and Cc name. The same message again within 24 hours is answered with the same identifier.",
            )
            .needs(Scope::MailSend)
            .named()
            .submits()
            .may_say([Problem::NoRecipient, Problem::AccountReadOnly("{}".into())])
            .runs(run::submit),
        get("/submissions", "listSubmissions")
            .says("Gönderilen iletileri yeniden eskiye listeler.", "Lists what was sent, the newest first.")
            .may_say([])
            .reads(list),
        get("/submissions/{submission}", "showSubmission")
            .says(
                "Gönderilen bir iletiyi ve her alıcıda nereye vardığını gösterir.",
                "Shows a message that was sent, and how far it came with each recipient.",
            )
            .reads(show),
        get("/submissions/{submission}/timeline", "showSubmissionTimeline")
            .says(
                "Gönderilen iletinin başına gelenleri delilleriyle gösterir.",
                "Shows what became of a message that was sent, with the evidence of it.",
            )
            .needs(Scope::EvidenceRead)
            .reads(timeline),
    ]
}

params! {
    OneSubmission {
        path submission: SubmissionKey = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr",
            "The provider's identifier of the message.";
    }
}

params! {
    Listing {
        query cursor: Cursor = "0000019aca000000", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

/// A message that is taken.
#[derive(Serialize, ToSchema)]
pub struct Taken {
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: String,
    /// `accepted`, though it may wait for the virus scanner, or `held`: it waits for its author's signature.
    #[schema(example = "accepted")]
    state: String,
    /// Whether the same message came before.
    #[schema(example = false)]
    again: bool,
}

#[derive(Serialize, ToSchema)]
struct Submission {
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    accepted: String,
    #[schema(example = "Teklif")]
    subject: String,
    /// In octets.
    #[schema(minimum = 0, example = 12345)]
    size: u64,
    /// `held`: it waits for its author's signature; `signed`: its signed form went as another message;
    /// `withdrawn`: nobody signed it; `unscanned`: it waits for the virus scanner; `accepted`; or `dispatched`
    /// once it is sealed.
    #[schema(example = "dispatched")]
    state: String,
    /// Of the original, in hex.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// Who signed it.
    #[schema(example = "CN=Ali Veli")]
    signer: Option<String>,
    recipients: Vec<Recipient>,
}

#[derive(Serialize, ToSchema)]
struct Recipient {
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    address: String,
    /// `accepted`, `relayed`, `delivered`, `relay-failed`, `failed`, `read`, or `expired`.
    #[schema(example = "delivered")]
    state: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:02.000Z")]
    relayed: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T09:00:03.000Z")]
    delivered: Option<String>,
    /// When the time to read ends.
    #[schema(format = DateTime, example = "2026-11-30T09:00:03.000Z")]
    due: Option<String>,
    #[schema(format = DateTime, example = "2026-11-29T10:00:00.000Z")]
    opened: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Submissions {
    submissions: Vec<Submission>,
    #[schema(example = "0000019aca000000")]
    next: Option<String>,
}

/// What happened, in order of time.
#[derive(Serialize, ToSchema, Default)]
pub struct Timeline {
    events: Vec<Happened>,
}

#[derive(Serialize, ToSchema)]
struct Happened {
    #[schema(format = DateTime, example = "2026-11-29T09:00:03.000Z")]
    time: String,
    #[schema(example = "delivery")]
    event: String,
    #[schema(example = "Teslim edildi")]
    turkish: String,
    #[schema(example = "Delivered")]
    english: String,
    /// Whom it is about; empty when it is about the message as a whole.
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    recipient: String,
    /// The evidence of it.
    #[schema(example = "_3f2a")]
    evidence: String,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &Listing) -> Answered<Json<Submissions>> {
    let limit = Limit::of(ask.limit);
    let first = Cursor::new(i64::MAX, "");
    let from = ask.cursor.as_ref().unwrap_or(&first);
    let before = (Timestamp::from_millis(from.number), from.text.as_str());
    let found = rows::page(tx, call.account_id()?, before, limit + 1)?;
    let more = found.len() > limit;
    let found = found.get(..limit).unwrap_or(&found);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| Cursor::new(last.accepted_at.millis(), last.message_id.as_str()));
    let mut submissions = Vec::with_capacity(found.len());
    for row in found {
        let recipients = rows::recipients(tx, &row.message_id)?;
        submissions.push(Submission::of(row, &recipients));
    }
    Ok(Json(Submissions { submissions, next: next.map(|next| next.write()) }))
}

/// A submission of the account.
fn own(tx: &mut Tx<'_>, call: &Call, key: &SubmissionKey) -> Answered<rows::Submission> {
    let id = key.0.as_ref().ok_or(Problem::SubmissionUnknown)?;
    let own = Origin::Account(call.account_id()?);
    let found = rows::find(tx, id)?.filter(|submission| submission.origin == own);
    found.ok_or(Problem::SubmissionUnknown)
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneSubmission) -> Answered<Json<Submission>> {
    let row = own(tx, call, &ask.submission)?;
    let recipients = rows::recipients(tx, &row.message_id)?;
    Ok(Json(Submission::of(&row, &recipients)))
}

fn timeline(tx: &mut Tx<'_>, call: &Call, ask: &OneSubmission) -> Answered<Json<Timeline>> {
    let row = own(tx, call, &ask.submission)?;
    timeline_of(tx, call, &row.message_id)
}

/// What the account may see of what became of a message.
pub fn timeline_of(tx: &mut Tx<'_>, call: &Call, id: &MessageId) -> Answered<Json<Timeline>> {
    let mut events = Vec::new();
    let mut found = seen(tx, call, id)?;
    found.reverse();
    for row in &found {
        events.push(Happened::of(row));
    }
    Ok(Json(Timeline { events }))
}

fn seen(tx: &mut Tx<'_>, call: &Call, id: &MessageId) -> Answered<Vec<EvidenceRow>> {
    let account = call.account()?.id;
    let wanted = Wanted { message: Some(id.as_str()), ..Wanted::default() };
    let last = (Timestamp::from_millis(i64::MAX), "");
    let found: Result<_, RowsError> = evidence::seen(tx, account, wanted, last, EVENTS);
    Ok(found?)
}

impl Submission {
    fn of(row: &rows::Submission, recipients: &[RecipientRow]) -> Self {
        let state = match row.state {
            rows::SubmissionState::Held => "held",
            rows::SubmissionState::Signed => "signed",
            rows::SubmissionState::Withdrawn => "withdrawn",
            rows::SubmissionState::Unscanned => "unscanned",
            rows::SubmissionState::Accepted => "accepted",
            rows::SubmissionState::Dispatched => "dispatched",
        };
        Self {
            message_id: row.message_id.to_string(),
            accepted: row.accepted_at.iso8601(),
            subject: row.details.subject.clone(),
            size: row.size,
            state: state.to_owned(),
            sha256: row.digest.hex(),
            signer: row.details.signer.as_ref().map(|signer| signer.subject.clone()),
            recipients: recipients.iter().map(Recipient::of).collect(),
        }
    }
}

impl Recipient {
    fn of(row: &RecipientRow) -> Self {
        let time = |at: Option<Timestamp>| at.map(Timestamp::iso8601);
        Self {
            address: row.address.clone(),
            state: row.state.word().to_owned(),
            relayed: time(row.relayed_at),
            delivered: time(row.delivered_at),
            due: time(row.due_at),
            opened: time(row.opened_at),
        }
    }
}

impl Happened {
    fn of(row: &EvidenceRow) -> Self {
        let event = Event::by_name(&row.event);
        let said = |of: fn(Event) -> &'static str| event.map_or("", of).to_owned();
        Self {
            time: row.event_time.iso8601(),
            event: row.event.clone(),
            turkish: said(Event::turkish),
            english: said(Event::english),
            recipient: row.recipient.clone(),
            evidence: row.id.to_string(),
        }
    }
}

/// Of one message: a thousand recipients, some steps each.
const EVENTS: usize = 10_000;
