//! What a server's answers mean for a mail and its recipients, and for the server's own reputation.
//! Pure.

use super::dialogue::{Failure, Outcome, Report};
use crate::spool::relay::Why;
use crate::store::relay::Trouble;
use crate::wire::KepAddress;
use crate::wire::rem::Reason;
use crate::wire::smtp::Reply;

/// What became of a mail for one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Arrived,
    /// For good.
    Failed(Why),
    /// Not now; what was heard.
    Later(String),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The server was not well before it looked at the mail, or will take none of ours.
    Server { trouble: Trouble, heard: String },
    Mail {
        fates: Vec<(KepAddress, Fate)>,
        /// The connection broke in the middle: it may be the mail, it may be the server.
        broken: Option<String>,
        /// It took some, and as many at a time as it takes: the others may follow at once.
        crowded: bool,
    },
}

/// `begun`: the mail was under way when the dialogue ended.
pub fn judge(report: &Report, begun: bool) -> Verdict {
    let failures = report.recipients.iter().filter_map(|(_, outcome)| match outcome {
        Outcome::Failed(failure) => Some(failure),
        _ => None,
    });
    let lost = failures.clone().find(|failure| !is_of_the_mail(failure));
    if let Some(failure) = lost.filter(|failure| !begun || matches!(failure, Failure::Mail(_))) {
        let trouble = match failure {
            Failure::Tls(_) | Failure::NoTls | Failure::Injected => Trouble::NotIdentified,
            _ => Trouble::Unreachable,
        };
        return Verdict::Server { trouble, heard: plain(&failure.to_string()) };
    }
    let fates: Vec<_> =
        report.recipients.iter().map(|(to, outcome)| (to.clone(), fate(outcome))).collect();
    let arrived = fates.iter().any(|(_, fate)| *fate == Fate::Arrived);
    let mut later = report.recipients.iter().filter(|(_, outcome)| is_later(outcome)).peekable();
    let crowded = arrived && later.peek().is_some() && later.all(|(_, outcome)| is_crowd(outcome));
    Verdict::Mail { broken: lost.map(|failure| plain(&failure.to_string())), fates, crowded }
}

/// The server said what it can't do before it heard of the mail.
fn is_of_the_mail(failure: &Failure) -> bool {
    matches!(failure, Failure::TooLarge { .. } | Failure::Lacks(_))
}

fn fate(outcome: &Outcome) -> Fate {
    match outcome {
        Outcome::Accepted(_) => Fate::Arrived,
        Outcome::Refused(reply) if reply.is_transient() => Fate::Later(said(reply)),
        Outcome::Refused(reply) => Fate::Failed(refused(reply)),
        Outcome::Failed(failure) if is_of_the_mail(failure) => Fate::Failed(Why {
            reason: Reason::ProviderMalfunction,
            detail: plain(&failure.to_string()),
            window: false,
        }),
        Outcome::Failed(failure) => Fate::Later(plain(&failure.to_string())),
        Outcome::Pending | Outcome::Taken => Fate::Later(String::new()),
    }
}

/// Only a code that says so means that the recipient is unknown: evidence must not guess.
/// QUIRK(kep, 2026-11): 550 alone does not say it; docs/quirks.md#81
fn refused(reply: &Reply) -> Why {
    let reason = match reply.enhanced() {
        Some("5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10") => Reason::UnknownRecipient,
        _ => Reason::ProviderMalfunction,
    };
    Why { reason, detail: said(reply), window: false }
}

fn is_later(outcome: &Outcome) -> bool {
    matches!(fate(outcome), Fate::Later(_))
}

/// RFC 5321 §4.5.3.1.10.
fn is_crowd(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(reply)
        if reply.code() == 452 && reply.enhanced().is_none_or(|code| code == "4.5.3"))
}

/// A reply for the log, the queue and evidence.
fn said(reply: &Reply) -> String {
    let enhanced = reply.enhanced().map(|code| format!("{code} ")).unwrap_or_default();
    plain(&format!("{} {enhanced}{}", reply.code(), reply.text()))
}

/// What another server says is a stranger's text: short, printable ASCII.
pub fn plain(text: &str) -> String {
    let printable = text.chars().take(HEARD).map(|c| match c {
        ' '..='~' => c,
        c if c.is_whitespace() || c.is_control() => ' ',
        _ => '?',
    });
    printable.collect::<String>().trim().to_owned()
}

