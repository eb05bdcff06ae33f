-- What vanished is not remembered for ever: up to which mod-sequence it is forgotten, and which one
-- had been reached when that was looked at last.
ALTER TABLE mailbox ADD COLUMN forgotten BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mailbox ADD COLUMN marked BIGINT;
ALTER TABLE mailbox ADD COLUMN marked_at BIGINT;
