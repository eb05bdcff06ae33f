//! Submits the letter: the pure dialogue of `deliver`, driven over one TLS connection.

use super::connection::{Connection, Trust};
use super::provider::Person;
use crate::failure::{Failure, Outcome};
use kep::deliver::dialogue::{self, BodyForm, Dialogue, Mail, Next, Report, Tls, To};
use kep::wire::KepAddress;
use kep::wire::smtp::DotStuffer;
use secrecy::SecretString;
use std::io;

/// Says the provider's identifier of the message.
pub async fn submit(
    port: u16,
    trust: &Trust,
    sender: &Person,
    to: &KepAddress,
    letter: &[u8],
) -> Outcome<String> {
    let mail = Mail {
        helo: "localhost".to_owned(),
        from: Some(sender.address.clone()),
        recipients: vec![To::plain(to.clone())],
        size: letter.len() as u64,
        eight_bit: !letter.is_ascii(),
        smtputf8: false,
        requiretls: false,
        ret: None,
        envid: None,
    };
    let login = (sender.address.to_string(), SecretString::from(sender.password.clone()));
    let dialogue = Dialogue::new(mail, Tls::Established, Some(login));
    let report = converse(port, trust, dialogue, letter).await;
    accepted(report.map_err(|error| {
        Failure::unavailable(format!("submission to port {port}: {error}"))
            .hint(super::server::SEE_LOG)
    })?)
}

async fn converse(
    port: u16,
    trust: &Trust,
    mut dialogue: Dialogue,
    letter: &[u8],
) -> io::Result<Report> {
    let mut connection = Connection::open(port, trust).await?;
    loop {
        match dialogue.next() {
            Next::Read => match connection.read().await {
                Ok(octets) => dialogue.feed(&octets),
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => dialogue.lost(),
                Err(error) => return Err(error),
            },
            Next::Send(octets) => connection.write(&octets).await?,
            Next::SendBody(form) => {
                connection.write(&on_the_wire(letter, form)).await?;
                dialogue.body_sent();
            }
            Next::StartTls => return Err(io::Error::other("TLS is there already")),
            Next::Done(report) => {
                connection.close().await;
                return Ok(report);
            }
        }
    }
}

fn accepted(report: Report) -> Outcome<String> {
    let refused = |why: String| {
        Failure::unavailable(format!("the provider did not take the message: {why}"))
            .hint("a refusal costs nothing; its text says what is wrong with the mail")
    };
    match report.recipients.into_iter().next() {
        Some((_, dialogue::Outcome::Accepted(reply))) => {
            let text = reply.text();
            let id = text.split_whitespace().next().unwrap_or_default();
            Ok(id.trim_matches(['<', '>']).to_owned())
        }
        Some((_, dialogue::Outcome::Refused(reply))) => {
            Err(refused(format!("{} {}", reply.code(), reply.text())))
        }
        Some((_, dialogue::Outcome::Failed(failure))) => Err(refused(failure.to_string())),
        _ => Err(refused("no answer about the recipient".to_owned())),
    }
}

fn on_the_wire(letter: &[u8], form: BodyForm) -> Vec<u8> {
    if form == BodyForm::Plain {
        return letter.to_vec();
    }
    let (mut stuffer, mut out) = (DotStuffer::default(), Vec::with_capacity(letter.len() + 64));
    stuffer.stuff(letter, &mut out);
    stuffer.finish(&mut out);
    out
}
