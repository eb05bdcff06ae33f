//! The dialogues of `tests/transcripts/imap` over sockets, TLS and STARTTLS, before the server's own
//! loop and a store in which the mailboxes of each are prepared.

use crate::imap_script::{Dice, Stage, Step, What, play, read};
use crate::imap_transcripts::{dialogues, flags};
use crate::imap_world::{self, original};
use crate::wire::{Wire, trust};
use kep::mailbox::answer::{Admitted, Door, Judging, Limits, Office, Peer};
use kep::mailbox::ask::{Login, Refusal, Salt};
use kep::mailbox::serve::{self, Begin, Imap, Manners};
use kep::store::accounts::{self, AccountRow};
use kep::store::mail::{self, Kind, MAILBOXES, NewMessage, Place, Role, change, tree, view};
use kep::store::submissions::{self, Details, NewRecipient, NewSubmission, RecipientState};
use kep::store::{Lane, RowsAt, Store, StoreError, Tx, contents, metadata};
use kep::trust::Signer;
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::tls::ServerTls;
use kep::trust::vault::Vault;
use kep::wire::imap::metadata::EntryName;
use kep::wire::imap::{Flags, MailboxName, SpecialUse, UidSet};
use kep::wire::{AccountId, MessageId, Timestamp, sha256};
use rustls::ClientConfig;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn imap_dialogues_hold_over_sockets() {
    let keys = Arc::new(Keys::make());
    let mut plays = Vec::new();
    for (name, text) in dialogues() {
        let whole = text.lines().any(|line| line == "given whole" || line == "then silence");
        for seed in if whole { 0..1 } else { 0..2 } {
            let (served, name) = (Served::open(&text, &keys).await, name.clone());
            let steps = read(&text).unwrap();
            plays.push(tokio::task::spawn_blocking(move || {
                served.play(&steps, seed).map_err(|why| format!("{name}, cut {seed}: {why}"))
            }));
        }
    }
    assert!(plays.len() >= 17 + 14, "{} plays", plays.len());
    let mut failures = Vec::new();
    for play in plays {
        failures.extend(play.await.unwrap().err());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

/// An authority for TLS, and a server's certificate from it.
pub struct Keys {
    _dir: tempfile::TempDir,
    pub tls: Arc<ServerTls>,
    pub trust: Arc<ClientConfig>,
    /// The certificate that is shown, as DER.
    pub shown: Vec<u8>,
    /// What it stands under, as PEM.
    pub authority: String,
}

impl Keys {
    pub fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let now = kep::trust::Clock::System.now();
        let authority = CertificateAuthority::create("TLS", KeyKind::P256, now).unwrap();
        let names = vec!["localhost".to_owned()];
        let profile = Profile::TlsServer { names, addresses: Vec::new() };
        let issued = authority.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
        std::fs::create_dir(file("trust")).unwrap();
        std::fs::write(file("trust/tls-ca.pem"), authority.certificate().pem()).unwrap();
        let shown = issued.signer().unwrap().certificate().clone();
        std::fs::write(file("tls.pem"), shown.pem()).unwrap();
        std::fs::write(file("tls.key"), &*issued.key_pem().unwrap()).unwrap();
        let tls = Arc::new(ServerTls::open(&file("tls.pem"), &file("tls.key"), &[]).unwrap());
        let (shown, authority) = (shown.der().to_vec(), authority.certificate().pem());
        Self { tls, trust: trust(dir.path()), shown, authority, _dir: dir }
    }
}

/// A server with one account, and the client that talks to it.
pub struct Served {
    store: Store,
    account: AccountId,
    /// The account's name and password.
    user: Arc<Mutex<(String, String)>>,
    port: u16,
    clear: bool,
    keys: Arc<Keys>,
    wire: Option<Wire>,
    log_in: bool,
    /// Dispatches that can be opened, with the UIDs they or their notices had.
    unopened: Vec<(MessageId, u32)>,
    runtime: Handle,
    _dir: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

impl Served {
    pub async fn open(text: &str, keys: &Arc<Keys>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = store(dir.path()).await;
        let account = account(&store).await;
        let user = Arc::new(Mutex::new((String::new(), String::new())));
        let limits = Limits { message: 1 << 20, incoming: 4 << 20, storage: None };
        let gate = gate(account, Arc::clone(&user));
        let office = Office::new(store.clone(), gate, Arc::new(|| NOW), limits);
        let clear = text.lines().any(|line| line == "given starttls");
        let silence = if text.contains("then silence") { SILENCE } else { Duration::from_secs(60) };
        let (upload, withheld) = (serve::UPLOAD, Vec::new());
        let manners = Manners { connections: 4, per_address: 4, silence, upload, withheld };
        let tls = Arc::clone(&keys.tls);
        let tls: serve::TlsInForce = Arc::new(move || tls.in_force(Duration::ZERO));
        let imap = Imap::new(office, tls, manners, vec![("name".into(), "kep".into())]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = watch::channel(false);
        let begin = if clear { Begin::Clear } else { Begin::Tls };
        tokio::spawn(serve::serve(listener, begin, imap, stopped));
        Self {
            store,
            account,
            user,
            port,
            clear,
            keys: Arc::clone(keys),
            wire: None,
            log_in: false,
            unopened: Vec::new(),
            runtime: Handle::current(),
            _dir: dir,
            _stop: stop,
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    fn play(mut self, steps: &[Step], seed: u64) -> Result<(), String> {
        let mut dice = Dice(seed);
        let cut = &mut |octets: &[u8]| match seed {
            0 => vec![octets.to_vec()],
            _ => dice.cut(octets),
        };
        assert!(steps.iter().any(|step| matches!(step.what, What::Server(_))));
        play(steps, &mut self, cut)
    }

    /// The connection, made when the world is prepared.
    fn wire(&mut self) -> Result<&mut Wire, String> {
        if self.wire.is_none() {
            let trust = Arc::clone(&self.keys.trust);
            let mut wire = Wire::open(self.port, !self.clear, trust);
            if self.log_in {
                wire.line()?;
                wire.send(b"x LOGIN ali secret\r\n");
                let said = wire.line()?.unwrap_or_default();
                assert!(said.starts_with(b"x OK"), "{}", String::from_utf8_lossy(&said));
            }
            self.wire = Some(wire);
        }
        self.wire.as_mut().ok_or_else(|| "no connection".to_owned())
    }

    fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.runtime.block_on(self.store.write(Lane::Client, work)).unwrap()
    }

    fn make(&self, name: &str, words: &[&str]) {
        let (account, name) = (self.account, name.replace('_', " "));
        let subscribed = !words.contains(&"unsubscribed");
        let role = words.first().and_then(|word| SpecialUse::named(word)).map(role);
        let known = MAILBOXES.iter().find(|(_, known)| *known == name).map(|(role, _)| *role);
        let known = known.filter(|role| matches!(role, Role::Inbox | Role::Opening));
        let role = role.or(known).unwrap_or(Role::Plain);
        self.write(move |tx| {
            mail::create(tx, account, &name, role, VALIDITY)?;
            let name = MailboxName::parse(&name).unwrap();
            tree::subscribe(tx, account, &name, subscribed).unwrap();
            Ok(())
        });
    }

    fn mailbox(
        tx: &mut Tx<'_>,
        account: AccountId,
        name: &str,
    ) -> Result<view::Mailbox, StoreError> {
        let name = name.replace('_', " ");
        Ok(view::named(tx, account, &name)?.expect("a mailbox of the dialogue"))
    }

    /// Lays mails into a mailbox, all alike in flags.
    fn lay_in(&self, name: &str, mails: Vec<Vec<u8>>, flags: Flags, new: bool) {
        let (store, account, name) = (self.store.clone(), self.account, name.to_owned());
        self.write(move |tx| {
            let mailbox = Self::mailbox(tx, account, &name)?.id;
            for octets in &mails {
                let content = content(tx, &store, &[octets])?;
                let new_mail = NewMessage {
                    flags: flags.system.bits(),
                    keywords: flags.keywords.as_str().to_owned(),
                    ..NewMessage::of(octets, Kind::Plain, NOW)
                };
                let uid = mail::lay_in(tx, mailbox, content, &new_mail)?;
                if !new {
                    mail::recent::claim(tx, mailbox, uid + 1)?;
                }
            }
            Ok(())
        });
    }

    /// A dispatch to the account: before him sealed, or hidden behind a notice.
    fn deliver(&mut self, name: &str, octets: &[u8], flags: Flags, notice: Option<&[u8]>) {
        let id = MessageId::parse(&format!("{}@hs05.kep.tr", self.unopened.len())).unwrap();
        let (store, account, name) = (self.store.clone(), self.account, name.to_owned());
        let (octets, notice) = (octets.to_vec(), notice.map(<[u8]>::to_vec));
        let message = id.clone();
        let uid = self.write(move |tx| {
            let within = original(&octets).unwrap_or(0..octets.len());
            submit(tx, &store, account, &message, &octets[within.clone()])?;
            let (head, rest) = octets.split_at(within.start);
            let (original, tail) = rest.split_at(within.len());
            let dispatch = match head.is_empty() {
                true => content(tx, &store, &[original])?,
                false => content(tx, &store, &[head, original, tail])?,
            };
            submissions::dispatched(tx, &message, dispatch)?;
            let shown = Self::mailbox(tx, account, &name)?.id;
            let at = match notice {
                Some(_) => mail::of_role(tx, account, Role::Hidden)?,
                None => shown,
            };
            let new = |octets: &[u8], kind| NewMessage {
                flags: flags.system.bits(),
                message_id: Some(message.clone()),
                ..NewMessage::of(octets, kind, NOW)
            };
            let mut uid = mail::lay_in(tx, at, dispatch, &new(&octets, Kind::Sealed))?;
            if let Some(notice) = &notice {
                let stub = content(tx, &store, &[notice])?;
                uid = mail::lay_in(tx, shown, stub, &new(notice, Kind::Stub))?;
            }
            mail::recent::claim(tx, shown, uid + 1)?;
            Ok(uid)
        });
        self.unopened.push((id, uid));
    }

    fn happens(&mut self, words: &str, body: &[u8]) {
        let account = self.account;
        let set = |uid: &str| UidSet::one(uid.parse().unwrap());
        match words.split(' ').collect::<Vec<_>>().as_slice() {
            ["starttls" | "whole" | "nonce"] => {}
            ["user", name, secret] => {
                *self.user.lock().unwrap() = ((*name).into(), (*secret).into());
            }
            ["login"] => {
                *self.user.lock().unwrap() = ("ali".into(), "secret".into());
                self.log_in = true;
            }
            ["mailbox", name, rest @ ..] => self.make(name, rest),
            ["mail", name, rest @ ..] if rest.contains(&"sealed") => {
                self.deliver(name, body, flags(words), None);
            }
            ["mail", name, rest @ ..] if rest.contains(&"stub") => {
                self.deliver(name, OPENED, flags(words), Some(body));
            }
            ["mail", name, rest @ ..] => {
                let new = rest.contains(&"new");
                self.lay_in(name, vec![body.to_vec()], flags(words), new);
            }
            ["mails", name, count, rest @ ..] => {
                let mail = |n| format!("Subject: mail {n}\r\n\r\nbody {n}\r\n").into_bytes();
                let mails = (1..=count.parse().unwrap()).map(mail).collect::<Vec<_>>();
                self.lay_in(name, mails, Flags::default(), rest.contains(&"new"));
            }
            ["gone", name, gone] => {
                let (name, uid) = ((*name).to_owned(), gone.parse().unwrap());
                self.write(move |tx| {
                    let mailbox = Self::mailbox(tx, account, &name)?.id;
                    assert!(mail::remove(tx, Place { mailbox, uid })?);
                    Ok(())
                });
            }
            ["annotation", of, entry, value @ ..] => {
                let of = Some((*of).to_owned()).filter(|of| of != "server");
                let entry = EntryName::parse(entry.as_bytes()).unwrap();
                let value = value.first().map(|value| value.as_bytes().to_vec());
                self.write(move |tx| {
                    let mailbox = of.as_ref().map(|name| Self::mailbox(tx, account, name));
                    let mailbox = mailbox.transpose()?.map(|mailbox| mailbox.id);
                    let subject = metadata::Subject { account, mailbox };
                    match &value {
                        Some(value) => metadata::put(tx, subject, &entry, value)?,
                        None => metadata::remove(tx, subject, &entry)?,
                    }
                    metadata::note(tx, subject, [&entry])?;
                    Ok(())
                });
            }
            ["flags", name, of, ..] => {
                let (name, uids, more) = ((*name).to_owned(), set(of), flags(words));
                self.write(move |tx| {
                    let mailbox = Self::mailbox(tx, account, &name)?;
                    let add = |old: &Flags| Flags {
                        system: old.system | more.system,
                        keywords: old.keywords.with(&more.keywords),
                    };
                    change::set_flags(tx, &mailbox, &uids, None, &add)?;
                    Ok(())
                });
            }
            _ => panic!("given {words}?"),
        }
    }

    /// UIDs of what was opened.
    fn opened(&self) -> Vec<String> {
        let unopened = self.unopened.clone();
        self.write(move |tx| {
            let mut opened = Vec::new();
            for (id, uid) in &unopened {
                let read = submissions::recipients(tx, id)?;
                if read.iter().any(|recipient| recipient.state == RecipientState::Read) {
                    opened.push(uid.to_string());
                }
            }
            Ok(opened)
        })
    }
}

impl Stage for Served {
    fn given(&mut self, words: &str, body: &[u8]) -> Result<(), String> {
        self.happens(words, body);
        Ok(())
    }

    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.wire()?.send(octets);
        Ok(())
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        let wire = self.wire()?;
        let line = wire.line()?.ok_or("the server has closed")?;
        if line.ends_with(b"OK Begin TLS now") {
            wire.secure()?;
        }
        Ok(line)
    }

    fn quiet(&mut self) -> Result<(), String> {
        match self.wire()?.unread() {
            [] => Ok(()),
            more => Err(format!("the server says more: {}", String::from_utf8_lossy(more))),
        }
    }

    fn then(&mut self, words: &str) -> Result<(), String> {
        match words.split(' ').collect::<Vec<_>>().as_slice() {
            ["closed"] => match self.wire()?.line()? {
                None => Ok(()),
                Some(line) => Err(format!("but came: {}", String::from_utf8_lossy(&line))),
            },
            // The next line is waited for, and comes only then.
            ["silence"] => Ok(()),
            ["opened", uids @ ..] => {
                let opened = self.opened();
                if opened == uids { Ok(()) } else { Err(format!("but opened were {opened:?}")) }
            }
            _ => Err("unknown then".to_owned()),
        }
    }
}

pub async fn store(place: &Path) -> Store {
    let key = place.join("master.key");
    Vault::create(&key).unwrap();
    let vault = Arc::new(Vault::open(&key).unwrap());
    let rows = RowsAt::File(place.join("rows.db"));
    Store::open(&rows, &place.join("blobs"), vault).await.unwrap()
}

/// An account without mailboxes that are shown: those are the dialogue's.
async fn account(store: &Store) -> AccountId {
    let row = AccountRow {
        id: AccountId(0),
        address: "ali@hs05.kep.tr".into(),
        name: "Ali".into(),
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
        mail::create(tx, id, "", Role::Hidden, VALIDITY)?;
        Ok(id)
    };
    store.write(Lane::Client, work).await.unwrap()
}

/// Whoever knows the dialogue's one user comes in.
struct OneUser {
    account: AccountId,
    user: Arc<Mutex<(String, String)>>,
}

impl Door for OneUser {
    fn login(&self, login: Login, _: Peer) -> Judging<Admitted> {
        let (account, person) = (self.account, "ali@hs05.kep.tr".into());
        let proven = imap_world::proven(&login, &self.user.lock().unwrap());
        let admitted = proven.map(|signature| Admitted {
            account,
            person,
            adds: true,
            password: None,
            duty: None,
            own_password: None,
            opening: None,
            notice: None,
            signature,
        });
        Box::pin(std::future::ready(admitted.ok_or(Refusal::BadCredentials)))
    }

    fn salt(&self, _: String) -> Judging<Salt> {
        Box::pin(std::future::ready(Ok(imap_world::salt())))
    }

    fn scram(&self) -> Judging<bool> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

fn gate(account: AccountId, user: Arc<Mutex<(String, String)>>) -> kep::mailbox::answer::Gate {
    Arc::new(OneUser { account, user })
}

fn content(
    tx: &mut Tx<'_>,
    store: &Store,
    pieces: &[&[u8]],
) -> Result<kep::wire::ContentId, StoreError> {
    let puts: Vec<_> =
        pieces.iter().map(|piece| store.blobs.put(piece.to_vec())).collect::<Result<_, _>>()?;
    contents::create_from(tx, &store.blobs, &puts.iter().collect::<Vec<_>>())
}

/// What certify and deliver have done when a dispatch lies before its addressee.
fn submit(
    tx: &mut Tx<'_>,
    store: &Store,
    account: AccountId,
    id: &MessageId,
    original: &[u8],
) -> Result<(), StoreError> {
    let submission = NewSubmission {
        message_id: id.clone(),
        origin: submissions::Origin::Account(account),
        state: submissions::SubmissionState::Accepted,
        same_mail: sha256(id.as_str().as_bytes()),
        accepted_at: NOW,
        original: store.blobs.put(original.to_vec())?,
        details: Details::default(),
        recipients: vec![NewRecipient {
            address: "ali@hs05.kep.tr".into(),
            account: Some(account),
            state: RecipientState::Accepted,
        }],
    };
    submissions::lay_in(tx, &store.blobs, &submission)?.unwrap();
    submissions::outcome(tx, id, 1, RecipientState::Delivered, NOW)?;
    Ok(())
}

fn role(of: SpecialUse) -> Role {
    match of {
        SpecialUse::Sent => Role::Sent,
        SpecialUse::Drafts => Role::Drafts,
        SpecialUse::Trash => Role::Trash,
        SpecialUse::Archive => Role::Archive,
        _ => Role::Plain,
    }
}

const NOW: Timestamp = Timestamp::from_secs(1_795_418_964);
const VALIDITY: u32 = 7;
/// What the world in memory opens, too.
const OPENED: &[u8] = b"Subject: opened\r\n\r\nall of it\r\n";
/// For dialogues that end with it: longer than any pause within them.
const SILENCE: Duration = Duration::from_secs(8);
