use super::*;
use crate::wire::KepAddress;
use crate::wire::smtp::{Notify, Orcpt, Ret};

/// What the client said, and how it ended, when the server speaks these lines: one entry is said
/// each time the client wants to read.
fn dialogue(mail: Mail, tls: Tls, server: &[&str]) -> (String, Report) {
    let login = Some(("ali@hs05.kep.tr".to_owned(), SecretString::from("gizli")));
    play(Dialogue::new(mail, tls, login), server)
}

fn play(mut dialogue: Dialogue, server: &[&str]) -> (String, Report) {
    let (mut said, mut lines) = (String::new(), server.iter());
    loop {
        match dialogue.next() {
            Next::Read => match lines.next() {
                Some(lines) => dialogue.feed(lines.as_bytes()),
                None => dialogue.lost(),
            },
            Next::Send(octets) => said += &String::from_utf8(octets).unwrap(),
            Next::StartTls => {
                said += "(tls)";
                dialogue.tls_started();
            }
            Next::SendBody(form) => {
                said += &format!("({form:?})");
                dialogue.body_sent();
            }
            Next::Done(report) => return (said, report),
        }
    }
}

fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

fn mail(recipients: &[&str]) -> Mail {
    Mail {
        helo: "hs05.kep.tr".into(),
        from: Some(address("kepservisi@hs05.kep.tr")),
        recipients: recipients.iter().map(|to| To::plain(address(to))).collect(),
        size: 10,
        eight_bit: false,
        smtputf8: false,
        requiretls: false,
        ret: None,
        envid: None,
    }
}

fn outcomes(report: &Report) -> Vec<String> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Accepted(reply) => format!("accepted {}", reply.text()),
        Outcome::Refused(reply) => format!("refused {}", reply.code()),
        Outcome::Failed(failure) => failure.to_string(),
        other => format!("{other:?}"),
    };
    report.recipients.iter().map(|(_, outcome)| word(outcome)).collect()
}

const TWO: [&str; 2] = ["a@hs01.kep.tr", "b@hs01.kep.tr"];
const RICH: &str = "250-x\r\n250-PIPELINING\r\n250-SIZE 100\r\n250-CHUNKING\r\n250-DSN\r\n\
                    250-8BITMIME\r\n250 AUTH LOGIN PLAIN\r\n";
const PLAIN: &str = "250-x\r\n250 AUTH PLAIN\r\n";

#[test]
fn a_rich_server_gets_all_at_once() {
    let (said, report) = dialogue(
        mail(&TWO),
        Tls::Established,
        &["220 x\r\n", RICH, "235 in\r\n", "250 m\r\n250 a\r\n", "550 5.1.1 b\r\n250 2.0.0 id\r\n"],
    );
    assert_eq!(
        said,
        "EHLO hs05.kep.tr\r\nAUTH PLAIN AGFsaUBoczA1LmtlcC50cgBnaXpsaQ==\r\n\
         MAIL FROM:<kepservisi@hs05.kep.tr> SIZE=10\r\nRCPT TO:<a@hs01.kep.tr>\r\n\
         RCPT TO:<b@hs01.kep.tr>\r\nBDAT 10 LAST\r\n(Plain)QUIT\r\n"
    );
    assert_eq!(outcomes(&report), ["accepted id", "refused 550"]);
}

#[test]
fn a_plain_server_gets_one_command_after_the_other() {
    let (said, report) = dialogue(
        mail(&TWO),
        Tls::Established,
        &[
            "220 x\r\n",
            PLAIN,
            "235 in\r\n",
            "250 m\r\n",
            "450 a\r\n",
            "250 b\r\n",
            "354 go\r\n",
            "250 id\r\n",
        ],
    );
    assert!(said.ends_with("DATA\r\n(Dots)QUIT\r\n"), "{said}");
    assert_eq!(outcomes(&report), ["refused 450", "accepted id"]);
}

#[test]
fn starttls_comes_before_everything() {
    let (said, report) = dialogue(
        mail(&TWO[..1]),
        Tls::StartTls,
        &["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n", RICH, "235 in\r\n"],
    );
    assert!(said.starts_with("EHLO hs05.kep.tr\r\nSTARTTLS\r\n(tls)EHLO hs05.kep.tr\r\nAUTH"));
    assert_eq!(outcomes(&report), ["the connection was lost after the mail was sent"]);
}

#[test]
fn nothing_goes_out_in_clear() {
    let hello = "250-x\r\n250 AUTH PLAIN\r\n";
    let (said, report) = dialogue(mail(&TWO[..1]), Tls::StartTls, &["220 x\r\n", hello]);
    assert_eq!(said, "EHLO hs05.kep.tr\r\n");
    assert_eq!(outcomes(&report), ["the server offers no TLS"]);
}

