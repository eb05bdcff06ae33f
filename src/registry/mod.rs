//! Who: accounts, operators, credentials, credits, labels, contacts, directory, providers, and the
//! policies that hold for them.

pub mod accounts;
pub mod accounts_found;
pub mod addresses;
pub mod api_tokens;
pub mod app_passwords;
pub mod applications;
pub mod audit;
pub mod authority;
pub mod budget;
pub mod caretaker;
pub mod closings;
pub mod codes;
pub mod contacts;
pub mod contracts;
pub mod credentials;
pub mod credits;
pub mod crowd;
pub mod declared;
pub mod directory;
pub mod export;
pub mod handovers;
pub mod holders;
pub mod holds;
pub mod holidays;
pub mod labels;
pub mod legal;
pub mod lists;
pub mod login;
pub mod mta_sts;
pub mod notices;
pub mod operators;
pub mod outbox;
pub mod peers;
pub mod places;
pub mod policy;
pub mod proposals;
pub mod providers;
pub mod queue;
pub mod read_policy;
mod reopening;
pub mod resealing;
pub mod route;
pub mod sessions;
pub mod settings;
pub mod shares;
pub mod signin;
pub mod staff;
pub mod standing;
pub mod sub_domains;
pub mod tasks;
pub mod terms;
mod texts;

pub use accounts::{
    Access, Account, AccountState, CertificateUse, NewAccount, OpeningMode, RegistryError,
    SignatureRule,
};
pub use app_passwords::AppPassword;
pub use peers::{Peer, PeerState};
pub use providers::{Provider, Standing};
pub use texts::Texts;
