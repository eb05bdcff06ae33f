//! An SMTP submission client (RFC 6409): TLS, AUTH PLAIN, one pipelined transaction a message.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use data_encoding::BASE64;

use super::tls::{Connection, Security, Tls};

/// A connection after EHLO.
pub struct Smtp {
    connection: Connection,
    keywords: Vec<String>,
}

/// A whole reply: code and the texts of its lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    pub code: u16,
    pub lines: Vec<String>,
}

/// A message ready to be sent: dot-stuffed, with its final dot.
#[derive(Clone)]
pub struct Prepared(Vec<u8>);

/// What came of one transaction.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// The first refusal, or the answer to the final dot.
    pub reply: Reply,
    /// From the final dot to its answer.
    pub ack: Duration,
    /// When the final dot left, and when its answer was here, by the machine's clock.
    pub dot_at: SystemTime,
    pub answered_at: SystemTime,
}

impl Smtp {
    /// Connects and logs in.
    pub async fn login(
        to: SocketAddr,
        tls: &Tls,
        security: Security,
        user: &str,
        password: &str,
    ) -> io::Result<Self> {
        let mut smtp = Self::connect(to, tls, security).await?;
        smtp.auth_plain(user, password).await?.must_be(235)?;
        Ok(smtp)
    }

    /// Connects, starts TLS, says EHLO.
    pub async fn connect(to: SocketAddr, tls: &Tls, security: Security) -> io::Result<Self> {
        let connection = match security {
            Security::Implicit => Connection::implicit(to, tls).await?,
            Security::StartTls => Connection::plain(to).await?,
        };
        let mut smtp = Self { connection, keywords: Vec::new() };
        smtp.reply().await?.must_be(220)?;
        smtp.ehlo().await?;
        if security == Security::StartTls {
            smtp.command("STARTTLS").await?.must_be(220)?;
            let connection = smtp.connection.upgrade(tls).await?;
            smtp = Self { connection, keywords: Vec::new() };
            smtp.ehlo().await?;
        }
        Ok(smtp)
    }

    pub async fn auth_plain(&mut self, user: &str, password: &str) -> io::Result<Reply> {
        let response = BASE64.encode(format!("\0{user}\0{password}").as_bytes());
        self.command(&format!("AUTH PLAIN {response}")).await
    }

    /// One command, one reply.
    pub async fn command(&mut self, line: &str) -> io::Result<Reply> {
        self.connection.write(format!("{line}\r\n").as_bytes()).await?;
        self.reply().await
    }

    /// Says octets whose answer nobody waits for.
    pub async fn say(&mut self, octets: &[u8]) -> io::Result<()> {
        self.connection.write(octets).await
    }

    /// One whole transaction; MAIL, RCPT and DATA travel together where the server allows it.
    pub async fn submit(
        &mut self,
        from: &str,
        to: &[&str],
        message: &Prepared,
    ) -> io::Result<Receipt> {
        self.submit_as(from, to, message, message.0.len()).await
    }

    /// The same, announcing whatever size.
    pub async fn submit_as(
        &mut self,
        from: &str,
        to: &[&str],
        message: &Prepared,
        announced: usize,
    ) -> io::Result<Receipt> {
        let mut lines = vec![format!("MAIL FROM:<{from}> SIZE={announced}\r\n")];
        lines.extend(to.iter().map(|to| format!("RCPT TO:<{to}>\r\n")));
        lines.push("DATA\r\n".to_owned());
        if let Some(refusal) = self.envelope(&lines).await? {
            let now = SystemTime::now();
            return Ok(Receipt {
                reply: refusal,
                ack: Duration::ZERO,
                dot_at: now,
                answered_at: now,
            });
        }
        self.connection.write(&message.0).await?;
        let (sent, dot_at) = (Instant::now(), SystemTime::now());
        let reply = self.reply().await?;
        Ok(Receipt { reply, ack: sent.elapsed(), dot_at, answered_at: SystemTime::now() })
    }

