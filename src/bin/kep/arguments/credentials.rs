//! `kep account app-password`, `totp`, `passkey`, `session`, `two-factors`, `unlock`: what a person logs in by, and where
//! he is logged in.

use super::{Conf, Opening, Switch, Who};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use kep::registry::accounts::CertificateUse;
use kep::registry::app_passwords::Scope;
use std::path::PathBuf;

/// A door that a generated password is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Door {
    /// Sending mail
    Smtp,
    /// Reading mail
    Imap,
}

impl Door {
    pub fn scope(self) -> Scope {
        match self {
            Self::Smtp => Scope::Smtp,
            Self::Imap => Scope::Imap,
        }
    }
}

/// What a registered certificate is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Use {
    /// It signs mail, and logins to the portal
    Sign,
    /// A mail program shows it to log in; it signs nothing
    Login,
    Both,
}

impl Use {
    pub fn registered(self) -> CertificateUse {
        match self {
            Self::Sign => CertificateUse::Sign,
            Self::Login => CertificateUse::Login,
            Self::Both => CertificateUse::Both,
        }
    }
}

/// Whose credentials, and who changes them.
#[derive(Debug, Args)]
pub struct Whose {
    #[command(flatten)]
    pub conf: Conf,
    #[command(flatten)]
    pub who: Who,
    /// The account's address
    pub address: String,
}

/// What stands under `kep account` of logging in.
#[derive(Debug, Subcommand)]
pub enum LogIn {
    /// Generated passwords of mail programs
    #[command(subcommand)]
    AppPassword(AppPassword),
    /// An authenticator app, and backup codes
    #[command(subcommand)]
    Totp(Totp),
    /// Passkeys, which are registered in the portal
    #[command(subcommand)]
    Passkey(Passkey),
    /// Where the account is logged in
    #[command(subcommand)]
    Session(Session),
    /// Ask for a second factor behind the password, or not
    TwoFactors {
        #[command(flatten)]
        whose: Whose,
        #[arg(value_enum)]
        switch: Switch,
    },
    /// Let somebody try again who was wrong too often
    Unlock(Whose),
}

#[derive(Debug, Subcommand)]
pub enum Totp {
    /// Begin with an authenticator app: print what it is to scan, and the same to type
    Add {
        #[command(flatten)]
        whose: Whose,
        #[arg(long)]
        json: bool,
    },
    /// The app's first code, read from standard input: from now on it proves; prints the backup codes
    Confirm {
        #[command(flatten)]
        whose: Whose,
        /// File with the code, and nothing else
        #[arg(long, value_name = "FILE")]
        code_file: Option<PathBuf>,
        #[arg(long)]
        json: bool,
    },
    /// Print new backup codes; the old ones are void
    Codes {
        #[command(flatten)]
        whose: Whose,
        #[arg(long)]
        json: bool,
    },
    /// Whether there is an app, and how many backup codes are left
    Show {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Take the app away, and its backup codes with it
    Remove {
        #[command(flatten)]
        whose: Whose,
    },
}

#[derive(Debug, Subcommand)]
pub enum Passkey {
    /// List the passkeys of an account
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Take a passkey away
    Remove {
        #[command(flatten)]
        whose: Whose,
        /// As `list` shows it
        id: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum Session {
    /// List the sessions of an account that last still, the latest first
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// End a session, or all
    #[command(group(ArgGroup::new("which").required(true).args(["id", "all"])))]
    End {
        #[command(flatten)]
        whose: Whose,
        /// As `list` shows it
        id: Option<String>,
        /// All of the account's holder
        #[arg(long)]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub enum AppPassword {
    /// Make a password for a mail program, and print it: it is shown this once
    Add {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// What its owner calls it: the program, the device; it stands in evidence of what is read
        #[arg(long = "name", value_name = "NAME")]
        called: String,
        /// How dispatches are opened with it [default: as the account opens]
        #[arg(long, value_enum)]
        opening: Option<Opening>,
        /// What it is for; several with commas
        #[arg(
            long,
            value_name = "DOORS",
            value_enum,
            value_delimiter = ',',
            default_value = "smtp,imap"
        )]
        scope: Vec<Door>,
        #[arg(long)]
        json: bool,
    },
    /// List the passwords of an account, without themselves
    List {
        #[command(flatten)]
        conf: Conf,
        address: String,
        #[arg(long)]
        json: bool,
    },
    /// Take a password away; who is connected by it is so no more
    Remove {
        #[command(flatten)]
        conf: Conf,
        #[command(flatten)]
        who: Who,
        address: String,
        /// Its id: the first group of its letters
        id: String,
    },
}
