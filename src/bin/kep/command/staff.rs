//! `kep staff`: the provider's own people; and who of them gives a command.

use super::said::done;
use super::{quiet, show};
use crate::arguments::{Staff as Arguments, Who};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::audit::{Actor, By, Channel};
use kep::registry::staff::{self, Member, StaffError, StaffRole};
use kep::store::Store;
use kep::trust::Clock;
use kep::trust::password::Passwords;
use kep::wire::Timestamp;
use secrecy::SecretString;
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, who, member, display, role, password_file } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (by, roles) = (managing(&store, &who).await?, roles(&role)?);
            let secret = secret(password_file.as_deref(), "Password of the new member: ").await?;
            let added = staff::add(&store, &by, &member, &display, &roles, &secret).await;
            let Member { name, .. } = added.map_err(failure)?;
            done(&format!("{name} is staff"))
        }
        Arguments::List { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = staff::list(&store).await.map_err(failure)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Roles { conf, who, member, role } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let (by, roles) = (managing(&store, &who).await?, roles(&role)?);
            staff::set_roles(&store, &by, &member, &roles).await.map_err(failure)?;
            done(&format!("{member} has other roles"))
        }
        Arguments::Password { conf, who, member, password_file } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let file = password_file.as_deref();
            if who.name.as_deref() == Some(member.as_str()) {
                own_password(&store, &who, &member, file).await?;
                return done(&format!("{member} has a new password"));
            }
            let by = managing(&store, &who).await?;
            let secret = secret(file, "New password: ").await?;
            staff::give_password(&store, &by, &member, &secret).await.map_err(failure)?;
            done(&format!("{member} has a new password, and sets another one before acting"))
        }
        Arguments::End { conf, who, member } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = managing(&store, &who).await?;
            staff::end(&store, &by, &member).await.map_err(failure)?;
            done(&format!("{member} is staff no longer"))
        }
    }
}

/// Who gives this command: the member of staff that is named, once his password proves him; else
/// whoever is logged in at this machine, by that name.
pub async fn by(store: &Store, who: &Who) -> Outcome<By> {
    let machine = of_machine();
    Ok(match &who.name {
        Some(_) => {
            By { actor: Actor::Staff(proven(store, who, machine.at).await?.name), ..machine }
        }
        None => machine,
    })
}

/// Whoever is logged in at this machine.
pub fn of_machine() -> By {
    let actor = Actor::Staff(format!("{}@localhost", at_machine()));
    By { actor, channel: Channel::CommandLine, at: Clock::System.now() }
}

/// The same for what only a member of staff with this role may do. Before there is any staff, whoever
/// holds the machine may.
pub async fn by_role(store: &Store, who: &Who, role: StaffRole) -> Outcome<By> {
    let by = by(store, who).await?;
    allowed(store, &by, role).await?;
    Ok(by)
}

async fn own_password(store: &Store, who: &Who, name: &str, file: Option<&Path>) -> Outcome<()> {
    let old = secret(who.staff_password_file.as_deref(), "Your password: ").await?;
    let new = secret(file, "New password: ").await?;
    let passwords = Passwords::new(1).map_err(Failure::software)?;
    let when = (Channel::CommandLine, Clock::System.now());
    let set = staff::set_own_password(store, &passwords, name, (&old, &new), when).await;
    set.map_err(failure)
}

async fn managing(store: &Store, who: &Who) -> Outcome<By> {
    by_role(store, who, StaffRole::Manager).await
}

async fn allowed(store: &Store, by: &By, role: StaffRole) -> Outcome<()> {
    if !staff::any(store).await.map_err(failure)? {
        return Ok(());
    }
    let found = match &by.actor {
        Actor::Staff(name) => staff::find(store, name).await.map_err(failure)?,
        Actor::System(_) | Actor::Person { .. } => None,
    };
    let may = found.is_some_and(|member| member.may(role));
    may.then_some(()).ok_or_else(|| {
        Failure::refused(format!("this asks for a member of staff who is {}", role.word()))
            .hint("--as NAME says who you are; `kep staff list` shows who may")
    })
}

async fn proven(store: &Store, who: &Who, now: Timestamp) -> Outcome<Member> {
    let name = who.name.as_deref().unwrap_or_default();
    let secret = secret(who.staff_password_file.as_deref(), "Your password: ").await?;
    let passwords = Passwords::new(1).map_err(Failure::software)?;
    staff::prove(store, &passwords, name, &secret, now).await.map_err(failure)
}

/// Who is logged in, through sudo too.
fn at_machine() -> String {
    let named = ["SUDO_USER", "LOGNAME", "USER"].into_iter().filter_map(|v| std::env::var(v).ok());
    let sound = |name: &String| {
        !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_graphic())
    };
    let user = named.into_iter().find(sound);
    user.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

async fn secret(file: Option<&Path>, prompt: &str) -> Outcome<SecretString> {
    if let Some(path) = file {
        return wire_up::secret(path);
    }
    let line = quiet::ask(prompt).await.map_err(|e| Failure::usage(format!("no password: {e}")))?;
    Ok(SecretString::from(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn roles(words: &[String]) -> Outcome<Vec<StaffRole>> {
    let role = |word: &String| {
        StaffRole::parse(word).ok_or_else(|| {
            let all: Vec<_> = StaffRole::ALL.iter().map(|role| role.word()).collect();
            Failure::usage(format!("{word} is no role")).hint(all.join(", "))
        })
    };
    words.iter().map(role).collect()
}

pub fn failure(error: StaffError) -> Failure {
    match &error {
        StaffError::Unknown(_) => Failure::not_found(&error).hint("`kep staff list` shows them"),
        StaffError::Rejected => Failure::refused(&error),
        StaffError::PasswordGiven(name) => Failure::refused(&error).hint(format!(
            "`kep staff password {name} --as {name}`, by the password that is known"
        )),
        StaffError::NoManager => Failure::data(&error)
            .hint("`kep staff add NAME --role manager` first, or --role manager with the others"),
        StaffError::Store(_) => Failure::unavailable(&error),
        _ => Failure::data(&error),
    }
}

#[derive(Serialize)]
struct Shown {
    name: String,
    display: String,
    roles: Vec<&'static str>,
    since: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<String>,
    /// Not, where another one set it last.
    own_password: bool,
}

impl Shown {
    fn of(member: &Member) -> Self {
        Self {
            name: member.name.clone(),
            display: member.display.clone(),
            roles: member.roles.iter().map(|role| role.word()).collect(),
            since: member.added_at.iso8601(),
            ended: member.ended_at.map(|at| at.iso8601()),
            own_password: !member.password_given,
        }
    }
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let ended = row.ended.clone().unwrap_or_default();
        vec![row.name.clone(), row.display.clone(), row.roles.join(", "), row.since.clone(), ended]
    });
    let head = ["NAME", "FULL NAME", "ROLES", "SINCE", "ENDED"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no staff yet: `kep staff add`")
}
