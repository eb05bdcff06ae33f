//! Where the account is told outside KEP, of what, and when: places, the code that proves one, a deputy.
//! Codes that log in and open what was forgotten go to them, too: who adds or removes one has shown of late more
//! than a password.

mod run;
mod shown;

use super::call::{Answered, Call};
use super::endpoint::{Done, Endpoint, Json, NoWords, Tag, Tagged, Verb, params};
use super::kinds::{Code, DayText, Number, PlaceText, QuietText, TextLine, few};
use super::problem::Problem;
use crate::registry::api_tokens::Scope;
use crate::registry::legal::LegalAct;
use crate::registry::notices::{
    self, Absence, Change, Event, NoticeError, Quiet, Target, Which, Whose,
};
use crate::registry::operators::Act;
use crate::registry::outbox::Language;
use crate::store::Tx;
use crate::wire::sha256;
use serde::Deserialize;
use shown::{NoticePlace, NoticePlaces};
use std::collections::BTreeSet;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let one = |verb, id| of(verb, "/notice-places/{place}", id);
    let places = vec![
        of(Verb::Get, "/notice-places", "listNoticePlaces")
            .says("Bildirim yerlerini listeler.", "Lists the places of notices.")
            .needs(Scope::AccountRead)
            .reads(list),
        of(Verb::Post, "/notice-places", "addNoticePlace")
            .says(
                "Bildirim yeri ekler ve oraya bir kod gönderir; kod girilmeden başka bildirim gitmez.",
                "Adds a place and sends a code to it; nothing else is sent there before that came back.",
            )
            .legal(LegalAct::NoticePlace)
            .may_say(unknown().into_iter().chain([
                Problem::NoticePlaceThere,
                Problem::NoticePlacesMany,
                Problem::NoticePlaceUnfit("{}".into()),
                Problem::NoticeUnfit,
                Problem::NoticeCodeSoon,
            ]))
            .runs(run::add),
        one(Verb::Get, "showNoticePlace")
            .says("Bir bildirim yerini gösterir.", "Shows a place of notices.")
            .needs(Scope::AccountRead)
            .may_say([Problem::NoticePlaceUnknown])
            .reads(show),
        one(Verb::Put, "changeNoticePlace")
            .says(
                "Orada nelerin, ne zaman, hangi dilde ve kime bildirileceğini belirler.",
                "Says what is told there, when, in which language, and whom.",
            )
            .personal()
            .guarded()
            .may_say(unknown().into_iter().chain([Problem::NoticeUnfit]))
            .writes(change),
        one(Verb::Delete, "removeNoticePlace")
            .says(
                "Bildirim yerini kaldırır; bekleyen bildirim artık oraya gitmez.",
                "Takes a place away; what waits for it is not said there any more.",
            )
            .legal(LegalAct::NoticePlace)
            .guarded()
            .may_say(unknown())
            .writes(remove),
    ];
    places.into_iter().chain(codes()).collect()
}

fn codes() -> [Endpoint; 2] {
    [
        of(Verb::Post, "/notice-places/{place}/code", "sendNoticeCode")
            .says(
                "Yeni bir kod gönderir; önceki geçersiz olur.",
                "Sends a new code; the one before is good no more.",
            )
            .legal(LegalAct::NoticePlace)
            .may_say(unknown().into_iter().chain([Problem::NoticeCodeSoon]))
            .runs(run::send_code),
        of(Verb::Post, "/notice-places/{place}/verify", "verifyNoticePlace")
            .says("Gelen kodla yeri onaylar.", "Proves the place by the code that came.")
            .legal(LegalAct::NoticePlace)
            .may_say(unknown().into_iter().chain([Problem::CodeWrong, Problem::NoticeCodeOver]))
            .runs(run::verify),
    ]
}

fn of(verb: Verb, path: &'static str, id: &'static str) -> Endpoint {
    Endpoint::new(verb, path, id, Tag::Notices).acts(Act::Manage)
}

/// What is not there, and what may not be changed any more.
fn unknown() -> [Problem; 2] {
    [Problem::NoticePlaceUnknown, Problem::AccountReadOnly("{}".into())]
}

params! {
    OnePlace {
        path place: Number = 3, "The place's number.";
    }
}

/// What one may be told of.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum NoticeEvent {
    /// A message came.
    Mail,
    /// What became of a message that was sent.
    Evidence,
    /// A message is unread, and its time to read ends.
    Unread,
    /// Credits run low.
    Credit,
    /// The mailboxes are nearly full.
    Storage,
    /// A registered certificate ends.
    Certificate,
    /// The contract ends.
    Contract,
    /// What was to be signed came back unsigned.
    Handover,
    /// A login from where there was none before.
    Login,
    /// The last reminder of what is unread: for a second person, whoever is away.
    Escalation,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
enum NoticeLanguage {
    #[serde(rename = "tr")]
    Turkish,
    #[serde(rename = "en")]
    English,
}

/// Somebody else (vekil) who is told while the holder is away: that there is something, and never what.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Deputy {
    #[schema(inline)]
    name: TextLine,
    /// The first day, in Turkey. Who hears of `escalation` alone needs no days.
    #[schema(inline)]
    from: Option<DayText>,
    /// The last day.
    #[schema(inline)]
    until: Option<DayText>,
}

/// What a place is to be like, whole.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeWishes {
    /// Turkish, if nothing is said.
    #[schema(inline)]
    language: Option<NoticeLanguage>,
    /// Of new mail, of what is unread, of what came back unsigned and of strange logins, if nothing is said.
    #[serde(default, deserialize_with = "some_events")]
    #[schema(inline, nullable = false, max_items = 10, example = json!(["mail", "unread"]))]
    events: Option<Vec<NoticeEvent>>,
    /// Hours in which nobody is woken.
    #[schema(inline)]
    quiet: Option<QuietText>,
    /// Whose place it is, if not the holder's.
    #[schema(inline)]
    deputy: Option<Deputy>,
}

