//! Whose accounts are, applications for them, their states and contracts.

use super::proposals::PAGE;
use super::{Conf, Opening, Signature, Who};
use clap::{Args, Subcommand, ValueEnum, value_parser};
use std::path::PathBuf;

/// Bireysel, tüzel, kamu.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Kind {
    /// Bireysel: a natural person
    Person,
    /// Tüzel: a company, an association, a foundation
    Company,
    /// Kamu: a public body
    Public,
}

/// Hizmet alma şekli.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ServiceType {
    /// Gönderici/alıcı: sends and receives
    Both,
    /// Alıcı: receives only
    Receive,
}

/// Whose an account is; which of these belong to which kind, the answer says.
#[derive(Clone, Default, Debug, Args)]
pub struct HolderOptions {
    /// Kind of the holder
    #[arg(long, value_enum)]
    pub kind: Option<Kind>,
    /// Ad, of a person
    #[arg(long, value_name = "NAMES")]
    pub given_names: Option<String>,
    /// Soyad, of a person
    #[arg(long, value_name = "NAME")]
    pub surname: Option<String>,
    /// Uyruk, of a person: two letters of ISO 3166-1 [default: TR]
    #[arg(long, value_name = "CODE")]
    pub nationality: Option<String>,
    /// T.C. kimlik no, as in the holder's qualified certificate
    #[arg(long, value_name = "NO")]
    pub identity_number: Option<String>,
    /// Yabancı kimlik no, of a person who is no citizen
    #[arg(long, value_name = "NO")]
    pub foreigner_number: Option<String>,
    /// Pasaport no, of a person
    #[arg(long, value_name = "NO")]
    pub passport: Option<String>,
    /// Baba adı, of a person
    #[arg(long, value_name = "NAME")]
    pub father: Option<String>,
    /// Doğum yeri, of a person
    #[arg(long, value_name = "PLACE")]
    pub birth_place: Option<String>,
    /// Doğum tarihi, of a person: 1980-01-31
    #[arg(long, value_name = "DATE")]
    pub birth_date: Option<String>,
    /// Unvan, of a company or a public body
    #[arg(long)]
    pub title: Option<String>,
    /// Vergi kimlik no, of a company or a public body
    #[arg(long, value_name = "NO")]
    pub vkn: Option<String>,
    /// MERSİS no, of a company
    #[arg(long, value_name = "NO")]
    pub mersis: Option<String>,
    /// Ticaret sicil no, of a company
    #[arg(long, value_name = "NO")]
    pub trade_registry: Option<String>,
    /// Ticaret sicil müdürlüğü, of a company
    #[arg(long, value_name = "OFFICE")]
    pub registry_office: Option<String>,
    /// DETSİS no, of a public body
    #[arg(long, value_name = "NO")]
    pub detsis: Option<String>,
    /// Ana faaliyet alanı, of a company or a public body
    #[arg(long, value_name = "FIELD")]
    pub activity: Option<String>,
}

/// How a holder is reached.
#[derive(Clone, Default, Debug, Args)]
pub struct ContactOptions {
    /// Adres: street and number; with district and province
    #[arg(long)]
    pub street: Option<String>,
    /// İlçe
    #[arg(long)]
    pub district: Option<String>,
    /// İl
    #[arg(long)]
    pub province: Option<String>,
    /// Posta kodu
    #[arg(long, value_name = "CODE")]
    pub postal_code: Option<String>,
    /// Ülke: two letters of ISO 3166-1 [default: TR]
    #[arg(long, value_name = "CODE")]
    pub country: Option<String>,
    /// Telefon
    #[arg(long, value_name = "NUMBER")]
    pub phone: Option<String>,
    /// Cep telefonu
    #[arg(long, value_name = "NUMBER")]
    pub mobile: Option<String>,
    /// E-posta, outside KEP
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
}

