//! What all commands of a session share: who it is, what is selected, what goes out.

use imap_codec::imap_types::response::{Code, CodeOther, StatusKind};

use std::num::NonZeroU64;
use std::sync::Arc;

use super::command::{Step, Watched};
use super::notify::{Notify, Selected};
use super::reply::Reply;
use super::session::Watch;
use super::view::View;
use crate::wire::AccountId;
use crate::wire::imap::reader::{Limits, Reader};
use crate::wire::imap::{MailboxName, Uid, UidSet, encode};

/// How a listener is set up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    pub tls: Tls,
    /// Pairs of the ID response (RFC 2971).
    pub id: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tls {
    /// The connection is protected; passwords may be sent.
    Active,
    /// STARTTLS is to come first.
    Offered,
}

/// What a protected connection offers beside secrecy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Channel {
    /// `tls-exporter` (RFC 9266), where the protocol gives one.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point` (RFC 5929 §4), where the server's certificate gives one.
    pub end_point: Option<Arc<[u8]>>,
    /// The client proved that it holds the key of a certificate.
    pub certificate: bool,
    /// SCRAM is offered. Programs that know it prefer it to all else, and don't try another when it
    /// fails: where nobody has a password that it could prove, it would only be in the way.
    pub scram: bool,
    /// What is not offered though it is there, as `offered` names it.
    /// QUIRK(microsoft 365, 2025-09): enables UIDONLY, then fetches by number. docs/quirks.md#71
    pub withheld: Vec<&'static str>,
}

/// The name of a capability that a logged-in client is offered.
pub fn offered(name: &str) -> Option<&'static str> {
    SESSION.iter().copied().find(|one| one.eq_ignore_ascii_case(name))
}

impl Channel {
    /// What a client that names this kind of binding must have bound to.
    /// QUIRK(kep, 2026-11): `tls-unique` is none of them; docs/quirks.md#65
    pub fn binding(&self, kind: &str) -> Option<&[u8]> {
        match kind {
            "tls-exporter" => self.exporter.as_ref().map(|octets| &octets[..]),
            "tls-server-end-point" => self.end_point.as_deref(),
            _ => None,
        }
    }

    pub fn can_bind(&self) -> bool {
        self.exporter.is_some() || self.end_point.is_some()
    }
}

#[derive(Debug)]
pub(super) struct Core {
    pub config: Config,
    pub channel: Channel,
    /// COMPRESS (RFC 4978) is in force.
    pub compressed: bool,
    pub reader: Reader,
    pub out: Vec<u8>,
    pub access: Access,
    pub enabled: Enabled,
    /// Of the last command.
    pub tag: String,
    /// Since a NOTIFY.
    pub notify: Option<Box<Notify>>,
    /// Since ENABLE METADATA, or a NOTIFY that names annotations.
    pub annotations: Option<Box<Watched>>,
    /// The command under way removed a mailbox, maybe the selected one.
    pub removed: bool,
    /// Failed logins.
    pub failures: u32,
    /// Messages that one command works on.
    pub limit: usize,
}

#[derive(Debug)]
pub(super) enum Access {
    NotAuthenticated,
    Authenticated(AccountId),
    Selected(AccountId, Box<View>),
}

/// What the client said it understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Enabled {
    pub condstore: bool,
    /// RFC 7162 §3.2; CONDSTORE with it.
    pub qresync: bool,
    /// RFC 9586: no sequence numbers, neither way.
    pub uidonly: bool,
    /// RFC 9051: no RECENT, ESEARCH for SEARCH, UTF-8 in names.
    pub rev2: bool,
    /// UTF-8 in names (RFC 9755 §3).
    pub utf8: bool,
    /// METADATA responses that nobody asked for (RFC 5464 §4.4.2).
    pub metadata: bool,
}

impl Enabled {
    /// Turns on what ENABLE names (RFC 5161), and gives its name when it was off before.
    pub fn turn_on(&mut self, name: &str) -> Option<&'static str> {
        let (switch, name) = match name {
            "CONDSTORE" => (&mut self.condstore, "CONDSTORE"),
            "IMAP4REV2" => (&mut self.rev2, "IMAP4rev2"),
            "QRESYNC" => {
                // RFC 7162 §3.2.3.
                self.condstore = true;
                (&mut self.qresync, "QRESYNC")
            }
            "UIDONLY" => (&mut self.uidonly, "UIDONLY"),
            "METADATA" => (&mut self.metadata, "METADATA"),
            "UTF8=ACCEPT" => (&mut self.utf8, "UTF8=ACCEPT"),
            _ => return None,
        };
        (!std::mem::replace(switch, true)).then_some(name)
    }

    /// Whether the client hears VANISHED, and never EXPUNGE.
    pub fn vanished(&self) -> bool {
        self.qresync || self.uidonly
    }
}

