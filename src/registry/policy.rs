//! STUB until the foundation is merged.
use crate::store::{RowsError, Tx};
use crate::wire::Timestamp;

pub struct Policies {
    pub closing_by_system: bool,
    pub closing_days: u32,
    pub closed_account_receives: bool,
    pub contract_months: u32,
    pub e_seal_allowed: bool,
}
pub fn at(_tx: &mut Tx<'_>, _at: Timestamp) -> Result<Policies, RowsError> {
    Ok(Policies {
        closing_by_system: true,
        closing_days: 7,
        closed_account_receives: false,
        contract_months: 12,
        e_seal_allowed: false,
    })
}
