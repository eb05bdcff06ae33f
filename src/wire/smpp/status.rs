//! What an SMSC answers (`command_status`, §5.1.3), and what it means for who asked.

use std::fmt;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Status(pub u32);

/// What to do after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Taken,
    /// It is asked too much: a pause, then the same again.
    Slower,
    /// For now; also what an operator has to mend, at either side.
    Later,
    /// This message, to this number: never.
    Never,
}

impl Status {
    pub const OK: Self = Self(0);
    pub const UNKNOWN_COMMAND: Self = Self(0x03);
    pub const THROTTLED: Self = Self(0x58);

    pub fn verdict(self) -> Verdict {
        match self.0 {
            0 => Verdict::Taken,
            // Its queue is full; throttled.
            0x14 | 0x58 => Verdict::Slower,
            // Length; destination address, type, plan; class; the receiver's own word that it is for good.
            0x01 | 0x0b | 0x43 | 0x50 | 0x51 | 0x65 | 0x66 => Verdict::Never,
            _ => Verdict::Later,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(code, _)| *code == self.0).map(|(_, name)| *name);
        match name {
            Some(name) => write!(f, "{name} ({:#04x})", self.0),
            None => write!(f, "status {:#04x}", self.0),
        }
    }
}

/// Table 5-2.
const NAMES: &[(u32, &str)] = &[
    (0x00, "ESME_ROK"),
    (0x01, "ESME_RINVMSGLEN"),
    (0x02, "ESME_RINVCMDLEN"),
    (0x03, "ESME_RINVCMDID"),
    (0x04, "ESME_RINVBNDSTS"),
    (0x05, "ESME_RALYBND"),
    (0x08, "ESME_RSYSERR"),
    (0x0a, "ESME_RINVSRCADR"),
    (0x0b, "ESME_RINVDSTADR"),
    (0x0d, "ESME_RBINDFAIL"),
    (0x0e, "ESME_RINVPASWD"),
    (0x0f, "ESME_RINVSYSID"),
    (0x14, "ESME_RMSGQFUL"),
    (0x43, "ESME_RINVESMCLASS"),
    (0x45, "ESME_RSUBMITFAIL"),
    (0x50, "ESME_RINVDSTTON"),
    (0x51, "ESME_RINVDSTNPI"),
    (0x58, "ESME_RTHROTTLED"),
    (0x64, "ESME_RX_T_APPN"),
    (0x65, "ESME_RX_P_APPN"),
    (0x66, "ESME_RX_R_APPN"),
    (0xfe, "ESME_RDELIVERYFAILURE"),
    (0xff, "ESME_RUNKNOWNERR"),
];
