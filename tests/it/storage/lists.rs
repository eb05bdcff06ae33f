//! Lists of providers become entries of the registry: by whose signature, by which rule, and never over
//! what is set by hand.

use super::bed::Bed;
use super::{NOW, on_both};
use crate::lists::{self, Entry, Publisher};
use kep::registry::audit::{self, By, Wanted};
use kep::registry::lists::{
    Aspect, Believed, How, ImportError, Imported, Line, What, import, leave,
};
use kep::registry::peers::{self, Peer, PeerState};
use kep::store::listed_providers as rows;
use kep::store::providers::ProviderRow;
use kep::store::{Lane, RowsError, Tx};
use kep::trust::pki::{CertificateAuthority, KeyKind, Links, Profile};
use kep::trust::signer::FileSigner;
use kep::trust::{Certificate, Signer};
use kep::wire::{KepDomain, Timestamp};

const HOST: &str = "relay.hs06.kep.tr:2525";

/// A publisher, and the seal of hs06.
struct World {
    publisher: Publisher,
    seal: FileSigner,
}

impl World {
    fn new() -> Self {
        Self {
            publisher: Publisher::new("Liste", ago(300)),
            seal: lists::seal("hs06.kep.tr", ago(300)),
        }
    }

    fn entry(&self) -> Entry<'_> {
        Entry {
            name: "Öteki KEP A.Ş.",
            certificate: self.seal.certificate(),
            kind: "EDS/REM/Q",
            status: "granted",
            since: ago(200),
            host: HOST,
            before: Vec::new(),
        }
    }

    /// Issued a day ago, to be followed in a month.
    fn list(&self, number: u64, entries: &[Entry<'_>]) -> String {
        self.publisher.sign(&lists::list(number, ago(1), ago(-30), entries), ago(1))
    }

    fn believed(&self) -> Believed {
        Believed { lists: vec![self.publisher.certificate().clone()], csi: Vec::new() }
    }

    /// The publisher signs CSI, and nothing else.
    fn of_csi(&self) -> How {
        let Believed { lists, csi } = self.believed();
        How { believed: Believed { lists: csi, csi: lists }, ..self.how() }
    }

    fn how(&self) -> How {
        How {
            ours: domain("hs05.kep.tr"),
            wanted: None,
            believed: self.believed(),
            place: "list.xml".to_owned(),
            now: NOW,
            by: by(),
            again: false,
            dry: false,
        }
    }

    async fn take(&self, bed: &Bed, text: &str) -> Result<Imported, String> {
        self.take_so(bed, text, self.how()).await
    }

    async fn take_so(&self, bed: &Bed, text: &str, how: How) -> Result<Imported, String> {
        let taken = import(&bed.store, text.as_bytes().to_vec(), how).await;
        taken.map_err(|error| match error {
            ImportError::Refused(refusal) => refusal.to_string(),
            ImportError::Registry(error) => panic!("{error}"),
        })
    }
}

fn by() -> By {
    By::system("tests", NOW)
}

fn tls(host: &str, now: Timestamp) -> Certificate {
    let root = CertificateAuthority::create("TLS Kök", KeyKind::P256, now).unwrap();
    let profile = Profile::TlsServer { names: vec![host.to_owned()], addresses: Vec::new() };
    let issued = root.issue(&profile, KeyKind::P256, &Links::default(), now).unwrap();
    issued.certificate().clone()
}

fn ago(days: i64) -> Timestamp {
    NOW.plus_secs(-days * 86_400)
}

fn domain(text: &str) -> KepDomain {
    KepDomain::parse(text).unwrap()
}

async fn peer(bed: &Bed, name: &'static str) -> Option<Peer> {
    bed.read(move |tx| Ok(Peer::find(tx, &domain(name))?)).await
}

/// What a command changes, as `kep provider set` does.
async fn by_hand(bed: &Bed, change: impl Fn(&mut ProviderRow) + Send + 'static) {
    let changed = peers::change(&bed.store, &domain("hs06.kep.tr"), change, &by()).await;
    assert!(changed.unwrap());
}

