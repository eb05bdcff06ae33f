//! A world in memory for IMAP sessions: mailboxes, messages, and a record of what was opened.

use crate::imap_attributes::{self, Attributes};
use kep::mailbox::ask::*;
use kep::trust::scram::Verifier;
use kep::wire::imap::command::SortKey;
use kep::wire::imap::{
    Flags, Keywords, MailboxName, Rights, SearchKey, SpecialUse, Structure, SystemFlags, Uid,
    UidSet,
};
use kep::wire::mime::related::Related;
use kep::wire::mime::{self, text::decoded_field};
use kep::wire::{AccountId, ContentId, MailboxId, ThreadId, Timestamp};
use secrecy::ExposeSecret;
use std::collections::BTreeMap;

/// Whether the user is proven: then what proves the server, if SCRAM wants that.
pub fn proven(login: &Login, user: &(String, String)) -> Option<Option<Vec<u8>>> {
    let (name, secret) = user;
    match &login.proof {
        _ if login.user != *name => None,
        Proof::Password(told) => (told.expose_secret() == secret).then_some(None),
        Proof::Scram { message, proof } => {
            let secret = secrecy::SecretString::from(secret.as_str());
            let verifier = Verifier::new(&secret, &salt().salt, 4096).unwrap();
            verifier.prove(message, proof).map(|signature| Some(signature.to_vec()))
        }
        Proof::Certificate => None,
    }
}

/// As in the example of RFC 7677 §3.
pub fn salt() -> Salt {
    let salt = data_encoding::BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
    Salt { salt, iterations: 4096, nonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into() }
}

#[derive(Default)]
pub struct World {
    pub user: (String, String),
    /// Right secrets that are not for this door, with what is said of them.
    pub not_here: Vec<(String, Refusal)>,
    pub boxes: Vec<Mailbox>,
    pub upload: Vec<(AppendBegin, Vec<u8>)>,
    /// UIDs whose opening was recorded, in order.
    pub opened: Vec<Uid>,
    pub attributes: Attributes,
    /// Subscribed names that are no mailbox.
    missing: Vec<MailboxName>,
}

pub struct Mailbox {
    pub name: MailboxName,
    pub special: Option<SpecialUse>,
    pub subscribed: bool,
    pub read_only: bool,
    pub messages: Vec<Message>,
    gone: Vec<(u64, Uid)>,
    next: Uid,
    /// What comes before was told of.
    recent_from: Uid,
    modseq: u64,
}

#[derive(Clone)]
pub struct Message {
    pub uid: Uid,
    pub flags: Flags,
    pub bytes: Vec<u8>,
    pub sealed: bool,
    content: i64,
    date: Timestamp,
    born: u64,
    modseq: u64,
}

impl Message {
    /// That of what it answers first.
    fn thread(&self) -> ThreadId {
        let related = Related::of(mime::header(&self.bytes), 32);
        let root = related.references.first().copied().or(related.own);
        let number = |id: [u8; 16]| i64::from(u32::from_be_bytes([id[0], id[1], id[2], id[3]]));
        ThreadId(root.map_or(self.content, number))
    }
}

impl Mailbox {
    pub fn new(name: &str, special: Option<SpecialUse>) -> Self {
        Self {
            name: MailboxName::parse(name).unwrap(),
            special,
            subscribed: true,
            read_only: false,
            messages: Vec::new(),
            gone: Vec::new(),
            next: 1,
            recent_from: 1,
            modseq: 1,
        }
    }

    pub fn lay_in(
        &mut self,
        flags: Flags,
        bytes: Vec<u8>,
        sealed: bool,
        date: Option<Timestamp>,
    ) -> Uid {
        self.modseq += 1;
        let (uid, modseq) = (self.next, self.modseq);
        self.next += 1;
        let date = date.unwrap_or(Timestamp::from_secs(1_795_418_964));
        let content = i64::from_be_bytes(kep::wire::sha256(&bytes).0[..8].try_into().unwrap()) >> 1;
        let content = content.abs();
        self.messages.push(Message {
            uid,
            flags,
            bytes,
            sealed,
            content,
            date,
            born: modseq,
            modseq,
        });
        uid
    }

