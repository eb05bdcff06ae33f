//! What an account is opened with, and what is set later.

use super::{Conf, ContactOptions, HolderOptions, Opening, ServiceType, Signature, Switch, Who};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub struct AddAccount {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    pub address: String,
    /// Name of the holder, where no --kind says whose it is
    #[arg(
        long = "name",
        id = "called",
        value_name = "NAME",
        required_unless_present = "kind",
        conflicts_with = "kind"
    )]
    pub name: Option<String>,
    #[command(flatten)]
    pub holder: HolderOptions,
    #[command(flatten)]
    pub contact: ContactOptions,
    #[arg(long, value_enum, default_value_t = ServiceType::Both)]
    pub service: ServiceType,
    /// Months of the first term, of a holder who is known [default: the policy contract.months]
    #[arg(long, value_name = "N", requires = "kind")]
    pub months: Option<u32>,
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Signing certificate (PEM or DER); may be given several times
    #[arg(long, value_name = "FILE")]
    pub certificate: Vec<PathBuf>,
    #[arg(long, value_enum, default_value_t = Opening::Sealed)]
    pub opening: Opening,
    /// [default: the policy signature.default, or else accept.signature of the configuration]
    #[arg(long, value_enum)]
    pub signature: Option<Signature>,
}

#[derive(Debug, Args)]
pub struct SetAccount {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    pub address: String,
    #[arg(long, value_enum)]
    pub opening: Option<Opening>,
    #[arg(long, value_enum)]
    pub signature: Option<Signature>,
    /// `10 GiB`, or `default`: the policy storage.* of its kind of holder, or else mailbox.max_storage
    #[arg(long, value_name = "SIZE")]
    pub storage: Option<String>,
    /// A mailbox `Etiketler/NAME` for each label, for programs that know no tags
    #[arg(long, value_enum)]
    pub label_mailboxes: Option<Switch>,
    /// Hizmet alma şekli
    #[arg(long, value_enum)]
    pub service: Option<ServiceType>,
    /// Whether the e-seal of a company or a public body may sign, where the policy e-seal.allowed lets any
    #[arg(long, value_enum)]
    pub e_seal: Option<Switch>,
}
