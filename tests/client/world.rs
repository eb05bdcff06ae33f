//! A provider folder made by `kep dev init` and the server that runs on it, seen from outside.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::imap::Imap;
use super::mail::Signer;
use super::smtp::Smtp;
use super::tls::{Security, Tls};

/// What `kep dev init` is asked for.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    pub domain: &'a str,
    /// Local parts.
    pub accounts: &'a [String],
    /// `p256`, `rsa2048` or `rsa3072`.
    pub key: &'a str,
    /// Accounts that open directly (`doğrudan`).
    pub direct: bool,
}

/// A provider folder.
pub struct World {
    binary: PathBuf,
    folder: PathBuf,
    base_port: u16,
    accounts: Vec<Account>,
    tls: Tls,
}

/// Someone who has an account, with his door to it.
#[derive(Clone)]
pub struct Account {
    pub address: String,
    pub password: String,
    pub signer: Signer,
}

/// A running server; it dies with this value.
pub struct Server {
    child: Child,
    /// The child is strace, and the server is its child.
    traced: bool,
}

/// Where a mail program of this provider connects: what tests and the load generator need.
#[derive(Clone)]
pub struct Doors {
    pub submission: SocketAddr,
    pub imap: SocketAddr,
    pub tls: Tls,
}

impl World {
    /// Runs `kep dev init`.
    pub async fn init(binary: &Path, folder: &Path, wish: &Wish<'_>) -> io::Result<Self> {
        let base_port = free_ports()?;
        let mut command = Command::new(binary);
        command.args(["dev", "init"]).arg(folder).args(["--domain", wish.domain]);
        command.args(["--base-port", &base_port.to_string()]);
        command.args(["--accounts", &wish.accounts.join(","), "--key", wish.key]);
        if wish.direct {
            command.arg("--direct");
        }
        let ran = command.stdin(Stdio::null()).output().await?;
        if !ran.status.success() {
            let told = String::from_utf8_lossy(&ran.stderr).into_owned();
            return Err(io::Error::other(format!("kep dev init: {}: {told}", ran.status)));
        }
        let accounts = accounts(folder)?;
        let tls = Tls::new(&folder.join("trust/tls-ca.pem"), TLS_NAME)?;
        let (binary, folder) = (binary.to_owned(), folder.to_owned());
        Ok(Self { binary, folder, base_port, accounts, tls })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// In the order of `passwords.txt`.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The account of a local part.
    pub fn account(&self, local: &str) -> io::Result<&Account> {
        let found = self.accounts.iter().find(|a| a.address.split('@').next() == Some(local));
        found.ok_or_else(|| io::Error::other(format!("passwords.txt has no {local}")))
    }

    /// Implicit TLS on both.
    pub fn doors(&self) -> Doors {
        let door = |offset| SocketAddr::from((Ipv4Addr::LOCALHOST, self.base_port + offset));
        Doors { submission: door(SUBMISSION_TLS), imap: door(IMAP_TLS), tls: self.tls.clone() }
    }

    /// Starts `kep serve` and waits for its `kep: ready`.
    pub async fn serve(&self) -> io::Result<Server> {
        Server::start(&mut self.serve_command(Command::new(&self.binary)), false).await
    }

    /// Starts `kep serve`, kills it after so long, and says whether it had been ready by then.
    pub async fn serve_briefly(&self, life: Duration) -> io::Result<bool> {
        let mut command = self.serve_command(Command::new(&self.binary));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        tokio::time::sleep(life).await;
        child.start_kill()?;
        let said = child.wait_with_output().await?.stdout;
        Ok(String::from_utf8_lossy(&said).lines().any(|line| line == READY))
    }

    /// The same under `strace`, writing its trace to `trace`.
    pub async fn serve_traced(&self, trace: &Path, calls: &str) -> io::Result<Server> {
        let mut strace = Command::new("strace");
        // -yy names files and both ends of a socket; -ttt gives the machine's clock.
        strace.args(["-f", "-yy", "-ttt", "-s", "16", "-e"]).arg(format!("trace={calls}"));
        strace.arg("-o").arg(trace).arg("--").arg(&self.binary);
        Server::start(&mut self.serve_command(strace), true).await
    }

    /// `kep verify` over files, against the provider's own anchors: exit code and report.
    pub async fn verify(&self, files: &[PathBuf]) -> io::Result<(Option<i32>, String)> {
        let mut command = Command::new(&self.binary);
        command.arg("verify").args(files).arg("--trust").arg(self.folder.join("trust"));
        let ran = command.stdin(Stdio::null()).output().await?;
        let mut report = String::from_utf8_lossy(&ran.stdout).into_owned();
        report.push_str(&String::from_utf8_lossy(&ran.stderr));
        Ok((ran.status.code(), report))
    }

    fn serve_command(&self, mut command: Command) -> Command {
        command.arg("serve").arg("--conf").arg(self.folder.join("kep.toml"));
        command
    }
}

impl Doors {
    pub async fn smtp(&self, account: &Account) -> io::Result<Smtp> {
        let (user, password) = (&account.address, &account.password);
        Smtp::login(self.submission, &self.tls, Security::Implicit, user, password).await
    }

