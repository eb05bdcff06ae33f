//! What a session says when its access ended while it was open.

use kep::mailbox::ask::{Answer, Ask, LoggedIn, Refusal};
use kep::mailbox::session::{Config, Next, Session, Tls};
use kep::wire::AccountId;

/// All that is said till the end, where everything but the login is refused.
fn said(commands: &str) -> String {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(format!("a LOGIN x y\r\n{commands}").as_bytes());
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(bytes) => said.extend(bytes),
            Next::Ask(Ask::Login(_)) => {
                let it = LoggedIn { account: AccountId(1), signature: None };
                session.answer(Answer::LoggedIn(it));
            }
            Next::Ask(_) => session.answer(Answer::Refused(Refusal::AccountClosed)),
            Next::Close => return String::from_utf8(said).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_session_whose_access_ended_hears_why_and_ends() {
    for command in ["SELECT INBOX", "STATUS INBOX (MESSAGES)", "LIST \"\" *", "CREATE x"] {
        let said = said(&format!("b {command}\r\nc NOOP\r\n"));
        let (answer, end) = said.split_once("b NO ").unwrap_or_else(|| panic!("{said}"));
        assert!(answer.starts_with("* OK"), "{said}");
        let lines: Vec<_> = end.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("* BYE "), "{command}: {said}");
    }
}
