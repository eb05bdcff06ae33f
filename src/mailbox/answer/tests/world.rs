//! Two accounts, a clock that stands still, and messages on their way to them.

use crate::mailbox::answer::{Admitted, Desk, Duty, Judging, Limits, Office, Peer};
use crate::mailbox::ask::*;
use crate::registry::OpeningMode;
use crate::registry::operators::{Role as Duties, Roles};
use crate::store::accounts::{self, AccountRow};
use crate::store::jobs::HELD;
use crate::store::mail::{self, Kind, NewMessage, Role};
use crate::store::submissions::{self, *};
use crate::store::{Lane, RowsAt, Store, StoreError, Tx, contents};
use crate::trust::vault::Vault;
use crate::wire::imap::*;
use crate::wire::{AccountId, ContentId, MailboxId, MessageId, OperatorCode, Timestamp, sha256};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

pub struct World {
    pub store: Store,
    pub office: Arc<Office>,
    pub ali: AccountId,
    pub veli: AccountId,
}

pub const NOW: Timestamp = Timestamp::from_secs(1_795_000_000);

impl World {
    pub async fn embedded(place: &TempDir) -> Self {
        Self::at(&RowsAt::File(place.path().join("rows.db")), place.path()).await
    }

    /// In a database of its own.
    pub async fn on_server(place: &TempDir) -> Option<Self> {
        let database = super::server::server()?.database().await;
        Some(Self::at(&RowsAt::Postgres(database), place.path()).await)
    }

    async fn at(rows: &RowsAt, place: &Path) -> Self {
        let key = place.join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let store = Store::open(rows, &place.join("blobs"), vault).await.unwrap();
        let (ali, veli) = (account(&store, "ali").await, account(&store, "veli").await);
        let gate = move |login: Login, _: Peer| {
            let (account, person) = match login.user.as_str() {
                "ali" => (Some(ali), "ali@hs05.kep.tr"),
                "veli" => (Some(veli), "veli@hs05.kep.tr"),
                "closed" => (Some(ali), "ali@hs05.kep.tr"),
                _ => (None, ""),
            };
            let adds = login.user != "closed";
            let person = match login.mechanism {
                "OPERATOR" => format!("{person} / 001 Ayşe Demir"),
                _ => person.to_owned(),
            };
            let opening = match login.mechanism {
                "SEALED" => Some(OpeningMode::Sealed),
                "DIRECT" => Some(OpeningMode::Direct),
                _ => None,
            };
            let admitted = account.map(|account| Admitted {
                account,
                person,
                adds,
                password: (login.mechanism == "GENERATED").then(|| "abcde".to_owned()),
                duty: (login.mechanism == "OPERATOR").then(|| Duty {
                    code: OperatorCode::of_number(1).unwrap(),
                    roles: Roles::new([Duties::Reads]).unwrap(),
                }),
                own_password: (login.mechanism == "OWN").then_some(NOW),
                opening,
                notice: None,
                signature: None,
            });
            let answer = admitted.ok_or(Refusal::BadCredentials);
            Box::pin(std::future::ready(answer)) as Judging<Admitted>
        };
        let limits = Limits { message: 1 << 20, incoming: 4 << 20, storage: None };
        let office = Office::new(store.clone(), Arc::new(gate), Arc::new(|| NOW), limits);
        Self { store, office, ali, veli }
    }

    pub async fn desk(&self, user: &str) -> Desk {
        self.desk_by(user, "PLAIN").await
    }

    /// `SEALED` and `DIRECT` log in by a password that opens so.
    pub async fn desk_by(&self, user: &str, mechanism: &'static str) -> Desk {
        let mut desk = Desk::new(Arc::clone(&self.office), [127, 0, 0, 1].into());
        let login = Login { user: user.into(), proof: Proof::Password("x".into()), mechanism };
        match desk.answer(Ask::Login(login)).await {
            Answer::LoggedIn(_) => desk,
            other => panic!("{other:?}"),
        }
    }

    /// A dispatch to Veli: sealed in INBOX, or hidden behind a stub.
    pub async fn deliver(&self, id: &str, stub: bool) -> MessageId {
        self.deliver_pieces(id, stub, [HEAD, ORIGINAL, TAIL].map(str::as_bytes)).await
    }

    /// A dispatch with this header, behind a stub.
    pub async fn deliver_of(&self, id: &str, head: &str) -> MessageId {
        self.deliver_pieces(id, true, [head, ORIGINAL, TAIL].map(str::as_bytes)).await
    }

    /// A dispatch as they leave the provider, sealed in INBOX; says where its original lies.
    pub async fn deliver_real(&self, id: &str) -> std::ops::Range<usize> {
        let dispatch = include_bytes!("../../../../tests/golden/verify/dispatch.eml");
        let original = include_bytes!("../../../../tests/golden/verify/original.eml");
        let start = dispatch.windows(original.len()).position(|w| w == original).unwrap();
        let (head, rest) = dispatch.split_at(start);
        let (original, tail) = rest.split_at(original.len());
        self.deliver_pieces(id, false, [head, original, tail]).await;
        start..start + original.len()
    }

