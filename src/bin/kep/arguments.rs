//! The command line. Scripts rely on it: more may come, nothing goes.

mod account;
mod administration;
mod api;
mod credentials;
mod credit;
mod directory;
mod holders;
mod keeping;
mod labels;
mod lists;
mod notices;
mod operators;
mod proposals;
mod safety;

pub use account::{AddAccount, SetAccount};
pub use administration::{Acting, Audit, Policy, Staff, Who};
pub use api::{Api, ApiToken};
pub use credentials::{AppPassword, Door, LogIn, Passkey, Session, Totp, Use, Whose};
pub use credit::{AccountCredit, Credit, CreditAct, Unit, Why};
pub use directory::{
    Consent, Contact, ContactAdd, ContactChange, ContactFormat, ContactGroup, Directory,
    DirectoryCheck, DirectoryQuery, Push,
};
pub use holders::{
    Address, Application, Closing, ContactOptions, HolderOptions, Holding, Kind, ServiceType,
};
pub use keeping::{Archive, Authority, Extent, NewRequest, Setting, Vault};
pub use labels::Label;
pub use lists::{Import, ListKind};
pub use notices::{AccountNotice, Notice, Tongue, Wishes};
pub use operators::{Handover, Operator, Role as OperatorRole, Task};
pub use proposals::Proposal;
pub use safety::{Backup, Export, Hold, Restore, Second};

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A registered-mail provider (KEP hizmet sağlayıcı): submission, certifying relay, evidence, IMAP.
#[derive(Debug, Parser)]
#[command(name = "kep", version, about, max_term_width = 100, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything the configuration names; prints `kep: ready` when it serves
    Serve(Conf),
    /// Let a message travel: submission, dispatch, delivery, opening, evidence, verification
    Demo(Demo),
    /// A provider for development
    #[command(subcommand)]
    Dev(Dev),
    /// Read configuration, keys, certificates, storage and clock; say everything that is wrong
    Check(Check),
    /// Accounts
    #[command(subcommand)]
    Account(Account),
    /// Applications for accounts
    #[command(subcommand)]
    Application(Application),
    /// Addresses that can be given
    #[command(subcommand)]
    Address(Address),
    /// Credits (kontör): the proof of all sums, and prices
    #[command(subcommand)]
    Credit(Credit),
    /// Labels of an account
    #[command(subcommand)]
    Label(Label),
    /// The directory (KEP Rehberi): who is found, and by whom
    #[command(subcommand)]
    Directory(Directory),
    /// Other providers
    #[command(subcommand)]
    Provider(Provider),
    /// Mail on its way to other providers
    #[command(subcommand)]
    Queue(Queue),
    /// What people were to be told outside KEP, and what became of it
    #[command(subcommand)]
    Notice(Notice),
    /// Messages and how far they came
    #[command(subcommand)]
    Message(Message),
    /// Evidence
    #[command(subcommand)]
    Evidence(Evidence),
    /// The seal: the key that signs evidence and dispatches
    #[command(subcommand)]
    Seal(Seal),
    /// The master key, which encrypts contents at rest
    #[command(subcommand)]
    Vault(Vault),
    /// The provider's own people
    #[command(subcommand)]
    Staff(Staff),
    /// What the provider decides and the law may change: since when, why, by whom
    #[command(subcommand)]
    Policy(Policy),
    /// The JSON API: its document, its errors
    #[command(subcommand)]
    Api(Api),
    /// What was done and by whom, and the proof that nothing of it was changed
    #[command(subcommand)]
    Audit(Audit),
    /// Prove evidence, a dispatch or an evidence mail, offline
    Verify(Verify),
    /// Prove that rows, blobs and evidence agree and that nothing accepted is invisible
    Fsck(Fsck),
    /// Copy rows and contents to another folder, beside the running server; only what is new is copied
    Backup(Backup),
    /// Make the data folder anew from a backup, and examine it
    Restore(Restore),
    /// Keep what an authority asks to be kept: two of the staff do so
    #[command(subcommand)]
    Hold(Hold),
    /// What one of the staff proposed over the API, decided by another
    #[command(subcommand)]
    Proposal(Proposal),
    /// What authorities ask for (makam talebi): entered by one of the staff, approved by another
    #[command(subcommand)]
    Authority(Authority),
    /// Print a complete, commented configuration file
    Conf(ConfFile),
    /// Print a completion script for a shell
    Completion { shell: clap_complete::Shell },
    /// Print the manual page, or write one for each command into a folder
    Man {
        /// An existing folder, as /usr/local/share/man/man1: kep.1, kep-queue.1, kep-queue-list.1 …
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
    },
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct Conf {
    /// Configuration file
    #[arg(long, value_name = "FILE", env = "KEP_CONF", default_value = "/etc/kep/kep.toml")]
    pub conf: PathBuf,
}

