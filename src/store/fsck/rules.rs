//! What must hold between rows, each rule as a query for what breaks it.
//!
//! Names of events and jobs are those that the rooms above store: `wire::rem::Event::name`,
//! `spool::Fact::name`, `certify/<message>`, `expire/<message>/<recipient>`,
//! `silence/<message>/<recipient>`; of mail that is relayed `dispatch/<message>/<provider's domain>`.

use super::{Finding, Kind, Severity};
use crate::store::rows::{RowsError, Tx};

pub struct Rule {
    kind: Kind,
    /// What the columns of the query identify.
    what: &'static str,
    broken: &'static str,
}

impl Rule {
    pub fn findings(&self, tx: &mut Tx<'_>) -> Result<Vec<Finding>, RowsError> {
        let rows = tx.query(self.broken, &[])?;
        let found = rows.iter().map(|row| Finding {
            severity: self.kind.severity(),
            kind: self.kind,
            subject: format!("{} {}", self.what, row.show()),
        });
        Ok(found.collect())
    }
}

impl Kind {
    pub fn severity(self) -> Severity {
        match self {
            Self::OrphanContent | Self::OrphanBlob | Self::SegmentUnnamed => Severity::Reclaimable,
            Self::NotInMailbox | Self::StillHidden | Self::NoSentCopy => Severity::Odd,
            Self::ContentSize
            | Self::MaterialMissing
            | Self::RecipientWithoutSubmission
            | Self::NoClock
            | Self::NoEndOfSilence
            | Self::ReadHeld
            | Self::UidNext
            | Self::ModSeq
            | Self::Octets
            | Self::Stray
            | Self::Gathered
            | Self::CreditSum
            | Self::CreditUnsettled
            | Self::CreditUnfounded => Severity::Wrong,
            _ => Severity::Lost,
        }
    }

    pub fn text(self) -> &'static str {
        match self {
            Self::PieceWithoutBlob => "a piece of this content has no blob",
            Self::EvidenceWithoutBlob => "its XML has no blob",
            Self::OriginalWithoutBlob => "its original has no blob",
            Self::OriginalDiffers => "its original is not what was accepted",
            Self::ContentSize => "its pieces have another size than the content",
            Self::MessageWithoutContent => "it has no content",
            Self::MessageWithoutMailbox => "its mailbox is not there",
            Self::DispatchWithoutContent => "its dispatch has no content",
            Self::MaterialMissing => "validation material is missing",
            Self::NoRecipients => "it has no recipients",
            Self::RecipientWithoutSubmission => "its submission is not there",
            Self::NotScanned => "taken, but no job will scan it",
            Self::NotCertified => "accepted, but no job will seal it",
            Self::NoAcceptanceEvidence => "sealed without dispatch or acceptance evidence",
            Self::NotDelivered => "sealed, but no job will deliver or relay it",
            Self::NoDeliveryEvidence => "delivered, without evidence or a job for it",
            Self::NoFailureEvidence => "failed, without evidence or a job for it",
            Self::NoEndOfSilence => "relayed, and no job will end the wait for word of it",
            Self::RelayWithoutContent => "what is to be relayed has no content",
            Self::NoReadEvidence => "read, without evidence or a job for it",
            Self::ReadHeld => "read, and waits for evidence of delivery that is there",
            Self::NoExpiryEvidence => "read by time-out, without evidence or a job for it",
            Self::NoClock => "unread, and no job will end its time to read",
            Self::NoSentCopy => "the sender has no copy of it",
            Self::NotInMailbox => "unread, and not in its recipient's mailbox",
            Self::StillHidden => "read or read by time-out, and hidden from its recipient still",
            Self::UidNext => "its next UID was used already",
            Self::ModSeq => "its mod-sequence is behind its messages",
            Self::Octets => "its messages are not as large as it says",
            Self::Stray => "shown as another's in a mailbox of its own, or the other way round",
            Self::Gathered => "a virtual mailbox does not show what is there",
            Self::CreditSum => "its credits are not the sum of its entries",
            Self::CreditUnsettled => "credits are reserved for it, and nothing will end that",
            Self::CreditUnfounded => "nothing that happened asks for it",
            Self::OrphanContent => "nothing refers to it",
            Self::OrphanBlob => "nothing refers to it",
            Self::SegmentMissing => "its segment is not there",
            Self::SegmentShort => "its segment ends before it",
            Self::SegmentUnnamed => "no row points into it",
            Self::RowsMissing => "it holds contents, and there is no row at all",
            Self::BlobDamaged => "it can't be read",
        }
    }
}

pub(super) const fn rule(kind: Kind, what: &'static str, broken: &'static str) -> Rule {
    Rule { kind, what, broken }
}

