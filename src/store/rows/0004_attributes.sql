-- Annotations of mailboxes (RFC 5464); mailbox 0 is the account as a whole.
CREATE TABLE metadata (
    account BIGINT NOT NULL,
    mailbox BIGINT NOT NULL,
    entry TEXT NOT NULL,
    value {bytes} NOT NULL,
    PRIMARY KEY (account, mailbox, entry)
){clustered};
-- Octets of the messages in a mailbox: a quota is asked for often, and must not be counted each time.
ALTER TABLE mailbox ADD COLUMN octets BIGINT NOT NULL DEFAULT 0;
UPDATE mailbox SET octets = COALESCE(
    (SELECT SUM(message.size) FROM message WHERE message.mailbox = mailbox.id), 0);
-- An account's own limit in octets; without one the provider's holds.
ALTER TABLE account ADD COLUMN storage BIGINT;
-- What a mailbox is for (RFC 6154), where its role does not say it.
ALTER TABLE mailbox ADD COLUMN used_for TEXT;
-- Of a mailbox for a label: its keyword, in small letters. Whether an account has such mailboxes.
ALTER TABLE mailbox ADD COLUMN label TEXT;
ALTER TABLE account ADD COLUMN label_mailboxes BIGINT NOT NULL DEFAULT 0;
