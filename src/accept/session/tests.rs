use super::*;
use crate::accept::ask::*;
use crate::accept::refusal::Refusal;
use crate::wire::{AccountId, KepAddress, KepDomain, MessageId, Timestamp};
use proptest::prelude::*;

/// All a session did, in an order that cuts can't change.
#[derive(Default, PartialEq, Debug)]
struct Seen {
    said: String,
    asked: Vec<String>,
    bodies: Vec<Vec<u8>>,
    /// Why, and all octets when the end was read.
    aborted: Vec<Option<(String, Option<Vec<u8>>)>>,
    pauses: Vec<String>,
    noted: Vec<Noted>,
    closed: bool,
}

/// Feeds the pieces; after a handshake what was not yet sent is dropped.
fn play<'a>(config: &Config, tls: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Seen {
    let mut session = Session::new(Arc::new(config.clone()), tls);
    let mut seen = Seen::default();
    let mut open = None;
    let mut going = run(&mut session, &mut seen, &mut open);
    for piece in pieces {
        if !going {
            break;
        }
        session.feed(piece);
        going = run(&mut session, &mut seen, &mut open);
    }
    seen
}

fn run(session: &mut Session, seen: &mut Seen, open: &mut Option<Vec<u8>>) -> bool {
    loop {
        match session.next() {
            Next::Read => return true,
            Next::Send(octets) => seen.said += &String::from_utf8(octets).unwrap(),
            Next::Noted(noted) => seen.noted.push(noted),
            Next::Pause(user) => seen.pauses.push(user),
            Next::StartTls => {
                session.tls_started();
                return false;
            }
            Next::Spool(Piece::Begin(_)) => assert!(open.replace(Vec::new()).is_none()),
            Next::Spool(Piece::Chunk(octets)) => open.as_mut().unwrap().extend(octets),
            Next::Spool(Piece::Refused) => assert!(open.is_some()),
            Next::Spool(Piece::Abort(why)) => {
                let octets = open.take().unwrap();
                let refused = why.map(|a| (a.refusal.to_string(), a.whole.then_some(octets)));
                seen.aborted.push(refused);
            }
            Next::Ask(ask) => {
                seen.asked.push(format!("{ask:?}"));
                let answer = answer(ask, open, seen);
                session.answer(answer);
            }
            Next::Close => {
                seen.closed = true;
                return false;
            }
        }
    }
}

fn answer(ask: Ask, open: &mut Option<Vec<u8>>, seen: &mut Seen) -> Answer {
    match ask {
        Ask::Authenticate { user, .. } => Answer::Login(match KepAddress::parse(&user) {
            Ok(address) => LoginAnswer::Accepted(Login {
                account: AccountId(1),
                address,
                operator: None,
                at: Timestamp::from_secs(0),
                channel: crate::registry::audit::Channel::Smtp,
            }),
            Err(_) => LoginAnswer::Rejected,
        }),
        Ask::Recipient { address, .. } => Answer::Recipient(match address.local() {
            "veli" => RecipientAnswer::Local { room: None },
            _ => RecipientAnswer::Unknown,
        }),
        Ask::Submit { octets, .. } => {
            let body = open.take().unwrap();
            assert_eq!(body.len() as u64, octets);
            seen.bodies.push(body);
            let message_id = MessageId::parse("id@hs05.kep.tr").unwrap();
            Answer::Submitted(SubmitAnswer::Accepted { message_id })
        }
        Ask::Peer { domain } => Answer::Peer(match domain.as_str() {
            "hs06.kep.tr" => PeerAnswer::Known,
            other => PeerAnswer::Refused(Refusal::PeerUnknown(other.to_owned())),
        }),
        Ask::HandOver { octets, .. } => {
            let body = open.take().unwrap();
            assert_eq!(body.len() as u64, octets);
            seen.bodies.push(body);
            let message_id = MessageId::parse("id@hs06.kep.tr").unwrap();
            Answer::Submitted(SubmitAnswer::Accepted { message_id })
        }
    }
}

const LOGIN: &str = "EHLO x\r\nAUTH PLAIN AGFsaUBoczA1LmtlcC50cgBnaXpsaQ==\r\n";

/// Pieces a dialogue may be made of, sensible and not.
fn words() -> impl Strategy<Value = Vec<u8>> {
    let fixed: Vec<&[u8]> = vec![
        b"EHLO x\r\n",
        b"AUTH PLAIN AGFsaUBoczA1LmtlcC50cgBnaXpsaQ==\r\n",
        b"AUTH LOGIN\r\n",
        b"YWxp\r\n",
        b"MAIL FROM:<ali@hs05.kep.tr>\r\n",
        b"MAIL FROM:<>\r\n",
        b"MAIL FROM:<kepservisi@hs06.kep.tr> BODY=BINARYMIME\r\n",
        b"MAIL FROM:<kepservisi@hs07.kep.tr>\r\n",
        b"MAIL FROM:<ali@hs05.kep.tr> SIZE=70\r\n",
        b"RCPT TO:<veli@hs05.kep.tr>\r\n",
        b"RCPT TO:<yok@hs05.kep.tr>\r\n",
        b"DATA\r\n",
        b"BDAT 7\r\n",
        b"BDAT 4 LAST\r\n",
        b"BDAT 90 LAST\r\n",
        b"text\r\n",
        b"..\r\n",
        b".\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"0123456789012345678901234567890123456789",
        b"RSET\r\n",
        b"STARTTLS\r\n",
        b"QUIT\r\n",
        b"FOO\r\n",
    ];
    prop::sample::select(fixed).prop_map(<[u8]>::to_vec)
}

