//! IMAP's grammar (RFC 9051, RFC 3501 and extensions): values, a streaming command parser, and the
//! responses imap-codec has no words for.

pub mod flag;
pub mod mailbox;
pub mod search;
pub mod set;
pub mod utf7;

pub use flag::{Flags, Keyword, Keywords, SystemFlags};
pub use mailbox::{MailboxName, Pattern, SpecialUse};
pub use search::{MessageSet, SearchKey};
pub use set::{ModSeq, SequenceSet, Uid, UidSet};
