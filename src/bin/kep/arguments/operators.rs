//! `kep account operator`, `handover`, `task`: who acts for an account, and what there is to do.

use super::{Conf, Opening, Who};
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Operator {
    /// Register an operator (işlem yetkilisi) of an account; prints the code that he gets
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Given name
        #[arg(long = "name", value_name = "NAME")]
        given_name: String,
        #[arg(long)]
        surname: String,
        /// What he is there (Müdür); the directory shows it beside his name
        #[arg(long)]
        title: Option<String>,
        /// T.C. kimlik no, as in his qualified certificate
        #[arg(long, value_name = "NO")]
        identity_number: String,
        /// Mobile number with its country, +905321234567
        #[arg(long, value_name = "NUMBER")]
        phone: Option<String>,
        /// Address of ordinary mail
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// What he may do; several with commas
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        role: Vec<Role>,
        #[arg(long)]
        json: bool,
    },
    /// List the operators of an account, those that have ended too
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Show an operator, his passwords and certificates
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// His code, as 001
        code: String,
        #[arg(long)]
        json: bool,
    },
    /// Give an operator other roles; they count at once
    Roles {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
        /// What he may do; several with commas
        #[arg(long, value_enum, value_delimiter = ',', required = true)]
        role: Vec<Role>,
    },
    /// Say what an operator is in the company or public body; the directory shows it
    Title {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
        /// Empty: nothing
        title: String,
    },
    /// An operator acts no more: his passwords and certificates go, his code and name stay
    End {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
    },
    /// An operator may nothing for a time: his passwords, second factors and sessions go
    Suspend {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
    },
    /// An operator who was suspended acts again, with the roles that he had
    Resume {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
    },
    /// Make a mail-program password of an operator, and print it: it is shown this once
    Password {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
        /// What he calls it: the program, the device; it stands in evidence of what is read
        #[arg(long = "name", value_name = "NAME")]
        program: String,
        /// How dispatches are opened with it [default: as the account opens]
        #[arg(long, value_enum)]
        opening: Option<Opening>,
        #[arg(long)]
        json: bool,
    },
    /// Register a signing certificate (PEM or DER) as an operator's own
    Certificate {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// His code, as 001
        code: String,
        file: PathBuf,
    },
}

/// What an operator is for (docs/operators.md has the table).
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Role {
    /// Hazırlar: prepares drafts, hands them to who signs
    Prepares,
    /// İmzalar, onaylar: signs what is sent, returns what is not to be signed
    Signs,
    /// Gönderir: hands messages in
    Sends,
    /// Okur: reads and files
    Reads,
    /// Denetler: sees what was done, and everybody's tasks
    Audits,
    /// Tam yetkili: all of it, and who is an operator
    Full,
}

#[derive(Debug, Subcommand)]
pub enum Handover {
    /// Hand a held message or a draft to an operator who may sign
    To {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// The provider's id of a held message, or a draft's Message-ID without its brackets
        message: String,
        /// To whom: his code, as 002
        to: String,
        /// Which operator of the account does so [default: its holder]
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Return what waits for a signature, with a reason; it stands in the drafts then
    Return {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its number in `kep account handover list`
        id: i64,
        #[arg(long)]
        reason: String,
        /// Which operator of the account does so [default: its holder]
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// List what waits for a signature
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// What was signed, returned, released or lapsed, too
        #[arg(long)]
        all: bool,
        /// Behind this number
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Task {
    /// List what is to be done
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// What this operator is to do, or may
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
        /// What is done or lapsed, too
        #[arg(long)]
        all: bool,
        /// Behind this number
        #[arg(long, value_name = "ID", default_value_t = 0)]
        after: i64,
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Close a task that only people can tell is done: what came back unsigned
    Done {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its number in `kep account task list`
        id: i64,
    },
}
