//! `kep account credit` and `kep credit`: what accounts have, what was bought, the proof of all sums.

use super::{Conf, Who};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An account's credits; or one of the commands below.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct AccountCredit {
    #[command(subcommand)]
    pub act: Option<CreditAct>,
    #[command(flatten)]
    pub conf: Conf,
    /// Show what this account has, and its latest entries
    pub address: Option<String>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum CreditAct {
    /// Put credits into an account that were bought; by the same reference it is done once
    TopUp {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// How many
        amount: i64,
        #[command(flatten)]
        why: Why,
    },
    /// Set an account right, by more or by less; another member of staff approves
    Correct {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// How many more, or fewer: `5`, `-3`
        #[arg(allow_negative_numbers = true)]
        amount: i64,
        #[command(flatten)]
        why: Why,
        /// Member of staff who approves it; not the one who asks for it
        #[arg(long, value_name = "NAME")]
        approved_by: String,
        /// File with the approver's password, and nothing else; without it, it is asked for
        #[arg(long, value_name = "FILE")]
        approver_password_file: Option<PathBuf>,
    },
    /// List the entries of an account, the newest first
    History {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// Before the entry of this number
        #[arg(long, value_name = "N")]
        before: Option<i64>,
        /// So many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
}

/// What an entry tells of its cause.
#[derive(Debug, Args)]
pub struct Why {
    /// Credits for what
    #[arg(long, value_enum, default_value_t = Unit::Messages)]
    pub unit: Unit,
    /// Why; people read it for years
    #[arg(long)]
    pub reason: String,
    /// Name of the payment or ticket elsewhere
    #[arg(long)]
    pub reference: String,
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Unit {
    Messages,
    Sms,
}

#[derive(Debug, Subcommand)]
pub enum Credit {
    /// Go through every entry and prove all sums: 0 proven, 1 not
    Audit {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// What a message would cost now
    Quote {
        #[command(flatten)]
        conf: Conf,
        /// Size of the message as it is handed in, in octets or as `5 MiB`
        size: String,
        /// Addresses of its recipients
        #[arg(required = true)]
        recipients: Vec<String>,
        #[arg(long)]
        json: bool,
    },
}
