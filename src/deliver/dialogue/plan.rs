//! Which commands a mail takes, given what the server offers.

use super::capabilities::Capabilities;
use super::report::Failure;
use crate::wire::KepAddress;
use crate::wire::smtp::{Notify, Orcpt, Ret, xtext};
use std::collections::VecDeque;

/// One mail to be sent; its octets stay with the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The name we greet with.
    pub helo: String,
    /// None: `<>`.
    pub from: Option<KepAddress>,
    pub recipients: Vec<To>,
    /// Octets of the mail, without dot stuffing.
    pub size: u64,
    /// It has octets beyond ASCII. It is sealed, so it can't be made 7-bit for a server.
    pub eight_bit: bool,
    pub smtputf8: bool,
    pub requiretls: bool,
    pub ret: Option<Ret>,
    pub envid: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct To {
    pub address: KepAddress,
    pub notify: Notify,
    pub orcpt: Option<Orcpt>,
}

impl Mail {
    /// For a dialogue that is to end before there is any mail; whom it were for is never said.
    pub fn nothing(helo: &str, to: KepAddress) -> Self {
        Self {
            helo: helo.to_owned(),
            from: None,
            recipients: vec![To::plain(to)],
            size: 0,
            eight_bit: false,
            smtputf8: false,
            requiretls: false,
            ret: None,
            envid: None,
        }
    }
}

impl To {
    pub fn plain(address: KepAddress) -> Self {
        Self { address, notify: Notify::Unsaid, orcpt: None }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Command {
    pub line: String,
    pub expect: Expect,
}

/// What a reply will be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expect {
    /// To RSET: whatever it is, MAIL tells more.
    Reset,
    Mail,
    Rcpt(usize),
    /// 354.
    Data,
    /// The answer that decides over the mail.
    Final,
}

pub(super) fn commands(mail: &Mail, offered: &Capabilities) -> Result<VecDeque<Command>, Failure> {
    check(mail, offered)?;
    let mut commands = VecDeque::from([mail_command(mail, offered)]);
    for (index, to) in mail.recipients.iter().enumerate() {
        let line = rcpt_line(to, offered);
        commands.push_back(Command { line, expect: Expect::Rcpt(index) });
    }
    // One chunk costs a round trip less than DATA; a big one waits until someone takes it, which
    // only DATA's 354 (or no pipelining) can say.
    commands.push_back(if offered.chunking && (mail.size <= SMALL || !offered.pipelining) {
        Command { line: format!("BDAT {} LAST\r\n", mail.size), expect: Expect::Final }
    } else {
        Command { line: "DATA\r\n".to_owned(), expect: Expect::Data }
    });
    Ok(commands)
}

/// Takes back what an unfinished mail left (RFC 5321 §4.1.1.5).
pub(super) fn reset() -> Command {
    Command { line: "RSET\r\n".to_owned(), expect: Expect::Reset }
}

fn check(mail: &Mail, offered: &Capabilities) -> Result<(), Failure> {
    if let Some(limit) = offered.size_limit.filter(|limit| mail.size > *limit) {
        return Err(Failure::TooLarge { limit });
    }
    let needs = [
        (mail.eight_bit && !offered.eight_bit, "8BITMIME"),
        (mail.smtputf8 && !offered.smtputf8, "SMTPUTF8"),
        (mail.requiretls && !offered.requiretls, "REQUIRETLS"),
    ];
    match needs.iter().find(|(lacks, _)| *lacks) {
        Some((_, name)) => Err(Failure::Lacks(name)),
        None => Ok(()),
    }
}

fn mail_command(mail: &Mail, offered: &Capabilities) -> Command {
    let from = mail.from.as_ref().map(KepAddress::as_str).unwrap_or_default();
    let mut line = format!("MAIL FROM:<{from}>");
    if offered.size {
        line += &format!(" SIZE={}", mail.size);
    }
    if mail.eight_bit {
        line += " BODY=8BITMIME";
    }
    if mail.smtputf8 {
        line += " SMTPUTF8";
    }
    if mail.requiretls {
        line += " REQUIRETLS";
    }
    if offered.dsn {
        if let Some(ret) = mail.ret {
            line += &format!(" RET={}", ret.word());
        }
        if let Some(envid) = &mail.envid {
            line += &format!(" ENVID={}", xtext(envid));
        }
    }
    Command { line: line + "\r\n", expect: Expect::Mail }
}

fn rcpt_line(to: &To, offered: &Capabilities) -> String {
    let mut line = format!("RCPT TO:<{}>", to.address);
    if offered.dsn {
        if let Some(words) = to.notify.words() {
            line += &format!(" NOTIFY={words}");
        }
        if let Some(original) = &to.orcpt {
            line += &format!(" ORCPT={original}");
        }
    }
    line + "\r\n"
}

/// Sent with the envelope, before anyone has taken it: no more than a window's worth.
const SMALL: u64 = 64 * 1024;
