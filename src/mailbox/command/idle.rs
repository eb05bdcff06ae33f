//! IDLE (RFC 2177): the client listens, until it says DONE.

use super::Step;
use super::sync::{self, Then};
use crate::mailbox::core::Core;
use crate::mailbox::reply::Reply;
use crate::wire::imap::encode;

/// What happened before is told at once, so that nothing falls between.
pub(super) fn start(tag: String, core: &mut Core) -> Step {
    encode::go_on(&mut core.out, "idling");
    core.reader.expect_line();
    changed(tag, core)
}

/// The mailbox changed, or may have.
pub(in crate::mailbox) fn changed(tag: String, core: &mut Core) -> Step {
    sync::begin(Then::Idle(tag), core)
}

pub(in crate::mailbox) fn done(tag: String, line: &[u8], core: &mut Core) -> Step {
    match line.eq_ignore_ascii_case(b"DONE") {
        true => sync::finish(tag, Reply::ok("IDLE completed"), core),
        false => core.done(&tag, Reply::bad("Expected DONE")),
    }
}
