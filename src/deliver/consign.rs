//! Into a local mailbox, exactly once: a dispatch, or a sealed stub and the dispatch hidden behind
//! it, as the account's opening mode says. What is for other providers waits in the spool.

use crate::evidence::draft::About;
use crate::evidence::{IssueError, parcel};
use crate::registry::accounts::{self, Account, OpeningMode};
use crate::registry::notices;
use crate::registry::shares;
use crate::registry::standing::Act;
use crate::spool::{self, Fact};
use crate::store::mail::{self, Kind, NewMessage, Role};
use crate::store::submissions::{self, RecipientState};
use crate::store::{Put, RowsError, Store, StoreError, Tx, contents};
use crate::wire::rem::Mailbox;
use crate::wire::{AccountId, ContentId, KepAddress, KepDomain, MessageId, Timestamp};
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use std::collections::BTreeSet;

/// A dispatch for local recipients.
pub struct Consignment<'a> {
    pub id: &'a MessageId,
    pub dispatch: ContentId,
    pub message: &'a NewMessage,
    pub stub: &'a (Put, NewMessage),
    /// Octets of the original: for so many its recipients had room when it was accepted.
    pub size: u64,
    /// How many octets an account may hold that has no limit of its own.
    pub storage: Option<u64>,
    pub now: Timestamp,
}

/// Lays the dispatch into the mailbox of each local recipient who has none yet, and the fact of it
/// into the spool. Says which accounts it reached.
pub fn local(
    tx: &mut Tx<'_>,
    store: &Store,
    consignment: &Consignment<'_>,
) -> Result<Vec<AccountId>, StoreError> {
    let Consignment { id, now, .. } = consignment;
    let mut reached = Vec::new();
    let mut stub = None;
    for recipient in submissions::recipients(tx, id)? {
        let Some(account) = recipient.account else { continue };
        let row = crate::store::accounts::by_id(tx, account)?;
        let account = accounts::account(&row)?;
        let hindrance = hindrance(tx, consignment, &account)?;
        let state = match hindrance {
            None => RecipientState::Delivered,
            Some(_) => RecipientState::Failed,
        };
        if !submissions::outcome(tx, id, recipient.n, state, *now)? {
            continue;
        }
        spool::fact(tx, &fact(consignment, recipient.n, hindrance), *now)?;
        if hindrance.is_none() && !reached.contains(&account.id) {
            lay(tx, store, consignment, account.id, account.opening, &mut stub)?;
            notices::mail_came(tx, account.id, id, *now)?;
            reached.push(account.id);
        }
    }
    Ok(reached)
}

/// Lays in one mail for each other provider that recipients are with: the dispatch that is for it.
pub fn elsewhere(
    tx: &mut Tx<'_>,
    id: &MessageId,
    now: Timestamp,
    dispatch: impl Fn(&KepDomain) -> ContentId,
) -> Result<(), RowsError> {
    let mut providers = BTreeSet::new();
    for recipient in submissions::recipients(tx, id)? {
        if recipient.account.is_some() || recipient.state != RecipientState::Accepted {
            continue;
        }
        let address = KepAddress::parse(&recipient.address);
        let address = address.map_err(|_| RowsError::Stored("a recipient's address"))?;
        providers.insert(address.domain().provider());
    }
    for provider in &providers {
        spool::relay(tx, id, dispatch(provider), provider, now)?;
    }
    Ok(())
}

/// What became of an account after the submission was accepted, as evidence names it, so that the
/// message can't be put into its mailbox any more.
fn hindrance(
    tx: &mut Tx<'_>,
    consignment: &Consignment<'_>,
    account: &Account,
) -> Result<Option<&'static str>, RowsError> {
    if !account.standing().may(tx, Act::Receive, consignment.now)? {
        return Ok(Some("UnknownRecipient"));
    }
    let room = shares::room(tx, account.id, consignment.storage, consignment.now)?;
    Ok(room.filter(|room| consignment.size > *room).map(|_| "MailboxFull"))
}

fn fact(consignment: &Consignment<'_>, recipient: usize, hindrance: Option<&str>) -> Fact {
    let (message, at) = (consignment.id.to_string(), consignment.now.millis());
    match hindrance {
        None => Fact::Delivered { message, recipient, at },
        Some(reason) => Fact::NotDelivered { message, recipient, at, reason: reason.to_owned() },
    }
}

fn lay(
    tx: &mut Tx<'_>,
    store: &Store,
    consignment: &Consignment<'_>,
    account: AccountId,
    mode: OpeningMode,
    stub: &mut Option<ContentId>,
) -> Result<(), StoreError> {
    let inbox = mail::of_role(tx, account, Role::Inbox)?;
    let sealed = NewMessage { kind: Kind::Sealed, ..consignment.message.clone() };
    if mode == OpeningMode::Direct {
        mail::lay_in(tx, inbox, consignment.dispatch, &sealed)?;
        return Ok(());
    }
    let hidden = mail::of_role(tx, account, Role::Hidden)?;
    mail::lay_in(tx, hidden, consignment.dispatch, &sealed)?;
    let (put, notice) = consignment.stub;
    let content = match *stub {
        Some(content) => content,
        None => contents::create_from(tx, &store.blobs, &[put])?,
    };
    *stub = Some(content);
    let message_id = Some(consignment.id.clone());
    mail::lay_in(tx, inbox, content, &NewMessage { message_id, ..notice.clone() })?;
    Ok(())
}

/// The notice that stands for an unopened dispatch: who, to whom, about what, how large, and how to
/// open it. No content.
pub fn stub(about: &About<'_>, now: Timestamp) -> Result<Vec<u8>, IssueError> {
    let submission = about.submission;
    let mut values = parcel::message_values(about);
    values.push(("size", size(submission.size)));
    values.push(("portal", about.provider.portal_url.clone().unwrap_or_default()));
    let text = about.provider.texts.stub.render(&parcel::borrowed(&values));
    let name = format!("{} adına", submission.details.sender);
    let from = Mailbox { name: Some(name), address: about.provider.service_address() };
    let recipients = about.recipients.iter();
    // What could end a header line is no address.
    let to = recipients.filter_map(|one| KepAddress::registered(&one.address).ok());
    let to: Vec<_> = to.map(|address| Address::from(address.to_string())).collect();
    let mail = MessageBuilder::new()
        .from((from.name.unwrap_or_default(), from.address))
        .reply_to(submission.details.sender.as_str())
        .to(Address::new_list(to))
        .subject(format!("[KEP İletisi] {}", submission.details.subject))
        .date(now.secs())
        .message_id(submission.message_id.notice())
        .text_body(text.text)
        .html_body(text.html);
    let octets = mail.write_to_vec();
    octets.map_err(|error| IssueError::Nobody(format!("a stub can't be written: {error}")))
}

fn size(octets: u64) -> String {
    match octets {
        0..1024 => format!("{octets} B"),
        1024..1_048_576 => format!("{} KiB", octets.div_ceil(1024)),
        _ => format!("{:.1} MiB", octets as f64 / 1_048_576.0),
    }
}

impl From<RowsError> for IssueError {
    fn from(error: RowsError) -> Self {
        Self::Store(error.into())
    }
}
