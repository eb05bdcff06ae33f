-- Mailboxes that are gathered from others (docs/adr/0012). Of a message in one: the message that it
-- shows. Such a row holds no content and is none of a message's places.
ALTER TABLE message ADD COLUMN source BIGINT;
ALTER TABLE message ADD COLUMN source_uid BIGINT;
-- Of a message in the trash: the mailbox it was in.
ALTER TABLE message ADD COLUMN came_from BIGINT;
CREATE UNIQUE INDEX message_gathered ON message (mailbox, source, source_uid)
    WHERE source IS NOT NULL;
-- How far a mailbox has gathered another: all that happened there up to a mod-sequence.
CREATE TABLE gathered (
    mailbox BIGINT NOT NULL,
    source BIGINT NOT NULL,
    mod_seq BIGINT NOT NULL,
    -- The gathering mailbox's mod-sequence when it began: what is forgotten and begun anew is another.
    began BIGINT NOT NULL,
    PRIMARY KEY (mailbox, source)
){clustered};
-- Accounts made before.
INSERT INTO mailbox (account, name, role, subscribed, uid_validity, uid_next, mod_seq)
    SELECT id, 'Tüm Postalar', 'all', 0, created_at / 1000 + 1, 1, 1 FROM account
    UNION ALL SELECT id, 'Önemli', 'flagged', 0, created_at / 1000 + 1, 1, 1 FROM account;
DELETE FROM former_mailbox WHERE name IN ('Tüm Postalar', 'Önemli');
