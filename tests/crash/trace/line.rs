//! One line of `strace -f -yy -ttt -o`: `PID TIME call(FD<NAME>, …) = RESULT`, or its two halves.

use std::collections::HashMap;
use std::time::Duration;

/// A finished call; `start` and `end` are numbers of lines, alike unless another call came between.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    pub start: usize,
    pub end: usize,
    /// Since 1970, when it began.
    pub time: Duration,
    pub call: Call,
}

/// Only calls that succeeded and that matter here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Call {
    Create { path: String },
    Write { path: String },
    Sync { path: String },
    Receive { port: u16 },
    Send { port: u16 },
}

/// What an open descriptor names.
enum Target {
    File(String),
    /// A TCP connection by its far port.
    Peer(u16),
}

impl Call {
    /// The far port of a socket call.
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Receive { port } | Self::Send { port } => Some(*port),
            _ => None,
        }
    }
}

/// In the order of their ends.
pub fn events(text: &str) -> Vec<Event> {
    let mut begun: HashMap<&str, (usize, Duration, String)> = HashMap::new();
    let mut events = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some((thread, time, rest)) = head(line) else { continue };
        if let Some(first) = rest.strip_suffix("<unfinished ...>") {
            begun.insert(thread, (number, time, first.trim_end().to_owned()));
            continue;
        }
        let (start, time, whole) = match resumed(rest) {
            None => (number, time, rest.to_owned()),
            Some(second) => match begun.remove(thread) {
                Some((start, time, first)) => (start, time, first + second),
                None => continue,
            },
        };
        if let Some(call) = call(&whole) {
            events.push(Event { start, end: number, time, call });
        }
    }
    events
}

fn head(line: &str) -> Option<(&str, Duration, &str)> {
    let (thread, rest) = line.split_once(' ')?;
    let (time, rest) = rest.trim_start().split_once(' ')?;
    let (seconds, micros) = time.split_once('.')?;
    let time =
        Duration::from_secs(seconds.parse().ok()?) + Duration::from_micros(micros.parse().ok()?);
    Some((thread, time, rest))
}

/// `<... write resumed>, "x", 1) = 1` → `, "x", 1) = 1`.
fn resumed(rest: &str) -> Option<&str> {
    Some(rest.strip_prefix("<... ")?.split_once(" resumed>")?.1)
}

fn call(whole: &str) -> Option<Call> {
    let (name, rest) = whole.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let digits = result.bytes().take_while(u8::is_ascii_digit).count();
    let count: u64 = result[..digits].parse().ok()?;
    if name == "openat" || name == "open" {
        let made = arguments.contains("O_CREAT");
        return match target(result)? {
            Target::File(path) if made => Some(Call::Create { path }),
            _ => None,
        };
    }
    match (name, target(arguments)?) {
        ("fsync" | "fdatasync", Target::File(path)) => Some(Call::Sync { path }),
        ("write" | "writev" | "pwrite64" | "pwritev" | "pwritev2", Target::File(path)) => {
            Some(Call::Write { path })
        }
        ("write" | "writev" | "sendto" | "sendmsg", Target::Peer(port)) => {
            Some(Call::Send { port })
        }
        ("read" | "readv" | "recvfrom" | "recvmsg", Target::Peer(port)) if count > 0 => {
            Some(Call::Receive { port })
        }
        _ => None,
    }
}

/// `6</srv/x>` is a file, `5<TCP:[127.0.0.1:465->127.0.0.1:60924]>` a connection.
fn target(descriptor: &str) -> Option<Target> {
    let name = descriptor.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix('<')?;
    if name.starts_with("TCP") {
        let (ends, _) = name.split_once("]>")?;
        return ends.rsplit_once(':')?.1.parse().ok().map(Target::Peer);
    }
    let (path, _) = name.split_once('>')?;
    path.starts_with('/').then(|| Target::File(path.to_owned()))
}
