//! `kep queue`: mail on its way to other providers.

use super::message::rows;
use super::{provider, show, staff};
use crate::arguments::{Acting, Conf, Queue as Arguments};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::peers;
use kep::registry::queue::{self, Change};
use kep::registry::staff::StaffRole;
use kep::store::relay::{self, Health, Kind, Queued};
use kep::store::submissions::{self, RecipientState};
use kep::store::{RowsError, Store, Tx};
use kep::wire::KepDomain;
use serde::Serialize;
use std::collections::BTreeMap;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, provider, limit, json } => {
            let store = open(&conf).await?;
            let provider = provider.as_deref().map(provider::parse).transpose()?;
            let work = move |tx: &mut Tx<'_>| whole(tx, provider.as_ref(), limit);
            show::print(json, &store.read(work).await.map_err(rows)?, list)
        }
        Arguments::Show { conf, id, json } => {
            let store = open(&conf).await?;
            let found = store.read(move |tx| one(tx, id)).await.map_err(rows)?;
            show::print(json, &found.ok_or_else(|| unknown(id))?, text)
        }
        Arguments::Retry { conf, which, json } => change(&conf, &which, json, Change::Retry).await,
        Arguments::Hold { conf, which, json } => change(&conf, &which, json, Change::Hold).await,
        Arguments::Release { conf, which, json } => {
            change(&conf, &which, json, Change::Release).await
        }
    }
}

/// One mail, or a provider.
#[derive(Clone)]
enum Which {
    Mail(i64),
    Provider(KepDomain),
}

impl Which {
    fn parse(text: &str) -> Outcome<Self> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Mail(id));
        }
        KepDomain::registered(text).map(Self::Provider).map_err(|_| {
            Failure::usage(format!("{text} is neither a mail's number nor a provider's domain"))
                .hint("`kep queue list` shows both")
        })
    }
}

#[derive(Serialize)]
struct Changed {
    /// How many mails.
    mails: u64,
    provider: Option<String>,
    #[serde(skip)]
    said: String,
}

async fn change(acting: &Acting, which: &str, json: bool, change: Change) -> Outcome {
    let which = Which::parse(which)?;
    let store = open(&acting.conf).await?;
    let by = staff::by_role(&store, &acting.who, StaffRole::Operator).await?;
    let changed = match which {
        Which::Mail(id) => of_mail(&store, &by, id, change).await?,
        Which::Provider(domain) => of_provider(&store, &by, domain, change).await?,
    };
    show::print(json, &changed, |changed| format!("{}\n", changed.said))
}

async fn of_mail(store: &Store, by: &By, id: i64, change: Change) -> Outcome<Changed> {
    if !queue::of_mail(store, by, id, change).await.map_err(rows)? {
        return Err(unknown(id));
    }
    let said = match change {
        Change::Hold => format!("{id} is held; `kep queue release {id}` lets it go on"),
        Change::Release => format!("{id} goes on"),
        Change::Retry => format!("{id} is tried again now"),
    };
    Ok(Changed { mails: 1, provider: None, said })
}

async fn of_provider(
    store: &Store,
    by: &By,
    domain: KepDomain,
    change: Change,
) -> Outcome<Changed> {
    if peers::find(store, &domain).await.map_err(super::said::registry)?.is_none() {
        return Err(provider::unknown(&domain));
    }
    let mails = queue::of_provider(store, by, &domain, change).await.map_err(rows)?;
    let said = match change {
        Change::Hold => {
            format!("nothing is sent to {domain}; `kep queue release {domain}` goes on")
        }
        Change::Release => format!("mail to {domain} goes on; {mails} mails were held"),
        Change::Retry => format!("{domain} is tried again now; {mails} mails were put off"),
    };
    Ok(Changed { mails, provider: Some(domain.to_string()), said })
}

#[derive(Serialize)]
struct Whole {
    providers: Vec<Provider>,
    mails: Vec<Mail>,
}

#[derive(Serialize)]
struct Provider {
    provider: String,
    waiting: u64,
    held: u64,
    /// Nothing is sent to it, by an operator.
    stopped: bool,
    /// `unreachable` or `not-identified`, since when, what was heard, when it is asked again.
    trouble: Option<&'static str>,
    since: Option<String>,
    heard: Option<String>,
    asked: Option<String>,
}

#[derive(Serialize)]
struct Mail {
    id: i64,
    provider: String,
    kind: &'static str,
    message: String,
    evidence: Option<String>,
    since: String,
    due: String,
    attempts: u32,
    held: bool,
    heard: String,
}

#[derive(Serialize)]
struct One {
    mail: Mail,
    /// Those that it waits for.
    recipients: Vec<String>,
    provider: Provider,
}

