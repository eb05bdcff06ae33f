//! `kep label`: what the labels of an account are called, and their colours.

use super::{Conf, Who};
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum Label {
    /// List an account's labels: those that were named, and those that its messages bear
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Make a label
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        name: String,
        /// Its colour, `#RRGGBB`
        #[arg(long, value_name = "COLOUR")]
        colour: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Give a label another name; messages keep it
    Rename {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its name or its key
        label: String,
        name: String,
    },
    /// Give a label another colour
    Colour {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its name or its key
        label: String,
        /// `#RRGGBB`, or `none`
        colour: String,
    },
    /// Take a label off all messages, and away
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its name or its key
        label: String,
    },
}