#[test]
fn replies_injected_before_the_handshake_end_it() {
    let injected = "220 go\r\n250-x\r\n250 AUTH PLAIN\r\n";
    let hello = "250-x\r\n250 STARTTLS\r\n";
    let (_, report) = dialogue(mail(&TWO[..1]), Tls::StartTls, &["220 x\r\n", hello, injected]);
    assert_eq!(outcomes(&report), ["replies were sent along with the answer to STARTTLS"]);
}

#[test]
fn a_refused_sender_is_the_answer_for_all() {
    let (said, report) = dialogue(
        mail(&TWO),
        Tls::Established,
        &["220 x\r\n", RICH, "235 in\r\n", "550 m\r\n503 a\r\n503 b\r\n503 c\r\n"],
    );
    assert!(said.ends_with("QUIT\r\n"));
    assert_eq!(outcomes(&report), ["MAIL answered with 550 m", "MAIL answered with 550 m"]);
    assert!(report.recipients[0].1.is_permanent());
    // What is about this mail is its own answer.
    for own in ["552 m", "550 5.3.4 m", "554 5.6.3 m", "501 5.5.4 m", "451 4.7.1 m"] {
        let own = format!("{own}\r\n503 a\r\n503 b\r\n503 c\r\n");
        let server = ["220 x\r\n", RICH, "235 in\r\n", &own];
        let (_, report) = dialogue(mail(&TWO), Tls::Established, &server);
        assert!(outcomes(&report)[0].starts_with("refused"), "{own}: {report:?}");
    }
}

#[test]
fn a_354_without_recipients_gets_an_empty_mail() {
    let pipelining = "250-x\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n";
    let (said, report) = dialogue(
        mail(&TWO[..1]),
        Tls::Established,
        &["220 x\r\n", pipelining, "235 in\r\n", "250 m\r\n550 a\r\n354 go\r\n", "554 none\r\n"],
    );
    assert!(said.ends_with("DATA\r\n.\r\nQUIT\r\n"), "{said}");
    assert_eq!(outcomes(&report), ["refused 550"]);
}

#[test]
fn all_refused_one_by_one_sends_no_data() {
    let (said, report) = dialogue(
        mail(&TWO),
        Tls::Established,
        &["220 x\r\n", PLAIN, "235 in\r\n", "250 m\r\n", "550 a\r\n", "550 b\r\n"],
    );
    assert!(said.ends_with("RCPT TO:<b@hs01.kep.tr>\r\nQUIT\r\n"), "{said}");
    assert_eq!(outcomes(&report), ["refused 550", "refused 550"]);
}

#[test]
fn what_the_server_cannot_take_is_not_sent() {
    let large = Mail { size: 101, ..mail(&TWO[..1]) };
    let (said, report) = dialogue(large, Tls::Established, &["220 x\r\n", RICH, "235 in\r\n"]);
    assert!(!said.contains("MAIL"));
    assert!(report.recipients[0].1.is_permanent());

    let eight = Mail { eight_bit: true, ..mail(&TWO[..1]) };
    let (_, report) = dialogue(eight, Tls::Established, &["220 x\r\n", PLAIN, "235 in\r\n"]);
    assert_eq!(outcomes(&report), ["the server lacks 8BITMIME"]);
}

#[test]
fn dsn_parameters_go_along_encoded() {
    let mut with = mail(&TWO[..1]);
    with.ret = Some(Ret::Headers);
    with.envid = Some("a b+c".into());
    with.recipients[0].notify = Notify::On { success: true, failure: false, delay: true };
    with.recipients[0].orcpt = Some(Orcpt { kind: "rfc822".into(), address: "x=y@z".into() });
    let (said, _) = dialogue(with, Tls::Established, &["220 x\r\n", RICH, "235 in\r\n"]);
    assert!(said.contains("SIZE=10 RET=HDRS ENVID=a+20b+2Bc\r\n"), "{said}");
    assert!(said.contains("NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+3Dy@z\r\n"), "{said}");
}

#[test]
fn a_broken_server_is_a_failure_for_all() {
    let dialogue = Dialogue::new(mail(&TWO), Tls::Established, None);
    let (_, report) = play(dialogue, &["hello\r\n"]);
    assert_eq!(outcomes(&report), ["not a reply: \"hello\"", "not a reply: \"hello\""]);
}

/// One mail after the other over a connection: what each said and how it ended.
fn several(mails: Vec<Mail>, server: &[&str]) -> Vec<(String, Vec<String>)> {
    let (mut mails, mut lines) = (mails.into_iter(), server.iter());
    let mut dialogue = Dialogue::lasting(mails.next().unwrap());
    let (mut said, mut all) = (String::new(), Vec::new());
    loop {
        match dialogue.next() {
            Next::Read => match lines.next() {
                Some(lines) => dialogue.feed(lines.as_bytes()),
                None => dialogue.lost(),
            },
            Next::Send(octets) => said += &String::from_utf8(octets).unwrap(),
            Next::StartTls => dialogue.tls_started(),
            Next::SendBody(form) => {
                said += &format!("({form:?})");
                dialogue.body_sent();
            }
            Next::Done(report) => {
                all.push((std::mem::take(&mut said), outcomes(&report)));
                if !mails.next().is_some_and(|mail| dialogue.another(mail)) {
                    return all;
                }
            }
        }
    }
}

