//! Lines of text, countries, provinces, phones and mail addresses, each parsed once.

use super::Fault;
use serde::{Deserialize, Serialize};
use std::fmt;
use unicode_normalization::UnicodeNormalization;

macro_rules! texts {
    ($( $(#[$doc:meta])* $name:ident ; )*) => { $(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Fault;

            fn try_from(text: String) -> Result<Self, Fault> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )* };
}

texts! {
    /// One line of up to 300 characters, in composed letters, with single spaces.
    Line;
    /// ISO 3166-1 alpha-2.
    Country;
    /// One of the 81 provinces, as the official list writes it.
    Province;
    /// E.164: `+` and up to 15 digits.
    Phone;
    /// An ordinary mail address, outside the closed circuit.
    Email;
}

impl Line {
    pub fn parse(text: &str) -> Result<Self, Fault> {
        Self::within(text, MOST, Fault::Text)
    }

    pub fn within(text: &str, most: usize, fault: Fault) -> Result<Self, Fault> {
        if text.len() > most.saturating_mul(8) {
            return Err(fault);
        }
        let words: Vec<_> = text.split_whitespace().collect();
        let line: String = words.join(" ").nfc().collect();
        let sound = |c: char| !c.is_control() && !UNSEEN.contains(&c);
        let fits = !line.is_empty() && line.chars().count() <= most && line.chars().all(sound);
        fits.then_some(Self(line)).ok_or(fault)
    }
}

impl Country {
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let code = text.trim().to_ascii_uppercase();
        let known = code.len() == 2 && COUNTRIES.split(' ').any(|one| one == code);
        known.then_some(Self(code)).ok_or(Fault::Country)
    }

    pub fn turkey() -> Self {
        Self(TURKEY.to_owned())
    }

    pub fn is_turkey(&self) -> bool {
        self.0 == TURKEY
    }
}

impl Province {
    /// However its letters are written.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let wanted = crate::wire::fold::fold(text.trim());
        let found = PROVINCES.iter().find(|name| crate::wire::fold::fold(name) == wanted);
        found.map(|name| Self((*name).to_owned())).ok_or(Fault::Province)
    }

    /// The number that cars and postal codes begin with, 1 to 81.
    pub fn code(&self) -> usize {
        PROVINCES.iter().position(|name| *name == self.0).map_or(0, |place| place + 1)
    }
}

impl Phone {
    /// With its country's code, or as it is dialled within Turkey.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let kept: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{a0}'))
            .take(LONGEST_PHONE)
            .collect();
        let international = match (kept.strip_prefix('+'), kept.strip_prefix("00")) {
            (Some(digits), _) | (None, Some(digits)) => digits.to_owned(),
            (None, None) => format!("90{}", kept.strip_prefix('0').unwrap_or(&kept)),
        };
        let plain = international.bytes().all(|b| b.is_ascii_digit());
        let turkish = international.strip_prefix("90");
        let fits = (8..=15).contains(&international.len())
            && !international.starts_with('0')
            && turkish.is_none_or(|national| national.len() == 10 && !national.starts_with('0'));
        (plain && fits).then(|| Self(format!("+{international}"))).ok_or(Fault::Phone)
    }

    pub fn mobile(text: &str) -> Result<Self, Fault> {
        let phone = Self::parse(text)?;
        match phone.0.strip_prefix("+90").is_none_or(|national| national.starts_with('5')) {
            true => Ok(phone),
            false => Err(Fault::Mobile),
        }
    }
}

impl Email {
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(Fault::Email)?;
        let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        let atoms = local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(atext));
        let domain = domain.to_ascii_lowercase();
        let top = domain.rsplit('.').next().unwrap_or_default();
        let outside = domain != CIRCUIT && !domain.ends_with(".kep.tr");
        let good = (1..=64).contains(&local.len())
            && atoms
            && domain.contains('.')
            && crate::wire::is_host(&domain)
            && !top.bytes().all(|b| b.is_ascii_digit())
            && outside;
        good.then(|| Self(format!("{local}@{domain}"))).ok_or(Fault::Email)
    }
}

const MOST: usize = 300;
const LONGEST_PHONE: usize = 32;
const TURKEY: &str = "TR";
const CIRCUIT: &str = "kep.tr";
/// Change what is seen, and are not seen themselves.
const UNSEEN: [char; 14] = [
    '\u{ad}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}',
    '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}', '\u{feff}', '\u{fffe}',
];

/// ISO 3166-1 alpha-2, and XX for who has no nationality.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM \
    BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO \
    DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK \
    HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI \
    LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF \
    NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE \
    SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
    UM US UY UZ VA VC VE VG VI VN VU WF WS XX YE YT ZA ZM ZW";