    pub async fn imap(&self, account: &Account) -> io::Result<Imap> {
        let (user, password) = (&account.address, &account.password);
        Imap::login(self.imap, &self.tls, Security::Implicit, user, password).await
    }
}

impl Server {
    async fn start(command: &mut Command, traced: bool) -> io::Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut server = Self { child: command.spawn()?, traced };
        let stdout = server.child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line == READY {
                    return Ok(());
                }
            }
            Err(io::Error::other("kep serve ended before it was ready"))
        };
        let waited = tokio::time::timeout(START_PATIENCE, ready).await;
        waited.map_err(|_| io::Error::other("kep serve is not ready in time"))??;
        // A full pipe would stop the server: what it prints later is read and dropped.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(server)
    }

    /// The process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// SIGKILL, and gone when this returns.
    pub async fn kill(mut self) -> io::Result<()> {
        self.child.kill().await
    }

    /// Ends a traced server, and strace with it, once the trace is written.
    pub async fn stop_traced(mut self) -> io::Result<()> {
        self.signal_traced("TERM")?;
        self.child.wait().await.map(drop)
    }

    /// CPU time used so far.
    pub fn cpu(&self) -> io::Result<Duration> {
        let pid = self.pid().ok_or_else(|| io::Error::other("the server has ended"))?;
        cpu_of(pid)
    }
}

impl Server {
    /// Signals what strace runs: were strace itself killed, the server would go on without it.
    fn signal_traced(&self, signal: &str) -> io::Result<()> {
        let Some(pid) = self.pid().filter(|_| self.traced) else { return Ok(()) };
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        for child in children.split_whitespace() {
            std::process::Command::new("kill").args(["-s", signal, child]).status()?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that has ended needs no signal.
        let _ = self.signal_traced("KILL");
    }
}

/// Reads `passwords.txt` and each user's certificate.
fn accounts(folder: &Path) -> io::Result<Vec<Account>> {
    let list = std::fs::read_to_string(folder.join("passwords.txt"))?;
    let pairs = list.lines().filter_map(|line| line.split_once(' '));
    let account = |(address, password): (&str, &str)| {
        let p12 = folder.join("users").join(format!("{address}.p12"));
        let signer = Signer::from_p12(&p12, password)?;
        Ok(Account { address: address.to_owned(), password: password.to_owned(), signer })
    };
    pairs.map(account).collect()
}

/// The first of enough free ports in a row, below those that the kernel gives to connections: one
/// of these could be taken between our look and the server's start.
fn free_ports() -> io::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u32::from(LOWEST_PORT) + std::process::id() * 8 * u32::from(PORTS);
    for _ in 0..PORT_TRIES {
        let taken = u32::from(NEXT.fetch_add(PORTS, Ordering::Relaxed));
        let offset = (start + taken) % u32::from(HIGHEST_PORT - LOWEST_PORT - PORTS);
        let base = LOWEST_PORT + offset as u16;
        let free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        if (base..base + PORTS).all(free) {
            return Ok(base);
        }
    }
    Err(io::Error::other("no free ports in a row"))
}

/// CPU time a process has used, user and system, from the kernel's books.
pub fn cpu_of(pid: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // proc(5): utime and stime are the 14th and 15th field; the 2nd, in parentheses, may
    // contain spaces.
    let after = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u64 = after.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// The binary of this package; `KEP_BIN` names another one.
pub fn kep_binary() -> io::Result<PathBuf> {
    let named = std::env::var_os("KEP_BIN").map(PathBuf::from);
    let built = option_env!("CARGO_BIN_EXE_kep").map(PathBuf::from);
    named.or(built).ok_or_else(|| io::Error::other("no kep binary: set KEP_BIN"))
}

const READY: &str = "kep: ready";
/// The name in the development TLS certificate.
const TLS_NAME: &str = "localhost";
/// Offsets from the base port, as `kep dev init` lays them out.
const SUBMISSION_TLS: u16 = 0;
const IMAP_TLS: u16 = 2;
/// How many ports in a row a provider uses.
const PORTS: u16 = 8;
const PORT_TRIES: usize = 1000;
const LOWEST_PORT: u16 = 10_240;
/// Linux gives out ports from here on (ip_local_port_range).
const HIGHEST_PORT: u16 = 32_768;
/// Debug builds under strace on a busy machine start slowly.
const START_PATIENCE: Duration = Duration::from_secs(60);
/// USER_HZ, 100 on every Linux of today.
const TICKS_PER_SECOND: u64 = 100;
