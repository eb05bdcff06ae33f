//! Rows of the audit: entries that are appended, and the seals over their chain.

use super::rows::{Columns, Row, RowsError, Tx};
use crate::wire::{Digest, Timestamp};

/// An entry, and the link that binds it to the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntryRow {
    /// From 1, without gaps.
    pub n: i64,
    pub at: Timestamp,
    pub actor: String,
    pub channel: String,
    pub act: String,
    pub subject: String,
    pub details: String,
    pub link: Digest,
}

/// A sealed head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealRow {
    /// From 1, without gaps.
    pub number: i64,
    pub statement: String,
    pub signature: Vec<u8>,
}

/// Which entries are asked for; the newest come first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wanted {
    pub subject: Option<String>,
    pub actor: Option<String>,
    /// The act itself, or its first word and all that follow: `account` has `account.close`.
    pub act: Option<String>,
    pub since: Option<Timestamp>,
    /// Only those before this one.
    pub before: Option<i64>,
    pub most: u32,
}

/// Appends what `link` binds, in that order: it is given the number and the link before. Gives the last number.
pub fn append(
    tx: &mut Tx<'_>,
    entries: Vec<EntryRow>,
    link: impl Fn(&EntryRow, Digest) -> Digest,
) -> Result<i64, RowsError> {
    let values = [(&NOTHING.0[..]).into()];
    tx.execute(
        "INSERT INTO audit_head (one, n, link) VALUES (1, 0, $1) ON CONFLICT (one) DO NOTHING",
        &values,
    )?;
    // Changed before it is read: on shared rows the next one waits here.
    let sql = "UPDATE audit_head SET n = n + $1 WHERE one = 1 RETURNING n, link";
    let count = entries.len() as i64;
    let head = tx.one("head of the audit", sql, &[count.into()])?;
    let (last, mut before) = (head.int(0)?, digest(head.bytes(1)?)?);
    for (n, mut entry) in (last - count + 1..).zip(entries) {
        entry.n = n;
        entry.link = link(&entry, before);
        add(tx, &entry)?;
        before = entry.link;
    }
    tx.execute("UPDATE audit_head SET link = $1 WHERE one = 1", &[(&before.0[..]).into()])?;
    Ok(last)
}

fn add(tx: &mut Tx<'_>, entry: &EntryRow) -> Result<(), RowsError> {
    tx.execute(
        "INSERT INTO audit (n, at, actor, channel, act, subject, details, link)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            entry.n.into(),
            entry.at.millis().into(),
            (&entry.actor).into(),
            (&entry.channel).into(),
            (&entry.act).into(),
            (&entry.subject).into(),
            (&entry.details).into(),
            (&entry.link.0[..]).into(),
        ],
    )?;
    Ok(())
}

/// The number and link of the newest entry; 0 and zeros when there is none.
pub fn head(tx: &mut Tx<'_>) -> Result<(i64, Digest), RowsError> {
    match tx.first("SELECT n, link FROM audit_head WHERE one = 1", &[])? {
        Some(row) => Ok((row.int(0)?, digest(row.bytes(1)?)?)),
        None => Ok((0, NOTHING)),
    }
}

/// A text for what is wanted, so that an index finds it: whose subject it is, and since when.
macro_rules! listing {
    ($subject:literal, $since:literal) => {
        concat!(
            "SELECT n, at, actor, channel, act, subject, details, link FROM audit WHERE ",
            $subject,
            " AND ($2 = '' OR actor = $2)
              AND ($3 = '' OR act = $3 OR (act >= $4 AND act < $5)) AND ",
            $since,
            " AND n < $7 ORDER BY n DESC LIMIT $8"
        )
    };
}

pub fn list(tx: &mut Tx<'_>, wanted: &Wanted) -> Result<Vec<EntryRow>, RowsError> {
    let family = wanted.act.as_ref().map(|act| format!("{act}."));
    // Who ends with the character after the dot, `/`, is past all that begin with the dot.
    let after = wanted.act.as_ref().map(|act| format!("{act}/"));
    // Without the sum SQLite walks the numbers from the first one, instead of the times.
    let sql = match (&wanted.subject, wanted.since) {
        (Some(_), None) => listing!("subject = $1", "at >= $6"),
        (Some(_), Some(_)) => {
            listing!(
                "subject = $1",
                "n >= (SELECT MIN(n + 0) FROM audit WHERE at >= $6) AND at >= $6"
            )
        }
        (None, None) => listing!("$1 = ''", "at >= $6"),
        (None, Some(_)) => {
            listing!("$1 = ''", "n >= (SELECT MIN(n + 0) FROM audit WHERE at >= $6) AND at >= $6")
        }
    };
    let rows = tx.query(
        sql,
        &[
            wanted.subject.as_deref().unwrap_or_default().into(),
            wanted.actor.as_deref().unwrap_or_default().into(),
            wanted.act.as_deref().unwrap_or_default().into(),
            family.as_deref().unwrap_or_default().into(),
            after.as_deref().unwrap_or_default().into(),
            wanted.since.map_or(i64::MIN, Timestamp::millis).into(),
            wanted.before.unwrap_or(i64::MAX).into(),
            i64::from(wanted.most).into(),
        ],
    )?;
    rows.iter().map(|row| entry(row)).collect()
}

