//! What is said of a list of providers.

use super::Acting;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct Import {
    #[command(flatten)]
    pub conf: Acting,
    /// A file, or a URL
    #[arg(value_name = "FILE|URL")]
    pub place: String,
    /// What it must be [default: with --signer a trusted list, else whichever of them it is]
    #[arg(long, value_enum)]
    pub kind: Option<ListKind>,
    /// Whose signature is believed under a list of that kind (PEM); may be given several times
    /// [default: those of lists.signers, or lists.csi_signers]
    #[arg(long, value_name = "CERT")]
    pub signer: Vec<PathBuf>,
    /// Weigh the list that is held once more, after something was changed by hand
    #[arg(long)]
    pub again: bool,
    /// Show it, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[arg(long)]
    pub json: bool,
}

/// What a list of providers may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ListKind {
    /// ETSI TS 119 612
    TrustedList,
    /// CSI.xml of EN 319 532-4: what a provider says of itself
    Csi,
}
