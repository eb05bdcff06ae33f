//! Peers that are slow, gone or waited for, over real sockets where that makes a difference.

use super::*;
use crate::mailbox::answer::{Admitted, Judging, Limits, Office, Peer};
use crate::mailbox::ask::Login;
use crate::wire::Timestamp;
use std::net::Shutdown;

/// A server on a socket without TLS, whose sessions are told that they are protected.
struct Listening {
    at: SocketAddr,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
}

async fn listen(imap: Arc<Imap>) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, mut stopped) = watch::channel(false);
    let served = tokio::spawn(async move {
        let mut talks = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let (mut tcp, peer) = accepted.unwrap();
                    let (imap, stop) = (Arc::clone(&imap), stopped.clone());
                    talks.spawn(async move {
                        // A client that hangs up is no failure.
                        let _ = Talk::new(&imap, Begin::Tls, peer, stop).converse(&mut tcp).await;
                    });
                }
                _ = stopped.changed() => break,
            }
        }
        while talks.join_next().await.is_some() {}
    });
    Listening { at, stop, served }
}

struct Socket {
    tcp: TcpStream,
    heard: Vec<u8>,
}

impl Socket {
    async fn connect(at: SocketAddr) -> Self {
        Self { tcp: TcpStream::connect(at).await.unwrap(), heard: Vec::new() }
    }

    async fn send(&mut self, text: &str) {
        self.tcp.write_all(text.as_bytes()).await.unwrap();
    }

    async fn until(&mut self, text: &str) -> String {
        loop {
            let heard = String::from_utf8_lossy(&self.heard).into_owned();
            let whole = heard.rfind("\r\n").map_or("", |end| &heard[..end + 2]);
            if whole.lines().any(|line| line.starts_with(text)) {
                self.heard.clear();
                return heard;
            }
            let count = self.tcp.read_buf(&mut self.heard).await.unwrap();
            assert!(count > 0, "hung up before {text:?}; heard {heard:?}");
        }
    }

    async fn log_in(&mut self) {
        self.send("l LOGIN ali x\r\n").await;
        assert!(self.until("l ").await.contains("l OK"));
    }
}

/// The socket's buffers fill, the server waits, and ends it after a time; what it reads ahead for such
/// a client is one answer's worth.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_asks_for_much_and_reads_nothing_is_ended_and_holds_up_nobody() {
    let (_place, world) = embedded().await;
    let large = format!("Subject: x\r\n\r\n{}", "0123456789abcdef".repeat(60_000));
    world.put(world.ali, Role::Inbox, &large, Kind::Plain).await;
    let mut imap = imap(&world);
    Arc::get_mut(&mut imap).unwrap().write = Duration::from_millis(300);
    let listening = listen(imap).await;
    let mut slow = Socket::connect(listening.at).await;
    slow.log_in().await;
    slow.send("s SELECT INBOX\r\n").await;
    slow.until("s OK").await;
    // Fifty times a megabyte.
    let begun = Instant::now();
    slow.send(&"f FETCH 1 (BODY.PEEK[])\r\n".repeat(50)).await;
    let mut other = Socket::connect(listening.at).await;
    other.log_in().await;
    other.send("o SELECT INBOX\r\no FETCH 1 (BODY.PEEK[]<0.10>)\r\nn NOOP\r\n").await;
    other.until("n OK").await;
    // It is ended without anybody's doing: what is left in the socket is far from all.
    let mut got = Vec::new();
    let end = async {
        // Nothing is read until the other side gave up.
        while !slow.tcp.peek(&mut [0; 1]).await.is_ok_and(|_| begun.elapsed() > WAITED) {
            tokio::task::yield_now().await;
        }
        // A reset is an end, too.
        let _ = slow.tcp.read_to_end(&mut got).await;
    };
    timeout(Duration::from_secs(60), end).await.unwrap();
    assert!(got.len() < 40 << 20, "{} octets", got.len());
    other.send("p NOOP\r\n").await;
    other.until("p OK").await;
    listening.stop.send(true).unwrap();
    other.until("* BYE").await;
    listening.served.await.unwrap();
}

/// Longer than a write may take in that test.
const WAITED: Duration = Duration::from_millis(900);

