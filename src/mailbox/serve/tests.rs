//! Whole dialogues: the session, the desk and the store together.

mod bounds;
mod compressed;
mod mirror;
mod removed;
mod robust;
mod several;

use super::*;
use crate::mailbox::answer::tests::world::{self, World};
use crate::store::mail::{Kind, Role};
use tokio::io::{AsyncReadExt, DuplexStream};

struct Client {
    stream: DuplexStream,
    heard: Vec<u8>,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
}

/// A client of a connection that is protected already.
fn connect(imap: &Arc<Imap>) -> Client {
    connect_through(imap, 64 << 10)
}

/// Over a line that holds so many octets that nobody has read.
fn connect_through(imap: &Arc<Imap>, line: usize) -> Client {
    let (stream, mut theirs) = tokio::io::duplex(line);
    let (stop, stopped) = watch::channel(false);
    let imap = Arc::clone(imap);
    let served = tokio::spawn(async move {
        let peer = SocketAddr::from(([127, 0, 0, 1], 9));
        // A client that hangs up is no failure.
        let _ = Talk::new(&imap, Begin::Tls, peer, stopped).converse(&mut theirs).await;
    });
    Client { stream, heard: Vec::new(), stop, served }
}

fn imap(world: &World) -> Arc<Imap> {
    imap_with(world, UPLOAD)
}

fn imap_with(world: &World, upload: Duration) -> Arc<Imap> {
    imap_at(Arc::clone(&world.office), upload)
}

fn imap_at(office: Arc<crate::mailbox::answer::Office>, upload: Duration) -> Arc<Imap> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(rustls::server::ResolvesServerCertUsingSni::new()));
    let in_force = Arc::new(InForce { config: Arc::new(config), end_point: None });
    let silence = crate::mailbox::session::AUTOLOGOUT;
    let manners = Manners { connections: 4, per_address: 2, silence, upload, withheld: Vec::new() };
    Imap::new(office, Arc::new(move || Arc::clone(&in_force)), manners, Vec::new())
}

impl Client {
    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads until a line starts with the text; says all that came with it.
    async fn until(&mut self, text: &str) -> String {
        loop {
            let heard = String::from_utf8_lossy(&self.heard).into_owned();
            let lines = heard.split_inclusive("\r\n").filter(|line| line.ends_with('\n'));
            let ends = lines.scan(0, |end, line| {
                *end += line.len();
                Some((*end, line))
            });
            if let Some((end, _)) = { ends }.find(|(_, line)| line.starts_with(text)) {
                self.heard.drain(..end);
                return heard[..end].to_owned();
            }
            let count = self.stream.read_buf(&mut self.heard).await.unwrap();
            assert!(count > 0, "hung up before {text:?}; heard {heard:?}");
        }
    }

    async fn command(&mut self, text: &str) -> String {
        self.send(&format!("t {text}\r\n")).await;
        self.until("t ").await
    }

    async fn log_in(&mut self, user: &str) {
        assert!(self.command(&format!("LOGIN {user} x")).await.contains("t OK"));
    }
}

