-- What a mail program is shown of a message follows from its content: one row for all its copies,
-- so that listing and flagging touch small rows only.
CREATE TABLE outline (
    content {id},
    structure {bytes} NOT NULL,
    header {bytes} NOT NULL
);
INSERT INTO outline (content, structure, header)
    SELECT content, structure, header FROM message WHERE true ON CONFLICT (content) DO NOTHING;
ALTER TABLE message DROP COLUMN structure;
ALTER TABLE message DROP COLUMN header;

-- The mod-sequence at which a message came: what came and what changed are told apart by it.
ALTER TABLE message ADD COLUMN born BIGINT NOT NULL DEFAULT 0;
CREATE INDEX vanished_since ON vanished (mailbox, mod_seq);

-- A name that was a mailbox: its next UIDVALIDITY must be greater (RFC 9051 §2.3.1.1), and it may
-- be subscribed still (§6.3.7).
CREATE TABLE former_mailbox (
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    uid_validity BIGINT NOT NULL,
    subscribed BIGINT NOT NULL,
    PRIMARY KEY (account, name)
);
