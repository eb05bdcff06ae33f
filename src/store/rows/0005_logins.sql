-- Since when an account is closed, while it is: what may still be done with it follows from that.
ALTER TABLE account ADD COLUMN closed_at BIGINT;
-- Who shows a certificate is looked for by it alone.
CREATE INDEX account_certificate_of ON account_certificate (fingerprint);
-- Generated passwords of mail programs. The id is the password's first group: it tells which row a
-- password belongs to, and is no part of what can't be guessed.
CREATE TABLE app_password (
    account BIGINT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    opening TEXT,
    verifier TEXT NOT NULL,
    salt {bytes} NOT NULL,
    iterations BIGINT NOT NULL,
    -- Sealed: who has it can pose as the server.
    scram {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account, id)
){clustered};
