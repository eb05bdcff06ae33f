-- Whose message it is: an account's, or another provider's (`account` is 0 then).
ALTER TABLE submission ADD COLUMN provider TEXT;
