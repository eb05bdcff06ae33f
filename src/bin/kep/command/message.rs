//! `kep message`: what was submitted, and how far it came.

use super::said::{parse, registry};
use super::{show, staff};
use crate::arguments::Message as Arguments;
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::staff::StaffRole;
use kep::registry::{accounts, audit};
use kep::store::mail::{self, Role, trash, view};
use kep::store::reports::{self, ReportRow};
use kep::store::submissions::{self, Recipient, RecipientState, Submission, SubmissionState};
use kep::store::{Lane, RowsError, Store, Tx, evidence};
use kep::wire::rem::{Action, Event};
use kep::wire::{AccountId, MessageId, Timestamp};
use serde::Serialize;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::List { conf, account, limit, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let account = match account {
                Some(address) => {
                    Some(accounts::get(&store, &parse(&address)?).await.map_err(registry)?.id)
                }
                None => None,
            };
            let found = store.read(move |tx| submissions::list(tx, account, limit)).await;
            let rows: Vec<_> = found.map_err(rows)?.iter().map(Line::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, id, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (submission, recipients) = find(&store, &id).await?;
            let whole = Whole {
                message: Line::of(&submission),
                recipients: recipients.iter().map(|to| To::of(&submission, to)).collect(),
            };
            show::print(json, &whole, text)
        }
        Arguments::Timeline { conf, id, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let id = message_id(&id)?;
            // A rejection has a time line too, and no submission.
            let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
                let recipients = submissions::recipients(tx, &id)?;
                let reports = reports::of_message(tx, &id)?;
                Ok((
                    evidence::of_message(tx, &id)?,
                    submissions::find(tx, &id)?,
                    recipients,
                    reports,
                ))
            };
            let (found, submission, recipients, reports) = store.read(work).await.map_err(rows)?;
            let mut happened: Vec<_> = found.iter().map(Happened::of).collect();
            happened.extend(reports.iter().map(Happened::reported));
            happened.sort_by(|a, b| a.time.cmp(&b.time));
            let to = submission.iter().flat_map(|one| recipients.iter().map(|r| To::of(one, r)));
            let waiting: String = to.filter_map(|to| to.waiting()).collect();
            show::print(json, &happened, |rows| timeline(rows) + &waiting)
        }
        Arguments::Restore { conf, id, account, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf.conf)?).await?;
            let by = staff::by_role(&store, &conf.who, StaffRole::Registrar).await?;
            let account = accounts::get(&store, &parse(&account)?).await.map_err(registry)?;
            let wanted = message_id(&id)?;
            let work = move |tx: &mut Tx<'_>| {
                let back = restore(tx, account.id, &wanted, by.at)?;
                if !back.is_empty() {
                    let details = serde_json::json!({ "message": wanted.as_str() });
                    audit::record(tx, &by, "message.restore", account.address.as_str(), details)?;
                }
                Ok(back)
            };
            let back = store.write(Lane::Client, work).await.map_err(rows)?;
            match back.is_empty() {
                true => Err(Failure::not_found(format!("there is nothing of {id} in the trash"))
                    .hint("what has been there for mailbox.trash_days is gone for good")),
                false => show::print(json, &back, |back| {
                    back.iter().map(|one| format!("{} {}\n", one.messages, one.mailbox)).collect()
                }),
            }
        }
    }
}

#[derive(Serialize)]
struct Back {
    mailbox: String,
    messages: usize,
}

fn restore(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: &MessageId,
    now: Timestamp,
) -> Result<Vec<Back>, RowsError> {
    let trash = mail::of_role(tx, account, Role::Trash)?;
    let trash = view::owned(tx, account, trash)?.ok_or(RowsError::Missing("trash"))?;
    kep::store::accounts::lock(tx, account)?;
    let uids = trash::of_message(tx, &trash, id)?;
    let mut back = Vec::new();
    for restored in trash::restore(tx, &trash, &uids, now)? {
        let mailbox = view::owned(tx, account, restored.to)?.map(|mailbox| mailbox.name);
        let messages = restored.placed.to.len();
        back.push(Back { mailbox: mailbox.unwrap_or_default(), messages });
    }
    Ok(back)
}

pub fn message_id(text: &str) -> Outcome<MessageId> {
    MessageId::parse(text).ok_or_else(|| Failure::data(format!("{text} is not a message id")))
}

pub fn rows(error: RowsError) -> Failure {
    Failure::unavailable(format!("storage: {error}"))
}

async fn find(store: &Store, id: &str) -> Outcome<(Submission, Vec<Recipient>)> {
    let wanted = message_id(id)?;
    let work = move |tx: &mut Tx<'_>| -> Result<_, RowsError> {
        Ok((submissions::find(tx, &wanted)?, submissions::recipients(tx, &wanted)?))
    };
    match store.read(work).await.map_err(rows)? {
        (Some(submission), recipients) => Ok((submission, recipients)),
        (None, _) => Err(Failure::not_found(format!("there is no message {id}"))
            .hint("`kep message list` shows the newest")),
    }
}

#[derive(Serialize)]
struct Line {
    id: String,
    accepted: String,
    sender: String,
    subject: String,
    size: u64,
    state: &'static str,
    sha256: String,
    signer: Option<String>,
    /// Which of the account's operators handed it in, and which signed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signing_operator: Option<String>,
}

