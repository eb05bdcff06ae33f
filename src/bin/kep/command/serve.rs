//! `kep serve`: everything the configuration names, in one process.

use super::decided;
use super::figures;
use super::http::{Brief, http};
use super::sockets::Sockets;
use super::tending;
use super::workshop::Workshop;
use crate::failure::{Failure, Outcome};
use crate::settings::{ClientCertificates, LogFormat, LogLevel, Settings};
use crate::wire_up::{self, House};
use kep::accept::serve::{self as smtp, Begin, Behind, Manners, Service};
use kep::mailbox::answer::{self, Office};
use kep::mailbox::serve as imap;
use kep::registry::crowd::Crowd;
use kep::registry::holds;
use kep::registry::resealing;
use kep::store::Store;
use kep::store::blobs::compact;
use kep::store::mail::memory::{self, Memory};
use kep::trust::tls::ServerTls;
use kep::trust::{Anchors, Clock, TrustError};
use std::fs::{File, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing_subscriber::EnvFilter;

pub async fn run(conf: &Path) -> Outcome {
    let settings = wire_up::settings(conf)?;
    log(&settings);
    let _one = alone(&settings.data.dir)?;
    let signals = Signals::take()?;
    let figures = figures::record()?;
    let mut sockets = Sockets::from_environment()?;
    let (tell, stop) = watch::channel(false);
    let mut tasks = JoinSet::new();
    let clock = wire_up::clock(&settings)?;

    // The development authority first: the stamper and revocation checks ask it.
    if let Some(address) = settings.listen.tsa {
        let development = Arc::new(wire_up::development(&settings, &clock)?);
        for listener in sockets.bind("tsa", address).await? {
            let router = kep::trust::serve::router(Arc::clone(&development));
            tasks.spawn(http(listener, router, stop.clone()));
        }
    }
    let house = House::build(settings, clock).await?;
    let tls = tls(&house.settings)?;
    let visitors = asking(&house.settings, house.settings.portal.client_certificates)?;
    let asking = asking(&house.settings, house.settings.mailbox.client_certificates)?;
    let meeting = meeting(&house.settings)?;
    let workshop = Workshop::open()?;
    steps(&house, &workshop, &mut tasks, &stop);
    let (notices, session) = wire_up::notify(&house.settings, &house.store, &house.clock)?;
    tasks.spawn(Arc::new(notices).run(session, stop.clone()));
    if let Some(refresh) = wire_up::refresh(&house.settings, &house.store, &house.clock)? {
        tasks.spawn(Arc::new(refresh).run(stop.clone()));
    }
    let push = wire_up::push(&house.settings, &house.store, &house.clock)?;
    tasks.spawn(Arc::new(push).run(stop.clone()));
    let sessions = decided::sessions(&house, &mut tasks, stop.clone()).await;
    submission(&house, sessions.submission.clone(), &tls, &mut sockets, &mut tasks, &stop).await?;
    relay(&house, sessions.relay, meeting.as_ref(), &mut sockets, &mut tasks, &stop).await?;
    mailboxes(&house, asking.as_ref().or(tls.as_ref()), &mut sockets, &mut tasks, &stop).await?;
    let config = sessions.submission;
    let at_portal = visitors.as_ref().or(tls.as_ref());
    super::portal::open(&house, config, at_portal, &mut sockets, &mut tasks, &stop).await?;
    if let Some(address) = house.settings.listen.autoconfig {
        let directions = Arc::new(wire_up::directions(&house.settings));
        for listener in sockets.bind("autoconfig", address).await? {
            let router = kep::mailbox::autoconfig::serve::router(Arc::clone(&directions));
            tasks.spawn(http(Brief::over(listener), router, stop.clone()));
        }
    }
    if let Some(address) = house.settings.listen.metrics {
        tasks.spawn(figures::watch(
            house.store.clone(),
            Arc::clone(&house.stamper),
            house.clock.clone(),
            stop.clone(),
        ));
        if let Some(scanner) = house.scanner.clone() {
            tasks.spawn(figures::scanner(scanner, house.clock.clone(), stop.clone()));
        }
        for listener in sockets.bind("metrics", address).await? {
            tasks.spawn(http(listener, figures::page(figures.clone()), stop.clone()));
        }
    }
    sockets.refuse_unused()?;

    // Who doesn't hear it isn't waiting for it.
    let _ = super::show::write("kep: ready\n");
    notify(&[sd_notify::NotifyState::Ready]);
    let tls = [tls, asking, visitors, meeting];
    let end = tokio::select! {
        () = signals.until_end(&tls) => Ok(ExitCode::SUCCESS),
        () = house.store.closed() => Err(closed()),
    };
    notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("stopping");
    // Receivers are gone when their tasks are; that is what we want.
    let _ = tell.send(true);
    if tokio::time::timeout(FAREWELL, ended(&mut tasks)).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "not at their end in time");
    }
    end
}

