//! `kep account notice`: where people are told outside KEP.

use super::said::{done, parse};
use super::{show, staff};
use crate::arguments::{AccountNotice as Arguments, Tongue, Wishes};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::notices::{self, Absence, Change, Event, NoticeError, Quiet, Target, Whose};
use kep::registry::outbox::Language;
use kep::registry::staff::StaffRole;
use kep::wire::{Reach, Timestamp};
use secrecy::SecretString;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, who, address, place, wishes, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (address, place) = (parse(&address)?, reach(&place)?);
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let usual = Change {
                language: Language::Turkish,
                events: [Event::Mail, Event::Unread, Event::Handover, Event::Login].into(),
                quiet: None,
                whose: Whose::Holder,
            };
            let change = wanted(&wishes, usual)?;
            let added = notices::add(&store, &by, &address, place, change).await;
            show::print(json, &Shown::of(&added.map_err(failure)?), |added| {
                format!("a code goes to {}; `kep account notice verify` takes it\n", added.place)
            })
        }
        Arguments::List { conf, address, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = notices::list(&store, &parse(&address)?).await.map_err(failure)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Verify { conf, who, address, place, code } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (address, place) = (parse(&address)?, reach(&place)?);
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let Some(code) = code.map(SecretString::from) else {
                let sent = notices::send_code(&store, &by, &address, place.clone()).await;
                sent.map_err(failure)?;
                return done(&format!("a new code goes to {place}"));
            };
            let proven = notices::verify(&store, &by, &address, place.clone(), &code).await;
            proven.map_err(failure)?;
            done(&format!("{address} is told at {place}"))
        }
        Arguments::Set { conf, who, address, place, wishes } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (address, place) = (parse(&address)?, reach(&place)?);
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let all = notices::list(&store, &address).await.map_err(failure)?;
            let known = all.into_iter().find(|target| target.reach == place);
            let known = known.ok_or_else(|| {
                failure(NoticeError::Unknown(address.clone(), place.clone().into()))
            })?;
            let Target { language, events, quiet, whose, .. } = known;
            let change = wanted(&wishes, Change { language, events, quiet, whose })?;
            let set = notices::set(&store, &by, &address, place.clone(), change).await;
            done(&match set.map_err(failure)?.proven_at {
                Some(_) => format!("{address} is told otherwise at {place}"),
                None => format!(
                    "{place} is not proven: nothing is told there before a code came back; `kep account notice \
                     verify` without one sends it"
                ),
            })
        }
        Arguments::Remove { conf, who, address, place } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (address, place) = (parse(&address)?, reach(&place)?);
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            notices::remove(&store, &by, &address, place.clone()).await.map_err(failure)?;
            done(&format!("{address} is not told at {place} any more"))
        }
    }
}

fn reach(text: &str) -> Outcome<Reach> {
    Reach::parse(text).map_err(|error| {
        Failure::data(format!("{text}: {error}"))
            .hint("a place is a mobile number with its country, or an ordinary mail address")
    })
}

fn wanted(wishes: &Wishes, known: Change) -> Outcome<Change> {
    let event = |word: &String| {
        Event::parse(word).ok_or_else(|| {
            let all = Event::ALL.map(Event::word).join(", ");
            Failure::usage(format!("{word} is nothing that is told of")).hint(all)
        })
    };
    let events = wishes.events.iter().map(event).collect::<Outcome<_>>()?;
    let quiet = match wishes.quiet.as_deref() {
        None => known.quiet,
        Some("none") => None,
        Some(text) => Some(text.parse::<Quiet>().map_err(|e| Failure::usage(e.to_string()))?),
    };
    Ok(Change {
        language: match wishes.language {
            None => known.language,
            Some(Tongue::Tr) => Language::Turkish,
            Some(Tongue::En) => Language::English,
        },
        events: if wishes.events.is_empty() { known.events } else { events },
        quiet,
        whose: whose(wishes, known.whose)?,
    })
}

