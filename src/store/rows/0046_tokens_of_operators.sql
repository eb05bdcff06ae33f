-- Which operator a token acts for; 0 for the account's holder. One that there is already is the holder's.
ALTER TABLE api_token ADD COLUMN operator BIGINT NOT NULL DEFAULT 0;