/// Who closed one half is answered as far as he asked; then both are closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_open_connection_is_answered_and_closed() {
    let (_place, world) = embedded().await;
    let listening = listen(imap(&world)).await;
    for (said, answered) in [
        ("a LOGIN ali x\r\nb SELECT INBOX\r\nc NOOP\r\n", "c OK"),
        ("a LOGIN ali x\r\nb SELECT INBOX\r\nc IDLE\r\n", "+ idling"),
        ("a LOGIN ali x\r\nb APPEND INBOX {99+}\r\nSubject: x\r\n", "a OK"),
        ("a NO", "* OK"),
        ("", "* OK"),
    ] {
        let mut half = Socket::connect(listening.at).await;
        half.send(said).await;
        let tcp = half.tcp.into_std().unwrap();
        tcp.shutdown(Shutdown::Write).unwrap();
        let mut tcp = TcpStream::from_std(tcp).unwrap();
        let mut heard = String::new();
        let read = tcp.read_to_string(&mut heard);
        timeout(Duration::from_secs(60), read).await.unwrap().unwrap();
        assert!(heard.contains(answered), "{said}: {heard}");
    }
    let mut other = Socket::connect(listening.at).await;
    other.log_in().await;
    other.send("s STATUS INBOX (MESSAGES)\r\n").await;
    assert!(other.until("s OK").await.contains("MESSAGES 0"));
}

/// A client that waits in IDLE hears that the server goes, comes back, and finds what it knew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_goes_on_after_a_restart_of_the_server() {
    let (_place, world) = embedded().await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    let mut known = String::new();
    for round in 1..=3 {
        let listening = listen(imap(&world)).await;
        let mut client = Socket::connect(listening.at).await;
        client.log_in().await;
        client.send("q ENABLE QRESYNC\r\n").await;
        client.until("q OK").await;
        client.send(&format!("s SELECT INBOX{known}\r\n")).await;
        let said = client.until("s OK").await;
        assert!(said.contains(&format!("* {round} EXISTS")), "{said}");
        client.send("i IDLE\r\n").await;
        client.until("+ ").await;
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
        client.until(&format!("* {} EXISTS", round + 1)).await;
        listening.stop.send(true).unwrap();
        client.until("* BYE").await;
        listening.served.await.unwrap();
        known = " (QRESYNC (7 1))".to_owned();
    }
}

/// A door that never opens, as one that makes whoever guesses wait.
fn locked(world: &World) -> Arc<Imap> {
    let gate = |_: Login, _: Peer| Box::pin(std::future::pending()) as Judging<Admitted>;
    let limits = Limits { message: 1 << 20, incoming: 4 << 20, storage: None };
    let now = || -> Timestamp { world::NOW };
    let office = Office::new(world.store.clone(), Arc::new(gate), Arc::new(now), limits);
    imap_at(office, UPLOAD)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_waits_for_a_login_hears_at_once_that_the_server_stops() {
    let (_place, world) = embedded().await;
    let imap = locked(&world);
    for login in ["LOGIN ali wrong", "AUTHENTICATE PLAIN AGFsaQB3cm9uZw=="] {
        let mut client = connect(&imap);
        client.until("* OK").await;
        client.send(&format!("t {login}\r\n")).await;
        client.stop.send(true).unwrap();
        assert_eq!(client.until("* BYE").await, "* BYE Server is going down\r\n");
        client.served.await.unwrap();
    }
}

/// Before a login and after it, announced and sent unasked: an answer, or the end of the line, and no
/// memory for what was announced.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn literal_bombs_are_refused_or_end_the_connection() {
    let (_place, world) = embedded().await;
    let listening = listen(imap(&world)).await;
    for (login, said, answer, ends) in [
        (false, "b LOGIN {4294967296}\r\n", "b BAD Literal too big", false),
        (false, "b LOGIN {18446744073709551615}\r\n", "b BAD Literal too big", false),
        (false, "b LOGIN {99999999999999999999999}\r\n", "b BAD Literal too big", false),
        (false, "b LOGIN {99999999999999999999999+}\r\n", "* BYE Literal too big", true),
        (false, "b LOGIN {4294967295+}\r\n", "* BYE Literal too big", true),
        (false, "b APPEND INBOX {4294967295+}\r\n", "* BYE Literal too big", true),
        (false, "b APPEND INBOX {4294967295}\r\n", "b BAD Log in first", false),
        (true, "b APPEND INBOX {4294967295}\r\n", "b NO [TOOBIG]", false),
        (true, "b APPEND INBOX {18446744073709551615}\r\n", "b NO [TOOBIG]", false),
        (true, "b APPEND INBOX {4294967295+}\r\n", "* BYE Literal too big", true),
        (true, "b APPEND INBOX ~{4294967295+}\r\n", "* BYE Literal too big", true),
        (true, "b SELECT {4294967295+}\r\n", "* BYE Literal too big", true),
        (true, "b SEARCH TEXT {140000}\r\n", "b BAD Literal too big", false),
        (true, "b SETMETADATA INBOX (/private/x ~{4294967295+}\r\n", "* BYE Literal too big", true),
        (true, "b APPEND INBOX CATENATE (TEXT {4294967295+}\r\n", "* BYE Literal too big", true),
    ] {
        let mut client = Socket::connect(listening.at).await;
        client.until("* OK").await;
        if login {
            client.log_in().await;
        }
        client.send(said).await;
        client.until(answer).await;
        match ends {
            true => {
                let mut rest = Vec::new();
                client.tcp.read_to_end(&mut rest).await.unwrap();
            }
            false => {
                client.send("\r\nn NOOP\r\n").await;
                client.until("n OK").await;
            }
        }
    }
}

