//! What a session says when its access ended while it was open.

use kep::mailbox::ask::{Answer, Ask, LoggedIn, Notice, Refusal};
use kep::mailbox::session::{Config, Next, Session, Tls};
use kep::wire::{AccountId, Timestamp};

/// All that is said till the end, where everything but the login is refused.
fn said(notice: Option<Notice>, commands: &str) -> String {
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(format!("a LOGIN x y\r\n{commands}").as_bytes());
    let mut said = Vec::new();
    loop {
        match session.next() {
            Next::Send(bytes) => said.extend(bytes),
            Next::Ask(Ask::Login(_)) => {
                let it = LoggedIn { account: AccountId(1), signature: None, notice };
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
        let said = said(None, &format!("b {command}\r\nc NOOP\r\n"));
        let (answer, end) = said.split_once("b NO ").unwrap_or_else(|| panic!("{said}"));
        assert!(answer.starts_with("* OK"), "{said}");
        let lines: Vec<_> = end.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("* BYE "), "{command}: {said}");
    }
}

#[test]
fn whose_account_closes_or_is_closed_hears_the_date_at_the_login() {
    let at = Timestamp::parse_iso8601("2026-12-06T09:00:00Z").unwrap();
    for (notice, date) in
        [(Notice::Closes(at), at.turkish()), (Notice::Readable(at), at.turkish_day())]
    {
        let said = said(Some(notice), "b LIST \"\" *\r\n");
        let (before, _) = said.split_once("a OK ").unwrap_or_else(|| panic!("{said}"));
        let alert = before.lines().last().unwrap();
        assert!(alert.starts_with("* OK [ALERT] "), "{said}");
        assert_eq!(alert.matches(&date).count(), 2, "in both languages: {alert}");
    }
    assert!(!said(None, "b LIST \"\" *\r\n").contains("ALERT"));
}
