-- Conversations (RFC 8474 THREADID). Of a content in an account: its conversation, which is named by the
-- content that began it. Decided once, when a message is laid in; of what was there before, when
-- somebody asks.
CREATE TABLE thread_member (
    content BIGINT NOT NULL,
    account BIGINT NOT NULL,
    thread BIGINT NOT NULL,
    PRIMARY KEY (content, account)
){clustered};
-- What tells an account's conversations: Message-IDs, as parts of their digests. Each goes with the content
-- that brought it, so that there are never more than the messages kept may bring.
CREATE TABLE thread_reference (
    account BIGINT NOT NULL,
    reference {bytes} NOT NULL,
    thread BIGINT NOT NULL,
    content BIGINT NOT NULL,
    PRIMARY KEY (account, reference)
){clustered};
CREATE INDEX thread_reference_of ON thread_reference (content);
