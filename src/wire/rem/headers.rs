//! The header fields by which mail systems tell dispatch and evidence mails: X-REM-* of TS 102 640
//! and REM-* of EN 319 532-3, written together. No signature covers them: trust the evidence.

use super::en319522::BASELINE;
use super::evidence::bare;
use super::{ContentDigest, Event, Evidence, Reason};
use crate::wire::xades::Hash;
use crate::wire::{Digest, Timestamp};
use data_encoding::BASE64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageKind {
    /// Encloses the original.
    Dispatch,
    /// Evidence only.
    Evidence,
}

/// What the fields say. All of it is optional on reading.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RemHeaders {
    pub kind: Option<MessageKind>,
    pub event: Option<Event>,
    pub reasons: Vec<Reason>,
    pub evidence_id: Option<String>,
    pub message_id: Option<String>,
    pub ua_message_id: Option<String>,
    pub digest: Option<Digest>,
    /// The sender's address.
    pub sender: Option<String>,
    pub policies: Vec<String>,
    pub relay_time: Option<Timestamp>,
}

impl RemHeaders {
    pub fn of(evidence: &Evidence, kind: MessageKind) -> Self {
        let digest = match evidence.message.digest {
            Some(ContentDigest::Sha256(digest)) => Some(digest),
            _ => None,
        };
        Self {
            kind: Some(kind),
            event: Some(evidence.event),
            reasons: evidence.reasons.iter().map(|why| why.reason).collect(),
            evidence_id: Some(evidence.id.as_str().to_owned()),
            message_id: Some(evidence.message.message_id.clone()),
            ua_message_id: evidence.message.ua_message_id.clone(),
            digest,
            sender: Some(evidence.sender.address.clone()),
            policies: evidence.policies.clone(),
            relay_time: None,
        }
    }

    /// The fields in order, both families.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        self.elder(&mut fields);
        self.younger(&mut fields);
        // Whatever came from a peer's evidence must not begin a field of its own.
        fields.retain(|(_, value)| value.bytes().all(|b| (b' '..0x7f).contains(&b)));
        fields
    }

    fn elder(&self, fields: &mut Vec<(&'static str, String)>) {
        let kind = self.kind.map(|kind| match kind {
            MessageKind::Dispatch => "Dispatch".to_owned(),
            MessageKind::Evidence => "Message".to_owned(),
        });
        let root = self.event.and_then(Event::ts).map(|(root, _)| root.to_owned());
        let digest = self.digest.as_ref();
        let elder = [
            ("X-REM-Msg-Type", kind),
            ("X-REM-Evidence-Type", root),
            ("X-REM-Event", self.event.map(|e| e.header_text().to_owned())),
            ("X-REM-Evidence-Identifier", self.evidence_id.clone()),
            ("X-REM-Message-Identifier", self.message_id.as_ref().map(|id| format!("<{id}>"))),
            ("X-REM-DigestMethod", digest.map(|_| Hash::Sha256.uri().to_owned())),
            ("X-REM-DigestValue", digest.map(Digest::base64)),
        ];
        fields.extend(elder.into_iter().filter_map(|(name, value)| Some((name, value?))));
    }

    fn younger(&self, fields: &mut Vec<(&'static str, String)>) {
        let mut add = |name, value: Option<String>| fields.extend(value.map(|v| (name, v)));
        add("REM-MetadataVersion", Some(METADATA_VERSION.to_owned()));
        add("REM-RelayDate", self.relay_time.map(Timestamp::rfc5322));
        add("REM-ApplicablePolicy", Some(BASELINE.to_owned()));
        self.policies.iter().for_each(|p| add("REM-ApplicablePolicy", Some(p.clone())));
        let kind = self.kind.map(|kind| match kind {
            MessageKind::Dispatch => format!("{MESSAGE_TYPE}dispatch"),
            MessageKind::Evidence => format!("{MESSAGE_TYPE}receipt"),
        });
        add("REM-MessageType", kind);
        add("REM-DigestAlgorithm", self.digest.map(|_| Hash::Sha256.uri().to_owned()));
        add("REM-DigestValue", self.digest.as_ref().map(Digest::base64));
        let ua = self.ua_message_id.as_ref().filter(|id| is_msg_id(id));
        add("REM-UAMessageIdentifier", ua.map(|id| format!("<{id}>")));
        add("REM-EventIdentifier", self.event.and_then(Event::en_uri));
        add("REM-Evidence-ID", self.evidence_id.as_ref().map(|id| format!("<{id}>")));
        if let Some(event) = self.event {
            let implied = self.reasons.is_empty().then(|| Reason::implied(event));
            for reason in self.reasons.iter().copied().chain(implied) {
                add("REM-ReasonIdentifier", Some(reason.en(event).1));
            }
        }
        add("REM-MD08", self.sender.as_ref().map(|address| format!("<{address}>")));
    }

    /// Tolerant: of either family, in any case; the younger one wins where both speak.
    pub fn read<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut read = Self::default();
        let mut elder = Elder::default();
        for (name, value) in fields.into_iter().take(MAX_FIELDS) {
            let value = value.trim();
            let name = name.to_ascii_lowercase();
            match name.strip_prefix("x-rem-") {
                Some(name) => elder.take(name, value),
                None => {
                    if let Some(name) = name.strip_prefix("rem-") {
                        read.take(name, value);
                    }
                }
            }
        }
        read.complete(elder)
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "relaydate" => self.relay_time = date(value),
            "applicablepolicy" if value != BASELINE => self.policies.push(value.to_owned()),
            "messagetype" => {
                self.kind = match value.rsplit('/').next() {
                    Some("dispatch" | "payload") => Some(MessageKind::Dispatch),
                    Some("receipt" | "notification") => Some(MessageKind::Evidence),
                    _ => None,
                }
            }
            "digestvalue" => self.digest = digest(value),
            "uamessageidentifier" => self.ua_message_id = Some(bare(value)),
            "eventidentifier" => self.event = Event::by_en(value),
            "evidence-id" => self.evidence_id = Some(bare(value)),
            "reasonidentifier" => self.reasons.extend(Reason::by_en(value)),
            "md08" => {
                let address = value.rsplit_once('<').map_or(value, |(_, a)| a);
                self.sender = Some(bare(address.trim_end_matches('>')));
            }
            _ => {}
        }
    }

    fn complete(mut self, elder: Elder) -> Self {
        let success = self.event.filter(|e| e.is_success()).map(Reason::implied);
        if self.reasons.len() == 1 && self.reasons.first().copied() == success {
            self.reasons.clear();
        }
        // The elder family tells a failure from a period that ended.
        let event = elder.text.or_else(|| {
            let root = elder.root.as_deref()?;
            Event::by_ts(root, None)
        });
        let same = event.zip(self.event).is_none_or(|(a, b)| a.en() == b.en());
        self.event = if same { event.or(self.event) } else { self.event };
        self.kind = self.kind.or(elder.kind);
        self.evidence_id = self.evidence_id.or(elder.evidence_id);
        self.message_id = elder.message_id;
        self.digest = self.digest.or(elder.digest);
        self
    }
}

