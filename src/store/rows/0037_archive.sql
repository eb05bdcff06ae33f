-- Evidence under archive time stamps (RFC 4998 in its thought): a leaf each, in batches.
CREATE TABLE archive_leaf (
    -- Its identifier; with a space and the dialect behind it, of a further form of it.
    evidence TEXT PRIMARY KEY,
    batch BIGINT NOT NULL,
    leaf {bytes} NOT NULL
){clustered};
CREATE INDEX archive_leaf_batch ON archive_leaf (batch, evidence);
CREATE TABLE archive_batch (
    n BIGINT PRIMARY KEY,
    leaves BIGINT NOT NULL,
    root {bytes} NOT NULL
);
CREATE TABLE archive_stamp (
    n BIGINT PRIMARY KEY,
    statement TEXT NOT NULL,
    token {bytes} NOT NULL,
    stamped_at BIGINT NOT NULL,
    -- When the authority's certificate ends.
    ends_at BIGINT NOT NULL,
    material_set {bytes} NOT NULL
);
