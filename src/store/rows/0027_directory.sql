-- The directory (KEP Rehberi): what a natural person agreed to. No row: nothing.
CREATE TABLE directory_consent (
    account BIGINT PRIMARY KEY,
    listed BIGINT NOT NULL,
    findable BIGINT NOT NULL,
    -- Words, a space between.
    fields TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
){clustered};
-- What the directory has of an account, made of the holder's data and his consent. One that is listed no
-- more keeps its row: its revision goes on.
CREATE TABLE directory_entry (
    account BIGINT PRIMARY KEY,
    address TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    -- JSON; NULL: not listed.
    record TEXT,
    -- Whether queries find it; the others are told to the central directory alone.
    findable BIGINT NOT NULL,
    -- Folded, exact; NULL: nothing to be found by.
    name_key {bytes},
    phone_key TEXT,
    mersis TEXT,
    tax_number TEXT,
    registry_number TEXT,
    detsis TEXT,
    -- T.C. kimlik no and the like: tells several of one name apart, and is never shown.
    identity TEXT,
    revision BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE INDEX directory_entry_name ON directory_entry (kind, name_key);
CREATE INDEX directory_entry_phone ON directory_entry (phone_key);
CREATE INDEX directory_entry_mersis ON directory_entry (mersis);
CREATE INDEX directory_entry_tax ON directory_entry (tax_number);
CREATE INDEX directory_entry_registry ON directory_entry (registry_number);
CREATE INDEX directory_entry_detsis ON directory_entry (detsis);
-- Folded words of the titles of companies and public bodies.
CREATE TABLE directory_word (
    kind TEXT NOT NULL,
    word {bytes} NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (kind, word, account)
){clustered};
CREATE INDEX directory_word_of ON directory_word (account);
-- Entries that the central directory has not heard of yet in their last revision.
CREATE TABLE directory_push (
    account BIGINT PRIMARY KEY,
    revision BIGINT NOT NULL,
    since BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    heard TEXT NOT NULL
);
CREATE INDEX directory_push_due ON directory_push (due_at);
-- Who asked what kind of question, by which keys, and how much he was told (KVKK). Not what he asked for.
CREATE TABLE directory_query (
    id {id},
    account BIGINT NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    keys TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- NULL: it was not answered.
    results BIGINT,
    -- What became of the question to the central directory.
    central TEXT NOT NULL
);
CREATE INDEX directory_query_of ON directory_query (account, asked_at);
CREATE INDEX directory_query_at ON directory_query (asked_at);
