-- What one of the staff proposes and another one decides: nothing is done before.
CREATE TABLE proposal (
    id {id},
    -- The address or number that it is about.
    subject TEXT NOT NULL,
    -- JSON.
    act TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    -- open, done, refused or withdrawn.
    state TEXT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    reason TEXT,
    -- What came of it: the number of a hold.
    made BIGINT
);
CREATE INDEX proposal_of_state ON proposal (state, id);
