//! What we understand of a card, and how it goes back into it. A KEP address is an EMAIL of the closed
//! circuit, or one of type `kep`; mail programs then offer it like any other.

use super::fault::Fault;
use crate::wire::KepAddress;
use crate::wire::vcard::{Card, Property, components, escape, items, join};
use serde::{Deserialize, Serialize};

/// A contact as forms and sheets have it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// FN; made of the others when it is empty.
    pub name: String,
    pub given: String,
    pub family: String,
    pub organisation: String,
    pub title: String,
    /// In this order; the first is the preferred one.
    pub kep: Vec<String>,
    pub emails: Vec<String>,
    pub phones: Vec<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal: Option<Postal>,
    /// May have several lines.
    pub note: String,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Phone {
    pub number: String,
    #[serde(default)]
    pub mobile: bool,
}

/// Adres, ilçe, il, posta kodu, ülke.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Postal {
    pub street: String,
    pub district: String,
    pub province: String,
    pub postal_code: String,
    pub country: String,
}

impl Postal {
    pub fn is_empty(&self) -> bool {
        self.parts().iter().all(|part| part.is_empty())
    }

    fn parts(&self) -> [&str; 5] {
        [&self.street, &self.district, &self.province, &self.postal_code, &self.country]
    }
}

impl Fields {
    /// What a card says; what of it is not ours to judge is left out.
    pub fn of(card: &Card) -> Self {
        let names = card.first("N").map(|name| components(&name.value)).unwrap_or_default();
        let part = |place: usize| names.get(place).map(|list| list.join(" ")).unwrap_or_default();
        let organisation = card.first("ORG").map(|org| components(&org.value).concat());
        let given = [part(1), part(2)].join(" ").trim().to_owned();
        let phone = |property: &Property| Phone {
            number: number(property),
            mobile: property.is_type("cell"),
        };
        let mut found = Self {
            name: card.text("FN"),
            given,
            family: part(0),
            organisation: organisation.unwrap_or_default().join(", "),
            title: card.text("TITLE"),
            kep: Vec::new(),
            emails: Vec::new(),
            phones: card.all("TEL").map(phone).collect(),
            postal: card.first("ADR").map(postal).filter(|postal| !postal.is_empty()),
            note: card.text("NOTE"),
        };
        let mut addresses: Vec<_> = card.all("EMAIL").collect();
        addresses.sort_by_key(|property| property.preference());
        for property in addresses {
            match kep(property) {
                Some(Ok(address)) => push(&mut found.kep, address.to_string()),
                Some(Err(text)) => push(&mut found.kep, text),
                None => push(&mut found.emails, text_of(property)),
            }
        }
        found
    }

    /// Changes a card so that it says this; what the card says beyond it stays.
    pub fn apply(&self, card: &mut Card) {
        let before = Self::of(card);
        if self.given != before.given || self.family != before.family {
            let mut names = card.first("N").map(|n| components(&n.value)).unwrap_or_default();
            names.resize(5, Vec::new());
            let kept =
                |place: usize| names.get(place).map(|list| list.join(",")).unwrap_or_default();
            let value = join(&[&self.family, &self.given, "", &kept(3), &kept(4)]);
            card.set("N", if value == ";;;;" { String::new() } else { value });
        }
        for (name, new, old) in [
            ("FN", &self.shown(), &before.name),
            ("ORG", &self.organisation, &before.organisation),
            ("TITLE", &self.title, &before.title),
            ("NOTE", &self.note, &before.note),
        ] {
            if new != old {
                card.set(name, escape(new));
            }
        }
        if self.kep != before.kep {
            addresses(card, &self.kep, true);
        }
        if self.emails != before.emails {
            addresses(card, &self.emails, false);
        }
        if self.phones != before.phones {
            phones(card, &self.phones);
        }
        if self.postal != before.postal {
            set_postal(card, self.postal.as_ref());
        }
    }

