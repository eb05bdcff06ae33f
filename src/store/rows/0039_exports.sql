-- What holders asked to take away: an archive of all that an account has, which is written when it is fetched.
CREATE TABLE account_export (
    id {id},
    account BIGINT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- Not to be fetched any more.
    ends_at BIGINT NOT NULL,
    -- How often somebody began to fetch it, and when one came to its end.
    begun BIGINT NOT NULL DEFAULT 0,
    done_at BIGINT,
    mails BIGINT NOT NULL DEFAULT 0,
    unopened BIGINT NOT NULL DEFAULT 0,
    evidence BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX account_export_of ON account_export (account, id);
