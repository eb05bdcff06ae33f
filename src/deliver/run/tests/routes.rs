//! Ways over mail exchangers and by DANE: which server gets the mail, and what becomes of it where none
//! is known for sure.

use super::super::*;
use super::pass;
use super::peer::{Line, Peer as Server};
use super::world::{World, patience};
use crate::deliver::dial;
use crate::registry::route as routes;
use crate::store::mta_sts::{self as policies, Kept};
use crate::store::relay::Trouble;
use crate::trust::dns::Mx;
use crate::trust::dns::table::{signed, silent, unsigned};
use crate::trust::tls::PeerTrust;
use crate::wire::mta_sts::{Mode, Policy};
use crate::wire::tlsa::Tlsa;

const DOMAIN: &str = "hs01.kep.tr";
const POSTA: &str = "posta.hs01.kep.tr";

/// A provider whose exchangers have these addresses, in the order of their preference.
async fn exchangers(world: &World, tls_by: &'static str, servers: &[&str]) {
    world
        .register_at(DOMAIN, 25, |row| {
            (row.host, row.route, row.tls_by) = (String::new(), "mx".into(), tls_by.into());
        })
        .await;
    world.names.change(|names| {
        let host = |n: usize| format!("mx{n}.{DOMAIN}");
        let mx = |n: usize| Mx { preference: n as u16, host: host(n) };
        names.mx.insert(DOMAIN.into(), signed(DOMAIN, (0..servers.len()).map(mx).collect()));
        for (n, server) in servers.iter().enumerate() {
            names.addresses.insert(host(n), signed(&host(n), vec![server.parse().unwrap()]));
        }
    });
}

fn record(server: &Server) -> Tlsa {
    Tlsa { usage: 3, selector: 1, matching: 1, data: server.pin().0.to_vec() }
}