    /// FN, or what stands for it.
    pub fn shown(&self) -> String {
        let whole = format!("{} {}", self.given, self.family);
        let mut candidates = [self.name.as_str(), whole.trim(), &self.organisation]
            .into_iter()
            .chain(self.kep.iter().map(String::as_str))
            .chain(self.emails.iter().map(String::as_str));
        candidates.find(|text| !text.trim().is_empty()).unwrap_or_default().to_owned()
    }

    /// What is wrong with the fields, if anything; for what people type.
    pub fn judge(&self) -> Result<(), Fault> {
        self.circuit()?;
        for (field, text) in [
            ("ad", &self.name),
            ("ad", &self.given),
            ("soyad", &self.family),
            ("kurum", &self.organisation),
            ("görev", &self.title),
        ] {
            line(field, text, LINE_MAX)?;
        }
        for part in self.postal.iter().flat_map(Postal::parts) {
            lines("adres", part, LINE_MAX)?;
        }
        lines("not", &self.note, NOTE_MAX)?;
        for email in &self.emails {
            judge_email(email)?;
        }
        for phone in &self.phones {
            let good = |c: char| c.is_ascii_digit() || "+()-./ #*,;xX".contains(c);
            if phone.number.len() > PHONE_MAX
                || !phone.number.bytes().any(|b| b.is_ascii_digit())
                || !phone.number.chars().all(good)
            {
                return Err(Fault::Phone(cut(&phone.number)));
            }
        }
        Ok(())
    }

    /// The KEP addresses. What other programs have let pass elsewhere is theirs; a contact that nobody
    /// could find, or whose address nothing could be sent to, is none here either.
    pub fn circuit(&self) -> Result<Vec<KepAddress>, Fault> {
        if self.shown().is_empty() {
            return Err(Fault::Nameless);
        }
        if self.kep.len() + self.emails.len() > MANY || self.phones.len() > MANY {
            return Err(Fault::TooLarge);
        }
        let parsed =
            |text: &String| KepAddress::registered(text).map_err(|_| Fault::Kep(cut(text)));
        self.kep.iter().map(parsed).collect()
    }
}

/// An address of an ordinary mail system; one of the circuit stands among the KEP addresses.
fn judge_email(text: &str) -> Result<(), Fault> {
    let bad = || Fault::Email(cut(text));
    let (local, domain) = text.rsplit_once('@').ok_or_else(bad)?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"<>,;\"".contains(c);
    let good = !local.is_empty()
        && domain.contains('.')
        && text.len() <= EMAIL_MAX
        && text.chars().all(plain)
        && !is_circuit(domain);
    good.then_some(()).ok_or_else(bad)
}

fn line(field: &'static str, text: &str, most: usize) -> Result<(), Fault> {
    match text.contains('\n') {
        true => Err(Fault::Text(field)),
        false => lines(field, text, most),
    }
}

fn lines(field: &'static str, text: &str, most: usize) -> Result<(), Fault> {
    let sound = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    let good = text.chars().count() <= most && text.chars().all(sound);
    good.then_some(()).ok_or(Fault::Text(field))
}

/// For a message: nobody wants to read a page of it.
fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

/// `None` for an address of ordinary mail.
fn kep(property: &Property) -> Option<Result<KepAddress, String>> {
    let text = text_of(property);
    let domain = text.rsplit_once('@').map(|(_, domain)| domain)?;
    let meant = property.is_type(KEP) || is_circuit(domain);
    meant.then(|| KepAddress::registered(&text).map_err(|_| text.clone()))
}

fn is_circuit(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    domain == "kep.tr" || domain.ends_with(".kep.tr")
}

fn text_of(property: &Property) -> String {
    let text = crate::wire::vcard::text(&property.value);
    let bare = text.trim();
    bare.strip_prefix("mailto:").unwrap_or(bare).to_owned()
}

