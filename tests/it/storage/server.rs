//! One private PostgreSQL server for this test process, one database for each test. A shell holds
//! it: when this process ends, however it ends, its pipe closes, and the shell stops the server and
//! removes its folder.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Server {
    port: u16,
    next: AtomicU32,
    _shell: Child,
}

/// The server; `None` when PostgreSQL is not installed.
pub fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    SERVER.get_or_init(start).as_ref()
}

impl Server {
    /// The URL of a new database.
    pub async fn database(&self) -> String {
        let name = format!("kep{}", self.next.fetch_add(1, Ordering::SeqCst));
        let admin = admin(&self.url("postgres")).await;
        admin.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://kep@127.0.0.1:{}/{database}", self.port)
    }
}

/// A connection beside those of the store.
pub async fn admin(url: &str) -> tokio_postgres::Client {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn start() -> Option<Server> {
    let Some(binaries) = newest(Path::new(VERSIONS)) else {
        let required = std::env::var_os("KEP_LANES").is_some();
        assert!(!required, "no {VERSIONS}/*/bin/initdb is installed, and KEP_LANES is set");
        eprintln!("SKIPPED: storage on PostgreSQL: no {VERSIONS}/*/bin/initdb is installed");
        return None;
    };
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = as_nobody_special();
    command.args(["sh", "-c", SCRIPT, "sh"]).arg(binaries).arg(port.to_string());
    // In a group of its own: a signal to all of this one's must not keep it from tidying up.
    command.process_group(0);
    let mut shell = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(shell.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready", "PostgreSQL is installed and did not start");
    Some(Server { port, next: AtomicU32::new(1), _shell: shell })
}

/// The programs of the newest version that can make a server.
fn newest(versions: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(versions).ok()?.flatten().map(|entry| entry.path());
    let servers = entries.filter(|version| version.join("bin/initdb").exists());
    let number = |path: &PathBuf| path.file_name()?.to_str()?.parse::<u32>().ok();
    Some(servers.max_by_key(number)?.join("bin"))
}

/// PostgreSQL refuses to run as root.
fn as_nobody_special() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout != b"0\n" {
        return Command::new("env");
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    command
}

/// Debian keeps each version in a folder of its number.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Durable as in earnest: only making the empty cluster is not synced.
const SCRIPT: &str = r#"
set -e
dir=$(mktemp -d /tmp/kep-postgres.XXXXXX)
cd "$dir"
trap '"$1/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap '' INT TERM HUP
"$1/initdb" -D data -U kep --auth=trust -E UTF8 --locale=C.UTF-8 --no-sync >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
"$1/pg_ctl" -D data -w -l log -o "-c listen_addresses=127.0.0.1 -c port=$2 -c unix_socket_directories=$dir -c max_connections=400" start >start.log 2>&1 || { cat start.log log >&2; exit 1; }
echo ready
cat >/dev/null
"#;