fn withdrawn(row: &mut ProviderRow) {
    row.seals.iter_mut().for_each(|seal| seal.until = Some(NOW.plus_secs(-60)));
}

async fn hs06(bed: &Bed) -> Peer {
    peer(bed, "hs06.kep.tr").await.unwrap()
}

fn whats(imported: &Imported) -> Vec<&'static str> {
    imported.lines.iter().map(|line| line.what.word()).collect()
}

fn line(imported: &Imported, what: What) -> String {
    let found = imported.lines.iter().find(|line| line.what == what);
    found.map(Line::to_string).unwrap_or_else(|| panic!("{what:?}: {:?}", imported.lines))
}

#[tokio::test]
async fn a_list_makes_providers_known_and_takes_them_away_again() {
    on_both(|bed| async move {
        let world = World::new();
        let taken = world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        assert_eq!((taken.name.as_str(), taken.fresh, taken.held), ("TR/TRgeneric", true, false));
        assert_eq!(whats(&taken), ["added"]);
        let found = hs06(&bed).await;
        assert_eq!((found.state, found.route.to_string()), (PeerState::Active, HOST.to_owned()));
        assert_eq!(found.name, "Öteki KEP A.Ş.");
        assert!(found.tls.is_none(), "a list does not say by what a server is known");
        let is_good = |peer: &Peer, at: Timestamp| {
            peer.seals_at(at).any(|seal| seal.certificate == *world.seal.certificate())
        };
        assert_eq!([201, 199, 0].map(|days| is_good(&found, ago(days))), [false, true, true]);

        // Taken away: what was sealed before still is judged by it.
        let withdrawn = Entry {
            status: "withdrawn",
            since: ago(2),
            before: vec![("granted", ago(200))],
            ..world.entry()
        };
        let taken =
            world.take(&bed, &world.list(2, std::slice::from_ref(&withdrawn))).await.unwrap();
        assert_eq!(whats(&taken), ["suspended"]);
        let found = hs06(&bed).await;
        assert_eq!(found.state, PeerState::Suspended { since: ago(2) });
        assert_eq!(
            [199, 3, 1, 0].map(|days| is_good(&found, ago(days))),
            [true, true, false, false]
        );

        // Given again: the time between stays without.
        let granted = Entry {
            since: ago(1),
            before: vec![("withdrawn", ago(2)), ("granted", ago(200))],
            ..world.entry()
        };
        let taken = world.take(&bed, &world.list(3, std::slice::from_ref(&granted))).await.unwrap();
        assert_eq!(whats(&taken), ["resumed"]);
        let found = hs06(&bed).await;
        assert_eq!(found.state, PeerState::Active);
        let half = |days: i64| ago(days).plus_secs(43_200);
        assert!(is_good(&found, half(3)) && !is_good(&found, half(2)) && is_good(&found, half(1)));
        assert_eq!(
            whats(&world.take(&bed, &world.list(4, &[granted])).await.unwrap()),
            ["unchanged"]
        );

        let ceased = Entry { status: "supervisionceased", since: ago(1), ..withdrawn };
        let taken = world.take(&bed, &world.list(5, &[ceased])).await.unwrap();
        assert_eq!(whats(&taken), ["closed"]);
        let found = hs06(&bed).await;
        assert_eq!(found.state, PeerState::Closed { since: ago(1) });
        assert!(is_good(&found, ago(100)) && !is_good(&found, NOW));
    })
    .await;
}

