//! The portal of `kep serve`: the JSON API over TLS.

use super::http::{stopped, until_farewell};
use super::sockets::Sockets;
use crate::api_doors::{AcceptingDoor, VerifyingDoor};
use crate::failure::{Failure, Outcome};
use crate::wire_up::{self, House};
use kep::accept::ask::Config;
use kep::evidence::verify::MAX_OCTETS;
use kep::portal::api::{Limits, Portal, Service};
use kep::portal::serve::{CurrentTls, Doorway, Manners, Peer};
use kep::registry::crowd::Crowd;
use kep::trust::tls::ServerTls;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

pub async fn open(
    house: &House,
    config: watch::Receiver<Arc<Config>>,
    tls: Option<&Arc<ServerTls>>,
    sockets: &mut Sockets,
    tasks: &mut JoinSet<()>,
    stop: &watch::Receiver<bool>,
) -> Outcome<()> {
    let settings = &house.settings;
    let Some(address) = settings.listen.portal else { return Ok(()) };
    let current = current(tls)?;
    let declared = &settings.portal;
    let crowd = Crowd::new(
        declared.max_connections as usize,
        declared.max_connections_per_address as usize,
    );
    let limits = Limits {
        document: MAX_OCTETS as u64,
        storage: settings.mailbox.max_storage.map(|size| size.0),
        per_minute: declared.requests_per_minute,
    };
    let desk = AcceptingDoor { desk: Arc::clone(&house.desk), config };
    let judge = VerifyingDoor::new(settings, house.store.clone())?;
    let portal = Portal::new(
        house.store.clone(),
        house.clock.clone(),
        Arc::new(desk),
        Arc::new(judge),
        limits,
        wire_up::people(house)?,
    )
    .with_central(wire_up::central(settings)?)
    .with_word(house.word());
    let service = Service::new(portal);
    let (router, work) = (service.clone().router(), service);
    for listener in sockets.bind("portal", address).await? {
        let doorway =
            Doorway::over(listener, Arc::clone(&current), crowd.clone(), Manners::default());
        let doorway = doorway.map_err(|e| Failure::unavailable(format!("listen.portal: {e}")))?;
        let service = router.clone().into_make_service_with_connect_info::<Peer>();
        let serving = axum::serve(doorway, service).with_graceful_shutdown(stopped(stop.clone()));
        let (stop, work) = (stop.clone(), work.clone());
        tasks.spawn(async move {
            until_farewell(serving.into_future(), stop, FAREWELL).await;
            // Who has hung up stops nothing halfway, and neither do we.
            let _ = tokio::time::timeout(WORK_FAREWELL, work.is_done()).await;
        });
    }
    Ok(())
}

fn current(tls: Option<&Arc<ServerTls>>) -> Outcome<CurrentTls> {
    let tls = tls
        .cloned()
        .ok_or_else(|| Failure::config("listen.portal needs tls.certificate and tls.key"))?;
    let since = tokio::time::Instant::now();
    Ok(Arc::new(move || tls.current(since.elapsed())))
}

/// A message that comes in over a slow line, or waits for its time stamp; less than the server has to end.
const FAREWELL: Duration = Duration::from_secs(40);
const WORK_FAREWELL: Duration = Duration::from_secs(5);
