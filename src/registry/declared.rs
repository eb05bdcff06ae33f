//! What is set under a key: policies, which the provider decides, and settings, which a person does. Each has
//! a table with a row for each: field, key, kind, what holds until somebody says otherwise, and what it is
//! about in Turkish and English.

/// A kind of value: how one is written and read.
pub trait Kind: Sized + Clone + PartialEq + std::fmt::Debug {
    /// How one is written.
    const FORM: &'static str;

    fn parse(text: &str) -> Option<Self>;
    fn write(&self) -> String;
}

/// A row, as people read about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Declared {
    pub key: &'static str,
    /// How a value is written.
    pub form: &'static str,
    pub turkish: &'static str,
    pub english: &'static str,
}

impl Kind for bool {
    const FORM: &'static str = "yes or no";

    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "yes" | "evet" => Some(true),
            "no" | "hayır" => Some(false),
            _ => None,
        }
    }

    fn write(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

macro_rules! declared {
    ($(#[$doc:meta])* $name:ident {
        $($field:ident $key:literal: $kind:ty = $default:expr, $turkish:literal, $english:literal;)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            $(#[doc = $english] pub $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            /// False when this program knows no such key, or no such value of it.
            pub(super) fn take(&mut self, key: &str, value: &str) -> bool {
                match key {
                    $($key => match <$kind as $crate::registry::declared::Kind>::parse(value) {
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
                    $($key => Some($crate::registry::declared::Kind::write(&self.$field)),)+
                    _ => None,
                }
            }
        }

        /// Every row there is.
        pub const DECLARED: &[$crate::registry::declared::Declared] =
            &[$($crate::registry::declared::Declared {
                key: $key,
                form: <$kind as $crate::registry::declared::Kind>::FORM,
                turkish: $turkish,
                english: $english,
            },)+];
    };
}
pub(super) use declared;