impl Line {
    fn of(submission: &Submission) -> Self {
        Self {
            id: submission.message_id.to_string(),
            accepted: submission.accepted_at.iso8601(),
            sender: submission.details.sender.clone(),
            subject: submission.details.subject.clone(),
            size: submission.size,
            state: submission.state.word(),
            sha256: submission.digest.hex(),
            signer: submission.details.signer.as_ref().map(|signer| signer.subject.clone()),
            operator: submission.details.operator.clone(),
            signing_operator: submission
                .details
                .signer
                .as_ref()
                .and_then(|one| one.operator.clone()),
        }
    }
}

#[derive(Serialize)]
struct To {
    n: usize,
    address: String,
    state: &'static str,
    /// Since when his provider has it.
    relayed: Option<String>,
    delivered: Option<String>,
    due: Option<String>,
    opened: Option<String>,
    /// What it waits for: `relay`, when its provider is another one that has not got it yet; `word`,
    /// when that one has it and nothing was heard of it yet.
    waits: Option<&'static str>,
}

impl To {
    fn of(submission: &Submission, recipient: &Recipient) -> Self {
        let sealed = submission.state == SubmissionState::Dispatched;
        let waits = match recipient.state {
            RecipientState::Accepted if sealed && recipient.account.is_none() => Some("relay"),
            RecipientState::Relayed => Some("word"),
            _ => None,
        };
        let time = |at: Option<Timestamp>| at.map(Timestamp::iso8601);
        Self {
            n: recipient.n,
            address: recipient.address.clone(),
            state: recipient.state.word(),
            relayed: time(recipient.relayed_at),
            delivered: time(recipient.delivered_at),
            due: time(recipient.due_at),
            opened: time(recipient.opened_at),
            waits,
        }
    }

    fn waiting(&self) -> Option<String> {
        let provider = self.address.rsplit('@').next().unwrap_or_default();
        let since = self.relayed.as_deref().unwrap_or_default();
        let line = |waits: &str| match waits {
            "relay" => {
                format!("{}: aktarım bekliyor / waits for relay to {provider}\n", self.address)
            }
            _ => format!(
                "{}: {since} aktarıldı, delil bekleniyor / relayed to {provider}, waits for evidence\n",
                self.address
            ),
        };
        self.waits.map(line)
    }
}

#[derive(Serialize)]
struct Whole {
    message: Line,
    recipients: Vec<To>,
}

#[derive(Serialize)]
struct Happened {
    time: String,
    event: String,
    turkish: String,
    english: String,
    recipient: String,
    evidence: String,
    stamped: String,
    origin: String,
}

impl Happened {
    fn of(row: &evidence::EvidenceRow) -> Self {
        let event = Event::by_name(&row.event);
        let said = |of: fn(Event) -> &'static str| event.map_or("", of).to_owned();
        Self {
            time: row.event_time.iso8601(),
            event: row.event.clone(),
            turkish: said(Event::turkish),
            english: said(Event::english),
            recipient: row.recipient.clone(),
            evidence: row.id.to_string(),
            stamped: row.stamped_at.iso8601(),
            origin: row.origin.clone(),
        }
    }
}

impl Happened {
    /// What a server reported, under no seal.
    fn reported(row: &ReportRow) -> Self {
        let action = Action::all().find(|action| action.word() == row.action);
        let of = row.evidence.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        let said = format!("{} {}", row.status, row.diagnostic);
        let turkish = action.map_or("", Action::turkish);
        Self {
            time: row.received_at.iso8601(),
            event: format!("report-{}", row.action),
            turkish: format!("Teslim raporu{of}: {turkish}"),
            english: format!("Delivery report: {}, {}", row.action, said.trim_end()),
            recipient: row.recipient.clone(),
            evidence: String::new(),
            stamped: String::new(),
            origin: row.provider.clone(),
        }
    }
}

fn list(rows: &[Line]) -> String {
    let cells = rows.iter().map(|row| {
        let words = [&row.accepted, row.state, &row.sender, &row.id, &row.subject];
        words.map(str::to_owned).to_vec()
    });
    let head = ["ACCEPTED", "STATE", "SENDER", "ID", "SUBJECT"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no messages yet")
}

fn text(whole: &Whole) -> String {
    let Whole { message, recipients } = whole;
    let signer = message.signer.as_deref().unwrap_or("-");
    let mut out = format!(
        "id        {}\naccepted  {}\nstate     {}\nsender    {}\nsigner    {signer}\n\
         subject   {}\nsize      {} octets\nsha256    {}\n\n",
        message.id,
        message.accepted,
        message.state,
        message.sender,
        message.subject,
        message.size,
        message.sha256
    );
    let or_dash = |time: &Option<String>| time.clone().unwrap_or_else(|| "-".to_owned());
    let cells = recipients.iter().map(|to| {
        let times = [or_dash(&to.delivered), or_dash(&to.due), or_dash(&to.opened)];
        let mut row = vec![to.n.to_string(), to.address.clone(), to.state.to_owned()];
        row.extend(times);
        row
    });
    let head = ["N", "RECIPIENT", "STATE", "DELIVERED", "DUE", "OPENED"];
    out.push_str(&show::table(&head, &cells.collect::<Vec<_>>(), "no recipients"));
    recipients.iter().filter_map(To::waiting).for_each(|line| out.push_str(&line));
    out
}

fn timeline(rows: &[Happened]) -> String {
    let cells = rows.iter().map(|row| {
        let what = format!("{} / {}", row.turkish, row.english);
        vec![row.time.clone(), what, row.recipient.clone(), row.evidence.clone()]
    });
    let head = ["TIME", "EVENT", "RECIPIENT", "EVIDENCE"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no evidence yet")
}
