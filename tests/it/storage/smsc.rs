//! The connection to an SMSC that behaves as none should: octets cut anywhere, answers that never come,
//! silence, nonsense. What is well-behaved is tried in `tests/e2e/notices`.

use super::NOW;
use super::bed::Bed;
use kep::notify::Said;
use kep::notify::smpp::{Client, Smsc};
use kep::store::outbox;
use kep::trust::Clock;
use kep::wire::Mobile;
use kep::wire::smpp::text::{Long, Turkish};
use kep::wire::smpp::{Body, Message, Pdu, Status, frame};
use secrecy::SecretString;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The SMSC's side of one connection.
struct Line {
    stream: TcpStream,
    octets: Vec<u8>,
}

impl Line {
    async fn accept(listener: &TcpListener) -> Self {
        Self { stream: listener.accept().await.unwrap().0, octets: Vec::new() }
    }

    /// The next PDU that is no question whether the line lives; `None` when it was hung up.
    async fn hear(&mut self) -> Option<Pdu> {
        loop {
            if let Some(whole) = frame(&self.octets).unwrap() {
                let (length, pdu) = (whole.len(), Pdu::parse(whole).unwrap());
                self.octets.drain(..length);
                if pdu.body != Body::EnquireLink {
                    return Some(pdu);
                }
                continue;
            }
            if self.stream.read_buf(&mut self.octets).await.unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    async fn say(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
        self.stream.flush().await.unwrap();
    }

    /// Answers a bind.
    async fn bound(listener: &TcpListener) -> Self {
        let mut line = Self::accept(listener).await;
        let bind = line.hear().await.unwrap();
        line.say(&answer(&bind, Status::OK, Body::BindAnswer("x".into()))).await;
        line
    }
}

fn answer(to: &Pdu, status: Status, body: Body) -> Vec<u8> {
    Pdu { status, sequence: to.sequence, body }.write()
}

fn receipt(id: &str) -> Vec<u8> {
    let message = Message {
        esm_class: Message::RECEIPT,
        octets: format!("id:{id} stat:DELIVRD").into_bytes(),
        ..Message::default()
    };
    Pdu::request(7, Body::Deliver(message)).write()
}

struct Ours {
    bed: Bed,
    client: Client,
    tell: watch::Sender<bool>,
    session: JoinHandle<()>,
}

async fn ours(listener: &TcpListener) -> Ours {
    let bed = Bed::sqlite().await;
    let smsc = Smsc {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
        tls: None,
        system_id: "kep".into(),
        password: SecretString::from("gizli"),
        system_type: String::new(),
        sender: "KEP".into(),
        turkish: Turkish::Ucs2,
        long: Long::Parts,
        window: 2,
        rate: 1000,
        enquire: Duration::from_millis(300),
        timeout: Duration::from_secs(2),
    };
    let (client, session) = Client::new(smsc, bed.store.clone(), Clock::Fixed(NOW));
    let (tell, stop) = watch::channel(false);
    Ours { bed, client, tell, session: tokio::spawn(session.run(stop)) }
}

impl Ours {
    fn send(&self, text: &str) -> JoinHandle<Said> {
        let (client, text) = (self.client.clone(), text.to_owned());
        let to = Mobile::parse("+905321234567").unwrap();
        tokio::spawn(async move { client.send(&to, &text, 42).await })
    }

    async fn ends(self) {
        self.tell.send(true).unwrap();
        tokio::time::timeout(Duration::from_secs(30), self.session).await.unwrap().unwrap();
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn octets_may_be_cut_anywhere_and_a_receipt_come_with_the_bind() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let mut line = Line::accept(&listener).await;
    let bind = line.hear().await.unwrap();
    let bound = answer(&bind, Status::OK, Body::BindAnswer("x".into()));
    let both = [bound, receipt("early")].concat();
    let (first, rest) = both.split_at(40);
    line.say(first).await;
    line.say(rest).await;
    let answered = line.hear().await.unwrap();
    assert_eq!((answered.status, answered.sequence), (Status::OK, 7));
    let sent = ours.send("Merhaba");
    let asked = line.hear().await.unwrap();
    for octet in answer(&asked, Status::OK, Body::SubmitAnswer("late".into())) {
        line.say(&[octet]).await;
    }
    assert_eq!(sent.await.unwrap(), Said::Taken(vec!["late".into()]));
    ours.bed.write(|tx| Ok(outbox::add_part(tx, "early", 9, NOW)?)).await;
    let kept = ours.bed.read(|tx| Ok(outbox::parts(tx, 9)?)).await;
    assert_eq!(kept, [("early".to_owned(), Some("delivered".to_owned()))]);
    let tell = ours.tell.clone();
    tell.send(true).unwrap();
    let unbind = line.hear().await.unwrap();
    line.say(&answer(&unbind, Status::OK, Body::UnbindAnswer)).await;
    ours.session.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_hears_when_nobody_answers_hangs_up_or_talks_nonsense() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let later = |said: Said, why: &str| match said {
        Said::Later(text) => assert!(text.contains(why), "{text}"),
        other => panic!("{other:?}"),
    };
    // Wrong password: who asks meanwhile hears why.
    let mut line = Line::accept(&listener).await;
    let bind = line.hear().await.unwrap();
    line.say(&answer(&bind, Status(0x0e), Body::BindAnswer(String::new()))).await;
    later(ours.send("a").await.unwrap(), "ESME_RINVPASWD");
    // Hung up before the answer.
    let mut line = Line::bound(&listener).await;
    let sent = ours.send("b");
    line.hear().await.unwrap();
    drop(line);
    later(sent.await.unwrap(), "the connection ended before the answer");
    // A length that can't be.
    let mut line = Line::bound(&listener).await;
    let sent = ours.send("c");
    line.hear().await.unwrap();
    line.say(&[0xff; 20]).await;
    later(sent.await.unwrap(), "a length of 4294967295 octets");
    assert_eq!(line.hear().await, None);
    // Silence: it is asked whether it lives, and left. (It hears that, and says nothing.)
    let mut line = Line::bound(&listener).await;
    assert_eq!(line.hear().await, None);
    // Unknown commands are refused, and nothing ends for them; an answer to nobody is none.
    let mut line = Line::bound(&listener).await;
    line.say(&Pdu::request(99, Body::Other(0x102)).write()).await;
    let refused = line.hear().await.unwrap();
    assert_eq!((refused.body, refused.sequence), (Body::Nack, 99));
    let sent = ours.send("d");
    let asked = line.hear().await.unwrap();
    let nobody = Pdu { sequence: 77_777, ..asked.clone() };
    line.say(&answer(&nobody, Status::OK, Body::SubmitAnswer("x".into()))).await;
    line.say(&answer(&asked, Status(0x0b), Body::SubmitAnswer(String::new()))).await;
    assert_eq!(sent.await.unwrap(), Said::Never("ESME_RINVDSTADR (0x0b)".into()));
    ours.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_throttled_is_sent_again_and_those_before_it_are_not() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let mut line = Line::bound(&listener).await;
    let sent = ours.send(&"ş".repeat(100));
    let numbers = async |line: &mut Line, status, id: &str| {
        let asked = line.hear().await.unwrap();
        let Body::Submit(message) = &asked.body else { panic!("{asked:?}") };
        let header: Vec<_> = message.octets[..6].to_vec();
        line.say(&answer(&asked, status, Body::SubmitAnswer(id.into()))).await;
        header
    };
    assert_eq!(numbers(&mut line, Status::OK, "one").await, [5, 0, 3, 42, 2, 1]);
    assert_eq!(numbers(&mut line, Status::THROTTLED, "").await, [5, 0, 3, 42, 2, 2]);
    assert_eq!(numbers(&mut line, Status::OK, "two").await, [5, 0, 3, 42, 2, 2]);
    assert_eq!(sent.await.unwrap(), Said::Taken(vec!["one".into(), "two".into()]));
    ours.ends().await;
}

/// Its window is shut while it asks and asks.
#[tokio::test(flavor = "multi_thread")]
async fn an_smsc_that_stops_reading_is_left_in_time() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let mut line = Line::bound(&listener).await;
    let question = Pdu::request(9, Body::EnquireLink).write().repeat(1000);
    let flood =
        tokio::spawn(async move { while line.stream.write_all(&question).await.is_ok() {} });
    let again = tokio::time::timeout(Duration::from_secs(60), Line::bound(&listener)).await;
    assert!(again.is_ok(), "another connection is made");
    flood.abort();
    ours.ends().await;
}

/// Stopped before the bind was answered.
#[tokio::test(flavor = "multi_thread")]
async fn a_bind_that_is_not_answered_holds_up_no_end() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let mut line = Line::accept(&listener).await;
    assert!(line.hear().await.is_some());
    ours.tell.send(true).unwrap();
    assert!(line.hear().await.is_none(), "hung up");
    ours.session.await.unwrap();
}

/// Who asked has gone before the SMSC was there.
#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_waits_for_any_more_is_not_submitted() {
    let listener = listener().await;
    let ours = ours(&listener).await;
    let to = Mobile::parse("+905321234567").unwrap();
    {
        let first = ours.client.send(&to, "Birinci", 1);
        tokio::select! {
            biased;
            said = first => panic!("{said:?}"),
            () = std::future::ready(()) => {}
        }
    }
    let mut line = Line::bound(&listener).await;
    let sent = ours.send("Merhaba");
    let asked = line.hear().await.unwrap();
    assert!(matches!(&asked.body, Body::Submit(message) if !message.octets.starts_with(b"\0B")));
    line.say(&answer(&asked, Status::OK, Body::SubmitAnswer("ab".into()))).await;
    assert_eq!(sent.await.unwrap(), Said::Taken(vec!["ab".into()]));
    ours.ends().await;
}
