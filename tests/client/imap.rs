//! An IMAP client, small and literal-safe: each response is a text with its literals taken out.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::tls::{Connection, Security, Tls};

mod names;
pub use names::{decode_mailbox, encode_mailbox};

/// A logged-in connection.
pub struct Imap {
    connection: Connection,
    tags: u32,
    idle_tag: String,
}

/// An untagged response: its text with `{n}` where literals stood, and the literals in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Untagged {
    pub text: String,
    pub literals: Vec<Vec<u8>>,
}

/// The answer to a command that succeeded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub untagged: Vec<Untagged>,
    /// What follows `OK`, response code included.
    pub text: String,
}

/// What SELECT told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selected {
    pub exists: u32,
    pub uid_validity: u32,
    pub uid_next: u32,
}

/// One message of a FETCH.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fetched {
    pub number: u32,
    pub uid: Option<u32>,
    pub flags: Vec<String>,
    /// The items' text, literals as `{n}`.
    pub text: String,
    pub literals: Vec<Vec<u8>>,
}

impl Imap {
    pub async fn login(
        to: SocketAddr,
        tls: &Tls,
        security: Security,
        user: &str,
        password: &str,
    ) -> io::Result<Self> {
        let mut imap = Self::connect(to, tls, security).await?;
        imap.command(&format!("LOGIN {} {}", quoted(user), quoted(password))).await?;
        Ok(imap)
    }

    pub async fn connect(to: SocketAddr, tls: &Tls, security: Security) -> io::Result<Self> {
        let connection = match security {
            Security::Implicit => Connection::implicit(to, tls).await?,
            Security::StartTls => Connection::plain(to).await?,
        };
        let mut imap = Self { connection, tags: 0, idle_tag: String::new() };
        let greeting = imap.untagged().await?;
        if !greeting.text.starts_with("OK") {
            return Err(io::Error::other(format!("greeting: {}", greeting.text)));
        }
        if security == Security::StartTls {
            imap.command("STARTTLS").await?;
            imap.connection = imap.connection.upgrade(tls).await?;
        }
        Ok(imap)
    }

    /// Our port, to find the connection in a trace of the server.
    pub fn local_port(&self) -> u16 {
        self.connection.local().port()
    }

    pub async fn select(&mut self, mailbox: &str) -> io::Result<Selected> {
        let answer = self.command(&format!("SELECT {}", name(mailbox))).await?;
        let texts = || answer.untagged.iter().map(|u| u.text.as_str());
        let code = |key: &str| {
            texts()
                .find_map(|t| t.split_once(&format!("[{key} "))?.1.split_once(']')?.0.parse().ok())
        };
        Ok(Selected {
            exists: texts().find_map(exists).unwrap_or(0),
            uid_validity: code("UIDVALIDITY").unwrap_or(0),
            uid_next: code("UIDNEXT").unwrap_or(0),
        })
    }

    /// How many messages a mailbox holds, by STATUS; a mailbox that is not there holds none.
    pub async fn count(&mut self, mailbox: &str) -> io::Result<u32> {
        let answer = match self.command(&format!("STATUS {} (MESSAGES)", name(mailbox))).await {
            Err(refused) if refused.to_string().starts_with("NO") => return Ok(0),
            other => other?,
        };
        let counted = answer.untagged.iter().find_map(|u| {
            let rest = u.text.strip_prefix("STATUS ")?.rsplit_once("MESSAGES ")?.1;
            rest.split([' ', ')']).next()?.parse().ok()
        });
        counted.ok_or_else(|| io::Error::other("STATUS without MESSAGES"))
    }

    /// `set` with message numbers; items in parentheses as IMAP wants them.
    pub async fn fetch(&mut self, set: &str, items: &str) -> io::Result<Vec<Fetched>> {
        let answer = self.command(&format!("FETCH {set} {items}")).await?;
        Ok(answer.untagged.into_iter().filter_map(Fetched::from_untagged).collect())
    }

    pub async fn uid_fetch(&mut self, set: &str, items: &str) -> io::Result<Vec<Fetched>> {
        let answer = self.command(&format!("UID FETCH {set} {items}")).await?;
        Ok(answer.untagged.into_iter().filter_map(Fetched::from_untagged).collect())
    }

    /// `change` as in `+FLAGS.SILENT (\Seen)`.
    pub async fn uid_store(&mut self, set: &str, change: &str) -> io::Result<Vec<Fetched>> {
        let answer = self.command(&format!("UID STORE {set} {change}")).await?;
        Ok(answer.untagged.into_iter().filter_map(Fetched::from_untagged).collect())
    }