/// As long as one line of a reply (RFC 5321 §4.5.3.1.5).
const HEARD: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: &[Outcome]) -> Report {
        let to = |n: usize| KepAddress::parse(&format!("a{n}@hs01.kep.tr")).unwrap();
        let all = outcomes.iter().enumerate().map(|(n, outcome)| (to(n), outcome.clone()));
        Report { recipients: all.collect() }
    }

    fn accepted() -> Outcome {
        Outcome::Accepted(Reply::new(250, "2.0.0", "id"))
    }

    fn refused(code: u16, enhanced: &str, text: &str) -> Outcome {
        Outcome::Refused(match enhanced {
            "" => Reply::plain(code, text),
            enhanced => Reply::new(code, enhanced, text),
        })
    }

    fn fates(outcomes: &[Outcome]) -> (Vec<String>, bool) {
        let Verdict::Mail { fates, crowded, .. } = judge(&report(outcomes), false) else {
            panic!("it is about the mail")
        };
        let word = |fate: &Fate| match fate {
            Fate::Arrived => "arrived".to_owned(),
            Fate::Failed(why) => format!("{:?}: {}", why.reason, why.detail),
            Fate::Later(heard) => format!("later: {heard}"),
        };
        (fates.iter().map(|(_, fate)| word(fate)).collect(), crowded)
    }

    #[test]
    fn each_recipient_has_his_own_fate() {
        let (fates, crowded) = fates(&[
            accepted(),
            refused(550, "5.1.1", "yok"),
            refused(550, "", "no"),
            refused(450, "4.2.1", "busy"),
            refused(552, "5.2.2", "dolu \u{1}\u{fffe}çok"),
        ]);
        assert_eq!(
            fates,
            [
                "arrived",
                "UnknownRecipient: 550 5.1.1 yok",
                "ProviderMalfunction: 550 no",
                "later: 450 4.2.1 busy",
                "ProviderMalfunction: 552 5.2.2 dolu  ??ok",
            ]
        );
        assert!(!crowded);
    }

    #[test]
    fn those_for_whom_there_was_no_room_follow_at_once() {
        let crowd = refused(452, "4.5.3", "enough");
        assert!(fates(&[accepted(), crowd.clone()]).1);
        assert!(fates(&[accepted(), refused(452, "", "enough")]).1);
        assert!(!fates(std::slice::from_ref(&crowd)).1);
        assert!(!fates(&[accepted(), crowd, refused(450, "4.2.1", "x")]).1);
        assert!(!fates(&[accepted()]).1);
    }

    #[test]
    fn a_server_is_at_fault_before_the_mail_is_begun_and_both_after() {
        let tls = report(&[Outcome::Failed(Failure::Tls("bad certificate".into()))]);
        let heard = "TLS: bad certificate".to_owned();
        let trouble = Trouble::NotIdentified;
        assert_eq!(judge(&tls, false), Verdict::Server { trouble, heard });
        let greeted = Failure::Greeting(Reply::plain(554, "go away"));
        let heard = "greeted with 554 go away".to_owned();
        let trouble = Trouble::Unreachable;
        let greeted = report(&[Outcome::Failed(greeted)]);
        assert_eq!(judge(&greeted, false), Verdict::Server { trouble, heard });
        let of_us = report(&[Outcome::Failed(Failure::Mail(Reply::new(550, "5.7.1", "who?")))]);
        for begun in [false, true] {
            let heard = "MAIL answered with 550 who?".to_owned();
            assert_eq!(judge(&of_us, begun), Verdict::Server { trouble, heard });
        }
        let lost = report(&[Outcome::Failed(Failure::LostAfterBody)]);
        let Verdict::Mail { fates, broken, .. } = judge(&lost, true) else { panic!() };
        assert!(broken.is_some());
        assert!(matches!(fates[0].1, Fate::Later(_)));
        let large = report(&[Outcome::Failed(Failure::TooLarge { limit: 5 })]);
        let Verdict::Mail { fates, broken: None, .. } = judge(&large, false) else { panic!() };
        assert!(matches!(fates[0].1, Fate::Failed(_)));
    }
}
