//! The connection to an SMSC: bound, kept alive, made anew after growing pauses.

use super::Smsc;
use super::pending::{Answer, Pending, Refused};
use crate::notify::fate::Said;
use crate::store::{Lane, Store, Tx, outbox};
use crate::trust::Clock;
use crate::wire::Mobile;
use crate::wire::smpp::text::sms;
use crate::wire::smpp::{
    Address, Bind, Body, LONGEST, Message, Pdu, Receipt, Status, Verdict, frame,
};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};

/// Hands messages to the session.
#[derive(Clone)]
pub struct Client {
    asks: mpsc::Sender<Ask>,
    smsc: Smsc,
}

struct Ask {
    message: Message,
    answer: oneshot::Sender<Answer>,
}

/// Keeps the connection.
pub struct Session {
    asks: mpsc::Receiver<Ask>,
    smsc: Smsc,
    store: Store,
    clock: Clock,
    since: Instant,
}

trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// A connection that is bound, and what came behind the answer already.
type Bound = (Box<dyn Wire>, Vec<u8>);

impl Client {
    pub fn new(smsc: Smsc, store: Store, clock: Clock) -> (Self, Session) {
        let (asks, taken) = mpsc::channel(smsc.window.max(1));
        let session =
            Session { asks: taken, smsc: smsc.clone(), store, clock, since: Instant::now() };
        (Self { asks, smsc }, session)
    }

    /// Sends a text, in as many parts as it takes. A part that the SMSC is too busy for is sent again
    /// after a pause, so that those before it are not sent twice.
    pub async fn send(&self, to: &Mobile, text: &str, id: i64) -> Said {
        let reference = id.to_le_bytes()[0];
        let whole = sms(text, self.smsc.turkish, self.smsc.long, reference);
        let mut taken = Vec::new();
        for (octets, udh) in whole.parts {
            let message = Message {
                from: Address::sender(&self.smsc.sender),
                to: Address::number(to.digits()),
                esm_class: if udh { Message::UDH } else { 0 },
                registered: 1,
                data_coding: whole.data_coding,
                payload: whole.payload.then(|| octets.clone()),
                octets: if whole.payload { Vec::new() } else { octets },
                ..Message::default()
            };
            match self.part(message).await {
                Ok(id) => taken.extend(Some(id).filter(|id| !id.is_empty())),
                Err(said) => return said,
            }
        }
        Said::Taken(taken)
    }

    async fn part(&self, message: Message) -> Result<String, Said> {
        for n in 0..BUSY {
            let (answer, told) = oneshot::channel();
            let gone = || Said::Later("the connection to the SMSC has ended".to_owned());
            let ask = Ask { message: message.clone(), answer };
            self.asks.send(ask).await.map_err(|_| gone())?;
            let refused = match told.await.map_err(|_| gone())? {
                Ok(id) => return Ok(id),
                Err(Refused::Nobody(why)) => return Err(Said::Later(why)),
                Err(Refused::By(status)) => status,
            };
            match refused.verdict() {
                Verdict::Never => return Err(Said::Never(refused.to_string())),
                Verdict::Slower if n + 1 < BUSY => {
                    tokio::time::sleep(FIRST_PAUSE * (1 << n)).await;
                }
                _ => return Err(Said::Later(refused.to_string())),
            }
        }
        Err(Said::Later("the SMSC is busy".to_owned()))
    }
}

