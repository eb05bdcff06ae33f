//! The names of the checks, stable for programs, and what they are called in Turkish.

use super::report::State;
use serde::Serialize;

/// What is checked. docs/verify.md says each one's meaning and clause.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Name {
    Form,
    Oddity,
    SignatureForm,
    Algorithms,
    ReferenceDocument,
    ReferenceSignedProperties,
    ReferenceKeyInfo,
    SigningCertificate,
    SignatureValue,
    TimeStamp,
    TimeStampImprint,
    TimeStampSignature,
    TimeStampCertificate,
    SealCertificate,
    Revocation,
    Times,
    Issuer,
    OriginalDigest,
    OriginalField,
    Seal,
    SealFrom,
    EnclosedEvidence,
    EnclosedOriginal,
    Header,
    HeaderDigest,
    UserSignature,
    UserCertificate,
    SameMessage,
    Field,
}

impl Name {
    pub const ALL: [Self; 29] = [
        Self::Form,
        Self::Oddity,
        Self::SignatureForm,
        Self::Algorithms,
        Self::ReferenceDocument,
        Self::ReferenceSignedProperties,
        Self::ReferenceKeyInfo,
        Self::SigningCertificate,
        Self::SignatureValue,
        Self::TimeStamp,
        Self::TimeStampImprint,
        Self::TimeStampSignature,
        Self::TimeStampCertificate,
        Self::SealCertificate,
        Self::Revocation,
        Self::Times,
        Self::Issuer,
        Self::OriginalDigest,
        Self::OriginalField,
        Self::Seal,
        Self::SealFrom,
        Self::EnclosedEvidence,
        Self::EnclosedOriginal,
        Self::Header,
        Self::HeaderDigest,
        Self::UserSignature,
        Self::UserCertificate,
        Self::SameMessage,
        Self::Field,
    ];

    /// As JSON and the lines for people have it.
    pub fn as_str(self) -> &'static str {
        self.words().0
    }

    /// The sentence for people; `field` is what it is about, when it is about one.
    pub(super) fn turkish(self, state: State, field: &str) -> String {
        let (_, title, broken) = self.words();
        let says = match state {
            State::Good => "doğru",
            State::Bad => broken,
            State::Unknown => "karar verilemiyor",
            State::Note => "bilgi",
        };
        match field {
            "" => format!("{title}: {says}"),
            field => format!("{title} ({field}): {says}"),
        }
    }

    // table: name, title, what is so when it is bad
    fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Form => ("form", "Biçim", "okunamıyor"),
            Self::Oddity => ("oddity", "Alışılmadık yazım", "kabul edilemez"),
            Self::SignatureForm => ("signature-form", "İmzanın yapısı", "geçersiz"),
            Self::Algorithms => ("algorithms", "Algoritmalar", "güvenilmez"),
            Self::ReferenceDocument => {
                ("reference-document", "Belgenin özeti", "belge imzadan sonra değişmiş")
            }
            Self::ReferenceSignedProperties => (
                "reference-signed-properties",
                "İmzalı özelliklerin özeti",
                "özellikler imzadan sonra değişmiş",
            ),
            Self::ReferenceKeyInfo => (
                "reference-key-info",
                "Anahtar bilgisinin özeti",
                "anahtar bilgisi imzadan sonra değişmiş",
            ),
            Self::SigningCertificate => {
                ("signing-certificate", "İmza sertifikasının bağı", "başka bir sertifika")
            }
            Self::SignatureValue => ("signature-value", "İmza değeri", "imza doğrulanmadı"),
            Self::TimeStamp => ("time-stamp", "Zaman damgası", "okunamıyor"),
            Self::TimeStampImprint => {
                ("time-stamp-imprint", "Zaman damgasının konusu", "damga başka bir şeye ait")
            }
            Self::TimeStampSignature => {
                ("time-stamp-signature", "Zaman damgasının imzası", "doğrulanmadı")
            }
            Self::TimeStampCertificate => {
                ("time-stamp-certificate", "Zaman damgası makamı", "güvenilmiyor")
            }
            Self::SealCertificate => ("seal-certificate", "İşlem sertifikası", "güvenilmiyor"),
            Self::Revocation => ("revocation", "İptal durumu", "sertifika iptal edilmiş"),
            Self::Times => ("times", "Zamanlar", "birbiriyle çelişiyor"),
            Self::Issuer => ("issuer", "Düzenleyen", "mühür başkasının"),
            Self::OriginalDigest => ("original-digest", "Özgün iletinin özeti", "ileti başka"),
            Self::OriginalField => ("original-field", "Özgün ileti", "delille uyuşmuyor"),
            Self::Seal => ("seal", "KEPHS mührü", "doğrulanmadı"),
            Self::SealFrom => ("seal-from", "Mühür ve gönderen adres", "uyuşmuyor"),
            Self::EnclosedEvidence => ("enclosed-evidence", "Ekteki delil", "yok"),
            Self::EnclosedOriginal => ("enclosed-original", "Ekteki özgün ileti", "ileti başka"),
            Self::Header => ("header", "Üst bilgi", "delille uyuşmuyor"),
            Self::HeaderDigest => ("header-digest", "Üst bilgideki özet", "ileti başka"),
            Self::UserSignature => ("user-signature", "Gönderenin imzası", "doğrulanmadı"),
            Self::UserCertificate => ("user-certificate", "Gönderenin sertifikası", "güvenilmiyor"),
            Self::SameMessage => ("same-message", "Aynı ileti", "belgeler çelişiyor"),
            Self::Field => ("field", "Belgeler arası karşılaştırma", "uyuşmuyor"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_in_json_is_the_name_in_lines() {
        for name in Name::ALL {
            assert_eq!(serde_json::to_string(&name).unwrap(), format!("\"{}\"", name.as_str()));
        }
    }

    #[test]
    fn the_page_has_a_row_for_each_check() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.md");
        let page = std::fs::read_to_string(page).unwrap();
        for name in Name::ALL {
            let row = format!("| `{}` |", name.as_str());
            assert_eq!(page.matches(&row).count(), 1, "{row}");
        }
    }

    #[test]
    fn turkish_names_the_field() {
        let said = Name::Header.turkish(State::Bad, "ileti kimliği");
        assert_eq!(said, "Üst bilgi (ileti kimliği): delille uyuşmuyor");
    }
}