/// What was done about one subject, of the kinds of acts that whose it is may know of, before that number;
/// the newest first. What the staff looks at, holds, proposes or hands over to an authority is none of them, and
/// a new kind is none before it stands here.
pub fn of_subject(
    tx: &mut Tx<'_>,
    subject: &str,
    before: i64,
    most: usize,
) -> Result<Vec<EntryRow>, RowsError> {
    let rows = tx.query(
        "SELECT n, at, actor, channel, act, subject, details, link FROM audit
         WHERE subject = $1 AND n < $2
           AND (act = 'login' OR act LIKE 'account.%' OR act LIKE 'app-password.%'
                OR act LIKE 'contact.%' OR act LIKE 'contract.%' OR act LIKE 'credit.%'
                OR act LIKE 'directory.%' OR act LIKE 'handover.%' OR act LIKE 'label.%'
                OR act LIKE 'login.%' OR act LIKE 'mail.%' OR act LIKE 'message.%' OR act LIKE 'notice.%'
                OR act LIKE 'operator.%' OR act LIKE 'session.%' OR act LIKE 'task.%'
                OR act LIKE 'token.%')
         ORDER BY n DESC LIMIT $3",
        &[subject.into(), before.into(), (most as i64).into()],
    )?;
    rows.iter().map(|row| entry(row)).collect()
}

/// All entries from the first on, one by one; `visitor` says whether it wants the next.
pub fn visit(tx: &mut Tx<'_>, mut visitor: impl FnMut(EntryRow) -> bool) -> Result<(), RowsError> {
    tx.visit(
        "SELECT n, at, actor, channel, act, subject, details, link FROM audit ORDER BY n",
        &[],
        &mut |row| Ok(visitor(entry(row)?)),
    )
}

/// Lays a seal in; false when one of this number is there.
pub fn add_seal(tx: &mut Tx<'_>, seal: &SealRow) -> Result<bool, RowsError> {
    let added = tx.execute(
        "INSERT INTO audit_seal (number, statement, signature) VALUES ($1, $2, $3)
         ON CONFLICT (number) DO NOTHING",
        &[seal.number.into(), (&seal.statement).into(), (&seal.signature[..]).into()],
    )?;
    Ok(added == 1)
}

/// The numbers of all seals.
pub fn seal_numbers(tx: &mut Tx<'_>) -> Result<Vec<i64>, RowsError> {
    let rows = tx.query("SELECT number FROM audit_seal ORDER BY number", &[])?;
    rows.iter().map(|row| row.int(0)).collect()
}

pub fn seal(tx: &mut Tx<'_>, number: i64) -> Result<Option<SealRow>, RowsError> {
    let sql = "SELECT number, statement, signature FROM audit_seal WHERE number = $1";
    tx.first(sql, &[number.into()])?.as_ref().map(sealed).transpose()
}

pub fn last_seal(tx: &mut Tx<'_>) -> Result<Option<SealRow>, RowsError> {
    let sql = "SELECT number, statement, signature FROM audit_seal ORDER BY number DESC LIMIT 1";
    tx.first(sql, &[])?.as_ref().map(sealed).transpose()
}

pub fn seals(tx: &mut Tx<'_>) -> Result<Vec<SealRow>, RowsError> {
    let sql = "SELECT number, statement, signature FROM audit_seal ORDER BY number";
    tx.query(sql, &[])?.iter().map(sealed).collect()
}

fn entry(row: &dyn Columns) -> Result<EntryRow, RowsError> {
    let text = |column| Ok::<_, RowsError>(row.text(column)?.into_owned());
    Ok(EntryRow {
        n: row.int(0)?,
        at: Timestamp::from_millis(row.int(1)?),
        actor: text(2)?,
        channel: text(3)?,
        act: text(4)?,
        subject: text(5)?,
        details: text(6)?,
        link: digest(row.bytes(7)?)?,
    })
}

fn sealed(row: &Row) -> Result<SealRow, RowsError> {
    Ok(SealRow {
        number: row.int(0)?,
        statement: row.text(1)?.to_owned(),
        signature: row.bytes(2)?.to_vec(),
    })
}

fn digest(octets: &[u8]) -> Result<Digest, RowsError> {
    octets.try_into().map(Digest).map_err(|_| RowsError::Stored("a link of the audit"))
}

/// What the first entry is bound to.
const NOTHING: Digest = Digest([0; 32]);
