//! Which address somebody gets: ASCII letters of his name, in the provider's domain or, of
//! an institution, in a sub-domain of its own. An address is given once: not again after its account
//! ended, and nobody else gets one that people would take for it.

use super::accounts::{RESERVED, RegistryError, is_own};
use super::holders::{Holder, HolderKind};
use crate::store::addresses as rows;
use crate::store::{RowsError, Store, Tx};
use crate::wire::address::lookalike;
use crate::wire::{AddressError, KepAddress, KepDomain, Timestamp};
use std::collections::BTreeSet;

/// Why an address is not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untaken {
    Given,
    LookAlike,
    Reserved,
    /// Persons have addresses in the provider's domain.
    SubDomainOfPerson,
    SubDomainOfAnother,
    SubDomainReserved,
}

impl Untaken {
    pub fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::LookAlike => "look-alike",
            Self::Reserved => "reserved",
            Self::SubDomainOfPerson => "sub-domain-of-person",
            Self::SubDomainOfAnother => "sub-domain-of-another",
            Self::SubDomainReserved => "sub-domain-reserved",
        }
    }

    pub fn turkish(self) -> &'static str {
        match self {
            Self::Given => "Bu adres verilmiştir; bir adres ikinci kez verilmez.",
            Self::LookAlike => "Bu adres başkasının adresiyle karıştırılır.",
            Self::Reserved => "Bu adres sisteme ayrılmıştır.",
            Self::SubDomainOfPerson => "Bireysel hesapların alt alanı olmaz.",
            Self::SubDomainOfAnother => "Bu alt alan başka bir kurumundur.",
            Self::SubDomainReserved => "Bu alt alan sisteme ayrılmıştır.",
        }
    }

    pub fn english(self) -> &'static str {
        match self {
            Self::Given => "it was given; an address is never given twice",
            Self::LookAlike => "people would take it for somebody else's",
            Self::Reserved => "it is reserved for the provider",
            Self::SubDomainOfPerson => "a person has no sub-domain",
            Self::SubDomainOfAnother => "the sub-domain is another institution's",
            Self::SubDomainReserved => "the sub-domain is reserved for the provider",
        }
    }
}

impl std::fmt::Display for Untaken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.english())
    }
}

/// Why a text is no address, for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed(pub AddressError);

impl Malformed {
    pub fn turkish(self) -> &'static str {
        match self.0 {
            AddressError::Empty => "Adres boş.",
            AddressError::NoAt => "Adreste @ yok.",
            AddressError::NotAscii => {
                "Adreste yalnızca ASCII harfler olur: ş, ğ, ı gibi harfler olmaz."
            }
            AddressError::BadLocal => {
                "Adresin @ öncesinde olamayacak bir karakter ya da nokta var."
            }
            AddressError::LocalTooLong => "Adresin @ öncesi çok uzun.",
            AddressError::NotKepDomain => "KEP adresi değil; KEP adresi @hsNN.kep.tr ile biter.",
        }
    }

    pub fn english(self) -> &'static str {
        match self.0 {
            AddressError::Empty => "it is empty",
            AddressError::NoAt => "it has no @",
            AddressError::NotAscii => "its letters are not all of ASCII",
            AddressError::BadLocal => "before its @ stands a sign or a dot that can't be there",
            AddressError::LocalTooLong => "what stands before its @ is too long",
            AddressError::NotKepDomain => "it is no KEP address, which ends in @hsNN.kep.tr",
        }
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.english())
    }
}

/// A name in the letters of addresses: `Çağrı Öztürk` is `cagri ozturk`. What has no such letter is
/// left out.
pub fn folded(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars().flat_map(folded_letter) {
        match c {
            ' ' if out.is_empty() || out.ends_with(' ') => {}
            c => out.push(c),
        }
    }
    out.truncate(out.trim_end().len());
    out
}

/// What addresses are made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Called {
    Person { given_names: String, surname: String },
    Institution { title: String },
}

impl Called {
    pub fn of(holder: &Holder) -> Self {
        match holder {
            Holder::Person(person) => Self::Person {
                given_names: person.given_names().to_string(),
                surname: person.surname().to_string(),
            },
            Holder::Company(company) => Self::Institution { title: company.title().to_string() },
            Holder::Public(body) => Self::Institution { title: body.title().to_string() },
        }
    }

    fn sort(&self) -> Sort {
        match self {
            Self::Person { .. } => Sort::Person,
            Self::Institution { .. } => Sort::Institution,
        }
    }
}

/// Of whom an address would be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sort {
    Person,
    Institution,
    /// Only a name is known.
    Unknown,
}

impl Sort {
    fn of(holder: &Holder) -> Self {
        match holder.kind() {
            HolderKind::Person => Self::Person,
            HolderKind::Company | HolderKind::Public => Self::Institution,
        }
    }
}