const BEGUN: [&str; 4] = ["220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n", RICH];

#[test]
fn a_connection_serves_several_mails() {
    let taken = "250 m\r\n250 a\r\n250 id\r\n";
    let all =
        several(vec![mail(&TWO[..1]), mail(&TWO[1..])], &[&BEGUN[..], &[taken, taken]].concat());
    assert!(all[0].0.ends_with("BDAT 10 LAST\r\n(Plain)"), "{all:?}");
    assert_eq!(
        all[1].0,
        "MAIL FROM:<kepservisi@hs05.kep.tr> SIZE=10\r\nRCPT TO:<b@hs01.kep.tr>\r\n\
         BDAT 10 LAST\r\n(Plain)"
    );
    assert_eq!([&all[0].1, &all[1].1], [&["accepted id"], &["accepted id"]]);
}

#[test]
fn what_a_refused_mail_left_is_taken_back_before_the_next() {
    let refused = "250 m\r\n550 a\r\n554 none\r\n";
    let taken = "250 reset\r\n250 m\r\n250 b\r\n250 id\r\n";
    let all =
        several(vec![mail(&TWO[..1]), mail(&TWO[1..])], &[&BEGUN[..], &[refused, taken]].concat());
    assert!(all[1].0.starts_with("RSET\r\nMAIL FROM"), "{all:?}");
    assert_eq!([&all[0].1, &all[1].1], [&["refused 550"], &["accepted id"]]);
}

#[test]
fn a_mail_that_the_server_cannot_take_costs_the_next_nothing() {
    let large = Mail { size: 101, ..mail(&TWO[..1]) };
    let taken = "250 m\r\n250 b\r\n250 id\r\n";
    let all = several(vec![large, mail(&TWO[1..])], &[&BEGUN[..], &[taken]].concat());
    assert_eq!(all[0].1, ["the mail is larger than the server's limit of 100 octets"]);
    assert_eq!(all[1].1, ["accepted id"]);
}

#[test]
fn after_421_nothing_more_is_sent() {
    let hung_up = "250 m\r\n421 4.3.2 bye\r\n421 4.3.2 bye\r\n";
    let all = several(vec![mail(&TWO[..1]), mail(&TWO[1..])], &[&BEGUN[..], &[hung_up]].concat());
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].1, ["refused 421"]);
}

#[test]
fn answers_that_nobody_asked_for_are_not_taken_for_those_to_the_next_mail() {
    for unasked in ["250 m\r\n250 a\r\n250 id\r\n", "550 5.1.1 ", "250-"] {
        let taken = format!("250 m\r\n250 a\r\n250 id\r\n{unasked}");
        let mails = vec![mail(&TWO[..1]), mail(&TWO[1..])];
        let all = several(mails, &[&BEGUN[..], &[&taken]].concat());
        assert_eq!(all.len(), 1, "the connection is used again: {all:?}");
        assert_eq!(all[0].1, ["accepted id"]);
    }
}

#[test]
fn what_is_waited_for_is_known() {
    let mut dialogue = Dialogue::lasting(mail(&TWO[..1]));
    assert_eq!(dialogue.waits_for(), Wait::Greeting);
    for lines in BEGUN {
        while dialogue.next() != Next::Read {}
        assert!(!dialogue.begun());
        dialogue.feed(lines.as_bytes());
        if lines == "220 go\r\n" {
            assert_eq!(dialogue.next(), Next::StartTls);
            dialogue.tls_started();
        }
    }
    assert!(matches!(dialogue.next(), Next::Send(_)));
    assert!(dialogue.begun());
    assert_eq!(dialogue.next(), Next::SendBody(BodyForm::Plain));
    dialogue.body_sent();
    assert_eq!((dialogue.next(), dialogue.waits_for()), (Next::Read, Wait::Answer));
    dialogue.feed(b"250 m\r\n250 a\r\n");
    assert_eq!((dialogue.next(), dialogue.waits_for()), (Next::Read, Wait::Final));
    dialogue.timed_out();
    let Next::Done(report) = dialogue.next() else { panic!("it is over") };
    assert_eq!(outcomes(&report), ["the connection was lost after the mail was sent"]);
    assert!(!dialogue.another(mail(&TWO[..1])));
}

proptest::proptest! {
    #[test]
    fn no_server_makes_it_panic_or_hang(
        lines in proptest::collection::vec("(220|250|354|550|235|2)[ -][A-Z0-9 .]{0,12}\r\n", 0..12),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (_, report) = dialogue(mail(&TWO), Tls::StartTls, &lines);
        for (_, outcome) in &report.recipients {
            proptest::prop_assert!(!matches!(outcome, Outcome::Pending | Outcome::Taken));
        }
    }
}
