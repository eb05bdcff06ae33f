//! What all commands of a session share: who it is, what is selected, what goes out.

use imap_codec::imap_types::core::Vec1;
use imap_codec::imap_types::response::{Capability, Code, StatusKind};

use std::num::NonZeroU64;

use super::command::Step;
use super::reply::Reply;
use super::session::Watch;
use super::view::View;
use crate::wire::AccountId;
use crate::wire::imap::reader::{Limits, Reader};
use crate::wire::imap::{MailboxName, encode};

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

#[derive(Debug)]
pub(super) struct Core {
    pub config: Config,
    pub reader: Reader,
    pub out: Vec<u8>,
    pub access: Access,
    pub enabled: Enabled,
    /// Failed logins.
    pub failures: u32,
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
    /// UTF-8 in names (RFC 9755 §3).
    pub utf8: bool,
}

impl Core {
    pub fn new(config: Config) -> Self {
        Self {
            config,
            reader: Reader::new(Limits::BEFORE_LOGIN),
            out: Vec::new(),
            access: Access::NotAuthenticated,
            enabled: Enabled::default(),
            failures: 0,
        }
    }

    pub fn greet(&mut self) {
        let code = self.capability_code();
        encode::status(&mut self.out, None, StatusKind::Ok, code, "KEP ready", false);
    }

    /// Sends a status line: tagged, or untagged when there is no tag.
    pub fn say(&mut self, tag: Option<&str>, reply: Reply) {
        let Reply { kind, code, text } = reply;
        encode::status(&mut self.out, tag, kind, code, &text, self.enabled.utf8);
    }

    /// Says it and is done with the command.
    pub fn done(&mut self, tag: &str, reply: Reply) -> Step {
        self.say(Some(tag), reply);
        Step::Done
    }

    /// Untagged `OK` with a code.
    pub fn note(&mut self, code: Code<'static>, text: &str) {
        encode::status(&mut self.out, None, StatusKind::Ok, Some(code), text, self.enabled.utf8);
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

    pub fn watch(&self) -> Option<Watch> {
        self.view().map(|view| Watch { mailbox: view.mailbox, since: view.modseq })
    }

    pub fn logged_in(&mut self, account: AccountId) {
        self.access = Access::Authenticated(account);
        self.failures = 0;
        self.reader.set_limits(Limits::AFTER_LOGIN);
    }

    pub fn logged_out(&mut self) {
        self.access = Access::NotAuthenticated;
        self.enabled = Enabled::default();
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

    pub fn secured(&mut self) {
        self.config.tls = Tls::Active;
        self.reader = Reader::new(Limits::BEFORE_LOGIN);
    }

    /// A mailbox name as sent; a bad one is answered by the caller.
    pub fn mailbox(&self, bytes: &[u8]) -> Option<MailboxName> {
        MailboxName::from_wire(bytes, self.utf8_names())
    }

    /// Names go out in modified UTF-7 until UTF8=ACCEPT is enabled.
    pub fn utf8_names(&self) -> bool {
        self.enabled.utf8
    }

    pub fn capabilities(&self) -> Option<Vec1<Capability<'static>>> {
        let names: &[&[&str]] = match (&self.access, self.config.tls) {
            (Access::NotAuthenticated, Tls::Offered) => &[BASE, PLAINTEXT],
            (Access::NotAuthenticated, Tls::Active) => &[BASE, LOGIN],
            _ => &[BASE, SESSION],
        };
        let all: Vec<_> =
            names.concat().into_iter().filter_map(|name| Capability::try_from(name).ok()).collect();
        Vec1::try_from(all).ok()
    }

    pub fn capability_code(&self) -> Option<Code<'static>> {
        self.capabilities().map(Code::Capability)
    }
}

/// Output of one command is collected up to this.
pub(super) const FLUSH: usize = 32 * 1024;

const BASE: &[&str] = &["IMAP4rev1", "SASL-IR", "LITERAL+", "ID", "ENABLE"];
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
    "UTF8=ACCEPT",
];
