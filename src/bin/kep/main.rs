//! `kep`: the server, its administration and its verifier.

mod api_doors;
mod arguments;
mod command;
mod demo;
mod door;
mod failure;
mod settings;
mod texts;
mod wire_up;

use clap::Parser;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match arguments::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return arguments::refuse(&error),
    };
    match command::run(arguments) {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}
