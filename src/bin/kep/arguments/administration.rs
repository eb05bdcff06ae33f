//! `kep staff`, `kep policy`, `kep audit`: who acts for the provider, what it decided, what was done.

use super::Conf;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Who of the provider's people acts.
#[derive(Clone, Debug, Args)]
pub struct Who {
    /// Member of staff who does this; the audit names him [default: who is logged in at this machine]
    #[arg(id = "acting", long = "as", value_name = "NAME", env = "KEP_STAFF")]
    pub name: Option<String>,
    /// File with his password, and nothing else; without it, it is asked for
    #[arg(long, value_name = "FILE", env = "KEP_STAFF_PASSWORD_FILE")]
    pub staff_password_file: Option<PathBuf>,
}

/// The configuration, and who acts.
#[derive(Clone, Debug, Args)]
pub struct Acting {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
}

#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Add a member of staff; the password is asked for, or read from --password-file. Who is added sets his own
    /// (`kep staff password`) before he acts
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// The name he acts by: small letters, digits, dots, hyphens
        member: String,
        /// His full name
        #[arg(long, value_name = "NAME")]
        display: String,
        /// registrar, approver, accountant, operator, manager, auditor; several with commas
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<String>,
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List the staff, those who have left too
    List {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Give a member of staff other roles
    Roles {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        member: String,
        #[arg(long, value_delimiter = ',', required = true)]
        role: Vec<String>,
    },
    /// Set one's own password, proven by the one before; or a manager sets another's, who sets his own before he
    /// acts
    Password {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        member: String,
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// A member of staff leaves; the name is kept for what he did
    End {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        member: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// List every policy, what it is now and how it is written
    List {
        #[command(flatten)]
        conf: Conf,
        /// What is in force then, as 2027-01-01T00:00:00+03:00 [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Show each decision about a policy: since when, why, by whom
    Show {
        #[command(flatten)]
        conf: Conf,
        key: String,
        #[arg(long)]
        json: bool,
    },
    /// Decide; what has been in force stays told
    Set {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        key: String,
        /// `kep policy list` shows how it is written; `-` gives it back to the configuration
        value: String,
        /// Why; people read it for years
        #[arg(long)]
        reason: String,
        /// When it begins, as 2027-01-01T00:00:00+03:00 [default: now]
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Take decisions back that have not begun
    Cancel {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        key: String,
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List acts, the newest first
    List {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// About this address or name alone
        #[arg(long)]
        subject: Option<String>,
        /// By this one alone, as `staff:ayse`
        #[arg(long)]
        actor: Option<String>,
        /// This act alone (`account.close`), or all of a kind (`account`)
        #[arg(long)]
        act: Option<String>,
        /// Since this time, as 2026-11-29T00:00:00+03:00
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        /// Before the entry of this number
        #[arg(long, value_name = "N")]
        before: Option<i64>,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
        #[arg(long)]
        json: bool,
    },
    /// Prove that no entry was changed, taken away or put in between: 0 proven, 1 not
    Verify {
        #[command(flatten)]
        conf: Conf,
        /// Folder with the copies of the seals [default: audit.copies of the configuration]
        #[arg(long, value_name = "DIR")]
        copies: Option<PathBuf>,
        /// Seals before which nothing was sealed for days, and it is known why: no server ran
        #[arg(long, value_name = "NUMBER,…", value_delimiter = ',')]
        explained: Vec<i64>,
        #[arg(long)]
        json: bool,
    },
    /// Seal and time-stamp the newest entry now; `kep serve` does so daily
    Seal {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Write all entries with their links, a JSON object a line
    Export {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// A new file [default: standard output]
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}
