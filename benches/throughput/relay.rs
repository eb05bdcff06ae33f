//! Two providers: what one accepts the other delivers, until the sender has the evidence of both in
//! `Deliller`. And the same while a third one, that is dead, has a long queue.

mod postgres;
mod provider;
mod queue;
mod rows;

use std::io;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;

use super::client::world::Server;
use super::hierarchy::KeyKind;
use super::kep::{RECIPIENT, SENDER, pick};
use super::load::{Finish, Shape, Side};
use super::report::{Figure, RELAY, Report, Single};
use provider::Provider;

/// Where the sender's provider keeps its rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum RowsIn {
    Sqlite,
    /// A private server, when it is installed
    Postgres,
}

/// What of the relay is measured.
pub struct Plan {
    pub keys: Vec<KeyKind>,
    pub shapes: Vec<Shape>,
    pub rounds: usize,
    /// Mails that wait for a dead provider; none leaves that out.
    pub queued: usize,
    pub rows: Vec<RowsIn>,
}

pub async fn measure(plan: &Plan, folder: &Path, report: &mut Report) -> io::Result<()> {
    for key in &plan.keys {
        between_two(plan, *key, &folder.join(format!("relay-{}", key.name())), report).await?;
    }
    let Some(key) = plan.keys.first().filter(|_| plan.queued > 0) else { return Ok(()) };
    for rows in &plan.rows {
        queue::measure(plan, *key, *rows, &folder.join(format!("queue-{rows:?}")), report).await?;
    }
    Ok(())
}

async fn between_two(
    plan: &Plan,
    key: KeyKind,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let one = Provider::make(&folder.join("one"), ONE, key, SENDER).await?;
    let other = Provider::make(&folder.join("other"), OTHER, key, RECIPIENT).await?;
    provider::believe(&[&one, &other], &folder.join("tsa.pem"))?;
    one.register(&other).await?;
    other.register(&one).await?;
    let (at_one, at_other) = (one.world.serve().await?, other.world.serve().await?);
    let side = side(&one, &other, &at_one)?;
    for shape in &plan.shapes {
        let before = [at_one.cpu()?, at_other.cpu()?];
        let outcome = side.measure(*shape, plan.rounds, key.name()).await?;
        let messages = (shape.messages * plan.rounds) as u32;
        let cpu =
            [(at_one.cpu()? - before[0]) / messages, (at_other.cpu()? - before[1]) / messages];
        let subject = format!("kep {}", key.name());
        report.add(Figure {
            what: RELAY,
            subject: subject.clone(),
            size: shape.size,
            connections: shape.connections,
            rate: outcome.rate,
            p50: outcome.ack_p50,
            p99: outcome.ack_p99,
            cpu: Some(cpu.iter().sum()),
        });
        for (what, cpu) in [("relay, sender's", cpu[0]), ("relay, other's", cpu[1])] {
            let subject = format!("{subject} {}/{}", shape.size, shape.connections);
            report.add_single(Single {
                what,
                subject,
                value: millis(cpu),
                unit: "ms of CPU a message",
            });
        }
    }
    at_one.kill().await?;
    at_other.kill().await
}

/// From the accounts of one to those of the other.
fn side(from: &Provider, to: &Provider, at: &Server) -> io::Result<Side> {
    Ok(Side {
        doors: from.world.doors(),
        senders: pick(&from.world, SENDER)?,
        recipients: pick(&to.world, RECIPIENT)?,
        finish: Finish::Relayed,
        server: at.pid().ok_or_else(|| io::Error::other("kep serve has ended"))?,
    })
}

fn millis(long: Duration) -> f64 {
    long.as_secs_f64() * 1000.0
}

const ONE: &str = "hs05.kep.tr";
const OTHER: &str = "hs06.kep.tr";
