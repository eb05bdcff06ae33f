-- What servers of other providers report of mail that they took (RFC 3464): no seal is under it, it is kept
-- beside evidence and shown.
CREATE TABLE report (
    id {id},
    message_id TEXT NOT NULL,
    -- Of an evidence mail: which evidence. Else empty.
    evidence TEXT NOT NULL,
    provider TEXT NOT NULL,
    recipient TEXT NOT NULL,
    -- RFC 3464 §2.3.3, and RFC 3463.
    action TEXT NOT NULL,
    status TEXT NOT NULL,
    diagnostic TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    UNIQUE (message_id, evidence, provider, recipient, action, status)
);
