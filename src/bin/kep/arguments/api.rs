//! `kep api`, and the tokens of those who ask it.

use super::{Conf, Who};
use clap::Subcommand;

#[derive(Clone, Debug, Subcommand)]
pub enum Api {
    /// Print the OpenAPI 3.1 document of the JSON API
    Openapi,
    /// List the error codes of the JSON API, in Turkish and English
    Errors {
        #[arg(long)]
        json: bool,
        /// As the page docs/api-errors.md
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
    },
    /// List what a token may be used for
    Scopes {
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum ApiToken {
    /// Make a token, and print it: it is shown this once
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// The account whose token it is
        #[arg(required_unless_present = "staff", conflicts_with = "staff")]
        address: Option<String>,
        /// The member of staff whose token it is; it reads no mail
        #[arg(long, value_name = "NAME")]
        staff: Option<String>,
        /// What its owner calls it: the program, the office
        #[arg(long = "name", value_name = "TEXT")]
        called: String,
        /// What it may be used for, several with commas (`kep api scopes`); `all` for whatever its owner
        /// may do
        #[arg(long = "scope", value_delimiter = ',', required = true)]
        scopes: Vec<String>,
        /// After how many days it ends
        #[arg(long, default_value_t = 365)]
        days: u16,
        #[arg(long)]
        json: bool,
    },
    /// List tokens, without themselves
    List {
        #[command(flatten)]
        conf: Conf,
        /// The account whose tokens they are [default: those of the staff]
        address: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Take a token away; the next request with it is refused
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its id: the first group of its letters
        #[arg(long)]
        id: String,
        /// The account whose token it is [default: it is one of the staff's]
        address: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use crate::arguments::Arguments;
    use clap::CommandFactory;
    use kep::portal::api::operations;
    use std::collections::BTreeSet;

    const PAGE: &str = include_str!("../../../../docs/api.md");

    /// Each command that does something, by all its words.
    fn leaves(command: &clap::Command, words: &str, found: &mut BTreeSet<String>) {
        let below: Vec<_> =
            command.get_subcommands().filter(|one| one.get_name() != "help").collect();
        if below.is_empty() {
            found.insert(words.to_owned());
        }
        for one in below {
            leaves(one, format!("{words} {}", one.get_name()).trim(), found);
        }
    }

    /// The cells of the table of commands and operations.
    fn rows() -> Vec<[&'static str; 3]> {
        let part = PAGE.split("\n## Commands and operations\n").nth(1).unwrap();
        let part = part.split("\n## ").next().unwrap();
        let lines = part.lines().filter(|line| line.starts_with("| `")).skip(1);
        let cells = |line: &'static str| {
            let mut cells = line.trim_matches('|').split('|').map(str::trim);
            [0; 3].map(|_| cells.next().unwrap_or_default())
        };
        lines.map(cells).collect()
    }

    fn quoted(cell: &str) -> Vec<&str> {
        cell.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn each_command_has_its_operation_or_the_reason_why_there_is_none() {
        let (mut there, mut told) = (BTreeSet::new(), BTreeSet::new());
        leaves(&Arguments::command(), "", &mut there);
        for [command, operations, why] in rows() {
            let (group, rest) = command.trim_start_matches('`').split_once('`').unwrap();
            let words = rest.split(',').map(str::trim).filter(|word| !word.is_empty());
            let mut names: Vec<_> = words.map(|word| format!("{group} {word}")).collect();
            if names.is_empty() {
                names.push(group.to_owned());
            }
            for name in names {
                assert!(told.insert(name.clone()), "{name} has two rows");
            }
            assert!(
                !operations.is_empty() || !why.is_empty(),
                "{command}: no operation, no reason"
            );
        }
        assert_eq!(told, there, "docs/api.md, Commands and operations");
    }

    #[test]
    fn each_operation_of_that_table_is_one() {
        let known: BTreeSet<_> = operations().iter().map(|one| one.id).collect();
        for [command, operations, _] in rows() {
            for id in quoted(operations) {
                assert!(known.contains(id), "{command}: {id} is no operation");
            }
        }
    }
}
