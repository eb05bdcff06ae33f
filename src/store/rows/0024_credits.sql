-- Credits (kontör). An entry takes an amount out of one ledger and puts it into another, so that none can
-- be written whose postings do not sum to zero. No statement of this program deletes or changes one.
CREATE TABLE credit_entry (
    -- In the order of the entries of an account.
    seq {id},
    -- Derived from its cause: the same cause has the same.
    id TEXT NOT NULL UNIQUE,
    account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    target TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    -- What the account had left of that unit after it.
    rest BIGINT NOT NULL,
    at BIGINT NOT NULL,
    message_id TEXT,
    recipient BIGINT,
    -- JSON.
    details TEXT NOT NULL,
    CHECK (source <> target)
);
CREATE INDEX credit_entry_account ON credit_entry (account, seq);
-- The two postings of each entry, by the holder of the ledger: 0 is the provider.
CREATE VIEW credit_posting AS
    SELECT id AS entry, source AS ledger, -amount AS amount,
           CASE WHEN source LIKE 'provider/%' THEN 0 ELSE account END AS holder FROM credit_entry
    UNION ALL
    SELECT id AS entry, target AS ledger, amount,
           CASE WHEN target LIKE 'provider/%' THEN 0 ELSE account END AS holder FROM credit_entry;
-- The sums of an account's postings, kept with each entry. The provider's own have none: that would be one
-- row which all senders change.
CREATE TABLE credit_balance (
    account BIGINT PRIMARY KEY,
    available BIGINT NOT NULL DEFAULT 0 CHECK (available >= 0),
    reserved BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
    sms BIGINT NOT NULL DEFAULT 0 CHECK (sms >= 0),
    sms_spent BIGINT NOT NULL DEFAULT 0 CHECK (sms_spent >= 0)
){clustered};
-- A balance that has just fallen below its threshold, until somebody has told of it.
CREATE TABLE credit_low (
    id {id},
    account BIGINT NOT NULL,
    ledger TEXT NOT NULL,
    rest BIGINT NOT NULL,
    threshold BIGINT NOT NULL,
    at BIGINT NOT NULL
);
