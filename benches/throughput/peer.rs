//! Postfix and Dovecot from Debian's packages, started privately, doing the uncertified half.
//!
//! Submission with TLS and AUTH (Dovecot's SASL), delivery by Dovecot's LMTP; everything that
//! decides durability stays at its default. Needs root, because Postfix does.

mod relay;

pub use relay::measure as measure_relay;

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use openssl::x509::X509;

use super::client::mail::Signer;
use super::client::tls::Tls;
use super::client::world::{Account, Doors};
use super::hierarchy::{Authority, KeyKind};
use super::imap;
use super::kep::{DOMAIN, PAIRS, RECIPIENT, SENDER};
use super::load::{Finish, Plan, Side};
use super::report::{Figure, Report, SUBMISSION};

/// How Dovecot keeps mail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    Sdbox,
    Maildir,
    /// As sdbox, with every change synced before it is answered (`mail_fsync = always`)
    SdboxSynced,
}

pub async fn measure(
    plan: &Plan,
    formats: &[Format],
    folder: &Path,
    report: &mut Report,
) -> io::Result<()> {
    for format in formats {
        let place = folder.join(format.name());
        let peer = Peer::start(&place, *format)?;
        submission(&peer, plan, report).await?;
        let subject = format!("postfix+dovecot {}", format.name());
        imap::measure(&peer.side, &subject, &plan.imap, report).await?;
    }
    Ok(())
}

async fn submission(peer: &Peer, plan: &Plan, report: &mut Report) -> io::Result<()> {
    for shape in &plan.shapes {
        let outcome = peer.side.measure(*shape, plan.rounds, peer.format.name()).await?;
        report.add(Figure {
            what: SUBMISSION,
            subject: format!("postfix+dovecot {}", peer.format.name()),
            size: shape.size,
            connections: shape.connections,
            rate: outcome.rate,
            p50: outcome.ack_p50,
            p99: outcome.ack_p99,
            cpu: None,
        });
    }
    Ok(())
}

/// Both daemons; they end with this value.
struct Peer {
    format: Format,
    side: Side,
    postfix: PathBuf,
    dovecot: PathBuf,
}

impl Peer {
    fn start(place: &Path, format: Format) -> io::Result<Self> {
        lay_out(place)?;
        let authority = Authority::new(KeyKind::P256)?;
        let host = authority.issue_host(HOST)?;
        write_pem(&place.join("ca.pem"), &authority.certificate)?;
        write_pem(&place.join("host.pem"), &host.certificate)?;
        fs::write(place.join("host.key"), host.key.private_key_to_pem_pkcs8()?)?;
        let (submission, imap) = (free_port()?, free_port()?);
        write_dovecot(place, format, imap)?;
        let main = [submitting(place), delivering(place)].concat();
        write_postfix(place, place, &main, submission)?;
        let side = Side {
            doors: Doors { submission, imap, tls: Tls::new(&place.join("ca.pem"), HOST)? },
            senders: accounts(&authority, SENDER)?,
            recipients: accounts(&authority, RECIPIENT)?,
            finish: Finish::Inbox,
            server: 0,
        };
        let (postfix, dovecot) = (place.join("postfix"), place.join("dovecot.conf"));
        let mut peer = Self { format, side, postfix, dovecot };
        run(Command::new("dovecot").arg("-c").arg(&peer.dovecot))?;
        run(Command::new("postfix").arg("-c").arg(&peer.postfix).arg("start"))?;
        wait_for(submission)?;
        wait_for(imap)?;
        peer.side.server = master(place)?;
        Ok(peer)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // Nothing can be done about a daemon that has already ended.
        let _ = run(Command::new("postfix").arg("-c").arg(&self.postfix).arg("stop"));
        let _ = run(Command::new("doveadm").arg("-c").arg(&self.dovecot).arg("stop"));
    }
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Sdbox => "sdbox",
            Self::Maildir => "maildir",
            Self::SdboxSynced => "sdbox-synced",
        }
    }

    fn fsync(self) -> &'static str {
        match self {
            Self::SdboxSynced => "always",
            Self::Sdbox | Self::Maildir => "optimized",
        }
    }

    fn location(self, place: &Path) -> String {
        let driver = if self == Self::Maildir { "maildir" } else { "sdbox" };
        format!("{driver}:{}/mail/%n", place.display())
    }
}

/// The folders, readable for the daemons' users on the whole way down.
fn lay_out(place: &Path) -> io::Result<()> {
    for folder in ["run", "mail"] {
        fs::create_dir_all(place.join(folder))?;
    }
    for open in place.ancestors().take(2) {
        fs::set_permissions(open, fs::Permissions::from_mode(0o755))?;
    }
    lay_out_postfix(place)?;
    run(Command::new("chown").arg("mail:mail").arg(place.join("mail")))
}

fn lay_out_postfix(own: &Path) -> io::Result<()> {
    for folder in ["postfix", "queue", "data"] {
        fs::create_dir_all(own.join(folder))?;
    }
    run(Command::new("chown").arg("postfix").arg(own.join("data")))
}

