//! CSV (RFC 4180, and as Excel writes it): the separator is looked for, a BOM and a line `sep=;` are
//! passed over, what is no UTF-8 is windows-1254. A heading tells what a column is, in Turkish or English.

use super::ENTRIES_MAX;
use super::fault::{ContactError, Fault};
use super::fields::{Fields, Phone, Postal};
use super::import::{Candidate, Content, sound};
use crate::wire::KepAddress;
use crate::wire::fold::fold;
use crate::wire::mime::text::decode_charset;
use crate::wire::sheet::is_computed;
use ::csv::{ReaderBuilder, StringRecord};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Column {
    Name,
    Given,
    Family,
    Organisation,
    Title,
    Kep,
    Email,
    Phone,
    Mobile,
    Street,
    District,
    Province,
    PostalCode,
    Country,
    Note,
    Groups,
    Uid,
}

/// The rows of a sheet, and the headings that name nothing.
pub(super) fn read(octets: &[u8]) -> Result<(Vec<Candidate>, Vec<String>), ContactError> {
    let text = decoded(octets);
    let (text, told) = told_separator(&text);
    let separator = told.unwrap_or_else(|| separator(text));
    let mut reader = ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let heading = records.next().and_then(Result::ok).ok_or(ContactError::Form)?;
    let columns: Vec<_> = heading.iter().map(column).collect();
    if columns.iter().all(Option::is_none) {
        return Err(ContactError::Form);
    }
    let unknown = heading.iter().zip(&columns).filter(|(_, column)| column.is_none());
    let unknown = unknown.map(|(text, _)| text.trim().chars().take(60).collect::<String>());
    let ignored = unknown.filter(|text| !text.is_empty()).collect();
    let mut all = Vec::new();
    for record in records {
        if all.len() >= ENTRIES_MAX {
            return Err(ContactError::FileTooLarge);
        }
        let Ok(record) = record else {
            all.push(Candidate { line: 0, content: Err(Fault::Row) });
            continue;
        };
        if record.iter().any(|cell| !cell.trim().is_empty()) {
            let line = record.position().map_or(0, |position| position.line() as usize);
            all.push(Candidate {
                line: line + usize::from(told.is_some()),
                content: row(&record, &columns),
            });
        }
    }
    Ok((all, ignored))
}

fn row(record: &StringRecord, columns: &[Option<Column>]) -> Result<Content, Fault> {
    let beyond = record.iter().skip(columns.len());
    if beyond.into_iter().any(|cell| !cell.trim().is_empty()) {
        return Err(Fault::Row);
    }
    let (mut fields, mut postal) = (Fields::default(), Postal::default());
    let (mut uid, mut groups) = (String::new(), Vec::new());
    for (cell, column) in record.iter().zip(columns) {
        let (Some(column), cell) = (column, tidy(cell)) else { continue };
        if cell.is_empty() {
            continue;
        }
        match column {
            Column::Name => fields.name = cell,
            Column::Given => fields.given = cell,
            Column::Family => fields.family = cell,
            Column::Organisation => fields.organisation = cell,
            Column::Title => fields.title = cell,
            Column::Kep | Column::Email => addresses(&mut fields, *column, &cell),
            Column::Phone | Column::Mobile => phones(&mut fields, *column, &cell),
            Column::Street => postal.street = cell,
            Column::District => postal.district = cell,
            Column::Province => postal.province = cell,
            Column::PostalCode => postal.postal_code = cell,
            Column::Country => postal.country = cell,
            Column::Note => fields.note = cell,
            Column::Groups => groups.extend(named(&cell)),
            Column::Uid => uid = cell,
        }
    }
    fields.postal = Some(postal).filter(|postal| !postal.is_empty());
    fields.judge()?;
    Ok(Content::Row { uid: sound(uid)?, fields: Box::new(fields), groups })
}

/// Several stand in one cell. A KEP address is one in whichever column it stands.
fn addresses(fields: &mut Fields, column: Column, cell: &str) {
    let split = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
    for text in cell.split(split).filter(|text| !text.is_empty()) {
        let (known, text) = match KepAddress::parse(text) {
            Ok(address) => (&mut fields.kep, address.to_string()),
            Err(_) if column == Column::Kep => (&mut fields.kep, text.to_owned()),
            Err(_) => (&mut fields.emails, text.to_owned()),
        };
        if !known.contains(&text) {
            known.push(text);
        }
    }
}

fn phones(fields: &mut Fields, column: Column, cell: &str) {
    let mobile = column == Column::Mobile;
    for number in cell.split([',', ';', '\n']).map(tidy) {
        let phone = Phone { number, mobile };
        if !phone.number.is_empty() && !fields.phones.contains(&phone) {
            fields.phones.push(phone);
        }
    }
}

fn named(cell: &str) -> impl Iterator<Item = String> {
    // Google's lists have `* myContacts ::: …`.
    let names = cell.split([';', '\n']).flat_map(|part| part.split(" ::: "));
    let bare = names.map(|name| name.trim().trim_start_matches("* ").to_owned());
    bare.filter(|name| !name.is_empty())
}

/// What a cell says: without what keeps sheets from computing it.
fn tidy(cell: &str) -> String {
    let bare = cell.trim();
    let kept = bare.strip_prefix('\'').filter(|rest| is_computed(rest));
    kept.unwrap_or(bare).to_owned()
}

