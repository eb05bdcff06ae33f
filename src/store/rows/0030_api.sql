-- The JSON API: what its callers show, and what they were answered.
CREATE TABLE api_token (
    -- The first group of the token.
    id TEXT PRIMARY KEY,
    -- Whose mailboxes it opens; without one it is a staff member's.
    account BIGINT,
    staff TEXT,
    name TEXT NOT NULL,
    -- Words between single spaces.
    scopes TEXT NOT NULL,
    digest {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX api_token_of ON api_token (account, created_at);

-- The answer to a request that names itself (Idempotency-Key), for a day.
CREATE TABLE api_reply (
    token TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Of the request.
    digest {bytes} NOT NULL,
    at BIGINT NOT NULL,
    -- Null while it is being worked on.
    reply {bytes},
    PRIMARY KEY (token, name)
){clustered};
CREATE INDEX api_reply_at ON api_reply (at);

-- Evidence of what came to an account is found by its recipients.
CREATE INDEX recipient_account ON recipient (account, message_id) WHERE account IS NOT NULL;
