//! Who of the staff does what: asked in the transaction that does it, so that whoever left does nothing more.

use super::staff;
use crate::portal::api::call::{Answered, Call};
use crate::portal::api::problem::Problem;
use crate::registry::audit::By;
use crate::registry::staff::{self as registry, OffDuty, StaffRole};
use crate::store::Tx;

/// Who asks, if he is staff and has one of these roles.
pub fn on_duty(tx: &mut Tx<'_>, call: &Call, roles: &[StaffRole]) -> Answered<By> {
    registry::on_duty::<Problem>(tx, staff(call)?, roles)?;
    call.by()
}

impl From<OffDuty> for Problem {
    fn from(off: OffDuty) -> Self {
        Self::StaffRole(off.roles)
    }
}

/// Accounts, and whose they are.
pub const SEES_ACCOUNTS: &[StaffRole] =
    &[StaffRole::Registrar, StaffRole::Approver, StaffRole::Accountant];
/// Credits, applications, holds, authorities' requests, proposals.
pub const SEES_FILES: &[StaffRole] =
    &[StaffRole::Registrar, StaffRole::Approver, StaffRole::Accountant, StaffRole::Auditor];
pub const REGISTERS: &[StaffRole] = &[StaffRole::Registrar];
pub const APPROVES: &[StaffRole] = &[StaffRole::Approver];
/// Settings: policies' values, and what is withdrawn of them.
pub const MANAGES: &[StaffRole] = &[StaffRole::Manager];
pub const COUNTS: &[StaffRole] = &[StaffRole::Accountant];
pub const AUDITS: &[StaffRole] = &[StaffRole::Auditor];
