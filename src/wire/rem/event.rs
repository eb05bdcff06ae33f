//! The facts that evidence is about, and what each is called in TS 102 640-2, in EN 319 522, by
//! number in Turkish practice, and by people.

use super::Dialect;

/// One kind of fact. We issue the first ten; the others are read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Event {
    SubmissionAcceptance,
    SubmissionRejection,
    RelayAcceptance,
    RelayRejection,
    RelayFailure,
    Delivery,
    NonDelivery,
    DeliveryExpiration,
    Retrieval,
    RetrievalExpiration,
    Download,
    DownloadExpiration,
    RecipientAcceptance,
    RecipientRejection,
    RelayToNonRem,
    RelayToNonRemFailure,
    ReceivedFromNonRem,
    NotificationForAcceptance,
    NotificationForAcceptanceFailure,
    AcceptanceExpiration,
    ConsignmentNotification,
    ConsignmentNotificationFailure,
}

impl Event {
    pub fn all() -> impl Iterator<Item = Self> {
        ROWS.iter().map(|row| row.event)
    }

    /// Our stable name: in stored facts and in the derivation of identifiers.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    pub fn by_name(name: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.name == name).map(|row| row.event)
    }

    /// Root element and EventCode of TS 102 640-2, for what that dialect knows.
    pub fn ts(self) -> Option<(&'static str, &'static str)> {
        self.row().ts
    }

    /// The EventCode as the standard spells it, without `//`.
    pub fn ts_uri(self) -> Option<String> {
        self.ts().map(|(_, code)| format!("{TS_EVENT}{code}"))
    }

    /// The event of a root element and an EventCode, which may be absent or spelled with `//`.
    pub fn by_ts(root: &str, code: Option<&str>) -> Option<Self> {
        let mut candidates = ROWS.iter().filter(|row| row.ts.is_some_and(|(r, _)| r == root));
        let fragment = code.and_then(|c| c.rsplit_once('#')).map(|(_, f)| f.trim());
        let exact = |row: &&Row| row.ts.map(|(_, code)| code) == fragment;
        let found = candidates.clone().find(exact);
        // A failure to relay is told by its root alone.
        let lone = (root == "RelayREMMDFailure" || root == "ReceivedFromNonREMSystem")
            .then(|| candidates.next())
            .flatten();
        found.or(lone).map(|row| row.event)
    }

    /// Code and name of EN 319 522-1 clause 6.
    pub fn en(self) -> Option<(&'static str, &'static str)> {
        self.row().en
    }

    pub fn en_uri(self) -> Option<String> {
        self.en().map(|(_, name)| format!("{EN_EVENT}{name}"))
    }

    /// The event of an ERDSEventId. Expirations share their URI with other failures; reasons tell.
    pub fn by_en(uri: &str) -> Option<Self> {
        let name = uri.trim().rsplit('/').next()?;
        ROWS.iter().find(|row| row.en.is_some_and(|(_, n)| n == name)).map(|row| row.event)
    }

    /// The number that Turkish providers give the kind of evidence.
    pub fn number(self) -> Option<u8> {
        self.row().number
    }

    pub fn turkish(self) -> &'static str {
        self.row().turkish
    }

    pub fn english(self) -> &'static str {
        self.row().english
    }

    /// Did what the sender wants happen?
    pub fn is_success(self) -> bool {
        self.row().success
    }

    /// Evidence about one recipient rather than the message.
    pub fn is_per_recipient(self) -> bool {
        !matches!(self, Self::SubmissionAcceptance | Self::SubmissionRejection)
    }

    /// Name of the XML attachment: the root element, or the event where the dialect has no roots.
    pub fn ts_file(self) -> Option<String> {
        self.ts().map(|(root, _)| format!("{root}.xml"))
    }

    pub fn en_file(self) -> Option<String> {
        self.en().map(|(_, name)| format!("{name}.xml"))
    }

    /// The name of its attachment in a dialect.
    pub fn file(self, dialect: Dialect) -> String {
        let named = match dialect {
            Dialect::Ts102640 => self.ts_file(),
            Dialect::En319522 => self.en_file(),
        };
        named.unwrap_or_else(|| "Evidence.xml".to_owned())
    }

    /// X-REM-Event.
    pub(super) fn header_text(self) -> &'static str {
        match self {
            Self::SubmissionAcceptance => "Submission acceptance",
            Self::SubmissionRejection => "Submission non acceptance",
            Self::DeliveryExpiration => "Non delivery within a given retention period",
            Self::RetrievalExpiration => "Non retrieval within a given retention period",
            other => other.english(),
        }
    }

    pub(super) fn by_header_text(text: &str) -> Option<Self> {
        Self::all().find(|e| e.header_text().eq_ignore_ascii_case(text.trim()))
    }

    fn row(self) -> &'static Row {
        // Every variant has its row; a test holds this.
        ROWS.iter().find(|row| row.event == self).unwrap_or(&ROWS[0])
    }
}

