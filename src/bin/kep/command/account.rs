//! `kep account`: opening, listing, changing accounts.

use super::credentials::{self, failure};
use super::said::{done, mode, parse, read_certificate, registry, rule, secret};
use super::{holding, show, staff};
use crate::arguments::{Account as Arguments, AddAccount, SetAccount, Switch, Who};
use crate::failure::{Failure, Outcome};
use crate::settings::{Settings, Size};
use crate::wire_up;
use kep::registry::accounts::{self, Account, CertificateUse, NewAccount};
use kep::registry::credentials::{Owner, certificates, passwords};
use kep::registry::shares::{self, Share};
use kep::registry::staff::StaffRole;
use kep::registry::standing::AccountState;
use kep::registry::terms::{self, Terms};
use kep::store::Store;
use kep::trust::{Certificate, Clock};
use kep::wire::{Digest, OperatorCode};
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add(add) => open(add).await,
        Arguments::List { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = accounts::list(&store).await.map_err(registry)?;
            let rows: Vec<_> = all.iter().map(Shown::of).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, address, json } => {
            let settings = wire_up::settings(&conf.conf)?;
            let store = wire_up::store(&settings).await?;
            let account = accounts::get(&store, &parse(&address)?).await.map_err(registry)?;
            let certificates = accounts::certificates(&store, account.id).await;
            let certificates = certificates.map_err(registry)?;
            let whole = Whole {
                account: Shown::of(&account),
                record: holding::record(&store, &account.address).await?,
                storage: usage(&settings, &store, &account).await?,
                certificates: certificates.iter().map(Registered::of).collect(),
            };
            show::print(json, &whole, text)
        }
        Arguments::Close { conf, who, address } => holding::close(&conf.conf, &who, &address).await,
        Arguments::Reopen { conf, who, address, identity } => {
            holding::reopen(&conf.conf, &who, &address, identity.as_deref()).await
        }
        Arguments::Holding(arguments) => holding::run(arguments).await,
        Arguments::Password { conf, who, address, operator, password_file } => {
            let secret = secret(password_file.as_deref()).await?;
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
            let address = parse(&address)?;
            let account = accounts::get(&store, &address).await.map_err(registry)?;
            let owner = match operator {
                None => Owner::holder(account.id),
                Some(code) => super::operators::owner(&store, &address, &code).await?,
            };
            passwords::set(&store, owner, &secret, None, &by).await.map_err(failure)?;
            let whose = OperatorCode::of_number(owner.operator);
            let whose = whose.map(|code| format!("/{code}")).unwrap_or_default();
            done(&format!("{address}{whose} has a new password; its sessions have ended"))
        }
        Arguments::Set(set) => change(set).await,
        Arguments::Credit(arguments) => super::credit::account(arguments).await,
        Arguments::Operator(arguments) => super::operators::run(arguments).await,
        Arguments::Handover(arguments) => super::tasks::handover(arguments).await,
        Arguments::Task(arguments) => super::tasks::task(arguments).await,
        Arguments::Notice(arguments) => super::account_notice::run(arguments).await,
        Arguments::Token(arguments) => super::api_token::run(arguments).await,
        Arguments::Contact(arguments) => super::contact::run(arguments).await,
        Arguments::Export(arguments) => super::export::run(&arguments).await,
        Arguments::Settings(arguments) => super::preferences::run(arguments).await,
        Arguments::LogIn(arguments) => credentials::run(arguments).await,
        Arguments::Certificate { conf, who, address, file: Some(file), uses, .. } => {
            let certificate = read_certificate(&file)?;
            register(&conf.conf, &who, &address, certificate, uses.registered()).await
        }
        Arguments::Certificate { conf, who, address, remove, .. } => {
            take_away(&conf.conf, &who, &address, &remove.unwrap_or_default()).await
        }
    }
}

async fn register(
    conf: &Path,
    who: &Who,
    address: &str,
    certificate: Certificate,
    uses: CertificateUse,
) -> Outcome {
    let subject = certificate.subject().to_owned();
    let store = wire_up::store(&wire_up::settings(conf)?).await?;
    let (address, by) = (parse(address)?, staff::by_role(&store, who, StaffRole::Registrar).await?);
    let owner = Owner::holder(accounts::get(&store, &address).await.map_err(registry)?.id);
    let added = certificates::add(&store, owner, certificate, uses, &by).await;
    added.map_err(failure)?;
    done(&match uses {
        CertificateUse::Login => format!("{address} logs in with {subject}"),
        CertificateUse::Sign | CertificateUse::Both => format!("{address} signs with {subject}"),
    })
}

