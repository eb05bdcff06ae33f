//! Many mails and several providers: order, fairness, windows, crashes. Nothing here measures time.

use super::super::carry::Task;
use super::super::lines::MAILS;
use super::super::*;
use super::pass;
use super::peer::{self, Peer as Server};
use super::world::{DAY, PATIENCE, World, patience};
use crate::deliver::dialogue::Outcome;
use crate::registry::peers;
use crate::spool::Fact;
use crate::store::providers::ProviderRow;
use crate::store::relay::{Kind, NewRelay, Trouble};
use crate::store::submissions::RecipientState;

/// A port that nobody listens on.
async fn nobody() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn texts(mails: &[Vec<u8>]) -> Vec<String> {
    let line = |mail: &Vec<u8>| String::from_utf8_lossy(mail).lines().next().unwrap().to_owned();
    mails.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_mails_for_a_dead_provider_keep_nobody_waiting() {
    let world = World::with(patience(), 1).await;
    let living = Server::willing().await;
    world.register_at("hs01.kep.tr", nobody().await, |_| {}).await;
    world.register("hs02.kep.tr", &living).await;
    for n in 0..1_000 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    for n in 1_000..1_020 {
        world.message(n, &["b@hs02.kep.tr"]).await;
    }
    pass(&world.relay).await;
    let heard = living.heard();
    let wanted: Vec<_> = (1_000..1_020).map(|n| format!("Message-ID: <{n}@hs05.kep.tr>")).collect();
    assert_eq!(texts(&heard.mails), wanted, "in the order they came");
    assert_eq!(heard.connections, 1, "one connection serves them all");
    let waiting = world.queue().await;
    assert_eq!(waiting.len(), 1_000);
    assert!(waiting.iter().all(|queued| queued.attempts == 0), "none of them was touched");
    assert_eq!(world.health("hs01.kep.tr").await.failures, 1, "one mail was risked");
    // Nobody asks again before its time, and then by one mail only.
    pass(&world.relay).await;
    assert_eq!(world.health("hs01.kep.tr").await.failures, 1);
    world.clock.advance(20_000);
    pass(&world.relay).await;
    assert_eq!(world.health("hs01.kep.tr").await.failures, 2);
    // A day later each sender hears of it.
    world.clock.advance(DAY * 1000);
    pass(&world.relay).await;
    assert_eq!(world.queue().await.len(), 0);
    let facts = world.facts().await;
    assert_eq!(facts.len(), 1_000);
    assert!(facts.iter().all(|fact| matches!(fact,
        Fact::RelayFailed { reason, window: true, .. } if reason.ends_with("#R_REMMD_Unreachable"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_comes_back_gets_all_that_waited() {
    for world in World::both(2).await {
        comes_back(&world).await;
    }
}

async fn comes_back(world: &World) {
    let server = Server::willing().await;
    let right = peers::written(&[server.pin()]);
    world.register_at("hs01.kep.tr", nobody().await, |_| {}).await;
    for n in 0..9 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    pass(&world.relay).await;
    assert!(world.health("hs01.kep.tr").await.is_down());
    world.register_at("hs01.kep.tr", server.port, |row| row.tls_pins = right.clone()).await;
    pass(&world.relay).await;
    assert_eq!(server.heard().connections, 0, "it is asked when its time has come");
    world.clock.advance(20_000);
    pass(&world.relay).await;
    let heard = server.heard();
    assert_eq!(texts(&heard.mails)[0], "Message-ID: <0@hs05.kep.tr>");
    assert_eq!((heard.mails.len(), world.queue().await.len()), (9, 0));
    assert!(!world.health("hs01.kep.tr").await.is_down());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_has_no_more_connections_than_it_may_and_each_mail_once() {
    for world in World::both(3).await {
        forty(&world).await;
    }
}

async fn forty(world: &World) {
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    for n in 0..40 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    pass(&world.relay).await;
    let heard = server.heard();
    let mut mails = texts(&heard.mails);
    mails.sort_unstable();
    mails.dedup();
    assert_eq!((mails.len(), heard.mails.len(), world.queue().await.len()), (40, 40, 0));
    assert!((1..=3).contains(&heard.most), "{} at once", heard.most);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_keeps_nobody_waiting() {
    let world = World::with(patience(), 1).await;
    let hung = Server::speaking(vec![peer::parse("SILENCE")]).await;
    let living = Server::willing().await;
    world.register("hs01.kep.tr", &hung).await;
    world.register("hs02.kep.tr", &living).await;
    world.message(1, &["a@hs01.kep.tr"]).await;
    for n in 2..12 {
        world.message(n, &["b@hs02.kep.tr"]).await;
    }
    let (_tell, stop) = watch::channel(false);
    let running = tokio::spawn(Arc::clone(&world.relay).run(stop));
    // The first one is not answered all the while.
    while living.heard().mails.len() < 10 || hung.heard().connections < 1 {
        tokio::task::yield_now().await;
    }
    let waiting = world.queue().await;
    assert!(waiting.iter().any(|queued| queued.provider.as_str() == "hs01.kep.tr"));
    running.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_dispatch_goes_to_each_provider_for_all_its_recipients() {
    let world = World::new().await;
    let (one, other) = (Server::willing().await, Server::willing().await);
    world.register("hs01.kep.tr", &one).await;
    world.register("hs02.kep.tr", &other).await;
    let to = ["a@hs01.kep.tr", "b@hs02.kep.tr", "c@kurum.hs01.kep.tr"];
    let id = world.message(1, &to).await;
    assert_eq!(world.queue().await.len(), 2);
    pass(&world.relay).await;
    assert_eq!((one.heard().mails.len(), other.heard().mails.len()), (1, 1));
    let states: Vec<_> = to.iter().map(|to| format!("{to} relayed")).collect();
    assert_eq!(world.states(&id).await, states);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_between_the_answer_and_our_row_sends_the_same_mail_again() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    let queued = world.queue().await.pop().unwrap();
    let Task::Send(load) = world.relay.load(&queued).await.unwrap() else { panic!("it is due") };
    let (report, _) = world.relay.send(&load, &mut None).await.unwrap();
    assert!(matches!(report.recipients[0].1, Outcome::Accepted(_)), "the other one has it");
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr accepted"], "and we don't know it");
    pass(&world.again()).await;
    let mails = server.heard().mails;
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0], mails[1], "octet for octet, its Message-ID too");
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr relayed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_is_not_sent_and_its_window_ends_all_the_same() {
    for world in World::both(4).await {
        held_and_free(&world).await;
    }
}

async fn held_and_free(world: &World) {
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let held = world.message(1, &["a@hs01.kep.tr"]).await;
    let id = world.queue().await[0].id;
    world.write(move |tx| queue::hold(tx, id).map(drop)).await;
    let free = world.message(2, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    assert_eq!(world.states(&held).await, ["a@hs01.kep.tr accepted"]);
    assert_eq!(world.states(&free).await, ["a@hs01.kep.tr relayed"]);
    world.clock.advance(DAY * 1000);
    pass(&world.relay).await;
    let ended = "a@hs01.kep.tr relay-failed window R_REMMD_Unreachable";
    assert_eq!(world.states(&held).await, [ended]);
    let at = world.facts().await[0].at();
    let since = world.clock.now().plus_secs(-DAY);
    assert!(at <= world.clock.now() && at.millis() >= since.millis(), "when it was due");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_for_a_provider_waits_while_that_is_held_or_suspended() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    let domain = KepDomain::parse("hs01.kep.tr").unwrap();
    let hold = |held: bool| {
        let domain = domain.clone();
        world.write(move |tx| queue::set_held(tx, &domain, held))
    };
    let pin = peers::written(&[server.pin()]);
    let state = |word: &'static str| {
        world.register_at("hs01.kep.tr", server.port, |row: &mut ProviderRow| {
            row.tls_pins.clone_from(&pin);
            row.state = word.into();
        })
    };
    hold(true).await;
    pass(&world.relay).await;
    hold(false).await;
    state("suspended").await;
    pass(&world.relay).await;
    assert_eq!(server.heard().connections, 0);
    state("active").await;
    pass(&world.relay).await;
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr relayed"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_a_provider_that_closes_fails_at_once() {
    let world = World::new().await;
    world.register_at("hs01.kep.tr", nobody().await, |row| row.state = "closed".into()).await;
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    let failed =
        "a@hs01.kep.tr relay-failed R_REMMD_NotIdentified the provider has ceased to serve";
    assert_eq!(world.states(&id).await, [failed]);
    assert_eq!(world.queue().await.len(), 0);
}

/// Whoever closed it, and whenever it was held: a list closes as a command does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_held_for_a_provider_that_is_closed_comes_to_its_end() {
    for world in World::both(2).await {
        let port = nobody().await;
        world.register_at("hs01.kep.tr", port, |_| {}).await;
        let first = world.message(1, &["a@hs01.kep.tr"]).await;
        evidence_mail(&world).await;
        let hold_all = async || {
            world
                .write(|tx| {
                    let all = queue::list(tx, None, 100)?;
                    all.iter().try_for_each(|one| queue::hold(tx, one.id).map(drop))
                })
                .await;
        };
        hold_all().await;
        let hold =
            |tx: &mut Tx<'_>| queue::set_held(tx, &KepDomain::parse("hs01.kep.tr").unwrap(), true);
        world.write(hold).await;
        pass(&world.relay).await;
        assert_eq!(world.queue().await.len(), 2, "an operator holds them");
        let failed =
            "a@hs01.kep.tr relay-failed R_REMMD_NotIdentified the provider has ceased to serve";
        world.register_at("hs01.kep.tr", port, |row| row.state = "closed".into()).await;
        pass(&world.relay).await;
        assert_eq!(world.states(&first).await, [failed]);
        assert_eq!(world.queue().await.len(), 0);
        // Sealed before it was known, and held after it.
        let second = world.message(2, &["a@hs01.kep.tr"]).await;
        hold_all().await;
        pass(&world.relay).await;
        assert_eq!(world.states(&second).await, [failed]);
        assert_eq!(world.queue().await.len(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_a_server_that_nothing_tells_apart() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register_at("hs01.kep.tr", server.port, |row| row.tls_pins.clear()).await;
    world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    assert_eq!(server.heard().connections, 0);
    assert_eq!(world.health("hs01.kep.tr").await.trouble, Trouble::NotIdentified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_known_by_its_certificate_by_its_key_or_by_its_issuer() {
    let server = Server::willing().await;
    let (key, whole) = (server.pin(), server.issued.certificate().digest());
    let issuer = server.authority.certificate().pem();
    let other = Server::willing().await.authority.certificate().pem();
    let changes: [(&str, String, bool); 5] = [
        ("pin", peers::written(&[key]), true),
        ("pin", peers::written(&[crate::wire::sha256(b"old"), whole]), true),
        ("pin", peers::written(&[crate::wire::sha256(b"another")]), false),
        ("ca", issuer, true),
        ("ca", other, false),
    ];
    for (kind, value, good) in changes {
        let world = World::new().await;
        world
            .register_at("hs01.kep.tr", server.port, |row| match kind {
                "pin" => row.tls_pins.clone_from(&value),
                _ => {
                    row.tls_pins.clear();
                    row.tls_ca.clone_from(&value);
                }
            })
            .await;
        world.message(1, &["a@hs01.kep.tr"]).await;
        pass(&world.relay).await;
        let health = world.health("hs01.kep.tr").await;
        assert_eq!(world.queue().await.is_empty(), good, "{kind} {value}: {health:?}");
        assert!(good || health.trouble == Trouble::NotIdentified, "{health:?}");
    }
}

/// An evidence mail for hs01, waiting.
async fn evidence_mail(world: &World) -> Vec<u8> {
    let octets = b"Message-ID: <e@hs05.kep.tr>\r\n\r\ndelil\r\n".to_vec();
    let put = world.store.blobs.put(octets.clone()).unwrap();
    let (blobs, now) = (Arc::clone(&world.store.blobs), world.clock.now());
    let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
        let content = crate::store::contents::create_from(tx, &blobs, &[&put])?;
        queue::lay_in(
            tx,
            &NewRelay {
                name: "evidence/_e/hs01.kep.tr",
                provider: &KepDomain::parse("hs01.kep.tr").unwrap(),
                kind: Kind::Evidence,
                message: &crate::wire::MessageId::parse("1@hs01.kep.tr").unwrap(),
                evidence: "_e",
                content,
                now,
            },
        )?;
        Ok(())
    };
    world.store.write(Lane::Client, work).await.unwrap();
    octets
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_of_evidence_goes_to_the_provider_itself_and_leaves_nothing() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let octets = evidence_mail(&world).await;
    pass(&world.relay).await;
    assert_eq!(server.heard().mails, [octets]);
    let left = |tx: &mut Tx<'_>| -> Result<i64, RowsError> {
        tx.one(
            "count",
            "SELECT (SELECT COUNT(*) FROM content) + (SELECT COUNT(*) FROM relay)",
            &[],
        )?
        .int(0)
    };
    assert_eq!(world.store.read(left).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_that_another_worker_has_just_sent_is_not_sent_again_and_empty() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    evidence_mail(&world).await;
    let seen = world.queue().await.remove(0);
    pass(&world.relay).await;
    assert_eq!((server.heard().mails.len(), world.queue().await.len()), (1, 0));
    assert!(matches!(world.relay.load(&seen).await.unwrap(), Task::Idle));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_about_what_was_relayed_ends_once() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let id = world.message(1, &["a@hs01.kep.tr", "b@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    // Word came of the second one meanwhile.
    let heard_of = id.clone();
    world
        .write(move |tx| {
            let sql = "UPDATE recipient SET state = $1 WHERE message_id = $2 AND n = 2";
            let state = RecipientState::Delivered.word();
            tx.execute(sql, &[state.into(), heard_of.as_str().into()]).map(drop)
        })
        .await;
    world.clock.advance(DAY * 1000);
    world.end_silences().await;
    world.end_silences().await;
    let states = world.states(&id).await;
    assert!(
        states[0].starts_with(
            "a@hs01.kep.tr relay-failed window S_ERDSP_ReceivedNoRelayAcceptanceInfoFromR_ERDSP"
        ),
        "{states:?}"
    );
    assert_eq!((states[1].as_str(), world.facts().await.len()), ("b@hs01.kep.tr delivered", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn evidence_that_is_let_go_on_is_tried_for_another_window() {
    for world in World::both(1).await {
        let port = nobody().await;
        world.register_at("hs01.kep.tr", port, |_| {}).await;
        evidence_mail(&world).await;
        let id = world.queue().await[0].id;
        for by_provider in [false, true] {
            world.clock.advance(5 * DAY * 1000);
            pass(&world.relay).await;
            assert!(world.queue().await[0].held, "its window has ended");
            let failures = world.health("hs01.kep.tr").await.failures;
            let (now, domain) = (world.clock.now(), KepDomain::parse("hs01.kep.tr").unwrap());
            world
                .write(move |tx| {
                    let which = if by_provider { Err(&domain) } else { Ok(id) };
                    assert_eq!(queue::release(tx, which, now)?, 1);
                    Ok(())
                })
                .await;
            pass(&world.relay).await;
            assert!(!world.queue().await[0].held, "it waits again");
            assert_eq!(world.health("hs01.kep.tr").await.failures, failures + 1, "tried once");
        }
        let server = Server::willing().await;
        world.register("hs01.kep.tr", &server).await;
        world.clock.advance(DAY * 1000);
        pass(&world.relay).await;
        assert_eq!((server.heard().mails.len(), world.queue().await.len()), (1, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_serves_only_while_its_server_is_known_by_the_same() {
    let world = World::new().await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    let mut open = None;
    for n in 1..=2 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    let queued = world.queue().await;
    for queued in &queued {
        let Task::Send(load) = world.relay.load(queued).await.unwrap() else { panic!("due") };
        world.relay.send(&load, &mut open).await.unwrap();
    }
    assert_eq!((server.heard().connections, server.heard().mails.len()), (1, 2));
    // Its key was taken back in the registry: what is open is of no use any more.
    let other = peers::written(&[crate::wire::sha256(b"another")]);
    world.register_at("hs01.kep.tr", server.port, |row| row.tls_pins.clone_from(&other)).await;
    let Task::Send(load) = world.relay.load(&queued[0]).await.unwrap() else { panic!("due") };
    let sent = world.relay.send(&load, &mut open).await;
    let not_identified = matches!(sent, Err(Unsent::Server(Trouble::NotIdentified, _)));
    assert!(not_identified, "{sent:?}");
    assert_eq!(server.heard().mails.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_cannot_be_read_keeps_nobody_waiting() {
    for world in World::both(1).await {
        let server = Server::willing().await;
        world.register("hs01.kep.tr", &server).await;
        for n in 1..=3 {
            world.message(n, &["a@hs01.kep.tr"]).await;
        }
        let damage = "UPDATE relay SET message_id = 'damaged' WHERE message_id = '1@hs05.kep.tr'";
        world.write(move |tx| tx.execute(damage, &[]).map(drop)).await;
        pass(&world.relay).await;
        assert_eq!(server.heard().mails.len(), 2);
        world.message(4, &["a@hs01.kep.tr"]).await;
        let damage = "UPDATE relay SET provider = '?' WHERE message_id = '4@hs05.kep.tr'";
        world.write(move |tx| tx.execute(damage, &[]).map(drop)).await;
        world.message(5, &["a@hs01.kep.tr"]).await;
        world.clock.advance(DAY * 1000);
        world.message(6, &["a@hs01.kep.tr"]).await;
        pass(&world.relay).await;
        assert_eq!(server.heard().mails.len(), 3, "what has no end waits; the rest goes on");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_stays_open_for_the_next_mail_until_it_has_carried_enough() {
    let lingering = Patience { linger: PATIENCE, ..patience() };
    let world = World::with(lingering, 1).await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    for n in 0..2 {
        world.message(n, &["a@hs01.kep.tr"]).await;
        pass(&world.relay).await;
        assert_eq!((server.heard().connections, server.heard().open), (1, 1));
    }
    for n in 2..=MAILS as u32 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    pass(&world.relay).await;
    assert_eq!((server.heard().connections, server.heard().mails.len()), (2, MAILS + 1));
    // What the registry says of a server counts for connections that rest, too.
    let other = peers::written(&[crate::wire::sha256(b"another")]);
    world.register_at("hs01.kep.tr", server.port, |row| row.tls_pins.clone_from(&other)).await;
    world.message(1_000, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    assert_eq!((server.heard().mails.len(), world.queue().await.len()), (MAILS + 1, 1));
    assert_eq!(world.health("hs01.kep.tr").await.trouble, Trouble::NotIdentified);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_nobody_needs_is_closed() {
    let world = World::with(Patience { linger: PATIENCE, ..patience() }, 1).await;
    let server = Server::willing().await;
    world.register("hs01.kep.tr", &server).await;
    world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    let mut crew = Crew::default();
    world.relay.close_tired(&mut crew, Duration::ZERO);
    crew.all_end().await;
    while server.heard().open > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.heard().mails.len(), 1);
}