/// Whatever a name says, and whichever command says it: no mailbox but the account's own is reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_play_tricks_reach_nothing_by_any_command() {
    let (_place, world) = embedded().await;
    world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    world.put(world.veli, Role::Inbox, world::STUB, Kind::Plain).await;
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    let long = format!("\"{}\"", "a".repeat(256));
    let deep = format!("\"{}\"", ["a"; 100].join("/"));
    let names = [
        "../veli/INBOX",
        "/etc/passwd",
        "\"a/../b\"",
        "\"./a\"",
        "\"a//b\"",
        "\"a\0b\"",
        "\"a\u{1}b\"",
        "\"a%\"",
        "\"a*\"",
        "\"&A-\"",
        "\"&AOc\"",
        "\"&AGE-\"",
        "\"&2D0-\"",
        "\"&AC8-\"",
        "\"\\\0\"",
        "{3+}\r\na\0b",
        "{3+}\r\n..\n",
        "\"\"",
        &long,
        &deep,
    ];
    for name in names {
        for command in [
            format!("CREATE {name}"),
            format!("DELETE {name}"),
            format!("RENAME {name} b"),
            format!("RENAME INBOX {name}"),
            format!("EXAMINE {name}"),
            format!("STATUS {name} (MESSAGES)"),
            format!("SUBSCRIBE {name}"),
            format!("UID COPY 1 {name}"),
            format!("UID MOVE 1 {name}"),
            format!("APPEND {name} {{1+}}\r\nx"),
            format!("GETACL {name}"),
            format!("MYRIGHTS {name}"),
            format!("GETQUOTAROOT {name}"),
            format!("SETMETADATA {name} (/shared/x \"1\")"),
        ] {
            let said = client.command(&command).await;
            let refused = said.starts_with("t NO ") || said.starts_with("t BAD ");
            // EXAMINE has left INBOX, whether or not.
            assert!(
                refused || said.starts_with("* OK [CLOSED]") && said.contains("\r\nt NO "),
                "{command:?}: {said}"
            );
            if command.starts_with("EXAMINE") {
                assert!(client.command("SELECT INBOX").await.contains("* 1 EXISTS"), "{command:?}");
            }
            client.command("NOOP").await;
        }
        let said = client.command(&format!("LIST {name} *")).await;
        assert!(!said.contains("* LIST") || name == "\"\"", "{name:?}: {said}");
    }
    let mut veli = connect(&imap(&world));
    veli.log_in("veli").await;
    assert!(veli.command("SELECT INBOX").await.contains("* 1 EXISTS"));
}

/// A set as long as a line may be, and one octet more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sets_up_to_the_longest_line_are_answered_soon() {
    let (_place, world) = embedded().await;
    for _ in 0..3 {
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    }
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    let all = ["1:*"; 16_000].join(",");
    let far: Vec<_> = (1..9_000).map(|n| (n * 2).to_string()).collect();
    let far = far.join(",");
    for (command, answers) in [
        (format!("UID FETCH {all} (UID)"), 3),
        (format!("FETCH {all} (UID)"), 3),
        (format!("UID FETCH {far} (UID)"), 1),
        (format!("UID STORE {all} +FLAGS (\\Seen)"), 3),
        (format!("UID SEARCH UID {all} NOT UID {far}"), 1),
        (format!("UID COPY {far} Taslaklar"), 0),
        (format!("UID EXPUNGE {all}"), 0),
    ] {
        let command = command.get(..65_000).unwrap_or(&command);
        let begun = Instant::now();
        let said = client.command(command).await;
        assert!(said.contains("t OK"), "{}…: {said}", &command[..30]);
        let untagged = said.lines().filter(|line| line.starts_with("* ")).count();
        assert_eq!(untagged, answers, "{}…: {said}", &command[..30]);
        assert!(begun.elapsed() < Duration::from_secs(20), "{}…", &command[..30]);
    }
    let said = client.command(&format!("UID FETCH {} (UID)", ["1:*"; 17_000].join(","))).await;
    assert!(said.contains("t BAD Line too long"), "{said}");
    let deep = format!("SEARCH {}ALL{}", "(".repeat(30_000), ")".repeat(30_000));
    assert!(client.command(&deep).await.contains("t BAD"));
    let nots = format!("SEARCH {}ALL", "NOT ".repeat(16_000));
    assert!(client.command(&nots).await.contains("t BAD"));
    let ors = format!("SEARCH {}ALL", "OR ALL ".repeat(9_000));
    assert!(client.command(&ors).await.contains("t BAD"));
    assert!(client.command("NOOP").await.contains("t OK"));
}