async fn take_away(conf: &Path, who: &Who, address: &str, fingerprint: &str) -> Outcome {
    let (address, digest) = (parse(address)?, self::fingerprint(fingerprint)?);
    let store = wire_up::store(&wire_up::settings(conf)?).await?;
    let by = staff::by_role(&store, who, StaffRole::Registrar).await?;
    let owner = Owner::holder(accounts::get(&store, &address).await.map_err(registry)?.id);
    let removed = certificates::remove(&store, owner, true, digest, &by).await;
    if !removed.map_err(failure)? {
        let what = format!("{address} has no certificate {fingerprint}");
        return Err(Failure::not_found(what).hint("`kep account show` lists them"));
    }
    done(&format!("{address} has no longer the certificate {fingerprint}"))
}

async fn open(arguments: AddAccount) -> Outcome {
    let AddAccount {
        conf,
        who,
        address,
        name,
        holder,
        contact,
        service,
        months,
        password_file,
        certificate,
        opening,
        signature,
    } = arguments;
    let settings = wire_up::settings(&conf.conf)?;
    let address = parse(&address)?;
    accounts::is_own(&address, &settings.provider.domain).map_err(registry)?;
    let certificates = certificate.iter().map(read_certificate).collect::<Outcome<_>>()?;
    let secret = secret(password_file.as_deref()).await?;
    let (store, at) = (wire_up::store(&settings).await?, Clock::System.now());
    let called = name.clone().unwrap_or_default();
    let password = passwords::accept(&store, &address, &called, &secret, at).await;
    let configured = wire_up::rule(settings.accept.signature);
    let default = accounts::new_signature(&store, configured, at).await.map_err(registry)?;
    let new = NewAccount {
        address: address.clone(),
        name: name.unwrap_or_default(),
        identity_number: holder.identity_number.clone(),
        opening: mode(opening),
        signature: signature.map_or(default, rule),
        password: password.map_err(failure)?,
        certificates,
        at,
    };
    let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
    let domain = &settings.provider.domain;
    let known = holder.kind.is_some();
    let said = holding::Said { holder, contact, service, months };
    match known {
        true => holding::open(&store, domain, new, said, &by).await?,
        false => holding::open_nameless(&store, domain, new, said, &by).await?,
    }
    done(&format!("account {address} is open"))
}

async fn change(arguments: SetAccount) -> Outcome {
    let SetAccount {
        conf,
        who,
        address,
        opening,
        signature,
        storage,
        label_mailboxes,
        service,
        e_seal,
    } = arguments;
    let storage = storage.as_deref().map(limit).transpose()?;
    let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
    let address = parse(&address)?;
    let policy = opening.is_some() || signature.is_some();
    let more = service.is_some() || e_seal.is_some();
    if !policy && !more && storage.is_none() && label_mailboxes.is_none() {
        let hint = "--opening, --signature, --storage, --label-mailboxes, --service or --e-seal";
        return Err(Failure::usage("nothing to set").hint(hint));
    }
    let by = staff::by_role(&store, &who, StaffRole::Registrar).await?;
    let new = Terms {
        opening: opening.map(mode),
        signature: signature.map(rule),
        storage,
        service: service.map(super::forms::service),
        e_seal: e_seal.map(|switch| switch == Switch::On),
        label_mailboxes: label_mailboxes.map(|switch| switch == Switch::On),
    };
    terms::set(&store, &address, &new, &by).await.map_err(super::label::failure)?;
    done(&format!("{address} is changed"))
}

/// SHA-256 in hexadecimal digits, with or without colons.
fn fingerprint(text: &str) -> Outcome<Digest> {
    Digest::from_hex(&text.replace(':', "")).ok_or_else(|| {
        Failure::data(format!("{text} is no SHA-256 fingerprint"))
            .hint("64 hexadecimal digits; `kep account show` lists them")
    })
}

