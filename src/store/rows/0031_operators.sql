-- Who acts for an account beside its holder. A code is given once, whoever had it.
CREATE TABLE operator (
    account BIGINT NOT NULL,
    -- From 1; 0 is the holder wherever an operator is named.
    code BIGINT NOT NULL,
    given_name TEXT NOT NULL,
    surname TEXT NOT NULL,
    identity_number TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    -- Words, a space between.
    roles TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    added_by TEXT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT,
    PRIMARY KEY (account, code)
){clustered};
-- A person is one operator of an account at a time.
CREATE UNIQUE INDEX operator_person ON operator (account, identity_number) WHERE ended_at IS NULL;
ALTER TABLE app_password ADD COLUMN operator BIGINT NOT NULL DEFAULT 0;
ALTER TABLE account_certificate ADD COLUMN operator BIGINT NOT NULL DEFAULT 0;
-- When it ends, once that was read of it.
ALTER TABLE account_certificate ADD COLUMN ends_at BIGINT;
-- 1 once there is a task about that.
ALTER TABLE account_certificate ADD COLUMN warned BIGINT NOT NULL DEFAULT 0;
CREATE INDEX account_certificate_unread ON account_certificate (account) WHERE ends_at IS NULL;
CREATE INDEX account_certificate_ends ON account_certificate (ends_at) WHERE warned = 0;

-- What waits for somebody to sign it, and what became of that.
CREATE TABLE handover (
    id {id},
    account BIGINT NOT NULL,
    -- A held submission, or a draft.
    form TEXT NOT NULL,
    -- Our message id of what is held; the Message-ID of a draft.
    subject TEXT NOT NULL,
    -- By which the signed form is known.
    ua_message_id TEXT,
    -- 0: whoever may sign.
    operator BIGINT NOT NULL,
    handed_by TEXT NOT NULL,
    since BIGINT NOT NULL,
    due BIGINT NOT NULL,
    state TEXT NOT NULL,
    decided_by BIGINT,
    decided_at BIGINT,
    reason TEXT,
    signed TEXT
);
CREATE UNIQUE INDEX handover_waiting ON handover (account, subject) WHERE state = 'waiting';
CREATE INDEX handover_named ON handover (account, ua_message_id) WHERE state = 'waiting';
CREATE INDEX handover_due ON handover (due) WHERE state = 'waiting';
CREATE INDEX handover_of ON handover (account, id);

-- What is to be done: what İşler shows.
CREATE TABLE task (
    id {id},
    account BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    -- 0: whoever may.
    operator BIGINT NOT NULL,
    note TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    due BIGINT,
    state TEXT NOT NULL,
    closed_at BIGINT,
    UNIQUE (account, kind, subject)
);
CREATE INDEX task_of ON task (account, state, id);
CREATE INDEX task_open ON task (kind, id) WHERE state = 'open';
-- What another provider has, and says nothing of.
CREATE INDEX recipient_relayed ON recipient (relayed_at) WHERE state = 'relayed';
