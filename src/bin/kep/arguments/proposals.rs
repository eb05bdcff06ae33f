//! What one of the staff proposed over the API and another one decides.

use super::{Conf, Who};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Proposal {
    /// List proposals, the newest first
    List {
        #[command(flatten)]
        conf: Conf,
        /// Those that are so only: open, done, refused, withdrawn
        #[arg(long)]
        state: Option<String>,
        /// Those before this number only
        #[arg(long, value_name = "NUMBER")]
        before: Option<i64>,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Approve a proposal of another member of staff: it is done now
    Approve {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep proposal list`
        id: i64,
        #[arg(long)]
        json: bool,
    },
    /// Refuse a proposal; who made it takes it back
    Refuse {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep proposal list`
        id: i64,
        /// Why it is not done
        #[arg(long)]
        reason: String,
        #[arg(long)]
        json: bool,
    },
}
