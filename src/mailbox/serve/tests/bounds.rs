//! What few octets may cost, and what many connections may.

use super::*;

/// Where every second message is gone, `1:*` is a set of as many ranges as there are messages.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_10_sets_that_are_too_much_together_are_refused() {
    let (_place, world) = embedded().await;
    for _ in 0..150 {
        world.put(world.ali, Role::Inbox, world::STUB, Kind::Plain).await;
    }
    let mut client = connect(&imap(&world));
    client.log_in("ali").await;
    client.command("SELECT INBOX").await;
    let second: Vec<_> = (1..=75).map(|n| (2 * n).to_string()).collect();
    client.command(&format!("UID STORE {} +FLAGS.SILENT (\\Deleted)", second.join(","))).await;
    assert!(client.command("EXPUNGE").await.contains("t OK"));
    assert!(client.command("UID SEARCH RETURN (SAVE) ALL").await.contains("t OK"));
    for set in ["1:*", "UID 1:*", "$"] {
        let keys = |count| vec![set; count].join(" ");
        let said = client.command(&format!("SEARCH RETURN (COUNT) {}", keys(20))).await;
        assert!(said.contains("COUNT 75\r\n"), "{set}: {said}");
        for command in ["UID SEARCH", "SORT (SIZE) UTF-8", "ESEARCH IN (selected) RETURN (COUNT)"] {
            let said = client.command(&format!("{command} {}", keys(950))).await;
            assert!(said.starts_with("t NO [LIMIT]"), "{command} {set}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_says_nothing_is_sent_away_wherever_he_stopped() {
    let (_place, world) = embedded().await;
    let mut imap = imap(&world);
    Arc::get_mut(&mut imap).unwrap().silence = Duration::from_millis(200);
    for said in [
        "",
        "a NO",
        "a LOGIN {3}\r\n",
        "a AUTHENTICATE PLAIN\r\n",
        "a LOGIN ali x\r\n",
        "a LOGIN ali x\r\nb SELECT INBOX\r\nc IDLE\r\n",
        "a LOGIN ali x\r\nb APPEND INBOX {99}\r\nSubject: x\r\n",
    ] {
        let mut client = connect(&imap);
        client.send(said).await;
        let mut heard = String::new();
        client.stream.read_to_string(&mut heard).await.unwrap();
        // In the middle of a message it would be taken for something else.
        let amid = said.contains("APPEND");
        assert_eq!(heard.ends_with("* BYE Autologout\r\n"), !amid, "{said}: {heard}");
        drop(client.stream);
        client.served.await.unwrap();
    }
    let mut client = connect(&super::imap(&world));
    client.log_in("ali").await;
    assert!(client.command("STATUS INBOX (MESSAGES)").await.contains("MESSAGES 0"));
}

/// A peer that never begins TLS has its seat, and no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handshakes_that_do_not_come_take_their_seats_alone_and_hold_up_no_stop() {
    let (_place, world) = embedded().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(serve(listener, Begin::Tls, imap(&world), stopped));
    // What speaks no TLS hears an alert (RFC 8446 §6) if it was let in.
    let let_in = || async {
        let mut tcp = TcpStream::connect(at).await.unwrap();
        let mut heard = Vec::new();
        // One that is turned away is reset, perhaps.
        let _ = tcp.write_all(b"a LOGIN ali x\r\n").await;
        let _ = tcp.read_to_end(&mut heard).await;
        heard.first() == Some(&21)
    };
    let one = TcpStream::connect(at).await.unwrap();
    let mut other = TcpStream::connect(at).await.unwrap();
    assert!(!let_in().await);
    drop(one);
    while !let_in().await {}
    stop.send(true).unwrap();
    serving.await.unwrap();
    assert!(matches!(other.read(&mut [0]).await, Ok(0) | Err(_)));
}
