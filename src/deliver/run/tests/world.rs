//! A provider with sealed messages for others, and a clock that is turned by hand.

use super::super::*;
use super::peer::Peer as Server;
use crate::registry::mta_sts::{Policies, PolicySettings};
use crate::registry::peers;
use crate::spool::{self, Fact};
use crate::store::accounts::{self, AccountRow};
use crate::store::providers::ProviderRow;
use crate::store::relay::Health;
use crate::store::submissions::{self, *};
use crate::store::{RowsAt, contents};
use crate::trust::dns::Dns;
use crate::trust::dns::table::Table;
use crate::trust::vault::Vault;
use crate::wire::{AccountId, MessageId, sha256};
use tempfile::TempDir;

pub struct World {
    pub store: Store,
    pub clock: Clock,
    pub relay: Arc<Relay>,
    /// What the name service says.
    pub names: Arc<Table>,
    account: AccountId,
    _place: TempDir,
}

pub const PATIENCE: Duration = Duration::from_secs(60);
pub const DAY: i64 = 24 * 3600;

impl World {
    pub async fn new() -> Self {
        Self::with(patience(), 4).await
    }

    pub async fn with(patience: Patience, connections: usize) -> Self {
        let place = tempfile::tempdir().unwrap();
        let rows = RowsAt::File(place.path().join("rows.db"));
        Self::at(rows, place, patience, connections).await
    }

    /// The same on either kind of rows, where there is a server.
    pub async fn both(connections: usize) -> Vec<Self> {
        let mut worlds = vec![Self::with(patience(), connections).await];
        if let Some(server) = crate::mailbox::answer::tests::server::server() {
            let rows = RowsAt::Postgres(server.database().await);
            let place = tempfile::tempdir().unwrap();
            worlds.push(Self::at(rows, place, patience(), connections).await);
        }
        worlds
    }

    async fn at(rows: RowsAt, place: TempDir, patience: Patience, connections: usize) -> Self {
        let key = place.path().join("master.key");
        Vault::create(&key).unwrap();
        let vault = Arc::new(Vault::open(&key).unwrap());
        let store = Store::open(&rows, &place.path().join("blobs"), vault).await.unwrap();
        let work = |tx: &mut Tx<'_>| accounts::add(tx, &ali());
        let account = store.write(Lane::Client, work).await.unwrap();
        let clock = Clock::moved(0);
        let names = Arc::new(Table::default());
        let relay = relay(&store, &clock, &names, patience, connections);
        Self { store, clock, relay, names, account, _place: place }
    }

    /// Another process on the same store, as after a crash.
    pub fn again(&self) -> Arc<Relay> {
        relay(&self.store, &self.clock, &self.names, patience(), 4)
    }

    /// The same, where exchangers are looked for at a port of the tests.
    pub fn at_port(&self, mx: u16) -> Arc<Relay> {
        relay_at(&self.store, &self.clock, &self.names, patience(), 4, mx)
    }

    pub async fn register(&self, domain: &str, server: &Server) {
        let change = |row: &mut ProviderRow| row.tls_pins = peers::written(&[server.pin()]);
        self.register_at(domain, server.port, change).await;
    }

    pub async fn register_at(&self, domain: &str, port: u16, change: impl Fn(&mut ProviderRow)) {
        let mut row = ProviderRow {
            domain: domain.into(),
            name: "Öteki".into(),
            host: format!("localhost:{port}"),
            state: "active".into(),
            since: self.clock.now(),
            tls_pins: "0f".repeat(32),
            tls_ca: String::new(),
            tls_by: String::new(),
            route: String::new(),
            client_pins: String::new(),
            dialect: "ts102640".into(),
            size_limit: None,
            added_at: self.clock.now(),
            seals: Vec::new(),
        };
        change(&mut row);
        let by = crate::registry::audit::By::system("tests", self.clock.now());
        peers::put(&self.store, row, &by).await.unwrap();
    }

    /// A sealed message, waiting to be relayed to the providers of its recipients.
    pub async fn message(&self, n: u32, to: &[&str]) -> MessageId {
        let octets =
            format!("Message-ID: <{n}@hs05.kep.tr>\r\n\r\nSayın {n}\r\n.\r\n").into_bytes();
        self.message_of(n, to, octets).await
    }

