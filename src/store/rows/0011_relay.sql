-- Other providers, further: since when they are in their state, by what their server is known (pins in
-- hexadecimal, or issuers in PEM), by what they are known when they connect to us, how evidence is
-- written for them, the largest dispatch they take.
ALTER TABLE provider ADD COLUMN since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE provider ADD COLUMN tls_pins TEXT NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN tls_ca TEXT NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN client_pins TEXT NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN dialect TEXT NOT NULL DEFAULT 'ts102640';
ALTER TABLE provider ADD COLUMN size_limit BIGINT;
-- Their seals, in the order they came: a new one is there before the old one ends. Without times of its
-- own one is good as long as the certificate says.
CREATE TABLE provider_seal (
    domain TEXT NOT NULL,
    n BIGINT NOT NULL,
    certificate {bytes} NOT NULL,
    valid_from BIGINT,
    valid_until BIGINT,
    PRIMARY KEY (domain, n)
){clustered};
INSERT INTO provider_seal (domain, n, certificate)
    SELECT domain, 1, seal_certificate FROM provider WHERE seal_certificate IS NOT NULL;
ALTER TABLE provider DROP COLUMN seal_certificate;

-- Mail on its way to other providers. Its row goes when the other one has it.
CREATE TABLE relay (
    id {id},
    name TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    -- `dispatch` or `evidence`.
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    -- Which evidence a mail of it holds; else empty.
    evidence TEXT NOT NULL,
    content BIGINT NOT NULL,
    -- The window for it runs from here.
    since BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    held BIGINT NOT NULL DEFAULT 0,
    leased_until BIGINT NOT NULL DEFAULT 0,
    -- What was heard the last time.
    reply TEXT NOT NULL DEFAULT ''
);
-- Each provider has a queue of its own, so that a long one costs the others nothing.
CREATE INDEX relay_due ON relay (provider, held, due_at, id);
CREATE INDEX relay_since ON relay (kind, held, since);
CREATE INDEX relay_content ON relay (content);
-- How another provider's server was found, while it is not well, or while its queue is held.
CREATE TABLE relay_peer (
    provider TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    -- `unreachable` or `not-identified`.
    trouble TEXT NOT NULL,
    reply TEXT NOT NULL,
    down_since BIGINT NOT NULL,
    probe_at BIGINT NOT NULL,
    held BIGINT NOT NULL
);
-- What waited for a relay before there was one: `MESSAGE hsNN.kep.tr`.
INSERT INTO relay (name, provider, kind, message_id, evidence, content, since, due_at)
    SELECT 'dispatch/' || s.message_id || '/' || SUBSTR(j.payload, LENGTH(j.payload) - 10),
           SUBSTR(j.payload, LENGTH(j.payload) - 10), 'dispatch', s.message_id, '', s.dispatch,
           j.due_at, j.due_at
    FROM job j
    JOIN submission s ON s.message_id = SUBSTR(j.payload, 1, LENGTH(j.payload) - 12)
    WHERE j.step = 'deliver' AND s.dispatch IS NOT NULL;
DELETE FROM job WHERE step = 'deliver';

-- Since when the recipient's provider has it.
ALTER TABLE recipient ADD COLUMN relayed_at BIGINT;
