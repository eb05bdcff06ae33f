//! Rows of registered certificates, as whoever keeps them looks at them.

use crate::store::rows::{RowsError, Tx};
use crate::wire::{AccountId, Timestamp};

#[derive(Clone, Debug)]
pub struct CertificateRow {
    /// DER.
    pub certificate: Vec<u8>,
    pub uses: String,
    /// 0: the holder's.
    pub operator: i64,
    pub added_at: Timestamp,
}

/// All of an account, the oldest first; none of operators that have ended.
pub fn of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<CertificateRow>, RowsError> {
    let rows = tx.query(
        "SELECT certificate, uses, operator, added_at FROM account_certificate c
         WHERE account = $1
           AND NOT EXISTS (SELECT 1 FROM operator o WHERE o.account = c.account
                           AND o.code = c.operator AND o.ended_at IS NOT NULL)
         ORDER BY added_at, fingerprint",
        &[account.0.into()],
    )?;
    let read = rows.iter().map(|row| {
        Ok(CertificateRow {
            certificate: row.bytes(0)?.to_vec(),
            uses: row.text(1)?.to_owned(),
            operator: row.int(2)?,
            added_at: Timestamp::from_millis(row.int(3)?),
        })
    });
    read.collect()
}
