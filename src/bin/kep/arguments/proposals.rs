//! What one of the staff proposed over the API and another one decides.

use super::{Conf, Who};
use clap::{Subcommand, value_parser};
use std::ops::RangeInclusive;

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
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u16).range(PAGE))]
        limit: u16,
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

/// How much of a list is read at once; the next page begins `--before` its last one.
pub const PAGE: RangeInclusive<i64> = 1..=1000;

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;
    use clap::Parser;

    #[test]
    fn a_page_of_a_list_has_an_end() {
        for list in ["proposal", "application", "authority"] {
            let said = |limit| Arguments::try_parse_from(["kep", list, "list", "--limit", limit]);
            assert!(said("1").is_ok() && said("1000").is_ok(), "{list}");
            for limit in ["0", "1001", "18446744073709551615"] {
                assert!(said(limit).is_err(), "{list} {limit}");
            }
        }
    }
}
