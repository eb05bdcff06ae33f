//! Two providers side by side send to a third: one with nothing else to do, one with a long queue for a
//! provider that is dead. They take turns, so that both have the same machine.

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use super::provider::{self, Provider};
use super::rows::Rows;
use super::{ONE, OTHER, Plan, RowsIn, millis, side};
use crate::client::mail::Letter;
use crate::client::smtp::Prepared;
use crate::client::world::Server;
use crate::hierarchy::KeyKind;
use crate::kep::{RECIPIENT, SENDER};
use crate::load::{Outcome, Shape, Side};
use crate::process;
use crate::report::{Figure, Report, Single};

/// One of the two.
struct Sender {
    name: String,
    side: Side,
    server: Server,
    rows: Rows,
    outcomes: Vec<Outcome>,
    cpu: Vec<Duration>,
}

pub async fn measure(
    plan: &Plan,
    key: KeyKind,
    rows: RowsIn,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let idle = Provider::make(&folder.join("idle"), ONE, key, SENDER).await?;
    let busy = Provider::make(&folder.join("busy"), BUSY, key, SENDER).await?;
    let other = Provider::make(&folder.join("other"), OTHER, key, RECIPIENT).await?;
    provider::believe(&[&idle, &busy, &other], &folder.join("tsa.pem"))?;
    let (Some(of_idle), Some(of_busy)) =
        (Rows::of(&idle, rows).await?, Rows::of(&busy, rows).await?)
    else {
        return Ok(());
    };
    for sender in [&idle, &busy] {
        sender.register(&other).await?;
        other.register(sender).await?;
    }
    busy.register_dead(DEAD).await?;
    one_waits(&busy).await?;
    of_busy.multiply(&busy, plan.queued).await?;

    let kind = format!("kep {rows:?}").to_lowercase();
    let at_other = other.world.serve().await?;
    let mut senders = Vec::new();
    for (provider, rows, queued) in [(&idle, of_idle, 0), (&busy, of_busy, plan.queued)] {
        let name = format!("{kind}, {queued} queued");
        let server = started(provider, &name, report).await?;
        let side = side(provider, &other, &server)?;
        senders.push(Sender { name, side, server, rows, outcomes: Vec::new(), cpu: Vec::new() });
    }
    for shape in plan.shapes.iter().filter(|shape| shape.connections == CONNECTIONS) {
        take_turns(&mut senders, *shape, plan.rounds, &kind, report).await?;
    }
    for sender in senders {
        let (subject, value) = (sender.name, process::memory(sender.side.server) as f64);
        let (value, unit) = (value / f64::from(1 << 20), "MiB after all");
        report.add_single(Single { what: "queue, memory", subject, value, unit });
        sender.server.kill().await?;
    }
    at_other.kill().await
}

/// A message to the dead provider, sealed and in the queue; the server has ended when this returns.
async fn one_waits(busy: &Provider) -> io::Result<()> {
    let server = busy.world.serve().await?;
    let account = &busy.world.accounts()[0];
    let (from, to) = (account.address.as_str(), format!("yok@{DEAD}"));
    let letter = Letter {
        from,
        to: &[&to],
        subject: "Bekleyen ileti",
        message_id: "bekleyen.1@istemci.example",
        text: "Bu ileti bekler.",
        attachment: 2000,
    };
    let message = Prepared::new(&account.signer.sign(&letter)?);
    let mut smtp = busy.world.doors().smtp(account).await?;
    smtp.submit(from, &[&to], &message).await?.reply.must_be(250)?;
    smtp.quit().await?;
    let start = Instant::now();
    while !busy.kep(&["queue", "list", "--json"]).await?.contains(DEAD) {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::other("nothing is queued"));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    server.kill().await
}

async fn started(provider: &Provider, name: &str, report: &mut Report) -> io::Result<Server> {
    let start = Instant::now();
    let server = provider.world.serve().await?;
    let whole = start.elapsed();
    for (time, unit) in [(whole, "ms until it is ready"), (server.cpu()?, "ms of CPU for it")] {
        let (subject, value) = (name.to_owned(), millis(time));
        report.add_single(Single { what: "queue, start", subject, value, unit });
    }
    Ok(server)
}

async fn take_turns(
    senders: &mut [Sender],
    shape: Shape,
    rounds: usize,
    kind: &str,
    report: &mut Report,
) -> io::Result<()> {
    // One round more than is counted: the first one warms up.
    for round in 0..=rounds {
        for turn in 0..senders.len() {
            // Who goes first may have the quieter machine.
            let at = (turn + round) % senders.len();
            let Some(sender) = senders.get_mut(at) else { continue };
            let before = sender.used()?;
            let outcome = sender.side.round(shape, &format!("{}-{round}", shape.size)).await?;
            if round > 0 {
                sender.cpu.push((sender.used()? - before) / shape.messages as u32);
                sender.outcomes.push(outcome);
            }
        }
    }
    let mut told = Vec::new();
    for sender in senders {
        let outcome = Outcome::median(std::mem::take(&mut sender.outcomes));
        let mut cpu = std::mem::take(&mut sender.cpu);
        cpu.sort_unstable();
        let cpu = cpu.get(cpu.len() / 2).copied().unwrap_or_default();
        told.push((outcome.rate, millis(cpu)));
        report.add(Figure {
            what: "relay beside",
            subject: sender.name.clone(),
            size: shape.size,
            connections: shape.connections,
            rate: outcome.rate,
            p50: outcome.ack_p50,
            p99: outcome.ack_p99,
            cpu: Some(cpu),
        });
    }
    let [idle, busy] = told[..] else { return Ok(()) };
    let ratios =
        [(busy.0 / idle.0, "x rate beside the queue"), (busy.1 / idle.1, "x CPU of the sender's")];
    for (value, unit) in ratios {
        let subject = format!("{kind} {}", shape.size);
        report.add_single(Single { what: "queue, ratio", subject, value, unit });
    }
    Ok(())
}

impl Sender {
    /// CPU time so far, with that of its rows' server.
    fn used(&self) -> io::Result<Duration> {
        Ok(self.server.cpu()? + self.rows.cpu())
    }
}

const BUSY: &str = "hs07.kep.tr";
const DEAD: &str = "hs08.kep.tr";
/// Submission connections.
const CONNECTIONS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