    pub async fn uid_move(&mut self, set: &str, mailbox: &str) -> io::Result<Answer> {
        self.command(&format!("UID MOVE {set} {}", name(mailbox))).await
    }

    /// UIDs that match.
    pub async fn uid_search(&mut self, key: &str) -> io::Result<Vec<u32>> {
        let answer = self.command(&format!("UID SEARCH {key}")).await?;
        let found = answer.untagged.iter().filter_map(|u| u.text.strip_prefix("SEARCH"));
        Ok(found.flat_map(|list| list.split(' ').filter_map(|n| n.parse().ok())).collect())
    }

    /// Names as people read them.
    pub async fn list(&mut self, pattern: &str) -> io::Result<Vec<String>> {
        let answer = self.command(&format!("LIST \"\" {}", name(pattern))).await?;
        Ok(answer.untagged.iter().filter_map(listed).collect())
    }

    /// Appends with a synchronising literal; the UID when the server tells it (UIDPLUS).
    pub async fn append(
        &mut self,
        mailbox: &str,
        flags: &str,
        message: &[u8],
    ) -> io::Result<Option<u32>> {
        let tag = self.next_tag();
        let line = format!("{tag} APPEND {} ({flags}) {{{}}}\r\n", name(mailbox), message.len());
        self.connection.write(line.as_bytes()).await?;
        self.go_ahead(&tag).await?;
        self.connection.write(message).await?;
        self.connection.write(b"\r\n").await?;
        let answer = self.answer(&tag).await?;
        let code = answer.text.split_once("[APPENDUID ").and_then(|(_, rest)| rest.split_once(']'));
        Ok(code.and_then(|(pair, _)| pair.split_once(' ')?.1.parse().ok()))
    }

    /// Begins IDLE; end it with `done`.
    pub async fn idle(&mut self) -> io::Result<()> {
        self.idle_tag = self.next_tag();
        self.connection.write(format!("{} IDLE\r\n", self.idle_tag).as_bytes()).await?;
        self.go_ahead(&self.idle_tag.clone()).await
    }

    /// Waits in IDLE until the mailbox holds more than `before`, at most so long.
    pub async fn until_more(&mut self, before: u32, patience: Duration) -> io::Result<u32> {
        let waited = tokio::time::timeout(patience, async {
            loop {
                let told = self.untagged().await?;
                if let Some(now) = exists(&told.text).filter(|now| *now > before) {
                    return Ok(now);
                }
            }
        });
        waited.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    }

    pub async fn done(&mut self) -> io::Result<()> {
        self.connection.write(b"DONE\r\n").await?;
        let tag = std::mem::take(&mut self.idle_tag);
        self.answer(&tag).await.map(drop)
    }

    /// Any command; `NO` and `BAD` are errors that begin with that word.
    pub async fn command(&mut self, line: &str) -> io::Result<Answer> {
        let tag = self.next_tag();
        self.connection.write(format!("{tag} {line}\r\n").as_bytes()).await?;
        self.answer(&tag).await
    }

    /// Any command that must succeed, its answer read but not looked at: how many octets it has.
    pub async fn octets(&mut self, line: &str) -> io::Result<usize> {
        let tag = self.next_tag();
        self.connection.write(format!("{tag} {line}\r\n").as_bytes()).await?;
        let (told, octets) = self.connection.skip_to(format!("{tag} ").as_bytes()).await?;
        match told[tag.len()..].starts_with(b" OK") {
            true => Ok(octets),
            false => Err(io::Error::other(String::from_utf8_lossy(&told).into_owned())),
        }
    }

    pub async fn logout(mut self) -> io::Result<()> {
        self.command("LOGOUT").await?;
        self.connection.close().await;
        Ok(())
    }

    fn next_tag(&mut self) -> String {
        self.tags += 1;
        format!("a{}", self.tags)
    }

    async fn answer(&mut self, tag: &str) -> io::Result<Answer> {
        let mut untagged = Vec::new();
        loop {
            let (text, literals) = self.response().await?;
            match text.split_once(' ') {
                Some(("*", rest)) => untagged.push(Untagged { text: rest.to_owned(), literals }),
                Some((is, rest)) if is == tag => {
                    let Some(text) = rest.strip_prefix("OK") else {
                        return Err(io::Error::other(rest.to_owned()));
                    };
                    return Ok(Answer { untagged, text: text.trim_start().to_owned() });
                }
                _ => return Err(io::Error::other(format!("unexpected: {text}"))),
            }
        }
    }

