//! Places of notices, as programs read them.

use crate::registry::notices::{Absence, Target, Whose};
use crate::wire::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub struct NoticePlace {
    #[schema(minimum = 1, example = 3)]
    number: i64,
    /// `sms` or `mail`.
    #[schema(example = "sms")]
    channel: String,
    #[schema(example = "+905321234567")]
    place: String,
    /// `tr` or `en`.
    #[schema(example = "tr")]
    language: String,
    #[schema(example = json!(["mail", "unread"]))]
    events: Vec<String>,
    #[schema(example = "22:00-08:00")]
    quiet: Option<String>,
    deputy: Option<DeputyShown>,
    /// Since when it is proven by a code; before that nothing but the code goes there.
    #[schema(format = DateTime, example = "2026-11-29T09:00:00.000Z")]
    proven: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct DeputyShown {
    #[schema(example = "Ayşe Yılmaz")]
    name: String,
    /// None: he hears of the last reminders alone.
    #[schema(format = Date, example = "2026-12-24")]
    from: Option<String>,
    #[schema(format = Date, example = "2026-12-31")]
    until: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct NoticePlaces {
    pub places: Vec<NoticePlace>,
}

impl NoticePlace {
    pub fn of(target: &Target) -> Self {
        let deputy = match &target.whose {
            Whose::Holder => None,
            Whose::Deputy(absence) => Some(DeputyShown::of(absence)),
        };
        Self {
            number: target.id,
            channel: target.reach.channel().to_owned(),
            place: target.reach.as_str().to_owned(),
            language: target.language.word().to_owned(),
            events: target.events.iter().map(|event| event.word().to_owned()).collect(),
            quiet: target.quiet.map(|quiet| quiet.to_string()),
            deputy,
            proven: target.proven_at.map(|at| at.iso8601()),
        }
    }
}

impl DeputyShown {
    fn of(absence: &Absence) -> Self {
        let day =
            |at: Timestamp| (!absence.is_never()).then(|| at.istanbul().date_naive().to_string());
        let last = absence.until.plus_millis(-1);
        Self { name: absence.deputy.clone(), from: day(absence.from), until: day(last) }
    }
}
