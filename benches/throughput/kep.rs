//! `kep` under load: a provider made by `kep dev init`, until the evidence stands in `Deliller`.

use std::io;
use std::path::Path;

use super::client::world::{Account, Wish, World, kep_binary};
use super::conf;
use super::hierarchy::KeyKind;
use super::imap::{self, Measure};
use super::load::{Finish, Plan, Side};
use super::report::{Figure, Report, SUBMISSION};
use super::start;

pub async fn measure(
    plan: &Plan,
    keys: &[KeyKind],
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    for (number, key) in keys.iter().enumerate() {
        let folder = folder.join(format!("kep-{}", key.name()));
        // IMAP is the same whatever the keys are.
        measure_key(plan, *key, number == 0, &folder, report).await?;
    }
    Ok(())
}

async fn measure_key(
    plan: &Plan,
    key: KeyKind,
    with_imap: bool,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let accounts = names(&[SENDER, RECIPIENT]);
    let wish = Wish { domain: DOMAIN, accounts: &accounts, key: key.name(), direct: false };
    let world = World::init(&kep_binary()?, folder, &wish).await?;
    conf::let_many_in(&world)?;
    let server = world.serve().await?;
    let gone = || io::Error::other("kep serve has ended");
    let side = Side {
        doors: world.doors(),
        senders: pick(&world, SENDER)?,
        recipients: pick(&world, RECIPIENT)?,
        finish: Finish::Evidence,
        server: server.pid().ok_or_else(gone)?,
    };
    for shape in &plan.shapes {
        let before = server.cpu()?;
        let outcome = side.measure(*shape, plan.rounds, key.name()).await?;
        let messages = (shape.messages * plan.rounds) as u32;
        report.add(Figure {
            what: SUBMISSION,
            subject: format!("kep {}", key.name()),
            size: shape.size,
            connections: shape.connections,
            rate: outcome.rate,
            p50: outcome.ack_p50,
            p99: outcome.ack_p99,
            cpu: Some((server.cpu()? - before) / messages),
        });
    }
    let subject = format!("kep {}", key.name());
    if with_imap {
        imap::measure(&side, &subject, &plan.imap, report).await?;
    }
    if with_imap && plan.imap.wants(Measure::Start) {
        return start::measure(&world, server, &side, &plan.imap, &subject, report).await;
    }
    server.kill().await
}

/// The local parts of everybody in these roles.
pub fn names(roles: &[&str]) -> Vec<String> {
    roles.iter().flat_map(|role| (0..PAIRS).map(move |n| format!("{role}{n}"))).collect()
}

pub fn pick(world: &World, role: &str) -> io::Result<Vec<Account>> {
    (0..PAIRS).map(|n| world.account(&format!("{role}{n}")).cloned()).collect()
}

/// As many as `Postfix + Dovecot` get.
pub const PAIRS: usize = 8;
pub const DOMAIN: &str = "hs05.kep.tr";
pub const SENDER: &str = "gonderen";
pub const RECIPIENT: &str = "alici";