fn whole(tx: &mut Tx<'_>, only: Option<&KepDomain>, limit: usize) -> Result<Whole, RowsError> {
    let mails = relay::list(tx, only, limit)?.iter().map(Mail::of).collect();
    let mut waiting = BTreeMap::new();
    for domain in relay::in_trouble(tx)? {
        waiting.insert(domain, (0, 0));
    }
    for count in relay::counts(tx)? {
        let Ok(domain) = KepDomain::registered(&count.provider) else { continue };
        waiting.insert(domain, (count.waiting, count.held));
    }
    let mut providers = Vec::new();
    for (domain, counts) in waiting.iter().filter(|(domain, _)| only.is_none_or(|o| o == *domain)) {
        let health = relay::health(tx, domain)?;
        providers.push(Provider::of(domain, *counts, &health));
    }
    Ok(Whole { providers, mails })
}

fn one(tx: &mut Tx<'_>, id: i64) -> Result<Option<One>, RowsError> {
    let Some(queued) = relay::find(tx, id)? else { return Ok(None) };
    let health = relay::health(tx, &queued.provider)?;
    let recipients = match queued.kind {
        Kind::Dispatch => submissions::recipients(tx, &queued.message)?,
        Kind::Evidence => Vec::new(),
    };
    let waits = recipients.into_iter().filter(|to| to.state == RecipientState::Accepted);
    let there = waits.filter(|to| to.is_with(&queued.provider));
    Ok(Some(One {
        mail: Mail::of(&queued),
        recipients: there.map(|to| to.address).collect(),
        provider: Provider::of(&queued.provider, (1, queued.held.into()), &health),
    }))
}

impl Mail {
    fn of(queued: &Queued) -> Self {
        Self {
            id: queued.id,
            provider: queued.provider.to_string(),
            kind: queued.kind.word(),
            message: queued.message.to_string(),
            evidence: Some(queued.evidence.clone()).filter(|evidence| !evidence.is_empty()),
            since: queued.since.iso8601(),
            due: queued.due.iso8601(),
            attempts: queued.attempts,
            held: queued.held,
            heard: queued.reply.clone(),
        }
    }
}

impl Provider {
    fn of(domain: &KepDomain, (waiting, held): (u64, u64), health: &Health) -> Self {
        let down = |text: String| health.is_down().then_some(text);
        Self {
            provider: domain.to_string(),
            waiting,
            held,
            stopped: health.held,
            trouble: health.is_down().then(|| health.trouble.word()),
            since: down(health.down_since.iso8601()),
            heard: down(health.reply.clone()),
            asked: down(health.probe_at.iso8601()),
        }
    }

    fn line(&self) -> String {
        let Self { provider, waiting, held, .. } = self;
        let mut out = format!("{provider}: {waiting} wait, {held} of them held\n");
        if self.stopped {
            out +=
                &format!("{provider}: nothing is sent; `kep queue release {provider}` goes on\n");
        }
        if let (Some(trouble), Some(since), Some(heard), Some(asked)) =
            (self.trouble, &self.since, &self.heard, &self.asked)
        {
            out += &format!("{provider}: {trouble} since {since}: {heard}; asked again {asked}\n");
        }
        out
    }
}

fn list(whole: &Whole) -> String {
    let cells = whole.mails.iter().map(|mail| {
        let due = if mail.held { "held" } else { &mail.due };
        let what = mail.evidence.as_ref().unwrap_or(&mail.message);
        let attempts = mail.attempts.to_string();
        [
            &mail.id.to_string(),
            &mail.provider,
            mail.kind,
            what,
            &mail.since,
            due,
            &attempts,
            &mail.heard,
        ]
        .map(str::to_owned)
        .to_vec()
    });
    let head = ["ID", "PROVIDER", "KIND", "MAIL", "SINCE", "DUE", "TRIED", "HEARD"];
    let table =
        show::table(&head, &cells.collect::<Vec<_>>(), "nothing waits for another provider");
    table + &whole.providers.iter().map(Provider::line).collect::<String>()
}

fn text(one: &One) -> String {
    let mail = &one.mail;
    let heard = if mail.heard.is_empty() { "-" } else { &mail.heard };
    let mut out = format!(
        "id        {}\nprovider  {}\nkind      {}\nmessage   {}\nevidence  {}\nsince     {}\n\
         due       {}\ntried     {} times\nheard     {heard}\n",
        mail.id,
        mail.provider,
        mail.kind,
        mail.message,
        mail.evidence.as_deref().unwrap_or("-"),
        mail.since,
        if mail.held { "held" } else { &mail.due },
        mail.attempts,
    );
    for recipient in &one.recipients {
        out += &format!("for       {recipient}\n");
    }
    let line = one.provider.line();
    // How many wait is another question.
    out + &line.lines().skip(1).map(|line| format!("{line}\n")).collect::<String>()
}

async fn open(conf: &Conf) -> Outcome<Store> {
    wire_up::store(&wire_up::settings(&conf.conf)?).await
}

fn unknown(id: i64) -> Failure {
    Failure::not_found(format!("there is no mail {id} in the queue")).hint(
        "`kep queue list` shows what waits; what is gone was relayed, or its window has ended",
    )
}
