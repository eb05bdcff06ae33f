//! A dispatch of another provider becomes a message of our rows, in pieces, so that its original is
//! one blob (invariant 4). Delivering it is the next step's.

mod run;

pub(super) use run::lay_in;

use crate::accept::check;
use crate::certify::foreign::{Dispatch, Told, Written};
use crate::registry::read_policy::MessageType;
use crate::store::evidence::{Material, NewEvidence, NewForm};
use crate::store::submissions::{
    Details, NewRecipient, NewSubmission, Origin, RecipientState, SubmissionState,
};
use crate::store::{Put, RowsError, Store, StoreError, Tx, accounts, contents};
use crate::wire::rem::Original;
use crate::wire::{AccountId, ContentId, KepAddress, KepDomain, MessageId, Timestamp, mime};
use std::collections::BTreeSet;

/// The dispatch, as blobs that have no rows yet.
struct Pieces {
    /// Head, original and tail; or the whole, of an original that was encoded.
    dispatch: Vec<Put>,
    original: Put,
}

/// Those that it was handed over for are ours to serve, each once.
fn recipients(
    tx: &mut Tx<'_>,
    named: &[KepAddress],
    addressed: &BTreeSet<KepAddress>,
    domain: &KepDomain,
) -> Result<Vec<NewRecipient>, RowsError> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::with_capacity(named.len());
    for address in named {
        let ours = address.domain().provider() == domain.provider();
        let first = ours && seen.insert(address);
        let account = match first {
            true => accounts::by_address(tx, address.as_str())?.map(|row| row.id),
            false => None,
        };
        let state = match first && addressed.contains(address) {
            true => RecipientState::Accepted,
            false => RecipientState::Elsewhere,
        };
        all.push(NewRecipient { address: address.to_string(), account, state });
    }
    Ok(all)
}

/// Of each whom nobody knows evidence goes back that names all: so a few octets must not become many.
fn too_many_unknown<'a>(
    all: impl Iterator<Item = (RecipientState, Option<&'a AccountId>)>,
) -> bool {
    let unknown =
        all.filter(|(state, account)| account.is_none() && *state != RecipientState::Elsewhere);
    unknown.count() > MOST_UNKNOWN
}

fn put(store: &Store, mail: &[u8], original: &Original) -> Result<Pieces, StoreError> {
    let put = |octets: &[u8]| store.blobs.put(octets.to_vec()).map_err(StoreError::from);
    Ok(match original {
        Original::At(range) => {
            let piece = |range: std::ops::Range<usize>| mail.get(range).unwrap_or_default();
            let head = put(piece(0..range.start))?;
            let original = put(piece(range.clone()))?;
            let tail = put(piece(range.end..mail.len()))?;
            Pieces { dispatch: vec![head, original.clone(), tail], original }
        }
        Original::Decoded(octets) => Pieces { dispatch: vec![put(mail)?], original: put(octets)? },
    })
}

/// The original has its row already.
fn content(
    tx: &mut Tx<'_>,
    store: &Store,
    original: &Put,
    whole: &[Put],
) -> Result<ContentId, StoreError> {
    for piece in whole.iter().filter(|piece| piece.id != original.id) {
        store.blobs.record(tx, piece)?;
    }
    let pieces: Vec<_> = whole.iter().map(|piece| (piece.id, piece.size)).collect();
    Ok(contents::create(tx, &pieces)?)
}

fn submission(
    dispatch: &Dispatch,
    peer: &KepDomain,
    original: Put,
    octets: &[u8],
) -> NewSubmission {
    let evidence = &dispatch.acceptance.evidence;
    let message = &evidence.message;
    let kind = mime::text::decoded_field(mime::header(octets), MESSAGE_TYPE).unwrap_or_default();
    let known = [MessageType::EYazisma, MessageType::ETebligat];
    let kind = known.into_iter().find(|known| kind.trim().eq_ignore_ascii_case(known.as_str()));
    let kind = kind.unwrap_or(MessageType::Standart);
    let name = evidence.sender.name.as_deref().unwrap_or_default();
    NewSubmission {
        message_id: dispatch.id.clone(),
        origin: Origin::Peer(peer.clone()),
        state: SubmissionState::Accepted,
        same_mail: original.digest,
        accepted_at: evidence.submission_time.unwrap_or(evidence.event_time),
        details: Details {
            sender: dispatch.sender.to_string(),
            sender_name: name.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect(),
            subject: check::bounded_subject(&message.subject),
            ua_message_id: message
                .ua_message_id
                .as_deref()
                .and_then(|id| check::message_id(format!("<{id}>").as_bytes())),
            message_type: kind.as_str().to_owned(),
            ..Details::default()
        },
        original,
        recipients: Vec::new(),
    }
}

/// Another provider's evidence as rows take it; its octets become blobs.
pub(super) fn evidence(
    store: &Store,
    id: &MessageId,
    told: &Told,
    peer: &KepDomain,
    material: Vec<Material>,
    now: Timestamp,
) -> Result<NewEvidence, StoreError> {
    let put = |octets: &[u8]| store.blobs.put(octets.to_vec()).map_err(StoreError::from);
    let form = |form: &Written| -> Result<NewForm, StoreError> {
        let Written { dialect, stamped_at, xml } = form;
        Ok(NewForm { dialect, stamped_at: *stamped_at, xml: put(xml)? })
    };
    let recipient = told.evidence.recipient().map(|party| party.address.to_ascii_lowercase());
    Ok(NewEvidence {
        id: told.evidence.id.clone(),
        message_id: id.clone(),
        event: told.evidence.event.name().to_owned(),
        recipient: recipient.unwrap_or_default(),
        dialect: told.dialect,
        origin: peer.to_string(),
        event_time: told.evidence.event_time,
        stamped_at: told.stamped_at,
        stored_at: now,
        xml: put(&told.xml)?,
        forms: told.further.iter().map(form).collect::<Result<_, _>>()?,
        material,
    })
}

/// A name in our evidence and notices.
const NAME_MAX: usize = 255;
/// A list with so many that are gone is no list of correspondents.
const MOST_UNKNOWN: usize = 100;
/// What its sender calls the message.
const MESSAGE_TYPE: &str = "X-TR-REM-iletiTip";
