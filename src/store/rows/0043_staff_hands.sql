-- 1: another one set the password; who has it sets his own before he acts.
ALTER TABLE staff ADD COLUMN password_given BIGINT NOT NULL DEFAULT 0;
-- The seal over the archive in clear, which is fetched beside it; none: it was written before there was this.
ALTER TABLE authority_export ADD COLUMN seal {bytes};
