//! `kep` under load: a provider made by `kep dev init`, until the evidence stands in `Deliller`.

use std::io;
use std::path::Path;

use super::client::world::{Account, Wish, World, kep_binary};
use super::hierarchy::KeyKind;
use super::imap;
use super::load::{Finish, Plan, Side};
use super::report::{Figure, Report, SUBMISSION};

pub async fn measure(
    plan: &Plan,
    keys: &[KeyKind],
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    for key in keys {
        measure_key(plan, *key, &folder.join(format!("kep-{}", key.name())), report).await?;
    }
    Ok(())
}

async fn measure_key(
    plan: &Plan,
    key: KeyKind,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let name = |role: &'static str| move |n| format!("{role}{n}");
    let accounts: Vec<String> =
        (0..PAIRS).map(name(SENDER)).chain((0..PAIRS).map(name(RECIPIENT))).collect();
    let wish = Wish { domain: DOMAIN, accounts: &accounts, key: key.name(), direct: false };
    let world = World::init(&kep_binary()?, folder, &wish).await?;
    let server = world.serve().await?;
    let side = Side {
        doors: world.doors(),
        senders: pick(&world, SENDER)?,
        recipients: pick(&world, RECIPIENT)?,
        finish: Finish::Evidence,
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
    imap::measure(&side, &format!("kep {}", key.name()), plan.mailbox, report).await?;
    server.kill().await
}

fn pick(world: &World, role: &str) -> io::Result<Vec<Account>> {
    (0..PAIRS).map(|n| world.account(&format!("{role}{n}")).cloned()).collect()
}

/// As many as `Postfix + Dovecot` get.
pub const PAIRS: usize = 8;
pub const DOMAIN: &str = "hs05.kep.tr";
pub const SENDER: &str = "gonderen";
pub const RECIPIENT: &str = "alici";
