//! Three providers in network namespaces of their own: what the net does to them, every message ends
//! with the right evidence on all sides, and nothing is doubled.

use crate::circuit::Circuit;
use crate::circuit::fault::{At, Fault, Proxy};
use crate::circuit::net;
use crate::imap_script::Dice;
use crate::scene::until;
use std::time::Duration;

/// Runs a test within its own net.
fn in_namespaces(test: impl AsyncFnOnce()) {
    if net::inside() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(test());
    }
}

#[test]
fn cuts_and_half_open_connections_lose_nothing_and_double_nothing() {
    in_namespaces(async || {
        let mut circuit = Circuit::new().await;
        let mut dice = Dice(1);
        // Each kind befalls somebody.
        for ((from, to), kind) in circuit.pairs().into_iter().zip(0..) {
            circuit.proxy(from, to).befall([fault(kind, &mut dice)]);
        }
        all_arrives(&mut circuit, "kesik", None).await;
        let happened = circuit.happened();
        assert!(circuit.proxies().all(|proxy| proxy.left() == 0), "{happened}");
        assert_eq!(happened.matches("struck").count(), 5, "all but the slow one: {happened}");
        circuit.sound().await;
        circuit.stop().await;
    });
}

#[test]
fn who_is_cut_off_gets_it_later_and_who_stays_cut_off_makes_evidence() {
    in_namespaces(async || {
        let mut circuit = Circuit::new().await;
        for (from, to) in circuit.pairs() {
            circuit.straight(from, to).await;
        }
        // Nothing comes out of hs07 and nothing goes in; the two others go on.
        circuit.net.cable(3, false);
        let to_both = circuit.send(A, &[B, C], "kopuk.1").await;
        let from_there = circuit.send(C, &[A, B], "kopuk.2").await;
        circuit.members[A].shows(&to_both, &["delivered", "accepted"]).await;
        circuit.waits(A, C, "unreachable").await;
        circuit.waits(C, A, "unreachable").await;
        circuit.net.cable(3, true);
        let sent = [(A, [B, C], to_both), (C, [A, B], from_there)];
        opened(&mut circuit, &sent, None).await;
        all_told(&circuit, &sent).await;

        // Of this one no word comes back from hs07; the next one doesn't even reach it.
        circuit.by_proxy(C, A).await;
        circuit.proxy(C, A).befall(std::iter::repeat_n(Fault::Refused, 1000));
        let unheard = circuit.send(A, &[B, C], "kopuk.3").await;
        circuit.members[A].shows(&unheard, &["delivered", "relayed"]).await;
        until("its delivery there", async || {
            circuit.members[C].timeline(&unheard).await.get(2).cloned()
        })
        .await;
        circuit.net.cable(3, false);
        let lost = circuit.send(B, &[A, C], "kopuk.4").await;
        circuit.members[B].shows(&lost, &["delivered", "accepted"]).await;
        circuit.later(6 * 60).await;
        circuit.members[A].shows(&unheard, &["delivered", "relay-failed"]).await;
        circuit.members[B].shows(&lost, &["delivered", "relay-failed"]).await;

        circuit.net.cable(3, true);
        circuit.proxy(C, A).spare();
        until("the late word", async || {
            circuit.nudge().await;
            let states = circuit.members[A].states(&unheard).await;
            (states == ["delivered", "delivered"]).then_some(())
        })
        .await;
        late_and_lost(&circuit, &unheard, &lost).await;
        circuit.sound().await;
        circuit.stop().await;
    });
}