/// Octets; nothing for the provider's own limit.
fn limit(text: &str) -> Outcome<Option<u64>> {
    if text == "default" {
        return Ok(None);
    }
    let size = Size::parse(text).map(|size| Some(size.0));
    size.ok_or_else(|| Failure::data(format!("{text} is no size")).hint("`10 GiB`, or `default`"))
}

#[derive(Serialize)]
struct Shown {
    address: String,
    name: String,
    state: &'static str,
    opening: &'static str,
    signature: &'static str,
    since: String,
    service: &'static str,
    /// Why it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended: Option<String>,
    /// When its closing completes by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    completes: Option<String>,
    /// Since when it is closed, and until when it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    readable_until: Option<String>,
}

impl Shown {
    fn of(account: &Account) -> Self {
        let now = Clock::System.now();
        let state = account.state_at(now);
        let (suspended, completes) = match &state {
            AccountState::Suspended { reason, .. } => (Some(reason.clone()), None),
            AccountState::Closing { completes, .. } => (None, *completes),
            _ => (None, None),
        };
        Self {
            address: account.address.to_string(),
            name: account.name.clone(),
            state: state.stage_at(now).word(),
            service: account.service.word(),
            suspended,
            completes: completes.map(|at| at.iso8601()),
            opening: account.opening.word(),
            signature: account.signature.word(),
            since: account.created_at.iso8601(),
            closed: state.closed_at().map(|at| at.iso8601()),
            readable_until: state.readable_until().map(|at| at.iso8601()),
        }
    }
}

#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    account: Shown,
    #[serde(flatten)]
    record: holding::Recorded,
    storage: Stored,
    certificates: Vec<Registered>,
}

/// What its mailboxes hold and may; evidence counts for nothing.
#[derive(Serialize)]
struct Stored {
    used: u64,
    limit: Option<u64>,
    /// Who says how much: `account`, `policy`, `provider` or `none`.
    decided_by: &'static str,
    mailboxes: u64,
}

impl Stored {
    fn text(&self) -> String {
        let used = shares::shown(self.used);
        match self.limit {
            Some(limit) => {
                let limit = shares::shown(limit);
                format!("storage: {used} of {limit} ({})\n", self.decided_by)
            }
            None => format!("storage: {used}, without a limit\n"),
        }
    }
}

async fn usage(settings: &Settings, store: &Store, account: &Account) -> Outcome<Stored> {
    let configured = settings.mailbox.max_storage.map(|size| size.0);
    let (id, now) = (account.id, Clock::System.now());
    let share = shares::share(store, id, configured, now).await.map_err(registry)?;
    let Share { used, limit, by, mailboxes } = share;
    Ok(Stored { used, limit, decided_by: by.word(), mailboxes })
}

/// A registered certificate.
#[derive(Serialize)]
struct Registered {
    sha256: String,
    subject: String,
    issuer: String,
    until: String,
    uses: &'static str,
}

impl Registered {
    fn of((certificate, uses): &(Certificate, CertificateUse)) -> Self {
        Self {
            sha256: certificate.digest().hex(),
            subject: certificate.subject().to_owned(),
            issuer: certificate.issuer().to_owned(),
            until: certificate.not_after().iso8601(),
            uses: uses.word(),
        }
    }
}

fn text(whole: &Whole) -> String {
    let cells = whole.certificates.iter().map(|certificate| {
        let Registered { sha256, subject, until, uses, .. } = certificate;
        vec![sha256.clone(), until.clone(), (*uses).to_owned(), subject.clone()]
    });
    let head = ["REGISTERED CERTIFICATE", "UNTIL", "FOR", "SUBJECT"];
    let none = "no registered certificates";
    let certificates = show::table(&head, &cells.collect::<Vec<_>>(), none);
    let account = list(std::slice::from_ref(&whole.account));
    account + "\n" + &whole.record.text() + &whole.storage.text() + "\n" + &certificates
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let words = [&row.address, &row.name, row.state, row.opening, row.signature, &row.since];
        words.map(str::to_owned).to_vec()
    });
    let head = ["ADDRESS", "NAME", "STATE", "OPENING", "SIGNATURE", "SINCE"];
    show::table(
        &head,
        &cells.collect::<Vec<_>>(),
        "no accounts yet; open one: kep account add, or kep application add once there is staff",
    )
}
