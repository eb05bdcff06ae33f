//! A world in memory for IMAP sessions: mailboxes, messages, and a record of what was opened.

use kep::mailbox::ask::*;
use kep::wire::imap::command::SortKey;
use kep::wire::imap::{
    Flags, Keywords, MailboxName, SearchKey, SpecialUse, Structure, SystemFlags, Uid, UidSet,
};
use kep::wire::mime::{self, text::decoded_field};
use kep::wire::{AccountId, MailboxId, Timestamp};
use secrecy::ExposeSecret;

#[derive(Default)]
pub struct World {
    pub user: (String, String),
    pub boxes: Vec<Mailbox>,
    pub upload: Option<(AppendBegin, Vec<u8>)>,
    /// UIDs whose opening was recorded, in order.
    pub opened: Vec<Uid>,
}

pub struct Mailbox {
    pub name: MailboxName,
    pub special: Option<SpecialUse>,
    pub subscribed: bool,
    pub read_only: bool,
    pub messages: Vec<Message>,
    gone: Vec<(u64, Uid)>,
    next: Uid,
    modseq: u64,
}

#[derive(Clone)]
pub struct Message {
    pub uid: Uid,
    pub flags: Flags,
    pub bytes: Vec<u8>,
    pub sealed: bool,
    date: Timestamp,
    born: u64,
    modseq: u64,
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
        self.messages.push(Message { uid, flags, bytes, sealed, date, born: modseq, modseq });
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

    fn status(&self) -> Status {
        let with = |flag| self.messages.iter().filter(|m| m.flags.system.has(flag)).count() as u32;
        Status {
            messages: self.messages.len() as u32,
            unseen: self.messages.len() as u32 - with(SystemFlags::SEEN),
            deleted: with(SystemFlags::DELETED),
            size: self.messages.iter().map(|m| m.bytes.len() as u64).sum(),
            uid_next: self.next,
            uid_validity: VALIDITY,
            highest_modseq: self.modseq,
        }
    }

    fn selected(&self, at: usize, examine: bool) -> Selected {
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
            read_only: examine || self.read_only,
        }
    }

    fn changes(&self, since: u64) -> Changes {
        let of = |is: &dyn Fn(&Message) -> bool| {
            self.messages.iter().filter(|m| is(m)).map(|m| m.uid).collect()
        };
        Changes {
            arrived: of(&|m| m.born > since),
            changed: of(&|m| m.born <= since && m.modseq > since),
            vanished: self.gone.iter().filter(|g| g.0 > since).map(|g| g.1).collect(),
            uid_next: self.next,
            highest_modseq: self.modseq,
        }
    }

    fn rows(&self, uids: &UidSet, want: RowWant) -> Vec<Row> {
        let row = |m: &Message| Row {
            uid: m.uid,
            modseq: m.modseq,
            flags: m.flags.clone(),
            internal_date: m.date,
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
                let good = login.user == self.user.0 && login.secret.expose_secret() == self.user.1;
                if !good {
                    return Err(Refusal::BadCredentials);
                }
                Answer::LoggedIn(LoggedIn { account: AccountId(1) })
            }
            Ask::Mailboxes(want) => Answer::Mailboxes(self.list(want)),
            Ask::Select { name, examine } => {
                let at =
                    self.boxes.iter().position(|b| b.name == name).ok_or(Refusal::NoSuchMailbox)?;
                Answer::Selected(self.boxes[at].selected(at, examine))
            }
            Ask::Changes { mailbox, since } => Answer::Changes(self.at(mailbox).changes(since)),
            Ask::Status { name, .. } => Answer::Status(self.named(&name)?.status()),
            Ask::Create { name } => {
                if self.find(&name).is_some() {
                    return Err(Refusal::MailboxExists);
                }
                let made = Mailbox::new(name.as_str(), None);
                self.boxes.push(Mailbox { subscribed: false, ..made });
                Answer::Done
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
                self.named(&name)?.subscribed = on;
                Answer::Done
            }
            Ask::Rows { mailbox, uids, want } => {
                assert!(uids.len() <= BATCH);
                Answer::Rows(self.at(mailbox).rows(&uids, want))
            }
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
                self.named(&begin.to)?;
                if begin.size > MESSAGE_MAX {
                    return Err(Refusal::TooBig);
                }
                self.upload = Some((begin, Vec::new()));
                Answer::Done
            }
            Ask::AppendChunk(bytes) => {
                self.upload.as_mut().unwrap().1.extend(bytes);
                Answer::Done
            }
            Ask::AppendCommit => {
                let (begin, bytes) = self.upload.take().unwrap();
                assert_eq!(begin.size, bytes.len() as u64);
                let uid =
                    self.named(&begin.to)?.lay_in(begin.flags, bytes, false, begin.internal_date);
                Answer::Appended(Appended { uid_validity: VALIDITY, uids: UidSet::one(uid) })
            }
            Ask::AppendAbort => {
                self.upload = None;
                Answer::Done
            }
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
                })
            }
        })
    }

    fn list(&self, want: ListWant) -> Vec<MailboxEntry> {
        let entry = |b: &Mailbox| MailboxEntry {
            name: b.name.clone(),
            kind: MailboxKind::Mailbox(b.special),
            subscribed: b.subscribed,
            status: want.status.map(|_| b.status()),
        };
        self.boxes.iter().map(entry).collect()
    }

    /// Answers at most `CHUNK` bytes at a time, and holds invariant 3: only the first piece opens.
    fn content(&mut self, content: Content) -> Result<Vec<u8>, Refusal> {
        let mut bytes = Vec::new();
        for (uid, range) in content.pieces {
            let first = bytes.is_empty();
            let message = self.at(content.mailbox).messages.iter_mut().find(|m| m.uid == uid);
            let Some(message) = message else {
                return if first { Err(Refusal::Gone) } else { Ok(bytes) };
            };
            if message.sealed && touches_original(&message.bytes, &range) {
                if !first {
                    return Ok(bytes);
                }
                message.sealed = false;
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
        let changed = here.flag(&uids, store.change, &store.flags);
        let row = |m: &Message| FlagRow { uid: m.uid, modseq: m.modseq, flags: m.flags.clone() };
        let rows = match store.echo {
            true => here.messages.iter().filter(|m| uids.contains(m.uid)).map(row).collect(),
            false => Vec::new(),
        };
        Stored { changed, modseq: here.modseq, modified, rows }
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
        let target = self.named(to)?;
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
