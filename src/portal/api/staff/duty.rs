//! Who of the staff does what: asked in the transaction that does it, so that whoever left does nothing more.

use super::staff;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::problem::Problem;
use crate::registry::audit::By;
use crate::registry::staff::{self as registry, StaffRole};
use crate::store::Tx;

/// Who asks, if he is staff and has one of these roles.
pub fn on_duty(tx: &mut Tx<'_>, call: &Call, roles: &[StaffRole]) -> Answered<By> {
    match registry::has_one_of(tx, staff(call)?, roles)? {
        true => call.by(),
        false => {
            let words: Vec<_> = roles.iter().map(|role| role.word()).collect();
            Err(Problem::StaffRole(words.join(" / ")))
        }
    }
}

/// Accounts, and whose they are.
pub const SEES_ACCOUNTS: &[StaffRole] =
    &[StaffRole::Registrar, StaffRole::Approver, StaffRole::Accountant];
pub const SEES_CREDITS: &[StaffRole] =
    &[StaffRole::Registrar, StaffRole::Approver, StaffRole::Accountant, StaffRole::Auditor];
/// Applications, holds, authorities' requests, proposals.
pub const SEES_FILES: &[StaffRole] =
    &[StaffRole::Registrar, StaffRole::Approver, StaffRole::Accountant, StaffRole::Auditor];
pub const REGISTERS: &[StaffRole] = &[StaffRole::Registrar];
pub const APPROVES: &[StaffRole] = &[StaffRole::Approver];
pub const COUNTS: &[StaffRole] = &[StaffRole::Accountant];