/// A place to be added.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewNoticePlace {
    #[schema(inline)]
    place: PlaceText,
    #[schema(inline)]
    wishes: Option<NoticeWishes>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeCode {
    #[schema(inline)]
    code: Code,
}

fn some_events<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<Option<Vec<NoticeEvent>>, D::Error> {
    few::<_, _, 10>(from).map(Some)
}

fn list(tx: &mut Tx<'_>, call: &Call, _: &NoWords) -> Answered<Json<NoticePlaces>> {
    let all = notices::list_in(tx, call.account_id()?)?;
    Ok(Json(NoticePlaces { places: all.iter().map(NoticePlace::of).collect() }))
}

fn show(tx: &mut Tx<'_>, call: &Call, ask: &OnePlace) -> Answered<Tagged<NoticePlace>> {
    let all = notices::list_in(tx, call.account_id()?)?;
    let found = all.iter().find(|target| target.id == ask.place.0);
    tagged(found.ok_or(Problem::NoticePlaceUnknown)?)
}

fn change(
    tx: &mut Tx<'_>,
    call: &Call,
    ask: &OnePlace,
    new: &Json<NoticeWishes>,
) -> Answered<Tagged<NoticePlace>> {
    call.on_duty(Act::Manage)?;
    call.may_add()?;
    let (by, account) = (call.by()?, call.account()?);
    let (whose, which) = ((account.id, &account.address), Which::Number(ask.place.0));
    let wanted = new.0.clone().change()?;
    let judge = |known: &Target| call.matches(&tag(known)?);
    let changed = notices::set_in(tx, &by, whose, &which, &wanted, judge)?;
    tagged(&changed)
}

fn remove(tx: &mut Tx<'_>, call: &Call, ask: &OnePlace, _: &()) -> Answered<Done> {
    call.on_duty(Act::Manage)?;
    call.may_add()?;
    let (by, account) = (call.by()?, call.account()?);
    let (whose, which) = ((account.id, &account.address), Which::Number(ask.place.0));
    notices::remove_in(tx, &by, whose, &which, |known| call.matches(&tag(known)?))?;
    Ok(Done)
}

/// Of what is shown: it has no number of its own that grows.
fn tag(target: &Target) -> Answered<String> {
    let shown = serde_json::to_vec(&NoticePlace::of(target)).map_err(|_| Problem::Internal)?;
    Ok(sha256(&shown).hex().chars().take(16).collect())
}

fn tagged(target: &Target) -> Answered<Tagged<NoticePlace>> {
    Ok(Tagged(NoticePlace::of(target), tag(target)?))
}

impl NoticeWishes {
    fn change(self) -> Answered<Change> {
        let usual = || vec![Event::Mail, Event::Unread, Event::Handover, Event::Login];
        let events = self
            .events
            .map(|events| events.into_iter().map(NoticeEvent::event).collect::<Vec<_>>());
        let quiet = self.quiet.map(|quiet| quiet.0.parse::<Quiet>());
        let events: BTreeSet<_> = events.unwrap_or_else(usual).into_iter().collect();
        let alone = events.iter().eq([&Event::Escalation]);
        let whose = self.deputy.map(|deputy| deputy.whose(alone)).transpose()?;
        Ok(Change {
            language: match self.language {
                Some(NoticeLanguage::English) => Language::English,
                Some(NoticeLanguage::Turkish) | None => Language::Turkish,
            },
            events,
            quiet: quiet.transpose().map_err(|_| Problem::NoticeUnfit)?,
            whose: whose.unwrap_or(Whose::Holder),
        })
    }

    /// What a place is like of which nothing is said.
    fn none() -> Self {
        Self { language: None, events: None, quiet: None, deputy: None }
    }
}

impl Deputy {
    /// `alone`: he hears of the last reminder alone.
    fn whose(self, alone: bool) -> Answered<Whose> {
        let name = self.name.0;
        Ok(Whose::Deputy(match (self.from, self.until) {
            (Some(from), Some(until)) => {
                Absence { deputy: name, from: from.0.begins(), until: until.0.next().begins() }
            }
            (None, None) if alone => Absence::never(name),
            _ => return Err(Problem::NoticeUnfit),
        }))
    }
}

impl NoticeEvent {
    fn event(self) -> Event {
        match self {
            Self::Mail => Event::Mail,
            Self::Evidence => Event::Evidence,
            Self::Unread => Event::Unread,
            Self::Credit => Event::Credit,
            Self::Storage => Event::Storage,
            Self::Certificate => Event::Certificate,
            Self::Contract => Event::Contract,
            Self::Handover => Event::Handover,
            Self::Login => Event::Login,
            Self::Escalation => Event::Escalation,
        }
    }
}

impl From<NoticeError> for Problem {
    fn from(error: NoticeError) -> Self {
        match error {
            NoticeError::Registry(error) => error.into(),
            NoticeError::Store(error) => error.into(),
            NoticeError::Vault(error) => {
                tracing::error!(%error, "api");
                Self::Internal
            }
            NoticeError::Exists(..) => Self::NoticePlaceThere,
            NoticeError::Unknown(..) => Self::NoticePlaceUnknown,
            NoticeError::Many(_) => Self::NoticePlacesMany,
            NoticeError::Deputy => Self::NoticeUnfit,
            NoticeError::Soon | NoticeError::ManyCodes(_) => Self::NoticeCodeSoon,
            NoticeError::Wrong => Self::CodeWrong,
            NoticeError::Over => Self::NoticeCodeOver,
        }
    }
}
