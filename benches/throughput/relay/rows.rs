//! The rows of a sender's provider, reached behind its back: one queued mail becomes many.

use std::io;
use std::time::Duration;

use super::RowsIn;
use super::postgres::Database;
use super::provider::Provider;
use crate::process;

/// Where they are.
pub enum Rows {
    Sqlite,
    Postgres(Database),
}

impl Rows {
    /// `None` when PostgreSQL is wanted and not installed.
    pub async fn of(provider: &Provider, rows: RowsIn) -> io::Result<Option<Self>> {
        if rows == RowsIn::Sqlite {
            return Ok(Some(Self::Sqlite));
        }
        let Some(database) = Database::new().await? else { return Ok(None) };
        database.hold(provider).await?;
        Ok(Some(Self::Postgres(database)))
    }

    /// Copies the mail that waits, with message and recipient, while the server is not there. The
    /// copies share one dispatch.
    pub async fn multiply(&self, provider: &Provider, all: usize) -> io::Result<()> {
        let sql = COPY.replace("{more}", &all.saturating_sub(1).to_string());
        match self {
            Self::Sqlite => {
                let rows = rusqlite::Connection::open(provider.file("spool/kep.sqlite"));
                rows.and_then(|rows| rows.execute_batch(&sql)).map_err(io::Error::other)
            }
            Self::Postgres(database) => database.execute(&sql).await,
        }
    }

    /// CPU time of the server behind the rows, where there is one.
    pub fn cpu(&self) -> Duration {
        match self {
            Self::Sqlite => Duration::ZERO,
            Self::Postgres(database) => process::cpu(database.server),
        }
    }
}

/// Each copy has a number before its names.
const COPY: &str = "
CREATE TABLE copies (i BIGINT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {more})
    INSERT INTO copies SELECT i FROM n;
CREATE TABLE waiting AS SELECT message_id AS id FROM relay;
INSERT INTO submission (message_id, account, state, same_mail, accepted_at, original, size, digest,
                        details, ua_message_id, sent_by_client, dispatch)
    SELECT CAST(i AS TEXT) || '.' || message_id, account, state, same_mail, accepted_at, original,
           size, digest, details, CAST(i AS TEXT) || '.' || ua_message_id, 0, dispatch
    FROM copies, submission WHERE message_id IN (SELECT id FROM waiting);
INSERT INTO recipient (message_id, n, address, account, state)
    SELECT CAST(i AS TEXT) || '.' || message_id, n, address, account, state
    FROM copies, recipient WHERE message_id IN (SELECT id FROM waiting);
INSERT INTO relay (name, provider, kind, message_id, evidence, content, since, due_at)
    SELECT CAST(i AS TEXT) || '.' || name, provider, kind, CAST(i AS TEXT) || '.' || message_id,
           evidence, content, since + i, due_at
    FROM copies, relay WHERE message_id IN (SELECT id FROM waiting);
DROP TABLE copies;
DROP TABLE waiting;
";
