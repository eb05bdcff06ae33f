//! Evidence (delil) of what the account sent and of what came to it.

mod run;

use super::call::{Answered, Call};
use super::endpoint::{Endpoint, Json, Tag, Verb, params};
use super::kinds::{Cursor, Day, EventWord, Limit, Name, SubmissionKey};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::store::Tx;
use crate::store::evidence::{self as rows, EvidenceRow, Wanted};
use crate::wire::rem::Event;
use crate::wire::{EvidenceId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let get = |path, id| {
        Endpoint::new(Verb::Get, path, id, Tag::Evidence)
            .needs(Scope::EvidenceRead)
            .may_say([Problem::EvidenceUnknown])
    };
    vec![
        get("/evidence", "listEvidence")
            .says("Delilleri yeniden eskiye listeler.", "Lists evidence, the newest first.")
            .may_say([])
            .reads(list),
        get("/evidence/{evidence}", "showEvidence")
            .says("Bir delili gösterir.", "Shows an evidence.")
            .reads(show),
        get("/evidence/{evidence}/document", "downloadEvidence")
            .says("Delilin XML belgesini indirir.", "Downloads the XML document of an evidence.")
            .runs(run::document),
    ]
}

params! {
    OneEvidence {
        path evidence: Name = "_3f2a", "The evidence's identifier.";
    }
}

params! {
    Listing {
        query message: SubmissionKey = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr",
            "That of this message only.";
        query event: EventWord = "delivery", "Of this event only.";
        query since: Day = "2026-11-01", "From the beginning of this day in Turkey on.";
        query until: Day = "2026-11-30", "To the end of this day in Turkey.";
        query cursor: Cursor = "0000019aca000000", "What `next` of the page before said.";
        query limit: Limit = 50, "How many at most.";
    }
}

#[derive(Serialize, ToSchema)]
struct Evidence {
    #[schema(example = "_3f2a")]
    id: String,
    #[schema(example = "delivery")]
    event: String,
    #[schema(example = "Teslim edildi")]
    turkish: String,
    #[schema(example = "Delivered")]
    english: String,
    /// The number of Turkish practice (10, 40, 60 …).
    #[schema(minimum = 0, maximum = 99, example = 40)]
    number: Option<u8>,
    #[schema(example = "0a1b2c3d4e5f60718293a4b5c6d7e8f9@hs05.kep.tr")]
    message_id: String,
    /// Whom it is about; empty when it is about the message as a whole.
    #[schema(example = "ayse.yilmaz@hs05.kep.tr")]
    recipient: String,
    #[schema(format = DateTime, example = "2026-11-29T09:00:03.000Z")]
    time: String,
    /// The time of its time stamp.
    #[schema(format = DateTime, example = "2026-11-29T09:00:04.000Z")]
    stamped: String,
    /// `ts102640` or `en319522`.
    #[schema(example = "ts102640")]
    dialect: String,
    /// `own`, or the domain of the provider that issued it.
    #[schema(example = "own")]
    origin: String,
}

#[derive(Serialize, ToSchema)]
struct EvidencePage {
    evidence: Vec<Evidence>,
    #[schema(example = "0000019aca000000")]
    next: Option<String>,
}

fn list(tx: &mut Tx<'_>, call: &Call, ask: &Listing) -> Answered<Json<EvidencePage>> {
    let limit = Limit::of(ask.limit);
    let message = match &ask.message {
        Some(SubmissionKey(None)) => {
            return Ok(Json(EvidencePage { evidence: vec![], next: None }));
        }
        Some(SubmissionKey(Some(id))) => Some(id.as_str()),
        None => None,
    };
    let wanted = Wanted {
        message,
        event: ask.event.map(|event| event.0.name()),
        since: ask.since.map(Day::begins),
        until: ask.until.map(|day| day.next().begins()),
    };
    let first = Cursor::new(i64::MAX, "");
    let from = ask.cursor.as_ref().unwrap_or(&first);
    let before = (Timestamp::from_millis(from.number), from.text.as_str());
    let found = rows::seen(tx, call.account()?.id, wanted, before, limit + 1)?;
    let more = found.len() > limit;
    let found = found.get(..limit).unwrap_or(&found);
    let next = found.last().filter(|_| more);
    let next = next.map(|last| Cursor::new(last.event_time.millis(), last.id.as_str()).write());
    Ok(Json(EvidencePage { evidence: found.iter().map(Evidence::of).collect(), next }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OneEvidence) -> Answered<Json<Evidence>> {
    Ok(Json(Evidence::of(&find(tx, call, ask)?)))
}

fn find(tx: &mut Tx<'_>, call: &Call, ask: &OneEvidence) -> Answered<EvidenceRow> {
    let id = EvidenceId::from_stored(ask.evidence.0.as_str());
    rows::seen_one(tx, call.account()?.id, &id)?.ok_or(Problem::EvidenceUnknown)
}

impl Evidence {
    fn of(row: &EvidenceRow) -> Self {
        let event = Event::by_name(&row.event);
        let said = |of: fn(Event) -> &'static str| event.map_or("", of).to_owned();
        Self {
            id: row.id.to_string(),
            event: row.event.clone(),
            turkish: said(Event::turkish),
            english: said(Event::english),
            number: event.and_then(Event::number),
            message_id: row.message_id.to_string(),
            recipient: row.recipient.clone(),
            time: row.event_time.iso8601(),
            stamped: row.stamped_at.iso8601(),
            dialect: row.dialect.clone(),
            origin: row.origin.clone(),
        }
    }
}
