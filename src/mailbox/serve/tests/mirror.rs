//! A client that believes what it is told, and nothing else: its picture of a mailbox must be right
//! at any time, and come right again after it was away (RFC 7162).

use super::*;
use std::collections::BTreeMap;

pub struct Mirror {
    pub client: Client,
    /// UIDs by sequence number, where the client knows them.
    numbers: Vec<Option<u32>>,
    /// Flags by UID.
    pub flags: BTreeMap<u32, String>,
    /// Up to where it knows everything.
    pub highest: u64,
    /// What the command under way told of mod-sequences.
    seen: u64,
    said: Option<u64>,
    /// UIDONLY (RFC 9586).
    placeless: bool,
}

impl Mirror {
    pub async fn connect(imap: &Arc<Imap>, user: &str, enable: &str) -> Self {
        let mut client = connect(imap);
        client.log_in(user).await;
        if !enable.is_empty() {
            assert!(client.command(&format!("ENABLE {enable}")).await.contains("* ENABLED"));
        }
        let (numbers, flags) = (Vec::new(), BTreeMap::new());
        Self {
            client,
            numbers,
            flags,
            highest: 0,
            seen: 0,
            said: None,
            placeless: enable == "UIDONLY",
        }
    }

    /// Selects INBOX and learns all of it.
    pub async fn select(&mut self) {
        self.numbers.clear();
        self.run("SELECT INBOX").await;
        self.run("UID FETCH 1:* (UID FLAGS)").await;
        self.run("NOOP").await;
    }

    /// Comes back with what it knew.
    pub async fn resume(&mut self, imap: &Arc<Imap>, user: &str) {
        let back = Self::connect(imap, user, "QRESYNC").await;
        self.client = back.client;
        self.numbers.clear();
        let since = self.highest;
        self.run(&format!("SELECT INBOX (QRESYNC (7 {since}))")).await;
        assert_eq!(self.numbers.len(), self.flags.len(), "{:?}", self.flags);
        self.numbers = self.flags.keys().copied().map(Some).collect();
    }

    /// Runs a command and takes in what comes with it.
    pub async fn run(&mut self, command: &str) -> String {
        let heard = self.client.command(command).await;
        assert!(heard.contains("t OK"), "{command}: {heard}");
        let quiet = ["FETCH", "STORE", "SEARCH"].iter().any(|word| command.starts_with(word));
        self.take(&heard, quiet);
        heard
    }

    /// `quiet` when no message may vanish within.
    pub fn take(&mut self, heard: &str, quiet: bool) {
        for line in heard.lines() {
            if let Some(number) = between(line, "[HIGHESTMODSEQ ", "]") {
                self.said = Some(number.parse().unwrap());
            }
            if line.starts_with("t ") {
                self.highest = self.said.take().unwrap_or(self.highest.max(self.seen));
                self.seen = 0;
            }
            let Some(news) = line.strip_prefix("* ") else { continue };
            let gone = news.ends_with(" EXPUNGE") || news.starts_with("VANISHED ");
            let earlier = news.starts_with("VANISHED (EARLIER)");
            assert!(earlier || !(quiet && gone), "{heard}");
            self.news(news);
        }
    }

    fn news(&mut self, news: &str) {
        match news.split(' ').collect::<Vec<_>>().as_slice() {
            [number, "EXISTS"] => {
                let count = number.parse().unwrap();
                assert!(count >= self.numbers.len(), "{news}");
                self.numbers.resize(count, None);
            }
            [number, "EXPUNGE"] => {
                let at: usize = number.parse().unwrap();
                if let Some(uid) = self.numbers.remove(at - 1) {
                    assert!(self.flags.remove(&uid).is_some());
                }
            }
            ["VANISHED", "(EARLIER)", set] => {
                for uid in world::uids(set).iter() {
                    assert!(!self.numbers.contains(&Some(uid)), "{news}");
                    self.flags.remove(&uid);
                }
            }
            ["VANISHED", set] => world::uids(set).iter().for_each(|uid| self.vanished(uid)),
            [number, "FETCH", ..] => self.fetched(number.parse().unwrap(), news),
            [uid, "UIDFETCH", ..] => {
                let (uid, flags) = (uid.parse().unwrap(), between(news, "FLAGS (", ")"));
                self.flags.insert(uid, of_all(flags.unwrap()));
                if !self.numbers.contains(&Some(uid)) {
                    let unknown = self.numbers.iter().position(Option::is_none).unwrap();
                    self.numbers[unknown] = Some(uid);
                }
            }
            _ => {}
        }
    }

    fn vanished(&mut self, uid: u32) {
        self.flags.remove(&uid);
        let known = self.numbers.iter().position(|one| *one == Some(uid));
        // One that it never saw stands behind all that are smaller.
        let behind = self.numbers.iter().rposition(|one| one.is_some_and(|one| one < uid));
        let place = known.unwrap_or(behind.map_or(0, |at| at + 1));
        // With UIDONLY it hears no places: any that it doesn't know is as good.
        let unknown = self.numbers.iter().position(Option::is_none).filter(|_| self.placeless);
        let at = known.or(unknown).unwrap_or(place);
        assert!(known.is_some() || self.numbers[at].is_none(), "{uid} in {:?}", self.numbers);
        self.numbers.remove(at);
    }

    fn fetched(&mut self, number: usize, news: &str) {
        if let Some(modseq) = between(news, "MODSEQ (", ")") {
            self.seen = self.seen.max(modseq.parse().unwrap());
        }
        let told = between(news, "UID ", " ").map(|uid| uid.trim_end_matches(')').parse().unwrap());
        let known = self.numbers[number - 1];
        assert!(known.is_none() || told.is_none() || known == told, "{news}: {known:?}");
        let uid = told.or(known);
        self.numbers[number - 1] = uid;
        if let (Some(uid), Some(flags)) = (uid, between(news, "FLAGS (", ")")) {
            self.flags.insert(uid, of_all(flags));
        }
    }

    /// Learns the UIDs of what came.
    pub async fn complete(&mut self) {
        if self.numbers.contains(&None) {
            self.run("UID FETCH 1:* (UID FLAGS)").await;
        }
    }
}

/// `\Recent` is each session's own.
fn of_all(flags: &str) -> String {
    flags.trim_start_matches("\\Recent").trim_start().to_owned()
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    rest.split_once(after).map(|(found, _)| found)
}
