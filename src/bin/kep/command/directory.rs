//! `kep directory`: questions, consent, the log of who asked, and what the central directory has to hear.

use super::said::{done, parse, registry};
use super::{contact, show, staff};
use crate::arguments::{
    Conf, Consent as ConsentArguments, Directory as Arguments, DirectoryQuery, Push,
};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts;
use kep::registry::directory::{
    self, Answer, Asked, Consent, DirectoryError, Field, Found, Query, QueryForm, Record, Saved,
    Source,
};
use kep::registry::staff::StaffRole;
use kep::store::directory::push::{self, PushRow};
use kep::store::{RowsError, Store, Tx};
use kep::wire::AccountId;
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Query(query) => self::query(*query).await,
        Arguments::Check(check) => super::directory_check::run(*check).await,
        Arguments::Consent(ConsentArguments::Show { conf, address, json }) => {
            let (store, account) = open(&conf, &address).await?;
            let (consent, since) = directory::consent(&store, account).await.map_err(failure)?;
            let shown = ConsentShown::of(&consent, since.map(|at| at.iso8601()));
            show::print(json, &shown, ConsentShown::text)
        }
        Arguments::Consent(ConsentArguments::Set {
            conf,
            who,
            address,
            listed,
            findable,
            fields,
        }) => {
            let words: Vec<_> = fields.iter().map(|word| word.trim()).collect();
            let consent = Consent::parse(listed, findable, &words).ok_or_else(|| {
                let all = Field::ALL.map(Field::word).join(", ");
                Failure::data("a field that there is not").hint(all)
            })?;
            let (store, account) = open(&conf, &address).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            directory::set_consent(&store, account, consent, by).await.map_err(failure)?;
            done(&format!("the consent of {address} is recorded"))
        }
        Arguments::Log { conf, account, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let account = match account {
                Some(address) => Some(id(&store, &address).await?),
                None => None,
            };
            let all = directory::log(&store, account, limit).await.map_err(failure)?;
            let rows: Vec<_> = all.iter().map(AskedShown::of).collect();
            show::print(json, &rows, |rows| log(rows))
        }
        Arguments::Push(push) => self::push(push).await,
    }
}

async fn query(asked: DirectoryQuery) -> Outcome {
    let form = QueryForm {
        kind: asked.kind,
        given: asked.given,
        family: asked.family,
        title: asked.title,
        service: asked.service,
        province: asked.province,
        district: asked.district,
        street: asked.street,
        phone: asked.phone,
        activity: asked.activity,
        mersis: asked.mersis,
        tax_number: asked.tax_number,
        registry_number: asked.registry_number,
        detsis: asked.detsis,
        address: asked.address,
        identity: asked.identity,
    };
    let query = Query::parse(&form).map_err(failure)?;
    let settings = wire_up::settings(&asked.conf.conf)?;
    let store = wire_up::store(&settings).await?;
    let account = id(&store, &asked.account).await?;
    let by = staff::by_role(&store, &asked.who, StaffRole::Registrar).await?;
    let directory = wire_up::directory(&settings, &store)?;
    let answer = directory::ask(&directory, account, query, by.clone()).await.map_err(failure)?;
    let saved = match asked.save {
        true => {
            let records: Vec<_> = answer.found.iter().map(|found| found.record.clone()).collect();
            let saved = directory::save(&store, account, &records, &by).await;
            saved.map_err(contact::failure)?
        }
        false => Saved::default(),
    };
    show::print(asked.json, &Answered::of(&answer, &saved), Answered::text)
}

async fn push(arguments: Push) -> Outcome {
    match arguments {
        Push::List { conf, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let look = |tx: &mut Tx<'_>| -> Result<Vec<PushShown>, RowsError> {
                push::list(tx, PUSHES)?.iter().map(|row| PushShown::of(tx, row)).collect()
            };
            let rows = store.read(look).await.map_err(Failure::unavailable)?;
            let absent = match settings.directory.url {
                Some(_) => "",
                None => "no central directory is configured (directory.url); changes wait\n",
            };
            show::print(json, &rows, |rows| absent.to_owned() + &waiting(rows))
        }
        Push::Retry(acting) => {
            let store = wire_up::store(&wire_up::settings(&acting.conf.conf)?).await?;
            let by = staff::by_role(&store, &acting.who, StaffRole::Operator).await?;
            let hurried = directory::run::hurry(&store, &by).await;
            done(&format!("{} entries are told now", hurried.map_err(Failure::unavailable)?))
        }
    }
}

async fn open(conf: &Conf, address: &str) -> Outcome<(Store, AccountId)> {
    let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
    let account = id(&store, address).await?;
    Ok((store, account))
}

pub async fn id(store: &Store, address: &str) -> Outcome<AccountId> {
    Ok(accounts::get(store, &parse(address)?).await.map_err(registry)?.id)
}

pub fn failure(error: DirectoryError) -> Failure {
    match error {
        DirectoryError::Registry(error) => registry(error),
        DirectoryError::Often(_) => Failure::unavailable(&error).hint(error.turkish()),
        _ => Failure::data(&error).hint(error.turkish()),
    }
}

#[derive(Serialize)]
struct Answered {
    found: Vec<FoundShown>,
    more: bool,
    /// Keys that would tell several apart.
    ask: Vec<&'static str>,
    central: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<Notice>,
    /// UIDs of new contacts.
    saved: Vec<String>,
    /// Addresses that make no contact, and why.
    not_saved: Vec<String>,
}

