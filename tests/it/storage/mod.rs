//! The storage, the same tests on both drivers. PostgreSQL is a private server of Debian's package;
//! where that is not installed, its half is skipped and says so.

mod api;
mod audit;
mod backup;
mod bed;
mod compaction;
mod contacts;
mod contents;
mod credentials;
mod credits;
mod directory;
mod evidence;
mod faults;
mod fsck;
mod gather;
mod holders;
mod holds;
mod jobs;
mod labels;
mod lists;
mod logins;
mod mail;
mod memory;
mod migrating;
mod notices;
mod postgres;
mod relay;
mod server;
mod signin;
mod smsc;
mod spool;
mod submissions;
mod threads;
mod trash;
mod units;

pub use bed::{NOW, on_both};