/// Addresses for somebody of that name, the nicest first, numbered at the end.
pub fn candidates(called: &Called, provider: &KepDomain) -> Vec<KepAddress> {
    let domain = provider.provider();
    let mut found: Vec<KepAddress> = Vec::new();
    let mut push = |local: &str, sub: Option<&str>| {
        let local: String = local.chars().take(LOCAL).collect();
        let local = local.trim_matches(['.', '-', '_']);
        let place = sub.map_or(domain.to_string(), |sub| format!("{sub}.{domain}"));
        if let Ok(address) = KepAddress::parse(&format!("{local}@{place}"))
            && !found.contains(&address)
        {
            found.push(address);
        }
    };
    match called {
        Called::Person { given_names, surname } => {
            for local in of_person(&folded(given_names), &folded(surname)) {
                push(&local, None);
            }
        }
        Called::Institution { title } => of_institution(title, &mut push),
    }
    found
}

/// Those of the candidates that can be given now, at most so many. `identity` is the key of the holder,
/// empty while he is not known: his own sub-domain and likenesses don't bar him.
pub async fn propose(
    store: &Store,
    provider: &KepDomain,
    called: &Called,
    identity: &str,
    most: usize,
) -> Result<Vec<KepAddress>, RegistryError> {
    let (called, domain, identity) = (called.clone(), provider.clone(), identity.to_owned());
    let work = move |tx: &mut Tx<'_>| -> Result<Vec<KepAddress>, RowsError> {
        let mut free = Vec::new();
        for address in candidates(&called, &domain) {
            if free.len() == most {
                break;
            }
            if untaken(tx, &address, &identity, called.sort())?.is_none() {
                free.push(address);
            }
        }
        Ok(free)
    };
    Ok(store.read(work).await?)
}

/// Holds every other giver off, and says whether this holder may have the address; its sub-domain is
/// his from then on (`sub_domains` frees it).
pub(super) fn allot(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    address: &KepAddress,
    holder: &Holder,
    now: Timestamp,
) -> Result<(), RegistryError> {
    is_own(address, provider)?;
    rows::hold(tx)?;
    let identity = holder.key();
    if let Some(why) = untaken(tx, address, &identity, Sort::of(holder))? {
        return Err(RegistryError::Untaken(address.clone(), why));
    }
    if let Some(label) = sub_domain(address) {
        rows::give_sub_domain(tx, &label, &identity, now)?;
    }
    Ok(())
}

/// The same for somebody of whom a name alone is known: no sub-domain becomes his, and he has none that is
/// somebody's.
pub(super) fn allot_unknown(
    tx: &mut Tx<'_>,
    provider: &KepDomain,
    address: &KepAddress,
) -> Result<(), RegistryError> {
    is_own(address, provider)?;
    rows::hold(tx)?;
    match untaken(tx, address, "", Sort::Unknown)? {
        Some(why) => Err(RegistryError::Untaken(address.clone(), why)),
        None => Ok(()),
    }
}

/// The holder of an account becomes known: it may stand in no other's sub-domain, and one that is nobody's
/// is his from then on.
pub(super) fn becomes_known(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    holder: &Holder,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let Some(label) = sub_domain(address) else { return Ok(()) };
    rows::hold(tx)?;
    let (identity, owner) = (holder.key(), rows::sub_domain_of(tx, &label)?);
    let others = match owner {
        Some(owner) => owner != identity,
        None => rows::any_of_others_in(tx, &address.domain(), &identity, address.as_str())?,
    };
    let why = match (holder.kind(), others) {
        (HolderKind::Person, _) => Untaken::SubDomainOfPerson,
        (_, true) => Untaken::SubDomainOfAnother,
        (_, false) => return Ok(rows::give_sub_domain(tx, &label, &identity, now)?),
    };
    Err(RegistryError::Untaken(address.clone(), why))
}

/// An account is opened again: its sub-domain may have become somebody else's since it had ended.
pub(super) fn comes_back(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    holder: Option<&Holder>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let Some(label) = sub_domain(address) else { return Ok(()) };
    if let Some(holder) = holder {
        return becomes_known(tx, address, holder, now);
    }
    rows::hold(tx)?;
    match rows::sub_domain_of(tx, &label)? {
        Some(_) => Err(RegistryError::Untaken(address.clone(), Untaken::SubDomainOfAnother)),
        None => Ok(()),
    }
}

/// Why this holder can't have the address, whatever else he has.
fn untaken(
    tx: &mut Tx<'_>,
    address: &KepAddress,
    identity: &str,
    sort: Sort,
) -> Result<Option<Untaken>, RowsError> {
    let label = sub_domain(address);
    let local = address.local();
    if RESERVED.contains(&local) || (label.is_none() && ROLES.contains(&local)) {
        return Ok(Some(Untaken::Reserved));
    }
    if let Some(label) = &label {
        if sort == Sort::Person {
            return Ok(Some(Untaken::SubDomainOfPerson));
        }
        if SUB_DOMAINS.contains(&label.as_str()) {
            return Ok(Some(Untaken::SubDomainReserved));
        }
        let others = match rows::sub_domain_of(tx, label)? {
            Some(owner) => owner != identity,
            // Who lives there must be known before it is anybody's, and be the same.
            None => {
                sort == Sort::Institution
                    && rows::any_of_others_in(tx, &address.domain(), identity, address.as_str())?
            }
        };
        if others {
            return Ok(Some(Untaken::SubDomainOfAnother));
        }
    }
    if rows::is_given(tx, address.as_str())? {
        return Ok(Some(Untaken::Given));
    }
    let like = rows::look_alikes(tx, &lookalike(address.as_str()))?;
    let others = like.iter().any(|owner| owner.as_deref() != Some(identity));
    Ok(others.then_some(Untaken::LookAlike))
}