async fn ended(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a task failed");
        }
    }
}

/// A server that can store nothing ends: whoever starts it again has rows that work.
fn closed() -> Failure {
    tracing::error!("the rows are closed after a failed sync; the server ends");
    Failure::io("the rows are closed after a failed sync")
        .hint("look at the disk (`dmesg`); a restart finds everything that was acknowledged")
}

/// One server a data folder: leases and wakes of embedded storage are in memory. The lock ends with
/// the process, however it ends.
pub(super) fn alone(dir: &Path) -> Outcome<File> {
    let path = dir.join("serve.lock");
    let opened = wire_up::own_folder(dir)
        .and_then(|()| File::options().create(true).append(true).mode(0o600).open(&path));
    let file = opened.map_err(|e| Failure::cannot_create(format!("{}: {e}", path.display())))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Failure::unavailable(format!(
            "another server has the data folder {}",
            dir.display()
        ))
        .hint("stop it, or name another folder in data.dir")),
        Err(TryLockError::Error(error)) => {
            Err(Failure::cannot_create(format!("{}: {error}", path.display())))
        }
    }
}

/// `kep dev tsa`: the development authority alone.
pub async fn authority_alone(conf: &Path) -> Outcome {
    let settings = wire_up::settings(conf)?;
    log(&settings);
    let signals = Signals::take()?;
    let mut sockets = Sockets::from_environment()?;
    let address = settings.listen.tsa;
    let address = address.ok_or_else(|| Failure::config("listen.tsa is not set"))?;
    let development = Arc::new(wire_up::development(&settings, &Clock::System)?);
    let (tell, stop) = watch::channel(false);
    let mut serving = JoinSet::new();
    for listener in sockets.bind("tsa", address).await? {
        let router = kep::trust::serve::router(Arc::clone(&development));
        serving.spawn(http(listener, router, stop.clone()));
    }
    sockets.refuse_unused()?;
    super::show::write(&format!("kep: time stamps at http://{address}/\n"))?;
    signals.until_end(&[]).await;
    let _ = tell.send(true);
    ended(&mut serving).await;
    Ok(ExitCode::SUCCESS)
}

fn steps(
    house: &House,
    workshop: &Workshop,
    tasks: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) {
    let threads = workshop.handle();
    tasks.spawn_on(Arc::clone(&house.sealing).run(PARALLEL, stop.clone()), threads);
    tasks.spawn_on(Arc::clone(&house.consigning).run(PARALLEL, stop.clone()), threads);
    tasks.spawn_on(Arc::clone(&house.facts).run(PARALLEL, stop.clone()), threads);
    tasks.spawn_on(Arc::clone(&house.relay).run(stop.clone()), threads);
    tasks.spawn_on(Arc::new(house.scanning()).run(PARALLEL, stop.clone()), threads);
    tasks.spawn_on(compaction(house.store.clone(), stop.clone()), threads);
    tasks.spawn_on(forgetting(house.store.clone(), house.clock.clone(), stop.clone()), threads);
    tasks.spawn_on(decided::emptying(house, stop.clone()), threads);
    tasks.spawn_on(tending::tasks(house, stop.clone()), threads);
    tasks.spawn_on(tending::storage(house, stop.clone()), threads);
    tasks.spawn_on(house.archivist().run(stop.clone()), threads);
    tasks.spawn_on(resealing::run(house.store.clone(), stop.clone()), threads);
    let audit = house.audit_seals();
    tasks.spawn_on(audit.run(stop.clone()), threads);
    tasks.spawn_on(Arc::new(house.caretaker()).run(stop.clone()), threads);
    let probe = house.settings.timestamp.probe;
    tasks.spawn(Arc::clone(&house.readiness).run(probe, stop.clone()));
    if let Some(collector) = &house.collector {
        tasks.spawn(Arc::clone(collector).run(stop.clone()));
    }
}

/// Gives the room of erased contents back, now and then.
async fn compaction(store: Store, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(COMPACTION) => {}
            _ = stop.changed() => return,
        }
        match compact::round(&store).await {
            Ok(report) => tracing::info!(?report, "compaction"),
            Err(error) => tracing::warn!(%error, "compaction"),
        }
        // What a release that was cut short has left.
        if let Err(error) = holds::let_go(&store).await {
            tracing::warn!(%error, "what was held back");
        }
    }
}

