//! `kep provider`: the other providers of the circuit.

mod lists;

use super::said::{done, read_certificate, registry};
use super::{show, staff};
use crate::arguments::{Acting, Conf, Dialect, Provider as Arguments, Terms};
use crate::failure::{Failure, Outcome};
use crate::settings::Size;
use crate::wire_up;
use kep::registry::audit::By;
use kep::registry::lists::Aspect;
use kep::registry::peers::{self, Host, Peer, PeerDialect, PeerState, PeerTls, Removal, Route};
use kep::registry::staff::StaffRole;
use kep::store::Store;
use kep::store::listed_providers::ListedRow;
use kep::store::providers::{ProviderRow, SealRow};
use kep::trust::Certificate;
use kep::trust::tls::PeerTrust;
use kep::wire::{Digest, KepDomain, Timestamp};
use serde::Serialize;
use std::path::Path;

pub async fn run(arguments: Arguments) -> Outcome {
    match arguments {
        Arguments::Add { conf, domain, name, host, terms } => {
            let changes = Changes { name: Some(name), ..Changes::of(&terms, host.as_deref())? };
            add(&conf, &domain, changes).await
        }
        Arguments::Set { conf, domain, name, host, terms, withdraw_seal, leave_to_lists } => {
            let withdrawn =
                withdraw_seal.iter().map(|text| digest(text)).collect::<Outcome<_>>()?;
            let left = lists::aspects(&leave_to_lists)?;
            let changes = Changes { name, withdrawn, ..Changes::of(&terms, host.as_deref())? };
            set(&conf, &domain, changes, left).await
        }
        Arguments::List { conf, json } => {
            let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
            let all = peers::list(&store).await.map_err(registry)?;
            let listed = lists::following(&store).await?;
            let rows: Vec<_> = all.iter().map(|row| Shown::of(row, &listed)).collect();
            show::print(json, &rows, |rows| list(rows))
        }
        Arguments::Show { conf, domain, json } => {
            let (store, domain) = at(&conf, &domain).await?;
            let row = peers::find(&store, &domain).await.map_err(registry)?;
            let row = row.ok_or_else(|| unknown(&domain))?;
            let listed = lists::following(&store).await?;
            let mut shown = Shown::of(&row, &listed);
            shown.user_domains = peers::domains(&store, &domain).await.map_err(registry)?;
            show::print(json, &shown, text)
        }
        Arguments::Import(asked) => lists::import(&asked).await,
        Arguments::Lists { conf, json } => lists::show(&conf, json).await,
        Arguments::ForgetList { conf, name } => lists::forget(&conf, &name).await,
        Arguments::Codes { json } => lists::codes(json),
        Arguments::Suspend { conf, domain } => {
            state(&conf, &domain, "suspended", "is suspended; `kep provider resume` goes on").await
        }
        Arguments::Resume { conf, domain } => state(&conf, &domain, "active", "is active").await,
        Arguments::Close { conf, domain } => {
            let (store, domain, by) = acting(&conf, &domain).await?;
            match peers::close(&store, &domain, &by).await.map_err(registry)? {
                true => done(&format!("provider {domain} is closed; what waits for it fails")),
                false => Err(unknown(&domain)),
            }
        }
        Arguments::Remove { conf, domain } => {
            let (store, domain, by) = acting(&conf, &domain).await?;
            match peers::remove(&store, &domain, &by).await.map_err(registry)? {
                Removal::Removed => done(&format!("provider {domain} is removed")),
                Removal::Unknown => Err(unknown(&domain)),
                Removal::Waited => Err(Failure::data(format!("mail waits for {domain}")).hint(
                    "`kep provider close` ends it; `kep queue list` shows when nothing waits any more",
                )),
            }
        }
    }
}

/// What is said about a provider. The rest stays.
#[derive(Clone, Default)]
struct Changes {
    name: Option<String>,
    route: Option<Route>,
    tls: Option<Known>,
    seals: Vec<Certificate>,
    withdrawn: Vec<Digest>,
    client_pins: Option<Vec<Digest>>,
    dialect: Option<PeerDialect>,
    size_limit: Option<Option<u64>>,
    domains: Option<Vec<KepDomain>>,
}