    pub fn take_out(&mut self, uids: &UidSet) -> Vec<Message> {
        self.modseq += 1;
        let (out, stay) = self.messages.drain(..).partition(|m| uids.contains(m.uid));
        self.messages = stay;
        let out: Vec<Message> = out;
        self.gone.extend(out.iter().map(|m| (self.modseq, m.uid)));
        out
    }

    pub fn flag(&mut self, uids: &UidSet, change: FlagChange, flags: &Flags) -> UidSet {
        self.modseq += 1;
        let mut changed = UidSet::new();
        for message in self.messages.iter_mut().filter(|m| uids.contains(m.uid)) {
            let old = message.flags.clone();
            let (system, keywords) = match change {
                FlagChange::Add => (old.system | flags.system, old.keywords.with(&flags.keywords)),
                FlagChange::Remove => {
                    (old.system.without(flags.system), old.keywords.without(&flags.keywords))
                }
                FlagChange::Replace => {
                    (flags.system, old.keywords.server_owned().with(&flags.keywords))
                }
            };
            message.flags = Flags { system, keywords };
            if message.flags != old {
                message.modseq = self.modseq;
                changed.insert(message.uid);
            }
        }
        changed
    }

    /// All there is was told of; says since when.
    pub fn claim(&mut self) -> Uid {
        std::mem::replace(&mut self.recent_from, self.next)
    }

    fn recent(&self, from: Uid) -> UidSet {
        self.messages.iter().map(|m| m.uid).filter(|uid| *uid >= from).collect()
    }

    fn status(&self) -> Status {
        let with = |flag| self.messages.iter().filter(|m| m.flags.system.has(flag)).count() as u32;
        Status {
            messages: self.messages.len() as u32,
            unseen: self.messages.len() as u32 - with(SystemFlags::SEEN),
            deleted: with(SystemFlags::DELETED),
            size: self.messages.iter().map(|m| m.bytes.len() as u64).sum(),
            deleted_storage: self
                .messages
                .iter()
                .filter(|m| m.flags.system.has(SystemFlags::DELETED))
                .map(|m| m.bytes.len() as u64)
                .sum(),
            recent: self.recent(self.recent_from).len() as u32,
            uid_next: self.next,
            uid_validity: VALIDITY,
            highest_modseq: self.modseq,
            mailbox: None,
            append_limit: MESSAGE_MAX,
        }
    }

    fn selected(&mut self, at: usize, examine: bool) -> Selected {
        let read_only = examine || self.read_only;
        let recent_from = if read_only { self.recent_from } else { self.claim() };
        let words =
            self.messages.iter().fold(Keywords::default(), |all, m| all.with(&m.flags.keywords));
        Selected {
            mailbox: MailboxId(at as i64),
            name: self.name.clone(),
            uid_validity: VALIDITY,
            uid_next: self.next,
            highest_modseq: self.modseq,
            uids: self.messages.iter().map(|m| m.uid).collect(),
            first_unseen: self
                .messages
                .iter()
                .find(|m| !m.flags.system.has(SystemFlags::SEEN))
                .map(|m| m.uid),
            keywords: words,
            read_only,
            recent: self.recent(recent_from),
        }
    }

