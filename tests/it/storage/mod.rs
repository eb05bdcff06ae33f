//! The storage, the same tests on both drivers. PostgreSQL is a private server of Debian's package;
//! where that is not installed, its half is skipped and says so.

mod audit;
mod backup;
mod bed;
mod compaction;
mod contacts;
mod contents;
mod credits;
mod directory;
mod evidence;
mod faults;
mod fsck;
mod gather;
mod handovers;
mod holds;
mod jobs;
mod labels;
mod lists;
mod logins;
mod mail;
mod memory;
mod migrating;
mod notices;
mod operators;
mod postgres;
mod relay;
mod server;
mod smsc;
mod spool;
mod submissions;
mod threads;
mod trash;
mod units;

pub use bed::{NOW, on_both};