    async fn deliver_pieces(&self, id: &str, stub: bool, pieces: [&[u8]; 3]) -> MessageId {
        let message = MessageId::parse(id).unwrap();
        let pieces = pieces.map(<[u8]>::to_vec);
        let (store, ali, veli, id) = (self.store.clone(), self.ali, self.veli, message.clone());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            submit(tx, &store, ali, Some(veli), &id)?;
            submissions::outcome(tx, &id, 1, RecipientState::Delivered, NOW)?;
            let dispatch = dispatch(tx, &store, &pieces)?;
            submissions::dispatched(tx, &id, dispatch)?;
            let role = if stub { Role::Hidden } else { Role::Inbox };
            let mailbox = mail::of_role(tx, veli, role)?;
            let mut new = new(&pieces.concat(), Kind::Sealed);
            new.message_id = Some(id.clone());
            mail::lay_in(tx, mailbox, dispatch, &new)?;
            if stub {
                let put = store.blobs.put(STUB.into())?;
                let content = contents::create_from(tx, &store.blobs, &[&put])?;
                let inbox = mail::of_role(tx, veli, Role::Inbox)?;
                let stub = NewMessage {
                    message_id: Some(id.clone()),
                    ..super::world::new(STUB.as_bytes(), Kind::Stub)
                };
                mail::lay_in(tx, inbox, content, &stub)?;
            }
            Ok(())
        };
        self.store.write(Lane::Client, work).await.unwrap();
        message
    }

    /// Submits as Ali, whose program knows the message by `ua`; with the server's copy, if wanted.
    pub async fn submit(&self, id: &str, server_copy: bool) -> MessageId {
        let message = MessageId::parse(id).unwrap();
        let (store, ali, id) = (self.store.clone(), self.ali, message.clone());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            submit(tx, &store, ali, None, &id)?;
            if server_copy {
                lay_server_copy(tx, &store, ali, &id)?;
            }
            Ok(())
        };
        self.store.write(Lane::Client, work).await.unwrap();
        message
    }

    /// The job names of facts that wait.
    /// Also those that wait for the evidence of the delivery.
    pub async fn facts(&self) -> usize {
        let work = |tx: &mut Tx<'_>| -> Result<usize, StoreError> {
            let leases = crate::store::jobs::Leases::default();
            Ok(crate::store::jobs::due(tx, "evidence", HELD, 99, &leases)?.len())
        };
        self.store.read(work).await.unwrap()
    }

    pub async fn put(&self, account: AccountId, role: Role, octets: &str, kind: Kind) -> u32 {
        let (store, octets) = (self.store.clone(), octets.to_owned());
        let work = move |tx: &mut Tx<'_>| -> Result<u32, StoreError> {
            let put = store.blobs.put(octets.clone().into_bytes())?;
            let content = contents::create_from(tx, &store.blobs, &[&put])?;
            let mailbox = mail::of_role(tx, account, role)?;
            Ok(mail::lay_in(tx, mailbox, content, &new(octets.as_bytes(), kind))?)
        };
        self.store.write(Lane::Client, work).await.unwrap()
    }
}

/// What certify does when it has sealed a message.
pub fn lay_server_copy(
    tx: &mut Tx<'_>,
    store: &Store,
    account: AccountId,
    id: &MessageId,
) -> Result<(), StoreError> {
    let sent = mail::of_role(tx, account, Role::Sent)?;
    if let Some(own) = mail::unlinked_copy(tx, sent, "ua-1@example.org")? {
        mail::link(tx, own, id)?;
        mail::set_server_keywords(tx, own, &["$KepAccepted"])?;
        return Ok(submissions::sent_copy(tx, id, own.uid.into(), true)?);
    }
    let put = store.blobs.put(ORIGINAL.into())?;
    let content = contents::create_from(tx, &store.blobs, &[&put])?;
    let mut copy = new(ORIGINAL.as_bytes(), Kind::Plain);
    copy.message_id = Some(id.clone());
    copy.ua_message_id = Some("ua-1@example.org".into());
    copy.keywords = "$KepAccepted".into();
    let uid = mail::lay_in(tx, sent, content, &copy)?;
    Ok(submissions::sent_copy(tx, id, uid.into(), false)?)
}

fn submit(
    tx: &mut Tx<'_>,
    store: &Store,
    from: AccountId,
    to: Option<AccountId>,
    id: &MessageId,
) -> Result<(), StoreError> {
    let original = store.blobs.put(ORIGINAL.into())?;
    let details = Details { ua_message_id: Some("ua-1@example.org".into()), ..Details::default() };
    let submission = NewSubmission {
        message_id: id.clone(),
        origin: Origin::Account(from),
        state: SubmissionState::Accepted,
        same_mail: sha256(id.as_str().as_bytes()),
        accepted_at: NOW,
        original,
        details,
        recipients: vec![NewRecipient {
            address: "veli@hs05.kep.tr".into(),
            account: to,
            state: RecipientState::Accepted,
        }],
    };
    submissions::lay_in(tx, &store.blobs, &submission)?.unwrap();
    Ok(())
}