fn small() -> Config {
    Config { max_bad_commands: 4, line_limit: 60, ..Config::new("hs05.kep.tr", 64) }
}

fn relaying() -> Config {
    let config = Config::relay(KepDomain::parse("hs05.kep.tr").unwrap(), 64);
    Config { max_bad_commands: 4, line_limit: 60, ..config }
}

proptest! {
    #[test]
    fn cuts_never_change_the_answer(
        words in prop::collection::vec(words(), 0..40),
        begun in any::<bool>(), tls in any::<bool>(), relay in any::<bool>(),
        cuts in prop::collection::vec(1usize..50, 1..200),
    ) {
        let config = if relay { relaying() } else { small() };
        let login = if relay { "EHLO x\r\nMAIL FROM:<a+1=b@hs06.kep.tr>\r\n".to_owned() } else { format!("{LOGIN}MAIL FROM:<ali@hs05.kep.tr>\r\n") };
        let start = if begun { format!("{login}RCPT TO:<veli@hs05.kep.tr>\r\n") } else { String::new() };
        let octets = [start.into_bytes(), words.concat()].concat();
        let whole = play(&config, tls, [octets.as_slice()]);
        prop_assert_eq!(&whole, &play(&config, tls, octets.chunks(1)));
        let (mut pieces, mut rest) = (Vec::new(), octets.as_slice());
        for cut in cuts.iter().cycle() {
            if rest.is_empty() { break }
            let (piece, after) = rest.split_at((*cut).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(&whole, &play(&config, tls, pieces));
    }

    #[test]
    fn invariant_10_random_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        play(&small(), true, [octets.as_slice()]);
        play(&small(), true, [LOGIN.as_bytes(), octets.as_slice()]);
        play(&relaying(), true, [b"EHLO x\r\n", octets.as_slice()]);
    }
}

#[test]
fn a_refused_body_is_spooled_to_its_end() {
    let begin = format!("{LOGIN}MAIL FROM:<ali@hs05.kep.tr>\r\nRCPT TO:<veli@hs05.kep.tr>\r\n");
    let refused = |rest: &str| {
        let octets = format!("{begin}{rest}");
        let mut seen = play(&small(), true, octets.as_bytes().chunks(3));
        assert_eq!(seen.aborted.len(), 1, "{rest:?}");
        seen.aborted.remove(0).unwrap()
    };
    let (why, whole) = refused("DATA\r\nSubject: a\r\n\0\r\n..b\r\n.\r\n");
    assert!(why.starts_with("NulOctet"), "{why}");
    assert_eq!(whole.unwrap(), b"Subject: a\r\n\0\r\n.b\r\n");
    let (_, whole) = refused("BDAT 2\r\n\0aBDAT 1 LAST\r\nb");
    assert_eq!(whole.unwrap(), b"\0ab");
    let (_, whole) = refused("BDAT 2\r\n\0aRSET\r\n");
    assert_eq!(whole, None, "what was to come is not known");
    let endless = "x".repeat(200);
    let (why, whole) = refused(&format!("DATA\r\n{endless}\r\n.\r\n"));
    assert!(why.starts_with("LineTooLong"), "{why}");
    assert_eq!(whole, None, "reading was given up");
}

#[test]
fn an_answer_that_fits_no_question_ends_the_session() {
    let mut session = Session::new(Arc::new(small()), true);
    assert!(matches!(session.next(), Next::Send(_)));
    session.answer(Answer::Recipient(RecipientAnswer::Local { room: None }));
    assert!(matches!(session.next(), Next::Send(reply) if reply.starts_with(b"421 4.3.0")));
    assert!(matches!(session.next(), Next::Close));
    assert!(matches!(session.next(), Next::Close));
}

#[test]
fn what_is_sent_along_with_starttls_is_noticed() {
    for (octets, ahead) in [("EHLO x\r\nSTARTTLS\r\n", false), ("EHLO x\r\nSTARTTLS\r\nE", true)] {
        let mut session = Session::new(Arc::new(relaying()), false);
        session.feed(octets.as_bytes());
        while !matches!(session.next(), Next::StartTls) {}
        assert_eq!(session.was_sent_ahead(), ahead, "{octets:?}");
    }
}

#[test]
fn invariant_10_memory_stays_bounded_while_a_line_never_ends() {
    let mut session = Session::new(Arc::new(small()), true);
    for _ in 0..1000 {
        while !matches!(session.next(), Next::Read) {}
        session.feed(&[b'x'; 1000]);
    }
    assert!(session.input.raw().len() <= 1001);
}

#[test]
fn replies_are_handed_out_before_they_heap_up() {
    let mut session = Session::new(Arc::new(small()), true);
    session.feed(&b"EHLO x\r\n".repeat(2000));
    loop {
        match session.next() {
            Next::Send(octets) => assert!(octets.len() < OUTPUT_MAX + 1024),
            Next::Read => break,
            other => panic!("{other:?}"),
        }
    }
}
