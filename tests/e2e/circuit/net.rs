//! A small internet of its own: one network namespace for each provider, a cable of its own to a common
//! switch, and another to this process, which stands for everybody's mail programs.
//!
//! The test begins anew in a namespace (`inside`), so nothing of the machine's network is touched, and
//! all of it is gone with the last process.

use std::io::{BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};

use crate::tool::tool;

/// The switch, and what hangs on it.
pub struct Net {
    places: Vec<Place>,
}

/// A namespace; gone with this value.
struct Place {
    keeper: Child,
}

/// Runs the calling test once more in a network namespace of its own; true is said there. Where that
/// is not allowed, the reason is said aloud.
pub fn inside() -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let (Some(unshare), Some(_)) = (tool("unshare"), tool("ip")) else { return false };
    let flags: &[&str] = match possible(&unshare, &["--net"]) {
        Ok(()) => &["--net"],
        Err(_) => match possible(&unshare, &["--net", "--map-root-user"]) {
            Ok(()) => &["--net", "--map-root-user"],
            Err(said) => {
                let forbidden =
                    ["not permitted", "not supported", "no space left", "unknown device type"];
                let lowered = said.to_lowercase();
                assert!(forbidden.iter().any(|why| lowered.contains(why)), "namespaces: {said}");
                eprintln!("SKIPPED: the kernel gives no network namespaces here: {said}");
                return false;
            }
        },
    };
    let name = std::thread::current().name().unwrap().to_owned();
    let mut again = Command::new(unshare);
    again.args(flags).arg(std::env::current_exe().unwrap()).arg("--exact").arg(&name);
    // A failure is told on stderr; the rest would be counted as tests of its own.
    again.arg("--nocapture").env(INSIDE, "1").stdout(Stdio::null());
    let ran = again.status().unwrap();
    assert!(ran.success(), "{name} failed in its namespace");
    false
}

/// Whether namespaces and what hangs in them can be had.
fn possible(unshare: &std::path::Path, flags: &[&str]) -> Result<(), String> {
    let probe = "ip link add name probe type bridge && ip link add name v0 type veth peer name v1";
    let ran = Command::new(unshare).args(flags).args(["sh", "-c", probe]).output().unwrap();
    match ran.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&ran.stderr).trim().to_owned()),
    }
}

impl Net {
    pub fn new(count: u8) -> Self {
        ip("link set lo up");
        ip("link add name switch type bridge");
        ip(&format!("address add {}/24 dev switch", at_switch(MIDDLE)));
        ip("link set switch up");
        let places = (1..=count).map(Place::new).collect();
        Self { places }
    }

    /// Runs a program in a provider's namespace.
    pub fn command(&self, n: u8) -> Command {
        let keeper = self.places[usize::from(n) - 1].keeper.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &keeper, "--net"]);
        command
    }

    /// Pulls a provider's cable to the switch, or puts it back.
    pub fn cable(&self, n: u8, there: bool) {
        ip(&format!("link set cable{n} {}", if there { "up" } else { "down" }));
    }
}

impl Place {
    fn new(n: u8) -> Self {
        let mut keeper = Command::new("unshare");
        keeper.args(["--net", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut keeper = keeper.spawn().unwrap();
        // What comes back comes from within the namespace. It ends with our end of the pipe.
        keeper.stdin.as_mut().unwrap().write_all(b"there\n").unwrap();
        BufReader::new(keeper.stdout.as_mut().unwrap()).read_line(&mut String::new()).unwrap();
        let pid = keeper.id();
        ip(&format!("link add name cable{n} type veth peer name world netns {pid}"));
        ip(&format!("link set cable{n} master switch up"));
        ip(&format!("link add name desk{n} type veth peer name desk netns {pid}"));
        ip(&format!("address add {}/30 dev desk{n}", Ipv4Addr::new(10, 66, n, 1)));
        ip(&format!("link set desk{n} up"));
        let within = |arguments: &str| {
            let mut command = Command::new("nsenter");
            command.args(["--target", &pid.to_string(), "--net", "ip"]);
            ran(command.args(arguments.split(' ')));
        };
        within("link set lo up");
        within(&format!("address add {}/24 dev world", at_switch(n)));
        within("link set world up");
        within(&format!("address add {}/30 dev desk", at_desk(n)));
        within("link set desk up");
        Self { keeper }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may have ended with the test.
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}

/// Where other providers reach it.
pub fn at_switch(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 77, 0, n)
}

/// Where its accounts reach it.
pub fn at_desk(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 66, n, 2)
}

fn ip(arguments: &str) {
    ran(Command::new("ip").args(arguments.split(' ')));
}

fn ran(command: &mut Command) {
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// This process at the switch.
pub const MIDDLE: u8 = 254;
const INSIDE: &str = "KEP_INSIDE_NAMESPACE";
