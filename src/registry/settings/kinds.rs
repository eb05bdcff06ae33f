//! The kinds of values that a setting can have.

use crate::registry::declared::Kind;
use crate::registry::outbox::Language;

macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident $form:literal [$($value:literal),+]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub u16);

        impl $name {
            pub const ALL: &'static [u16] = &[$($value),+];
        }

        impl Kind for $name {
            const FORM: &'static str = $form;

            fn parse(text: &str) -> Option<Self> {
                text.trim().parse().ok().filter(|n| Self::ALL.contains(n)).map(Self)
            }

            fn write(&self) -> String {
                self.0.to_string()
            }
        }
    };
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident $form:literal { $($variant:ident = $word:literal),+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $($variant,)+
        }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
        }

        impl Kind for $name {
            const FORM: &'static str = $form;

            fn parse(text: &str) -> Option<Self> {
                match text.trim() {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }

            fn write(&self) -> String {
                match self {
                    $(Self::$variant => $word,)+
                }
                .to_owned()
            }
        }
    };
}

numbers!(
    /// Messages.
    PageSize "25, 50, 100 or 200" [25, 50, 100, 200]
);
numbers!(
    /// Seconds.
    Undo "0, 10, 30 or 60" [0, 10, 30, 60]
);
words!(
    /// 32, 40 and 52 pixels a row.
    Density "tight, normal or loose" { Tight = "tight", Normal = "normal", Loose = "loose" }
);
words!(
    Theme "system, light or dark" { System = "system", Light = "light", Dark = "dark" }
);
words!(
    Clock "24h or 12h" { Hours24 = "24h", Hours12 = "12h" }
);
words!(
    /// Before an unopened message is opened.
    Asking "always, daily or never" { Always = "always", Daily = "daily", Never = "never" }
);
words!(
    Format "html or text" { Html = "html", Text = "text" }
);
words!(
    /// Of a list of messages.
    Column "a column" {
        Flag = "flag", Attachment = "attachment", State = "state", Who = "who",
        Subject = "subject", Labels = "labels", Date = "date", Size = "size"
    }
);

/// Columns of a list, in their order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Columns(pub Vec<Column>);

/// Some lines of plain text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureText(pub String);

impl Kind for Columns {
    const FORM: &'static str =
        "each once, with commas: flag, attachment, state, who, subject, labels, date, size";

    fn parse(text: &str) -> Option<Self> {
        let words = text.split(',').map(Column::parse);
        let columns = words.collect::<Option<Vec<_>>>()?;
        let once = |(at, column)| !columns.iter().skip(at + 1).any(|other| other == column);
        columns.iter().enumerate().all(once).then_some(Self(columns))
    }

    fn write(&self) -> String {
        self.0.iter().map(Kind::write).collect::<Vec<_>>().join(",")
    }
}

impl Kind for SignatureText {
    const FORM: &'static str = "up to 2000 characters in lines";

    fn parse(text: &str) -> Option<Self> {
        let text = text.replace("\r\n", "\n");
        let bad = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
        let good = text.chars().count() <= SIGNATURE && !text.chars().any(bad);
        good.then_some(Self(text))
    }

    fn write(&self) -> String {
        self.0.clone()
    }
}

impl Kind for Language {
    const FORM: &'static str = "tr or en";

    fn parse(text: &str) -> Option<Self> {
        Self::parse(text.trim())
    }

    fn write(&self) -> String {
        self.word().to_owned()
    }
}

/// Characters of a text beneath messages.
pub const SIGNATURE: usize = 2000;
