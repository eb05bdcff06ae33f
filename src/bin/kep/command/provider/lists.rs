//! Lists of providers that others publish: taken, and what was taken; and the codes of the circuit.

use super::super::said::{done, registry};
use super::super::show::{self as out, table};
use super::super::staff;
use crate::arguments::{Acting, Conf, Import, ListKind as Kind};
use crate::failure::{Failure, Outcome};
use crate::settings::Settings;
use crate::wire_up;
use kep::registry::RegistryError;
use kep::registry::audit::By;
use kep::registry::codes::{Code, Codes, SHIPPED};
use kep::registry::lists::{
    self, Aspect, Believed, FETCH, How, ImportError, Imported, Line, Refusal, Trouble, What,
};
use kep::registry::staff::StaffRole;
use kep::store::listed_providers::{self as rows, ListRow, ListedRow, PlaceRow};
use kep::store::{Store, Tx};
use kep::trust::dial::{Dial, Fetched, Version};
use kep::trust::verify::PinFault;
use kep::trust::{Anchors, Certificate, Clock};
use kep::wire::lists::ListKind;
use kep::wire::xml::MAX_OCTETS;
use kep::wire::{KepDomain, Timestamp};
use serde::Serialize;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

pub async fn import(asked: &Import) -> Outcome {
    let settings = wire_up::settings(&asked.conf.conf.conf)?;
    let believed = believed(&settings, asked)?;
    let store = wire_up::store(&settings).await?;
    let by = match asked.dry_run {
        true => staff::by(&store, &asked.conf.who).await?,
        false => staff::by_role(&store, &asked.conf.who, StaffRole::Operator).await?,
    };
    let octets = octets(&asked.place).await?;
    let how = How {
        ours: settings.provider.domain.clone(),
        wanted: wanted(asked),
        believed,
        place: asked.place.clone(),
        now: by.at,
        by,
        again: asked.again,
        dry: asked.dry_run,
    };
    let imported = lists::import(&store, octets, how).await.map_err(|error| match error {
        ImportError::Refused(refusal) => refused(&asked.place, &refusal),
        ImportError::Registry(error) => registry(error),
    })?;
    out::print(asked.json, &Shown::of(&imported, asked.dry_run), Shown::text)
}

/// A signer who is named here is one of trusted lists, unless it is said to be one of CSI.
fn wanted(asked: &Import) -> Option<ListKind> {
    match asked.kind {
        Some(Kind::TrustedList) => Some(ListKind::TrustedList),
        Some(Kind::Csi) => Some(ListKind::Csi),
        None if asked.signer.is_empty() => None,
        None => Some(ListKind::TrustedList),
    }
}

/// A CSI may be signed by its provider's seal, which the registry has.
fn believed(settings: &Settings, asked: &Import) -> Outcome<Believed> {
    let declared = &settings.lists;
    let (lists, csi) = match (asked.signer.as_slice(), wanted(asked)) {
        ([], _) => (declared.signers.as_slice(), declared.csi_signers.as_slice()),
        (signers, Some(ListKind::Csi)) => (&[][..], signers),
        (signers, _) => (signers, &[][..]),
    };
    if lists.is_empty() && wanted(asked) != Some(ListKind::Csi) {
        return Err(Failure::usage("whose signature is believed?").hint(
            "--signer CERT.pem, or lists.signers; compare its fingerprint with what the publisher says",
        ));
    }
    Ok(Believed { lists: certificates(lists)?, csi: certificates(csi)? })
}

fn certificates(paths: &[PathBuf]) -> Outcome<Vec<Certificate>> {
    let load = |path: &PathBuf| {
        let loaded = Anchors::load(path).map_err(|error| {
            Failure::not_found(error).hint("certificates in PEM form, or a folder of them")
        });
        loaded.map(|anchors| anchors.certificates().to_vec())
    };
    Ok(paths.iter().map(load).collect::<Outcome<Vec<_>>>()?.concat())
}

async fn octets(place: &str) -> Outcome<Vec<u8>> {
    if !place.starts_with("https://") && !place.starts_with("http://") {
        return file(Path::new(place));
    }
    let dial = Dial::safe(FETCH).map_err(Failure::software)?;
    match lists::fetch(&dial, place, &Version::default()).await {
        Ok(Fetched::New { octets, .. }) => Ok(octets),
        Ok(Fetched::Unchanged) => Err(Failure::unavailable(format!("{place}: nothing came"))),
        Err(error @ Trouble::Unsafe(_)) => {
            Err(Failure::usage(error).hint("fetch it by another way, and name the file"))
        }
        Err(error) => Err(Failure::unavailable(error).hint("what is held stays; try again later")),
    }
}