async fn embedded() -> (tempfile::TempDir, World) {
    let place = tempfile::tempdir().unwrap();
    let world = World::embedded(&place).await;
    (place, world)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idling_client_hears_of_new_mail() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    assert!(client.command("SELECT INBOX").await.contains("* 0 EXISTS"));
    client.send("i IDLE\r\n").await;
    client.until("+ ").await;
    for count in 1..=3 {
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
        client.until(&format!("* {count} EXISTS")).await;
    }
    client.send("DONE\r\n").await;
    client.until("i OK").await;
    // What comes between two IDLEs is told at the second.
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    client.send("i IDLE\r\n").await;
    client.until("* 4 EXISTS").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stub_moved_to_be_opened_comes_back_whole() {
    let (_place, world) = embedded().await;
    world.deliver("m1@hs05.kep.tr", true).await;
    let mut client = connect(&imap(&world));
    client.log_in("veli").await;
    client.command("SELECT INBOX").await;
    assert!(client.command("UID FETCH 1 (BODY[TEXT])").await.contains("iletiniz"));
    let moved = client.command("UID MOVE 1 \"A&AOcBMQ-lacaklar\"").await;
    assert!(moved.contains("t OK"), "{moved}");
    assert!(client.command("NOOP").await.contains("t OK"));
    let whole = client.command("UID FETCH 2 (BODY.PEEK[])").await;
    assert!(whole.contains(world::ORIGINAL), "{whole}");
    assert_eq!(world.facts().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_dispatch_is_listed_unopened_and_fetched_opened() {
    let (_place, world) = embedded().await;
    world.deliver("m1@hs05.kep.tr", false).await;
    let mut client = connect(&imap(&world));
    client.log_in("veli").await;
    client.command("SELECT INBOX").await;
    let listed = "FETCH 1 (UID FLAGS ENVELOPE BODYSTRUCTURE RFC822.SIZE BODY.PEEK[HEADER])";
    let listed = client.command(listed).await;
    assert!(listed.contains("t OK") && !listed.contains("spanak"), "{listed}");
    assert!(client.command("SEARCH BODY spanak").await.contains("* SEARCH\r\n"));
    assert_eq!(world.facts().await, 0);
    assert!(client.command("FETCH 1 (BODY.PEEK[])").await.contains(world::ORIGINAL));
    assert_eq!(world.facts().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_appended_in_pieces_is_listed_by_another_client() {
    let (_place, world) = embedded().await;
    let imap = imap(&world);
    let mut client = connect(&imap);
    client.log_in("ali").await;
    let mail = world::ORIGINAL;
    client.send(&format!("t APPEND Taslaklar (\\Draft) {{{}}}\r\n", mail.len())).await;
    client.until("+ ").await;
    for chunk in mail.as_bytes().chunks(7) {
        client.stream.write_all(chunk).await.unwrap();
    }
    client.send("\r\n").await;
    assert!(client.until("t ").await.contains("t OK [APPENDUID 7 1]"));
    let mut other = connect(&imap);
    other.log_in("ali").await;
    assert!(other.command("SELECT Taslaklar").await.contains("* 1 EXISTS"));
    assert!(other.command("FETCH 1 (FLAGS BODY.PEEK[])").await.contains(mail));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_trickles_in_is_cut_off_and_another_connection_goes_on() {
    let (_place, world) = embedded().await;
    let imap = imap_with(&world, Duration::from_millis(50));
    let mut client = connect(&imap);
    client.log_in("ali").await;
    client.send("t APPEND Taslaklar {1000000+}\r\nSubject: x\r\n").await;
    // It never falls silent for long.
    let trickling = async {
        while client.stream.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(30), trickling).await.unwrap();
    let mut other = connect(&imap);
    other.log_in("ali").await;
    assert!(other.command("SELECT Taslaklar").await.contains("* 0 EXISTS"));
}

#[test]
fn within_a_command_there_is_less_patience() {
    use crate::mailbox::ask::{Answer, Ask, LoggedIn};
    let mut session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(b"a LOGIN x y\r\n");
    let run = |session: &mut Session, octets: &[u8]| {
        session.feed(octets);
        loop {
            match session.next() {
                Next::Send(_) => {}
                Next::Ask(Ask::Login(_)) => {
                    let account = crate::wire::AccountId(1);
                    session.answer(Answer::LoggedIn(LoggedIn {
                        account,
                        signature: None,
                        notice: None,
                    }));
                }
                Next::Ask(_) => session.answer(Answer::Done),
                Next::Read => return (session.patience(), session.upload()),
                other => panic!("{other:?}"),
            }
        }
    };
    use crate::mailbox::session::{AUTOLOGOUT, STALLED};
    assert_eq!(run(&mut session, b""), (AUTOLOGOUT, None));
    assert_eq!(run(&mut session, b"b NO"), (STALLED, None));
    assert_eq!(run(&mut session, b"OP\r\n"), (AUTOLOGOUT, None));
    assert_eq!(run(&mut session, b"c SELECT {5}\r\n"), (STALLED, None));
    session = Session::new(Config { tls: Tls::Active, id: Vec::new() });
    session.feed(b"a LOGIN x y\r\n");
    assert_eq!(run(&mut session, b"d APPEND x {5}\r\nab"), (STALLED, Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_says_goodbye() {
    let (_place, world) = embedded().await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    client.send("i IDLE\r\n").await;
    client.until("+ ").await;
    client.stop.send(true).unwrap();
    client.until("* BYE").await;
    client.served.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_connections_are_turned_away() {
    let (_place, world) = embedded().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, Begin::Clear, imap(&world), stopped));
    let mut open = Vec::new();
    for expected in ["* OK", "* OK", "* BYE"] {
        let mut tcp = TcpStream::connect(at).await.unwrap();
        let mut greeting = [0; 5];
        tcp.read_exact(&mut greeting).await.unwrap();
        assert!(greeting.starts_with(expected.as_bytes()), "{greeting:?}");
        open.push(tcp);
    }
    stop.send(true).unwrap();
    serving.await.unwrap();
}

mod gathered;