/// What was heard of too late stands beside the failure; what never arrived is nowhere there.
async fn late_and_lost(circuit: &Circuit, unheard: &str, lost: &str) {
    let [a, b, c] = [A, B, C].map(|n| &circuit.members[n]);
    assert_eq!(
        a.timeline(unheard).await,
        [
            row("delivery", b.account, b.domain),
            row("delivery", c.account, c.domain),
            row("relay-acceptance", "", b.domain),
            row("relay-acceptance", "", c.domain),
            row("relay-failure", c.account, "own"),
            row("submission-acceptance", "", "own"),
        ]
    );
    assert_eq!(c.inbox(unheard).await, 1);
    assert_eq!(
        b.timeline(lost).await,
        [
            row("delivery", a.account, a.domain),
            row("relay-acceptance", "", a.domain),
            row("relay-failure", c.account, "own"),
            row("submission-acceptance", "", "own"),
        ]
    );
    assert_eq!(c.timeline(lost).await, []);
    assert_eq!((a.inbox(lost).await, c.inbox(lost).await), (1, 0));
    for (n, id, count) in [(A, unheard, 6), (B, lost, 4), (B, unheard, 1), (A, lost, 1)] {
        let found = circuit.deliller(n).await;
        assert_eq!(found[id].len(), count, "{:?}", found[id]);
    }
    assert_eq!(circuit.deliller(C).await.get(lost), None);
}

/// Many faults on every line, cables that come loose, providers that are killed.
#[test]
fn long_whatever_happens_on_the_way_all_arrives_once() {
    if std::env::var_os("KEP_LONG").is_none() {
        return println!("skipped: KEP_LONG is not set");
    }
    in_namespaces(async || {
        let mut circuit = Circuit::new().await;
        for seed in 0..SEEDS {
            eprintln!("seed {seed}");
            let mut dice = Dice(seed);
            for (from, to) in circuit.pairs() {
                let faults: Vec<_> =
                    (0..dice.next() % 4).map(|_| fault(dice.next(), &mut dice)).collect();
                circuit.proxy(from, to).befall(faults);
            }
            all_arrives(&mut circuit, &format!("tohum.{seed}"), Some(&mut dice)).await;
            circuit.proxies().for_each(Proxy::spare);
            for member in &circuit.members {
                member.clear().await;
            }
        }
        circuit.sound().await;
        circuit.stop().await;
    });
}

/// A fault of a kind, somewhere in a connection that a dispatch goes over.
fn fault(kind: usize, dice: &mut Dice) -> Fault {
    let mut between = |least: u64, most: u64| least + dice.next() as u64 % (most - least);
    match kind % KINDS {
        0 => Fault::Cut(At::AnswerTo(MAIL)),
        1 => Fault::HalfOpen(At::ToServer(between(MAIL / 4, MAIL))),
        2 => Fault::Cut(At::ToServer(between(20, MAIL))),
        3 => Fault::HalfOpen(At::AnswerTo(MAIL)),
        4 => Fault::Slow(Duration::from_millis(between(20, 200))),
        5 => Fault::Cut(At::ToClient(between(0, ANSWERS))),
        6 => Fault::Refused,
        _ => Fault::HalfOpen(At::ToClient(between(0, ANSWERS))),
    }
}

/// Everybody writes to both others; whatever is in the way, all of it arrives, is opened, and is told of
/// once on all sides.
async fn all_arrives(circuit: &mut Circuit, name: &str, trouble: Option<&mut Dice>) {
    let mut sent = Vec::new();
    for from in [A, B, C] {
        let to = [(from + 1) % 3, (from + 2) % 3];
        sent.push((from, to, circuit.send(from, &to, &format!("{name}.{from}")).await));
    }
    opened(circuit, &sent, trouble).await;
    all_told(circuit, &sent).await;
}

type Sent = (usize, [usize; 2], String);

/// Waits until all have arrived, opens them, and waits for what is told of that.
async fn opened(circuit: &mut Circuit, sent: &[Sent], mut trouble: Option<&mut Dice>) {
    arrived(circuit, sent, 5, trouble.as_deref_mut()).await;
    for member in &circuit.members {
        member.open().await;
    }
    arrived(circuit, sent, 7, trouble).await;
}