#[derive(Clone)]
enum Known {
    Pins(Vec<Digest>),
    Issuers(String),
    /// `dane`, `mta-sts`.
    By(&'static str),
}

impl Known {
    fn of(terms: &Terms) -> Outcome<Option<Self>> {
        Ok(match (&terms.tls_ca, terms.tls_pin.as_slice(), terms.tls.as_slice()) {
            (Some(file), ..) => Some(Self::Issuers(issuers(file)?)),
            (None, [], []) => None,
            (None, [], all) => Some(Self::said(all)?),
            (None, all, _) => Some(Self::Pins(digests(all)?)),
        })
    }

    /// As `--tls` says it.
    fn said(all: &[String]) -> Outcome<Self> {
        let wrong = |text: &str| {
            Failure::usage(format!("--tls {text} tells no server"))
                .hint("dane, mta-sts, ca:FILE, or pin:SHA256, that one several times")
        };
        if let [one] = all {
            if let Some(tls) = PeerTls::by(one) {
                return Ok(Self::By(tls.word()));
            }
            if let Some(file) = one.strip_prefix("ca:") {
                return Ok(Self::Issuers(issuers(Path::new(file))?));
            }
        }
        let pins = all.iter().map(|text| match text.strip_prefix("pin:") {
            Some(pin) => digest(pin),
            None => Err(wrong(text)),
        });
        pins.collect::<Outcome<_>>().map(Self::Pins)
    }

    /// Takes the place of what was there.
    fn apply(&self, row: &mut ProviderRow) {
        row.tls_pins.clear();
        row.tls_ca.clear();
        row.tls_by.clear();
        match self {
            Self::Pins(pins) => row.tls_pins = peers::written(pins),
            Self::Issuers(pem) => row.tls_ca.clone_from(pem),
            Self::By(word) => (*word).clone_into(&mut row.tls_by),
        }
    }
}

impl Changes {
    fn of(terms: &Terms, host: Option<&str>) -> Outcome<Self> {
        let route = match (host, terms.route.as_deref()) {
            (Some(host), _) => Some(Host::parse(host).map(Route::Host)),
            (None, text) => text.map(Route::parse),
        };
        let client_pins = match terms.client_pin.as_slice() {
            [] => None,
            [none] if none == "none" => Some(Vec::new()),
            all => Some(digests(all)?),
        };
        let size_limit = terms.size_limit.as_deref().map(|text| match text {
            "none" => Ok(None),
            text => Size::parse(text).map(|size| Some(size.0)).ok_or_else(|| {
                Failure::usage(format!("{text} is not a size")).hint("`25 MiB`, or `none`")
            }),
        });
        let domains = match terms.user_domain.as_slice() {
            [] => None,
            [none] if none == "none" => Some(Vec::new()),
            all => Some(all.iter().map(|text| parse(text)).collect::<Outcome<Vec<_>>>()?),
        };
        let hint = "mx; relay.hs06.kep.tr, or with a port: relay.hs06.kep.tr:2525";
        Ok(Self {
            domains,
            route: route.transpose().map_err(|fault| Failure::data(fault).hint(hint))?,
            tls: Known::of(terms)?,
            seals: terms.seal.iter().map(read_certificate).collect::<Outcome<_>>()?,
            client_pins,
            dialect: terms.dialect.map(dialect),
            size_limit: size_limit.transpose()?,
            ..Self::default()
        })
    }

