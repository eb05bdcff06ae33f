//! Every statement of the program is planned by SQLite against the schema: none that runs for one
//! message may walk through a table that grows with all messages.

use super::SQLITE;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

#[test]
fn no_statement_of_a_message_walks_through_a_table() {
    let connection = Connection::open_in_memory().expect("memory");
    for (_, text) in super::MIGRATIONS {
        connection.execute_batch(&SQLITE.fill(text)).expect("schema");
    }
    let (mut seen, mut bad) = (0, Vec::new());
    for (file, sql) in statements() {
        let Some(plan) = plan(&connection, &sql) else { continue };
        seen += 1;
        let walks = plan.iter().filter(|step| step.starts_with("SCAN "));
        let walked: Vec<_> = walks.filter(|step| !step.contains("(subquery")).collect();
        if !walked.is_empty() {
            bad.push(format!("{file}: {sql}\n{walked:?}"));
        }
        // In a mailbox of its own, only what is about the whole mailbox.
        let whole =
            plan.iter().any(|step| step.ends_with("SEARCH message USING PRIMARY KEY (mailbox=?)"));
        if whole && !WHOLE_MAILBOX.iter().any(|name| file.ends_with(name)) {
            bad.push(format!("{file}: {sql}\nthe whole mailbox"));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    assert!(seen > 80, "only {seen} statements were found");
}

#[test]
fn accounts_made_before_get_their_virtual_mailboxes() {
    let connection = Connection::open_in_memory().expect("memory");
    let before = "INSERT INTO account (address, name, state, opening, signature_policy, password,
                                       created_at) VALUES ('a@hs05.kep.tr', 'A', 'active', 'sealed',
                                                           'required', '-', 1795000000000);
                  INSERT INTO former_mailbox VALUES (1, 'Önemli', 0, 1), (1, 'Eski', 5, 1);";
    for (name, text) in super::MIGRATIONS {
        if name.ends_with("__virtual_mailboxes") {
            connection.execute_batch(before).expect("account");
        }
        connection.execute_batch(&SQLITE.fill(text)).expect("schema");
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("count");
    let made = "SELECT COUNT(*) FROM mailbox WHERE account = 1 AND role IN ('all', 'flagged')
                AND subscribed = 0 AND uid_validity = 1795000001 AND uid_next = 1 AND mod_seq = 1";
    assert_eq!(count(made), 2);
    assert_eq!(count("SELECT COUNT(*) FROM former_mailbox"), 1);
}

#[test]
fn what_waited_before_there_was_a_relay_and_seals_of_providers_are_kept() {
    let connection = Connection::open_in_memory().expect("memory");
    let before =
        "INSERT INTO submission (message_id, account, state, same_mail, accepted_at, original,
                                          size, digest, details, dispatch)
                  VALUES ('1@hs05.kep.tr', 1, 'dispatched', x'00', 5, x'00', 1, x'00', '{}', 7);
                  INSERT INTO job (step, name, payload, due_at) VALUES
                  ('deliver', 'deliver/1@hs05.kep.tr/hs77.kep.tr', '1@hs05.kep.tr hs77.kep.tr', 9),
                  ('expire', 'expire/1@hs05.kep.tr/1', '{}', 9);
                  INSERT INTO provider (domain, name, host, seal_certificate, state, added_at)
                  VALUES ('hs77.kep.tr', 'Öteki', 'x:25', x'3000', 'active', 3);";
    for (name, text) in super::MIGRATIONS {
        if name.ends_with("__relay") {
            connection.execute_batch(before).expect("before");
        }
        connection.execute_batch(&SQLITE.fill(text)).expect("schema");
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("count");
    let waits = "SELECT COUNT(*) FROM relay WHERE name = 'dispatch/1@hs05.kep.tr/hs77.kep.tr'
                 AND provider = 'hs77.kep.tr' AND message_id = '1@hs05.kep.tr' AND content = 7
                 AND kind = 'dispatch' AND since = 9 AND due_at = 9";
    assert_eq!(count(waits), 1);
    assert_eq!(count("SELECT COUNT(*) FROM job"), 1);
    assert_eq!(count("SELECT COUNT(*) FROM provider_seal WHERE certificate = x'3000'"), 1);
}

/// Statements as they stand in the source of this room, tests and whole-table work left out.
fn statements() -> Vec<(String, String)> {
    let mut files = Vec::new();
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    collect(&room, &mut files);
    let mut found = Vec::new();
    for path in files {
        let name = path.display().to_string();
        if name.ends_with("tests.rs")
            || name.contains("/postgres")
            || WALKERS.iter().any(|w| name.contains(w))
        {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("source");
        let strings = text.split('"').skip(1).step_by(2);
        let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE "];
        let sql = strings.filter(|s| verbs.iter().any(|verb| s.starts_with(verb)));
        found.extend(sql.map(|sql| (name.clone(), sql.to_owned())));
    }
    found
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("folder").flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => collect(&path, files),
            false if path.extension().is_some_and(|e| e == "rs") => files.push(path),
            false => {}
        }
    }
}

/// `None` for a text that is no whole statement (a part of one, or PostgreSQL's own).
fn plan(connection: &Connection, sql: &str) -> Option<Vec<String>> {
    if LISTS.iter().any(|list| sql.contains(list)) {
        return None;
    }
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).ok()?;
    let nulls = vec![rusqlite::types::Null; statement.parameter_count()];
    let steps = statement.query_map(rusqlite::params_from_iter(nulls), |row| row.get(3)).ok()?;
    steps.collect::<Result<_, _>>().ok()
}

/// What looks at everything, and is asked for by an operator or runs now and then.
const WALKERS: [&str; 12] = [
    "fsck",
    "compact.rs",
    "schema.rs",
    "accounts.rs",
    "providers.rs",
    "whole.rs",
    "store/backup/",
    "store/export.rs",
    "store/holds.rs",
    // A proof of all that was done; what is decided; who is staff.
    "store/audit.rs",
    "store/policies.rs",
    "store/staff.rs",
];
/// Lists for the command line, and figures.
const LISTS: [&str; 16] = [
    // How much each master key seals, for staff.
    "GROUP BY substr(",
    "FROM relay ORDER BY since, id",
    "FROM relay\n         GROUP BY provider",
    "FROM relay_peer WHERE held = 1 OR failures > 0",
    "SELECT COUNT(*) FROM evidence",
    "WHERE account = $1 OR $2 = 1",
    "FROM evidence ORDER BY stored_at DESC",
    // Who lives in an institution's sub-domain, when an address in it is applied for.
    "FROM account WHERE address LIKE $1",
    "WHERE a.address LIKE $1",
    "AND stage <> 'refused' AND address LIKE $1",
    "FROM sub_domain ORDER BY label",
    // The proof of all sums.
    "FROM credit_balance\n         ORDER BY account",
    "FROM credit_entry ORDER BY account, seq",
    "FROM credit_posting\n         GROUP BY ledger",
    // What waits to be told or looked at, a few at a time.
    "FROM credit_low ORDER BY id LIMIT",
    "WHERE ends_at IS NULL LIMIT $1",
];
/// Views of a mailbox, which show all of it.
const WHOLE_MAILBOX: [&str; 6] = [
    "mail/view.rs",
    "mail/change.rs",
    "mail/tree.rs",
    "mail/trash.rs",
    "mail/labelled.rs",
    "mail/memory.rs",
];
