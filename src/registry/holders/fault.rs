//! Why something that was said of a holder is not so, for people in both languages.

use serde::Serialize;

macro_rules! faults {
    ($( $name:ident $word:literal $tr:literal $en:literal ; )*) => {
        /// One thing that is wrong; each is said apart, so that a form can show all at once.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
        pub enum Fault { $( #[doc = $en] $name ),* }

        impl Fault {
            /// A stable word for programs.
            pub fn word(self) -> &'static str {
                match self { $( Self::$name => $word ),* }
            }

            pub fn turkish(self) -> &'static str {
                match self { $( Self::$name => $tr ),* }
            }

            pub fn english(self) -> &'static str {
                match self { $( Self::$name => $en ),* }
            }

            pub const ALL: &[Self] = &[ $( Self::$name ),* ];
        }
    };
}

faults! {
    CitizenNumber "citizen-number"
        "T.C. kimlik numarası 11 hanelidir ve denetim basamakları tutmalıdır."
        "A T.C. kimlik no has 11 digits, and its check digits must be right.";
    ForeignerNumber "foreigner-number"
        "Yabancı kimlik numarası 99 ile başlayan 11 hanedir ve denetim basamakları tutmalıdır."
        "A foreigner's number has 11 digits from 99, and its check digits must be right.";
    PassportNumber "passport"
        "Pasaport numarası 5 ile 9 arasında harf ve rakamdan oluşur."
        "A passport's number has 5 to 9 letters and digits.";
    Vkn "vkn"
        "Vergi kimlik numarası 10 hanelidir ve denetim basamağı tutmalıdır."
        "A tax number (VKN) has 10 digits, and its check digit must be right.";
    Mersis "mersis"
        "MERSİS numarası 16 hanelidir; 0 ve vergi numarası ya da kimlik numarası ile başlar."
        "A MERSİS number has 16 digits and begins with 0 and the tax number, or an identity number.";
    MersisOfAnother "mersis-of-another"
        "MERSİS numarasının içindeki vergi numarası başka bir şirketin."
        "The tax number within the MERSİS number is another company's.";
    Detsis "detsis" "DETSİS numarası 8 hanelidir." "A DETSİS number has 8 digits.";
    TradeRegistryNumber "trade-registry"
        "Ticaret sicil numarası en çok 15 hanedir." "A trade registry number has up to 15 digits.";
    Registered "registered"
        "Şirketin MERSİS numarası ya da ticaret sicil numarası ile müdürlüğü gerekir."
        "A company needs its MERSİS number, or its trade registry's name and number.";
    Country "country"
        "Ülke, ISO 3166-1'in iki harfli kodudur (TR)." "A country is a two-letter code of ISO 3166-1 (TR).";
    Nationality "nationality"
        "T.C. kimlik numarası Türk vatandaşlarının, yabancı kimlik numarası ve pasaport yabancılarındır."
        "A T.C. kimlik no is a Turkish citizen's; a foreigner's number or passport alone is a foreigner's.";
    Identity "identity"
        "Kimlik numarası, yabancı kimlik numarası ya da pasaport numarası gerekir."
        "An identity number, a foreigner's number or a passport is needed.";
    Name "name" "Ad ve soyad gerekir; her biri bir satır, en çok 100 karakterdir."
        "Given names and surname are needed, each one line of up to 100 characters.";
    Title "title" "Unvan gerekir; bir satır, en çok 300 karakterdir."
        "A title is needed, one line of up to 300 characters.";
    Text "text" "Bu alan bir satırdır, en çok 200 karakterdir."
        "This field is one line of up to 200 characters.";
    BirthDate "birth-date"
        "Doğum tarihi YYYY-AA-GG biçimindedir, 1900'den sonra ve bugünden öncedir."
        "A birth date is YYYY-MM-DD, after 1900 and before today.";
    Phone "phone" "Telefon numarası +90 212 555 00 00 gibidir; en çok 15 hanedir."
        "A phone number is like +90 212 555 00 00, of up to 15 digits.";
    Mobile "mobile" "Türkiye'de cep telefonu numarası +90 5 ile başlar."
        "A mobile number of Turkey begins with +90 5.";
    Email "email"
        "E-posta adresi ad@alan.com gibidir; bildirimler KEP adresine gitmez."
        "An e-mail address is like name@domain.com, and no KEP address.";
    PostalCode "postal-code"
        "Türkiye'de posta kodu il koduyla başlayan 5 hanedir; başka yerde en çok 12 karakterdir."
        "A postal code of Turkey has 5 digits from its province's; elsewhere up to 12 characters.";
    Province "province" "Türkiye'de il, 81 ilden biridir." "A province of Turkey is one of its 81.";
    Address "address" "Adres, ilçe ve il birlikte verilir."
        "Street, district and province are given together.";
    Kind "kind" "Hesap türü bireysel, tüzel ya da kamudur." "A holder is a person, a company or a public body.";
    Foreign "foreign-field" "Bu alan bu hesap türünde yoktur." "This kind of holder has no such field.";
    Invoice "invoice"
        "Fatura için unvan, vergi ya da kimlik numarası ve adres gerekir."
        "An invoice needs a title, a tax or identity number and an address.";
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.english())
    }
}

impl std::error::Error for Fault {}

/// A field of a form and what is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Wrong {
    pub field: &'static str,
    pub fault: Fault,
}

/// All that is wrong with a form.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Faults(pub Vec<Wrong>);

impl Faults {
    pub(super) fn none() -> Self {
        Self(Vec::new())
    }

    /// Keeps what is wrong, gives what is right.
    pub(super) fn take<T>(&mut self, field: &'static str, found: Result<T, Fault>) -> Option<T> {
        match found {
            Ok(value) => Some(value),
            Err(fault) => {
                self.0.push(Wrong { field, fault });
                None
            }
        }
    }

    pub(super) fn say(&mut self, field: &'static str, fault: Fault) {
        self.0.push(Wrong { field, fault });
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<_> =
            self.0.iter().map(|one| format!("{}: {}", one.field, one.fault)).collect();
        f.write_str(&all.join(" "))
    }
}

impl std::error::Error for Faults {}
