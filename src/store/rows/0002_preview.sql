-- The first words of a message, once somebody asked for them.
ALTER TABLE outline ADD COLUMN preview TEXT;
