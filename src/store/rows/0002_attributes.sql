-- Which messages of a mailbox have keywords, and which ones those are.
CREATE INDEX message_keywords ON message (mailbox, keywords) WHERE keywords <> '';
