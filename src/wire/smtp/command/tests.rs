use super::*;
use proptest::prelude::*;

fn mail(line: &str) -> Mail {
    match parse(line.as_bytes()) {
        Ok(Command::Mail(mail)) => mail,
        other => panic!("{line}: {other:?}"),
    }
}

fn rcpt(line: &str) -> Rcpt {
    match parse(line.as_bytes()) {
        Ok(Command::Rcpt(rcpt)) => rcpt,
        other => panic!("{line}: {other:?}"),
    }
}

fn fault(line: &str) -> CommandError {
    parse(line.as_bytes()).expect_err(line)
}

#[test]
fn every_parameter_of_mail_is_read() {
    let mail = mail(
        "mail from:<ali@hs05.kep.tr> size=1000 BODY=8BITMIME SMTPUTF8 RET=HDRS \
         ENVID=QQ+3D1 REQUIRETLS AUTH=<>",
    );
    assert_eq!(mail.from, Path::Address("ali@hs05.kep.tr".into()));
    assert_eq!((mail.size, mail.body), (Some(1000), Body::EightBitMime));
    assert!(mail.smtputf8 && mail.requiretls);
    assert_eq!((mail.ret, mail.envid.as_deref()), (Some(Ret::Headers), Some("QQ=1")));
    assert_eq!(mail.auth.as_deref(), Some("<>"));
}

#[test]
fn the_null_path_is_a_sender_and_no_recipient() {
    assert_eq!(mail("MAIL FROM:<>").from, Path::Null);
    assert_eq!(fault("RCPT TO:<>"), CommandError::Syntax(RCPT));
}

#[test]
fn postmaster_without_a_domain_is_itself() {
    assert_eq!(rcpt("RCPT TO:<Postmaster>").to, Path::Postmaster);
}

#[test]
fn notify_and_orcpt_are_kept() {
    let rcpt = rcpt("RCPT TO:<a@hs05.kep.tr> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@hs05.kep.tr");
    assert_eq!(rcpt.notify, Notify::On { success: true, failure: false, delay: true });
    let original = rcpt.orcpt.unwrap();
    assert_eq!((original.kind.as_str(), original.address.as_str()), ("rfc822", "b@hs05.kep.tr"));
}

#[test]
fn an_original_recipient_may_be_of_any_type() {
    let orcpt = |value: &str| rcpt(&format!("RCPT TO:<a@b.c> ORCPT={value}")).orcpt.unwrap();
    for value in ["rfc822;a+2Bb@c.d", "RFC822;A+3Db", "utf-8;\\x{15F}@b.c", "x400;/S=a/C=tr/"] {
        let value = value.replace("S=a/C=tr", "S+3Da/C+3Dtr");
        assert_eq!(orcpt(&value).to_string(), value);
    }
    assert_eq!(orcpt("rfc822;a+2Bb+20c").address, "a+b c");
    for bad in ["rfc822", "rfc822;", ";a", "rf c;a", "rfc822;+0D+0Ax", "rfc822;a+2", "rfc822;a+2b"]
    {
        let line = format!("RCPT TO:<a@b.c> ORCPT={bad}");
        assert!(
            matches!(fault(&line), CommandError::Parameter(_) | CommandError::UnknownParameter(_)),
            "{bad}"
        );
    }
}

#[test]
fn never_stands_alone() {
    assert!(matches!(
        fault("RCPT TO:<a@b.c> NOTIFY=NEVER,SUCCESS"),
        CommandError::Parameter(name) if name == "NOTIFY"
    ));
    assert_eq!(rcpt("RCPT TO:<a@b.c> NOTIFY=NEVER").notify, Notify::Never);
}

#[test]
fn quoted_local_parts_are_refused_by_name() {
    for line in [
        "RCPT TO:<\"foo@psres.net> ORCPT=admin@admin.com\"@test.com>",
        "RCPT TO:<\"a b\"@hs05.kep.tr>",
        "RCPT TO:<a\\@b@hs05.kep.tr>",
        "MAIL FROM:<\"ali\"@hs05.kep.tr>",
    ] {
        assert!(matches!(fault(line), CommandError::QuotedLocal(_)), "{line}");
    }
}

#[test]
fn what_smtp_proto_would_take_is_refused_before_it() {
    assert_eq!(fault("MAIL FROM: <a@b.c>"), CommandError::Syntax(MAIL));
    assert_eq!(fault("DATA now"), CommandError::Syntax("DATA"));
    assert_eq!(fault("STARTTLS x"), CommandError::Syntax("STARTTLS"));
    assert!(matches!(fault("RCPT TO:<@a,@b:c@d.e>"), CommandError::Address(_)));
    assert!(matches!(fault("RCPT TO:<a@b.c> ORCPT=rfc822;+0D+0A"), CommandError::Parameter(_)));
    assert!(matches!(fault("RCPT TO:<a@b.c> ORCPT=rfc822;+zz"), CommandError::Parameter(_)));
    assert!(matches!(fault("MAIL FROM:<a@b.c> SIZE=1 SIZE=2"), CommandError::Parameter(_)));
    assert!(matches!(fault("MAIL FROM:<a@b.c> SIZE=-1"), CommandError::Parameter(_)));
    assert!(matches!(fault("MAIL FROM:<a@b.c> HOLDFOR=9"), CommandError::UnknownParameter(_)));
    assert_eq!(fault("MAIL FROM:<a@b.c>SIZE=1"), CommandError::Syntax(MAIL));
}

#[test]
fn an_enormous_size_is_a_number_too() {
    assert_eq!(mail("MAIL FROM:<a@b.c> SIZE=99999999999999999999").size, Some(u64::MAX));
}

#[test]
fn turkish_letters_in_an_address_are_named() {
    assert!(matches!(fault("RCPT TO:<çağrı@hs05.kep.tr>"), CommandError::NotAscii(_)));
}

#[test]
fn bdat_and_auth() {
    assert_eq!(parse(b"BDAT 10"), Ok(Command::Bdat { size: 10, last: false }));
    assert_eq!(parse(b"bdat 0 last"), Ok(Command::Bdat { size: 0, last: true }));
    assert_eq!(fault("BDAT ten"), CommandError::Syntax(BDAT));
    assert_eq!(fault("BDAT 1 2"), CommandError::Syntax(BDAT));
    let auth = Command::Auth { mechanism: Mechanism::Plain, initial: Some("AA==".into()) };
    assert_eq!(parse(b"AUTH plain AA=="), Ok(auth));
    let unknown = Command::Auth { mechanism: Mechanism::Unknown, initial: None };
    assert_eq!(parse(b"AUTH FOO"), Ok(unknown));
}

proptest! {
    #[test]
    fn no_line_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&line);
    }

    #[test]
    fn no_parameters_make_it_panic(
        verb in prop::sample::select(vec!["MAIL FROM:<", "RCPT TO:<"]),
        path in "[a-z@.\"\\\\<>ş:,\\[\\]]{0,20}",
        parameters in "[ A-Z=+,;0-9<>ş-]{0,40}",
    ) {
        let _ = parse(format!("{verb}{path}>{parameters}").as_bytes());
    }

    #[test]
    fn a_recipient_taken_is_the_recipient_written(path in "[a-z0-9.+=_@-]{1,40}") {
        if let Ok(Command::Rcpt(rcpt)) = parse(format!("RCPT TO:<{path}>").as_bytes())
            && rcpt.to != Path::Postmaster
        {
            prop_assert_eq!(rcpt.to, Path::Address(path));
        }
    }
}
