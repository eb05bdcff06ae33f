//! Why a fact is as it is: Annex D of TS 102 640-2 and clause 8.3.3 of EN 319 522-2, by meaning, so
//! that one reason is written in either dialect.

use super::Event;

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Reason {
    InvalidMessageFormat,
    MalwareFound,
    InvalidUserSignature,
    UserCertExpiredOrRevoked,
    PolicyViolation,
    ProviderMalfunction,
    ProviderNotIdentified,
    ProviderUnreachable,
    NoDeliveryInfo,
    UnknownRecipient,
    MailboxFull,
    TechnicalMalfunction,
    FormatNotAccepted,
    RecipientRejection,
    RetentionPeriodExpired,
    RegularEmailUnreachable,
    RegularEmailNonOperational,
    RegularEmailRejection,
    PrintingSystemUnreachable,
    PrintingSystemNonOperational,
    PrintingBufferFull,
    Accepted,
    Relayed,
    NoRelayInfo,
    NotificationSent,
    FurtherNotificationSent,
    NotificationError,
    FurtherNotificationError,
    NotificationErrors,
    FurtherNotificationErrors,
    AcceptedByRecipient,
    NotAcceptedInTime,
    Consigned,
    ConsignedToDelegate,
    HandedOver,
    HandedOverToDelegate,
    RelayedOutside,
    RelayOutsideNotAllowed,
    ReceivedFromOutside,
    Other,
}

impl Reason {
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.0)
    }

    /// The Code of TS 102 640-2; what only the younger standard knows is `Other` there.
    pub fn ts_uri(self) -> String {
        format!("{TS_REASON}{}", self.ts_fragment().unwrap_or("Other"))
    }

    pub(super) fn ts_fragment(self) -> Option<&'static str> {
        self.row().1
    }

    /// By a Code or its fragment alone, with the misspellings that are in use.
    pub fn by_ts(uri: &str) -> Option<Self> {
        let fragment = uri.rsplit_once('#').map_or(uri, |(_, fragment)| fragment).trim();
        let fragment = match fragment {
            "R_REMMD_NotIdenified" => "R_REMMD_NotIdentified",
            "AttachmentFormatNotAccepted" => "AttachementFormatNotAccepted",
            other => other,
        };
        ROWS.iter().find(|row| row.1 == Some(fragment)).map(|row| row.0)
    }

    /// Code and URI of EN 319 522, of the event's own family where it has one.
    pub fn en(self, event: Event) -> (String, String) {
        let family = event.en().map_or("", |(code, _)| &code[..1]);
        let codes = self.row().2;
        let own = codes.iter().find(|(code, _)| code[1..].starts_with(family));
        match own.or(codes.first()) {
            Some((code, fragment)) => ((*code).to_owned(), format!("{EN_REASON}{fragment}")),
            None => {
                let letter = if family.is_empty() { "A" } else { family };
                (format!("R{letter}XX"), format!("{EN_REASON}Other"))
            }
        }
    }

    pub fn by_en(uri: &str) -> Option<Self> {
        let fragment = uri.trim().rsplit('/').next()?;
        if fragment == "Other" {
            return Some(Self::Other);
        }
        ROWS.iter().find(|row| row.2.iter().any(|(_, f)| *f == fragment)).map(|row| row.0)
    }

    /// What the event itself says already: the younger dialect wants a code even so. Readers take
    /// it off a success again.
    pub fn implied(event: Event) -> Self {
        match event {
            Event::SubmissionAcceptance => Self::Accepted,
            Event::RelayAcceptance => Self::Relayed,
            Event::Delivery => Self::Consigned,
            Event::DeliveryExpiration => Self::NoDeliveryInfo,
            Event::Retrieval => Self::HandedOver,
            Event::RetrievalExpiration => Self::RetentionPeriodExpired,
            Event::RecipientAcceptance => Self::AcceptedByRecipient,
            Event::RecipientRejection => Self::RecipientRejection,
            Event::AcceptanceExpiration => Self::NotAcceptedInTime,
            Event::RelayToNonRem => Self::RelayedOutside,
            Event::ReceivedFromNonRem => Self::ReceivedFromOutside,
            Event::NotificationForAcceptance => Self::NotificationSent,
            Event::NotificationForAcceptanceFailure => Self::NotificationError,
            _ => Self::Other,
        }
    }

    pub fn turkish(self) -> &'static str {
        self.row().3
    }

    pub fn english(self) -> &'static str {
        self.row().4
    }

    fn row(self) -> &'static Row {
        // Every variant has its row; a test holds this.
        ROWS.iter().find(|row| row.0 == self).unwrap_or(&ROWS[0])
    }
}