/// Of each kind the first thousand are named.
pub static RULES: &[Rule] = &[
    rule(
        Kind::PieceWithoutBlob,
        "content",
        "SELECT p.content FROM piece p
         WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = p.blob) LIMIT 1000",
    ),
    rule(
        Kind::EvidenceWithoutBlob,
        "evidence",
        "SELECT e.id FROM evidence e
         WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = e.xml) LIMIT 1000",
    ),
    rule(
        Kind::EvidenceWithoutBlob,
        "evidence and dialect",
        "SELECT f.evidence, f.dialect FROM evidence_form f
         WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = f.xml)
         OR NOT EXISTS (SELECT 1 FROM evidence e WHERE e.id = f.evidence) LIMIT 1000",
    ),
    rule(
        Kind::OriginalWithoutBlob,
        "submission",
        "SELECT s.message_id FROM submission s
         WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = s.original) LIMIT 1000",
    ),
    rule(
        Kind::OriginalDiffers,
        "submission",
        "SELECT s.message_id FROM submission s JOIN blob b ON b.id = s.original
         WHERE s.digest <> b.digest OR s.size <> b.size LIMIT 1000",
    ),
    rule(
        Kind::ContentSize,
        "content",
        "SELECT c.id FROM content c
         WHERE c.size <> (SELECT COALESCE(SUM(b.size), 0) FROM piece p
                          JOIN blob b ON b.id = p.blob WHERE p.content = c.id) LIMIT 1000",
    ),
    rule(
        Kind::MessageWithoutContent,
        "mailbox and UID",
        "SELECT m.mailbox, m.uid FROM message m
         WHERE NOT EXISTS (SELECT 1 FROM content c WHERE c.id = m.content) LIMIT 1000",
    ),
    rule(
        Kind::MessageWithoutMailbox,
        "mailbox and UID",
        "SELECT m.mailbox, m.uid FROM message m
         WHERE NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.id = m.mailbox) LIMIT 1000",
    ),
    rule(
        Kind::DispatchWithoutContent,
        "submission",
        "SELECT s.message_id FROM submission s WHERE s.dispatch IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM content c WHERE c.id = s.dispatch) LIMIT 1000",
    ),
    rule(
        Kind::DispatchWithoutContent,
        "submission and dialect",
        "SELECT d.message_id, d.dialect FROM dispatch_form d
         WHERE NOT EXISTS (SELECT 1 FROM content c WHERE c.id = d.content) LIMIT 1000",
    ),
    rule(
        Kind::MaterialMissing,
        "evidence and digest",
        "SELECT e.id, s.digest FROM evidence e LEFT JOIN material_set s ON s.id = e.material_set
         WHERE NOT EXISTS (SELECT 1 FROM material m WHERE m.digest = s.digest) LIMIT 1000",
    ),
    rule(
        Kind::NoRecipients,
        "submission",
        "SELECT s.message_id FROM submission s
         WHERE NOT EXISTS (SELECT 1 FROM recipient r WHERE r.message_id = s.message_id)
         LIMIT 1000",
    ),
    rule(
        Kind::RecipientWithoutSubmission,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r
         WHERE NOT EXISTS (SELECT 1 FROM submission s WHERE s.message_id = r.message_id)
         LIMIT 1000",
    ),
    rule(
        Kind::NotCertified,
        "submission",
        "SELECT s.message_id FROM submission s WHERE s.state = 'accepted'
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name = 'certify/' || s.message_id)
         LIMIT 1000",
    ),
    rule(
        Kind::NotScanned,
        "submission",
        "SELECT s.message_id FROM submission s WHERE s.state = 'unscanned'
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name = 'scan/' || s.message_id)
         LIMIT 1000",
    ),
    rule(
        Kind::NoAcceptanceEvidence,
        "submission",
        "SELECT s.message_id FROM submission s WHERE s.state = 'dispatched'
         AND (s.dispatch IS NULL OR NOT EXISTS (
             SELECT 1 FROM evidence e
             WHERE e.message_id = s.message_id AND e.event = 'submission-acceptance'))
         LIMIT 1000",
    ),
    rule(
        Kind::NotDelivered,
        "submission and recipient",
        "SELECT s.message_id, r.n FROM submission s JOIN recipient r ON r.message_id = s.message_id
         WHERE s.state = 'dispatched' AND r.state = 'accepted'
         AND NOT EXISTS (
             SELECT 1 FROM relay q WHERE q.name = 'dispatch/' || s.message_id || '/'
             || SUBSTR(r.address, LENGTH(r.address) - LENGTH('hsNN.kep.tr') + 1))
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name IN (
             'consign/' || r.message_id,
             'fact/' || r.message_id || '/' || r.n || '/delivered',
             'fact/' || r.message_id || '/' || r.n || '/not-delivered'))
         LIMIT 1000",
    ),
    rule(
        Kind::NoDeliveryEvidence,
        "submission and recipient",
        // Another provider's evidence of the reading may come before that of the delivery.
        "SELECT r.message_id, r.n FROM recipient r WHERE r.state IN ('delivered', 'read', 'expired')
         AND (r.account IS NOT NULL OR r.state = 'delivered')
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = r.message_id
                         AND e.event = 'delivery' AND (e.recipient = r.address
                             OR e.recipient = '' AND e.origin <> 'own'))
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name =
             'fact/' || r.message_id || '/' || r.n || '/delivered')
         LIMIT 1000",
    ),
    rule(
        Kind::NoFailureEvidence,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r WHERE r.state IN ('failed', 'relay-failed')
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = r.message_id
                         AND e.recipient IN (r.address, '') AND e.event IN (
                             'non-delivery', 'delivery-expiration',
                             'relay-rejection', 'relay-failure'))
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name IN (
             'fact/' || r.message_id || '/' || r.n || '/not-delivered',
             'fact/' || r.message_id || '/' || r.n || '/relay-failed',
             'fact/' || r.message_id || '/' || r.n || '/delivery-expired',
             'fact/' || r.message_id || '/' || r.n || '/relay-rejected'))
         LIMIT 1000",
    ),
    rule(
        Kind::NoEndOfSilence,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r WHERE r.state = 'relayed'
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name =
             'silence/' || r.message_id || '/' || r.n)
         LIMIT 1000",
    ),
    rule(
        Kind::RelayWithoutContent,
        "mail to be relayed",
        "SELECT q.name FROM relay q
         WHERE NOT EXISTS (SELECT 1 FROM content c WHERE c.id = q.content) LIMIT 1000",
    ),
    rule(
        Kind::NoReadEvidence,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r WHERE r.state = 'read'
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = r.message_id
                         AND e.event = 'retrieval' AND (e.recipient = r.address
                             OR e.recipient = '' AND e.origin <> 'own'))
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name =
             'fact/' || r.message_id || '/' || r.n || '/read')
         LIMIT 1000",
    ),
    rule(
        // Who issues the evidence of delivery lets it go in the same transaction.
        Kind::ReadHeld,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r
         WHERE EXISTS (SELECT 1 FROM job j WHERE j.due_at = 9223372036854775807 AND j.name =
             'fact/' || r.message_id || '/' || r.n || '/read')
         AND EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = r.message_id
                     AND e.recipient = r.address AND e.event = 'delivery')
         LIMIT 1000",
    ),
    rule(
        Kind::NoExpiryEvidence,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r WHERE r.state = 'expired'
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.message_id = r.message_id
                         AND e.event = 'retrieval-expiration' AND (e.recipient = r.address
                             OR e.recipient = '' AND e.origin <> 'own'))
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name =
             'fact/' || r.message_id || '/' || r.n || '/expired')
         LIMIT 1000",
    ),
    rule(
        // The clock starts with the evidence of delivery, and is another provider's for his users.
        Kind::NoClock,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r
         WHERE r.state = 'delivered' AND r.account IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM job j WHERE j.name IN (
             'fact/' || r.message_id || '/' || r.n || '/delivered',
             'expire/' || r.message_id || '/' || r.n))
         LIMIT 1000",
    ),
    rule(
        // Where it vanished before what is forgotten was forgotten, nobody can tell any more; what
        // came after that can't have.
        Kind::NoSentCopy,
        "submission",
        "SELECT s.message_id FROM submission s WHERE s.state = 'dispatched' AND s.provider IS NULL
         AND NOT EXISTS (SELECT 1 FROM message m JOIN mailbox b ON b.id = m.mailbox
                         WHERE m.message_id = s.message_id AND b.account = s.account
                         AND m.source IS NULL)
         AND NOT EXISTS (SELECT 1 FROM vanished v JOIN mailbox b ON b.id = v.mailbox
                         WHERE b.account = s.account AND b.role = 'sent' AND v.uid = s.sent_uid)
         AND NOT EXISTS (SELECT 1 FROM mailbox b WHERE b.account = s.account AND b.role = 'sent'
                         AND b.forgotten > 0 AND s.sent_uid < b.uid_next
                         AND NOT EXISTS (SELECT 1 FROM message m WHERE m.mailbox = b.id
                                         AND m.uid < s.sent_uid AND m.born > b.forgotten))
         LIMIT 1000",
    ),
    rule(
        Kind::NotInMailbox,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r
         WHERE r.state = 'delivered' AND r.account IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM message m JOIN mailbox b ON b.id = m.mailbox
                         WHERE m.message_id = r.message_id AND b.account = r.account
                         AND m.kind IN ('dispatch', 'sealed', 'stub') AND m.source IS NULL)
         LIMIT 1000",
    ),
    rule(
        // Before that the notice may be gone, by its recipient's own hand.
        Kind::StillHidden,
        "submission and recipient",
        "SELECT r.message_id, r.n FROM recipient r JOIN message m ON m.message_id = r.message_id
         JOIN mailbox b ON b.id = m.mailbox
         WHERE r.state IN ('read', 'expired') AND b.account = r.account AND b.role = 'hidden'
         LIMIT 1000",
    ),
    rule(
        Kind::UidNext,
        "mailbox",
        "SELECT b.id FROM mailbox b
         WHERE b.uid_next <= (SELECT COALESCE(MAX(m.uid), 0) FROM message m WHERE m.mailbox = b.id)
         OR b.uid_next <= (SELECT COALESCE(MAX(v.uid), 0) FROM vanished v WHERE v.mailbox = b.id)
         LIMIT 1000",
    ),
    rule(
        Kind::ModSeq,
        "mailbox",
        "SELECT b.id FROM mailbox b
         WHERE b.mod_seq < (SELECT COALESCE(MAX(m.mod_seq), 0) FROM message m
                            WHERE m.mailbox = b.id)
         OR b.mod_seq < (SELECT COALESCE(MAX(v.mod_seq), 0) FROM vanished v
                         WHERE v.mailbox = b.id)
         OR b.mod_seq < b.forgotten LIMIT 1000",
    ),
    rule(
        Kind::Octets,
        "mailbox",
        "SELECT b.id FROM mailbox b WHERE b.role NOT IN ('all', 'flagged', 'label')
         AND b.octets <> (SELECT COALESCE(SUM(m.size), 0) FROM message m
                          WHERE m.mailbox = b.id AND m.kind <> 'evidence')
         LIMIT 1000",
    ),
    rule(
        Kind::Stray,
        "mailbox and UID",
        "SELECT m.mailbox, m.uid FROM message m JOIN mailbox b ON b.id = m.mailbox
         WHERE (m.source IS NULL) = (b.role IN ('all', 'flagged', 'label')) LIMIT 1000",
    ),
    rule(
        // What happened in the source since is gathered when somebody looks.
        Kind::Gathered,
        "virtual mailbox, mailbox and UID",
        "SELECT g.mailbox, m.mailbox, m.uid FROM gathered g JOIN mailbox v ON v.id = g.mailbox
         JOIN mailbox s ON s.id = g.source AND s.mod_seq = g.mod_seq
         JOIN message m ON m.mailbox = s.id
         LEFT JOIN message c ON c.mailbox = v.id AND c.source = m.mailbox AND c.source_uid = m.uid
         WHERE s.role <> 'trash' AND s.name NOT LIKE 'Çöp Kutusu/%'
         AND CASE WHEN v.role = 'flagged' AND (m.flags & 4) = 0 THEN c.uid IS NOT NULL
                  WHEN v.role = 'label' AND ' ' || LOWER(m.keywords) || ' ' =
                       REPLACE(' ' || LOWER(m.keywords) || ' ', ' ' || v.label || ' ', '')
                      THEN c.uid IS NOT NULL
                  ELSE c.uid IS NULL OR c.flags <> m.flags OR c.keywords <> m.keywords
                       OR c.kind <> m.kind OR c.content <> m.content END LIMIT 1000",
    ),
    rule(
        Kind::Gathered,
        "virtual mailbox and UID",
        "SELECT c.mailbox, c.uid FROM message c
         JOIN gathered g ON g.mailbox = c.mailbox AND g.source = c.source
         JOIN mailbox s ON s.id = g.source AND s.mod_seq = g.mod_seq
         WHERE NOT EXISTS (SELECT 1 FROM message m
                           WHERE m.mailbox = c.source AND m.uid = c.source_uid) LIMIT 1000",
    ),
    rule(
        Kind::Gathered,
        "virtual mailbox and mailbox",
        "SELECT g.mailbox, g.source FROM gathered g JOIN mailbox s ON s.id = g.source
         WHERE g.mod_seq > s.mod_seq LIMIT 1000",
    ),
    rule(
        Kind::OrphanContent,
        "content",
        "SELECT c.id FROM content c
         WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.content = c.id AND m.source IS NULL)
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.dispatch = c.id)
         AND NOT EXISTS (SELECT 1 FROM dispatch_form d WHERE d.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM evidence_mail e WHERE e.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM held_back h WHERE h.content = c.id)
         AND NOT EXISTS (SELECT 1 FROM relay q WHERE q.content = c.id) LIMIT 1000",
    ),
    rule(
        Kind::OrphanBlob,
        "blob",
        "SELECT b.id FROM blob b
         WHERE NOT EXISTS (SELECT 1 FROM piece p WHERE p.blob = b.id)
         AND NOT EXISTS (SELECT 1 FROM evidence e WHERE e.xml = b.id)
         AND NOT EXISTS (SELECT 1 FROM evidence_form f WHERE f.xml = b.id)
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.original = b.id) LIMIT 1000",
    ),
];
