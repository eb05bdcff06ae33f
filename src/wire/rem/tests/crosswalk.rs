//! Events, reasons and the numbers of Turkish practice, as the standards' tables set them side by side.

use super::*;
use crate::wire::rem::reason::codes_of;

/// Root and code of TS 102 640-2, code of EN 319 522-1, number of the kind of evidence.
#[test]
fn each_event_has_its_name_in_both_standards_and_its_number() {
    let table = [
        ("SubmissionAcceptanceRejection", "Acceptance", "A.1", 10),
        ("SubmissionAcceptanceRejection", "Rejection", "A.2", 11),
        ("RelayREMMDAcceptanceRejection", "Acceptance", "B.1", 20),
        ("RelayREMMDAcceptanceRejection", "Rejection", "B.2", 21),
        ("RelayREMMDFailure", "DeliveryExpiration", "B.3", 31),
        ("DeliveryNonDeliveryToRecipient", "Delivery", "D.1", 40),
        ("DeliveryNonDeliveryToRecipient", "NonDelivery", "D.2", 41),
        ("DeliveryNonDeliveryToRecipient", "DeliveryExpiration", "D.2", 41),
        ("DownloadNonDownloadByRecipient", "Download", "", 50),
        ("DownloadNonDownloadByRecipient", "DownloadExpiration", "", 51),
        ("RetrievalNonRetrievalByRecipient", "Retrieval", "E.1", 60),
        ("RetrievalNonRetrievalByRecipient", "RetrievalExpiration", "E.2", 61),
        ("AcceptanceRejectionByRecipient", "Acceptance", "C.3", 70),
        ("AcceptanceRejectionByRecipient", "Rejection", "C.4", 71),
        ("RelayToNonREMSystem", "Acceptance", "F.1", 80),
        ("RelayToNonREMSystem", "Rejection", "F.2", 81),
        ("ReceivedFromNonREMSystem", "Acceptance", "F.3", 90),
    ];
    for (root, code, en, number) in table {
        let event = Event::by_ts(root, Some(&format!("http:uri.etsi.org/02640/Event#{code}")));
        let event = event.unwrap_or_else(|| panic!("{root} {code}"));
        assert_eq!(event.ts(), Some((root, code)));
        assert_eq!(event.en().map_or("", |(code, _)| code), en, "{root} {code}");
        assert_eq!(event.number(), Some(number), "{root} {code}");
        let slashes = format!("http://uri.etsi.org/02640/Event#{code}");
        assert_eq!(Event::by_ts(root, Some(&slashes)), Some(event), "as others spell it");
    }
    // What only the younger standard knows has no number; nothing else is left out.
    let younger: Vec<_> = Event::all().filter(|event| event.ts().is_none()).collect();
    assert!(younger.iter().all(|event| event.number().is_none()));
    assert_eq!(table.len() + younger.len(), Event::all().count());
}

/// The 22 reasons of TS 102 640-2 Annex D, in its order, each with the codes that mean the same in
/// EN 319 522-2 and the REM baseline.
#[test]
fn each_reason_of_annex_d_crosses_over() {
    let table: [(&str, &[&str]); 22] = [
        ("InvalidMessageFormat", &["RA02", "RB02"]),
        ("MalwareFound", &["RA03", "RB03"]),
        ("InvalidUserSignature", &["RB04"]),
        ("UserCertExpiredOrRevoked", &["RA04", "RB05"]),
        ("PolicyViolation", &["RA05", "RB06"]),
        ("R_REMMD_Malfunction", &["RB07"]),
        ("R_REMMD_NotIdentified", &["RB08"]),
        ("R_REMMD_Unreachable", &["RB09"]),
        ("S_REMMD_ReceivedNoDeliveryInfoFromR_REMMD", &["RD03"]),
        ("UnknownRecipient", &["RB10", "RB21", "RD21"]),
        ("MailboxFull", &["RD04"]),
        ("TechnicalMalfunction", &["RD05"]),
        ("AttachementFormatNotAccepted", &["RD06"]),
        ("RecipientRejection", &["RC08"]),
        ("RetentionPeriodExpired", &["RE04"]),
        ("RegularEmailUnreachable", &["RF02"]),
        ("RegularEmailNonOperational", &[]),
        ("RegularEmailRejection", &["RF03"]),
        ("PrintingSystemUnreachable", &[]),
        ("PrintingSystemNonOperational", &[]),
        ("PrintingBufferFull", &[]),
        ("Other", &[]),
    ];
    for (fragment, codes) in table {
        let reason = Reason::by_ts(fragment).unwrap_or_else(|| panic!("{fragment}"));
        assert_eq!(reason.ts_uri(), format!("http:uri.etsi.org/REM/EventReason#{fragment}"));
        let known: Vec<_> = codes_of(reason).iter().map(|(code, _)| *code).collect();
        for code in codes {
            assert!(known.contains(code), "{fragment} {code}");
        }
        for (code, name) in codes_of(reason) {
            let uri = format!("http://uri.etsi.org/19522/EventReason/{name}");
            assert_eq!(Reason::by_en(&uri), Some(reason), "{fragment} {code}");
        }
    }
    let elder = Reason::all().filter(|reason| reason.ts_fragment().is_some()).count();
    assert_eq!(elder, table.len());
}