#[derive(Default)]
struct Elder {
    kind: Option<MessageKind>,
    root: Option<String>,
    text: Option<Event>,
    evidence_id: Option<String>,
    message_id: Option<String>,
    digest: Option<Digest>,
}

impl Elder {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "msg-type" if value.eq_ignore_ascii_case("dispatch") => {
                self.kind = Some(MessageKind::Dispatch);
            }
            "msg-type" if value.eq_ignore_ascii_case("message") => {
                self.kind = Some(MessageKind::Evidence);
            }
            "evidence-type" => self.root = Some(value.to_owned()),
            "event" => self.text = Event::by_header_text(value),
            "evidence-identifier" => self.evidence_id = Some(bare(value)),
            "message-identifier" => self.message_id = Some(bare(value)),
            "digestvalue" => self.digest = digest(value),
            _ => {}
        }
    }
}

fn digest(value: &str) -> Option<Digest> {
    BASE64.decode(value.as_bytes()).ok().and_then(|d| Digest::from_slice(&d))
}

/// RFC 5322, with a comment behind it or not; the standard's own example writes digits only.
fn date(value: &str) -> Option<Timestamp> {
    let plain = value.split('(').next().unwrap_or(value).trim();
    let mail = chrono::DateTime::parse_from_rfc2822(plain).map(|t| t.to_utc());
    let digits = || chrono::NaiveDateTime::parse_from_str(plain, "%Y%m%d%H%M%SZ");
    mail.or_else(|_| digits().map(|t| t.and_utc())).ok().map(Timestamp::from_utc)
}

/// These come from users' programs; one that can't stand in a header is left out, the mail goes on.
pub(super) fn is_msg_id(id: &str) -> bool {
    (1..=MSG_ID_MAX).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'<' | b'>'))
}

/// With the longest name of a field before it, well within the 998 octets of a line.
const MSG_ID_MAX: usize = 250;
/// EN 319 532-3 V1.2.1
const METADATA_VERSION: &str = "EN31953203V010201";
const MESSAGE_TYPE: &str = "http://uri.etsi.org/19522/v1#/ERDMessageType/";
const MAX_FIELDS: usize = 2_000;
