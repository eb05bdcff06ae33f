//! What a setting is, and the macro that turns a list of them into a typed section.

use super::read::Reader;

/// One setting, as people read about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setting {
    pub section: &'static str,
    pub key: &'static str,
    pub default: Default,
    /// Smallest and largest value, written as in the file.
    pub within: Option<(&'static str, &'static str)>,
    /// Why the default (or, without one, the setting) is what it is.
    pub why: &'static str,
    pub doc: &'static [&'static str],
    /// How a value is written.
    pub form: &'static str,
}

/// What holds when the file doesn't say. Texts are TOML; `'` stands for `"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// Nothing: the file must say; the example stands in the sample file.
    Must(&'static str),
    Is(&'static str),
    /// A default; the sample file, which is for the packaged service, sets something else.
    Packaged(&'static str, &'static str),
    /// Not set; the example stands commented out.
    Off(&'static str),
    /// Not set, but the sample file sets the example.
    Shown(&'static str),
}

/// A typed section of the file.
pub trait Section: Sized {
    const NAME: &'static str;
    const ABOUT: &'static [&'static str];
    const SETTINGS: &'static [Setting];

    /// `None` when something is wrong, which the reader has noted.
    fn take(reader: &mut Reader<'_>) -> Option<Self>;
}

impl Setting {
    pub fn full_key(&self) -> String {
        format!("{}.{}", self.section, self.key)
    }
}

impl Default {
    /// The value in the sample file.
    pub fn example(self) -> String {
        let (Self::Must(text)
        | Self::Is(text)
        | Self::Packaged(_, text)
        | Self::Off(text)
        | Self::Shown(text)) = self;
        written(text)
    }
}

/// A declared text as the file has it.
pub fn written(text: &str) -> String {
    text.replace('\'', "\"")
}

/// ```text
/// section! {
///     /// What the section is about.
///     Accept in "accept" {
///         /// What the setting does.
///         max_size: Size = Is("'25 MiB'") within "'64 KiB'" to "'1 GiB'", "why this default";
///     }
/// }
/// ```
macro_rules! section {
    ($(#[doc = $about:literal])+ $section:ident in $name:literal {
        $($(#[doc = $doc:literal])+
        $field:ident: $kind:ty = $default:ident($($text:literal),+)
            $(within $low:literal to $high:literal)?, $why:literal;)+
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $section {
            $($(#[doc = $doc])+ pub $field: $kind,)+
        }

        impl Section for $section {
            const NAME: &'static str = $name;
            const ABOUT: &'static [&'static str] = &[$($about),+];
            const SETTINGS: &'static [Setting] = &[$(Setting {
                section: $name,
                key: stringify!($field),
                default: Default::$default($($text),+),
                within: within!($($low, $high)?),
                why: $why,
                doc: &[$($doc),+],
                form: <$kind as Kind>::FORM,
            }),+];

            fn take(reader: &mut Reader<'_>) -> Option<Self> {
                let mut settings = Self::SETTINGS.iter();
                $(let $field: Option<$kind> = reader.take(settings.next()?);)+
                Some(Self { $($field: $field?),+ })
            }
        }
    };
}

macro_rules! within {
    () => {
        None
    };
    ($low:literal, $high:literal) => {
        Some(($low, $high))
    };
}

pub(super) use {section, within};