/// The institution's label, of an address in a sub-domain.
pub fn sub_domain(address: &KepAddress) -> Option<String> {
    let (domain, own) = (address.domain(), address.domain().provider());
    let label = domain.as_str().strip_suffix(own.as_str())?.strip_suffix('.')?;
    Some(label.to_owned())
}

fn of_person(given: &str, last: &str) -> Vec<String> {
    let names: Vec<&str> = given.split(' ').filter(|name| !name.is_empty()).collect();
    let last = last.replace(' ', "");
    let Some(first) = names.first() else { return vec![last] };
    let whole = names.join(".");
    let initials: String = names.iter().filter_map(|name| name.chars().next()).collect();
    let plain = format!("{first}.{last}");
    let mut all = vec![
        plain.clone(),
        format!("{whole}.{last}"),
        format!("{}.{last}", names.concat()),
        format!("{last}.{first}"),
        format!("{initials}.{last}"),
    ];
    all.extend((2..=NUMBERED).map(|n| format!("{plain}{n}")));
    all
}

/// Of its title without what says its legal form.
fn of_institution(title: &str, push: &mut impl FnMut(&str, Option<&str>)) {
    let title = folded(title);
    let words: Vec<&str> = title.split(' ').filter(|word| !FORMS.contains(word)).collect();
    let all: Vec<&str> = match words.is_empty() {
        true => title.split(' ').collect(),
        false => words,
    };
    let initials: String = all.iter().filter_map(|word| word.chars().next()).collect();
    let heads = [all.concat(), all.iter().take(2).copied().collect(), initials];
    let mut seen = BTreeSet::new();
    for head in heads {
        let head: String = head.chars().take(LABEL).collect();
        if head.len() < 2 || !seen.insert(head.clone()) {
            continue;
        }
        push(&head, Some(&head));
        push("bilgi", Some(&head));
        push(&head, None);
    }
    let head: String = all.concat();
    (2..=NUMBERED).for_each(|n| push(&format!("{head}{n}"), None));
}

/// A letter as addresses have it, or a space for what parts words.
fn folded_letter(c: char) -> Vec<char> {
    let special = match c {
        'ı' | 'İ' | 'I' => "i",
        'ß' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ł' | 'Ł' => "l",
        'þ' | 'Þ' => "th",
        '\'' | '’' | '`' | '.' => "",
        _ => {
            let mut letters = Vec::new();
            unicode_normalization::char::decompose_compatible(c, |part| match part {
                part if part.is_ascii_alphanumeric() => letters.push(part.to_ascii_lowercase()),
                part if part.is_ascii() || part.is_whitespace() => letters.push(' '),
                _ => {}
            });
            return letters;
        }
    };
    special.chars().collect()
}

/// RFC 5321 §4.5.3.1.1, with room for a number.
const LOCAL: usize = 60;
/// RFC 1035 §2.3.4 allows 63; nobody types so many.
const LABEL: usize = 30;
const NUMBERED: u32 = 30;
/// RFC 2142 and what people believe to be the provider. Within its own sub-domain an institution has them.
const ROLES: [&str; 33] = [
    "admin",
    "administrator",
    "adres",
    "bilgi",
    "bildirim",
    "delil",
    "destek",
    "guvenlik",
    "help",
    "hostmaster",
    "info",
    "iletisim",
    "kep",
    "kephs",
    "mailer-daemon",
    "marketing",
    "musteri",
    "noc",
    "noreply",
    "no-reply",
    "operator",
    "rehber",
    "root",
    "sales",
    "security",
    "sistem",
    "sozlesme",
    "support",
    "system",
    "usenet",
    "webmaster",
    "www",
    "yonetim",
];
/// Hosts of the provider.
const SUB_DOMAINS: [&str; 19] = [
    "api",
    "autoconfig",
    "autodiscover",
    "dns",
    "ftp",
    "imap",
    "kep",
    "mail",
    "mta-sts",
    "mx",
    "ns",
    "ns1",
    "ns2",
    "portal",
    "relay",
    "smtp",
    "submission",
    "tsa",
    "www",
];
/// Legal forms and what stands between words.
const FORMS: [&str; 17] = [
    "as",
    "ao",
    "ltd",
    "sti",
    "limited",
    "sirketi",
    "anonim",
    "ve",
    "ticaret",
    "tic",
    "sanayi",
    "san",
    "koll",
    "kom",
    "tc",
    "turkiye",
    "cumhuriyeti",
];

#[cfg(test)]
mod tests;
