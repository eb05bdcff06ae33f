//! `kep account totp`, `passkey`, `session`, `two-factors`, `unlock`.

use super::said::{done, parse, registry};
use super::{quiet, show, staff};
use crate::arguments::{LogIn, Passkey, Session, Switch, Totp, Whose};
use crate::failure::{Failure, Outcome};
use crate::wire_up;
use kep::registry::accounts;
use kep::registry::audit::By;
use kep::registry::credentials::{self, CredentialError, Owner, passkeys, totp, tries};
use kep::registry::sessions;
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::trust::Clock;
use kep::wire::KepAddress;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: LogIn) -> Outcome {
    match arguments {
        LogIn::AppPassword(arguments) => super::app_password::run(arguments).await,
        LogIn::Totp(arguments) => totp(arguments).await,
        LogIn::Passkey(arguments) => passkey(arguments).await,
        LogIn::Session(arguments) => session(arguments).await,
        LogIn::TwoFactors { whose, switch } => two_factors(&whose, switch).await,
        LogIn::Unlock(whose) => unlock(&whose).await,
    }
}

async fn totp(arguments: Totp) -> Outcome {
    match arguments {
        Totp::Add { whose, json } => {
            let desk = Desk::open(&whose).await?;
            let made = totp::enrol(&desk.store, desk.owner, &desk.provider, &desk.by).await;
            let made = made.map_err(failure)?;
            let (uri, secret) = (made.uri.expose_secret(), made.secret.expose_secret());
            let shown = Enrolled { uri: uri.to_owned(), secret: secret.to_owned() };
            show::print(json, &shown, |shown| {
                format!("{}\n{}\n", shown.uri, shown.secret)
                    + "its first code makes it valid: `kep account totp confirm`\n"
            })
        }
        Totp::Confirm { whose, code_file, json } => {
            let desk = Desk::open(&whose).await?;
            let code = code(code_file.as_deref()).await?;
            let codes = totp::confirm(&desk.store, desk.owner, &code, &desk.by).await;
            print_codes(json, &codes.map_err(failure)?)
        }
        Totp::Codes { whose, json } => {
            let desk = Desk::open(&whose).await?;
            let codes = totp::renew_codes(&desk.store, desk.owner, &desk.by).await;
            print_codes(json, &codes.map_err(failure)?)
        }
        Totp::Show { conf, address, json } => {
            let (store, owner) = reading(&conf.conf, &address).await?;
            let known = totp::known(&store, owner).await.map_err(failure)?;
            let two = credentials::chosen_two(&store, owner).await.map_err(failure)?;
            let since = known.and_then(|known| known.confirmed_at).map(|at| at.iso8601());
            let codes = known.map_or(0, |known| known.backup_codes);
            let state =
                State { app: known.is_some(), since, backup_codes: codes, two_factors: two };
            show::print(json, &state, text)
        }
        Totp::Remove { whose } => {
            let desk = Desk::open(&whose).await?;
            totp::remove(&desk.store, desk.owner, &desk.by).await.map_err(failure)?;
            done(&format!("{} has no authenticator app any more", desk.address))
        }
    }
}

async fn passkey(arguments: Passkey) -> Outcome {
    match arguments {
        Passkey::List { conf, address, json } => {
            let (store, owner) = reading(&conf.conf, &address).await?;
            let all = passkeys::list(&store, owner).await.map_err(failure)?;
            let row = |key: &passkeys::Passkey| ShownPasskey {
                id: key.id.clone(),
                name: key.name.clone(),
                added: key.added_at.iso8601(),
                used: key.used_at.map(|at| at.iso8601()),
            };
            let rows: Vec<_> = all.iter().map(row).collect();
            show::print(json, &rows, |rows| {
                let cells = rows.iter().map(|row| {
                    let used = row.used.clone().unwrap_or_else(|| "never".into());
                    vec![row.id.clone(), row.name.clone(), row.added.clone(), used]
                });
                let cells: Vec<_> = cells.collect();
                show::table(&["ID", "NAME", "ADDED", "USED"], &cells, "no passkeys")
            })
        }
        Passkey::Remove { whose, id } => {
            let desk = Desk::open(&whose).await?;
            let removed = passkeys::remove(&desk.store, desk.owner, &id, &desk.by).await;
            if !removed.map_err(failure)? {
                let what = format!("{} has no passkey {id}", desk.address);
                return Err(Failure::not_found(what).hint("`kep account passkey list` shows them"));
            }
            done(&format!("{} has no longer the passkey {id}", desk.address))
        }
    }
}

async fn session(arguments: Session) -> Outcome {
    match arguments {
        Session::List { conf, address, json } => {
            let (store, owner) = reading(&conf.conf, &address).await?;
            let all = sessions::list(&store, owner.account, Clock::System.now()).await;
            let rows: Vec<_> = all.map_err(failure)?.iter().map(ShownSession::of).collect();
            show::print(json, &rows, |rows| {
                let cells: Vec<_> = rows.iter().map(ShownSession::cells).collect();
                let head = ["ID", "FACTORS", "SINCE", "SEEN", "FROM", "PROGRAM"];
                show::table(&head, &cells, "no sessions")
            })
        }
        Session::End { whose, id: Some(id), .. } => {
            let desk = Desk::open(&whose).await?;
            let ended = sessions::end(&desk.store, desk.owner, &id, &desk.by).await;
            if !ended.map_err(failure)? {
                let what = format!("{} has no session {id}", desk.address);
                return Err(Failure::not_found(what).hint("`kep account session list` shows them"));
            }
            done(&format!("the session {id} has ended"))
        }
        Session::End { whose, .. } => {
            let desk = Desk::open(&whose).await?;
            let ended = sessions::end_all(&desk.store, desk.owner, None, &desk.by).await;
            done(&format!("{} sessions have ended", ended.map_err(failure)?))
        }
    }
}

