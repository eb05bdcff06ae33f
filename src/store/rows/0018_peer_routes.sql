-- How another provider's servers are found, where not by host and port (`mx`), and by what they are
-- known, where neither by pins nor by issuers (`dane`, `mta-sts`).
ALTER TABLE provider ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE provider ADD COLUMN tls_by TEXT NOT NULL DEFAULT '';
-- Their policies (MTA-STS), kept so that nobody who hides the record of one gets around it.
CREATE TABLE mta_sts (
    domain TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    mode TEXT NOT NULL,
    -- Patterns, a space between.
    mx TEXT NOT NULL,
    -- Seconds from `fetched_at`.
    max_age BIGINT NOT NULL,
    fetched_at BIGINT NOT NULL
){clustered};