fn whose(wishes: &Wishes, known: Whose) -> Outcome<Whose> {
    let days = wishes.from.as_deref().zip(wishes.until.as_deref());
    let named = match (wishes.deputy.as_deref(), &known) {
        (Some("none"), _) => return Ok(Whose::Holder),
        (Some(name), _) => name.to_owned(),
        (None, Whose::Deputy(absence)) if days.is_some() => absence.deputy.clone(),
        (None, _) if days.is_some() => {
            return Err(Failure::usage("--from and --until are a deputy's")
                .hint("--deputy NAME says whose place it is"));
        }
        (None, _) => return Ok(known),
    };
    let days = match (days, known) {
        (Some((from, until)), _) => (midnight(from)?, midnight(until)?.plus_secs(DAY)),
        (None, Whose::Deputy(absence)) => (absence.from, absence.until),
        (None, Whose::Holder) if wishes.events == [Event::Escalation.word()] => {
            return Ok(Whose::Deputy(Absence::never(named)));
        }
        (None, Whose::Holder) => {
            return Err(Failure::usage("a deputy is told for a time").hint(
                "--from and --until say the first and the last day; a second person who hears of \
                 `escalation` alone needs none",
            ));
        }
    };
    Ok(Whose::Deputy(Absence { deputy: named, from: days.0, until: days.1 }))
}

pub fn midnight(day: &str) -> Outcome<Timestamp> {
    Timestamp::parse_iso8601(&format!("{day}T00:00:00+03:00"))
        .ok_or_else(|| Failure::usage(format!("{day} is no day, as 2026-12-24")))
}

fn failure(error: NoticeError) -> Failure {
    let hint = match &error {
        NoticeError::Registry(_) => None,
        NoticeError::Store(_) | NoticeError::Vault(_) => return Failure::unavailable(&error),
        NoticeError::Unknown(..) => {
            return Failure::not_found(&error).hint("`kep account notice list` shows them");
        }
        NoticeError::Exists(..) => Some("`kep account notice set` changes it"),
        NoticeError::Many(_) => Some("`kep account notice remove` takes one away"),
        NoticeError::Soon | NoticeError::ManyCodes(_) => Some("wait a little"),
        NoticeError::Wrong | NoticeError::Over => {
            Some("`kep account notice verify` without a code sends a new one")
        }
        NoticeError::Deputy => Some("--deputy NAME --from DAY --until DAY"),
    };
    match (error, hint) {
        (NoticeError::Registry(error), _) => super::said::registry(error),
        (error, Some(hint)) => Failure::data(error).hint(hint),
        (error, None) => Failure::data(error),
    }
}

#[derive(Serialize)]
struct Shown {
    place: String,
    channel: &'static str,
    events: Vec<&'static str>,
    language: &'static str,
    quiet: Option<String>,
    deputy: Option<String>,
    from: Option<String>,
    until: Option<String>,
    verified: Option<String>,
}

impl Shown {
    fn of(target: &Target) -> Self {
        let absence = match &target.whose {
            Whose::Holder => None,
            Whose::Deputy(absence) => Some(absence),
        };
        let days = absence.filter(|absence| !absence.is_never());
        Self {
            place: target.reach.to_string(),
            channel: target.reach.channel(),
            events: target.events.iter().map(|event| event.word()).collect(),
            language: target.language.word(),
            quiet: target.quiet.map(|quiet| quiet.to_string()),
            deputy: absence.map(|absence| absence.deputy.clone()),
            from: days.map(|absence| absence.from.iso8601()),
            until: days.map(|absence| absence.until.iso8601()),
            verified: target.proven_at.map(|at| at.iso8601()),
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let whose = match (&row.deputy, &row.from, &row.until) {
            (Some(name), Some(from), Some(until)) => format!("{name}, {from} to {until}"),
            (Some(name), ..) => name.clone(),
            _ => "holder".to_owned(),
        };
        let words = [
            row.place.as_str(),
            &row.events.join(","),
            row.language,
            row.quiet.as_deref().unwrap_or("-"),
            &whose,
            row.verified.as_deref().unwrap_or("no"),
        ];
        words.map(str::to_owned).to_vec()
    });
    let head = ["PLACE", "EVENTS", "LANGUAGE", "QUIET", "WHOSE", "VERIFIED"];
    show::table(&head, &cells.collect::<Vec<_>>(), "told nowhere: `kep account notice add`")
}

/// Seconds.
const DAY: i64 = 86_400;