async fn two_factors(whose: &Whose, switch: Switch) -> Outcome {
    let desk = Desk::open(whose).await?;
    let two = switch == Switch::On;
    credentials::choose_two(&desk.store, desk.owner, two, &desk.by).await.map_err(failure)?;
    done(&match two {
        true => format!("{} is asked for two factors", desk.address),
        false => format!("{} is asked for a password alone, if the policy allows it", desk.address),
    })
}

async fn unlock(whose: &Whose) -> Outcome {
    let desk = Desk::open(whose).await?;
    let unlocked = tries::unlock(&desk.store, desk.owner, &desk.address, &desk.by).await;
    done(&match unlocked.map_err(failure)? {
        true => format!("{} may try again", desk.address),
        false => format!("nothing of {} was locked", desk.address),
    })
}

/// Whose credentials are changed, and by whom.
struct Desk {
    store: Store,
    by: By,
    address: KepAddress,
    owner: Owner,
    provider: String,
}

impl Desk {
    async fn open(whose: &Whose) -> Outcome<Self> {
        let settings = wire_up::settings(&whose.conf.conf)?;
        let store = wire_up::store(&settings).await?;
        let by = staff::by_role(&store, &whose.who, StaffRole::Registrar).await?;
        let address = parse(&whose.address)?;
        let account = accounts::get(&store, &address).await.map_err(registry)?;
        let provider = settings.provider.name.clone();
        Ok(Self { store, by, address, owner: Owner::holder(account.id), provider })
    }
}

async fn reading(conf: &Path, address: &str) -> Outcome<(Store, Owner)> {
    let store = wire_up::store(&wire_up::settings(conf)?).await?;
    let account = accounts::get(&store, &parse(address)?).await.map_err(registry)?;
    Ok((store, Owner::holder(account.id)))
}

async fn code(file: Option<&Path>) -> Outcome<SecretString> {
    if let Some(path) = file {
        return wire_up::secret(path);
    }
    let line = quiet::ask("Code: ").await;
    let line = line.map_err(|error| Failure::usage(format!("no code: {error}")))?;
    Ok(SecretString::from(line.trim().to_owned()))
}

fn print_codes(json: bool, codes: &[SecretString]) -> Outcome {
    let codes: Vec<_> = codes.iter().map(|code| code.expose_secret().to_owned()).collect();
    show::print(json, &codes, |codes| codes.join("\n") + "\n")
}

/// What went wrong, and what can be done about it.
pub fn failure(error: CredentialError) -> Failure {
    match error {
        CredentialError::Registry(error) => registry(error),
        CredentialError::Password(_) => Failure::data(&error)
            .hint("a sentence is easily kept in mind: a few words that nobody says together"),
        CredentialError::TotpThere => {
            Failure::data(&error).hint("`kep account totp remove`, once it is lost")
        }
        CredentialError::NoTotp => Failure::data(&error).hint("`kep account totp add` begins one"),
        CredentialError::Code => Failure::data(&error)
            .hint("six digits, valid for half a minute: the app's clock must be right"),
        CredentialError::Locked(_) => Failure::data(&error).hint("`kep account unlock`"),
        _ => Failure::data(&error).hint("`kep account totp show`, `kep account passkey list`"),
    }
}

#[derive(Serialize)]
struct Enrolled {
    uri: String,
    secret: String,
}

#[derive(Serialize)]
struct State {
    app: bool,
    /// None: its first code was not shown yet.
    #[serde(rename = "confirmed")]
    since: Option<String>,
    backup_codes: i64,
    two_factors: bool,
}

fn text(state: &State) -> String {
    let app = match (&state.since, state.app) {
        (Some(since), _) => format!("an authenticator app, since {since}"),
        (None, true) => "an authenticator app that has not shown its first code".into(),
        (None, false) => "no authenticator app".into(),
    };
    let two = if state.two_factors { "two factors are asked" } else { "a password is enough" };
    format!("{app}\n{} backup codes\n{two}\n", state.backup_codes)
}

#[derive(Serialize)]
struct ShownPasskey {
    id: String,
    name: String,
    added: String,
    used: Option<String>,
}

#[derive(Serialize)]
struct ShownSession {
    id: String,
    /// 0: the holder.
    operator: i64,
    factors: Vec<&'static str>,
    since: String,
    seen: String,
    ends: String,
    from: String,
    program: String,
}

impl ShownSession {
    fn of(session: &sessions::Session) -> Self {
        Self {
            id: session.id.clone(),
            operator: session.owner.operator,
            factors: session.factors().map(sessions::Factor::word).collect(),
            since: session.created_at.iso8601(),
            seen: session.seen_at.iso8601(),
            ends: session.ends_at.iso8601(),
            from: session.address.clone(),
            program: session.agent.clone(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let factors = self.factors.join(", ");
        let words = [&self.id, &factors, &self.since, &self.seen, &self.from, &self.program];
        words.map(Clone::clone).to_vec()
    }
}
