//! What the kernel's books say of a server: CPU time and memory, with all its children.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// CPU time used so far by a process and its children, those that have ended too.
pub fn cpu(root: u32) -> Duration {
    let ticks = tree(root).values().map(|stat| stat.ticks).sum::<u64>();
    Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
}

/// Octets in memory, pages that several share counted once: proportional set size.
pub fn memory(root: u32) -> u64 {
    let each = tree(root).into_keys().filter_map(|pid| {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    });
    each.sum::<u64>() * 1024
}

/// As many files as this process may have, and those it starts.
pub fn open_many_files() -> io::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    Ok(setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?)
}

struct Stat {
    parent: u32,
    ticks: u64,
}

fn tree(root: u32) -> BTreeMap<u32, Stat> {
    let mut all: BTreeMap<u32, Stat> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some((pid, stat)) = pid.and_then(|pid| Some((pid, stat(pid)?))) {
            all.insert(pid, stat);
        }
    }
    let belongs = |mut pid: u32| {
        while pid != root {
            pid = all.get(&pid).map_or(0, |stat| stat.parent);
            if pid == 0 {
                return false;
            }
        }
        true
    };
    let others: Vec<u32> = all.keys().copied().filter(|pid| !belongs(*pid)).collect();
    for pid in others {
        all.remove(&pid);
    }
    all
}

/// proc(5): behind the name in parentheses state, parent, … utime, stime, cutime, cstime.
fn stat(pid: u32) -> Option<Stat> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Stat { parent: fields.get(1)?.parse().ok()?, ticks })
}

/// USER_HZ, 100 on every Linux of today.
const TICKS_PER_SECOND: u64 = 100;
