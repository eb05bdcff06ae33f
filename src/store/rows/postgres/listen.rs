//! Wakes between processes that share the rows (LISTEN, NOTIFY). What was told while the connection
//! was lost is made up for: afterwards everybody looks for himself.
//!
//! News are told after the commit, by a connection of their own, many at once: a transaction that
//! notifies would have to commit alone.

use super::target::Target;
use crate::store::rows::RowsError;
use crate::store::wakes::Wakes;
use crate::store::{BELLS, MailboxId};
use crate::wire::AccountId;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{AsyncMessage, Client};

pub struct Listener {
    news: mpsc::UnboundedSender<Wakes>,
    task: JoinHandle<()>,
}

type Ring = Arc<dyn Fn(&Wakes) + Send + Sync>;

impl Listener {
    pub async fn start(target: Target, ring: Ring) -> Result<Self, RowsError> {
        let (news, told) = mpsc::unbounded_channel();
        let own = data_encoding::HEXLOWER.encode(&crate::trust::random::bytes::<8>());
        let mut ears = Ears { target, own, ring, told };
        let (client, heard) = ears.connect().await?;
        let task = tokio::spawn(async move { ears.run(client, heard).await });
        Ok(Self { news, task })
    }

    pub fn tell(&self, wakes: Wakes) {
        if !wakes.is_empty() {
            // Without a listener there is nobody to hear: the others look from time to time.
            let _ = self.news.send(wakes);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Ears {
    target: Target,
    /// Marks our own news, which were rung at once.
    own: String,
    ring: Ring,
    told: mpsc::UnboundedReceiver<Wakes>,
}

impl Ears {
    async fn run(&mut self, mut client: Client, mut heard: mpsc::UnboundedReceiver<String>) {
        loop {
            self.serve(&client, &mut heard).await;
            tracing::warn!("postgres: news of other processes are interrupted");
            (client, heard) = self.reconnect().await;
            (self.ring)(&Wakes { missed: true, ..Wakes::default() });
        }
    }

    /// Until the connection ends.
    async fn serve(&mut self, client: &Client, heard: &mut mpsc::UnboundedReceiver<String>) {
        loop {
            tokio::select! {
                payload = heard.recv() => match payload {
                    Some(payload) => self.hear(&payload),
                    None => return,
                },
                Some(mut wakes) = self.told.recv() => {
                    while let Ok(more) = self.told.try_recv() {
                        wakes.mailboxes.extend(more.mailboxes);
                        wakes.accounts.extend(more.accounts);
                        wakes.steps.extend(more.steps);
                    }
                    for payload in payloads(&self.own, &wakes) {
                        if client.execute("SELECT pg_notify('kep', $1)", &[&payload]).await.is_err() {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn hear(&self, payload: &str) {
        match payload.split_once(' ') {
            Some((from, _)) if from == self.own => {}
            Some((_, news)) => (self.ring)(&parse(news)),
            None => {}
        }
    }

    async fn connect(&self) -> Result<(Client, mpsc::UnboundedReceiver<String>), RowsError> {
        let (client, mut connection) = self.target.connect().await?;
        let (hear, heard) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
                if let AsyncMessage::Notification(news) = message
                    && hear.send(news.payload().to_owned()).is_err()
                {
                    return;
                }
            }
        });
        client.batch_execute("LISTEN kep").await?;
        Ok((client, heard))
    }

    async fn reconnect(&self) -> (Client, mpsc::UnboundedReceiver<String>) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.connect().await {
                Ok(connected) => return connected,
                Err(error) => tracing::warn!(%error, "postgres: no news of other processes"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Words that together say `wakes`; steps by name, mailboxes by number, accounts as `a7`.
fn payloads(own: &str, wakes: &Wakes) -> Vec<String> {
    let steps = wakes.steps.iter().map(|step| (*step).to_owned());
    let accounts = wakes.accounts.iter().map(|account| format!("a{}", account.0));
    let mailboxes = wakes.mailboxes.iter().map(ToString::to_string);
    let words: Vec<_> = steps.chain(accounts).chain(mailboxes).collect();
    words.chunks(WORDS).map(|words| format!("{own} {}", words.join(" "))).collect()
}

/// What is not understood (a newer program's step) is passed over.
fn parse(news: &str) -> Wakes {
    let mut wakes = Wakes::default();
    for word in news.split(' ') {
        let account = word.strip_prefix('a').and_then(|number| number.parse().ok());
        match (BELLS.iter().find(|step| **step == word), account, word.parse()) {
            (Some(step), ..) => wakes.step(step),
            (None, Some(number), _) => wakes.account(AccountId(number)),
            (None, None, Ok(number)) => wakes.mailbox(MailboxId(number)),
            (None, None, Err(_)) => {}
        }
    }
    wakes
}

/// A payload has less than 8,000 octets, a word at most 20 (PostgreSQL, NOTIFY).
const WORDS: usize = 300;
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_heard() {
        let mut wakes = Wakes::default();
        wakes.step("expire");
        wakes.account(AccountId(7));
        (0..1000).for_each(|n| wakes.mailbox(MailboxId(n)));
        let payloads = payloads("me", &wakes);
        assert!(payloads.iter().all(|payload| payload.len() < 8000));
        let mut heard = Wakes::default();
        for payload in &payloads {
            let parsed = parse(payload.split_once(' ').unwrap().1);
            heard.steps.extend(parsed.steps);
            heard.mailboxes.extend(parsed.mailboxes);
            heard.accounts.extend(parsed.accounts);
        }
        assert_eq!(heard, wakes);
    }

    #[test]
    fn unknown_words_are_passed_over() {
        assert_eq!(parse("seal-with-wax  -"), Wakes::default());
    }
}
