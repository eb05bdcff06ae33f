//! What is said of the master key, of authorities' requests, and of what people set for themselves.

use super::proposals::PAGE;
use super::{Conf, Who};
use clap::{Args, Subcommand, ValueEnum, value_parser};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Vault {
    /// Make the master key of a new provider, in the file that vault.master_key names
    Init {
        #[command(flatten)]
        conf: Conf,
    },
    /// Add a generation: a running server takes it within seconds, and seals all anew under it
    Rotate {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
    },
    /// Seal anew what older generations sealed, now; it may be stopped and said again
    Reseal {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Show how many rows each generation seals
    Status {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Take a generation that seals nothing any more out of the file; the server must not run
    Retire {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number, as `kep vault status` shows it
        generation: u8,
    },
}

#[derive(Debug, Subcommand)]
pub enum Archive {
    /// Stamp all evidence now, whether or not it is time
    Stamp {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Prove that the stamps hold and that all evidence is what they are over
    Verify {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Extent {
    /// Mails alone
    Mails,
    /// Evidence alone
    Evidence,
    /// Both
    All,
}

#[derive(Debug, Args)]
pub struct NewRequest {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// The account it is about
    pub address: String,
    /// Who asks: the court, the prosecutor, the ministry
    #[arg(long)]
    pub authority: String,
    /// The authority's file number
    #[arg(long, value_name = "NO")]
    pub file: String,
    /// By which law, or which decision
    #[arg(long)]
    pub basis: String,
    #[arg(long, value_enum, default_value_t = Extent::All)]
    pub scope: Extent,
    /// The first day, in Turkey: 2026-01-31
    #[arg(long, value_name = "DAY")]
    pub from: String,
    /// The last day
    #[arg(long, value_name = "DAY")]
    pub until: String,
    /// The authority's certificate for encryption (PEM or DER): nobody else reads the export
    #[arg(long, value_name = "FILE")]
    pub certificate: PathBuf,
    #[arg(long, default_value = "")]
    pub note: String,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Authority {
    /// Enter a request; another member of staff approves it
    Request(NewRequest),
    /// Approve a request that another member of staff entered
    Approve {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep authority list`
        id: i64,
        /// What was compared: the paper, its signature, the certificate's fingerprint
        #[arg(long)]
        reason: String,
    },
    /// Refuse a request that another member of staff entered
    Refuse {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep authority list`
        id: i64,
        #[arg(long)]
        reason: String,
    },
    /// Write what was approved: FILE is encrypted for the authority alone (CMS EnvelopedData around a ZIP),
    /// FILE.p7s is the provider's seal with a time stamp over the ZIP
    Export {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep authority list`
        id: i64,
        /// The file to make; one that is there stays as it is
        #[arg(value_name = "FILE.p7m")]
        file: PathBuf,
        #[arg(long)]
        json: bool,
    },
    /// List the requests, what was decided and what was handed out, the newest first
    List {
        #[command(flatten)]
        conf: Conf,
        /// Those before this number only
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u16).range(PAGE))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Setting {
    /// Show the settings of an account's holder, or of one of its operators
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// The operator's code
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Set one of them
    Set {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its name, as `show` lists it
        key: String,
        value: String,
        /// The operator's code
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
    },
}