fn number(property: &Property) -> String {
    let text = crate::wire::vcard::text(&property.value);
    text.trim().strip_prefix("tel:").unwrap_or(text.trim()).to_owned()
}

fn push(list: &mut Vec<String>, text: String) {
    if !text.is_empty() && !list.contains(&text) {
        list.push(text);
    }
}

fn postal(property: &Property) -> Postal {
    let parts: Vec<_> = components(&property.value).iter().map(|part| part.join(", ")).collect();
    let part = |place: usize| parts.get(place).cloned().unwrap_or_default();
    let street = [part(0), part(1), part(2)];
    let street: Vec<_> = street.into_iter().filter(|text| !text.is_empty()).collect();
    Postal {
        street: street.join(", "),
        district: part(3),
        province: part(4),
        postal_code: part(5),
        country: part(6),
    }
}

fn set_postal(card: &mut Card, postal: Option<&Postal>) {
    let value = postal.filter(|postal| !postal.is_empty()).map(|postal| {
        let [street, district, province, code, country] = postal.parts();
        join(&["", "", street, district, province, code, country])
    });
    card.set("ADR", value.unwrap_or_default());
}

/// Those that stay keep what the card says of them.
fn addresses(card: &mut Card, wanted: &[String], circuit: bool) {
    let all = std::mem::take(&mut card.properties);
    let (mut known, rest): (Vec<_>, Vec<_>) = all
        .into_iter()
        .partition(|property| property.name == "EMAIL" && kep(property).is_some() == circuit);
    card.properties = rest;
    for address in wanted {
        let same = |property: &Property| text_of(property).eq_ignore_ascii_case(address);
        let property = match known.iter().position(same) {
            Some(place) => known.remove(place),
            None if circuit => Property::new("EMAIL", escape(address)).with_type(KEP),
            None => Property::new("EMAIL", escape(address)),
        };
        card.properties.push(property);
    }
}

fn phones(card: &mut Card, wanted: &[Phone]) {
    let all = std::mem::take(&mut card.properties);
    let (mut known, rest): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|property| property.name == "TEL");
    card.properties = rest;
    for phone in wanted {
        let same = |property: &Property| {
            number(property) == phone.number && property.is_type("cell") == phone.mobile
        };
        let property = match known.iter().position(same) {
            Some(place) => known.remove(place),
            None if phone.mobile => Property::new("TEL", escape(&phone.number)).with_type("cell"),
            None => Property::new("TEL", escape(&phone.number)),
        };
        card.properties.push(property);
    }
}

/// The groups that a card names.
pub(super) fn categories(card: &Card) -> Vec<String> {
    let all = card.all(CATEGORIES).flat_map(|property| items(&property.value));
    let named = all.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    named.collect()
}

