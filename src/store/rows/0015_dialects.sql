-- One evidence in a further dialect: its own XML, signature and stamp, the same identifier. No statement of
-- this program deletes or changes a row.
CREATE TABLE evidence_form (
    evidence TEXT NOT NULL,
    dialect TEXT NOT NULL,
    stamped_at BIGINT NOT NULL,
    xml {bytes} NOT NULL,
    PRIMARY KEY (evidence, dialect)
){clustered};
CREATE INDEX evidence_form_xml ON evidence_form (xml);
-- The mail in which evidence went to another provider: who asks again gets the same octets.
CREATE TABLE evidence_mail (
    evidence TEXT PRIMARY KEY,
    content BIGINT NOT NULL
){clustered};
CREATE INDEX evidence_mail_content ON evidence_mail (content);
-- The dispatch as it is for providers of another dialect than the first one (`submission.dispatch`).
CREATE TABLE dispatch_form (
    message_id TEXT NOT NULL,
    dialect TEXT NOT NULL,
    content BIGINT NOT NULL,
    PRIMARY KEY (message_id, dialect)
){clustered};
CREATE INDEX dispatch_form_content ON dispatch_form (content);
-- When evidence of a message went out once more, because its provider had asked again.
ALTER TABLE submission ADD COLUMN repeated_at BIGINT;
-- Domains that a provider outside the circuit has users under, beside its own.
CREATE TABLE provider_domain (
    domain TEXT PRIMARY KEY,
    provider TEXT NOT NULL
){clustered};
CREATE INDEX provider_domain_of ON provider_domain (provider);
