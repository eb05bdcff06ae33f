//! A line that a person types unseen. The terminal shows again what is typed, however the line ends:
//! who is interrupted at the question leaves it as he found it.

use std::io::{self, IsTerminal};
use std::process::{Command, Stdio};
use std::task::Poll;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// A line from standard input, which a script may pipe.
pub async fn ask(prompt: &str) -> io::Result<String> {
    if !io::stdin().is_terminal() {
        eprint!("{prompt}");
        return line();
    }
    // Before the terminal falls silent: from here on they end nothing by themselves.
    let mut ends = Ends::take()?;
    let quiet = Quiet::begin();
    eprint!("{prompt}");
    let (tell, told) = oneshot::channel();
    // Nobody waits for this thread: a terminal that says nothing holds up no end.
    std::thread::spawn(move || tell.send(line()));
    tokio::select! {
        line = told => {
            // Nothing gives signals their own ends back: from now on it is said here.
            tokio::spawn(async move { std::process::exit(ends.any().await) });
            line.unwrap_or_else(|_| Err(io::ErrorKind::Interrupted.into()))
        }
        ended = ends.any() => {
            drop(quiet);
            std::process::exit(ended)
        }
    }
}

fn line() -> io::Result<String> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// Signals that end a program, each with the code a shell gives that.
struct Ends(Vec<(Signal, i32)>);

impl Ends {
    fn take() -> io::Result<Self> {
        let ends = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
        ];
        let take =
            |kind: SignalKind| -> io::Result<_> { Ok((signal(kind)?, 128 + kind.as_raw_value())) };
        Ok(Self(ends.into_iter().map(take).collect::<io::Result<_>>()?))
    }

    /// The code of the first that comes.
    async fn any(&mut self) -> i32 {
        std::future::poll_fn(|context| {
            let mut ends = self.0.iter_mut();
            let came =
                ends.find_map(|(it, code)| it.poll_recv(context).is_ready().then_some(*code));
            came.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

/// The terminal doesn't show what is typed, by stty(1); it does again when this is dropped.
struct Quiet {
    quiet: bool,
}

impl Quiet {
    fn begin() -> Self {
        let quiet = stty("-echo");
        if !quiet {
            eprint!("(it will be seen) ");
        }
        Self { quiet }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        if self.quiet {
            stty("echo");
            eprintln!();
        }
    }
}

fn stty(word: &str) -> bool {
    let mut command = Command::new("stty");
    command.arg(word).stdin(Stdio::inherit()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
