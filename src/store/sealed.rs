//! Every column that the vault seals, so that all of it can be sealed anew under another master key. Who
//! adds one adds a line to [`Column::ALL`] and its statements.

use super::rows::{Param, Row, RowsError, Tx};
use std::collections::BTreeMap;

/// A column whose octets the vault sealed; the first of them is the generation of the master key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Column {
    /// Data keys, each of one blob.
    Blob,
    Totp,
    AppPassword,
    Outgoing,
}

/// Which row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    Blob(Vec<u8>),
    Totp { account: i64, operator: i64 },
    AppPassword { account: i64, id: String },
    Outgoing(i64),
}

/// Octets as they are sealed now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sealed {
    pub key: Key,
    pub octets: Vec<u8>,
}

impl Column {
    pub const ALL: [Self; 4] = [Self::Blob, Self::Totp, Self::AppPassword, Self::Outgoing];

    pub fn word(self) -> &'static str {
        match self {
            Self::Blob => "contents",
            Self::Totp => "totp",
            Self::AppPassword => "app-passwords",
            Self::Outgoing => "notices",
        }
    }

    /// Before its first row.
    pub fn start(self) -> Key {
        match self {
            Self::Blob => Key::Blob(Vec::new()),
            Self::Totp => Key::Totp { account: 0, operator: i64::MIN },
            Self::AppPassword => Key::AppPassword { account: 0, id: String::new() },
            Self::Outgoing => Key::Outgoing(0),
        }
    }

    fn counting(self) -> &'static str {
        match self {
            Self::Blob => {
                "SELECT substr(data_key, 1, 1), COUNT(*) FROM blob GROUP BY substr(data_key, 1, 1)"
            }
            Self::Totp => {
                "SELECT substr(secret, 1, 1), COUNT(*) FROM totp GROUP BY substr(secret, 1, 1)"
            }
            Self::AppPassword => {
                "SELECT substr(scram, 1, 1), COUNT(*) FROM app_password GROUP BY substr(scram, 1, 1)"
            }
            Self::Outgoing => {
                "SELECT substr(fields, 1, 1), COUNT(*) FROM outgoing
                 WHERE sealed = 1 AND fields IS NOT NULL GROUP BY substr(fields, 1, 1)"
            }
        }
    }
}

/// How many rows each generation seals.
pub fn counts(tx: &mut Tx<'_>, column: Column) -> Result<BTreeMap<u8, u64>, RowsError> {
    let mut counts = BTreeMap::new();
    for row in tx.query(column.counting(), &[])? {
        let generation = row.bytes(0)?.first().copied().unwrap_or_default();
        counts.insert(generation, u64::try_from(row.int(1)?).unwrap_or_default());
    }
    Ok(counts)
}

/// Rows of a column behind one of them, in their order.
pub fn page(tx: &mut Tx<'_>, after: &Key, most: i64) -> Result<Vec<Sealed>, RowsError> {
    let (sql, values): (&'static str, Vec<Param<'_>>) = match after {
        Key::Blob(id) => (
            "SELECT data_key, id FROM blob WHERE id > $1 ORDER BY id LIMIT $2",
            vec![id.as_slice().into(), most.into()],
        ),
        Key::Totp { account, operator } => (
            "SELECT secret, account, operator FROM totp
             WHERE account > $1 OR (account = $1 AND operator > $2)
             ORDER BY account, operator LIMIT $3",
            vec![(*account).into(), (*operator).into(), most.into()],
        ),
        Key::AppPassword { account, id } => (
            "SELECT scram, account, id FROM app_password
             WHERE account > $1 OR (account = $1 AND id > $2) ORDER BY account, id LIMIT $3",
            vec![(*account).into(), id.as_str().into(), most.into()],
        ),
        Key::Outgoing(id) => (
            "SELECT fields, id FROM outgoing
             WHERE id > $1 AND sealed = 1 AND fields IS NOT NULL ORDER BY id LIMIT $2",
            vec![(*id).into(), most.into()],
        ),
    };
    tx.query(sql, &values)?.iter().map(|row| sealed(row, after)).collect()
}

fn sealed(row: &Row, like: &Key) -> Result<Sealed, RowsError> {
    let key = match like {
        Key::Blob(_) => Key::Blob(row.bytes(1)?.to_vec()),
        Key::Totp { .. } => Key::Totp { account: row.int(1)?, operator: row.int(2)? },
        Key::AppPassword { .. } => {
            Key::AppPassword { account: row.int(1)?, id: row.text(2)?.to_owned() }
        }
        Key::Outgoing(_) => Key::Outgoing(row.int(1)?),
    };
    Ok(Sealed { key, octets: row.bytes(0)?.to_vec() })
}

/// Puts other octets in the place of those; false when others are there by now, or the row is gone.
pub fn replace(tx: &mut Tx<'_>, old: &Sealed, new: &[u8]) -> Result<bool, RowsError> {
    let (sql, mut values): (&'static str, Vec<Param<'_>>) = match &old.key {
        Key::Blob(id) => (
            "UPDATE blob SET data_key = $1 WHERE id = $2 AND data_key = $3",
            vec![new.into(), id.as_slice().into()],
        ),
        Key::Totp { account, operator } => (
            "UPDATE totp SET secret = $1 WHERE account = $2 AND operator = $3 AND secret = $4",
            vec![new.into(), (*account).into(), (*operator).into()],
        ),
        Key::AppPassword { account, id } => (
            "UPDATE app_password SET scram = $1 WHERE account = $2 AND id = $3 AND scram = $4",
            vec![new.into(), (*account).into(), id.as_str().into()],
        ),
        Key::Outgoing(id) => (
            "UPDATE outgoing SET fields = $1 WHERE id = $2 AND fields = $3",
            vec![new.into(), (*id).into()],
        ),
    };
    values.push(old.octets.as_slice().into());
    Ok(tx.execute(sql, &values)? == 1)
}

/// The generation under which all was found to be, when somebody last looked; 0 before that.
pub fn settled(tx: &mut Tx<'_>) -> Result<u8, RowsError> {
    let row = tx.one("vault state", "SELECT settled FROM vault_state WHERE one = 1", &[])?;
    Ok(u8::try_from(row.int(0)?).unwrap_or_default())
}

pub fn settle(tx: &mut Tx<'_>, generation: u8) -> Result<(), RowsError> {
    let sql = "UPDATE vault_state SET settled = $1 WHERE one = 1";
    tx.execute(sql, &[i64::from(generation).into()])?;
    Ok(())
}
