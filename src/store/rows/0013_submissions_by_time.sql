-- What an account sent lately is found without walking through all that it ever sent.
CREATE INDEX submission_sent ON submission (account, accepted_at);