    pub async fn message_of(&self, n: u32, to: &[&str], octets: Vec<u8>) -> MessageId {
        let id = MessageId::parse(&format!("{n}@hs05.kep.tr")).unwrap();
        let original = self.store.blobs.put(octets).unwrap();
        let recipient = |to: &&str| NewRecipient {
            address: (*to).into(),
            account: None,
            state: RecipientState::Accepted,
        };
        let submission = NewSubmission {
            message_id: id.clone(),
            origin: Origin::Account(self.account),
            state: SubmissionState::Accepted,
            same_mail: sha256(&n.to_be_bytes()),
            accepted_at: self.clock.now(),
            original,
            details: Details { sender: "ali@hs05.kep.tr".into(), ..Details::default() },
            recipients: to.iter().map(recipient).collect(),
        };
        let (blobs, now) = (Arc::clone(&self.store.blobs), self.clock.now());
        let work = move |tx: &mut Tx<'_>| -> Result<(), StoreError> {
            submissions::lay_in(tx, &blobs, &submission)?.unwrap();
            let original = (submission.original.id, submission.original.size);
            let dispatch = contents::create(tx, &[original])?;
            submissions::dispatched(tx, &submission.message_id, dispatch)?;
            let id = &submission.message_id;
            crate::deliver::consign::elsewhere(tx, id, now, |_| dispatch)?;
            Ok(())
        };
        self.store.write(Lane::Client, work).await.unwrap();
        id
    }

    /// Each recipient and his state; of a failure its reason, and whether a window ended.
    pub async fn states(&self, id: &MessageId) -> Vec<String> {
        let facts = self.facts().await;
        let wanted = id.clone();
        let read = move |tx: &mut Tx<'_>| submissions::recipients(tx, &wanted);
        let line = |recipient: Recipient| {
            let why = facts.iter().find_map(|fact| match fact {
                Fact::RelayFailed { message, recipient: n, reason, detail, window, .. }
                    if *message == id.to_string() && *n == recipient.n =>
                {
                    let reason = reason.rsplit(['#', '/']).next().unwrap_or_default();
                    let window = if *window { "window " } else { "" };
                    Some(format!(" {window}{reason} {detail}"))
                }
                _ => None,
            });
            let said = format!("{} {}", recipient.address, recipient.state.word());
            (said + &why.unwrap_or_default()).trim_end().to_owned()
        };
        self.store.read(read).await.unwrap().into_iter().map(line).collect()
    }

    /// Facts that evidence is to be made of.
    pub async fn facts(&self) -> Vec<Fact> {
        let read = |tx: &mut Tx<'_>| -> Result<Vec<String>, RowsError> {
            let sql = "SELECT payload FROM job WHERE step = 'evidence' ORDER BY id";
            tx.query(sql, &[])?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
        };
        let all: Vec<_> = self.store.read(read).await.unwrap();
        all.iter().map(|json| Fact::parse(json).unwrap()).collect()
    }

    pub async fn queue(&self) -> Vec<Queued> {
        self.store.read(|tx| queue::list(tx, None, 10_000)).await.unwrap()
    }

    pub async fn health(&self, domain: &str) -> Health {
        let domain = KepDomain::parse(domain).unwrap();
        self.store.read(move |tx| queue::health(tx, &domain)).await.unwrap()
    }

    pub async fn write(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<(), RowsError> + Send + 'static,
    ) {
        self.store.write(Lane::Client, work).await.unwrap();
    }

    /// The time to hear of what was relayed has ended, as far as it has.
    pub async fn end_silences(&self) {
        let now = self.clock.now();
        self.write(move |tx| {
            let sql = "SELECT id, payload FROM job WHERE step = 'expire' AND due_at <= $1";
            for row in tx.query(sql, &[now.millis().into()])? {
                let fact = Fact::parse(row.text(1)?)?;
                let Fact::RelayFailed { recipient, .. } = &fact else { continue };
                let id = fact.message().unwrap();
                spool::relay::silent(tx, &id, *recipient, &fact, now)?;
                crate::store::jobs::finish(tx, row.int(0)?)?;
            }
            Ok(())
        })
        .await;
    }
}

/// So much that only what a test is about runs out.
pub fn patience() -> Patience {
    Patience {
        connect: PATIENCE,
        greeting: PATIENCE,
        answer: PATIENCE,
        data: PATIENCE,
        block: PATIENCE,
        last: PATIENCE,
        whole: PATIENCE,
        linger: Duration::ZERO,
    }
}

fn relay(
    store: &Store,
    clock: &Clock,
    names: &Arc<Table>,
    patience: Patience,
    connections: usize,
) -> Arc<Relay> {
    relay_at(store, clock, names, patience, connections, 25)
}

fn relay_at(
    store: &Store,
    clock: &Clock,
    names: &Arc<Table>,
    patience: Patience,
    connections: usize,
    mx: u16,
) -> Arc<Relay> {
    let dns = Dns::of_table(Arc::clone(names));
    let settings = PolicySettings { port: 443, timeout: PATIENCE, authorities: "none".into() };
    let policies = Policies::new(store.clone(), dns.clone(), settings);
    let routes = Routes::new(dns, policies, mx);
    let who = Who {
        host: "posta.hs05.kep.tr".into(),
        service: KepAddress::parse("kepservisi@hs05.kep.tr").unwrap(),
        tls: None,
    };
    let day = Duration::from_secs(DAY as u64);
    let rules = Rules { window: day, silence: day, evidence: 5 * day, connections };
    Arc::new(Relay::new(store.clone(), clock.clone(), who, routes, rules, patience))
}

fn ali() -> AccountRow {
    AccountRow {
        id: AccountId(0),
        address: "ali@hs05.kep.tr".into(),
        name: "Ali".into(),
        national_id: None,
        state: "active".into(),
        opening: "sealed".into(),
        signature_policy: "required".into(),
        password: "-".into(),
        created_at: Timestamp::from_secs(0),
        closed_at: None,
    }
}
