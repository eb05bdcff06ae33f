//! Rows of archive time stamps: what each evidence is in them, and the stamps over all.

use super::evidence::{self, Material};
use super::rows::{Row, RowsError, Tx};
use crate::wire::{Digest, Timestamp};

/// Evidence, or a further form of it, as it is to be proven.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// The identifier; of a further form with a space and its dialect behind it.
    pub name: String,
    /// SHA-256 of the document.
    pub document: Digest,
    /// Of the digests of what validates it.
    pub material: Digest,
    /// What stands in its batch.
    pub leaf: Option<Digest>,
}

/// A batch: SHA-256 over its leaves in the order of their names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Batch {
    pub n: i64,
    pub leaves: i64,
    pub root: Digest,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub n: i64,
    pub statement: String,
    pub token: Vec<u8>,
    pub stamped_at: Timestamp,
    /// When the authority's certificate ends.
    pub ends_at: Timestamp,
}

/// Evidence behind an identifier, by identifier.
pub fn subjects(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<Subject>, RowsError> {
    let rows = tx.query(
        "SELECT e.id, b.digest, e.material_set, l.leaf FROM evidence e JOIN blob b ON b.id = e.xml
         LEFT JOIN archive_leaf l ON l.evidence = e.id WHERE e.id > $1 ORDER BY e.id LIMIT $2",
        &[after.into(), limit.into()],
    )?;
    rows.iter().map(|row| subject(row, row.text(0)?.to_owned())).collect()
}

/// Further forms behind an identifier and a dialect.
pub fn forms(
    tx: &mut Tx<'_>,
    (after, dialect): (&str, &str),
    limit: i64,
) -> Result<Vec<(String, String, Subject)>, RowsError> {
    let rows = tx.query(
        "SELECT f.evidence, b.digest, e.material_set, l.leaf, f.dialect
         FROM evidence_form f JOIN evidence e ON e.id = f.evidence JOIN blob b ON b.id = f.xml
         LEFT JOIN archive_leaf l ON l.evidence = f.evidence || ' ' || f.dialect
         WHERE f.evidence > $1 OR (f.evidence = $1 AND f.dialect > $2)
         ORDER BY f.evidence, f.dialect LIMIT $3",
        &[after.into(), dialect.into(), limit.into()],
    )?;
    let form = |row: &Row| {
        let (id, dialect) = (row.text(0)?.to_owned(), row.text(4)?.to_owned());
        let name = format!("{id} {dialect}");
        Ok((id, dialect, subject(row, name)?))
    };
    rows.iter().map(form).collect()
}

fn subject(row: &Row, name: String) -> Result<Subject, RowsError> {
    let leaf = if row.is_null(3) { None } else { Some(digest(row, 3)?) };
    Ok(Subject { name, document: digest(row, 1)?, material: digest(row, 2)?, leaf })
}

fn digest(row: &Row, at: usize) -> Result<Digest, RowsError> {
    Digest::from_slice(row.bytes(at)?).ok_or(RowsError::Stored("a digest"))
}

/// Adds a batch; undone when another process had one of these in its own meanwhile.
pub fn add_batch(
    tx: &mut Tx<'_>,
    leaves: &[(String, Digest)],
    root: Digest,
) -> Result<i64, RowsError> {
    let last = tx.one("number", "SELECT COALESCE(MAX(n), 0) FROM archive_batch", &[])?.int(0)?;
    let n = last + 1;
    let added = tx.execute(
        "INSERT INTO archive_batch (n, leaves, root) VALUES ($1, $2, $3) ON CONFLICT (n) DO NOTHING",
        &[n.into(), (leaves.len() as i64).into(), (&root.0[..]).into()],
    )?;
    let mut all = added == 1;
    for (name, leaf) in leaves {
        let added = tx.execute(
            "INSERT INTO archive_leaf (evidence, batch, leaf) VALUES ($1, $2, $3)
             ON CONFLICT (evidence) DO NOTHING",
            &[name.into(), n.into(), (&leaf.0[..]).into()],
        )?;
        all &= added == 1;
    }
    match all {
        true => Ok(n),
        false => Err(RowsError::Undone("another process archived the same")),
    }
}

/// All batches, the first one first.
pub fn batches(tx: &mut Tx<'_>) -> Result<Vec<Batch>, RowsError> {
    let rows = tx.query("SELECT n, leaves, root FROM archive_batch WHERE n > 0 ORDER BY n", &[])?;
    let batch =
        |row: &Row| Ok(Batch { n: row.int(0)?, leaves: row.int(1)?, root: digest(row, 2)? });
    rows.iter().map(batch).collect()
}

/// So many leaves of a batch at most, in the order of their names.
pub fn leaves(tx: &mut Tx<'_>, batch: i64, most: i64) -> Result<Vec<(String, Digest)>, RowsError> {
    let sql = "SELECT evidence, leaf FROM archive_leaf WHERE batch = $1 LIMIT $2";
    let rows = tx.query(sql, &[batch.into(), most.into()])?;
    let leaf = |row: &Row| Ok((row.text(0)?.to_owned(), digest(row, 1)?));
    let mut all = rows.iter().map(leaf).collect::<Result<Vec<_>, RowsError>>()?;
    // By their octets: databases order texts by rules of their own.
    all.sort();
    Ok(all)
}

/// Whether the evidence of a leaf, or its further form, is there.
pub fn is_there(tx: &mut Tx<'_>, name: &str) -> Result<bool, RowsError> {
    let found = match name.split_once(' ') {
        None => tx.first("SELECT 1 FROM evidence WHERE id = $1", &[name.into()])?,
        Some((id, dialect)) => {
            let sql = "SELECT 1 FROM evidence_form WHERE evidence = $1 AND dialect = $2";
            tx.first(sql, &[id.into(), dialect.into()])?
        }
    };
    Ok(found.is_some())
}

/// Adds a stamp with what validates it, which is known by its digest then; none when another process was faster.
pub fn add_stamp(
    tx: &mut Tx<'_>,
    new: &Stamp,
    material: &[Material],
) -> Result<Option<Digest>, RowsError> {
    let set = evidence::keep_set(tx, material)?;
    let added = tx.execute(
        "INSERT INTO archive_stamp (n, statement, token, stamped_at, ends_at, material_set)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (n) DO NOTHING",
        &[
            new.n.into(),
            (&new.statement).into(),
            (&new.token).into(),
            new.stamped_at.millis().into(),
            new.ends_at.millis().into(),
            (&set.0[..]).into(),
        ],
    )?;
    Ok((added == 1).then_some(set))
}

/// Stamps behind a number, by number. What is larger than any statement or token is read as none.
pub fn stamps(tx: &mut Tx<'_>, after: i64, limit: i64) -> Result<Vec<Stamp>, RowsError> {
    let rows = tx.query(
        "SELECT n, CASE WHEN LENGTH(statement) <= CAST($1 AS BIGINT) THEN statement ELSE '' END,
                CASE WHEN LENGTH(token) <= CAST($2 AS BIGINT) THEN token END, stamped_at, ends_at
         FROM archive_stamp WHERE n > $3 ORDER BY n LIMIT $4",
        &[STATEMENT_MAX.into(), TOKEN_MAX.into(), after.into(), limit.into()],
    )?;
    rows.iter().map(stamp).collect()
}

/// Certificates, lists and answers that were kept with a stamp, as far as they are no larger than any, and no more
/// than there are behind one.
pub fn material(tx: &mut Tx<'_>, stamp: i64) -> Result<Vec<Vec<u8>>, RowsError> {
    let rows = tx.query(
        "SELECT m.value FROM archive_stamp a JOIN material_set s ON s.id = a.material_set
         JOIN material m ON m.digest = s.digest
         WHERE a.n = $1 AND LENGTH(m.value) <= CAST($2 AS BIGINT) ORDER BY m.digest LIMIT $3",
        &[stamp.into(), PIECE_MAX.into(), PIECES.into()],
    )?;
    rows.iter().map(|row| Ok(row.bytes(0)?.to_vec())).collect()
}

pub fn last_stamp(tx: &mut Tx<'_>) -> Result<Option<Stamp>, RowsError> {
    let row = tx.first(
        "SELECT n, statement, token, stamped_at, ends_at FROM archive_stamp
         WHERE n > 0 ORDER BY n DESC LIMIT 1",
        &[],
    )?;
    row.as_ref().map(stamp).transpose()
}

fn stamp(row: &Row) -> Result<Stamp, RowsError> {
    Ok(Stamp {
        n: row.int(0)?,
        statement: row.text(1)?.to_owned(),
        token: if row.is_null(2) { Vec::new() } else { row.bytes(2)?.to_vec() },
        stamped_at: Timestamp::from_millis(row.int(3)?),
        ends_at: Timestamp::from_millis(row.int(4)?),
    })
}

/// Characters of a statement, which has a few hundred; octets of a token, which has some thousands.
const STATEMENT_MAX: i64 = 16 << 10;
const TOKEN_MAX: i64 = 1 << 20;
/// Octets of a list, and how much there is behind a stamp: what we seal by is in it as well.
const PIECE_MAX: i64 = 32 << 20;
const PIECES: i64 = 256;
