//! What a mail program asks of mailboxes, answered in batches.