/// Forgets what vanished from mailboxes so long ago that nobody asks any more.
async fn forgetting(store: Store, clock: Clock, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            forgotten = memory::sweep(&store, Memory::default(), clock.now()) => match forgotten {
                Ok(0) => {}
                Ok(uids) => tracing::info!(uids, "vanished and forgotten"),
                Err(error) => tracing::warn!(%error, "what vanished can't be forgotten"),
            },
            _ = stop.changed() => return,
        }
        tokio::select! {
            () = tokio::time::sleep(FORGETTING) => {}
            _ = stop.changed() => return,
        }
    }
}

async fn submission(
    house: &House,
    config: InForce,
    tls: &Option<Arc<ServerTls>>,
    sockets: &mut Sockets,
    tasks: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) -> Outcome<()> {
    let listen = &house.settings.listen;
    let doors = [
        ("submission_tls", listen.submission_tls, Begin::Tls),
        ("submission_starttls", listen.submission_starttls, Begin::Clear),
    ];
    if doors.iter().all(|(_, address, _)| address.is_none()) {
        return Ok(());
    }
    let manners = manners(&house.settings);
    let submission = Arc::new(Service {
        behind: Behind::Submission {
            desk: Arc::clone(&house.desk),
            pauses: Arc::clone(&house.pauses),
            places: Arc::clone(&house.places),
        },
        config,
        crowd: Crowd::new(manners.connections, manners.per_address),
        manners,
        tls: current(tls.as_ref())?,
    });
    for (name, address, begin) in doors {
        let Some(address) = address else { continue };
        for listener in sockets.bind(name, address).await? {
            tasks.spawn(smtp::serve(listener, begin, Arc::clone(&submission), stop.clone()));
        }
    }
    Ok(())
}

/// What other providers hand over.
async fn relay(
    house: &House,
    config: InForce,
    tls: Option<&Arc<ServerTls>>,
    sockets: &mut Sockets,
    tasks: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) -> Outcome<()> {
    let Some(address) = house.settings.listen.relay else { return Ok(()) };
    let manners = manners(&house.settings);
    let relay = Arc::new(Service {
        behind: Behind::Relay(Arc::new(house.relay_desk()?)),
        config,
        crowd: Crowd::new(manners.connections, manners.per_address),
        manners,
        tls: current(tls)?,
    });
    for listener in sockets.bind("relay", address).await? {
        tasks.spawn(smtp::serve(listener, Begin::Clear, Arc::clone(&relay), stop.clone()));
    }
    Ok(())
}

fn manners(settings: &Settings) -> Manners {
    let accept = &settings.accept;
    Manners {
        command: accept.command_timeout,
        data: accept.data_timeout,
        session: accept.session_timeout,
        connections: accept.max_connections as usize,
        per_address: accept.max_connections_per_address as usize,
    }
}

async fn mailboxes(
    house: &House,
    tls: Option<&Arc<ServerTls>>,
    sockets: &mut Sockets,
    tasks: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) -> Outcome<()> {
    let (mailbox, listen) = (&house.settings.mailbox, &house.settings.listen);
    let doors = [
        ("imap_tls", listen.imap_tls, imap::Begin::Tls),
        ("imap_starttls", listen.imap_starttls, imap::Begin::Clear),
    ];
    if doors.iter().all(|(_, address, _)| address.is_none()) {
        return Ok(());
    }
    let limits = answer::Limits {
        message: house.settings.accept.max_size.0,
        incoming: INCOMING,
        storage: mailbox.max_storage.map(|size| size.0),
    };
    let clock = house.clock.clone();
    let office =
        Office::new(house.store.clone(), house.gate(), Arc::new(move || clock.now()), limits);
    let manners = imap::Manners {
        connections: mailbox.max_connections as usize,
        per_address: mailbox.max_connections_per_address as usize,
        silence: kep::mailbox::session::AUTOLOGOUT,
        upload: imap::UPLOAD,
        withheld: mailbox.withhold.0.clone(),
    };
    let id = [("name", "kep"), ("version", env!("CARGO_PKG_VERSION"))];
    let id = id.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let shared = imap::Imap::new(office, in_force(tls)?, manners, id);
    for (name, address, begin) in doors {
        let Some(address) = address else { continue };
        for listener in sockets.bind(name, address).await? {
            tasks.spawn(imap::serve(listener, begin, Arc::clone(&shared), stop.clone()));
        }
    }
    Ok(())
}

