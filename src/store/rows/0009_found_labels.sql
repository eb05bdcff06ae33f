-- Whether somebody named a label, or it is there because a program set its keyword.
ALTER TABLE label ADD COLUMN named BIGINT NOT NULL DEFAULT 1;
