//! `kep directory` and `kep account contact`.

use super::{Acting, Conf, Who};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub enum Directory {
    /// Ask the directory for an account: by a person's or company's name or number, or whose an address is
    Query(Box<DirectoryQuery>),
    /// Whether each of many addresses is in the directory (toplu kontrol)
    Check(Box<DirectoryCheck>),
    /// Whether and by what a natural person may be found
    #[command(subcommand)]
    Consent(Consent),
    /// Who asked what kind of question, by which keys, and how much was told
    Log {
        #[command(flatten)]
        conf: Conf,
        /// Of this account only
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        /// How many, the newest first
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// What the central directory has still to hear
    #[command(subcommand)]
    Push(Push),
}

#[derive(Debug, Args)]
pub struct DirectoryCheck {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// The account that asks: each address counts as an entry that it was told
    #[arg(long = "for", value_name = "ADDRESS")]
    pub account: String,
    /// Those of this kind alone count: person (bireysel), company (tüzel) or public (kamu)
    #[arg(long)]
    pub kind: Option<String>,
    /// A file of addresses, one a line; empty lines and those that begin with # are passed over
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// KEP addresses
    #[arg(required_unless_present = "file")]
    pub addresses: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct DirectoryQuery {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// person (bireysel), company (tüzel), public (kamu), or address: whose an address is
    pub kind: String,
    /// The account that asks: its questions are counted and noted
    #[arg(long = "for", value_name = "ADDRESS")]
    pub account: String,
    /// Given names, whole
    #[arg(long)]
    pub given: Option<String>,
    /// Surname, whole
    #[arg(long)]
    pub family: Option<String>,
    /// Words of a company's or public body's title, or their beginnings
    #[arg(long)]
    pub title: Option<String>,
    /// Hizmet alma şekli: both or receive
    #[arg(long)]
    pub service: Option<String>,
    /// İl
    #[arg(long)]
    pub province: Option<String>,
    /// İlçe
    #[arg(long)]
    pub district: Option<String>,
    /// A part of the address
    #[arg(long)]
    pub street: Option<String>,
    /// A phone number, whole
    #[arg(long)]
    pub phone: Option<String>,
    /// A part of the line of business
    #[arg(long)]
    pub activity: Option<String>,
    /// MERSİS no
    #[arg(long)]
    pub mersis: Option<String>,
    /// VKN
    #[arg(long)]
    pub tax_number: Option<String>,
    /// Ticaret sicil no
    #[arg(long)]
    pub registry_number: Option<String>,
    /// DETSİS no
    #[arg(long)]
    pub detsis: Option<String>,
    /// A KEP address
    #[arg(long)]
    pub address: Option<String>,
    /// T.C. kimlik no and the like: decides between several that the other keys leave
    #[arg(long)]
    pub identity: Option<String>,
    /// Put what is found into the account's address book
    #[arg(long)]
    pub save: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Consent {
    /// What a person agreed to, and what others see of him
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Record what a person agrees to; what isn't named is not agreed to
    Set {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Onay: stand in the directory at all
        #[arg(long)]
        listed: bool,
        /// Hesabım bireysel sorgulama ile bulunabilsin
        #[arg(long, requires = "listed")]
        findable: bool,
        /// What others may ask by and see: given, family, service, district, province, address, phone; and
        /// signature: seen alone (imza doğrulama verisi)
        #[arg(long, value_delimiter = ',')]
        fields: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub enum Push {
    /// List it, with what was heard the last time
    List {
        #[command(flatten)]
        conf: Conf,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try all of it now
    Retry(Acting),
}

#[derive(Debug, Subcommand)]
pub enum Contact {
    /// List contacts, or those in which each word of --search stands
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// Words of names, organisations, addresses, phones and notes, however they are written
        #[arg(long, default_value = "", hide_default_value = true)]
        search: String,
        /// Of this group only
        #[arg(long)]
        group: Option<String>,
        /// Behind the contact of this UID
        #[arg(long, value_name = "UID")]
        after: Option<String>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Add a contact
    Add(Box<ContactAdd>),
    /// Change what a contact says; what isn't named stays
    Change(Box<ContactChange>),
    /// Show a contact, by its UID or KEP address
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        contact: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Take a contact away
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        contact: String,
    },
    /// Take contacts in from a file of vCards or a CSV sheet; what is bad is told, the others go in
    Import {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        file: PathBuf,
        /// [default: what the file looks like]
        #[arg(long, value_enum)]
        format: Option<ContactFormat>,
        /// Show what would become of it, and change nothing. Each 200 entries are tried alone: what is twice
        /// in a larger file, or in a group there, is told as if it were not
        #[arg(long)]
        dry_run: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print all contacts, or those of a group
    Export {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// vcard, or csv for Excel
        #[arg(long, value_enum, default_value_t = ContactFormat::Vcard)]
        format: ContactFormat,
        /// Of this group only
        #[arg(long)]
        group: Option<String>,
        /// Cells of a sheet stand between commas; without it between semicolons, as Excel wants them in
        /// Turkey
        #[arg(long)]
        comma: bool,
    },
    /// Groups of contacts
    #[command(subcommand)]
    Group(ContactGroup),
}

#[derive(Debug, Args)]
pub struct ContactAdd {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// The account whose address book it is
    pub address: String,
    /// How the contact is called, if not by given names and surname
    #[arg(long = "name", value_name = "NAME", default_value = "", hide_default_value = true)]
    pub called: String,
    /// Given names
    #[arg(long, default_value = "", hide_default_value = true)]
    pub given: String,
    /// Surname
    #[arg(long, default_value = "", hide_default_value = true)]
    pub family: String,
    /// Company or institution
    #[arg(long, default_value = "", hide_default_value = true)]
    pub organisation: String,
    /// What the contact does there
    #[arg(long, default_value = "", hide_default_value = true)]
    pub title: String,
    /// KEP address; may be given several times
    #[arg(long)]
    pub kep: Vec<String>,
    /// Address of ordinary mail; may be given several times
    #[arg(long)]
    pub email: Vec<String>,
    /// Phone number; may be given several times
    #[arg(long)]
    pub phone: Vec<String>,
    /// Mobile number; may be given several times
    #[arg(long)]
    pub mobile: Vec<String>,
    /// A note of your own
    #[arg(long, default_value = "", hide_default_value = true)]
    pub note: String,
    /// Made where there is none; may be given several times
    #[arg(long)]
    pub group: Vec<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ContactChange {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// The account whose address book it is
    pub address: String,
    /// The contact's UID or KEP address
    pub contact: String,
    /// How the contact is called; empty: by given names and surname
    #[arg(long = "name", value_name = "NAME")]
    pub called: Option<String>,
    /// Given names; empty: none
    #[arg(long)]
    pub given: Option<String>,
    /// Surname; empty: none
    #[arg(long)]
    pub family: Option<String>,
    /// Company or institution; empty: none
    #[arg(long)]
    pub organisation: Option<String>,
    /// What the contact does there; empty: nothing
    #[arg(long)]
    pub title: Option<String>,
    /// KEP addresses in place of all there are; may be given several times; empty: none
    #[arg(long)]
    pub kep: Vec<String>,
    /// Addresses of ordinary mail, likewise
    #[arg(long)]
    pub email: Vec<String>,
    /// Phone numbers, likewise
    #[arg(long)]
    pub phone: Vec<String>,
    /// Mobile numbers, likewise
    #[arg(long)]
    pub mobile: Vec<String>,
    /// A note of your own; empty: none
    #[arg(long)]
    pub note: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum ContactFormat {
    Vcard,
    Csv,
}

#[derive(Debug, Subcommand)]
pub enum ContactGroup {
    /// List groups
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a group
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        group: String,
    },
    /// Give a group another name
    Rename {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        group: String,
        #[arg(value_name = "NAME")]
        new: String,
    },
    /// Take a group away; its contacts stay
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        group: String,
    },
    /// Put a contact into a group
    Join {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        group: String,
        /// Its UID or KEP address
        contact: String,
    },
    /// Take a contact out of a group
    Leave {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        group: String,
        /// Its UID or KEP address
        contact: String,
    },
}