/// What sessions that begin now go by.
type InForce = watch::Receiver<Arc<kep::accept::ask::Config>>;
/// Hands out the TLS configuration in force.
type CurrentTls = Arc<dyn Fn() -> Arc<rustls::ServerConfig> + Send + Sync>;

fn current(tls: Option<&Arc<ServerTls>>) -> Outcome<CurrentTls> {
    let (tls, since) = (needed(tls)?, tokio::time::Instant::now());
    Ok(Arc::new(move || tls.current(since.elapsed())))
}

fn in_force(tls: Option<&Arc<ServerTls>>) -> Outcome<imap::TlsInForce> {
    let (tls, since) = (needed(tls)?, tokio::time::Instant::now());
    Ok(Arc::new(move || tls.in_force(since.elapsed())))
}

fn needed(tls: Option<&Arc<ServerTls>>) -> Outcome<Arc<ServerTls>> {
    tls.cloned()
        .ok_or_else(|| Failure::config("a listener for mail needs tls.certificate and tls.key"))
}

fn tls(settings: &Settings) -> Outcome<Option<Arc<ServerTls>>> {
    match (&settings.tls.certificate, &settings.tls.key) {
        (Some(certificate), Some(key)) => {
            let tls = ServerTls::open(certificate, key, &[]);
            Ok(Some(Arc::new(tls.map_err(|e| Failure::config(format!("tls: {e}")))?)))
        }
        _ => Ok(None),
    }
}

/// The same for IMAP and the portal, where a client may show a certificate.
fn asking(settings: &Settings, asks: ClientCertificates) -> Outcome<Option<Arc<ServerTls>>> {
    let (Some(certificate), Some(key), ClientCertificates::Ask) =
        (&settings.tls.certificate, &settings.tls.key, asks)
    else {
        return Ok(None);
    };
    let wrong = |e: TrustError| Failure::config(format!("tls: {e}"));
    let issuers = Anchors::load(&settings.trust.user_anchors).map_err(wrong)?;
    let tls = ServerTls::open_asking(certificate, key, issuers.certificates());
    Ok(Some(Arc::new(tls.map_err(wrong)?)))
}

/// The same for other providers: whatever certificate they show is compared with the registry.
fn meeting(settings: &Settings) -> Outcome<Option<Arc<ServerTls>>> {
    let (Some(certificate), Some(key)) = (&settings.tls.certificate, &settings.tls.key) else {
        return Ok(None);
    };
    let tls = ServerTls::open_asking(certificate, key, &[]);
    Ok(Some(Arc::new(tls.map_err(|e| Failure::config(format!("tls: {e}")))?)))
}

/// SIGTERM and SIGINT end, SIGHUP reads the TLS certificate again.
struct Signals {
    end: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    /// From here on they are ours: before anybody is told that we are ready.
    fn take() -> Outcome<Self> {
        let on = |kind| signal(kind).map_err(|e| Failure::software(format!("signals: {e}")));
        Ok(Self {
            end: on(SignalKind::terminate())?,
            interrupt: on(SignalKind::interrupt())?,
            hang_up: on(SignalKind::hangup())?,
        })
    }

    /// Waits for the end.
    async fn until_end(mut self, tls: &[Option<Arc<ServerTls>>]) {
        loop {
            tokio::select! {
                _ = self.end.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => {
                    for tls in tls.iter().flatten() {
                        if let Err(error) = tls.reload() {
                            tracing::error!(%error, "reload");
                        }
                    }
                }
            }
        }
    }
}

fn log(settings: &Settings) {
    let level = match settings.log.level {
        LogLevel::Error => "error",
        LogLevel::Warn => "warn",
        LogLevel::Info => "info",
        LogLevel::Debug => "debug",
        LogLevel::Trace => "trace",
    };
    let filter = EnvFilter::try_from_env("KEP_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second call, in one process, keeps the first one's choice.
    let _ = match settings.log.format {
        LogFormat::Text => lines.with_ansi(false).try_init(),
        LogFormat::Json => lines.json().try_init(),
    };
}

fn notify(states: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd can't be told");
    }
}

/// Jobs of one step side by side: enough to fill two cores while time stamps are awaited.
const PARALLEL: usize = 64;
/// Messages and jobs under way are finished within this; systemd waits a little longer.
const FAREWELL: Duration = Duration::from_secs(50);
/// Erased contents are unreadable at once; their room is not urgent.
const COMPACTION: Duration = Duration::from_hours(1);
/// What vanished a season ago may be remembered for an hour more.
const FORGETTING: Duration = Duration::from_hours(1);
/// Messages that are being appended at the same time may take this much memory together.
const INCOMING: usize = 256 << 20;
