//! Object identifiers (RFC 8474): a mailbox's is its number, a message's that of its octets, so that
//! copies have the same, an unopened dispatch the same as when it is opened, and its notice another. A
//! thread's is that of the octets that began it.

use crate::wire::{ContentId, MailboxId, ThreadId};

/// `F12`: stays when the mailbox is renamed, and is never another's.
pub fn mailbox_id(id: MailboxId) -> String {
    format!("F{}", id.0)
}

/// `M12`
pub fn email_id(content: ContentId) -> String {
    format!("M{}", content.0)
}

/// Whose EMAILID this is, if it can be one.
pub fn parse_email_id(text: &str) -> Option<ContentId> {
    let digits = text.strip_prefix('M')?;
    let id = ContentId(digits.parse().ok()?);
    // One spelling only: identifiers are compared octet by octet.
    (email_id(id) == text).then_some(id)
}

/// `T12`
pub fn thread_id(thread: ThreadId) -> String {
    format!("T{}", thread.0)
}

/// Whose THREADID this is, if it can be one.
pub fn parse_thread_id(text: &str) -> Option<ThreadId> {
    let id = ThreadId(text.strip_prefix('T')?.parse().ok()?);
    (thread_id(id) == text).then_some(id)
}

/// RFC 8474 §7 `objectid`.
pub fn is_object_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=255).contains(&text.len()) && text.bytes().all(good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_one_spelling() {
        assert_eq!(parse_email_id(&email_id(ContentId(7))), Some(ContentId(7)));
        for other in ["M07", "m7", "M", "M-7x", "7", "F7", "M+7"] {
            assert_eq!(parse_email_id(other), None, "{other}");
        }
        assert_eq!(parse_thread_id(&thread_id(ThreadId(7))), Some(ThreadId(7)));
        for other in ["T07", "t7", "T", "T-7x", "7", "M7", "T+7"] {
            assert_eq!(parse_thread_id(other), None, "{other}");
        }
        assert!(is_object_id(&mailbox_id(MailboxId(1))) && is_object_id("a_b-C9"));
        assert!(!is_object_id("") && !is_object_id("a b") && !is_object_id(&"x".repeat(256)));
    }
}
