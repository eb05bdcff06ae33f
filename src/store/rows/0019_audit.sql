-- Who did what, each entry bound to the one before it. No statement of this program changes or
-- deletes a row of `audit` or `audit_seal`.
CREATE TABLE audit (
    n BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    channel TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- JSON.
    details TEXT NOT NULL,
    -- SHA-256 over the link before it and all of this row.
    link {bytes} NOT NULL
);
CREATE INDEX audit_subject ON audit (subject, n);
CREATE INDEX audit_at ON audit (at);
-- The newest entry; who appends changes it first, and so waits for who appends at the same time.
CREATE TABLE audit_head (
    one BIGINT PRIMARY KEY,
    n BIGINT NOT NULL,
    link {bytes} NOT NULL
);
-- The chain's head as it was sealed and stamped, each bound to the seal before it.
CREATE TABLE audit_seal (
    number BIGINT PRIMARY KEY,
    statement TEXT NOT NULL,
    -- CAdES-T, detached.
    signature {bytes} NOT NULL
);
-- What the provider decided, since when, why and who. Of one key, the newest that has begun holds.
CREATE TABLE policy (
    key TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    -- Among those of one instant the last one set holds.
    seq BIGINT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    set_by TEXT NOT NULL,
    set_at BIGINT NOT NULL,
    PRIMARY KEY (key, valid_from, seq)
);
-- The provider's own people.
CREATE TABLE staff (
    name TEXT PRIMARY KEY,
    display TEXT NOT NULL,
    -- Words, a space between.
    roles TEXT NOT NULL,
    -- Argon2id.
    password TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    -- Since when no longer.
    ended_at BIGINT
);