pub(super) const CATEGORIES: &str = "CATEGORIES";
/// The type of a KEP address.
const KEP: &str = "kep";
/// Characters of a line; company names are long.
const LINE_MAX: usize = 300;
const NOTE_MAX: usize = 10_000;
const PHONE_MAX: usize = 40;
/// RFC 5321 §4.5.3.1.3.
const EMAIL_MAX: usize = 254;
/// Addresses, and phones, of one contact.
const MANY: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::vcard::read;

    fn card(text: &str) -> Card {
        read(text.as_bytes()).next().unwrap().card.unwrap()
    }

    #[test]
    fn a_card_says_its_fields_and_keeps_the_rest_when_they_change() {
        let mut whole = card(
            "BEGIN:VCARD\nVERSION:4.0\nFN:Ayşe Yılmaz\nN:Yılmaz;Ayşe;Nur;Dr.;\nORG:Örnek A.Ş.;Hukuk\n\
             EMAIL;TYPE=work:ayse@example.com\nEMAIL;PREF=1:AYSE@hs05.kep.tr\nTEL;TYPE=cell:+90 532 0000000\n\
             ADR:;;Atatürk Bul. 1;Çankaya;Ankara;06420;Türkiye\nX-KEEP;X-P=1:me\nPHOTO:data:,x\nEND:VCARD\n",
        );
        let mut fields = Fields::of(&whole);
        assert_eq!((fields.given.as_str(), fields.family.as_str()), ("Ayşe Nur", "Yılmaz"));
        assert_eq!(fields.kep, ["ayse@hs05.kep.tr"]);
        assert_eq!(fields.organisation, "Örnek A.Ş., Hukuk");
        assert!(fields.phones[0].mobile);
        assert_eq!(fields.postal.as_ref().unwrap().district, "Çankaya");
        assert_eq!(fields.circuit().unwrap().len(), 1);
        fields.judge().unwrap();

        let before = whole.clone();
        fields.apply(&mut whole);
        assert_eq!(whole, before, "nothing changed");
        fields.emails = vec!["ayse@example.com".into(), "a@example.org".into()];
        fields.kep.clear();
        fields.name = "Ayşe N. Yılmaz".into();
        fields.apply(&mut whole);
        assert_eq!(Fields::of(&whole), fields);
        let kept = whole.all("EMAIL").find(|one| one.value == "ayse@example.com").unwrap();
        assert!(kept.is_type("work"));
        assert_eq!(whole.text("X-KEEP"), "me");
        assert_eq!(whole.text("PHOTO"), "data:,x");
        assert!(whole.to_string().contains("N:Yılmaz;Ayşe;Nur;Dr.;"), "names as they came");
    }

    #[test]
    fn what_is_wrong_is_named() {
        let named = |change: fn(&mut Fields)| {
            let mut fields = Fields { name: "Ali".into(), ..Fields::default() };
            change(&mut fields);
            fields.judge().err().map(|fault| fault.word())
        };
        assert_eq!(named(|_| {}), None);
        assert_eq!(named(|f| f.name.clear()), Some("nameless"));
        assert_eq!(named(|f| f.kep = vec!["a@hs5.kep.tr".into()]), Some("kep-address"));
        assert_eq!(named(|f| f.kep = vec!["çağrı@hs05.kep.tr".into()]), Some("kep-address"));
        for bad in ["a", "@a.b", "a@b", "a b@c.d", "a@hs05.kep.tr", "a@x.kep.tr", "<a@b.c>"] {
            let fields = Fields { name: "A".into(), emails: vec![bad.into()], ..Fields::default() };
            assert!(matches!(fields.judge(), Err(Fault::Email(_))), "{bad}");
        }
        assert_eq!(named(|f| f.given = "a\nb".into()), Some("text"));
        assert_eq!(named(|f| f.note = "a\0".into()), Some("text"));
        assert_eq!(named(|f| f.name = "a".repeat(301)), Some("text"));
        assert_eq!(named(|f| f.emails = vec!["a@b.example".into(); 51]), Some("too-large"));
        let phone = |number: &str| vec![Phone { number: number.into(), mobile: false }];
        for bad in ["", "abc", "+", "0532\u{7}", &"1".repeat(41)] {
            let fields = Fields { name: "A".into(), phones: phone(bad), ..Fields::default() };
            assert!(matches!(fields.judge(), Err(Fault::Phone(_))), "{bad}");
        }
        let long = "x".repeat(200);
        assert!(Fault::Kep(cut(&long)).english().len() < 150);
    }

    #[test]
    fn an_address_of_a_provider_elsewhere_is_told_by_its_type() {
        let fields = Fields::of(&card(
            "BEGIN:VCARD\nFN:x\nEMAIL;TYPE=kep:rec@rem.example.it\nEMAIL:rec@mail.example.it\nEND:VCARD\n",
        ));
        assert_eq!(fields.kep, ["rec@rem.example.it"]);
        assert_eq!(fields.emails, ["rec@mail.example.it"]);
    }
}
