-- What law asks to be kept of an account: all it has, or what it has of one message. Two of the staff
-- place and release it; a hold that ended stays told.
CREATE TABLE legal_hold (
    id {id},
    account BIGINT NOT NULL,
    -- None: of all.
    message_id TEXT,
    reason TEXT NOT NULL,
    placed_by TEXT NOT NULL,
    placed_second TEXT NOT NULL,
    placed_at BIGINT NOT NULL,
    released_by TEXT,
    released_second TEXT,
    released_at BIGINT,
    release_reason TEXT
);
CREATE INDEX legal_hold_of ON legal_hold (account) WHERE released_at IS NULL;
-- Messages that their owner or the emptying of the trash removed while they were held: nobody is shown
-- them, and their contents stay until the hold ends.
CREATE TABLE held_back (
    account BIGINT NOT NULL,
    mailbox BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    content BIGINT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT,
    internal_date BIGINT NOT NULL,
    size BIGINT NOT NULL,
    PRIMARY KEY (account, mailbox, uid)
){clustered};
CREATE INDEX held_back_content ON held_back (content);