/// Codes and fragments of EN 319 522 that mean a reason.
#[cfg(test)]
pub(super) fn codes_of(reason: Reason) -> &'static [(&'static str, &'static str)] {
    reason.row().2
}

type Row = (
    Reason,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

const TS_REASON: &str = "http:uri.etsi.org/REM/EventReason#";
const EN_REASON: &str = "http://uri.etsi.org/19522/EventReason/";

// table: meaning, fragment in TS 102 640-2 Annex D, codes and fragments in EN 319 522-3 table 3 with
// the additions of EN 319 532-4 and of the Italian policy, Turkish, English. Spelled as printed there.
#[rustfmt::skip]
const ROWS: [Row; 40] = [
    (Reason::InvalidMessageFormat, Some("InvalidMessageFormat"), &[("RA02", "InvalidMessageFormat"), ("RB02", "R_ERDS_MessageRejected")], "İleti biçimi geçersiz", "Invalid message format"),
    (Reason::MalwareFound, Some("MalwareFound"), &[("RA03", "MalwareFound"), ("RB03", "R_ERDS_MessageRejectedForMalware")], "Zararlı yazılım bulundu", "Malware found"),
    (Reason::InvalidUserSignature, Some("InvalidUserSignature"), &[("RB04", "R_ERDS_MessageRejectedForInvalidSignature")], "İmza geçersiz", "Invalid signature"),
    (Reason::UserCertExpiredOrRevoked, Some("UserCertExpiredOrRevoked"), &[("RA04", "SenderSigningCertExpiredOrRevoked"), ("RB05", "R_ERDS_MessageRejectedForInvalidCertificate")], "Sertifikanın süresi dolmuş veya sertifika iptal edilmiş", "Certificate expired or revoked"),
    (Reason::PolicyViolation, Some("PolicyViolation"), &[("RA05", "S_ERDS_PolicyViolation"), ("RB06", "R_ERDS_PolicyViolation")], "Hizmet ilkelerine aykırı", "Policy violation"),
    (Reason::ProviderMalfunction, Some("R_REMMD_Malfunction"), &[("RB07", "R_ERDS_Malfunction"), ("RA51", "S_ERDS_Malfunction")], "Hizmet sağlayıcıda arıza", "Provider malfunction"),
    (Reason::ProviderNotIdentified, Some("R_REMMD_NotIdentified"), &[("RB08", "R_ERDS_NotIdentified")], "Alıcının hizmet sağlayıcısı bulunamadı", "Recipient's provider not identified"),
    (Reason::ProviderUnreachable, Some("R_REMMD_Unreachable"), &[("RB09", "R_ERDS_Unreachable")], "Alıcının hizmet sağlayıcısına ulaşılamadı", "Recipient's provider unreachable"),
    (Reason::NoDeliveryInfo, Some("S_REMMD_ReceivedNoDeliveryInfoFromR_REMMD"), &[("RD03", "S_ERDSP_ReceivedNoDeliveryInfoFromR_ERDSP")], "Teslim bilgisi süresinde gelmedi", "No delivery information in time"),
    (Reason::UnknownRecipient, Some("UnknownRecipient"), &[("RB21", "MessageNotAcceptedForUnregisteredRecipient"), ("RB10", "UnknownRecipient"), ("RD21", "MessageNotConsignedForUnregisteredRecipient")], "Alıcı bilinmiyor", "Unknown recipient"),
    (Reason::MailboxFull, Some("MailboxFull"), &[("RD04", "MessageNotConsignedForQuota")], "Posta kutusu dolu", "Mailbox full"),
    (Reason::TechnicalMalfunction, Some("TechnicalMalfunction"), &[("RD05", "MessageNotConsignedForMalfunction")], "Teknik arıza", "Technical malfunction"),
    (Reason::FormatNotAccepted, Some("AttachementFormatNotAccepted"), &[("RD06", "MessageNotConsignedForUnallowedType"), ("RE03", "MessageNotHandedOverForUnallowedType")], "Ek biçimi kabul edilmiyor", "Attachment format not accepted"),
    (Reason::RecipientRejection, Some("RecipientRejection"), &[("RC08", "MessageRejectedByRecipient")], "Alıcı reddetti", "Rejected by the recipient"),
    (Reason::RetentionPeriodExpired, Some("RetentionPeriodExpired"), &[("RE04", "MessageHandoverTimeout")], "Süre doldu", "Period expired"),
    (Reason::RegularEmailUnreachable, Some("RegularEmailUnreachable"), &[("RF02", "ExternalSystemUnreachable")], "KEP dışı sisteme ulaşılamadı", "External system unreachable"),
    (Reason::RegularEmailNonOperational, Some("RegularEmailNonOperational"), &[], "KEP dışı sistem çalışmıyor", "External system not operational"),
    (Reason::RegularEmailRejection, Some("RegularEmailRejection"), &[("RF03", "MessageRejectedByExternalSystem")], "KEP dışı sistem reddetti", "Rejected by the external system"),
    (Reason::PrintingSystemUnreachable, Some("PrintingSystemUnreachable"), &[], "Baskı sistemine ulaşılamadı", "Printing system unreachable"),
    (Reason::PrintingSystemNonOperational, Some("PrintingSystemNonOperational"), &[], "Baskı sistemi çalışmıyor", "Printing system not operational"),
    (Reason::PrintingBufferFull, Some("PrintingBufferFull"), &[], "Baskı kuyruğu dolu", "Printing buffer full"),
    (Reason::Accepted, None, &[("RA01", "MessageAccepted")], "İleti kabul edildi", "Message accepted"),
    (Reason::Relayed, None, &[("RB01", "S_ERDS_MessageSuccessfullyRelayed")], "Alıcının hizmet sağlayıcısına aktarıldı", "Relayed to the recipient's provider"),
    (Reason::NoRelayInfo, None, &[("RB22", "S_ERDSP_ReceivedNoRelayAcceptanceInfoFromR_ERDSP")], "Aktarım kabul bilgisi süresinde gelmedi", "No relay acceptance information in time"),
    (Reason::NotificationSent, None, &[("RC01", "NotificationForAcceptanceSent")], "Kabul bildirimi gönderildi", "Notification for acceptance sent"),
    (Reason::FurtherNotificationSent, None, &[("RC02", "SubsequentNotificationForAcceptanceSent")], "Yeni kabul bildirimi gönderildi", "Subsequent notification for acceptance sent"),
    (Reason::NotificationError, None, &[("RC03", "NotificationForAcceptenceError")], "Kabul bildirimi gönderilemedi", "Notification for acceptance failed"),
    (Reason::FurtherNotificationError, None, &[("RC04", "SubsequentNotificationForAcceptanceError")], "Yeni kabul bildirimi gönderilemedi", "Subsequent notification for acceptance failed"),
    (Reason::NotificationErrors, None, &[("RC05", "NotificationForAcceptanceMultipleError")], "Kabul bildirimi birçok kez gönderilemedi", "Notification for acceptance failed repeatedly"),
    (Reason::FurtherNotificationErrors, None, &[("RC06", "SubsequentNotificationForAcceptanceMultipleError")], "Yeni kabul bildirimi birçok kez gönderilemedi", "Subsequent notification for acceptance failed repeatedly"),
    (Reason::AcceptedByRecipient, None, &[("RC07", "MessageAcceptedByRecipient")], "Alıcı kabul etti", "Accepted by the recipient"),
    (Reason::NotAcceptedInTime, None, &[("RC09", "MessageNotAcceptedInTimeByRecipient")], "Alıcı süresinde kabul etmedi", "Not accepted in time by the recipient"),
    (Reason::Consigned, None, &[("RD01", "MessageConsignedToRecipient")], "Alıcıya teslim edildi", "Consigned to the recipient"),
    (Reason::ConsignedToDelegate, None, &[("RD02", "MessageConsignedToDelegate")], "Alıcının vekiline teslim edildi", "Consigned to the recipient's delegate"),
    (Reason::HandedOver, None, &[("RE01", "MessageHandedOver")], "Alıcı okudu", "Handed over to the recipient"),
    (Reason::HandedOverToDelegate, None, &[("RE02", "MessageHandedOverToDelegate")], "Alıcının vekili okudu", "Handed over to the recipient's delegate"),
    (Reason::RelayedOutside, None, &[("RF01", "MessageRelayedToNonERDS")], "KEP dışı sisteme aktarıldı", "Relayed to an external system"),
    (Reason::RelayOutsideNotAllowed, None, &[("RF51", "RelayToNonERDSNotAllowed")], "KEP dışı sisteme aktarıma izin yok", "Relay to an external system not allowed"),
    (Reason::ReceivedFromOutside, None, &[("RF04", "MessageReceivedFromNonERDS")], "KEP dışı sistemden alındı", "Received from an external system"),
    (Reason::Other, Some("Other"), &[], "Diğer", "Other"),
];