/// Root and code, or code and name.
type Pair = (&'static str, &'static str);

struct Row {
    event: Event,
    name: &'static str,
    ts: Option<Pair>,
    en: Option<Pair>,
    number: Option<u8>,
    success: bool,
    turkish: &'static str,
    english: &'static str,
}

/// TS 102 640-2 Annex B prints no `//`; both spellings are read.
const TS_EVENT: &str = "http:uri.etsi.org/02640/Event#";
const EN_EVENT: &str = "http://uri.etsi.org/19522/Event/";

const SUBMISSION: &str = "SubmissionAcceptanceRejection";
const RELAY: &str = "RelayREMMDAcceptanceRejection";
const DELIVERY: &str = "DeliveryNonDeliveryToRecipient";
const DOWNLOAD: &str = "DownloadNonDownloadByRecipient";
const RETRIEVAL: &str = "RetrievalNonRetrievalByRecipient";
const RECIPIENT: &str = "AcceptanceRejectionByRecipient";

const fn row(
    event: Event,
    name: &'static str,
    (ts, en): (Option<Pair>, Option<Pair>),
    number: Option<u8>,
    success: bool,
    (turkish, english): (&'static str, &'static str),
) -> Row {
    Row { event, name, ts, en, number, success, turkish, english }
}

// table: TS 102 640-2 roots and codes, EN 319 522-1 clause 6, numbers of Turkish practice.
// QUIRK(ETSI, 2026-11): RelayREMMDFailure has no code of its own: docs/quirks.md#31
#[rustfmt::skip]
const ROWS: [Row; 22] = [
    row(Event::SubmissionAcceptance, "submission-acceptance", (Some((SUBMISSION, "Acceptance")), Some(("A.1", "SubmissionAcceptance"))), Some(10), true, ("Kabul edildi", "Submission acceptance")),
    row(Event::SubmissionRejection, "submission-rejection", (Some((SUBMISSION, "Rejection")), Some(("A.2", "SubmissionRejection"))), Some(11), false, ("Kabul edilmedi", "Submission rejection")),
    row(Event::RelayAcceptance, "relay-acceptance", (Some((RELAY, "Acceptance")), Some(("B.1", "RelayAcceptance"))), Some(20), true, ("Karşı KEPHS'ye aktarıldı", "Relay acceptance")),
    row(Event::RelayRejection, "relay-rejection", (Some((RELAY, "Rejection")), Some(("B.2", "RelayRejection"))), Some(21), false, ("Karşı KEPHS'ye aktarılamadı", "Relay rejection")),
    row(Event::RelayFailure, "relay-failure", (Some(("RelayREMMDFailure", "DeliveryExpiration")), Some(("B.3", "RelayFailure"))), Some(31), false, ("KEPHS'ye ulaşılamadı", "Relay failure")),
    row(Event::Delivery, "delivery", (Some((DELIVERY, "Delivery")), Some(("D.1", "ContentConsignment"))), Some(40), true, ("Teslim edildi", "Delivery")),
    row(Event::NonDelivery, "non-delivery", (Some((DELIVERY, "NonDelivery")), Some(("D.2", "ContentConsignmentFailure"))), Some(41), false, ("Teslim edilemedi", "Non delivery")),
    row(Event::DeliveryExpiration, "delivery-expiration", (Some((DELIVERY, "DeliveryExpiration")), Some(("D.2", "ContentConsignmentFailure"))), Some(41), false, ("Süresi içinde teslim edilemedi", "Delivery expiration")),
    row(Event::Retrieval, "retrieval", (Some((RETRIEVAL, "Retrieval")), Some(("E.1", "ContentHandover"))), Some(60), true, ("Okundu", "Retrieval")),
    row(Event::RetrievalExpiration, "retrieval-expiration", (Some((RETRIEVAL, "RetrievalExpiration")), Some(("E.2", "ContentHandoverFailure"))), Some(61), false, ("Zaman aşımından okundu", "Retrieval expiration")),
    row(Event::Download, "download", (Some((DOWNLOAD, "Download")), None), Some(50), true, ("İndirildi", "Download")),
    row(Event::DownloadExpiration, "download-expiration", (Some((DOWNLOAD, "DownloadExpiration")), None), Some(51), false, ("Süresi içinde indirilmedi", "Download expiration")),
    row(Event::RecipientAcceptance, "recipient-acceptance", (Some((RECIPIENT, "Acceptance")), Some(("C.3", "ConsignmentAcceptance"))), Some(70), true, ("Alıcı kabul etti", "Acceptance by recipient")),
    row(Event::RecipientRejection, "recipient-rejection", (Some((RECIPIENT, "Rejection")), Some(("C.4", "ConsignmentRejection"))), Some(71), false, ("Alıcı reddetti", "Rejection by recipient")),
    row(Event::RelayToNonRem, "relay-to-non-rem", (Some(("RelayToNonREMSystem", "Acceptance")), Some(("F.1", "RelayToNonERDS"))), Some(80), true, ("KEP dışı sisteme aktarıldı", "Relay to non-REM system")),
    row(Event::RelayToNonRemFailure, "relay-to-non-rem-failure", (Some(("RelayToNonREMSystem", "Rejection")), Some(("F.2", "RelayToNonERDSFailure"))), Some(81), false, ("KEP dışı sisteme aktarılamadı", "Relay to non-REM system failed")),
    row(Event::ReceivedFromNonRem, "received-from-non-rem", (Some(("ReceivedFromNonREMSystem", "Acceptance")), Some(("F.3", "ReceivedFromNonERDS"))), Some(90), true, ("KEP dışı sistemden alındı", "Received from non-REM system")),
    row(Event::NotificationForAcceptance, "notification-for-acceptance", (None, Some(("C.1", "NotificationForAcceptance"))), None, true, ("Kabul için bildirildi", "Notification for acceptance")),
    row(Event::NotificationForAcceptanceFailure, "notification-for-acceptance-failure", (None, Some(("C.2", "NotificationForAcceptanceFailure"))), None, false, ("Kabul için bildirilemedi", "Notification for acceptance failed")),
    row(Event::AcceptanceExpiration, "acceptance-expiration", (None, Some(("C.5", "AcceptanceRejectionExpiry"))), None, false, ("Kabul süresi doldu", "Acceptance expiration")),
    row(Event::ConsignmentNotification, "consignment-notification", (None, Some(("D.3", "ConsignmentNotification"))), None, true, ("Teslim bildirildi", "Consignment notification")),
    row(Event::ConsignmentNotificationFailure, "consignment-notification-failure", (None, Some(("D.4", "ConsignmentNotificationFailure"))), None, false, ("Teslim bildirilemedi", "Consignment notification failed")),
];
