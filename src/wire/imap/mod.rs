//! IMAP's grammar (RFC 9051, RFC 3501 and extensions): values, a streaming command parser, and the
//! responses imap-codec has no words for.

pub mod command;
pub mod encode;
pub mod flag;
pub mod label;
pub mod mailbox;
pub mod metadata;
pub mod notify;
pub mod object_id;
mod parse;
pub mod reader;
pub mod rights;
pub mod search;
pub mod set;
pub mod structure;
pub mod url;
pub mod utf7;

pub use command::{Command, Tagged};
pub use flag::{Flags, Keyword, Keywords, SystemFlags, Union};
pub use mailbox::{MailboxName, Pattern, SpecialUse};
pub use parse::parse_command_bytes;
pub(crate) use parse::{BAD_CHARSET, BAD_CHARSET_TO_SAVE};
pub use reader::{Event, Reader};
pub use rights::Rights;
pub use search::{MessageSet, SearchKey};
pub use set::{ModSeq, SequenceSet, Uid, UidSet};
pub use structure::Structure;
pub use url::MessageUrl;
