-- Whose each of these is: an account's holder (operator 0), or one of its operators.
CREATE TABLE totp (
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    -- Sealed: who has it makes the codes.
    secret {bytes} NOT NULL,
    made_at BIGINT NOT NULL,
    -- By its first code; before that it proves nothing.
    confirmed_at BIGINT,
    used_step BIGINT,
    PRIMARY KEY (account, operator)
){clustered};
CREATE TABLE backup_code (
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    PRIMARY KEY (account, operator, digest)
){clustered};
CREATE TABLE passkey (
    id {bytes} PRIMARY KEY,
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    name TEXT NOT NULL,
    -- As COSE writes it.
    public_key {bytes} NOT NULL,
    sign_count BIGINT NOT NULL,
    added_at BIGINT NOT NULL,
    used_at BIGINT
){clustered};
CREATE INDEX passkey_of ON passkey (account, operator);
CREATE TABLE login_choice (
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    two_factors BIGINT NOT NULL,
    PRIMARY KEY (account, operator)
){clustered};
-- The password of an operator; a holder's stands in `account`.
CREATE TABLE operator_password (
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    verifier TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (account, operator)
){clustered};
CREATE TABLE login_session (
    id TEXT PRIMARY KEY,
    token {bytes} NOT NULL UNIQUE,
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    -- Words `factor@milliseconds`: what was shown, and when last.
    proofs TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX login_session_of ON login_session (account, operator);
CREATE INDEX login_session_ends ON login_session (ends_at);
CREATE INDEX login_session_seen ON login_session (seen_at);
-- Failures, by factor and name. A name that nobody has is counted like any other.
CREATE TABLE login_try (
    who TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL
);
CREATE INDEX login_try_last ON login_try (last_at);
-- What was asked and waits for its answer; taken by it. Named by the digest of a token.
CREATE TABLE login_challenge (
    token {bytes} PRIMARY KEY,
    kind TEXT NOT NULL,
    -- 0 where it is not known yet, or there is none.
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    details TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX login_challenge_ends ON login_challenge (ends_at);
CREATE INDEX login_challenge_of ON login_challenge (account);
-- What a holder is to be told outside KEP, until it is handed to who sends it.
CREATE TABLE account_message (
    id {id},
    account BIGINT NOT NULL,
    operator BIGINT NOT NULL,
    kind TEXT NOT NULL,
    -- Sealed JSON: it may hold a code or a link.
    fields {bytes} NOT NULL,
    made_at BIGINT NOT NULL
);
-- Which doors a generated password is for, and what a certificate is for.
ALTER TABLE app_password ADD COLUMN scopes TEXT NOT NULL DEFAULT 'smtp imap';
ALTER TABLE account_certificate ADD COLUMN uses TEXT NOT NULL DEFAULT 'both';
-- Since when its password holds; who came in by an older one leaves.
ALTER TABLE account ADD COLUMN password_at BIGINT NOT NULL DEFAULT 0;
-- Who signs a login is looked for by his number.
CREATE INDEX account_national_id ON account (national_id) WHERE national_id IS NOT NULL;