impl Core {
    pub fn new(config: Config, channel: Channel) -> Self {
        Self {
            config,
            channel,
            compressed: false,
            reader: Reader::new(Limits::BEFORE_LOGIN),
            out: Vec::new(),
            access: Access::NotAuthenticated,
            enabled: Enabled::default(),
            tag: String::new(),
            notify: None,
            annotations: None,
            removed: false,
            failures: 0,
            limit: MESSAGE_LIMIT,
        }
    }

    pub fn greet(&mut self) {
        let code = self.capability_code();
        encode::status(&mut self.out, None, StatusKind::Ok, code, "KEP ready", false);
    }

    /// Sends a status line: tagged, or untagged when there is no tag.
    pub fn say(&mut self, tag: Option<&str>, reply: Reply) {
        let Reply { kind, code, text } = reply;
        let utf8 = self.utf8_names();
        encode::status(&mut self.out, tag, kind, code, &text, utf8);
    }

    /// Says it and is done with the command.
    pub fn done(&mut self, tag: &str, reply: Reply) -> Step {
        self.say(Some(tag), reply);
        Step::Done
    }

    /// Untagged `OK` with a code.
    pub fn note(&mut self, code: Code<'static>, text: &str) {
        let utf8 = self.utf8_names();
        encode::status(&mut self.out, None, StatusKind::Ok, Some(code), text, utf8);
    }

    /// For a command that may be one of mod-sequences: the first of these tells what the highest one
    /// is (RFC 7162 §3.1).
    pub fn enable_condstore(&mut self, asked: bool) {
        let first = asked && !self.enabled.condstore;
        self.enabled.condstore |= asked;
        let highest = self.view().and_then(|view| NonZeroU64::new(view.modseq));
        if let Some(highest) = highest.filter(|_| first) {
            self.note(Code::HighestModSeq(highest), "Mod-sequences are told");
        }
    }

    pub fn account(&self) -> Option<AccountId> {
        match self.access {
            Access::NotAuthenticated => None,
            Access::Authenticated(account) | Access::Selected(account, _) => Some(account),
        }
    }

    pub fn view(&self) -> Option<&View> {
        match &self.access {
            Access::Selected(_, view) => Some(view),
            _ => None,
        }
    }

    pub fn view_mut(&mut self) -> Option<&mut View> {
        match &mut self.access {
            Access::Selected(_, view) => Some(view),
            _ => None,
        }
    }

    /// What is recent to this session, as far as it is told: RFC 9051 gave it up.
    pub fn recent(&self) -> UidSet {
        let view = self.view().filter(|_| !self.enabled.rev2);
        view.map(|view| view.recent().clone()).unwrap_or_default()
    }

    pub fn is_recent(&self, uid: Uid) -> bool {
        !self.enabled.rev2 && self.view().is_some_and(|view| view.recent().contains(uid))
    }

    pub fn watch(&self) -> Option<Watch> {
        let wide = self.notifies() || self.annotations.is_some();
        if let Some(account) = self.account().filter(|_| wide) {
            return Some(Watch::Account(account));
        }
        self.view().map(|view| Watch::Mailbox(view.mailbox))
    }

    /// Whether anything is to be told between commands.
    pub fn notifies(&self) -> bool {
        self.notify.as_ref().is_some_and(|notify| notify.is_active())
    }

    /// What the client does itself is no news to it.
    pub fn own(&mut self, did: impl FnOnce(&mut Notify)) {
        if let Some(notify) = &mut self.notify {
            did(notify);
        }
    }

    /// What is told of the selected mailbox.
    pub fn told_of_selected(&self) -> Selected {
        self.notify.as_ref().map_or(Selected::all(), |notify| notify.selected.clone())
    }

    pub fn logged_in(&mut self, account: AccountId) {
        self.access = Access::Authenticated(account);
        self.failures = 0;
        self.reader.set_limits(Limits::AFTER_LOGIN);
    }

    pub fn logged_out(&mut self) {
        self.access = Access::NotAuthenticated;
        self.enabled = Enabled::default();
        self.notify = None;
        self.annotations = None;
        self.reader.set_limits(Limits::BEFORE_LOGIN);
    }

    pub fn select(&mut self, view: View) {
        if let Some(account) = self.account() {
            self.access = Access::Selected(account, Box::new(view));
        }
    }

    /// Leaves the mailbox, if one is selected.
    pub fn unselect(&mut self) -> Option<View> {
        let account = self.account()?;
        match std::mem::replace(&mut self.access, Access::Authenticated(account)) {
            Access::Selected(_, view) => Some(*view),
            _ => None,
        }
    }

    /// Leaves the mailbox and says so (RFC 9051 §7.1), where no command asked for it.
    pub fn close(&mut self, text: &str) {
        if self.unselect().is_some() {
            self.note(Code::Closed, text);
        }
    }

    pub fn secured(&mut self, channel: Channel) {
        self.config.tls = Tls::Active;
        self.channel = channel;
        self.reader = Reader::new(Limits::BEFORE_LOGIN);
    }