#[tokio::test]
async fn an_older_list_a_doubled_one_and_one_of_the_future_are_refused() {
    on_both(|bed| async move {
        let world = World::new();
        let (first, second) = (world.list(1, &[world.entry()]), world.list(2, &[]));
        world.take(&bed, &second).await.unwrap();
        let refused = world.take(&bed, &first).await.unwrap_err();
        assert_eq!(refused, "it is older than the list that is held: 1 after 2");
        assert!(peer(&bed, "hs06.kep.tr").await.is_none());
        let again = How { again: true, ..world.how() };
        assert!(world.take_so(&bed, &first, again.clone()).await.is_err());

        let held = world.take(&bed, &second).await.unwrap();
        assert!(held.held && held.lines.is_empty());
        let doubled = world.list(2, &[world.entry()]);
        for how in [world.how(), again, How { dry: true, ..world.how() }] {
            let refused = world.take_so(&bed, &doubled, how).await.unwrap_err();
            assert_eq!(
                refused,
                "it has the number of the list that is held (2), and says something else"
            );
        }
        let future = world.publisher.sign(&lists::list(3, ago(-1), ago(-30), &[]), NOW);
        let refused = world.take(&bed, &future).await.unwrap_err();
        assert!(refused.contains("still to come"), "{refused}");
        let kept = bed.read(|tx| Ok(rows::lists(tx)?)).await;
        assert_eq!(kept.iter().map(|list| list.sequence).collect::<Vec<_>>(), [2]);
    })
    .await;
}

/// Of those who take at once, one does; the others find it done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_who_take_lists_at_once_end_with_the_newest() {
    on_both(|bed| async move {
        let world = World::new();
        let withdrawn = Entry {
            status: "withdrawn",
            since: ago(2),
            before: vec![("granted", ago(200))],
            ..world.entry()
        };
        let old = world.list(1, &[world.entry()]);
        let new = world.list(2, &[withdrawn]);
        let stores = [
            bed.store.clone(),
            if bed.store.shared() { bed.another().await } else { bed.store.clone() },
        ];
        let all = [&old, &new, &old, &new].into_iter().zip(stores.iter().cycle());
        let tasks: Vec<_> = all
            .map(|(text, store)| {
                let (text, store, how) = (text.clone().into_bytes(), store.clone(), world.how());
                tokio::spawn(async move { import(&store, text, how).await })
            })
            .collect();
        let mut taken = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(imported) => taken += u32::from(!imported.held),
                Err(ImportError::Refused(refusal)) => {
                    assert!(refusal.to_string().contains("older"))
                }
                Err(ImportError::Registry(error)) => panic!("{error}"),
            }
        }
        assert!((1..=2).contains(&taken), "{taken}");
        assert_eq!(hs06(&bed).await.state, PeerState::Suspended { since: ago(2) });
        let kept = bed.read(|tx| Ok(rows::held(tx, "TR/TRgeneric")?)).await;
        assert_eq!(kept.unwrap().sequence, 2);
    })
    .await;
}

#[tokio::test]
async fn an_expired_list_takes_away_and_gives_nothing() {
    on_both(|bed| async move {
        let world = World::new();
        let expired = |number, entries: &[Entry<'_>]| {
            world.publisher.sign(&lists::list(number, ago(40), ago(10), entries), ago(40))
        };
        let taken = world.take(&bed, &expired(1, &[world.entry()])).await.unwrap();
        assert!(!taken.fresh);
        assert!(
            line(&taken, What::Ignored).contains("the list has expired: nothing new is believed")
        );
        assert!(peer(&bed, "hs06.kep.tr").await.is_none());

        world.take(&bed, &world.list(2, &[world.entry()])).await.unwrap();
        let other = lists::seal("hs06.kep.tr", ago(300));
        let follows =
            Entry { certificate: other.certificate(), host: "x.hs06.kep.tr", ..world.entry() };
        let taken = world.take(&bed, &expired(3, &[follows, world.entry()])).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged"], "{:?}", taken.lines);
        assert_eq!(hs06(&bed).await.seals.len(), 1);
        let withdrawn = Entry {
            status: "withdrawn",
            since: ago(50),
            before: vec![("granted", ago(200))],
            ..world.entry()
        };
        let taken = world.take(&bed, &expired(4, &[withdrawn])).await.unwrap();
        assert_eq!(whats(&taken), ["suspended"]);
        assert_eq!(hs06(&bed).await.seals_at(ago(49)).count(), 0);
        let taken = world.take(&bed, &expired(5, &[world.entry()])).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged"]);
        assert_eq!(hs06(&bed).await.seals_at(ago(49)).count(), 0);
    })
    .await;
}