impl Session {
    /// Runs until `stop`. While there is no connection, who asks hears why.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut failures = 0_u32;
        while !*stop.borrow() {
            let bound = tokio::select! {
                bound = self.bound() => bound,
                () = told(&mut stop) => return,
            };
            let why = match bound {
                Ok(bound) => {
                    tracing::info!(smsc = self.smsc.host, "bound");
                    metrics::gauge!("kep_smpp_bound").set(1.0);
                    failures = 0;
                    let why = self.serve(bound, &mut stop).await;
                    metrics::gauge!("kep_smpp_bound").set(0.0);
                    why
                }
                Err(why) => why,
            };
            if *stop.borrow() {
                return;
            }
            tracing::warn!(smsc = self.smsc.host, %why, "no connection");
            let pause = Duration::from_secs(1 << failures.min(6)).min(LONGEST_PAUSE);
            failures += 1;
            self.wait(pause, &why, &mut stop).await;
        }
    }

    /// Until the next attempt.
    async fn wait(&mut self, pause: Duration, why: &io::Error, stop: &mut watch::Receiver<bool>) {
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(end) => return,
                () = told(stop) => return,
                ask = self.asks.recv() => match ask {
                    Some(ask) => {
                        let said = Refused::Nobody(format!("no connection to the SMSC: {why}"));
                        let _ = ask.answer.send(Err(said));
                    }
                    None => return,
                },
            }
        }
    }

    async fn bound(&self) -> io::Result<Bound> {
        match timeout(self.smsc.timeout, self.bind()).await {
            Ok(bound) => bound,
            Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer to the bind")),
        }
    }

    async fn bind(&self) -> io::Result<Bound> {
        let smsc = &self.smsc;
        let tcp = TcpStream::connect((smsc.host.as_str(), smsc.port)).await?;
        tcp.set_nodelay(true)?;
        let mut wire: Box<dyn Wire> = match &smsc.tls {
            None => Box::new(tcp),
            Some(tls) => {
                let name = ServerName::try_from(smsc.host.clone()).map_err(io::Error::other)?;
                let connector = tokio_rustls::TlsConnector::from(tls.clone());
                Box::new(connector.connect(name, tcp).await?)
            }
        };
        let bind = Bind {
            system_id: smsc.system_id.clone(),
            password: smsc.password.expose_secret().to_owned(),
            system_type: smsc.system_type.clone(),
        };
        wire.write_all(&Pdu::request(1, Body::Bind(bind)).write()).await?;
        wire.flush().await?;
        let mut octets = Vec::new();
        loop {
            let answer = next(&mut octets)?;
            match answer {
                Some(Pdu { body: Body::BindAnswer(_), status: Status::OK, .. }) => break,
                Some(Pdu { body: Body::BindAnswer(_) | Body::Nack, status, .. }) => {
                    return Err(io::Error::other(format!("the bind was refused: {status}")));
                }
                Some(_) => {}
                None => fill(&mut wire, &mut octets).await?,
            }
        }
        Ok((wire, octets))
    }

    /// Serves a bound connection; says why it ended.
    async fn serve(
        &mut self,
        (wire, octets): Bound,
        stop: &mut watch::Receiver<bool>,
    ) -> io::Error {
        let (mut reader, mut writer) = tokio::io::split(wire);
        let mut pending = Pending::new();
        let ended = self.talk(&mut reader, &mut writer, (&mut pending, octets), stop).await;
        let why = ended.err().unwrap_or_else(|| io::Error::other("the SMSC unbound"));
        pending.abandon(&format!("the connection ended before the answer: {why}"));
        why
    }

    async fn talk(
        &mut self,
        reader: &mut (impl AsyncRead + Unpin),
        writer: &mut (impl AsyncWrite + Unpin),
        (pending, mut octets): (&mut Pending, Vec<u8>),
        stop: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        let (mut heard, mut enquired) = (self.since.elapsed(), false);
        let mut not_before = Duration::ZERO;
        loop {
            while let Some(pdu) = next(&mut octets)? {
                if let Some(answer) = self.heed(&pdu, pending).await {
                    say(writer, &answer, self.smsc.timeout).await?;
                }
                if pdu.body == Body::Unbind {
                    return Ok(());
                }
            }
            let now = self.since.elapsed();
            let silence = heard + self.smsc.enquire * if enquired { 2 } else { 1 };
            let alarm = pending.next_overdue().map_or(silence, |at| at.min(silence));
            let free = pending.len() < self.smsc.window && now >= not_before;
            let held = not_before.saturating_sub(now);
            tokio::select! {
                more = fill(reader, &mut octets) => {
                    more?;
                    (heard, enquired) = (self.since.elapsed(), false);
                }
                ask = self.asks.recv(), if free => {
                    let Some(ask) = ask else { return Ok(()) };
                    // Who asked has given up, and asks anew.
                    if ask.answer.is_closed() {
                        continue;
                    }
                    let number = pending.number();
                    pending.ask(number, now + self.smsc.timeout, ask.answer);
                    let pdu = Pdu::request(number, Body::Submit(ask.message));
                    say(writer, &pdu, self.smsc.timeout).await?;
                    not_before = now + Duration::from_secs(1) / self.smsc.rate.max(1);
                }
                () = tokio::time::sleep(held), if !held.is_zero() => {}
                () = tokio::time::sleep(alarm.saturating_sub(now)) => {
                    let now = self.since.elapsed();
                    pending.overdue(now);
                    if now >= silence && enquired {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "it is silent"));
                    }
                    if now >= silence {
                        enquired = true;
                        let pdu = Pdu::request(pending.number(), Body::EnquireLink);
                        say(writer, &pdu, self.smsc.timeout).await?;
                    }
                }
                () = told(stop) => {
                    let pdu = Pdu::request(pending.number(), Body::Unbind);
                    say(writer, &pdu, FAREWELL).await?;
                    return unbound(reader, &mut octets, pending).await;
                }
            }
        }
    }

    /// What is answered to what came, if anything.
    async fn heed(&self, pdu: &Pdu, pending: &mut Pending) -> Option<Pdu> {
        let answer = |status, body| Some(Pdu { status, sequence: pdu.sequence, body });
        match &pdu.body {
            Body::Deliver(message) => answer(self.receipt(message).await, Body::DeliverAnswer),
            Body::EnquireLink => answer(Status::OK, Body::EnquireLinkAnswer),
            Body::Unbind => answer(Status::OK, Body::UnbindAnswer),
            Body::SubmitAnswer(_) | Body::Nack => {
                pending.answered(pdu);
                None
            }
            body if body.is_answer() => None,
            _ => answer(Status::UNKNOWN_COMMAND, Body::Nack),
        }
    }

    /// A receipt is answered once it is durable; else the SMSC sends it again. What phones write is
    /// nobody's here.
    async fn receipt(&self, message: &Message) -> Status {
        let Some(Receipt { id, fate }) = Receipt::of(message) else { return Status::OK };
        let now = self.clock.now();
        let work = move |tx: &mut Tx<'_>| outbox::receipt(tx, &id, fate.word(), now);
        match self.store.write(Lane::Background, work).await {
            Ok(()) => {
                metrics::counter!("kep_sms_receipts_total", "fate" => fate.word()).increment(1);
                Status::OK
            }
            Err(error) => {
                tracing::error!(%error, "a receipt can't be kept");
                TRY_AGAIN
            }
        }
    }
}