/// Debian's defaults, in a folder of its own, on a port of its own.
fn write_postfix(place: &Path, own: &Path, more: &str, door: SocketAddr) -> io::Result<()> {
    let (at, own_at) = (place.display(), own.display());
    let main = format!(
        "compatibility_level = 3.6\nmyhostname = {HOST}\nmydestination =\ninet_interfaces = \
         127.0.0.1\ninet_protocols = ipv4\nqueue_directory = {own_at}/queue\ndata_directory = \
         {own_at}/data\nmaillog_file = {own_at}/postfix.log\nmaillog_file_prefixes = {own_at}\n\
         message_size_limit = 36700160\nmailbox_size_limit = 0\nvirtual_mailbox_limit = 0\n\
         smtpd_tls_cert_file = {at}/host.pem\nsmtpd_tls_key_file = {at}/host.key\nalias_maps =\n\
         biff = no\n{more}"
    );
    fs::write(own.join("postfix/main.cf"), main)?;
    fs::write(own.join("postfix/master.cf"), format!("{door} {MASTER}"))
}

fn submitting(place: &Path) -> String {
    let at = place.display();
    format!(
        "smtpd_tls_wrappermode = yes\nsmtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = dovecot\n\
         smtpd_sasl_path = {at}/run/auth-postfix\nsmtpd_relay_restrictions = \
         permit_sasl_authenticated, reject\n"
    )
}

fn delivering(place: &Path) -> String {
    let at = place.display();
    format!(
        "virtual_mailbox_domains = {DOMAIN}\nvirtual_transport = lmtp:unix:{at}/run/lmtp-postfix\n"
    )
}

fn write_dovecot(place: &Path, format: Format, imap: SocketAddr) -> io::Result<()> {
    let at = place.display();
    let (location, fsync) = (format.location(place), format.fsync());
    let port = imap.port();
    let conf = format!(
        "base_dir = {at}/run\nstate_dir = {at}/run\nlog_path = {at}/dovecot.log\nprotocols = imap \
         lmtp\nlisten = 127.0.0.1\nssl = required\nssl_cert = <{at}/host.pem\nssl_key = \
         <{at}/host.key\nmail_location = {location}\nmail_fsync = {fsync}\nmail_uid = mail\nmail_gid = mail\n\
         first_valid_uid = 1\nmail_max_userip_connections = 100000\ndefault_process_limit = 4096\n\
         default_client_limit = 16384\nauth_username_format = %Ln\n\
         passdb {{\n driver = passwd-file\n args = {at}/users\n}}\nuserdb {{\n driver = static\n \
         args = uid=mail gid=mail home={at}/mail/%n\n}}\nservice auth {{\n unix_listener \
         auth-postfix {{\n mode = 0660\n user = postfix\n }}\n}}\nservice lmtp {{\n \
         unix_listener lmtp-postfix {{\n mode = 0660\n user = postfix\n }}\n}}\n\
         service imap-login {{\n inet_listener imap {{\n port = 0\n }}\n inet_listener imaps {{\n \
         port = {port}\n }}\n}}\n"
    );
    fs::write(place.join("dovecot.conf"), conf)?;
    let roles = [SENDER, RECIPIENT];
    let lines = roles
        .iter()
        .flat_map(|role| (0..PAIRS).map(move |n| format!("{role}{n}:{{PLAIN}}{PASSWORD}\n")));
    fs::write(place.join("users"), lines.collect::<String>())
}

fn accounts(authority: &Authority, role: &str) -> io::Result<Vec<Account>> {
    let account = |n| {
        let address = format!("{role}{n}@{DOMAIN}");
        let holder = authority.issue(&address)?;
        let signer = Signer::new(holder.certificate, holder.key);
        Ok(Account { address, password: PASSWORD.to_owned(), signer })
    };
    (0..PAIRS).map(account).collect()
}

fn write_pem(file: &Path, certificate: &X509) -> io::Result<()> {
    fs::write(file, certificate.to_pem()?)
}

/// Dovecot's first process.
fn master(place: &Path) -> io::Result<u32> {
    let text = fs::read_to_string(place.join("run/master.pid"))?;
    text.trim().parse().map_err(io::Error::other)
}

fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn run(command: &mut Command) -> io::Result<()> {
    // A daemon inherits what its starter has: a pipe would stay open for as long as it lives.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

fn wait_for(door: SocketAddr) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match std::net::TcpStream::connect(door) {
            Ok(_) => return Ok(()),
            Err(refused) if start.elapsed() > START_PATIENCE => return Err(refused),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

const HOST: &str = "posta.example";
const PASSWORD: &str = "gizli-sozcuk";
const START_PATIENCE: Duration = Duration::from_secs(20);
/// The services of Debian's master.cf that this way of a message uses, none in a chroot.
const MASTER: &str = "inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
lmtp unix - - n - - lmtp
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
";