fn dispatch(tx: &mut Tx<'_>, store: &Store, of: &[Vec<u8>]) -> Result<ContentId, StoreError> {
    let mut puts = Vec::new();
    for piece in of {
        puts.push(store.blobs.put(piece.clone())?);
    }
    contents::create_from(tx, &store.blobs, &puts.iter().collect::<Vec<_>>())
}

pub fn new(octets: &[u8], kind: Kind) -> NewMessage {
    let end = octets.windows(4).position(|w| w == b"\r\n\r\n").map_or(octets.len(), |at| at + 4);
    NewMessage {
        kind,
        flags: 0,
        keywords: String::new(),
        internal_date: NOW,
        saved_at: NOW,
        size: octets.len() as u64,
        structure: Structure::compute(octets),
        header: octets[..end].to_vec(),
        message_id: None,
        ua_message_id: None,
    }
}

async fn account(store: &Store, name: &str) -> AccountId {
    let row = AccountRow {
        id: AccountId(0),
        address: format!("{name}@hs05.kep.tr"),
        name: name.into(),
        national_id: None,
        state: "active".into(),
        opening: "sealed".into(),
        signature_policy: "optional".into(),
        password: "x".into(),
        created_at: NOW,
        closed_at: None,
    };
    let work = move |tx: &mut Tx<'_>| -> Result<AccountId, StoreError> {
        let id = accounts::add(tx, &row)?;
        mail::create_all(tx, id, 7)?;
        Ok(id)
    };
    store.write(Lane::Client, work).await.unwrap()
}

pub fn name(text: &str) -> MailboxName {
    MailboxName::parse(text).unwrap()
}

pub fn uids(text: &str) -> UidSet {
    SequenceSet::parse(text.as_bytes()).unwrap().resolve(u32::MAX)
}

pub fn keyword(text: &str) -> Flags {
    Flags { system: SystemFlags::default(), keywords: Keywords::from_stored(text) }
}

pub async fn select(desk: &mut Desk, mailbox: &str) -> Selected {
    match desk.answer(Ask::Select { name: name(mailbox), examine: false }).await {
        Answer::Selected(selected) => selected,
        other => panic!("{other:?}"),
    }
}

pub async fn rows(desk: &mut Desk, mailbox: MailboxId) -> Vec<Row> {
    let want = RowWant { structure: true, header: true, thread: false };
    match desk.answer(Ask::Rows { mailbox, uids: uids("1:*"), want }).await {
        Answer::Rows(rows) => rows,
        other => panic!("{other:?}"),
    }
}

pub fn content(mailbox: MailboxId, uid: Uid, range: std::ops::Range<usize>) -> Ask {
    let range = range.start as u64..range.end as u64;
    Ask::Content(Content { mailbox, pieces: vec![(uid, range)] })
}

pub async fn store_flags(
    desk: &mut Desk,
    mailbox: MailboxId,
    set: &str,
    change: FlagChange,
    flags: Flags,
) -> Stored {
    let ask = crate::mailbox::ask::Store {
        mailbox,
        uids: uids(set),
        change,
        flags,
        unchanged_since: None,
        echo: true,
    };
    match desk.answer(Ask::Store(ask)).await {
        Answer::Stored(stored) => stored,
        other => panic!("{other:?}"),
    }
}

pub async fn append(desk: &mut Desk, to: &str, octets: &str, flags: Flags) -> Answer {
    let size = octets.len() as u64;
    let begin = AppendBegin { to: name(to), flags, internal_date: None, size };
    match desk.answer(Ask::AppendBegin(begin)).await {
        Answer::Done => {}
        other => return other,
    }
    for chunk in octets.as_bytes().chunks(100) {
        match desk.answer(Ask::AppendChunk(chunk.to_vec())).await {
            Answer::Done => {}
            other => return other,
        }
    }
    desk.answer(Ask::AppendCommit).await
}

pub fn refused(answer: Answer) -> Refusal {
    match answer {
        Answer::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

pub fn is_said(answer: Answer) -> bool {
    matches!(refused(answer), Refusal::Said(text) if text.contains(" / ") && !text.contains('\n'))
}

pub const HEAD: &str = "From: kepservisi@hs05.kep.tr\r\nSubject: [KEP =?utf-8?q?=C4=B0letisi?=] Teklif\r\n\
Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nGiris metni\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\n";
pub const ORIGINAL: &str = "From: ali@hs05.kep.tr\r\nSubject: Teklif\r\nMessage-ID: <ua-1@example.org>\r\n\
Date: Mon, 23 Nov 2026 01:29:24 +0300\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGizli ıspanak siparişi\r\n";
pub const TAIL: &str = "\r\n--b\r\nContent-Type: application/xml\r\n\r\n<e/>\r\n--b--\r\n";
pub const STUB: &str =
    "From: kepservisi@hs05.kep.tr\r\nSubject: [KEP] Teklif\r\n\r\nBir iletiniz var\r\n";