/// In the order of their codes.
const PROVINCES: [&str; 81] = [
    "Adana",
    "Adıyaman",
    "Afyonkarahisar",
    "Ağrı",
    "Amasya",
    "Ankara",
    "Antalya",
    "Artvin",
    "Aydın",
    "Balıkesir",
    "Bilecik",
    "Bingöl",
    "Bitlis",
    "Bolu",
    "Burdur",
    "Bursa",
    "Çanakkale",
    "Çankırı",
    "Çorum",
    "Denizli",
    "Diyarbakır",
    "Edirne",
    "Elazığ",
    "Erzincan",
    "Erzurum",
    "Eskişehir",
    "Gaziantep",
    "Giresun",
    "Gümüşhane",
    "Hakkari",
    "Hatay",
    "Isparta",
    "Mersin",
    "İstanbul",
    "İzmir",
    "Kars",
    "Kastamonu",
    "Kayseri",
    "Kırklareli",
    "Kırşehir",
    "Kocaeli",
    "Konya",
    "Kütahya",
    "Malatya",
    "Manisa",
    "Kahramanmaraş",
    "Mardin",
    "Muğla",
    "Muş",
    "Nevşehir",
    "Niğde",
    "Ordu",
    "Rize",
    "Sakarya",
    "Samsun",
    "Siirt",
    "Sinop",
    "Sivas",
    "Tekirdağ",
    "Tokat",
    "Trabzon",
    "Tunceli",
    "Şanlıurfa",
    "Uşak",
    "Van",
    "Yozgat",
    "Zonguldak",
    "Aksaray",
    "Bayburt",
    "Karaman",
    "Kırıkkale",
    "Batman",
    "Şırnak",
    "Bartın",
    "Ardahan",
    "Iğdır",
    "Yalova",
    "Karabük",
    "Kilis",
    "Osmaniye",
    "Düzce",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn phones_are_written_in_many_ways_and_kept_in_one() {
        for (typed, kept) in [
            ("0532 555 00 11", "+905325550011"),
            ("+90 (532) 555-00-11", "+905325550011"),
            ("0090 212 555 00 11", "+902125550011"),
            ("532 5550011", "+905325550011"),
            ("+49 30 1234567", "+49301234567"),
        ] {
            assert_eq!(Phone::parse(typed).unwrap().as_str(), kept, "{typed}");
        }
        for bad in
            ["", "+", "0532 555 00 1", "+90 532 555 00 111", "+90 0532 555001", "05a2 555 00 11"]
        {
            assert_eq!(Phone::parse(bad), Err(Fault::Phone), "{bad}");
        }
        assert!(
            Phone::mobile("0532 555 00 11").is_ok() && Phone::mobile("+49 171 1234567").is_ok()
        );
        assert_eq!(Phone::mobile("0212 555 00 11"), Err(Fault::Mobile));
    }

    #[test]
    fn notices_go_to_ordinary_mail_only() {
        assert_eq!(
            Email::parse(" Ali.Veli+kep@Ornek.COM.TR ").unwrap().as_str(),
            "Ali.Veli+kep@ornek.com.tr"
        );
        for bad in [
            "",
            "ali",
            "ali@",
            "@ornek.com",
            "ali@ornek",
            "a..b@ornek.com",
            "ali@hs05.kep.tr",
            "ali@KEP.TR",
            "ali@x.kep.tr",
            "çağrı@ornek.com",
            "a b@ornek.com",
            "ali@ornek.com\r\nBcc: x@y.z",
            "ali@127.0.0.1",
        ] {
            assert_eq!(Email::parse(bad), Err(Fault::Email), "{bad}");
        }
    }

    #[test]
    fn provinces_are_known_however_they_are_written() {
        for (typed, name, code) in [
            ("istanbul", "İstanbul", 34),
            ("IĞDIR", "Iğdır", 76),
            (" Şanlıurfa ", "Şanlıurfa", 63),
            ("DÜZCE", "Düzce", 81),
        ] {
            let province = Province::parse(typed).unwrap();
            assert_eq!((province.as_str(), province.code()), (name, code));
        }
        for bad in ["", "Atlantis", "Istanbull"] {
            assert_eq!(Province::parse(bad), Err(Fault::Province));
        }
    }

    #[test]
    fn countries_are_those_of_the_list() {
        assert!(Country::parse("tr").unwrap().is_turkey());
        assert!(Country::parse("DE").is_ok() && Country::parse("XX").is_ok());
        for bad in ["", "T", "TUR", "ZZ", "T R", "AD AE"] {
            assert_eq!(Country::parse(bad), Err(Fault::Country), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_was_parsed_is_parsed_again(text in any::<String>()) {
            if let Ok(line) = Line::parse(&text) {
                prop_assert_eq!(Line::parse(line.as_str()), Ok(line));
            }
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
            }
            if let Ok(email) = Email::parse(&text) {
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }

        #[test]
        fn digits_in_any_form_are_no_surprise(text in "[+0-9 ()/-]{0,40}") {
            if let Ok(phone) = Phone::parse(&text) {
                prop_assert_eq!(Phone::parse(phone.as_str()), Ok(phone));
            }
        }
    }
}