#[derive(Debug, Args)]
pub struct ConfFile {
    /// Print the reference page of all settings instead (Markdown)
    #[arg(long)]
    pub reference: bool,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Folder for the provider, the mails and the evidence [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Leave the provider running and print the settings for Thunderbird
    #[arg(long)]
    pub keep: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Dev {
    /// Make a working provider in a folder: configuration, keys, certificates, accounts
    Init(DevInit),
    /// Run a time-stamp authority (RFC 3161 over HTTP) with its revocation lists
    Tsa(DevTsa),
}

#[derive(Debug, Args)]
pub struct DevInit {
    /// Folder to make; must be empty or absent
    pub dir: PathBuf,
    /// The provider's domain
    #[arg(long, default_value = "hs05.kep.tr")]
    pub domain: String,
    /// First of eight ports: submission TLS, submission STARTTLS, IMAP TLS, IMAP STARTTLS, relay,
    /// portal, metrics, time-stamp authority
    #[arg(long, value_name = "N", default_value_t = 42_500)]
    pub base_port: u16,
    /// Accounts to open: local parts or addresses; `:qualified` after one gives it a certificate as
    /// Turkish qualified ones are (T.C. kimlik no, no e-mail address)
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "ali.veli,ayse.yilmaz,mehmet.demir:qualified"
    )]
    pub accounts: Vec<String>,
    /// Kind of the seal and time-stamp keys
    #[arg(long, value_enum, default_value_t = Key::P256)]
    pub key: Key,
    /// Accounts open directly (`doğrudan`) instead of by sealed stubs (`kapalı zarf`)
    #[arg(long)]
    pub direct: bool,
    /// The accounts' signature policy
    #[arg(long, value_enum, default_value_t = Signature::Required)]
    pub signature: Signature,
    /// Print what was made as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Key {
    P256,
    Rsa2048,
    Rsa3072,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Signature {
    /// Unsigned mail is refused
    Required,
    /// Unsigned mail waits for its signature
    Hold,
    /// Unsigned mail is accepted
    Optional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Opening {
    /// Kapalı zarf: a stub stands in INBOX until the message is opened
    Sealed,
    /// Doğrudan: the first fetch of content opens
    Direct,
}

#[derive(Debug, Args)]
pub struct DevTsa {
    #[command(flatten)]
    pub conf: Conf,
}

#[derive(Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub conf: Conf,
    /// Print the DNS records that the provider needs, too
    #[arg(long)]
    pub dns: bool,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Fsck {
    #[command(flatten)]
    pub conf: Conf,
    /// Read no blob: only look whether each lies within its segment, and compare rows with each other
    #[arg(long)]
    pub quick: bool,
    /// Before that, remove contents and blobs that nothing refers to and that are older than a day
    #[arg(long)]
    pub repair: bool,
    #[command(flatten)]
    pub who: Who,
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
#[allow(clippy::large_enum_variant)] // one a process
pub enum Account {
    /// Open an account; its password is asked for, or read from --password-file
    Add(AddAccount),
    /// List accounts
    List {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Show an account
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Close an account: it can be read for a time, it neither sends nor receives
    Close {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
    },
    /// Reopen a closed account
    Reopen {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// The number that the holder is known by, as it was checked anew: T.C. or yabancı kimlik no,
        /// passport, VKN, DETSİS
        #[arg(long, value_name = "NO")]
        identity: Option<String>,
    },
    /// Set a new password; every session of the account ends
    Password {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Of this operator, instead of the holder
        #[arg(long, value_name = "CODE")]
        operator: Option<String>,
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Set how dispatches are opened, what signature is asked for, how much the mailboxes may hold
    Set(SetAccount),
    #[command(flatten)]
    Holding(Holding),
    /// Operators (işlem yetkilisi): the persons who act for an account beside its holder
    #[command(subcommand)]
    Operator(Operator),
    /// What waits for a signature: handed to an operator, returned with a reason
    #[command(subcommand)]
    Handover(Handover),
    /// What is to be done: what İşler shows
    #[command(subcommand)]
    Task(Task),
    /// Where the account is told outside KEP, by SMS or ordinary mail
    #[command(subcommand)]
    Notice(AccountNotice),
    #[command(flatten)]
    LogIn(LogIn),
    /// Tokens of the JSON API
    #[command(subcommand)]
    Token(ApiToken),
    /// What an account has of credits (kontör), what it bought, where they went
    Credit(AccountCredit),
    /// An account's address book
    #[command(subcommand)]
    Contact(Contact),
    /// Write all mails and evidence of an account into one file (ZIP) for its holder, with an index and
    /// checksums; of what is unopened no content
    Export(Export),
    /// What a person set for himself: page size, language, text beneath messages
    #[command(subcommand)]
    Settings(Setting),
    /// Register a certificate (PEM or DER), or take one away
    #[command(group(clap::ArgGroup::new("which").required(true).args(["file", "remove"])))]
    Certificate {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        file: Option<PathBuf>,
        /// What it is for
        #[arg(long = "use", value_enum, default_value_t = Use::Both)]
        uses: Use,
        /// Take away the one with this SHA-256 fingerprint
        #[arg(long, value_name = "FINGERPRINT")]
        remove: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

#[derive(Debug, Subcommand)]
pub enum Provider {
    /// Add a provider, or change one that is there
    Add {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
        /// How people know it
        #[arg(long)]
        name: String,
        /// Host and port of its relay [port: 25]; the same as `--route HOST:PORT`
        #[arg(long, required_unless_present = "route", conflicts_with = "route")]
        host: Option<String>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Change what is known of a provider; what is not said stays
    Set {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
        /// How people know it
        #[arg(long)]
        name: Option<String>,
        /// Host and port of its relay [port: 25]; the same as `--route HOST:PORT`
        #[arg(long, conflicts_with = "route")]
        host: Option<String>,
        #[command(flatten)]
        terms: Terms,
        /// From now on nothing is taken that the seal with this SHA-256 fingerprint seals
        #[arg(long, value_name = "FINGERPRINT")]
        withdraw_seal: Vec<String>,
        /// What lists may say again, though it was set by hand: name, host, state, tls, seals, dialect
        #[arg(long, value_name = "PARTS", value_delimiter = ',')]
        leave_to_lists: Vec<String>,
    },
    /// List the providers
    List {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Show a provider
    Show {
        #[command(flatten)]
        conf: Conf,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
        #[arg(long)]
        json: bool,
    },
    /// Take a list of providers that somebody publishes and signs who is believed, and show what it
    /// changes
    Import(Import),
    /// Which lists were taken, where they are fetched, and how that went
    Lists {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
    /// Forget a list that is not to be followed any more: its providers stay as they are, set by hand
    ForgetList {
        #[command(flatten)]
        conf: Acting,
        /// Its name, as `kep provider lists` shows it
        name: String,
    },
    /// Who has which code hsNN, as far as it was published; nothing is trusted by it
    Codes {
        #[arg(long)]
        json: bool,
    },
    /// Exchange nothing with a provider for a time; what is on its way waits, its window runs on
    Suspend {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
    },
    /// Go on with a provider that was suspended or closed
    Resume {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
    },
    /// A provider has ceased to serve: what waits for it fails, its senders get evidence of that
    Close {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
    },
    /// Remove a provider that nothing waits for; `close` it first when something does
    Remove {
        #[command(flatten)]
        conf: Acting,
        /// Its domain: hsNN.kep.tr, or the mail domain of a provider elsewhere
        domain: String,
    },
}

/// How mail is exchanged with a provider.
#[derive(Clone, Debug, Args)]
pub struct Terms {
    /// Where its relay is: `mx`, the mail exchangers of its domain, or host and port [port: 25]
    #[arg(long, value_name = "mx|HOST:PORT")]
    pub route: Option<String>,
    /// By what its server is known. `pin:SHA256` is `--tls-pin`, `ca:FILE` is `--tls-ca`; `dane`: by the
    /// TLSA records of its signed zone (RFC 7672); `mta-sts`: by its policy (RFC 8461), which must say
    /// `enforce`. Without a secure answer, or a policy in force, nothing is sent. Several pins may be given
    #[arg(long, value_name = "pin:SHA256|ca:FILE|dane|mta-sts", conflicts_with_all = ["tls_pin", "tls_ca"])]
    pub tls: Vec<String>,
    /// SHA-256 of its server's key (SubjectPublicKeyInfo) or certificate, in hexadecimal; may be given
    /// several times, these take the place of those before
    #[arg(long, value_name = "SHA256", conflicts_with = "tls_ca")]
    pub tls_pin: Vec<String>,
    /// Issuers of its server's certificate (PEM), which names the host
    #[arg(long, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// A seal certificate (PEM or DER), beside those that are there; may be given several times
    #[arg(long, value_name = "FILE")]
    pub seal: Vec<PathBuf>,
    /// SHA-256 of the certificate, or of its key, that it shows when it connects to us; may be given
    /// several times, these take the place of those before; `none`: it need not show one
    #[arg(long, value_name = "SHA256")]
    pub client_pin: Vec<String>,
    /// In which standard's XML its dispatches and evidence are; `both` attaches both to one mail
    /// [default: ts102640]
    #[arg(long, value_enum)]
    pub dialect: Option<Dialect>,
    /// The largest dispatch it takes, `25 MiB`; `none` when it names no limit
    #[arg(long, value_name = "SIZE")]
    pub size_limit: Option<String>,
    /// A domain, beside its own, that its users have addresses under, of a provider outside the circuit; may
    /// be given several times, these take the place of those before; `none`: no others
    #[arg(long, value_name = "DOMAIN")]
    pub user_domain: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Dialect {
    /// ETSI TS 102 640-2
    Ts102640,
    /// ETSI EN 319 522
    En319522,
    Both,
}

/// A standard that evidence is written by.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum OneDialect {
    /// ETSI TS 102 640-2 v2
    Ts102640,
    /// ETSI EN 319 522
    En319522,
}

impl From<OneDialect> for kep::wire::rem::Dialect {
    fn from(one: OneDialect) -> Self {
        match one {
            OneDialect::Ts102640 => Self::Ts102640,
            OneDialect::En319522 => Self::En319522,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Queue {
    /// What waits, those longest first, and which providers it waits for, are held or not well
    List {
        #[command(flatten)]
        conf: Conf,
        /// Only what is for this provider
        #[arg(long, value_name = "DOMAIN")]
        provider: Option<String>,
        /// No more mails than so many
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Show one mail and whom it waits for
    Show {
        #[command(flatten)]
        conf: Conf,
        /// Its number in `kep queue list`
        id: i64,
        #[arg(long)]
        json: bool,
    },
    /// Try again: one mail, by its number, as soon as its server is well; all of a provider, by its
    /// domain, now
    Retry {
        #[command(flatten)]
        conf: Acting,
        /// A number in `kep queue list`, or a provider's domain
        which: String,
        #[arg(long)]
        json: bool,
    },
    /// Send nothing: one mail, by its number, or nothing to a provider, by its domain. The window for
    /// dispatches runs on
    Hold {
        #[command(flatten)]
        conf: Acting,
        /// A number in `kep queue list`, or a provider's domain
        which: String,
        #[arg(long)]
        json: bool,
    },
    /// Go on with what is held
    Release {
        #[command(flatten)]
        conf: Acting,
        /// A number in `kep queue list`, or a provider's domain
        which: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Message {
    /// The newest messages
    List {
        #[command(flatten)]
        conf: Conf,
        /// Only those this account sent
        #[arg(long, value_name = "ADDRESS")]
        account: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// One message and its recipients
    Show {
        #[command(flatten)]
        conf: Conf,
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// What happened to a message, in order
    Timeline {
        #[command(flatten)]
        conf: Conf,
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// Put what an account has of a message in its trash back to where it was
    Restore {
        #[command(flatten)]
        conf: Acting,
        id: String,
        #[arg(long, value_name = "ADDRESS")]
        account: String,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// The newest evidence, or that of one message
    List {
        #[command(flatten)]
        conf: Conf,
        #[arg(long, value_name = "ID")]
        message: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// Archive time stamps, which prove all evidence after its own certificates ended
    #[command(subcommand)]
    Archive(Archive),
    /// Print one evidence
    Show {
        #[command(flatten)]
        conf: Conf,
        id: String,
        /// As this dialect has it, where it was written in more than one
        #[arg(long, value_enum)]
        dialect: Option<OneDialect>,
        #[arg(long)]
        json: bool,
    },
    /// Write the XML of one evidence, or of a message's, with the material that validates it; in a
    /// further dialect as `….DIALECT.xml` beside the first
    Export {
        #[command(flatten)]
        conf: Conf,
        /// An evidence id or a message id
        id: String,
        /// Folder to write to
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub enum Seal {
    /// Make the key in the token that [seal.pkcs11] names, and print the request for its certificate
    Generate {
        #[command(flatten)]
        conf: Conf,
        #[arg(long, value_enum, default_value_t = Key::P256)]
        key: Key,
        /// Write a development certificate to seal.certificate instead: an authority in PEM, its key
        /// beside it as NAME.key (as in secrets/registers of `kep dev init`)
        #[arg(long, value_name = "PEM")]
        dev_ca: Option<PathBuf>,
    },
    /// Show the certificate, and prove that the key belongs to it
    Show {
        #[command(flatten)]
        conf: Conf,
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub struct Verify {
    /// Evidence XML, dispatches or evidence mails
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Anchors: a folder with seal-ca.pem, tsa-ca.pem, user-ca.pem (as `kep dev init` makes), and
    /// what is known of revocation: *.crl, *.ocsp
    #[arg(long, value_name = "DIR")]
    pub trust: Option<PathBuf>,
    /// The original message, to compare with
    #[arg(long, value_name = "EML")]
    pub original: Option<PathBuf>,
    /// Our own provider: compare with the originals, evidence and revocation material kept there
    #[arg(long, value_name = "FILE")]
    pub conf: Option<PathBuf>,
    #[arg(long)]
    pub json: bool,
}

/// Prints what clap found wrong; usage errors end with 64, help and version with 0.
pub fn refuse(error: &clap::Error) -> ExitCode {
    // Where even that can't be printed, the code still tells.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS }
}

pub fn complete(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Arguments::command(), "kep", &mut std::io::stdout());
}

/// The page of `kep` itself.
pub fn manual() -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::command()).render(&mut page)?;
    Ok(page)
}

/// A page for each command.
pub fn manuals(folder: &Path) -> std::io::Result<()> {
    clap_mangen::generate_to(Arguments::command(), folder)
}
