-- Whose an account is.
CREATE TABLE holder (
    id {id},
    kind TEXT NOT NULL,
    -- The number by which the holder is known, and which number it is: one row each.
    identity TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- registry::holders::HolderForm.
    form TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
ALTER TABLE account ADD COLUMN holder BIGINT;
CREATE INDEX account_holder ON account (holder) WHERE holder IS NOT NULL;

-- What it may do, and since when.
ALTER TABLE account ADD COLUMN service TEXT NOT NULL DEFAULT 'both';
ALTER TABLE account ADD COLUMN state_since BIGINT;
ALTER TABLE account ADD COLUMN completes_at BIGINT;
ALTER TABLE account ADD COLUMN state_reason TEXT;
CREATE INDEX account_not_active ON account (state, id) WHERE state <> 'active';

-- What people take for the same address: wire::address::lookalike.
ALTER TABLE account ADD COLUMN lookalike TEXT NOT NULL DEFAULT '';
UPDATE account SET lookalike = REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(address,
    '.', ''), '-', ''), '_', ''), '0', 'o'), '1', 'l'), 'rn', 'm'), 'vv', 'w');
CREATE INDEX account_lookalike ON account (lookalike);
-- Who gives an address holds this row, where several processes share the rows.
CREATE TABLE allotting (
    one BIGINT PRIMARY KEY
);
INSERT INTO allotting (one) VALUES (1);
-- An institution's own: `label.hsNN.kep.tr`.
CREATE TABLE sub_domain (
    label TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    given_at BIGINT NOT NULL
);

-- Where a holder is reached for an account: the last one is in force, those before it are kept.
CREATE TABLE account_contact (
    account BIGINT NOT NULL,
    n BIGINT NOT NULL,
    form TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL,
    PRIMARY KEY (account, n)
){clustered};
-- What a company or a public body has beside that.
CREATE TABLE account_terms (
    account BIGINT PRIMARY KEY,
    invoice TEXT,
    e_seal BIGINT NOT NULL
);

CREATE TABLE contract (
    account BIGINT NOT NULL,
    n BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (account, n)
){clustered};
CREATE INDEX contract_ends ON contract (ends_at);

-- A holder's wish to close an account, and its receipt.
CREATE TABLE closing (
    id {id},
    account BIGINT NOT NULL,
    requested_at BIGINT NOT NULL,
    requested_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    completes_at BIGINT,
    -- Set when it was withdrawn or completed.
    outcome TEXT,
    decided_at BIGINT,
    receipt {bytes},
    signature {bytes},
    stamped_at BIGINT
);
CREATE INDEX closing_account ON closing (account, id);
CREATE INDEX closing_unsigned ON closing (id) WHERE signature IS NULL;

CREATE TABLE application (
    id {id},
    address TEXT NOT NULL,
    lookalike TEXT NOT NULL,
    identity TEXT NOT NULL,
    stage TEXT NOT NULL,
    -- Whether the address is kept for it: while it is under way, and for good where it was refused so.
    holds BIGINT NOT NULL,
    -- registry::applications::Wish and State.
    wish TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX application_address ON application (address) WHERE holds = 1;
CREATE INDEX application_lookalike ON application (lookalike) WHERE holds = 1;
CREATE INDEX application_stage ON application (stage, id);
