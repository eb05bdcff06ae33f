//! Two Postfixes: one takes submissions and relays them over TLS to the other, which knows it by name
//! and authority and delivers by Dovecot's LMTP. The uncertified half of what two providers do.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{
    Format, HOST, Peer, delivering, free_port, lay_out_postfix, run, wait_for, write_postfix,
};
use crate::load::Shape;
use crate::process;
use crate::report::{Figure, RELAY, Report};

pub async fn measure(
    shapes: &[Shape],
    rounds: usize,
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    let peer = Peer::start(&folder.join("relay"), Format::Sdbox)?;
    let second = Second::start(&folder.join("relay"))?;
    for shape in shapes {
        let before = second.cpu(&peer)?;
        let outcome = peer.side.measure(*shape, rounds, "relay").await?;
        let messages = (shape.messages * rounds) as u32;
        report.add(Figure {
            what: RELAY,
            subject: "postfix to postfix".to_owned(),
            size: shape.size,
            connections: shape.connections,
            rate: outcome.rate,
            p50: outcome.ack_p50,
            p99: outcome.ack_p99,
            cpu: Some(second.cpu(&peer)?.saturating_sub(before) / messages),
        });
    }
    Ok(())
}

/// The one that delivers; the first one is told to relay to it.
struct Second {
    own: PathBuf,
}

impl Second {
    fn start(place: &Path) -> io::Result<Self> {
        let own = place.join("second");
        lay_out_postfix(&own)?;
        let door = free_port()?;
        let main = format!("smtpd_tls_security_level = encrypt\n{}", delivering(place));
        write_postfix(place, &own, &main, door)?;
        let second = Self { own };
        run(Command::new("postfix").arg("-c").arg(second.own.join("postfix")).arg("start"))?;
        wait_for(door)?;
        let (at, port) = (place.display(), door.port());
        let relaying = format!(
            "default_transport = smtp:[127.0.0.1]:{port}\nsmtp_tls_security_level = verify\n\
             smtp_tls_verify_cert_match = {HOST}\nsmtp_tls_CAfile = {at}/ca.pem\n"
        );
        let first = place.join("postfix");
        // Its own port is in its other file.
        let main = fs::read_to_string(first.join("main.cf"))?.replace(&delivering(place), "");
        fs::write(first.join("main.cf"), format!("{main}{relaying}"))?;
        run(Command::new("postfix").arg("-c").arg(first).arg("reload"))?;
        Ok(second)
    }

    /// CPU time of both and of Dovecot.
    fn cpu(&self, peer: &Peer) -> io::Result<Duration> {
        let place = self.own.parent().unwrap_or(&self.own);
        let masters = [place, &self.own].map(|own| own.join("queue/pid/master.pid"));
        let mut sum = process::cpu(peer.side.server);
        for master in masters {
            let pid = fs::read_to_string(master)?.trim().parse();
            sum += process::cpu(pid.map_err(io::Error::other)?);
        }
        Ok(sum)
    }
}

impl Drop for Second {
    fn drop(&mut self) {
        // Nothing can be done about a daemon that has already ended.
        let _ = run(Command::new("postfix").arg("-c").arg(self.own.join("postfix")).arg("stop"));
    }
}
