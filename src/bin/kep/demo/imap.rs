//! An IMAP client as small as the journey allows: commands with literals in their answers, IDLE.

use super::connection::{Connection, PATIENCE, Trust};
use kep::wire::imap::utf7;
use std::io;
use std::time::Duration;

pub struct Imap {
    connection: Connection,
    tags: u32,
    /// The server has told of a change since we last looked.
    news: bool,
}

/// One message of a FETCH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    pub uid: u32,
    pub flags: Vec<String>,
    pub octets: Vec<u8>,
}

/// A response, its literals replaced by `{n}` and kept beside.
struct Response {
    text: String,
    literals: Vec<Vec<u8>>,
}

impl Imap {
    pub async fn login(port: u16, trust: &Trust, user: &str, password: &str) -> io::Result<Self> {
        let connection = Connection::open(port, trust).await?;
        let mut imap = Self { connection, tags: 0, news: false };
        let greeting = imap.response(PATIENCE).await?;
        if !greeting.text.starts_with("* OK") {
            return Err(io::Error::other(format!("greeting: {}", greeting.text)));
        }
        imap.command(&format!("LOGIN {} {}", quoted(user), quoted(password))).await?;
        Ok(imap)
    }

    pub async fn select(&mut self, mailbox: &str) -> io::Result<()> {
        self.command(&format!("SELECT {}", name(mailbox))).await.map(drop)
    }

    /// The messages of the selected mailbox from this UID on, whole, without marking them as seen.
    pub async fn from(&mut self, uid: u32) -> io::Result<Vec<Fetched>> {
        let command = format!("UID FETCH {uid}:* (UID FLAGS BODY.PEEK[])");
        self.news = false;
        let answer = self.command(&command).await?;
        let messages = answer.into_iter().filter_map(fetched);
        // RFC 9051 §6.4.9: `n:*` names the last message even when its UID is smaller.
        Ok(messages.filter(|message| message.uid >= uid).collect())
    }

    pub async fn move_to(&mut self, uid: u32, mailbox: &str) -> io::Result<()> {
        self.command(&format!("UID MOVE {uid} {}", name(mailbox))).await.map(drop)
    }

    /// Waits in IDLE until the server tells anything new, or `patience` ends.
    pub async fn idle(&mut self, patience: Duration) -> io::Result<()> {
        if std::mem::take(&mut self.news) {
            return Ok(());
        }
        let tag = self.send("IDLE").await?;
        loop {
            let said = self.response(PATIENCE).await?;
            if said.text.starts_with('+') {
                break;
            }
            if let Some(refused) = said.text.strip_prefix(&tag) {
                return Err(io::Error::other(format!("IDLE:{refused}")));
            }
        }
        match self.response(patience).await {
            Err(error) if error.kind() != io::ErrorKind::TimedOut => return Err(error),
            _ => {}
        }
        self.connection.write(b"DONE\r\n").await?;
        self.answer(&tag).await.map(drop)
    }

    pub async fn logout(mut self) -> io::Result<()> {
        self.command("LOGOUT").await?;
        self.connection.close().await;
        Ok(())
    }

    async fn command(&mut self, line: &str) -> io::Result<Vec<Response>> {
        let tag = self.send(line).await?;
        self.answer(&tag).await
    }

    async fn send(&mut self, line: &str) -> io::Result<String> {
        self.tags += 1;
        let tag = format!("d{}", self.tags);
        self.connection.write(format!("{tag} {line}\r\n").as_bytes()).await?;
        Ok(tag)
    }

    /// The untagged responses of a command that succeeds.
    async fn answer(&mut self, tag: &str) -> io::Result<Vec<Response>> {
        let mut untagged = Vec::new();
        loop {
            let response = self.response(PATIENCE).await?;
            match response.text.split_once(' ') {
                Some(("*", _)) if untagged.len() < RESPONSES => untagged.push(response),
                Some((is, rest)) if is == tag => {
                    return match rest.starts_with("OK") {
                        true => Ok(untagged),
                        false => Err(io::Error::other(rest.to_owned())),
                    };
                }
                _ => return Err(io::Error::other(format!("unexpected: {}", response.text))),
            }
        }
    }

    async fn response(&mut self, patience: Duration) -> io::Result<Response> {
        let (mut text, mut literals) = (String::new(), Vec::new());
        let mut patience = patience;
        loop {
            let line = self.connection.line(patience).await?;
            text.push_str(&String::from_utf8_lossy(&line));
            let Some(count) = literal(&line) else { break };
            literals.push(self.connection.take(count).await?);
            patience = PATIENCE;
        }
        self.news |= is_news(&text, literals.is_empty());
        Ok(Response { text, literals })
    }
}

/// Whether an untagged response tells of a change: more messages, or flags that nobody asked for.
fn is_news(text: &str, bare: bool) -> bool {
    text.starts_with("* ") && (text.ends_with(" EXISTS") || text.contains(" FETCH ") && bare)
}

fn fetched(response: Response) -> Option<Fetched> {
    let (_, items) = response.text.split_once(" FETCH ")?;
    let after = |key: &str| items.split_once(key).map(|(_, rest)| rest);
    let uid = after("UID ")?.split([' ', ')']).next()?.parse().ok()?;
    let flags = after("FLAGS (").and_then(|rest| rest.split_once(')')).map_or("", |(list, _)| list);
    Some(Fetched {
        uid,
        flags: flags.split_whitespace().map(str::to_owned).collect(),
        octets: response.literals.into_iter().next()?,
    })
}

/// The count in a trailing `{n}`.
fn literal(line: &[u8]) -> Option<usize> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|octet| *octet == b'{')?;
    std::str::from_utf8(inside.get(open + 1..)?).ok()?.parse().ok()
}

fn name(mailbox: &str) -> String {
    quoted(&utf7::encode(mailbox))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// More than any mailbox of a demonstration holds.
const RESPONSES: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_tells_uid_flags_and_octets() {
        let text = "* 7 FETCH (UID 42 FLAGS (\\Seen $KepRead) BODY[] {3})".to_owned();
        let message = fetched(Response { text, literals: vec![b"abc".to_vec()] });
        let flags = vec!["\\Seen".to_owned(), "$KepRead".to_owned()];
        assert_eq!(message, Some(Fetched { uid: 42, flags, octets: b"abc".to_vec() }));
        let text = "* 7 FETCH (FLAGS (\\Seen))".to_owned();
        assert_eq!(fetched(Response { text, literals: Vec::new() }), None);
    }

    #[test]
    fn a_completed_fetch_is_no_news() {
        assert!(is_news("* 3 EXISTS", true));
        assert!(is_news("* 1 FETCH (FLAGS (\\Seen))", true));
        assert!(!is_news("* 1 FETCH (UID 1 FLAGS () BODY[] {3})", false));
        assert!(!is_news("d7 OK FETCH completed", true));
    }

    #[test]
    fn a_literal_is_announced_at_the_end_only() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {310}"), Some(310));
        assert_eq!(literal(b"* OK {3} said"), None);
        assert_eq!(literal(b"}"), None);
    }

    #[test]
    fn names_are_written_as_the_wire_wants_them() {
        assert_eq!(name("Açılacaklar"), "\"A&AOcBMQ-lacaklar\"");
        assert_eq!(quoted("a\"\\"), "\"a\\\"\\\\\"");
    }
}
