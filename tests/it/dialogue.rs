//! Our client speaks with our server: the pure dialogue with the pure session.

use kep::accept::ask::{
    Answer, Ask, Config, Login, LoginAnswer, Next as Server, Piece, RecipientAnswer, SubmitAnswer,
};
use kep::accept::session::Session;
use kep::deliver::dialogue::{BodyForm, Dialogue, Mail, Next, Outcome, Report, Tls, To};
use kep::wire::smtp::DotStuffer;
use kep::wire::{AccountId, KepAddress, MessageId, Timestamp};
use secrecy::SecretString;
use std::sync::Arc;

fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

/// Moves what the server says into `said` until it wants to read; keeps what it spools.
fn serve(session: &mut Session, said: &mut Vec<u8>, spooled: &mut Vec<u8>) {
    loop {
        match session.next() {
            Server::Read | Server::Close => return,
            Server::StartTls => return session.tls_started(),
            Server::Send(octets) => said.extend(octets),
            Server::Spool(Piece::Chunk(octets)) => spooled.extend(octets),
            Server::Spool(_) | Server::Pause(_) | Server::Noted(_) => {}
            Server::Ask(ask) => session.answer(match ask {
                Ask::Authenticate { user, .. } => Answer::Login(LoginAnswer::Accepted(Login {
                    account: AccountId(1),
                    address: address(&user),
                    operator: None,
                    at: Timestamp::from_secs(0),
                    channel: kep::registry::audit::Channel::Smtp,
                })),
                Ask::Recipient { address, .. } if address.local() == "yok" => {
                    Answer::Recipient(RecipientAnswer::Unknown)
                }
                Ask::Recipient { .. } => Answer::Recipient(RecipientAnswer::Local { room: None }),
                Ask::Peer { .. } | Ask::HandOver { .. } => panic!("no provider's session"),
                Ask::Submit { .. } => Answer::Submitted(SubmitAnswer::Accepted {
                    message_id: MessageId::parse("id@hs05.kep.tr").unwrap(),
                }),
            }),
        }
    }
}

fn converse(body: &[u8], tls: Tls) -> (Report, Vec<u8>) {
    let mail = Mail {
        helo: "client".into(),
        from: Some(address("ali@hs05.kep.tr")),
        recipients: ["veli@hs05.kep.tr", "yok@hs05.kep.tr"].map(|to| To::plain(address(to))).into(),
        size: body.len() as u64,
        eight_bit: true,
        smtputf8: true,
        requiretls: true,
        ret: None,
        envid: Some("a b".into()),
    };
    let login = Some(("ali@hs05.kep.tr".to_owned(), SecretString::from("gizli")));
    let mut client = Dialogue::new(mail, tls, login);
    let config = Arc::new(Config::new("hs05.kep.tr", 26_214_400));
    let mut server = Session::new(config, tls == Tls::Established);
    let (mut said, mut spooled) = (Vec::new(), Vec::new());
    loop {
        match client.next() {
            Next::Read => {
                serve(&mut server, &mut said, &mut spooled);
                assert!(!said.is_empty(), "both wait");
                client.feed(&std::mem::take(&mut said));
            }
            Next::Send(octets) => server.feed(&octets),
            Next::StartTls => {
                serve(&mut server, &mut said, &mut spooled);
                client.tls_started();
            }
            Next::SendBody(form) => {
                serve(&mut server, &mut said, &mut spooled);
                server.feed(&wire(body, form));
                client.body_sent();
            }
            Next::Done(report) => return (report, spooled),
        }
    }
}

fn wire(body: &[u8], form: BodyForm) -> Vec<u8> {
    let (mut stuffer, mut wire) = (DotStuffer::default(), Vec::new());
    match form {
        BodyForm::Plain => return body.to_vec(),
        BodyForm::Dots => stuffer.stuff(body, &mut wire),
    }
    stuffer.finish(&mut wire);
    wire
}

#[test]
fn small_mails_in_a_chunk_and_big_ones_with_dots_arrive_octet_for_octet() {
    let big = ".line\r\n..\r\n.\r\n".repeat(20_000).into_bytes();
    for body in [b".small\r\n.\r\n".to_vec(), big] {
        for tls in [Tls::Established, Tls::StartTls] {
            let (report, spooled) = converse(&body, tls);
            assert!(spooled == body, "{tls:?}, {} octets", body.len());
            let [(_, Outcome::Accepted(yes)), (_, Outcome::Refused(no))] =
                report.recipients.as_slice()
            else {
                panic!("{report:?}")
            };
            assert_eq!(yes.text(), "id@hs05.kep.tr");
            assert_eq!((no.code(), no.enhanced()), (550, Some("5.1.1")));
        }
    }
}
