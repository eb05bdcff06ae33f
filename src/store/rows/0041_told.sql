-- How many entries a question may be told, from before it is answered on.
ALTER TABLE directory_query ADD COLUMN most BIGINT NOT NULL DEFAULT 0;

-- Which evidence an account may have, by time: laid down with the evidence.
CREATE TABLE evidence_seen (
    account BIGINT NOT NULL,
    at BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (account, at, evidence)
){clustered};
CREATE INDEX evidence_seen_event ON evidence_seen (account, event, at, evidence);
INSERT INTO evidence_seen (account, at, evidence, event)
SELECT s.account, e.event_time, e.id, e.event
FROM evidence e JOIN submission s ON s.message_id = e.message_id
WHERE s.account <> 0
UNION SELECT r.account, e.event_time, e.id, e.event
FROM evidence e JOIN recipient r ON r.message_id = e.message_id JOIN account a ON a.id = r.account
WHERE e.recipient IN ('', r.address, a.address)
-- Of what was refused there is its mail alone.
UNION SELECT b.account, e.event_time, e.id, e.event
FROM evidence e JOIN message m ON m.message_id = e.message_id JOIN mailbox b ON b.id = m.mailbox
JOIN account a ON a.id = b.account
WHERE m.kind = 'evidence' AND e.recipient IN ('', a.address);

-- How much an address book has, so that its bounds cost nothing to hold.
ALTER TABLE contact_book ADD COLUMN contacts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE contact_book ADD COLUMN octets BIGINT NOT NULL DEFAULT 0;
UPDATE contact_book SET
    contacts = (SELECT COUNT(*) FROM contact c WHERE c.account = contact_book.account),
    octets = (SELECT COALESCE(SUM(LENGTH(c.card)), 0) FROM contact c WHERE c.account = contact_book.account);
