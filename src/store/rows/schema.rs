//! Migrations: numbered, forward only, one text; only the words for a key and for bytes differ.

use super::{RowsError, Start};
use refinery::{Migration, Runner, Target};

pub fn migrate_sqlite(
    connection: &mut rusqlite::Connection,
    start: Start,
) -> Result<(), RowsError> {
    let found = connection
        .query_row("SELECT MAX(version) FROM refinery_schema_history", [], |row| {
            row.get::<_, Option<i64>>(0)
        })
        .ok()
        .flatten();
    refuse_other(found, start)?;
    runner(&SQLITE, start)?.run(connection)?;
    Ok(())
}

pub async fn migrate_postgres(
    client: &mut tokio_postgres::Client,
    start: Start,
) -> Result<(), RowsError> {
    // Two processes may start at the same time.
    client.batch_execute("SELECT pg_advisory_lock(5264726)").await?;
    begin_restore(client, start).await?;
    let exists = client.query_one("SELECT to_regclass('refinery_schema_history') IS NOT NULL", &[]);
    let found = if exists.await?.try_get::<_, bool>(0)? {
        let row = client.query_one("SELECT MAX(version) FROM refinery_schema_history", &[]).await?;
        row.try_get::<_, Option<i32>>(0)?.map(i64::from)
    } else {
        None
    };
    refuse_other(found, start)?;
    runner(&POSTGRES, start)?.run_async(client).await?;
    if start == Start::Whole {
        client.batch_execute("DROP TABLE IF EXISTS restore_unfinished").await?;
    }
    client.batch_execute("SELECT pg_advisory_unlock(5264726)").await?;
    Ok(())
}

/// Rows of a restore that did not end say so themselves: a folder may be named beside a database that is
/// somebody's. Only another restore goes on from there, and from nothing.
async fn begin_restore(client: &tokio_postgres::Client, start: Start) -> Result<(), RowsError> {
    let marked = client.query_one("SELECT to_regclass('restore_unfinished') IS NOT NULL", &[]);
    match (marked.await?.try_get::<_, bool>(0)?, start) {
        (false, Start::Make | Start::Find) | (_, Start::Whole) => Ok(()),
        (true, Start::Make | Start::Find) => Err(RowsError::HalfRestored),
        (false, Start::Fresh(_)) => {
            // What is there is not ours to take away later.
            if client.query_one(EMPTY, &[]).await?.try_get::<_, bool>(0)? {
                Ok(client.batch_execute("CREATE TABLE restore_unfinished (one BIGINT)").await?)
            } else {
                Err(RowsError::NotEmpty)
            }
        }
        (true, Start::Fresh(_)) => {
            let all = |what: &'static str| {
                let names = MIGRATIONS.iter().flat_map(move |(_, text)| made(what, text));
                names.map(move |name| format!("DROP {what} IF EXISTS \"{name}\";"))
            };
            let history = "DROP TABLE IF EXISTS refinery_schema_history;".to_owned();
            let drops: String = all("VIEW").chain(all("TABLE")).chain([history]).collect();
            // One text is one transaction.
            Ok(client.batch_execute(&drops).await?)
        }
    }
}

/// The tables, or views, that a migration makes.
fn made(what: &'static str, text: &'static str) -> impl Iterator<Item = &'static str> {
    let begin = format!("CREATE {what} ");
    let lines = text.lines().filter_map(move |line| line.strip_prefix(begin.as_str()));
    lines.filter_map(|rest| rest.split([' ', '(']).next())
}

struct Words {
    id: &'static str,
    bytes: &'static str,
    /// Small rows lie in the order of their key, in one tree.
    clustered: &'static str,
}

impl Words {
    fn fill(&self, text: &str) -> String {
        let text = text.replace("{id}", self.id).replace("{bytes}", self.bytes);
        text.replace("{clustered}", self.clustered)
    }
}

fn runner(words: &Words, start: Start) -> Result<Runner, RowsError> {
    let migrations =
        MIGRATIONS.iter().map(|(name, text)| Ok(Migration::unapplied(name, &words.fill(text))?));
    let runner = Runner::new(&migrations.collect::<Result<Vec<_>, RowsError>>()?);
    Ok(match start {
        Start::Fresh(version) => {
            let target = i32::try_from(version).map_err(|_| RowsError::Stored("a version"))?;
            runner.set_target(Target::Version(target))
        }
        Start::Make | Start::Find | Start::Whole => runner,
    })
}

