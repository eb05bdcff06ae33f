-- The first UID that no session has been told of that selected the mailbox to change it (RFC 3501
-- §2.3.2): from there on messages are recent. What is there already is not.
ALTER TABLE mailbox ADD COLUMN recent_from BIGINT NOT NULL DEFAULT 1;
UPDATE mailbox SET recent_from = uid_next;
