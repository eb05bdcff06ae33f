//! `tests/transcripts/relay`: what another provider's server says, and what becomes of a message to `can`
//! and `yok` there.
//!
//! ```text
//! # What it is about.
//! patience greeting            the greeting is waited for shortly (or `last`; or `whole`, a mail)
//! ## round +SECONDS            the clock goes on, and what is due is sent
//! ### connection               how the server speaks on the next connection
//! ### then                     states of the recipients, `queue N`, `server …`, `mails N`
//! ```

use super::pass;
use super::peer::{self, Line, Peer};
use super::world::{World, patience};
use crate::deliver::dial::Patience;
use std::path::Path;
use std::time::Duration;

struct Script {
    patience: Patience,
    rounds: Vec<Round>,
}

struct Round {
    later: i64,
    connections: Vec<Vec<Line>>,
    then: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_of_other_providers_are_spoken_to_as_written_down() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts/relay");
    let mut files: Vec<_> = folder.read_dir().unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        play(file.file_name().unwrap().to_str().unwrap(), parse(&text)).await;
    }
}

async fn play(name: &str, script: Script) {
    let world = World::with(script.patience, 1).await;
    let dialogues: Vec<_> =
        script.rounds.iter().flat_map(|round| round.connections.clone()).collect();
    let connections = dialogues.len();
    let server = Peer::speaking(dialogues).await;
    world.register("hs06.kep.tr", &server).await;
    let to = ["can@hs06.kep.tr", "yok@kurum.hs06.kep.tr"];
    let id = world.message(1, &to).await;
    for (n, round) in (1..).zip(script.rounds) {
        world.clock.advance(round.later * 1000);
        pass(&world.relay).await;
        world.end_silences().await;
        let heard = server.heard();
        assert_eq!(heard.wrong, Vec::<String>::new(), "{name}, round {n}");
        let health = world.health("hs06.kep.tr").await;
        let mut found = world.states(&id).await;
        found.push(format!("queue {}", world.queue().await.len()));
        found.push(match health.is_down() {
            true => format!("server {} {}", health.trouble.word(), health.reply),
            false => "server well".to_owned(),
        });
        found.push(format!("mails {}", heard.mails.len()));
        let fits = |wanted: &String| match wanted.strip_suffix('*') {
            Some(start) => found.iter().any(|line| line.starts_with(start)),
            None => found.contains(wanted),
        };
        let missing: Vec<_> = round.then.iter().filter(|wanted| !fits(wanted)).collect();
        assert!(missing.is_empty(), "{name}, round {n}: no {missing:?} in\n{}", found.join("\n"));
        for mail in &heard.mails {
            assert!(mail.starts_with(b"Message-ID: <1@hs05.kep.tr>"), "{name}, round {n}");
        }
    }
    let heard = server.heard();
    assert_eq!(heard.connections, connections, "{name}: each dialogue was spoken");
    assert!(
        heard.mails.windows(2).all(|pair| pair[0] == pair[1]),
        "{name}: the same mail each time"
    );
}

fn parse(text: &str) -> Script {
    let mut script = Script { patience: patience(), rounds: Vec::new() };
    let (mut dialogue, mut then) = (false, false);
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        if let Some(later) = line.strip_prefix("## round +") {
            let later = later.parse().unwrap();
            script.rounds.push(Round { later, connections: Vec::new(), then: Vec::new() });
            (dialogue, then) = (false, false);
            continue;
        }
        match (line, script.rounds.last_mut()) {
            ("patience greeting", _) => script.patience.greeting = SHORT,
            ("patience whole", _) => script.patience.whole = SHORT,
            ("patience last", _) => script.patience.last = SHORT,
            ("### connection", Some(round)) => {
                round.connections.push(Vec::new());
                (dialogue, then) = (true, false);
            }
            ("### then", Some(_)) => (dialogue, then) = (false, true),
            (line, Some(round)) if dialogue => {
                round.connections.last_mut().unwrap().extend(peer::parse(line));
            }
            (line, Some(round)) if then => round.then.push(line.to_owned()),
            (line, _) => panic!("out of place: {line}"),
        }
    }
    script
}

/// Silence is told by it; nothing else waits for it.
const SHORT: Duration = Duration::from_millis(300);
