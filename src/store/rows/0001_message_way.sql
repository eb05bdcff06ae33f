-- Who.
CREATE TABLE account (
    id {id},
    address TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    national_id TEXT,
    state TEXT NOT NULL,
    opening TEXT NOT NULL,
    signature_policy TEXT NOT NULL,
    password TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE account_certificate (
    account BIGINT NOT NULL,
    fingerprint {bytes} NOT NULL,
    certificate {bytes} NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (account, fingerprint)
){clustered};
CREATE TABLE provider (
    domain TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    host TEXT NOT NULL,
    seal_certificate {bytes},
    state TEXT NOT NULL,
    added_at BIGINT NOT NULL
);

-- Where bytes rest.
CREATE TABLE blob (
    id {bytes} PRIMARY KEY,
    segment BIGINT NOT NULL,
    start BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    size BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    data_key {bytes} NOT NULL
){clustered};
CREATE INDEX blob_segment ON blob (segment);
CREATE TABLE content (
    id {id},
    size BIGINT NOT NULL
);
CREATE TABLE piece (
    content BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    blob {bytes} NOT NULL,
    PRIMARY KEY (content, seq)
){clustered};
CREATE INDEX piece_blob ON piece (blob);

-- What was submitted, and how far it came.
CREATE TABLE submission (
    message_id TEXT PRIMARY KEY,
    account BIGINT NOT NULL,
    state TEXT NOT NULL,
    same_mail {bytes} NOT NULL,
    accepted_at BIGINT NOT NULL,
    original {bytes} NOT NULL,
    size BIGINT NOT NULL,
    digest {bytes} NOT NULL,
    details TEXT NOT NULL,
    ua_message_id TEXT,
    sent_uid BIGINT,
    sent_by_client BIGINT NOT NULL DEFAULT 0,
    dispatch BIGINT
);
CREATE INDEX submission_same ON submission (account, same_mail, accepted_at);
CREATE INDEX submission_named ON submission (account, ua_message_id);
-- Who forgets a content or a blob asks whether one of these holds it.
CREATE INDEX submission_original ON submission (original);
CREATE INDEX submission_dispatch ON submission (dispatch) WHERE dispatch IS NOT NULL;
CREATE TABLE recipient (
    message_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    address TEXT NOT NULL,
    account BIGINT,
    state TEXT NOT NULL,
    delivered_at BIGINT,
    due_at BIGINT,
    opened_at BIGINT,
    PRIMARY KEY (message_id, n)
){clustered};

-- What happened, for good. No statement of this program deletes or changes a row of `evidence`.
CREATE TABLE evidence (
    id TEXT PRIMARY KEY,
    message_id TEXT NOT NULL,
    event TEXT NOT NULL,
    recipient TEXT NOT NULL,
    dialect TEXT NOT NULL,
    origin TEXT NOT NULL,
    event_time BIGINT NOT NULL,
    stamped_at BIGINT NOT NULL,
    stored_at BIGINT NOT NULL,
    xml {bytes} NOT NULL,
    -- What validates it: many have the same.
    material_set {bytes} NOT NULL
);
CREATE INDEX evidence_message ON evidence (message_id, event_time);
CREATE INDEX evidence_xml ON evidence (xml);
CREATE INDEX evidence_stored ON evidence (stored_at);
CREATE TABLE material (
    digest {bytes} PRIMARY KEY,
    kind TEXT NOT NULL,
    value {bytes} NOT NULL
);
CREATE TABLE material_set (
    id {bytes} NOT NULL,
    digest {bytes} NOT NULL,
    PRIMARY KEY (id, digest)
){clustered};

-- Jobs and facts between the steps.
CREATE TABLE job (
    id {id},
    step TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    payload TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    leased_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX job_due ON job (step, due_at);

-- Mailboxes.
CREATE TABLE mailbox (
    id {id},
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    subscribed BIGINT NOT NULL,
    uid_validity BIGINT NOT NULL,
    uid_next BIGINT NOT NULL,
    mod_seq BIGINT NOT NULL,
    UNIQUE (account, name)
);
CREATE INDEX mailbox_role ON mailbox (account, role);
CREATE TABLE message (
    mailbox BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    mod_seq BIGINT NOT NULL,
    -- The mod-sequence at which it came: what came and what changed are told apart by it.
    born BIGINT NOT NULL,
    flags BIGINT NOT NULL,
    keywords TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    internal_date BIGINT NOT NULL,
    size BIGINT NOT NULL,
    content BIGINT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT,
    ua_message_id TEXT,
    PRIMARY KEY (mailbox, uid)
){clustered};
CREATE INDEX message_content ON message (content);
CREATE INDEX message_changed ON message (mailbox, mod_seq);
CREATE INDEX message_of ON message (message_id) WHERE message_id IS NOT NULL;
-- What a client appended: the copy of a submission is found among these.
CREATE INDEX message_unlinked ON message (ua_message_id)
    WHERE message_id IS NULL AND ua_message_id IS NOT NULL;
-- What a mail program is shown of a message follows from its content: one row for all its copies,
-- so that listing and flagging touch small rows only.
CREATE TABLE outline (
    content {id},
    structure {bytes} NOT NULL,
    header {bytes} NOT NULL
);
CREATE TABLE vanished (
    mailbox BIGINT NOT NULL,
    uid BIGINT NOT NULL,
    mod_seq BIGINT NOT NULL,
    PRIMARY KEY (mailbox, uid)
){clustered};
CREATE INDEX vanished_since ON vanished (mailbox, mod_seq);
-- A name that was a mailbox: its next UIDVALIDITY must be greater (RFC 9051 §2.3.1.1), and it may
-- be subscribed still (§6.3.7).
CREATE TABLE former_mailbox (
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    uid_validity BIGINT NOT NULL,
    subscribed BIGINT NOT NULL,
    PRIMARY KEY (account, name)
){clustered};
CREATE TABLE label (
    account BIGINT NOT NULL,
    name TEXT NOT NULL,
    display TEXT NOT NULL,
    colour TEXT NOT NULL,
    PRIMARY KEY (account, name)
){clustered};
