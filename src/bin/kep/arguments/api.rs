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
        /// The member of staff whose token it is: who gives the command (--as), no other; it reads no mail
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
