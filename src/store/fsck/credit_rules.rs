//! What must hold between credits, messages and evidence. Names of entries are those that
//! `registry::credits` gives.

use super::Kind;
use super::rules::{Rule, rule};

pub static CREDITS: &[Rule] = &[
    rule(
        Kind::CreditSum,
        "account",
        "SELECT b.account FROM credit_balance b LEFT JOIN (
             SELECT holder,
                    SUM(CASE WHEN ledger = 'available' THEN amount ELSE 0 END) AS available,
                    SUM(CASE WHEN ledger = 'reserved' THEN amount ELSE 0 END) AS reserved,
                    SUM(CASE WHEN ledger = 'spent' THEN amount ELSE 0 END) AS spent,
                    SUM(CASE WHEN ledger = 'sms' THEN amount ELSE 0 END) AS sms,
                    SUM(CASE WHEN ledger = 'sms-spent' THEN amount ELSE 0 END) AS sms_spent
             FROM credit_posting GROUP BY holder) s ON s.holder = b.account
         WHERE b.available <> COALESCE(s.available, 0) OR b.reserved <> COALESCE(s.reserved, 0)
         OR b.spent <> COALESCE(s.spent, 0) OR b.sms <> COALESCE(s.sms, 0)
         OR b.sms_spent <> COALESCE(s.sms_spent, 0) LIMIT 1000",
    ),
    rule(
        Kind::CreditSum,
        "account of entry",
        "SELECT e.account, e.id FROM credit_entry e
         WHERE NOT EXISTS (SELECT 1 FROM credit_balance b WHERE b.account = e.account) LIMIT 1000",
    ),
    rule(
        Kind::CreditUnsettled,
        "submission",
        "SELECT e.message_id FROM credit_entry e WHERE e.kind = 'reserve'
         AND NOT EXISTS (SELECT 1 FROM submission s WHERE s.message_id = e.message_id
                         AND s.state <> 'dispatched')
         AND NOT EXISTS (SELECT 1 FROM credit_entry p WHERE p.id = 'settle/' || e.message_id)
         LIMIT 1000",
    ),
    rule(
        Kind::CreditUnfounded,
        "entry",
        "SELECT e.id FROM credit_entry e WHERE e.kind IN ('spend', 'release')
         AND NOT EXISTS (SELECT 1 FROM credit_entry r WHERE r.id = 'reserve/' || e.message_id
                         AND r.kind = 'reserve' AND r.account = e.account
                         AND r.amount = e.amount) LIMIT 1000",
    ),
    rule(
        Kind::CreditUnfounded,
        "entry",
        "SELECT e.id FROM credit_entry e WHERE e.kind = 'spend'
         AND EXISTS (SELECT 1 FROM submission s WHERE s.message_id = e.message_id
                     AND s.state <> 'dispatched') LIMIT 1000",
    ),
    rule(
        Kind::CreditUnfounded,
        "entry",
        "SELECT e.id FROM credit_entry e
         JOIN recipient r ON r.message_id = e.message_id AND r.n = e.recipient
         WHERE e.kind = 'give-back'
         AND NOT EXISTS (SELECT 1 FROM evidence v WHERE v.message_id = e.message_id
                         AND v.recipient IN (r.address, '') AND v.event IN (
                             'non-delivery', 'delivery-expiration',
                             'relay-rejection', 'relay-failure')) LIMIT 1000",
    ),
    rule(
        Kind::CreditUnfounded,
        "given back for submission",
        "SELECT e.message_id FROM credit_entry e
         WHERE e.kind = 'give-back' AND e.message_id IS NOT NULL GROUP BY e.message_id
         HAVING SUM(e.amount) > (SELECT COALESCE(SUM(p.amount), 0) FROM credit_entry p
                                 WHERE p.id = 'settle/' || e.message_id AND p.kind = 'spend')
         LIMIT 1000",
    ),
    // Of an SMS, which is of no message: 'sms-back/' and what 'sms/' named.
    rule(
        Kind::CreditUnfounded,
        "entry",
        "SELECT e.id FROM credit_entry e WHERE e.kind = 'give-back' AND e.message_id IS NULL
         AND NOT EXISTS (SELECT 1 FROM credit_entry s WHERE s.id = 'sms/' || SUBSTR(e.id, 10)
                         AND s.account = e.account AND s.amount = e.amount) LIMIT 1000",
    ),
];