/// More of `kep account`.
#[derive(Debug, Subcommand)]
pub enum Holding {
    /// Show whose an account is; with options, record it or correct it
    Holder {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        #[command(flatten)]
        holder: HolderOptions,
        #[arg(long)]
        json: bool,
    },
    /// Show how a holder is reached; with options, change it: an empty text takes a part away
    #[command(name = "contact-details")]
    Contact {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        #[command(flatten)]
        contact: ContactOptions,
        /// Every version that was in force, the newest first
        #[arg(long)]
        history: bool,
        #[arg(long)]
        json: bool,
    },
    /// Show to whom invoices go; with options, set it
    Invoice {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Unvan, or the name of a person
        #[arg(long, requires = "tax_number")]
        title: Option<String>,
        /// VKN, or the T.C. kimlik no of a person
        #[arg(long, value_name = "NO", requires = "title")]
        tax_number: Option<String>,
        /// Vergi dairesi
        #[arg(long, value_name = "OFFICE")]
        tax_office: Option<String>,
        #[command(flatten)]
        contact: ContactOptions,
        /// Forget it
        #[arg(long, conflicts_with = "title")]
        remove: bool,
        #[arg(long)]
        json: bool,
    },
    /// Suspend an account: it is read and receives, it does not send
    Suspend {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Why, in a line
        #[arg(long)]
        reason: String,
    },
    /// Go on with a suspended account
    Resume {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
    },
    /// Show the terms of an account's contract
    Contract {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Renew the contract, from the end of the term in force
    Renew {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Months of the new term [default: the policy contract.months]
        #[arg(long, value_name = "N")]
        months: Option<u32>,
        #[arg(long)]
        json: bool,
    },
    /// A holder's wish to close his account
    #[command(subcommand)]
    Closing(Closing),
}

#[derive(Debug, Subcommand)]
pub enum Closing {
    /// Record the wish, and sign its receipt
    Request {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Why, in a line
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long)]
        json: bool,
    },
    /// Withdraw the wish before it completes
    Withdraw {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
    },
    /// Close now what was asked to be closed
    Complete {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
    },
    /// Show the requests of an account, the newest first
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Write the newest receipt as closing-N.txt and closing-N.txt.p7s; sign it where that had to wait
    Receipt {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// Folder to write to
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: PathBuf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // one a process
pub enum Application {
    /// Take an application in: its address is kept for it
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// The address that is applied for; of a closed account of the same holder, to reopen it
        address: String,
        #[command(flatten)]
        holder: HolderOptions,
        #[command(flatten)]
        contact: ContactOptions,
        #[arg(long, value_enum, default_value_t = ServiceType::Both)]
        service: ServiceType,
        #[arg(long, value_enum, default_value_t = Opening::Sealed)]
        opening: Opening,
        /// [default: the policy signature.default, or else accept.signature of the configuration]
        #[arg(long, value_enum)]
        signature: Option<Signature>,
        /// Months of the first term [default: the policy contract.months]
        #[arg(long, value_name = "N")]
        months: Option<u32>,
        /// A paper that is there, and where it is filed: identity, contract, signed-contract, registry,
        /// activity, circular, operators, authorisation; may be given several times
        #[arg(long, value_name = "KIND[=REFERENCE]")]
        paper: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// List applications, the newest first
    List {
        #[command(flatten)]
        conf: Conf,
        /// created, checked, seconded, approved, activated, refused or withdrawn
        #[arg(long)]
        stage: Option<String>,
        /// Only those before this number
        #[arg(long, value_name = "ID")]
        before: Option<i64>,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = value_parser!(u16).range(PAGE))]
        limit: u16,
        #[arg(long)]
        json: bool,
    },
    /// Show an application, its papers and who did what
    Show {
        #[command(flatten)]
        conf: Conf,
        /// Its number in `kep application list`
        id: i64,
        #[arg(long)]
        json: bool,
    },
    /// The papers are there and were looked at
    Check {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep application list`
        id: i64,
        /// A paper that came since
        #[arg(long, value_name = "KIND[=REFERENCE]")]
        paper: Vec<String>,
        #[arg(long)]
        json: bool,
    },
    /// Approve: two different members of staff do
    Approve {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep application list`
        id: i64,
        #[arg(long)]
        json: bool,
    },
    /// Refuse, with a reason
    Refuse {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep application list`
        id: i64,
        /// Why, in a line
        #[arg(long)]
        reason: String,
        /// Nobody gets the address: it would be taken for somebody else's
        #[arg(long)]
        block_address: bool,
        #[arg(long)]
        json: bool,
    },
    /// Open the account of an approved application; its password is asked for, or read from --password-file
    Activate {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep application list`
        id: i64,
        /// The account's password
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// The applicant withdraws
    Withdraw {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        /// Its number in `kep application list`
        id: i64,
        /// Why, in a line
        #[arg(long, default_value = "")]
        reason: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Address {
    /// Addresses that somebody of that name could have, in the letters of addresses, as far as they are free
    #[command(group(clap::ArgGroup::new("called").required(true).args(["surname", "title"])))]
    Propose {
        #[command(flatten)]
        conf: Conf,
        /// Ad, of a person
        #[arg(long, value_name = "NAMES", requires = "surname")]
        given_names: Option<String>,
        /// Soyad, of a person
        #[arg(long, value_name = "NAME")]
        surname: Option<String>,
        /// Unvan, of a company or a public body
        #[arg(long)]
        title: Option<String>,
        /// How many
        #[arg(long, default_value_t = 5)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Whose the institutions' sub-domains are, and what is in them
    SubDomain {
        #[command(flatten)]
        conf: Conf,
        /// `ornek` for ornek.hsNN.kep.tr; all without it
        label: Option<String>,
        #[arg(long)]
        json: bool,
    },
    /// Free a sub-domain in which no account lives and for which no application is under way
    Release {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        label: String,
        #[arg(long)]
        reason: String,
    },
}
