-- The generation of the master key under which all was found to be sealed.
CREATE TABLE vault_state (
    one BIGINT PRIMARY KEY,
    settled BIGINT NOT NULL
);
INSERT INTO vault_state (one, settled) VALUES (1, 0);

-- What a person set for himself; what is not here is as the table in the program has it.
CREATE TABLE account_setting (
    account BIGINT NOT NULL,
    -- 0: the holder.
    operator BIGINT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account, operator, key)
){clustered};

-- An authority's request (makam talebi) for what is kept: entered by one of the staff, decided by another.
CREATE TABLE authority_request (
    id {id},
    authority TEXT NOT NULL,
    file_number TEXT NOT NULL,
    legal_basis TEXT NOT NULL,
    account BIGINT NOT NULL,
    -- `mails`, `evidence` or `all`.
    scope TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    -- Not any more.
    until_at BIGINT NOT NULL,
    -- Whom the export is encrypted for, DER.
    certificate {bytes} NOT NULL,
    note TEXT NOT NULL,
    entered_by TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    -- `entered`, `approved` or `refused`.
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    decision TEXT
);
CREATE INDEX authority_request_account ON authority_request (account);
-- What was handed out, and to whom of the staff.
CREATE TABLE authority_export (
    id {id},
    request BIGINT NOT NULL,
    exported_by TEXT NOT NULL,
    exported_at BIGINT NOT NULL,
    -- SHA-256 of the archive in clear, which its seal is over, and of what was written.
    digest {bytes} NOT NULL,
    sealed_digest {bytes} NOT NULL,
    stamped_at BIGINT NOT NULL,
    mails BIGINT NOT NULL,
    evidence BIGINT NOT NULL
);
CREATE INDEX authority_export_of ON authority_export (request);

-- Since when an account is told to be nearly full, until it is not any more.
CREATE TABLE storage_warned (
    account BIGINT PRIMARY KEY,
    n BIGINT NOT NULL,
    -- 1 while it is nearly full.
    full_now BIGINT NOT NULL
);