/// Waits until each sender has so much evidence. What is put off meanwhile is tried at once, and what
/// hangs half open is reset.
async fn arrived(
    circuit: &mut Circuit,
    sent: &[Sent],
    count: usize,
    mut trouble: Option<&mut Dice>,
) {
    until("the evidence of all", async || {
        for (from, _, id) in sent {
            if circuit.members[*from].timeline(id).await.len() < count {
                if let Some(dice) = &mut trouble {
                    befall(circuit, dice).await;
                }
                circuit.proxies().for_each(Proxy::release);
                circuit.nudge().await;
                return None;
            }
        }
        Some(())
    })
    .await;
}

/// Now and then something happens to a provider as a whole.
async fn befall(circuit: &mut Circuit, dice: &mut Dice) {
    let n = dice.next() % 3;
    match dice.next() % 8 {
        0 => circuit.killed(n).await,
        1 => {
            circuit.net.cable(n as u8 + 1, false);
            // As long as it takes to ask around.
            circuit.nudge().await;
            circuit.net.cable(n as u8 + 1, true);
        }
        _ => {}
    }
}

async fn all_told(circuit: &Circuit, sent: &[Sent]) {
    for (from, to, id) in sent {
        circuit.members[*from].shows(id, &["read", "read"]).await;
        told_once(circuit, *from, to, id).await;
    }
    lie_there_once(circuit, sent).await;
}

fn row(event: &str, recipient: &str, origin: &str) -> (String, String, String) {
    (event.to_owned(), recipient.to_owned(), origin.to_owned())
}

/// The time lines of its sender and of those that it was for: each event once, whose evidence it is.
async fn told_once(circuit: &Circuit, from: usize, to: &[usize; 2], id: &str) {
    let sender = &circuit.members[from];
    let mut expected = vec![row("submission-acceptance", "", "own")];
    for there in to.iter().map(|n| &circuit.members[*n]) {
        expected.push(row("relay-acceptance", "", there.domain));
        expected.push(row("delivery", there.account, there.domain));
        expected.push(row("retrieval", there.account, there.domain));
        let theirs = [
            row("delivery", there.account, "own"),
            row("relay-acceptance", "", "own"),
            row("retrieval", there.account, "own"),
            row("submission-acceptance", "", sender.domain),
        ];
        assert_eq!(there.timeline(id).await, theirs, "{} of {id}", there.domain);
    }
    expected.sort();
    assert_eq!(sender.timeline(id).await, expected, "{}", circuit.happened());
}

/// The mails: each message once in the inbox, and each evidence once in `Deliller`, all of it good.
async fn lie_there_once(circuit: &Circuit, sent: &[Sent]) {
    for (n, member) in circuit.members.iter().enumerate() {
        let found = circuit.deliller(n).await;
        for (from, to, id) in sent {
            let mut expected = Vec::new();
            let mut add = |event: &str, recipient: &str| {
                expected.push((event.to_owned(), recipient.to_owned()));
            };
            if *from == n {
                add("submission-acceptance", "");
                for there in to.iter().map(|n| &circuit.members[*n]) {
                    add("relay-acceptance", "");
                    add("delivery", there.account);
                    add("retrieval", there.account);
                }
            } else {
                assert_eq!(member.inbox(id).await, 1, "{id} at {}", member.domain);
                add("delivery", member.account);
                add("retrieval", member.account);
            }
            expected.sort();
            assert_eq!(found.get(id), Some(&expected), "{id} at {}", member.domain);
        }
    }
}

const KINDS: usize = 8;
/// Octets on the line when an evidence mail was sent nearly whole; of a dispatch there are more.
const MAIL: u64 = 19_000;
/// Octets that a server has answered by then, at least.
const ANSWERS: u64 = 1_500;
const SEEDS: u64 = 20;
/// The members of the circuit.
const A: usize = 0;
const B: usize = 1;
const C: usize = 2;
