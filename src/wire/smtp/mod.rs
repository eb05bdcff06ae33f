//! SMTP on the wire (RFC 5321 and the extensions we speak): lines, commands, bodies, replies.
//!
//! smtp-proto reads the parameters of commands; our guard stands before and after it, because it
//! takes what must not be taken (quoted local parts without their quotes, bare LF, `<>` as
//! recipient).

mod body;
mod command;
mod fold;
mod line;
mod reply;

pub use body::{BodyError, DataReceiver, DotStuffer, TextGuard};
pub use command::{
    Body, Command, CommandError, Mail, Mechanism, Notify, Orcpt, Path, Rcpt, Ret, orcpt, parse,
    xtext,
};
pub use fold::ascii;
pub use line::{LineError, LineKind, LineReader};
pub use reply::{Reply, ReplyError, ReplyReader};