    fn changes(&self, since: u64, recent_from: Uid) -> Changes {
        let of = |is: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|m| is(m)).map(|m| m.uid).collect()
        };
        let told = self.messages.iter().filter(|m| m.modseq > since);
        let mut flags: Vec<_> = told
            .map(|m| FlagRow { uid: m.uid, modseq: m.modseq, flags: m.flags.clone() })
            .collect();
        if flags.len() > FEW {
            flags.clear();
        }
        Changes {
            name: Some(self.name.clone()),
            arrived: of(&|m| m.born > since),
            changed: of(&|m| m.born <= since && m.modseq > since),
            vanished: self.gone.iter().filter(|g| g.0 > since).map(|g| g.1).collect(),
            uid_next: self.next,
            highest_modseq: self.modseq,
            recent: self.recent(recent_from),
            flags,
        }
    }

    fn rows(&self, uids: &UidSet, want: RowWant) -> Vec<Row> {
        let row = |m: &Message| Row {
            uid: m.uid,
            modseq: m.modseq,
            flags: m.flags.clone(),
            internal_date: m.date,
            saved_at: m.date,
            content: ContentId(m.content),
            thread: want.thread.then(|| m.thread()),
            size: m.bytes.len() as u64,
            opening: if m.sealed { Opening::Sealed } else { Opening::Open },
            structure: if want.structure { Structure::compute(&m.bytes) } else { Vec::new() },
            header: match want.header {
                true => mime::parse(&m.bytes).header_bytes(&m.bytes).to_vec(),
                false => Vec::new(),
            },
        };
        self.messages.iter().filter(|m| uids.contains(m.uid)).map(row).collect()
    }

    fn matches(m: &Message, key: &SearchKey<UidSet>) -> bool {
        use SearchKey as Key;
        let text = String::from_utf8_lossy(&m.bytes).to_lowercase();
        match key {
            Key::All => true,
            Key::And(keys) => keys.iter().all(|key| Self::matches(m, key)),
            Key::Or(a, b) => Self::matches(m, a) || Self::matches(m, b),
            Key::Not(key) => !Self::matches(m, key),
            Key::Messages(set) => set.contains(m.uid),
            Key::Flag(flag) => m.flags.system.has(*flag),
            Key::Keyword(word) => m.flags.keywords.contains(word.as_str()),
            Key::Larger(size) => m.bytes.len() as u64 > *size,
            Key::Smaller(size) => (m.bytes.len() as u64) < *size,
            Key::Header { name, text } => decoded_field(&m.bytes, name)
                .is_some_and(|v| v.to_lowercase().contains(&text.to_lowercase())),
            Key::Text(words) | Key::Body(words) => {
                !m.sealed && text.contains(&words.to_lowercase())
            }
            Key::ModSeq(modseq) => m.modseq >= *modseq,
            Key::Email(content) => m.content == content.0,
            Key::Thread(thread) => m.thread() == *thread,
            Key::SavedSince(day) => m.date.istanbul().date_naive() >= *day,
            Key::SavedBefore(day) => m.date.istanbul().date_naive() < *day,
            Key::SavedOn(day) => m.date.istanbul().date_naive() == *day,
            _ => false,
        }
    }
}

impl World {
    pub fn find(&mut self, name: &MailboxName) -> Option<&mut Mailbox> {
        self.boxes.iter_mut().find(|b| b.name == *name)
    }

    pub fn answer(&mut self, ask: Ask) -> Answer {
        self.try_answer(ask).unwrap_or_else(Answer::Refused)
    }

    fn at(&mut self, id: MailboxId) -> &mut Mailbox {
        &mut self.boxes[id.0 as usize]
    }

    fn named(&mut self, name: &MailboxName) -> Result<&mut Mailbox, Refusal> {
        self.find(name).ok_or(Refusal::NoSuchMailbox)
    }