    /// One whole transaction with the octets exactly as they are: one chunk (RFC 3030).
    pub async fn submit_chunk(
        &mut self,
        from: &str,
        to: &[&str],
        octets: &[u8],
    ) -> io::Result<Reply> {
        self.command(&format!("MAIL FROM:<{from}> BODY=8BITMIME")).await?.must_be(250)?;
        for to in to {
            self.command(&format!("RCPT TO:<{to}>")).await?.must_be(250)?;
        }
        self.connection.write(format!("BDAT {} LAST\r\n", octets.len()).as_bytes()).await?;
        self.connection.write(octets).await?;
        self.reply().await
    }

    pub async fn quit(mut self) -> io::Result<()> {
        self.command("QUIT").await?.must_be(221)?;
        self.connection.close().await;
        Ok(())
    }

    /// Whether EHLO named this keyword.
    pub fn offers(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|line| {
            line.split(' ').next().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
        })
    }

    /// Our port, to find the connection in a trace of the server.
    pub fn local_port(&self) -> u16 {
        self.connection.local().port()
    }

    async fn ehlo(&mut self) -> io::Result<()> {
        let reply = self.command("EHLO istemci.example").await?.must_be(250)?;
        self.keywords = reply.lines.into_iter().skip(1).collect();
        Ok(())
    }

    /// Sends the envelope; the first refusal, after which the transaction is undone.
    async fn envelope(&mut self, lines: &[String]) -> io::Result<Option<Reply>> {
        let together = self.offers("PIPELINING");
        if together {
            self.connection.write(lines.concat().as_bytes()).await?;
        }
        let (mut refusal, mut last) = (None, 0);
        for line in lines {
            if !together {
                self.connection.write(line.as_bytes()).await?;
            }
            let reply = self.reply().await?;
            last = reply.code;
            if reply.code >= 400 {
                refusal.get_or_insert(reply);
            }
        }
        if refusal.is_some() && last == 354 {
            // RFC 2920 §3.1: DATA went through although a recipient failed: end it empty.
            self.connection.write(b".\r\n").await?;
            self.reply().await?;
        }
        if refusal.is_some() {
            self.command("RSET").await?;
        }
        Ok(refusal)
    }

    pub async fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.connection.line().await?).into_owned();
            let code = line.get(..3).and_then(|code| code.parse().ok());
            let code = code.ok_or_else(|| io::Error::other(format!("not a reply: {line}")))?;
            lines.push(line.get(4..).unwrap_or_default().to_owned());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(Reply { code, lines });
            }
        }
    }
}

impl Reply {
    pub fn must_be(self, code: u16) -> io::Result<Self> {
        if self.code == code {
            return Ok(self);
        }
        let told = format!("{code} expected, {} {}", self.code, self.lines.join(" / "));
        Err(io::Error::other(told))
    }

    pub fn is_accepted(&self) -> bool {
        self.code == 250
    }

    /// The provider's id of an accepted message: the word after `2.0.0`.
    pub fn message_id(&self) -> Option<&str> {
        self.lines.first()?.strip_prefix("2.0.0 ")?.split(' ').next()
    }
}

impl Prepared {
    /// As they travel.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }

    /// Doubles the dots that begin a line (RFC 5321 §4.5.2) and adds the end.
    pub fn new(message: &[u8]) -> Self {
        let mut stuffed = Vec::with_capacity(message.len() + message.len() / 64 + 5);
        for line in message.split_inclusive(|b| *b == b'\n') {
            if line.first() == Some(&b'.') {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        if !stuffed.ends_with(b"\r\n") {
            stuffed.extend_from_slice(b"\r\n");
        }
        stuffed.extend_from_slice(b".\r\n");
        Self(stuffed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_dot_is_doubled_and_the_end_is_added_once() {
        assert_eq!(Prepared::new(b".a\r\nb.\r\n..\r\n").0, b"..a\r\nb.\r\n...\r\n.\r\n");
        assert_eq!(Prepared::new(b"a").0, b"a\r\n.\r\n");
    }

    #[test]
    fn the_message_id_is_the_word_after_the_enhanced_code() {
        let reply = |line: &str| Reply { code: 250, lines: vec![line.to_owned()] };
        assert_eq!(reply("2.0.0 01JF kabul edildi").message_id(), Some("01JF"));
        assert_eq!(reply("2.1.0 Ok").message_id(), None);
    }
}