    /// A mailbox name as sent; a bad one is answered by the caller.
    pub fn mailbox(&self, bytes: &[u8]) -> Option<MailboxName> {
        MailboxName::from_wire(bytes, self.utf8_names())
    }

    /// Names go out in modified UTF-7, and texts in seven bits, until UTF8=ACCEPT or IMAP4rev2 is enabled
    /// (RFC 9755 §3, RFC 9051 §7.1).
    pub fn utf8_names(&self) -> bool {
        self.enabled.utf8 || self.enabled.rev2
    }

    /// Begins a FETCH response, or a UIDFETCH one (RFC 9586 §3.3).
    pub fn fetch(&mut self, uid: Uid, sequence: u32) -> encode::Fetch<'_> {
        match self.enabled.uidonly {
            true => encode::Fetch::begin_uid(&mut self.out, uid),
            false => encode::Fetch::begin(&mut self.out, sequence),
        }
    }

    /// `CAPABILITY IMAP4rev1 …`. imap-codec would write `IMAP4REV1`, which means the same (RFC 3501 §9)
    /// and not to everybody: old parsers refuse it, and Outlook falls back to items before IMAP4rev1.
    pub fn capabilities(&self) -> String {
        let names: &[&[&str]] = match (&self.access, self.config.tls) {
            (Access::NotAuthenticated, Tls::Offered) => &[BASE, PLAINTEXT],
            (Access::NotAuthenticated, Tls::Active) => &[BASE, LOGIN],
            _ => &[BASE, SESSION],
        };
        let mut names = names.concat();
        if self.may_log_in() {
            names.extend(self.channel.scram.then_some("AUTH=SCRAM-SHA-256"));
            names.extend(self.binds().then_some("AUTH=SCRAM-SHA-256-PLUS"));
            names.extend(self.channel.certificate.then_some("AUTH=EXTERNAL"));
        }
        // RFC 4978 §3: not once it is in force.
        names.retain(|name| !(self.compressed && *name == "COMPRESS=DEFLATE"));
        names.retain(|name| !self.withholds(name));
        format!("CAPABILITY {}", names.join(" "))
    }

    /// The operator has it so.
    pub fn withholds(&self, name: &str) -> bool {
        self.channel.withheld.iter().any(|one| one.eq_ignore_ascii_case(name))
    }

    /// SCRAM with channel binding is offered.
    pub fn binds(&self) -> bool {
        self.channel.scram && self.channel.can_bind()
    }

    fn may_log_in(&self) -> bool {
        matches!((&self.access, self.config.tls), (Access::NotAuthenticated, Tls::Active))
    }

    pub fn capability_code(&self) -> Option<Code<'static>> {
        Some(Code::Other(CodeOther::unvalidated(self.capabilities().into_bytes())))
    }
}

/// RFC 9738: a command of a client that lists all of a large mailbox stays far below it.
const MESSAGE_LIMIT: usize = 500_000;

/// Output of one command is collected up to this.
pub(super) const FLUSH: usize = 32 * 1024;

const BASE: &[&str] = &["IMAP4rev1", "IMAP4rev2", "SASL-IR", "LITERAL+", "ID", "ENABLE"];
const PLAINTEXT: &[&str] = &["STARTTLS", "LOGINDISABLED"];
const LOGIN: &[&str] = &["AUTH=PLAIN", "AUTH=LOGIN"];
const SESSION: &[&str] = &[
    "IDLE",
    "NAMESPACE",
    "UNSELECT",
    "UNAUTHENTICATE",
    "UIDPLUS",
    "MOVE",
    "CHILDREN",
    "SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "STATUS=SIZE",
    "ESEARCH",
    "SEARCHRES",
    "WITHIN",
    "COMPRESS=DEFLATE",
    "PARTIAL",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "MULTISEARCH",
    "SORT",
    "SORT=DISPLAY",
    "ESORT",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "SEARCH=FUZZY",
    "I18NLEVEL=1",
    "CONDSTORE",
    "QRESYNC",
    "NOTIFY",
    "UIDBATCHES",
    "INPROGRESS",
    "UIDONLY",
    "UTF8=ACCEPT",
    "MULTIAPPEND",
    "CATENATE",
    "URL-PARTIAL",
    "REPLACE",
    "BINARY",
    "APPENDLIMIT",
    "SAVEDATE",
    "OBJECTID",
    "PREVIEW",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MAILBOX",
    "ACL",
    "RIGHTS=texk",
    "LIST-MYRIGHTS",
    "CREATE-SPECIAL-USE",
    "METADATA",
    "LIST-METADATA",
    // `MESSAGE_LIMIT`
    "MESSAGELIMIT=500000",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_that_is_announced_is_the_one_in_force() {
        assert!(SESSION.contains(&format!("MESSAGELIMIT={MESSAGE_LIMIT}").as_str()));
    }
}