    fn try_answer(&mut self, ask: Ask) -> Result<Answer, Refusal> {
        Ok(match ask {
            Ask::Login(login) => {
                if let Proof::Password(told) = &login.proof {
                    let (name, told) = (login.user == self.user.0, told.expose_secret());
                    let known = self.not_here.iter().find(|(secret, _)| name && secret == told);
                    known.map_or(Ok(()), |(_, why)| Err(why.clone()))?;
                }
                let signature = proven(&login, &self.user).ok_or(Refusal::BadCredentials)?;
                Answer::LoggedIn(LoggedIn { account: AccountId(1), signature, notice: None })
            }
            Ask::Salt { .. } => Answer::Salt(salt()),
            Ask::Mailboxes(want) => Answer::Mailboxes(self.list(want)),
            Ask::Select { name, examine } => Answer::Selected(self.select(&name, examine)?),
            Ask::Open { name } => Answer::Selected(self.select(&name, true)?),
            Ask::Changes { mailbox, since } => {
                let here = self.at(mailbox);
                Answer::Changes(here.changes(since, here.recent_from))
            }
            Ask::News { mailbox, since } => {
                let here = self.at(mailbox);
                let recent_from = here.claim();
                Answer::Changes(here.changes(since, recent_from))
            }
            Ask::Overview => Answer::Overview(self.overview()),
            Ask::Status { name, .. } => {
                let at = self.boxes.iter().position(|b| b.name == name);
                let status = self.named(&name)?.status();
                let mailbox = at.map(|at| MailboxId(at as i64));
                Answer::Status(Status { mailbox, ..status })
            }
            Ask::Create { name, special } => {
                let taken = special != Some(SpecialUse::Junk)
                    || self.boxes.iter().any(|b| b.special == special);
                if special.is_some() && taken {
                    return Err(Refusal::UseAttr);
                }
                if self.find(&name).is_some() {
                    return Err(Refusal::MailboxExists);
                }
                let made = Mailbox::new(name.as_str(), special);
                self.boxes.push(Mailbox { subscribed: false, ..made });
                Answer::Created(MailboxId(self.boxes.len() as i64 - 1))
            }
            Ask::Delete { name } => {
                self.named(&name)?;
                self.boxes.retain(|b| b.name != name);
                Answer::Done
            }
            Ask::Rename { from, to } => {
                self.named(&from)?.name = to;
                Answer::Done
            }
            Ask::Subscribe { name, on } => {
                self.missing.retain(|missing| *missing != name);
                match self.find(&name) {
                    Some(mailbox) => mailbox.subscribed = on,
                    None if on => self.missing.push(name),
                    None => {}
                }
                Answer::Done
            }
            Ask::Rows { mailbox, uids, want } => {
                assert!(uids.len() <= BATCH);
                Answer::Rows(self.at(mailbox).rows(&uids, want))
            }
            Ask::Flags { mailbox, uids } => {
                assert!(uids.len() <= FLAGS_BATCH);
                let rows = self.at(mailbox).rows(&uids, RowWant::default()).into_iter();
                let row = |row: Row| FlagRow { uid: row.uid, modseq: row.modseq, flags: row.flags };
                Answer::Flags(rows.map(row).collect())
            }
            Ask::Previews { mailbox, uids, .. } => Answer::Previews(
                self.at(mailbox)
                    .messages
                    .iter()
                    .filter(|m| uids.contains(m.uid) && !m.sealed)
                    .map(|m| (m.uid, preview(&m.bytes)))
                    .collect(),
            ),
            Ask::Content(content) => Answer::Content(self.content(content)?),
            Ask::Store(store) => Answer::Stored(self.store(store)),
            Ask::Copy { mailbox, uids, to } => Answer::Copied(self.copy(mailbox, &uids, &to)?),
            Ask::Move { mailbox, uids, to } if to.as_str() == "Açılacaklar" => {
                self.open(mailbox, &uids);
                Answer::Moved(Moved { placed: None, gone: uids })
            }
            Ask::Move { mailbox, uids, to } => {
                let placed = self.copy(mailbox, &uids, &to)?;
                self.at(mailbox).take_out(&uids);
                Answer::Moved(Moved { placed, gone: uids })
            }
            Ask::Expunge { mailbox, uids } => {
                let here = self.at(mailbox);
                let deleted =
                    here.messages.iter().filter(|m| m.flags.system.has(SystemFlags::DELETED));
                let gone = deleted
                    .map(|m| m.uid)
                    .filter(|u| uids.as_ref().is_none_or(|s| s.contains(*u)))
                    .collect();
                here.take_out(&gone);
                Answer::Expunged(gone)
            }
            Ask::AppendBegin(begin) => {
                self.find(&begin.to).ok_or(Refusal::NoSuchTarget)?;
                if begin.size > MESSAGE_MAX {
                    return Err(Refusal::TooBig);
                }
                self.upload.push((begin, Vec::new()));
                Answer::Done
            }
            Ask::AppendChunk(bytes) => {
                self.upload.last_mut().unwrap().1.extend(bytes);
                Answer::Done
            }
            Ask::AppendText { size } => {
                self.grow(size)?;
                Answer::Done
            }
            Ask::AppendUrl(url) => {
                self.take_part(url)?;
                Answer::Done
            }
            Ask::AppendCommit => Answer::Appended(self.commit()?),
            Ask::Replace { mailbox, uid } => {
                let there = self.at(mailbox).messages.iter().any(|m| m.uid == uid);
                if !there {
                    self.upload.clear();
                    return Err(Refusal::Gone);
                }
                let appended = self.commit()?;
                self.at(mailbox).take_out(&UidSet::one(uid));
                Answer::Appended(appended)
            }
            Ask::AppendAbort => {
                self.upload.clear();
                Answer::Done
            }
            Ask::Metadata(want) => {
                if let Some(name) = &want.mailbox {
                    self.named(name)?;
                }
                Answer::Metadata(self.attributes.get(&want))
            }
            Ask::SetMetadata { mailbox, entries } => {
                if let Some(name) = &mailbox {
                    self.named(name)?;
                }
                Answer::Annotated(self.attributes.set(mailbox.as_ref(), entries)?)
            }
            Ask::Annotations { since } => {
                let all = self.overview();
                Answer::Annotations(self.attributes.changes(since, &all))
            }
            Ask::Quota { mailbox } => {
                if let Some(name) = &mailbox {
                    self.named(name)?;
                }
                Answer::Quota(imap_attributes::quota(&self.boxes))
            }
            Ask::Rights { name } => Answer::Rights(imap_attributes::own_rights(self.named(&name)?)),
            Ask::Sort { mailbox, uids, by, .. } => {
                let here = self.at(mailbox);
                let mut found: Vec<_> =
                    here.messages.iter().filter(|m| uids.contains(m.uid)).collect();
                let by = by.first().unwrap();
                found.sort_by_key(|m| match by.key {
                    SortKey::Subject => decoded_field(&m.bytes, "Subject").unwrap_or_default(),
                    _ => String::new(),
                });
                if by.reverse {
                    found.reverse();
                }
                Answer::Sorted(found.iter().map(|m| m.uid).collect())
            }
            // All are one thread.
            Ask::Thread { uids, .. } => {
                let messages = uids.iter().map(ThreadToken::Message);
                let ends = ([ThreadToken::Open], [ThreadToken::Close]);
                Answer::Threads(ends.0.into_iter().chain(messages).chain(ends.1).collect())
            }
            Ask::Search(search) => {
                let here = self.at(search.mailbox);
                let found: Vec<_> =
                    here.messages.iter().filter(|m| Mailbox::matches(m, &search.key)).collect();
                Answer::Found(Found {
                    uids: found.iter().map(|m| m.uid).collect(),
                    highest_modseq: found.iter().map(|m| m.modseq).max().unwrap_or(0),
                    there: here.messages.iter().map(|m| m.uid).collect(),
                    exact: found.iter().map(|m| m.uid).collect(),
                    read: 0,
                })
            }
        })
    }

