//! `kep account notice` and `kep notice`: where people are told outside KEP, and what became of what was
//! to be said.

use super::{Conf, Who};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum AccountNotice {
    /// Add a place where the account is told outside KEP, and send it a code that proves it
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// A mobile number (+905321234567) or an ordinary mail address
        place: String,
        #[command(flatten)]
        wishes: Wishes,
        #[arg(long)]
        json: bool,
    },
    /// List the places of an account
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Prove a place by the code that was sent to it; without a code, send a new one
    Verify {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// A mobile number or a mail address of the account
        place: String,
        /// The six digits
        code: Option<String>,
    },
    /// Change what is told at a place; what is not said stays
    Set {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// A mobile number or a mail address of the account
        place: String,
        #[command(flatten)]
        wishes: Wishes,
    },
    /// Take a place away; what waits for it is not said there
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// A mobile number or a mail address of the account
        place: String,
    },
}

/// What somebody wants to be told, and when.
#[derive(Clone, Debug, Args)]
pub struct Wishes {
    /// What is told there: mail, evidence, unread, credit, storage, certificate, contract, handover,
    /// login, escalation (the last reminder of what is unread); several with commas [default: mail, unread,
    /// handover, login]
    #[arg(long, value_name = "EVENTS", value_delimiter = ',')]
    pub events: Vec<String>,
    /// In which language
    #[arg(long, value_enum)]
    pub language: Option<Tongue>,
    /// Hours in which nobody is woken, by the clock of Turkey, `22:00-08:00`; `none` for none
    #[arg(long, value_name = "HOURS")]
    pub quiet: Option<String>,
    /// The place is a deputy's (vekil), of this name: he is told between --from and --until, of `escalation`
    /// always, and of nothing but that there is something; `none` makes it the holder's own
    #[arg(long, value_name = "NAME")]
    pub deputy: Option<String>,
    /// The first day on which a deputy is told, `2026-12-24`
    #[arg(long, value_name = "DAY", requires = "until")]
    pub from: Option<String>,
    /// The last such day
    #[arg(long, value_name = "DAY", requires = "from")]
    pub until: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Tongue {
    Tr,
    En,
}

#[derive(Debug, Subcommand)]
pub enum Notice {
    /// The newest notices, and what became of them
    List {
        #[command(flatten)]
        conf: Conf,
        /// Only those in this state: waiting, sending, sent, joined, failed, withdrawn
        #[arg(long, value_name = "STATE")]
        state: Option<String>,
        /// Only those of this account
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// One notice, with the receipts of its parts
    Show {
        #[command(flatten)]
        conf: Conf,
        /// Its number in `kep notice list`
        id: i64,
        #[arg(long)]
        json: bool,
    },
    /// Try one that waits, or that failed, again now
    Retry {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep notice list`
        id: i64,
    },
}