fn file(path: &Path) -> Outcome<Vec<u8>> {
    let mut octets = Vec::new();
    let most = MAX_OCTETS as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut octets));
    read.map_err(|error| {
        Failure::not_found(format!("{}: {error}", path.display()))
            .hint("name a file, or an https URL")
    })?;
    Ok(octets)
}

fn refused(place: &str, refusal: &Refusal) -> Failure {
    let failure = Failure::data(format!("{place} is refused: {refusal}"));
    match refusal {
        Refusal::Signature(PinFault::NotPinned { .. } | PinFault::Nobody) => failure.hint(
            "compare the fingerprint with what the publisher says by another way, then --signer CERT.pem",
        ),
        Refusal::Older { .. } | Refusal::Doubled(_) => {
            failure.hint("what is held stays; `kep provider lists` shows it")
        }
        Refusal::Kind(..) => failure.hint("--kind says what it must be"),
        Refusal::Ahead(_) => failure.hint("is the clock of this machine right?"),
        _ => failure.hint("fetch it anew; when it stays so, ask its publisher"),
    }
}

/// What an import came to.
#[derive(Serialize)]
struct Shown {
    list: String,
    kind: &'static str,
    sequence: i64,
    issued: String,
    next_update: Option<String>,
    signer: String,
    /// Whether anything new is believed by it.
    fresh: bool,
    /// It was held already: nothing was looked at.
    held: bool,
    dry_run: bool,
    providers: Vec<ShownLine>,
}

#[derive(Serialize)]
struct ShownLine {
    what: &'static str,
    domain: Option<String>,
    name: String,
    details: Vec<String>,
}

impl Shown {
    fn of(imported: &Imported, dry_run: bool) -> Self {
        let line = |line: &Line| ShownLine {
            what: line.what.word(),
            domain: line.domain.as_ref().map(ToString::to_string),
            name: line.name.clone(),
            details: line.details.clone(),
        };
        Self {
            list: imported.name.clone(),
            kind: imported.kind.word(),
            sequence: imported.sequence,
            issued: imported.issued.iso8601(),
            next_update: imported.next_update.map(Timestamp::iso8601),
            signer: imported.signer.clone(),
            fresh: imported.fresh,
            held: imported.held,
            dry_run,
            providers: imported.lines.iter().map(line).collect(),
        }
    }

    fn text(&self) -> String {
        let next = self.next_update.as_deref().unwrap_or("never: it is closed");
        let mut out = format!(
            "list      {} ({}), number {}\nissued    {}\nnext      {next}\nsigned    {}\n",
            self.list, self.kind, self.sequence, self.issued, self.signer
        );
        if !self.fresh {
            out += "EXPIRED   what it said before stays; nothing new is believed by it\n";
        }
        if self.held {
            return out + "held      already: no change; --again weighs it once more\n";
        }
        for line in &self.providers {
            let domain = line.domain.as_deref().unwrap_or("-");
            let what = match line.what {
                conflict if conflict == What::Conflict.word() => "CONFLICT",
                what => what,
            };
            out += &format!("{what:<10}{domain}  {}\n", line.name);
            out.extend(line.details.iter().map(|detail| format!("            {detail}\n")));
        }
        if self.dry_run {
            out += "nothing is changed: --dry-run\n";
        }
        out
    }
}

/// What was taken, and where it is fetched.
#[derive(Serialize)]
struct ShownLists {
    lists: Vec<ShownList>,
    places: Vec<ShownPlace>,
}

#[derive(Serialize)]
struct ShownList {
    list: String,
    kind: String,
    place: String,
    sequence: i64,
    issued: String,
    next_update: Option<String>,
    expired: bool,
    signer: String,
    taken: String,
    conflicts: Vec<String>,
}

#[derive(Serialize)]
struct ShownPlace {
    url: String,
    list: Option<String>,
    tried: String,
    had: Option<String>,
    trouble: Option<String>,
}

pub async fn show(conf: &Conf, json: bool) -> Outcome {
    let store = wire_up::store(&wire_up::settings(&conf.conf)?).await?;
    let look =
        |tx: &mut Tx<'_>| -> Result<_, RegistryError> { Ok((rows::lists(tx)?, rows::places(tx)?)) };
    let (lists, places) = store.read(look).await.map_err(registry)?;
    let now = Clock::System.now();
    let shown = ShownLists {
        lists: lists.iter().map(|row| list(row, now)).collect(),
        places: places.iter().map(place).collect(),
    };
    out::print(json, &shown, lists_text)
}

fn list(row: &ListRow, now: Timestamp) -> ShownList {
    ShownList {
        list: row.name.clone(),
        kind: row.kind.clone(),
        place: row.place.clone(),
        sequence: row.sequence,
        issued: row.issued_at.iso8601(),
        next_update: row.next_update.map(Timestamp::iso8601),
        expired: row.next_update.is_none_or(|next| next < now),
        signer: row.signer.clone(),
        taken: row.taken_at.iso8601(),
        conflicts: row.conflicts.lines().map(str::to_owned).collect(),
    }
}

