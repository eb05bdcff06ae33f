-- Which annotation changed last, and at which step of its account; those that are gone, too: sessions
-- that watch are told the names. The oldest are forgotten.
CREATE TABLE metadata_change (
    account BIGINT NOT NULL,
    mailbox BIGINT NOT NULL,
    entry TEXT NOT NULL,
    step BIGINT NOT NULL,
    PRIMARY KEY (account, mailbox, entry)
){clustered};
CREATE INDEX metadata_change_step ON metadata_change (account, step);
ALTER TABLE account ADD COLUMN metadata_step BIGINT NOT NULL DEFAULT 0;
