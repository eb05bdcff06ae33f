//! Does a row of evidence say what its document says? The document is signed, the row is not.

use super::verify::{Name, Report, State};
use crate::store::evidence::EvidenceRow;

/// What differs between a row and the judgement of its XML, and what of its signature doesn't hold;
/// whom to believe is not asked here.
pub fn differences(row: &EvidenceRow, judged: &Report) -> Vec<String> {
    let Some(said) = &judged.evidence else {
        return vec!["its XML can't be read as evidence".to_owned()];
    };
    // Others may write addresses in capitals.
    let recipient = said.recipient.as_deref().unwrap_or_default().to_ascii_lowercase();
    let (event_time, stamped_at) = (row.event_time.iso8601(), row.stamped_at.iso8601());
    let pairs = [
        ("identifier", row.document_id(), said.id.as_str()),
        ("dialect", &row.dialect, said.dialect),
        ("event", &row.event, said.event),
        ("message", row.message_id.as_str(), &said.message_id),
        ("recipient", &row.recipient, &recipient),
        ("event time", &event_time, &said.event_time),
        ("stamped time", &stamped_at, said.stamped_at.as_deref().unwrap_or_default()),
    ];
    let differ = pairs.into_iter().filter(|(_, row, document)| row != document);
    let fields = differ.map(|(field, row, document)| {
        format!("its {field} is {row:?} in the row and {document:?} in the XML")
    });
    let broken = judged.checks.iter().filter(|check| check.state == State::Bad);
    let broken = broken.filter(|check| SIGNATURE.contains(&check.name));
    fields.chain(broken.map(|c| format!("{}: {}", c.name.as_str(), c.detail))).collect()
}

/// What holds or not whoever is trusted.
const SIGNATURE: [Name; 7] = [
    Name::SignatureForm,
    Name::ReferenceDocument,
    Name::ReferenceSignedProperties,
    Name::ReferenceKeyInfo,
    Name::SigningCertificate,
    Name::SignatureValue,
    Name::TimeStampImprint,
];