fn refuse_other(found: Option<i64>, start: Start) -> Result<(), RowsError> {
    let known = newest();
    match (found, start) {
        (Some(_), Start::Fresh(_)) => Err(RowsError::NotEmpty),
        (None, Start::Fresh(found)) if found > known => {
            Err(RowsError::NewerSchema { found, known })
        }
        (Some(found), _) if found > known => Err(RowsError::NewerSchema { found, known }),
        (Some(found), Start::Find) if found < known => Err(RowsError::OlderSchema { found, known }),
        (None, Start::Find) => Err(RowsError::NoSchema),
        _ => Ok(()),
    }
}

/// The number of the last migration.
pub fn newest() -> i64 {
    let last = MIGRATIONS.last().and_then(|(name, _)| name.strip_prefix('V')?.split_once("__"));
    last.and_then(|(number, _)| number.parse().ok()).unwrap_or(i64::MAX)
}

const EMPTY: &str = "SELECT NOT EXISTS (SELECT 1 FROM information_schema.tables
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE')";
const SQLITE: Words =
    Words { id: "INTEGER PRIMARY KEY AUTOINCREMENT", bytes: "BLOB", clustered: " WITHOUT ROWID" };
const POSTGRES: Words = Words {
    id: "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
    bytes: "BYTEA",
    clustered: "",
};
const MIGRATIONS: &[(&str, &str)] = &[
    ("V1__message_way", include_str!("0001_message_way.sql")),
    ("V2__preview", include_str!("0002_preview.sql")),
    ("V3__virtual_mailboxes", include_str!("0003_virtual_mailboxes.sql")),
    ("V4__attributes", include_str!("0004_attributes.sql")),
    ("V5__logins", include_str!("0005_logins.sql")),
    ("V6__recent", include_str!("0006_recent.sql")),
    ("V7__evidence_counts_for_nothing", include_str!("0007_evidence_counts_for_nothing.sql")),
    ("V8__memory", include_str!("0008_memory.sql")),
    ("V9__found_labels", include_str!("0009_found_labels.sql")),
    ("V10__annotation_changes", include_str!("0010_annotation_changes.sql")),
    ("V11__relay", include_str!("0011_relay.sql")),
    ("V12__relay_in", include_str!("0012_relay_in.sql")),
    ("V13__submissions_by_time", include_str!("0013_submissions_by_time.sql")),
    ("V14__threads", include_str!("0014_threads.sql")),
    ("V15__dialects", include_str!("0015_dialects.sql")),
    ("V16__reports", include_str!("0016_reports.sql")),
    ("V17__lists", include_str!("0017_lists.sql")),
    ("V18__peer_routes", include_str!("0018_peer_routes.sql")),
    ("V19__audit", include_str!("0019_audit.sql")),
    ("V20__holders", include_str!("0020_holders.sql")),
    ("V22__credentials", include_str!("0022_credentials.sql")),
    ("V24__credits", include_str!("0024_credits.sql")),
    ("V25__notices", include_str!("0025_notices.sql")),
    ("V26__contacts", include_str!("0026_contacts.sql")),
    ("V27__directory", include_str!("0027_directory.sql")),
    ("V28__holds", include_str!("0028_holds.sql")),
    ("V30__api", include_str!("0030_api.sql")),
    ("V31__operators", include_str!("0031_operators.sql")),
    ("V32__duties", include_str!("0032_duties.sql")),
    ("V33__login_by_outbox", include_str!("0033_login_by_outbox.sql")),
    ("V35__keeping", include_str!("0035_keeping.sql")),
    ("V36__operator_titles", include_str!("0036_operator_titles.sql")),
    ("V37__archive", include_str!("0037_archive.sql")),
    ("V39__exports", include_str!("0039_exports.sql")),
    ("V40__proposals", include_str!("0040_proposals.sql")),
    ("V41__told", include_str!("0041_told.sql")),
    ("V42__directory_log", include_str!("0042_directory_log.sql")),
    ("V43__staff_hands", include_str!("0043_staff_hands.sql")),
    ("V46__tokens_of_operators", include_str!("0046_tokens_of_operators.sql")),
    ("V47__reads_of_operators", include_str!("0047_reads_of_operators.sql")),
];

#[cfg(test)]
mod tests;
