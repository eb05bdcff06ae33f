//! One file a command.

mod account;
mod account_notice;
mod address;
mod api;
mod api_token;
mod app_password;
mod application;
mod archive;
mod audit;
mod authority;
mod backup;
mod bar;
mod check;
mod closing;
mod contact;
mod credentials;
mod credit;
mod decided;
pub mod dev;
mod directory;
mod directory_check;
mod evidence;
mod export;
mod figures;
mod forms;
mod fsck;
mod hold;
mod holding;
mod http;
mod label;
mod message;
mod notice;
mod operators;
mod policy;
mod portal;
mod preferences;
mod proposal;
mod provider;
mod queue;
mod quiet;
mod restore;
mod said;
mod seal;
mod serve;
pub mod show;
mod sockets;
mod staff;
mod tasks;
mod tending;
mod vault;
mod verify;
mod workshop;

use crate::arguments::{self, Arguments, Command, Dev};
use crate::demo;
use crate::failure::{Failure, Outcome};
use crate::settings;
use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub fn run(arguments: Arguments) -> Outcome {
    match arguments.command {
        Command::Serve(conf) => wait(serve::run(&conf.conf)),
        Command::Dev(Dev::Init(init)) => wait(dev::init(&init)),
        Command::Dev(Dev::Tsa(tsa)) => wait(serve::authority_alone(&tsa.conf.conf)),
        Command::Check(check) => wait(check::run(&check)),
        Command::Account(account) => wait(account::run(account)),
        Command::Application(application) => wait(application::run(application)),
        Command::Address(address) => wait(address::run(address)),
        Command::Credit(credit) => wait(credit::run(credit)),
        Command::Label(label) => wait(label::run(label)),
        Command::Directory(directory) => wait(directory::run(directory)),
        Command::Provider(provider) => wait(provider::run(provider)),
        Command::Queue(queue) => wait(queue::run(queue)),
        Command::Notice(notice) => wait(notice::run(notice)),
        Command::Message(message) => wait(message::run(message)),
        Command::Evidence(evidence) => wait(evidence::run(evidence)),
        Command::Demo(demo) => wait(demo::run(&demo)),
        Command::Fsck(fsck) => wait(fsck::run(&fsck)),
        Command::Backup(backup) => wait(backup::run(&backup)),
        Command::Restore(restore) => wait(restore::run(&restore)),
        Command::Hold(hold) => wait(hold::run(hold)),
        Command::Proposal(proposal) => wait(proposal::run(proposal)),
        Command::Seal(seal) => seal::run(&seal),
        Command::Vault(vault) => wait(vault::run(vault)),
        Command::Authority(authority) => wait(authority::run(authority)),
        Command::Staff(staff) => wait(staff::run(staff)),
        Command::Policy(policy) => wait(policy::run(policy)),
        Command::Audit(audit) => wait(audit::run(audit)),
        Command::Api(api) => api::run(&api),
        Command::Verify(verify) => wait(verify::run(&verify)),
        Command::Conf(file) => {
            show::write(&if file.reference { settings::page() } else { settings::sample() })?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Completion { shell } => {
            arguments::complete(shell);
            Ok(ExitCode::SUCCESS)
        }
        Command::Man { dir } => manual(dir.as_deref()),
    }
}

fn manual(folder: Option<&Path>) -> Outcome {
    match folder {
        Some(folder) => arguments::manuals(folder).map_err(|error| {
            Failure::cannot_create(format!("{}: {error}", folder.display()))
                .hint("the folder must be there, and be yours to write")
        })?,
        None => {
            let page = arguments::manual().map_err(Failure::software)?;
            show::write(&String::from_utf8_lossy(&page))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn wait(work: impl Future<Output = Outcome>) -> Outcome {
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    let runtime = threads.max_blocking_threads(BLOCKING).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::software(format!("runtime: {error}")))?;
    let outcome = runtime.block_on(work);
    // A thread that hangs on a disk or a token keeps no process alive.
    runtime.shutdown_timeout(LAST_MOMENT);
    outcome
}

/// Threads that read rows and files, check passwords, sign and look names up. The seats for that are some
/// 26; without a bound each hurry would leave more threads, and the memory that each keeps.
const BLOCKING: usize = 48;
const LAST_MOMENT: Duration = Duration::from_secs(5);
