//! How commands print: a line for people, or JSON for machines.

use crate::failure::{Failure, Outcome};
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// Prints JSON, or what `text` makes of the value.
pub fn print<T: Serialize>(json: bool, value: &T, text: impl FnOnce(&T) -> String) -> Outcome {
    let out = match json {
        true => serde_json::to_string_pretty(value).map_err(Failure::software)? + "\n",
        false => text(value),
    };
    write(&out)?;
    Ok(ExitCode::SUCCESS)
}

/// Prints to stdout; a reader that has seen enough (`| head`) is no error.
pub fn write(text: &str) -> Outcome<()> {
    let mut out = std::io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::io(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Columns as wide as their longest cell. Says `empty` when there are no rows.
pub fn table(head: &[&str], rows: &[Vec<String>], empty: &str) -> String {
    if rows.is_empty() {
        return format!("{empty}\n");
    }
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let all: Vec<&Vec<String>> = std::iter::once(&head).chain(rows).collect();
    let width = |column: usize| {
        all.iter().filter_map(|row| row.get(column)).map(|c| c.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    all.into_iter().map(line).collect()
}
