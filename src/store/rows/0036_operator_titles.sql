-- What an operator is in the company or public body whose account it is; empty: nothing was said.
ALTER TABLE operator ADD COLUMN title TEXT NOT NULL DEFAULT '';
