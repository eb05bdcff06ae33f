//! `kep application`: from the papers to the account.

use super::said::{mode, parse, registry, rule, secret};
use super::{credentials, forms, holding, show, staff};
use crate::arguments::{Application as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::applications::{
    self, Application, Hand, Paper, PaperKind, Purpose, State, Step, Wish,
};
use kep::registry::audit::By;
use kep::registry::holders::{ContactForm, HolderForm};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::wire::{ApplicationId, Timestamp};
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add {
            conf,
            who,
            address,
            holder,
            contact,
            service,
            opening,
            signature,
            months,
            paper,
            json,
        } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let wish = Wish {
                purpose: Purpose::Opening,
                address: parse(&address)?,
                holder: forms::holder(&holder, by.at)?,
                contact: forms::contact(&contact)?,
                service: forms::service(service),
                opening: mode(opening),
                signature: signature.map(rule),
                months,
                papers: papers(&paper)?,
            };
            let taken = applications::add(&store, &settings.provider.domain, wish, &by).await;
            shown(json, &taken.map_err(registry)?)
        }
        Arguments::List { conf, stage, before, limit, json } => {
            let store = store(&conf.conf).await?;
            let stage = stage.as_deref().map(known_stage).transpose()?;
            let all =
                applications::list(&store, stage, before.map(ApplicationId), limit.into()).await;
            let rows: Vec<_> = all.map_err(registry)?.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, id, json } => {
            let store = store(&conf.conf).await?;
            let found = applications::find(&store, ApplicationId(id)).await.map_err(registry)?;
            shown(json, &found)
        }
        Arguments::Check { conf, who, id, paper, json } => {
            let store = store(&conf.conf).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            stepped(&store, id, Step::Check, papers(&paper)?, &by, json).await
        }
        Arguments::Approve { conf, who, id, json } => {
            let store = store(&conf.conf).await?;
            let by = approver(&store, &who).await?;
            stepped(&store, id, Step::Approve, Vec::new(), &by, json).await
        }
        Arguments::Refuse { conf, who, id, reason, block_address, json } => {
            let store = store(&conf.conf).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let step = Step::Refuse { reason, block: block_address };
            stepped(&store, id, step, Vec::new(), &by, json).await
        }
        Arguments::Withdraw { conf, who, id, reason, json } => {
            let store = store(&conf.conf).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            stepped(&store, id, Step::Withdraw { reason }, Vec::new(), &by, json).await
        }
        Arguments::Activate { conf, who, id, password_file, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let configured = wire_up::rule(settings.accept.signature);
            let id = ApplicationId(id);
            // Whether there is one, before a password is asked for.
            applications::find(&store, id).await.map_err(registry)?;
            let secret = secret(password_file.as_deref()).await?;
            let activated = applications::activate(&store, id, &secret, configured, &by).await;
            let (application, contract) = activated.map_err(credentials::failure)?;
            let term = holding::Term::of(&contract);
            let activated = Activated { application: Shown::of(&application), contract: term };
            show::print(json, &activated, |activated| {
                let (address, ends) = (&activated.application.address, &activated.contract.ends);
                format!("account {address} is open; its contract runs until {ends}\n")
            })
        }
    }
}

/// Whoever approves is a person who proves it.
async fn approver(store: &Store, who: &Who) -> Outcome<By> {
    if who.name.is_none() {
        return Err(Failure::usage("an approval is a named person's")
            .hint("--as NAME; `kep staff add` makes a member of staff, `approver` is the role"));
    }
    staff::by_role(store, who, StaffRole::Approver).await
}

async fn stepped(
    store: &Store,
    id: i64,
    step: Step,
    papers: Vec<Paper>,
    by: &By,
    json: bool,
) -> Outcome {
    let done = applications::step(store, ApplicationId(id), step, papers, by).await;
    shown(json, &done.map_err(registry)?)
}

fn papers(said: &[String]) -> Outcome<Vec<Paper>> {
    let paper = |text: &String| {
        Paper::parse(text).ok_or_else(|| {
            let all: Vec<_> = PaperKind::ALL.iter().map(|kind| kind.word()).collect();
            Failure::data(format!("{text} is no paper")).hint(all.join(", "))
        })
    };
    said.iter().map(paper).collect()
}

fn known_stage(word: &str) -> Outcome<&'static str> {
    let found = State::WORDS.into_iter().find(|known| *known == word);
    found.ok_or_else(|| Failure::data(format!("{word} is no stage")).hint(State::WORDS.join(", ")))
}

#[derive(Serialize)]
struct Activated {
    #[serde(flatten)]
    application: Shown,
    contract: holding::Term,
}

#[derive(Serialize)]
struct Shown {
    id: i64,
    stage: &'static str,
    purpose: Purpose,
    address: String,
    name: String,
    service: &'static str,
    holder: HolderForm,
    contact: ContactForm,
    papers: Vec<Paper>,
    /// Papers that are needed and not there.
    missing: Vec<&'static str>,
    /// Who did what, in order.
    hands: Vec<Done>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    created: String,
}

#[derive(Serialize)]
struct Done {
    what: &'static str,
    by: String,
    at: String,
}

impl Shown {
    fn of(application: &Application) -> Self {
        let Application { id, wish, state, created_at, .. } = application;
        let missing = applications::missing(wish.holder.kind(), &wish.papers);
        let reason = match state {
            State::Refused { reason, .. } | State::Withdrawn { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        Self {
            id: id.0,
            stage: state.word(),
            purpose: wish.purpose,
            address: wish.address.to_string(),
            name: wish.holder.name(),
            service: wish.service.word(),
            holder: wish.holder.form(),
            contact: wish.contact.form(),
            papers: wish.papers.clone(),
            missing: missing.iter().map(|kind| kind.word()).collect(),
            hands: state.hands().into_iter().map(Done::of).collect(),
            reason: reason.filter(|reason| !reason.is_empty()),
            created: created_at.iso8601(),
        }
    }
}

impl Done {
    fn of((what, hand): (&'static str, &Hand)) -> Self {
        Self { what, by: hand.staff.clone(), at: Timestamp::from_millis(hand.at).iso8601() }
    }
}

fn shown(json: bool, application: &Application) -> Outcome {
    show::print(json, &Shown::of(application), |shown| {
        let mut text = list(std::slice::from_ref(shown));
        text += &forms::lines(&shown.holder);
        text += &forms::lines(&shown.contact);
        for paper in &shown.papers {
            text += &format!("paper {} {}\n", paper.kind.word(), paper.reference);
        }
        for missing in &shown.missing {
            text += &format!("missing {missing}\n");
        }
        for Done { what, by, at } in &shown.hands {
            text += &format!("{what} by {by}, {at}\n");
        }
        text
    })
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let words = [&row.id.to_string(), row.stage, &row.address, &row.name, &row.created];
        words.map(str::to_owned).to_vec()
    });
    let head = ["ID", "STAGE", "ADDRESS", "NAME", "CREATED"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no applications")
}

async fn store(conf: &Path) -> Outcome<Store> {
    wire_up::store(&wire_up::settings(conf)?).await
}
