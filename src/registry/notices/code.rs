//! The code that proves a place: made, sent there, and kept as what is derived of it.

use super::{NoticeError, Target};
use crate::registry::outbox::{self, Fields, Kind, Outgoing};
use crate::store::Tx;
use crate::store::notices as rows;
use crate::trust::random;
use crate::trust::vault::{Purpose, Vault};
use crate::wire::{KepAddress, Timestamp};

/// A code, and what is kept of it.
pub(super) struct Code {
    address: KepAddress,
    digest: [u8; 32],
    fields: Fields,
    /// Each one is sent, though the last one was for the same place.
    cause: String,
}

impl Code {
    pub fn new(vault: &Vault, address: &KepAddress) -> Result<Self, NoticeError> {
        let code = format!("{:06}", random::below(1_000_000));
        let values = [("code", code.as_str()), ("account", address.as_str())];
        Ok(Self {
            address: address.clone(),
            digest: vault.derive(Purpose::NoticeCode, &proof(address, &code))?,
            fields: Fields::secret(vault, &values)?,
            cause: format!("verify/{}", data_encoding::HEXLOWER.encode(&random::bytes::<8>())),
        })
    }

    pub fn send(&self, tx: &mut Tx<'_>, to: &Target, at: Timestamp) -> Result<(), NoticeError> {
        // Codes go to who has not said that he wants them: nobody is to be plagued by them.
        let day = at.plus_secs(-86_400);
        if crate::store::outbox::since(tx, to.account, Kind::Verify.word(), day)? >= CODES {
            return Err(NoticeError::ManyCodes(self.address.clone()));
        }
        rows::set_code(tx, to.id, &self.digest, at)?;
        let outgoing = Outgoing {
            account: to.account,
            to: to.reach.clone(),
            language: to.language,
            kind: Kind::Verify,
            fields: self.fields.clone(),
            cause: self.cause.clone(),
            due: at,
            expires: at.plus_secs(CODE_SECS),
        };
        outbox::queue(tx, &outgoing)?;
        Ok(())
    }
}

/// A code is good for its own account alone.
pub(super) fn proof(address: &KepAddress, code: &str) -> Vec<u8> {
    [address.as_str().as_bytes(), &[0], code.as_bytes()].concat()
}

pub(super) const CODE_SECS: i64 = 600;
/// Of an account in a day.
pub(super) const CODES: u64 = 20;