fn publish(world: &World, host: &str, port: u16, record: Tlsa, secure: bool) {
    let name = format!("_{port}._tcp.{host}");
    world.names.change(|names| {
        let answer = if secure { signed(host, vec![record]) } else { unsigned(host, vec![record]) };
        names.tlsa.insert(name, answer);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exchanger_that_is_down_or_not_the_one_is_passed_over_for_the_next() {
    let world = World::new().await;
    let living = Server::willing().await;
    // Nobody listens at the first, the second shows another key, the third has no record at all.
    exchangers(&world, "dane", &["127.0.0.9", "127.0.0.1", "127.0.0.1", "127.0.0.1"]).await;
    let other = Tlsa { data: vec![7; 32], ..record(&living) };
    publish(&world, "mx0.hs01.kep.tr", living.port, record(&living), true);
    publish(&world, "mx1.hs01.kep.tr", living.port, other, true);
    publish(&world, "mx3.hs01.kep.tr", living.port, record(&living), true);
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.at_port(living.port)).await;
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr relayed"]);
    let heard = living.heard();
    assert_eq!(heard.mails.len(), 1, "once, over the last");
    assert!(!world.health(DOMAIN).await.is_down());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_with_several_addresses_is_tried_at_each() {
    let world = World::new().await;
    let living = Server::willing().await;
    exchangers(&world, "dane", &["127.0.0.9"]).await;
    let host = "mx0.hs01.kep.tr";
    publish(&world, host, living.port, record(&living), true);
    world.names.change(|names| {
        let both = vec!["127.0.0.9".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        names.addresses.insert(host.into(), signed(host, both));
    });
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.at_port(living.port)).await;
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr relayed"]);
    // Not the one at the first address, and nobody at the second: the first tells why.
    let other = Tlsa { data: vec![7; 32], ..record(&living) };
    publish(&world, host, living.port, other, true);
    world.names.change(|names| {
        let both = vec!["127.0.0.1".parse().unwrap(), "127.0.0.9".parse().unwrap()];
        names.addresses.insert(host.into(), signed(host, both));
    });
    world.message(2, &["a@hs01.kep.tr"]).await;
    pass(&world.at_port(living.port)).await;
    let health = world.health(DOMAIN).await;
    assert_eq!(health.trouble, Trouble::NotIdentified, "{}", health.reply);
}

/// Rows of both kinds keep it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_that_is_kept_holds_after_a_crash() {
    for world in World::both(2).await {
        let server = Server::willing().await;
        exchangers(&world, "mta-sts", &["127.0.0.1"]).await;
        for (mx, max_age) in [("baska.example", 60), ("*.yedek.example", 604_800)] {
            let policy = Policy { mode: Mode::Enforce, mx: vec![mx.into()], max_age };
            let kept = Kept { id: "a1".into(), policy, fetched_at: world.clock.now() };
            world.write(move |tx| policies::put(tx, DOMAIN, &kept)).await;
        }
        let id = world.message(1, &["a@hs01.kep.tr"]).await;
        world.clock.advance(3_600_000);
        pass(&world.at_port(server.port)).await;
        let health = world.health(DOMAIN).await;
        assert!(health.reply.contains("does not allow mx0.hs01.kep.tr"), "{}", health.reply);
        // When it has ended there is none, and still nothing is sent.
        world.clock.advance(604_800_000);
        world.write(|tx| queue::set_well(tx, &KepDomain::parse(DOMAIN).unwrap())).await;
        let fresh = world.message(2, &["a@hs01.kep.tr"]).await;
        pass(&world.at_port(server.port)).await;
        let health = world.health(DOMAIN).await;
        assert!(health.reply.contains("has no policy"), "{}", health.reply);
        assert_eq!(world.states(&fresh).await, ["a@hs01.kep.tr accepted"]);
        assert_eq!(server.heard().connections, 0, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_proof_nothing_is_sent_and_with_it_all_that_waited() {
    for world in World::both(2).await {
        unproven(&world).await;
    }
}

async fn unproven(world: &World) {
    let server = Server::willing().await;
    exchangers(world, "dane", &["127.0.0.1"]).await;
    let relay = world.at_port(server.port);
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    let host = "mx0.hs01.kep.tr";
    let other = Tlsa { data: vec![7; 32], ..record(&server) };
    for (record, secure, why) in [
        (record(&server), false, "are not signed"),
        (Tlsa { usage: 1, ..record(&server) }, true, "is of use to mail"),
        (other, true, "no TLSA record is of what the server shows"),
    ] {
        publish(world, host, server.port, record, secure);
        pass(&relay).await;
        let health = world.health(DOMAIN).await;
        assert_eq!(health.trouble, Trouble::NotIdentified);
        assert!(health.reply.contains(why), "{}", health.reply);
        assert_eq!(world.states(&id).await, ["a@hs01.kep.tr accepted"]);
        world.clock.advance(3_600_000);
    }
    assert_eq!(server.heard().mails.len(), 0);
    publish(world, host, server.port, record(&server), true);
    pass(&relay).await;
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr relayed"]);
    assert!(!world.health(DOMAIN).await.is_down());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_whose_domain_takes_no_mail_fails_at_once() {
    let world = World::new().await;
    exchangers(&world, "dane", &[]).await;
    world.names.change(|names| {
        let null = vec![Mx { preference: 0, host: String::new() }];
        names.mx.insert(DOMAIN.into(), signed(DOMAIN, null));
    });
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    let states = world.states(&id).await;
    assert!(states[0].ends_with(" hs01.kep.tr takes no mail (null MX)"), "{states:?}");
    assert!(!states[0].contains("window"), "{states:?}");
    assert_eq!(world.queue().await.len(), 0);
}

/// Who only looks hears why there is nothing to see.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_a_look_from_its_certificate_is_said() {
    for (greeting, said) in [
        (&["220 mx.hs01.kep.tr", "250 mx.hs01.kep.tr"][..], "the server offers no TLS"),
        (&["554 nobody here"], "554 nobody here"),
    ] {
        let mut lines = Vec::new();
        for line in greeting {
            lines.push(Line::Server((*line).to_owned()));
            lines.push(Line::Client("*".to_owned()));
        }
        let server = Server::speaking(vec![lines]).await;
        let trust = PeerTrust::Pins(vec![server.pin()]);
        let addresses = Some(vec!["127.0.0.1".parse().unwrap()]);
        let host = "mx.hs01.kep.tr".to_owned();
        let way = routes::Server { host, port: server.port, addresses, trust };
        let domain = KepDomain::parse(DOMAIN).unwrap();
        let looked = dial::look(&way, &domain, "posta.hs05.kep.tr", &patience()).await;
        let why = looked.unwrap_err();
        assert!(why.contains(said), "{why}");
    }
}

/// Anybody may have written an answer that is not signed: what waits goes on waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_null_mx_that_nobody_signed_ends_nothing() {
    let world = World::new().await;
    exchangers(&world, "", &[]).await;
    world.names.change(|names| {
        let null = vec![Mx { preference: 0, host: String::new() }];
        names.mx.insert(DOMAIN.into(), unsigned(DOMAIN, null));
    });
    let id = world.message(1, &["a@hs01.kep.tr"]).await;
    pass(&world.relay).await;
    assert_eq!(world.states(&id).await, ["a@hs01.kep.tr accepted"]);
    let health = world.health(DOMAIN).await;
    assert_eq!(health.trouble, Trouble::NotIdentified);
    assert!(health.reply.contains("takes no mail (null MX)"), "{}", health.reply);
    assert_eq!(world.queue().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_service_that_is_silent_for_one_keeps_no_other_waiting() {
    let world = World::new().await;
    let living = Server::willing().await;
    exchangers(&world, "dane", &[]).await;
    world.names.change(|names| {
        names.mx.insert(DOMAIN.into(), silent(DOMAIN));
    });
    world.register("hs02.kep.tr", &living).await;
    let waits = world.message(1, &["a@hs01.kep.tr"]).await;
    let goes = world.message(2, &["b@hs02.kep.tr"]).await;
    pass(&world.relay).await;
    assert_eq!(world.states(&goes).await, ["b@hs02.kep.tr relayed"]);
    assert_eq!(world.states(&waits).await, ["a@hs01.kep.tr accepted"]);
    assert_eq!(world.health(DOMAIN).await.trouble, Trouble::Unreachable, "it says nothing of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_by_dane_serves_many_mails_over_one_connection() {
    let world = World::with(super::world::patience(), 1).await;
    let server = Server::willing().await;
    world
        .register_at(DOMAIN, 25, |row| {
            row.host = format!("{POSTA}:{}", server.port);
            row.tls_by = "dane".into();
        })
        .await;
    world.names.change(|names| {
        let address = vec!["127.0.0.1".parse().unwrap()];
        names.addresses.insert(POSTA.into(), signed(POSTA, address));
    });
    publish(&world, POSTA, server.port, record(&server), true);
    for n in 0..5 {
        world.message(n, &["a@hs01.kep.tr"]).await;
    }
    pass(&world.relay).await;
    let heard = server.heard();
    assert_eq!((heard.mails.len(), heard.connections, world.queue().await.len()), (5, 1, 0));
}