#[derive(Serialize)]
struct Notice {
    turkish: &'static str,
    english: &'static str,
}

#[derive(Serialize)]
struct FoundShown {
    #[serde(flatten)]
    record: Record,
    name: String,
    source: &'static str,
}

impl Answered {
    fn of(answer: &Answer, saved: &Saved) -> Self {
        let found = |found: &Found| FoundShown {
            name: found.record.shown(),
            record: found.record.clone(),
            source: match found.source {
                Source::Own => "own",
                Source::Central => "central",
            },
        };
        let notice = answer.central.said();
        Self {
            found: answer.found.iter().map(found).collect(),
            more: answer.more,
            ask: answer.ask.iter().map(|key| key.word()).collect(),
            central: answer.central.word(),
            notice: notice.map(|(turkish, english)| Notice { turkish, english }),
            saved: saved.new.iter().map(|contact| contact.uid.clone()).collect(),
            not_saved: saved
                .refused
                .iter()
                .map(|(address, fault)| format!("{address}: {}", fault.english()))
                .collect(),
        }
    }

    fn text(&self) -> String {
        let cells = self.found.iter().map(|found| {
            let place = [&found.record.district, &found.record.province];
            let place: Vec<_> = place.into_iter().flatten().map(String::as_str).collect();
            vec![
                found.name.clone(),
                found.record.address.clone(),
                place.join(", "),
                found.source.to_owned(),
            ]
        });
        let none = if self.more { "more than may be told at once" } else { "nobody" };
        let head = ["NAME", "ADDRESS", "PLACE", "SOURCE"];
        let mut out = show::table(&head, &cells.collect::<Vec<_>>(), none);
        if !self.ask.is_empty() {
            out += &format!("to narrow it: {}\n", self.ask.join(", "));
        }
        if !self.saved.is_empty() {
            out += &format!("new contacts: {}\n", self.saved.len());
        }
        for refused in &self.not_saved {
            out += &format!("no contact: {refused}\n");
        }
        if let Some(notice) = &self.notice {
            out += &format!("{}\n{}\n", notice.turkish, notice.english);
        }
        out
    }
}

#[derive(Serialize)]
struct ConsentShown {
    listed: bool,
    findable: bool,
    fields: Vec<&'static str>,
    since: Option<String>,
}

impl ConsentShown {
    fn of(consent: &Consent, since: Option<String>) -> Self {
        let (findable, fields) = consent.ticked();
        let fields = fields.iter().map(|field| field.word()).collect();
        Self { listed: consent.is_listed(), findable, fields, since }
    }

    fn text(&self) -> String {
        let yes = |yes| if yes { "yes" } else { "no" };
        format!(
            "listed    {}\nfindable  {}\nfields    {}\nsince     {}\n",
            yes(self.listed),
            yes(self.findable),
            if self.fields.is_empty() { "-".to_owned() } else { self.fields.join(", ") },
            self.since.as_deref().unwrap_or("-"),
        )
    }
}

#[derive(Serialize)]
struct AskedShown {
    at: String,
    account: i64,
    actor: String,
    channel: String,
    kind: String,
    keys: String,
    /// None: it was not answered.
    results: Option<i64>,
    central: String,
}

impl AskedShown {
    fn of(asked: &Asked) -> Self {
        Self {
            at: asked.asked_at.iso8601(),
            account: asked.account.0,
            actor: asked.actor.clone(),
            channel: asked.channel.clone(),
            kind: asked.kind.clone(),
            keys: asked.keys.clone(),
            results: asked.results,
            central: asked.central.clone(),
        }
    }
}

fn log(rows: &[AskedShown]) -> String {
    let cells = rows.iter().map(|row| {
        let results = row.results.map_or("-".to_owned(), |count| count.to_string());
        vec![
            row.at.clone(),
            row.account.to_string(),
            row.actor.clone(),
            row.kind.clone(),
            row.keys.clone(),
            results,
            row.central.clone(),
        ]
    });
    let head = ["AT", "ACCOUNT", "WHO", "KIND", "KEYS", "RESULTS", "CENTRAL"];
    show::table(&head, &cells.collect::<Vec<_>>(), "nobody asked")
}

#[derive(Serialize)]
struct PushShown {
    address: String,
    revision: i64,
    since: String,
    due: String,
    attempts: i64,
    refused: bool,
    heard: String,
}

impl PushShown {
    fn of(tx: &mut Tx<'_>, row: &PushRow) -> Result<Self, RowsError> {
        let entry = kep::store::directory::entry(tx, row.account)?;
        Ok(Self {
            address: entry.map(|entry| entry.address).unwrap_or_default(),
            revision: row.revision,
            since: row.since.iso8601(),
            due: row.due_at.iso8601(),
            attempts: row.attempts,
            refused: row.refused,
            heard: row.heard.clone(),
        })
    }
}

fn waiting(rows: &[PushShown]) -> String {
    let cells = rows.iter().map(|row| {
        let state = if row.refused { "refused" } else { "waits" };
        vec![
            row.address.clone(),
            row.revision.to_string(),
            state.to_owned(),
            row.since.clone(),
            row.due.clone(),
            row.attempts.to_string(),
            row.heard.clone(),
        ]
    });
    let head = ["ADDRESS", "REVISION", "STATE", "SINCE", "DUE", "TRIED", "HEARD"];
    show::table(&head, &cells.collect::<Vec<_>>(), "the central directory knows all")
}

/// How many are shown.
const PUSHES: i64 = 1000;
