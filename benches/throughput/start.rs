//! From the start of a server that was killed until it is ready, with a million messages.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::client::world::{Server, World};
use super::imap::{DRAFTS, Plan};
use super::load::Side;
use super::report::{Report, Single};

/// Copies the drafts until there are enough messages; their contents are shared.
pub async fn measure(
    world: &World,
    server: Server,
    side: &Side,
    plan: &Plan,
    subject: &str,
    report: &mut Report,
) -> io::Result<()> {
    let mut imap = side.doors.imap(&side.senders[0]).await?;
    let (mut all, each) = (imap.select(DRAFTS).await?.exists as usize, plan.messages);
    let mut number = 0;
    while all < plan.stored {
        number += 1;
        imap.command(&format!("CREATE kopya{number}")).await?;
        imap.octets(&format!("COPY 1:{} kopya{number}", each.min(plan.stored - all))).await?;
        all += each;
    }
    imap.logout().await?;
    server.kill().await?;
    for (what, cold) in [("start, cold", true), ("start, warm", false)] {
        if cold {
            forget_files(world.folder())?;
        }
        let start = Instant::now();
        let server = world.serve().await?;
        let whole = start.elapsed();
        for (time, unit) in [(whole, "ms until it is ready"), (server.cpu()?, "ms of CPU for it")] {
            let (subject, value) = (subject.to_owned(), time.as_secs_f64() * 1000.0);
            report.add_single(Single { what, subject, value, unit });
        }
        server.kill().await?;
    }
    Ok(())
}

/// Has the kernel drop what it keeps of the files in a folder.
fn forget_files(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            forget_files(&path)?;
        } else if path.is_file() {
            let mut file = OsString::from("if=");
            file.push(&path);
            let asked = ["iflag=nocache", "count=0", "status=none"];
            Command::new("sync").arg(&path).status()?;
            Command::new("dd").arg(file).args(asked).status()?;
        }
    }
    Ok(())
}