    async fn untagged(&mut self) -> io::Result<Untagged> {
        let (text, literals) = self.response().await?;
        let rest = text.strip_prefix("* ");
        let rest = rest.ok_or_else(|| io::Error::other(format!("unexpected: {text}")))?;
        Ok(Untagged { text: rest.to_owned(), literals })
    }

    /// Waits for `+`; untagged responses in between are dropped.
    async fn go_ahead(&mut self, tag: &str) -> io::Result<()> {
        loop {
            let (text, _) = self.response().await?;
            if text.starts_with('+') {
                return Ok(());
            }
            if text.starts_with(tag) {
                return Err(io::Error::other(text));
            }
        }
    }

    /// A logical line: literals are read and stand aside.
    async fn response(&mut self) -> io::Result<(String, Vec<Vec<u8>>)> {
        let (mut text, mut literals) = (String::new(), Vec::new());
        loop {
            let line = self.connection.line().await?;
            text.push_str(&String::from_utf8_lossy(&line));
            let Some(count) = literal(&line) else { return Ok((text, literals)) };
            literals.push(self.connection.take(count).await?);
        }
    }
}

impl Fetched {
    fn from_untagged(untagged: Untagged) -> Option<Self> {
        let (number, items) = untagged.text.split_once(" FETCH ")?;
        let after = |key: &str| items.split_once(key).map(|(_, rest)| rest);
        let uid = after("UID ").and_then(|rest| rest.split([' ', ')']).next()?.parse().ok());
        let flags = after("FLAGS (").and_then(|rest| rest.split_once(')'));
        let flags = flags.map(|(list, _)| list.split(' ').filter(|f| !f.is_empty()));
        Some(Self {
            number: number.parse().ok()?,
            uid,
            flags: flags.map(|list| list.map(str::to_owned).collect()).unwrap_or_default(),
            text: items.to_owned(),
            literals: untagged.literals,
        })
    }
}

fn exists(text: &str) -> Option<u32> {
    text.strip_suffix(" EXISTS")?.parse().ok()
}

fn listed(untagged: &Untagged) -> Option<String> {
    let rest = untagged.text.strip_prefix("LIST ")?.split_once(") ")?.1;
    let raw = match untagged.literals.first() {
        Some(literal) => String::from_utf8_lossy(literal).into_owned(),
        None => {
            rest.split_once(' ')?.1.trim_matches('"').replace("\\\"", "\"").replace(r"\\", "\\")
        }
    };
    Some(decode_mailbox(&raw))
}

/// The count in a trailing `{n}` or `~{n}`.
fn literal(line: &[u8]) -> Option<usize> {
    let inside = line.strip_suffix(b"}")?;
    let open = inside.iter().rposition(|b| *b == b'{')?;
    std::str::from_utf8(&inside[open + 1..]).ok()?.parse().ok()
}

fn name(mailbox: &str) -> String {
    quoted(&encode_mailbox(mailbox))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn untagged(text: &str) -> Untagged {
        Untagged { text: text.to_owned(), literals: Vec::new() }
    }

    #[test]
    fn a_fetch_tells_number_uid_and_flags() {
        let seen = untagged("7 FETCH (UID 42 FLAGS (\\Seen $KepRead) BODY[] {3})");
        let fetched = Fetched::from_untagged(seen).expect("a FETCH");
        assert_eq!((fetched.number, fetched.uid), (7, Some(42)));
        assert_eq!(fetched.flags, ["\\Seen", "$KepRead"]);
    }

    #[test]
    fn other_untagged_responses_are_no_fetch() {
        assert_eq!(Fetched::from_untagged(untagged("7 EXISTS")), None);
    }

    #[test]
    fn a_literal_is_announced_at_the_end_only() {
        assert_eq!(literal(b"* 1 FETCH (BODY[] {310}"), Some(310));
        assert_eq!(literal(b"* OK {3} said"), None);
        assert_eq!(literal(b"* OK }"), None);
    }

    #[test]
    fn a_listed_name_is_decoded() {
        let line = untagged("LIST (\\HasNoChildren \\Trash) \"/\" \"&AMcA9g-p Kutusu\"");
        assert_eq!(listed(&line).as_deref(), Some("Çöp Kutusu"));
    }
}
