-- An operator may be suspended for a time: he is one still, and may nothing.
ALTER TABLE operator ADD COLUMN suspended_at BIGINT;
ALTER TABLE operator ADD COLUMN suspended_by TEXT;
-- Holders' places that hear of mail hear of what came back unsigned, too.
UPDATE notice_target SET events = events || ' handover'
WHERE deputy IS NULL AND ' ' || events || ' ' LIKE '% mail %';