    fn select(&mut self, name: &MailboxName, examine: bool) -> Result<Selected, Refusal> {
        let at = self.boxes.iter().position(|b| b.name == *name).ok_or(Refusal::NoSuchMailbox)?;
        Ok(self.boxes[at].selected(at, examine))
    }

    fn overview(&self) -> Vec<Standing> {
        let standing = |(at, b): (usize, &Mailbox)| Standing {
            id: MailboxId(at as i64),
            name: b.name.clone(),
            special: b.special,
            inbox: b.name.is_inbox(),
            subscribed: b.subscribed,
            uid_validity: VALIDITY,
            modseq: b.modseq,
        };
        self.boxes.iter().enumerate().map(standing).collect()
    }

    fn grow(&mut self, octets: u64) -> Result<(), Refusal> {
        let size = &mut self.upload.last_mut().unwrap().0.size;
        *size += octets;
        if *size > MESSAGE_MAX { Err(Refusal::TooBig) } else { Ok(()) }
    }

    /// A part of another message; of an unopened dispatch it opens.
    fn take_part(&mut self, of: AppendUrl) -> Result<(), Refusal> {
        let AppendUrl { mailbox, url } = of;
        let at = self.boxes.iter().position(|b| b.name == mailbox).ok_or(Refusal::BadUrl)?;
        let found = self.boxes[at].messages.iter().find(|m| m.uid == url.uid);
        let bytes = found.ok_or(Refusal::BadUrl)?.bytes.clone();
        if url.uid_validity.is_some_and(|validity| validity != VALIDITY) {
            return Err(Refusal::BadUrl);
        }
        let layout = mime::Layout::of(&mime::parse(&bytes));
        let mut range = layout.find(&url.section).ok_or(Refusal::BadUrl)?;
        if let Some((start, length)) = url.partial {
            range.start = (range.start + start).min(range.end);
            range.end = range.end.min(range.start.saturating_add(length));
        }
        self.grow(range.end - range.start)?;
        while range.start < range.end {
            let (mailbox, uid) = (MailboxId(at as i64), url.uid);
            let pieces = vec![(uid, range.clone())];
            let octets = self.content(Content { mailbox, pieces })?;
            range.start += octets.len() as u64;
            self.upload.last_mut().unwrap().1.extend(octets);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<Appended, Refusal> {
        let mut uids = UidSet::new();
        for (begin, bytes) in std::mem::take(&mut self.upload) {
            assert_eq!(begin.size, bytes.len() as u64);
            let to = self.named(&begin.to)?;
            uids.insert(to.lay_in(begin.flags, bytes, false, begin.internal_date));
        }
        Ok(Appended { uid_validity: VALIDITY, uids })
    }

    fn list(&self, want: ListWant) -> Vec<MailboxEntry> {
        let entry = |b: &Mailbox| MailboxEntry {
            name: b.name.clone(),
            gathered: false,
            kind: MailboxKind::Mailbox(b.special),
            subscribed: b.subscribed,
            rights: imap_attributes::rights(b),
            status: want.status.map(|_| b.status()),
        };
        let missing = |name: &MailboxName| MailboxEntry {
            name: name.clone(),
            gathered: false,
            kind: MailboxKind::Missing,
            subscribed: true,
            rights: Rights::NONE,
            status: None,
        };
        let missing = self.missing.iter().filter(|_| want.missing).map(missing);
        self.boxes.iter().map(entry).chain(missing).collect()
    }

    /// Answers at most `CHUNK` bytes at a time, and holds invariant 3: only the first piece opens, which is
    /// a change of the message.
    fn content(&mut self, content: Content) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        for (uid, range) in content.pieces {
            let first = bytes.is_empty();
            let here = self.at(content.mailbox);
            let next = here.modseq + 1;
            let message = here.messages.iter_mut().find(|m| m.uid == uid);
            let Some(message) = message else {
                return if first { Err(Refusal::Gone) } else { Ok(bytes) };
            };
            if message.sealed && touches_original(&message.bytes, &range) {
                if !first {
                    return Ok(bytes);
                }
                message.sealed = false;
                (message.modseq, here.modseq) = (next, next);
                self.opened.push(uid);
            }
            let message = self.at(content.mailbox).messages.iter().find(|m| m.uid == uid);
            let whole = &message.ok_or(Refusal::Gone)?.bytes;
            bytes.extend_from_slice(&whole[range.start as usize..range.end as usize]);
            if bytes.len() >= CHUNK {
                bytes.truncate(CHUNK);
                return Ok(bytes);
            }
        }
        Ok(bytes)
    }

    /// What moving to `Açılacaklar` does: the read, and the dispatch back under a new UID.
    fn open(&mut self, mailbox: MailboxId, uids: &UidSet) {
        let here = &mut self.boxes[mailbox.0 as usize];
        for stub in here.take_out(uids) {
            self.opened.push(stub.uid);
            here.lay_in(stub.flags, b"Subject: opened\r\n\r\nall of it\r\n".to_vec(), false, None);
        }
    }

    fn store(&mut self, store: Store) -> Stored {
        assert!(store.flags.keywords.server_owned().is_empty());
        let here = self.at(store.mailbox);
        let since = store.unchanged_since.unwrap_or(u64::MAX);
        let stale = here.messages.iter().filter(|m| store.uids.contains(m.uid) && m.modseq > since);
        let modified: UidSet = stale.map(|m| m.uid).collect();
        let uids = store.uids.difference(&modified);
        let old: Vec<_> = here.messages.iter().map(|m| (m.modseq, m.uid)).collect();
        let changed = here.flag(&uids, store.change, &store.flags);
        let mut before: BTreeMap<u64, UidSet> = BTreeMap::new();
        for (modseq, uid) in old.into_iter().filter(|(_, uid)| changed.contains(*uid)) {
            before.entry(modseq).or_default().insert(uid);
        }
        let row = |m: &Message| FlagRow { uid: m.uid, modseq: m.modseq, flags: m.flags.clone() };
        let rows = match store.echo {
            true => here.messages.iter().filter(|m| uids.contains(m.uid)).map(row).collect(),
            false => Vec::new(),
        };
        Stored { changed, modseq: here.modseq, before, modified, rows }
    }

    fn copy(
        &mut self,
        from: MailboxId,
        uids: &UidSet,
        to: &MailboxName,
    ) -> Result<Option<Placed>, Refusal> {
        let here = self.at(from);
        let copies: Vec<_> =
            here.messages.iter().filter(|m| uids.contains(m.uid)).cloned().collect();
        let target = self.find(to).ok_or(Refusal::NoSuchTarget)?;
        let place = |m: Message| target.lay_in(m.flags, m.bytes, m.sealed, Some(m.date));
        let placed: UidSet = copies.into_iter().map(place).collect();
        Ok(Some(Placed { uid_validity: VALIDITY, from: uids.clone(), to: placed }))
    }
}

fn touches_original(bytes: &[u8], range: &std::ops::Range<u64>) -> bool {
    original(bytes).is_none_or(|original| {
        range.start < original.end as u64 && range.end > original.start as u64
    })
}

fn preview(bytes: &[u8]) -> String {
    let layout = mime::Layout::of(&mime::parse(bytes));
    let mut read = |range: std::ops::Range<u64>| {
        Ok::<_, std::convert::Infallible>(bytes[range.start as usize..range.end as usize].to_vec())
    };
    mime::preview::preview(&layout, false, &mut read).unwrap()
}

/// Where the original lies in a dispatch.
pub fn original(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    fn within(part: &mime::Part) -> Option<std::ops::Range<usize>> {
        match &part.inside {
            mime::Body::Message(_) => Some(part.body.clone()),
            _ => part.children().iter().find_map(within),
        }
    }
    within(&mime::parse(bytes))
}

const VALIDITY: u32 = 7;
/// Of an appended message.
const MESSAGE_MAX: u64 = 1 << 20;
/// Small, so that content comes in pieces.
const CHUNK: usize = 40;

/// Flags of no more are told with changes.
const FEW: usize = 1;