    fn apply(&self, row: &mut ProviderRow, now: Timestamp) {
        if let Some(name) = &self.name {
            row.name.clone_from(name);
        }
        if let Some(route) = &self.route {
            route.set(row);
        }
        if let Some(tls) = &self.tls {
            tls.apply(row);
        }
        for seal in &self.seals {
            if !row.seals.iter().any(|known| known.certificate == seal.der()) {
                let certificate = seal.der().to_vec();
                row.seals.push(SealRow { certificate, from: None, until: None });
            }
        }
        for seal in &mut row.seals {
            if self.withdrawn.contains(&kep::wire::sha256(&seal.certificate)) {
                seal.until = Some(seal.until.map_or(now, |until| until.min(now)));
            }
        }
        if let Some(pins) = &self.client_pins {
            row.client_pins = peers::written(pins);
        }
        if let Some(dialect) = self.dialect {
            dialect.word().clone_into(&mut row.dialect);
        }
        if let Some(limit) = self.size_limit {
            row.size_limit = limit.and_then(|limit| limit.try_into().ok());
        }
    }
}

async fn add(acting: &Acting, domain: &str, changes: Changes) -> Outcome {
    let settings = wire_up::settings(&acting.conf.conf)?;
    let domain = parse(domain)?;
    if settings.provider.domain.provider() == domain.provider() {
        return Err(Failure::data(format!("{domain} is this provider itself")));
    }
    if domain != domain.provider() {
        return Err(Failure::data(format!(
            "{domain} is an institution's, not a provider's domain"
        ))
        .hint(domain.provider()));
    }
    may_have(&domain, changes.domains.as_deref())?;
    let store = wire_up::store(&settings).await?;
    let by = staff::by_role(&store, &acting.who, StaffRole::Operator).await?;
    let named = changes.domains.clone();
    let now = by.at;
    let known = changes.clone();
    let there = peers::change(&store, &domain, move |row| known.apply(row, now), &by);
    if !there.await.map_err(registry)? {
        if changes.tls.is_none() {
            return Err(Failure::usage(format!("by what is the server of {domain} known?")).hint(
                "--tls pin:SHA256, ca:FILE, dane or mta-sts: mail leaves for a server that is known only",
            ));
        }
        let mut row = peers::fresh(&domain, now);
        changes.apply(&mut row, now);
        if !peers::put(&store, row, &by).await.map_err(registry)? {
            return Err(Failure::data(format!("another provider has users under {domain}"))
                .hint("`kep provider show` names a provider's domains"));
        }
    }
    set_domains(&store, &domain, named, &by).await?;
    done(&format!("provider {domain} is registered"))
}

/// The address rule of the circuit tells whose an address is; elsewhere the registry does.
fn may_have(provider: &KepDomain, domains: Option<&[KepDomain]>) -> Outcome<()> {
    let wrong = |one: &&KepDomain| one.is_kep() || provider.is_kep() || *one == provider;
    match domains.unwrap_or_default().iter().find(wrong) {
        None => Ok(()),
        Some(own) if own == provider => {
            Err(Failure::data(format!("{own} is the provider's own domain"))
                .hint("`--user-domain` names further ones, or `none`"))
        }
        Some(wrong) => Err(Failure::data(format!(
            "{wrong} can't be a domain of {provider}'s users"
        ))
        .hint("in the circuit an address names its provider: only others have further domains")),
    }
}

async fn set_domains(
    store: &Store,
    provider: &KepDomain,
    domains: Option<Vec<KepDomain>>,
    by: &By,
) -> Outcome<()> {
    let Some(domains) = domains else { return Ok(()) };
    match peers::set_domains(store, provider, &domains, by).await.map_err(registry)? {
        true => Ok(()),
        false => Err(Failure::data("one of these domains is another provider's")
            .hint("`kep provider show` names a provider's domains")),
    }
}

async fn set(conf: &Acting, domain: &str, changes: Changes, left: Vec<Aspect>) -> Outcome {
    let (store, domain, by) = acting(conf, domain).await?;
    may_have(&domain, changes.domains.as_deref())?;
    let now = by.at;
    if let Some(row) = peers::find(&store, &domain).await.map_err(registry)? {
        let has = |digest: &Digest| {
            row.seals.iter().any(|seal| kep::wire::sha256(&seal.certificate) == *digest)
        };
        if let Some(other) = changes.withdrawn.iter().find(|digest| !has(digest)) {
            return Err(Failure::not_found(format!("{domain} has no seal {}", other.hex()))
                .hint("`kep provider show` names its seals"));
        }
    }
    let named = changes.domains.clone();
    let changed = peers::change(&store, &domain, move |row| changes.apply(row, now), &by).await;
    if !changed.map_err(registry)? {
        return Err(unknown(&domain));
    }
    if !left.is_empty() {
        lists::leave(&store, &domain, left, &by).await?;
    }
    set_domains(&store, &domain, named, &by).await?;
    done(&format!("provider {domain} is changed"))
}

async fn state(conf: &Acting, domain: &str, word: &'static str, said: &str) -> Outcome {
    let (store, domain, by) = acting(conf, domain).await?;
    let now = by.at;
    let set = move |row: &mut ProviderRow| PeerState::set(word, row, now);
    let changed = peers::change(&store, &domain, set, &by).await;
    match changed.map_err(registry)? {
        true => done(&format!("provider {domain} {said}")),
        false => Err(unknown(&domain)),
    }
}

/// How a provider is shown; what is wrong with its row stands in `fault`.
#[derive(Serialize)]
struct Shown {
    domain: String,
    name: String,
    /// Host and port, or `mx`.
    host: String,
    /// The way to it, in words.
    way: String,
    state: String,
    since: String,
    /// `pin SHA256`, `issuer NAME`, each; `dane`; `mta-sts`; none when nothing is sent.
    tls: Vec<String>,
    client_pins: Vec<String>,
    dialect: String,
    size_limit: Option<u64>,
    /// What its users have addresses under beside its own domain; told by `show`.
    user_domains: Vec<String>,
    seals: Vec<ShownSeal>,
    /// The list that it follows; none: it is set by hand.
    list: Option<String>,
    /// What is set by hand all the same.
    by_hand: Vec<String>,
    fault: Option<String>,
}

#[derive(Serialize)]
struct ShownSeal {
    subject: String,
    fingerprint: String,
    from: String,
    until: String,
}

impl Shown {
    fn of(row: &ProviderRow, listed: &[ListedRow]) -> Self {
        let listed = listed.iter().find(|listed| listed.domain == row.domain);
        let by_hand = listed.map_or("", |listed| &listed.by_hand);
        let peer = Peer::parse(row);
        let fault = peer.as_ref().err().map(ToString::to_string);
        let peer = peer.ok();
        let hex = |pins: &[Digest]| pins.iter().map(Digest::hex).collect::<Vec<_>>();
        let tls = match peer.as_ref().and_then(|peer| peer.tls.as_ref()) {
            None => Vec::new(),
            Some(PeerTls::Registered(PeerTrust::Pins(pins))) => {
                pins.iter().map(|p| format!("pin {}", p.hex())).collect()
            }
            Some(PeerTls::Registered(PeerTrust::Issuers(all))) => {
                all.iter().map(|issuer| format!("issuer {}", issuer.subject())).collect()
            }
            Some(by) => vec![by.word().to_owned()],
        };
        let seals = peer.iter().flat_map(|peer| &peer.seals).map(|seal| ShownSeal {
            subject: seal.certificate.subject().to_owned(),
            fingerprint: seal.certificate.digest().hex(),
            from: seal.from.iso8601(),
            until: seal.until.iso8601(),
        });
        Self {
            domain: row.domain.clone(),
            name: row.name.clone(),
            host: peer.as_ref().map_or(row.host.clone(), |peer| peer.route.to_string()),
            way: peer.as_ref().map(way).unwrap_or_default(),
            state: row.state.clone(),
            since: row.since.iso8601(),
            tls,
            client_pins: peer.as_ref().map(|peer| hex(&peer.client_pins)).unwrap_or_default(),
            dialect: row.dialect.clone(),
            size_limit: peer.as_ref().and_then(|peer| peer.size_limit),
            user_domains: Vec::new(),
            seals: seals.collect(),
            list: listed.map(|listed| listed.list.clone()),
            by_hand: by_hand.split_ascii_whitespace().map(str::to_owned).collect(),
            fault,
        }
    }
}

/// Where mail for a provider goes, and by what its server is known.
fn way(peer: &Peer) -> String {
    let place = match &peer.route {
        Route::Host(host) => format!("to {} at port {}", host.name, host.port),
        Route::Mx => format!("to the mail exchangers (MX) of {}", peer.domain),
    };
    let known = match &peer.tls {
        None => "nothing tells its server: nothing is sent",
        Some(PeerTls::Registered(PeerTrust::Pins(_))) => "known by its certificate or key (pin)",
        Some(PeerTls::Registered(_)) => "known by the issuer of its certificate, which names it",
        Some(PeerTls::Dane) => "known by the TLSA records of its signed zone (DANE)",
        Some(PeerTls::MtaSts) => "known by its policy and public authorities (MTA-STS)",
    };
    format!("{place}, {known}")
}

fn list(rows: &[Shown]) -> String {
    let cells = rows.iter().map(|row| {
        let seal = row.seals.last().map_or("-", |seal| seal.subject.as_str());
        [&row.domain, &row.name, &row.host, &row.state, seal].map(str::to_owned).to_vec()
    });
    let head = ["DOMAIN", "NAME", "HOST", "STATE", "SEAL"];
    show::table(&head, &cells.collect::<Vec<_>>(), "no other providers; add one: kep provider add")
}

fn text(shown: &Shown) -> String {
    let limit = shown.size_limit.map_or("-".to_owned(), |limit| format!("{limit} octets"));
    let mut out = format!(
        "domain    {}\nname      {}\nhost      {}\nway       {}\nstate     {} since {}\ndialect   {}\nlimit     {limit}\n",
        shown.domain, shown.name, shown.host, shown.way, shown.state, shown.since, shown.dialect
    );
    let lines = |name: &str, all: &[String]| -> String {
        all.iter().map(|one| format!("{name:<10}{one}\n")).collect()
    };
    out += &lines("tls", &shown.tls);
    out += &lines("client", &shown.client_pins);
    out += &lines("users", &shown.user_domains);
    let seals = shown.seals.iter().map(|seal| {
        format!("{} {} ({} to {})", seal.fingerprint, seal.subject, seal.from, seal.until)
    });
    out += &lines("seal", &seals.collect::<Vec<_>>());
    let by_hand = match shown.by_hand.is_empty() {
        true => String::new(),
        false => format!(", but by hand: {}", shown.by_hand.join(", ")),
    };
    let list = shown.list.iter().map(|list| match list.is_empty() {
        true => format!("any{by_hand}"),
        false => format!("{list}{by_hand}"),
    });
    out += &lines("list", &list.collect::<Vec<_>>());
    out + &lines("WRONG", shown.fault.as_slice())
}

/// The same, and who acts: who keeps the queues and providers.
async fn acting(acting: &Acting, domain: &str) -> Outcome<(Store, KepDomain, By)> {
    let (store, domain) = at(&acting.conf, domain).await?;
    let by = staff::by_role(&store, &acting.who, StaffRole::Operator).await?;
    Ok((store, domain, by))
}

async fn at(conf: &Conf, domain: &str) -> Outcome<(Store, KepDomain)> {
    let domain = parse(domain)?;
    Ok((wire_up::store(&wire_up::settings(&conf.conf)?).await?, domain))
}

pub fn parse(domain: &str) -> Outcome<KepDomain> {
    KepDomain::registered(domain).map_err(|_| {
        Failure::data(format!("{domain} is not a provider's domain"))
            .hint("hsNN.kep.tr, or the mail domain of a provider elsewhere")
    })
}

fn digests(all: &[String]) -> Outcome<Vec<Digest>> {
    all.iter().map(|text| digest(text)).collect()
}

fn digest(text: &str) -> Outcome<Digest> {
    peers::pin(text).map_err(|fault| {
        Failure::data(fault).hint(
            "openssl x509 -in server.pem -noout -pubkey | openssl pkey -pubin -outform der | sha256sum",
        )
    })
}

fn issuers(file: &Path) -> Outcome<String> {
    let wrong =
        |error: &dyn std::fmt::Display| Failure::not_found(format!("{}: {error}", file.display()));
    let octets = std::fs::read(file).map_err(|e| wrong(&e))?;
    let found = Certificate::from_pem(&octets).map_err(|e| wrong(&e))?;
    Ok(found.iter().map(Certificate::pem).collect())
}

fn dialect(dialect: Dialect) -> PeerDialect {
    use kep::wire::rem::Dialect as Of;
    match dialect {
        Dialect::Ts102640 => PeerDialect::One(Of::Ts102640),
        Dialect::En319522 => PeerDialect::One(Of::En319522),
        Dialect::Both => PeerDialect::Both,
    }
}

pub fn unknown(domain: &KepDomain) -> Failure {
    let failure = Failure::not_found(format!("there is no provider {domain}"));
    match lists::known(domain) {
        Some(code) => failure.hint(format!("{domain} is {code}; `kep provider add` registers it")),
        None => failure.hint("`kep provider list` shows the providers"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(all: &[&str]) -> Option<String> {
        let all: Vec<_> = all.iter().map(|text| (*text).to_owned()).collect();
        let mut row =
            peers::fresh(&KepDomain::parse("hs06.kep.tr").unwrap(), Timestamp::from_secs(0));
        row.tls_pins = "before".to_owned();
        Known::said(&all).ok()?.apply(&mut row);
        Some(format!("{}|{}|{}", row.tls_pins, row.tls_ca, row.tls_by))
    }

    #[test]
    fn one_kind_of_trust_takes_the_place_of_another() {
        let pin = "0f".repeat(32);
        assert_eq!(said(&["dane"]).as_deref(), Some("||dane"));
        assert_eq!(said(&["mta-sts"]).as_deref(), Some("||mta-sts"));
        let pins = format!("pin:{pin}");
        assert_eq!(said(&[&pins]), Some(format!("{pin}||")));
        assert_eq!(said(&[&pins, &pins]), Some(format!("{pin} {pin}||")));
        for wrong in [&["dane", "mta-sts"][..], &["dane", &pins], &["off"], &["ca:/no/such"], &[""]]
        {
            assert_eq!(said(wrong), None, "{wrong:?}");
        }
    }
}
