//! Commands that need no answer of the world: CAPABILITY, LOGOUT, ENABLE, ID, NAMESPACE, UNSELECT,
//! UNAUTHENTICATE.

use imap_codec::imap_types::core::{IString, NString, QuotedChar};
use imap_codec::imap_types::extensions::enable::CapabilityEnable;
use imap_codec::imap_types::extensions::namespace::Namespace;
use imap_codec::imap_types::response::Data;

use super::Step;
use crate::mailbox::core::{Core, Tls};
use crate::mailbox::reply::Reply;
use crate::wire::imap::command::Command;
use crate::wire::imap::encode;

pub(super) fn capability(tag: &str, core: &mut Core) -> Step {
    let line = format!("* {}\r\n", core.capabilities());
    core.out.extend_from_slice(line.as_bytes());
    core.done(tag, Reply::ok("CAPABILITY completed"))
}

pub(super) fn logout(tag: &str, core: &mut Core) -> Step {
    encode::bye(&mut core.out, None, "Goodbye");
    core.say(Some(tag), Reply::ok("LOGOUT completed"));
    Step::Close
}

/// Says what was newly enabled (RFC 5161 §3.1).
pub(super) fn enable(tag: String, names: &[String], core: &mut Core) -> Step {
    let there: Vec<_> = names.iter().filter(|name| !core.withholds(name)).collect();
    let new = there.into_iter().filter_map(|name| core.enabled.turn_on(name));
    let capabilities = new.filter_map(|name| CapabilityEnable::try_from(name).ok()).collect();
    encode::data(&mut core.out, Data::Enabled { capabilities });
    let reply = Reply::ok("ENABLE completed");
    match core.enabled.metadata && core.annotations.is_none() {
        true => super::annotations::begin(tag, reply),
        false => core.done(&tag, reply),
    }
}

pub(super) fn id(tag: &str, core: &mut Core) -> Step {
    let pair = |(name, value): &(String, String)| {
        let name = IString::try_from(name.clone()).ok()?;
        Some((name, NString(Some(IString::try_from(value.clone()).ok()?))))
    };
    let pairs: Vec<_> = core.config.id.iter().filter_map(pair).collect();
    let parameters = (!pairs.is_empty()).then_some(pairs);
    encode::data(&mut core.out, Data::Id { parameters });
    core.done(tag, Reply::ok("ID completed"))
}

pub(super) fn namespace(tag: &str, core: &mut Core) -> Step {
    let prefix = IString::try_from("");
    let delimiter = QuotedChar::try_from('/').ok();
    let own = prefix.map(|prefix| Namespace { prefix, delimiter, extensions: Vec::new() });
    let personal = own.into_iter().collect();
    let (other, shared) = (Vec::new(), Vec::new());
    encode::data(&mut core.out, Data::Namespace { personal, other, shared });
    core.done(tag, Reply::ok("NAMESPACE completed"))
}

pub(super) fn unselect(tag: &str, core: &mut Core) -> Step {
    core.unselect();
    core.done(tag, Reply::ok("UNSELECT completed"))
}

/// RFC 8437: back to where one logs in; what was enabled is forgotten, and compression ends. §8: an
/// operator can turn it off.
pub(super) fn unauthenticate(tag: String, core: &mut Core) -> Step {
    if core.withholds("UNAUTHENTICATE") {
        return core.done(&tag, Reply::bad("UNAUTHENTICATE is turned off"));
    }
    core.logged_out();
    match core.compressed {
        true => Step::Expand(tag),
        false => core.done(&tag, Reply::ok("UNAUTHENTICATE completed")),
    }
}

/// RFC 4978 §3; §5 has it after a login only, so that a stranger costs no memory.
pub(super) fn compress(tag: String, algorithm: &str, core: &mut Core) -> Step {
    match algorithm {
        _ if core.compressed => {
            core.done(&tag, Reply::no("DEFLATE is active already").named("COMPRESSIONACTIVE"))
        }
        _ if core.withholds("COMPRESS=DEFLATE") => {
            core.done(&tag, Reply::bad("COMPRESS is turned off"))
        }
        "DEFLATE" => Step::Compress(tag),
        _ => core.done(&tag, Reply::no("Unknown algorithm").named("CANNOT")),
    }
}

/// Passwords only under TLS, and TLS only once.
pub(super) fn needs_tls(command: &Command, core: &Core) -> Option<Reply> {
    match (command, core.config.tls) {
        (Command::StartTls, Tls::Active) => Some(Reply::bad("TLS is active already")),
        (Command::Login { .. } | Command::Authenticate { .. }, Tls::Offered) => {
            Some(Reply::no("STARTTLS first").named("PRIVACYREQUIRED"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::mailbox::ask::{Answer, LoggedIn};
    use crate::mailbox::session::Channel;
    use crate::mailbox::{Config, Next, Session, Tls};
    use crate::wire::AccountId;

    #[test]
    fn what_is_withheld_is_not_offered_and_not_enabled() {
        let channel = Channel {
            withheld: vec!["UIDONLY", "UNAUTHENTICATE", "COMPRESS=DEFLATE"],
            ..Channel::default()
        };
        let mut session = Session::over(Config { tls: Tls::Active, id: Vec::new() }, channel);
        let commands = "b CAPABILITY\r\nc ENABLE UIDONLY CONDSTORE\r\nd UNAUTHENTICATE\r\ne COMPRESS DEFLATE\r\nf LOGOUT\r\n";
        session.feed(format!("a LOGIN x y\r\n{commands}").as_bytes());
        let mut said = String::new();
        loop {
            match session.next() {
                Next::Send(bytes) => said.push_str(std::str::from_utf8(&bytes).unwrap()),
                Next::Close => break,
                Next::Ask(_) => session.answer(Answer::LoggedIn(LoggedIn {
                    account: AccountId(1),
                    signature: None,
                    notice: None,
                })),
                other => panic!("{other:?}"),
            }
        }
        assert!(!said.contains("UIDONLY") && !said.contains("LIST UNAUTH"), "{said}");
        assert_eq!(said.matches(" IDLE NAMESPACE UNSELECT UIDPLUS ").count(), 2, "{said}");
        assert!(said.contains("* ENABLED CONDSTORE\r\nc OK"), "{said}");
        assert!(said.contains("d BAD UNAUTHENTICATE is turned off\r\n"), "{said}");
        assert!(
            !said.contains("COMPRESS=") && said.contains("e BAD COMPRESS is turned off"),
            "{said}"
        );
    }
}
