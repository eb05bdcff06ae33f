//! The one table of policies. A row: field, key, kind, what holds while nothing is decided, and what it
//! is about in Turkish and English. Whoever adds one adds a row.

use super::super::accounts::SignatureRule;
use super::super::read_policy::ReadPolicy;
use super::Declared;
use super::kinds::{DispatchSize, Kind, Span, Unscanned};

macro_rules! policies {
    ($($field:ident $key:literal: $kind:ty = $default:expr, $turkish:literal, $english:literal;)+) => {
        /// What is in force at one instant.
        #[derive(Clone, PartialEq, Debug)]
        pub struct Policies {
            $(#[doc = $english] pub $field: $kind,)+
        }

        impl Default for Policies {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl Policies {
            /// Takes a decision in; false when this program knows no such key, or no such value of it.
            pub(super) fn take(&mut self, key: &str, value: &str) -> bool {
                match key {
                    $($key => match <$kind as Kind>::parse(value) {
                        Some(value) => {
                            self.$field = value;
                            true
                        }
                        None => false,
                    },)+
                    _ => false,
                }
            }

            /// A value as it is written.
            pub fn written(&self, key: &str) -> Option<String> {
                match key {
                    $($key => Some(Kind::write(&self.$field)),)+
                    _ => None,
                }
            }
        }

        /// Every policy there is.
        pub const DECLARED: &[Declared] = &[$(Declared {
            key: $key, form: <$kind as Kind>::FORM, turkish: $turkish, english: $english,
        },)+];
    };
}

policies! {
    read_standart "read.standart": Option<ReadPolicy> = None,
        "Standart iletinin okunmuş sayılacağı süre", "When a standard message counts as read";
    read_eyazisma "read.e-yazisma": Option<ReadPolicy> = None,
        "e-Yazışma paketinin okunmuş sayılacağı süre", "When an e-Yazışma package counts as read";
    read_etebligat "read.e-tebligat": Option<ReadPolicy> = None,
        "e-Tebligatın okunmuş sayılacağı süre", "When an e-Tebligat counts as read";
    size_message "size.message": Option<DispatchSize> = None,
        "Mühürlü iletinin en büyük boyutu", "Largest sealed dispatch";
    signature "signature.default": Option<SignatureRule> = None,
        "Yeni hesaplardan istenen imza", "What signature new accounts are asked for";
    virus_unscanned "virus.unscanned": Unscanned = Unscanned::Refuse,
        "Virüs taraması yapılamayan iletiye ne olur", "What becomes of a message that can't be scanned";
    retention_trash "retention.trash": Option<Span> = None,
        "Çöp kutusundaki iletilerin saklanma süresi", "How long messages stay in the trash";
    hold_lapse "hold.lapse": Span = Span::days(7),
        "İmza bekleyen iletinin bekleyeceği süre", "How long a message waits for its signature";
    task_certificate "task.certificate": Span = Span::days(30),
        "Süresi dolan sertifika için iş kaç gün önce açılır", "How long before a certificate ends there is a task";
    task_contract "task.contract": Span = Span::days(30),
        "Süresi dolan sözleşme için iş kaç gün önce açılır", "How long before a contract ends there is a task";
    task_evidence "task.evidence": Span = Span::minutes(15),
        "Kabul delili ne kadar gecikince iş açılır", "How late acceptance evidence is before there is a task";
    task_relay "task.relay": Span = Span::hours(6),
        "Karşı sağlayıcının delili ne kadar gecikince iş açılır", "How late another provider's evidence is before there is a task";
}