fn place(row: &PlaceRow) -> ShownPlace {
    let said = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ShownPlace {
        url: row.url.clone(),
        list: said(&row.list),
        tried: row.tried_at.iso8601(),
        had: row.had_at.map(Timestamp::iso8601),
        trouble: said(&row.trouble),
    }
}

fn lists_text(shown: &ShownLists) -> String {
    let cells = shown.lists.iter().map(|list| {
        let next = list.next_update.clone().unwrap_or_else(|| "closed".to_owned());
        let next = if list.expired { format!("{next} EXPIRED") } else { next };
        let number = list.sequence.to_string();
        vec![list.list.clone(), number, list.issued.clone(), next, list.place.clone()]
    });
    let head = ["LIST", "NUMBER", "ISSUED", "NEXT UPDATE", "FROM"];
    let none = "no list was taken; take one: kep provider import FILE|URL --signer CERT";
    let mut out = table(&head, &cells.collect::<Vec<_>>(), none);
    let conflicts = shown.lists.iter().flat_map(|list| &list.conflicts);
    out.extend(conflicts.map(|conflict| format!("{conflict}\n")));
    for place in &shown.places {
        let had = place.had.as_deref().unwrap_or("never");
        out += &format!("{}: tried {}, had {had}\n", place.url, place.tried);
        out.extend(place.trouble.iter().map(|trouble| format!("  {trouble}\n")));
    }
    out
}

pub async fn forget(acting: &Acting, name: &str) -> Outcome {
    let store = wire_up::store(&wire_up::settings(&acting.conf.conf)?).await?;
    let by = staff::by_role(&store, &acting.who, StaffRole::Operator).await?;
    let forgotten = lists::forget(&store, name, &by).await;
    match forgotten.map_err(|error| registry(error.into()))? {
        true => done(&format!("the list {name} is forgotten; its providers are set by hand now")),
        false => Err(Failure::not_found(format!("there is no list {name}"))
            .hint("`kep provider lists` names them")),
    }
}

/// Which providers follow which list.
pub async fn following(store: &Store) -> Outcome<Vec<ListedRow>> {
    let listed =
        store.read(|tx: &mut Tx<'_>| -> Result<_, RegistryError> { Ok(rows::all_listed(tx)?) });
    listed.await.map_err(registry)
}

pub fn aspects(words: &[String]) -> Outcome<Vec<Aspect>> {
    let parse = |word: &String| {
        Aspect::parse(word).ok_or_else(|| {
            let all = Aspect::ALL.map(Aspect::word).join(", ");
            Failure::usage(format!("{word} is nothing that lists speak of")).hint(all)
        })
    };
    words.iter().map(parse).collect()
}

pub async fn leave(
    store: &Store,
    domain: &KepDomain,
    aspects: Vec<Aspect>,
    by: &By,
) -> Outcome<()> {
    let left = lists::leave(store, domain, aspects, by).await;
    left.map(|_| ()).map_err(|error| registry(error.into()))
}

/// Who has a domain, as far as it was published.
pub fn known(domain: &KepDomain) -> Option<Code> {
    Codes::parse(SHIPPED).ok()?.of(domain).cloned()
}

#[derive(Serialize)]
struct ShownCodes {
    as_of: String,
    codes: Vec<ShownCode>,
}

#[derive(Serialize)]
struct ShownCode {
    domain: String,
    name: String,
    formerly: Option<String>,
    since: u16,
    until: Option<u16>,
}

pub fn codes(json: bool) -> Outcome {
    let codes = Codes::parse(SHIPPED).map_err(Failure::software)?;
    let shown = |code: &Code| ShownCode {
        domain: code.domain(),
        name: code.name.clone(),
        formerly: code.formerly.clone(),
        since: code.since,
        until: code.until,
    };
    let shown = ShownCodes { as_of: codes.as_of, codes: codes.all.iter().map(shown).collect() };
    out::print(json, &shown, codes_text)
}

fn codes_text(shown: &ShownCodes) -> String {
    let cells = shown.codes.iter().map(|code| {
        let formerly = code.formerly.clone().unwrap_or_else(|| "-".to_owned());
        let until = code.until.map_or_else(|| "-".to_owned(), |until| until.to_string());
        vec![code.domain.clone(), code.name.clone(), formerly, code.since.to_string(), until]
    });
    let head = ["DOMAIN", "NAME", "FORMERLY", "SINCE", "UNTIL"];
    let as_of = format!("as of {}; nothing is trusted by it\n", shown.as_of);
    table(&head, &cells.collect::<Vec<_>>(), "no codes") + &as_of
}