/// Writes one; an SMSC that reads nothing for so long is no connection any more.
async fn say(writer: &mut (impl AsyncWrite + Unpin), pdu: &Pdu, limit: Duration) -> io::Result<()> {
    let octets = pdu.write();
    let written = async {
        writer.write_all(&octets).await?;
        writer.flush().await
    };
    let silent = |_| io::Error::new(io::ErrorKind::TimedOut, "the SMSC reads nothing");
    timeout(limit, written).await.map_err(silent)?
}

/// Waits for the end; a sender that is gone means the same.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Hears the last answers before the connection ends.
async fn unbound(
    reader: &mut (impl AsyncRead + Unpin),
    octets: &mut Vec<u8>,
    pending: &mut Pending,
) -> io::Result<()> {
    let last = async {
        loop {
            match next(octets)? {
                Some(Pdu { body: Body::UnbindAnswer, .. }) => return Ok(()),
                Some(pdu) if pdu.body.is_answer() => pending.answered(&pdu),
                Some(_) => {}
                None => fill(reader, octets).await?,
            }
        }
    };
    timeout(FAREWELL, last).await.unwrap_or(Ok(()))
}

/// Takes the first PDU off what came.
fn next(octets: &mut Vec<u8>) -> io::Result<Option<Pdu>> {
    let wrong = |error| io::Error::new(io::ErrorKind::InvalidData, error);
    let Some(whole) = frame(octets).map_err(wrong)? else { return Ok(None) };
    let (length, pdu) = (whole.len(), Pdu::parse(whole).map_err(wrong)?);
    octets.drain(..length);
    Ok(Some(pdu))
}

async fn fill(reader: &mut (impl AsyncRead + Unpin), octets: &mut Vec<u8>) -> io::Result<()> {
    let room = u64::try_from(2 * LONGEST).unwrap_or(u64::MAX);
    match reader.take(room).read_buf(octets).await? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the SMSC hung up")),
        _ => Ok(()),
    }
}

/// `ESME_RX_T_APPN`.
const TRY_AGAIN: Status = Status(0x64);
/// So often a part is offered to an SMSC that is too busy, after pauses that double.
const BUSY: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
const FAREWELL: Duration = Duration::from_secs(2);