fn decoded(octets: &[u8]) -> String {
    let text = match octets {
        [0xff, 0xfe, rest @ ..] => decode_charset(rest, Some(b"utf-16le")).into_owned(),
        [0xfe, 0xff, rest @ ..] => decode_charset(rest, Some(b"utf-16be")).into_owned(),
        _ => decode_charset(octets, None).into_owned(),
    };
    text.trim_start_matches('\u{feff}').replace("\r\n", "\n")
}

/// Excel's own line about it.
fn told_separator(text: &str) -> (&str, Option<u8>) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    let told = first.trim().strip_prefix("sep=").and_then(|mark| mark.bytes().next());
    match told.filter(|mark| SEPARATORS.contains(mark)) {
        Some(mark) => (rest, Some(mark)),
        None => (text, None),
    }
}

/// The one that stands in the heading most often, outside quotation marks.
fn separator(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [0_usize; SEPARATORS.len()];
    for b in text.bytes() {
        quoted ^= b == b'"';
        if b == b'\n' && !quoted {
            break;
        }
        if let Some(place) = SEPARATORS.iter().position(|mark| *mark == b && !quoted) {
            counts[place] += 1;
        }
    }
    let best = SEPARATORS.iter().zip(counts).max_by_key(|(_, count)| *count);
    best.filter(|(_, count)| *count > 0).map_or(b',', |(mark, _)| *mark)
}

/// Letters without their marks, digits, and nothing else.
fn column(heading: &str) -> Option<Column> {
    let key: String = fold(heading).chars().filter(char::is_ascii_alphanumeric).collect();
    HEADINGS.iter().find(|(_, names)| names.contains(&key.as_str())).map(|(column, _)| *column)
}

/// What an export writes, and in this order.
pub(super) const COLUMNS: [(Column, &str); 17] = [
    (Column::Name, "Ad Soyad"),
    (Column::Given, "Ad"),
    (Column::Family, "Soyad"),
    (Column::Organisation, "Kurum"),
    (Column::Title, "Görev"),
    (Column::Kep, "KEP Adresi"),
    (Column::Email, "E-posta"),
    (Column::Phone, "Telefon"),
    (Column::Mobile, "Cep Telefonu"),
    (Column::Street, "Adres"),
    (Column::District, "İlçe"),
    (Column::Province, "İl"),
    (Column::PostalCode, "Posta Kodu"),
    (Column::Country, "Ülke"),
    (Column::Note, "Not"),
    (Column::Groups, "Gruplar"),
    (Column::Uid, "UID"),
];

/// As people, Outlook, Thunderbird and Google head their columns.
const HEADINGS: [(Column, &[&str]); 17] = [
    (
        Column::Name,
        &[
            "adsoyad",
            "adisoyadi",
            "isim",
            "gorunenad",
            "gorunenisim",
            "name",
            "fullname",
            "displayname",
        ],
    ),
    (Column::Given, &["ad", "adi", "firstname", "givenname", "forename"]),
    (Column::Family, &["soyad", "soyadi", "soyisim", "lastname", "familyname", "surname"]),
    (
        Column::Organisation,
        &[
            "kurum",
            "kurumadi",
            "firma",
            "sirket",
            "unvan",
            "ticaretunvani",
            "organization",
            "organisation",
            "organizationname",
            "organization1name",
            "company",
        ],
    ),
    (Column::Title, &["gorev", "gorevi", "pozisyon", "title", "jobtitle", "organizationtitle"]),
    (Column::Kep, &["kep", "kepadresi", "kepadres", "kepaddress", "kephesabi", "registeredemail"]),
    (
        Column::Email,
        &["eposta", "epostaadresi", "email", "emailaddress", "primaryemail", "email1value", "mail"],
    ),
    (
        Column::Phone,
        &[
            "telefon",
            "telefonno",
            "tel",
            "istelefonu",
            "evtelefonu",
            "phone",
            "phonenumber",
            "workphone",
            "homephone",
            "businessphone",
            "phone1value",
        ],
    ),
    (
        Column::Mobile,
        &["cep", "ceptelefonu", "ceptel", "gsm", "mobile", "mobilephone", "mobilenumber"],
    ),
    (
        Column::Street,
        &[
            "adres",
            "acikadres",
            "address",
            "street",
            "workaddress",
            "businessstreet",
            "address1street",
        ],
    ),
    (Column::District, &["ilce", "district", "town"]),
    (
        Column::Province,
        &["il", "sehir", "province", "city", "workcity", "businesscity", "address1city"],
    ),
    (
        Column::PostalCode,
        &[
            "postakodu",
            "postalcode",
            "zip",
            "zipcode",
            "workzipcode",
            "businesspostalcode",
            "address1postalcode",
        ],
    ),
    (
        Column::Country,
        &["ulke", "country", "workcountry", "businesscountryregion", "address1country"],
    ),
    (Column::Note, &["not", "notlar", "aciklama", "note", "notes"]),
    (
        Column::Groups,
        &[
            "grup",
            "gruplar",
            "kategori",
            "kategoriler",
            "etiketler",
            "group",
            "groups",
            "categories",
            "labels",
            "groupmembership",
        ],
    ),
    (Column::Uid, &["uid"]),
];

const SEPARATORS: [u8; 3] = *b";,\t";
