-- Where people are told outside KEP, and of what. A code proves that it is theirs.
CREATE TABLE notice_target (
    id {id},
    account BIGINT NOT NULL,
    -- `sms` or `mail`.
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    -- `tr` or `en`.
    language TEXT NOT NULL,
    -- Words, a space between.
    events TEXT NOT NULL,
    -- Minutes of the day in Turkey between which nobody is woken.
    quiet_from BIGINT,
    quiet_until BIGINT,
    -- Of a deputy: his name, and while he is told.
    deputy TEXT,
    away_from BIGINT,
    away_until BIGINT,
    added_at BIGINT NOT NULL,
    verified_at BIGINT,
    -- Of the code that was sent last: its digest under the vault's key.
    code {bytes},
    code_at BIGINT,
    code_tries BIGINT NOT NULL DEFAULT 0,
    UNIQUE (account, channel, target)
);
-- What is to be said outside KEP, and what became of it. The same cause is one row for each place.
CREATE TABLE outgoing (
    id {id},
    account BIGINT NOT NULL,
    cause TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    language TEXT NOT NULL,
    kind TEXT NOT NULL,
    -- What its text is made of, until it is settled; sealed where it holds a secret.
    fields {bytes},
    sealed BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- `waiting`, `sending`, `sent`, `joined`, `failed` or `withdrawn`.
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    -- Of how many it tells: its own, and those that joined it.
    tells BIGINT NOT NULL DEFAULT 1,
    -- The one that tells of it.
    joined BIGINT,
    settled_at BIGINT,
    -- What was heard the last time it could not be sent.
    trouble TEXT NOT NULL DEFAULT '',
    UNIQUE (account, cause, channel, target)
);
CREATE INDEX outgoing_to ON outgoing (account, channel, target, kind, due_at);
CREATE INDEX outgoing_state ON outgoing (state, due_at);
-- What a gateway calls the parts of an SMS, and what it says became of them. A receipt may come before
-- the answer that it is about.
CREATE TABLE outgoing_part (
    reference TEXT PRIMARY KEY,
    outgoing BIGINT,
    receipt TEXT,
    at BIGINT NOT NULL
){clustered};
CREATE INDEX outgoing_part_of ON outgoing_part (outgoing);
CREATE INDEX outgoing_part_at ON outgoing_part (at);
-- What of an account was said already and should not be said again.
CREATE TABLE notice_place (
    account BIGINT NOT NULL,
    -- Digest of the network, under the vault's key.
    place {bytes} NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (account, place)
){clustered};
