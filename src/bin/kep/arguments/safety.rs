//! What is said of backups, of what a holder takes with him, and of what an authority has kept.

use super::{Conf, Who};
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Backup {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// Folder of the backup; it is made when it is not there
    pub dir: PathBuf,
    /// Make nothing: read every generation and compare it with its digests
    #[arg(long, conflicts_with = "keep")]
    pub verify: bool,
    /// Make nothing: list the generations
    #[arg(long, conflicts_with_all = ["keep", "verify"])]
    pub list: bool,
    /// So many generations stay, the oldest go [default: all stay]
    #[arg(long, value_name = "N")]
    pub keep: Option<std::num::NonZeroU16>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Restore {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// Folder of the backup
    pub dir: PathBuf,
    /// The data folder to make, instead of data.dir of the configuration; rows of PostgreSQL go to the
    /// database that the configuration names all the same
    #[arg(long, value_name = "DATA")]
    pub to: Option<PathBuf>,
    /// An older generation, as `kep backup DIR --list` shows them
    #[arg(long, value_name = "NAME")]
    pub generation: Option<String>,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// An approver, who is asked for as soon as there is staff
    #[arg(long, value_name = "NAME")]
    pub second: Option<String>,
    /// File with the second one's password, and nothing else; without it, it is asked for
    #[arg(long, value_name = "FILE", requires = "second")]
    pub second_password_file: Option<PathBuf>,
    pub address: String,
    /// The file to make; one that is there stays as it is
    #[arg(value_name = "FILE.zip")]
    pub file: PathBuf,
    /// All accounts of the person or institution that this one is of: FILE.zip is a folder to make, in which each
    /// account has a file of its own
    #[arg(long)]
    pub every_account: bool,
    #[arg(long)]
    pub json: bool,
}

/// The other one of two who act.
#[derive(Clone, Debug, Args)]
pub struct Second {
    /// The second member of staff
    #[arg(long, value_name = "NAME")]
    pub second: String,
    /// File with the second one's password, and nothing else; without it, it is asked for
    #[arg(long, value_name = "FILE")]
    pub second_password_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Hold {
    /// From now on nothing of an account is erased, whoever removes it
    Place {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        second: Second,
        address: String,
        /// Only what it has of this message
        #[arg(long, value_name = "ID")]
        message: Option<String>,
        /// Who asks for it and why: the authority, the file number
        #[arg(long)]
        reason: String,
        #[arg(long)]
        json: bool,
    },
    /// End a hold; what was removed meanwhile and nothing else keeps is erased
    Release {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        second: Second,
        /// Its number in `kep hold list`
        id: i64,
        /// Why it ends
        #[arg(long)]
        reason: String,
    },
    /// List the holds, those in force first
    List {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
}