#[tokio::test]
async fn what_is_set_by_hand_stays_and_the_conflict_is_shown() {
    on_both(|bed| async move {
        let world = World::new();
        world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        by_hand(&bed, |row| {
            row.host = "other.hs06.kep.tr:25".to_owned();
            PeerState::set("suspended", row, NOW);
        })
        .await;
        let list = world.list(2, &[world.entry()]);
        let taken = world.take(&bed, &list).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged", "conflict"]);
        let said = line(&taken, What::Conflict);
        assert!(said.contains(&format!("host {HOST}")) && said.contains("active since"), "{said}");
        let found = hs06(&bed).await;
        assert_eq!(found.state, PeerState::Suspended { since: NOW });
        assert_eq!(found.route.to_string(), "other.hs06.kep.tr:25");
        let kept = bed.read(|tx| Ok(rows::held(tx, "TR/TRgeneric")?)).await.unwrap();
        assert!(kept.conflicts.contains("hs06.kep.tr"), "{}", kept.conflicts);

        // Left to the lists again, by a word; the held list is weighed once more.
        assert!(
            leave(&bed.store, &domain("hs06.kep.tr"), vec![Aspect::Host, Aspect::State], &by())
                .await
                .unwrap()
        );
        assert!(world.take(&bed, &list).await.unwrap().held);
        let again = How { again: true, ..world.how() };
        assert_eq!(whats(&world.take_so(&bed, &list, again).await.unwrap()), ["resumed"]);
        let found = hs06(&bed).await;
        assert_eq!((found.state, found.route.to_string()), (PeerState::Active, HOST.to_owned()));

        // A seal that was withdrawn by hand stays so, whatever the list says.
        by_hand(&bed, withdrawn).await;
        let taken = world.take(&bed, &world.list(3, &[world.entry()])).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged", "conflict"]);
        assert!(line(&taken, What::Conflict).contains("set by hand otherwise"));
        assert_eq!(hs06(&bed).await.seals_at(NOW).count(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_provider_that_was_registered_by_hand_is_no_lists() {
    on_both(|bed| async move {
        let world = World::new();
        let mut row = peers::fresh(&domain("hs06.kep.tr"), NOW);
        (row.name, row.host) = ("Elle".to_owned(), "elle.hs06.kep.tr:25".to_owned());
        peers::put(&bed.store, row.clone(), &by()).await.unwrap();
        let withdrawn = Entry {
            status: "withdrawn",
            since: ago(2),
            before: vec![("granted", ago(200))],
            ..world.entry()
        };
        let taken =
            world.take(&bed, &world.list(1, std::slice::from_ref(&withdrawn))).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged", "conflict"]);
        let said = line(&taken, What::Conflict);
        for part in ["host", "suspended since", "seal"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert_eq!(peers::find(&bed.store, &domain("hs06.kep.tr")).await.unwrap(), Some(row));

        assert!(
            leave(&bed.store, &domain("hs06.kep.tr"), vec![Aspect::State, Aspect::Seals], &by())
                .await
                .unwrap()
        );
        let taken = world.take(&bed, &world.list(2, &[withdrawn])).await.unwrap();
        assert_eq!(whats(&taken), ["suspended", "conflict"]);
        let found = hs06(&bed).await;
        assert_eq!((found.name.as_str(), found.seals.len()), ("Elle", 1));
        assert_eq!(found.route.to_string(), "elle.hs06.kep.tr:25");

        // What is removed by hand is gone with all that lists said of it.
        peers::remove(&bed.store, &domain("hs06.kep.tr"), &by()).await.unwrap();
        assert!(bed.read(|tx| Ok(rows::all_listed(tx)?)).await.is_empty());
    })
    .await;
}

/// Whom an operator has closed no list brings back.
#[tokio::test]
async fn a_provider_that_was_closed_by_hand_stays_closed() {
    on_both(|bed| async move {
        let world = World::new();
        world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        assert!(peers::close(&bed.store, &domain("hs06.kep.tr"), &by()).await.unwrap());
        let taken = world.take(&bed, &world.list(2, &[world.entry()])).await.unwrap();
        assert_eq!(whats(&taken), ["unchanged", "conflict"]);
        assert!(matches!(hs06(&bed).await.state, PeerState::Closed { .. }));
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_forgotten_leaves_its_providers_as_they_are() {
    on_both(|bed| async move {
        let world = World::new();
        world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        let before = peers::find(&bed.store, &domain("hs06.kep.tr")).await.unwrap();
        let forgotten = |name: &'static str| {
            let store = bed.store.clone();
            async move {
                let work = move |tx: &mut Tx<'_>| -> Result<bool, RowsError> {
                    rows::forget_list(tx, name)
                };
                store.write(Lane::Client, work).await.unwrap()
            }
        };
        assert!(!forgotten("TR/other").await);
        assert!(forgotten("TR/TRgeneric").await && !forgotten("TR/TRgeneric").await);
        assert_eq!(peers::find(&bed.store, &domain("hs06.kep.tr")).await.unwrap(), before);
        let taken = world.take(&bed, &world.list(1, &[])).await.unwrap();
        assert!(taken.lines.is_empty(), "by hand: {:?}", taken.lines);
    })
    .await;
}

#[tokio::test]
async fn seals_follow_each_other_and_what_is_not_named_any_more_is_suspended() {
    on_both(|bed| async move {
        let world = World::new();
        let next = lists::seal("hs06.kep.tr", ago(20));
        let follows = Entry { certificate: next.certificate(), since: ago(10), ..world.entry() };
        world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        let taken =
            world.take(&bed, &world.list(2, &[world.entry(), follows.clone()])).await.unwrap();
        assert_eq!(whats(&taken), ["changed"]);
        assert_eq!(hs06(&bed).await.seals_at(NOW).count(), 2);
        // The elder one goes from the list: it ends with that list's issue.
        let taken = world.take(&bed, &world.list(3, &[follows])).await.unwrap();
        assert_eq!(whats(&taken), ["changed"]);
        let found = hs06(&bed).await;
        let good = |at| found.seals_at(at).map(|seal| seal.certificate.clone()).collect::<Vec<_>>();
        assert_eq!(good(NOW), [next.certificate().clone()]);
        assert_eq!(good(ago(15)), [world.seal.certificate().clone()]);

        // A list that tells less of the past takes nothing of it away.
        let short = Entry { since: ago(5), certificate: next.certificate(), ..world.entry() };
        for number in [4, 5] {
            world.take(&bed, &world.list(number, std::slice::from_ref(&short))).await.unwrap();
            let found = hs06(&bed).await;
            let at = [11, 9, 6, 4, 0].map(|days| found.seals_at(ago(days)).count());
            assert_eq!(at, [1, 2, 2, 2, 1], "{:?}", found.seals);
        }
        let taken = world.take(&bed, &world.list(6, &[])).await.unwrap();
        assert!(line(&taken, What::Suspended).contains("does not name it any more"));
        let found = hs06(&bed).await;
        assert_eq!(found.state, PeerState::Suspended { since: ago(1) });
        assert_eq!(found.seals_at(NOW).count(), 0);
        assert_eq!(found.seals_at(ago(15)).count(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_is_nobodys_of_the_circuit_is_ignored_by_name() {
    let bed = Bed::sqlite().await;
    let world = World::new();
    let foreign = tls("mx.rem.example", ago(300));
    let ours = lists::seal("hs05.kep.tr", ago(300));
    let (one, two) = (lists::seal("hs07.kep.tr", ago(9)), lists::seal("hs07.kep.tr", ago(9)));
    let entries = [
        Entry { name: "Abroad", certificate: &foreign, host: "mx.rem.example", ..world.entry() },
        Entry { name: "Us", certificate: ours.certificate(), host: "hs05.kep.tr", ..world.entry() },
        Entry { name: "Elsewhere", host: "relay.hs09.kep.tr", ..world.entry() },
        Entry { name: "Delivery", kind: "EDS/Q", ..world.entry() },
        Entry {
            name: "Bir",
            certificate: one.certificate(),
            host: "a.hs07.kep.tr",
            ..world.entry()
        },
        Entry {
            name: "İki",
            certificate: two.certificate(),
            host: "b.hs07.kep.tr",
            ..world.entry()
        },
        Entry { name: "Authority", kind: "CA/QC", ..world.entry() },
    ];
    let text = lists::list(1, ago(1), ago(-30), &entries);
    let taken = world.take(&bed, &world.publisher.sign(&text, ago(1))).await.unwrap();
    let said: Vec<String> = taken.lines.iter().map(ToString::to_string).collect();
    for (name, why) in [
        ("Abroad", "it names no domain of the circuit"),
        ("Us", "it is this provider itself"),
        ("Elsewhere", "it names several domains: hs06.kep.tr, hs09.kep.tr"),
        ("Delivery", "not of registered mail"),
        ("Bir", "several providers of the list name this domain"),
        ("İki", "several providers of the list name this domain"),
    ] {
        let found =
            said.iter().any(|line| line.contains(&format!("({name})")) && line.contains(why));
        assert!(found, "{name}: {said:?}");
    }
    assert_eq!(said.len(), 6, "{said:?}");
    assert!(bed.read(|tx| Ok(Peer::all(tx)?)).await.is_empty());
}

#[tokio::test]
async fn a_list_is_believed_by_its_pinned_signers_alone_and_whole() {
    let bed = Bed::sqlite().await;
    let world = World::new();
    let good = world.list(1, &[world.entry()]);
    let dry = How { dry: true, ..world.how() };
    let refused = async |text: &str, how: &How| match world.take_so(&bed, text, how.clone()).await {
        Ok(taken) => panic!("it is believed: {:?}", taken.lines),
        Err(refused) => refused,
    };
    // Each part of the list, and of its signature.
    let number = "<TSLSequenceNumber>1<";
    let since = ago(200).iso8601_secs();
    for (from, to, why) in [
        (number, "<TSLSequenceNumber>9<", "the document is not what was signed"),
        ("EDS/REM/Q", "EDS/REM", "the document is not what was signed"),
        ("Svcstatus/granted", "Svcstatus/withdrawn", "the document is not what was signed"),
        (&since, "2001-01-01T00:00:00Z", "the document is not what was signed"),
        (HOST, "relay.hs06.kep.tr:25", "the document is not what was signed"),
        (
            "<DigitalId>",
            "<DigitalId><X509SKI>AA==</X509SKI></DigitalId><DigitalId>",
            "not what was signed",
        ),
        (
            "<xades:SigningTime>20",
            "<xades:SigningTime>19",
            "what the signer said of the signature is not",
        ),
        (
            "<ds:SignatureValue Id=\"imza-value\">",
            "<ds:SignatureValue Id=\"imza-value\">AAAA",
            "the signature",
        ),
        ("enveloped-signature", "base64", "unknown transform"),
        ("URI=\"\"", "URI=\"#imza-properties\"", "the signature:"),
        ("2001/04/xmlenc#sha256", "2000/09/xmldsig#sha1", "too weak"),
    ] {
        assert!(good.contains(from), "{from}");
        let why_not = refused(&good.replacen(from, to, 1), &dry).await;
        assert!(why_not.contains(why), "{from}: {why_not}");
    }
    let unsigned = lists::list(1, ago(1), ago(-30), &[world.entry()]);
    assert_eq!(refused(&unsigned, &dry).await, "the signature: the document is not signed");
    let twice = good.replace(
        "</TrustServiceStatusList>",
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"/></TrustServiceStatusList>",
    );
    assert!(refused(&twice, &dry).await.contains("2 signatures"));
    // The signed list wrapped into another.
    let body = good.split_once("?>").unwrap().1.trim();
    let wrapped =
        unsigned.replace("</TrustServiceStatusList>", &format!("{body}</TrustServiceStatusList>"));
    let why_not = refused(&wrapped.replacen("Id=\"liste\"", "", 1), &dry).await;
    assert!(why_not.contains("not a child of the root element"), "{why_not}");
    let dtd = good.replacen("?>", "?><!DOCTYPE x [<!ENTITY a \"b\">]>", 1);
    assert!(refused(&dtd, &dry).await.contains("DTD"));

    let stranger = Publisher::new("Yabancı", ago(300));
    let foreign = stranger.sign(&unsigned, ago(1));
    let why_not = refused(&foreign, &dry).await;
    assert!(
        why_not.contains("is not pinned")
            && why_not.contains(&stranger.certificate().digest().hex())
    );
    // One follows another: both are pinned.
    let mut both = world.believed();
    both.lists.push(stranger.certificate().clone());
    assert!(world.take_so(&bed, &foreign, How { believed: both, ..dry.clone() }).await.is_ok());
    // Somebody else's signature with the pinned certificate brought along.
    let swapped = foreign.replace(
        &data_encoding::BASE64.encode(stranger.certificate().der()),
        &data_encoding::BASE64.encode(world.publisher.certificate().der()),
    );
    assert_eq!(
        refused(&swapped, &dry).await,
        "the signature names another certificate than it brings"
    );

    let early = lists::list(1, ago(400), ago(-30), &[]);
    let early = world.publisher.sign(&early, ago(400));
    assert!(refused(&early, &dry).await.contains("was not valid when the list was issued"));
    let csi = How { wanted: Some(kep::wire::lists::ListKind::Csi), ..dry };
    assert_eq!(refused(&good, &csi).await, "it is a trusted-list, and a csi was asked for");
    assert!(bed.read(|tx| Ok(rows::lists(tx)?)).await.is_empty(), "a dry run keeps nothing");
}

#[tokio::test]
async fn a_provider_says_itself_what_its_server_shows() {
    on_both(|bed| async move {
        let world = World::new();
        let shows = tls("relay.hs06.kep.tr", ago(100));
        let csi = |number, host: &str, next| lists::csi(number, ago(1), next, host, &shows);
        let own = |text: &str| lists::sign(&world.seal, text, ago(1));
        let good = own(&csi(1, "relay.hs06.kep.tr", ago(-30)));
        // Nobody knows the provider yet, nor its seal.
        assert!(world.take(&bed, &good).await.unwrap_err().contains("is not pinned"));
        let by_publisher = world.publisher.sign(&csi(1, "relay.hs06.kep.tr", ago(-30)), ago(1));
        let dry = How { dry: true, ..world.of_csi() };
        let taken = world.take_so(&bed, &by_publisher, dry).await.unwrap();
        assert!(line(&taken, What::Ignored).contains("a trusted list names it first"));

        world.take(&bed, &world.list(1, &[world.entry()])).await.unwrap();
        let nobody = How { believed: Believed::default(), ..world.how() };
        let taken = world.take_so(&bed, &good, nobody.clone()).await.unwrap();
        assert_eq!(
            (taken.name.as_str(), whats(&taken)),
            ("csi/relay.hs06.kep.tr/hs06.kep.tr", vec!["changed"])
        );
        let row = peers::find(&bed.store, &domain("hs06.kep.tr")).await.unwrap().unwrap();
        assert_eq!((row.tls_pins, row.dialect.as_str()), (shows.digest().hex(), "en319522"));
        assert_eq!(row.host, HOST);

        let other = own(&csi(2, "relay.hs07.kep.tr", ago(-30)));
        let taken = world.take_so(&bed, &other, nobody.clone()).await.unwrap();
        let why = "hs06.kep.tr signed it, and relay.hs07.kep.tr is hs07.kep.tr's";
        assert!(line(&taken, What::Ignored).contains(why));
        // And rolls nothing back of it.
        let first = world.publisher.sign(&csi(1, "relay.hs07.kep.tr", ago(-30)), ago(1));
        let taken = world.take_so(&bed, &first, world.of_csi()).await.unwrap();
        assert_eq!(taken.name, "csi/relay.hs07.kep.tr");
        let elsewhere = own(&csi(2, "mx.hs06.kep.tr", ago(-30)));
        let taken = world.take_so(&bed, &elsewhere, nobody.clone()).await.unwrap();
        assert!(line(&taken, What::Conflict).contains("host mx.hs06.kep.tr"));
        let expired = own(&csi(3, "relay.hs06.kep.tr", NOW.plus_secs(-60)));
        let taken = world.take_so(&bed, &expired, nobody.clone()).await.unwrap();
        assert!(line(&taken, What::Ignored).contains("it has expired"));
        // A seal that has ended signs nothing any more.
        by_hand(&bed, withdrawn).await;
        let late = own(&csi(4, "relay.hs06.kep.tr", ago(-30)));
        assert!(world.take_so(&bed, &late, nobody).await.unwrap_err().contains("is not pinned"));
    })
    .await;
}

/// Who makes providers known is another than who says by what the server of one is known.
#[tokio::test]
async fn who_is_pinned_for_one_kind_signs_none_of_the_other() {
    on_both(|bed| async move {
        let world = World::new();
        let list = world.list(1, &[world.entry()]);
        let why = world.take_so(&bed, &list, world.of_csi()).await.unwrap_err();
        assert!(why.contains("pinned"), "{why}");
        assert!(peer(&bed, "hs06.kep.tr").await.is_none());
        world.take(&bed, &list).await.unwrap();
        let shows = tls("relay.hs06.kep.tr", ago(100));
        let csi = lists::csi(1, ago(1), ago(-30), "relay.hs06.kep.tr", &shows);
        let csi = world.publisher.sign(&csi, ago(1));
        let why = world.take(&bed, &csi).await.unwrap_err();
        assert!(why.contains("pinned"), "{why}");
        assert!(hs06(&bed).await.tls.is_none());
        world.take_so(&bed, &csi, world.of_csi()).await.unwrap();
        assert!(hs06(&bed).await.tls.is_some());
    })
    .await;
}

/// Who may hand mail over is a right: each act that gives or takes it stands in the audit.
#[tokio::test]
async fn what_becomes_of_a_provider_stands_in_the_audit() {
    on_both(|bed| async move {
        let world = World::new();
        let first = world.list(1, &[world.entry()]);
        world.take(&bed, &first).await.unwrap();
        // Held already, or only looked at: nothing happened.
        world.take(&bed, &first).await.unwrap();
        let dry = How { dry: true, ..world.how() };
        world.take_so(&bed, &world.list(2, &[]), dry).await.unwrap();
        by_hand(&bed, |row| row.name = "Başka".into()).await;
        let hs06 = domain("hs06.kep.tr");
        assert!(leave(&bed.store, &hs06, vec![Aspect::Name], &by()).await.unwrap());
        assert!(peers::close(&bed.store, &hs06, &by()).await.unwrap());
        assert!(kep::registry::lists::forget(&bed.store, "TR/TRgeneric", &by()).await.unwrap());
        assert!(!kep::registry::lists::forget(&bed.store, "TR/TRgeneric", &by()).await.unwrap());
        peers::remove(&bed.store, &hs06, &by()).await.unwrap();
        let all = audit::list(&bed.store, Wanted { most: 100, ..Wanted::default() }).await.unwrap();
        let mut acts: Vec<_> = all.iter().map(|entry| entry.act.as_str()).collect();
        acts.reverse();
        let expected = [
            "provider.import",
            "provider.change",
            "provider.leave-to-lists",
            "provider.change",
            "provider.forget-list",
            "provider.remove",
        ];
        assert_eq!(acts, expected);
        let changed = &all[4].details["changed"];
        assert_eq!(*changed, serde_json::json!(["name"]));
    })
    .await;
}
