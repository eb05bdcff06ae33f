use super::*;
use crate::accept::ask::{Login, Recipient, Route};
use crate::wire::smtp::{Body, Notify};
use crate::wire::{AccountId, Timestamp};
use proptest::prelude::*;

fn address(text: &str) -> KepAddress {
    KepAddress::parse(text).unwrap()
}

fn envelope() -> Envelope {
    let to = |text| Recipient {
        address: address(text),
        route: Route::Local,
        notify: Notify::Unsaid,
        orcpt: None,
    };
    Envelope {
        from: Login {
            account: AccountId(1),
            address: address("ali@hs05.kep.tr"),
            operator: None,
            at: Timestamp::from_secs(0),
            channel: crate::registry::audit::Channel::Smtp,
        },
        recipients: vec![to("veli@hs05.kep.tr")],
        body: Body::SevenBit,
        smtputf8: false,
        requiretls: false,
        announced_size: None,
        ret: None,
        envid: None,
    }
}

/// Judges a message written with plain line ends.
fn judge(message: &str) -> Result<Parsed, Refusal> {
    inspect(message.replace('\n', "\r\n").as_bytes(), &envelope(), &Limits::default())
}

fn with(fields: &str) -> Result<Parsed, Refusal> {
    judge(&format!("From: ali@hs05.kep.tr\nTo: veli@hs05.kep.tr\n{fields}\n\nx\n"))
}

fn refused(message: &str) -> &'static str {
    judge(message).expect_err(message).name()
}

#[test]
fn invariant_07_the_author_is_the_account() {
    let from = |field: &str| refused(&format!("{field}\nTo: veli@hs05.kep.tr\n\nx\n"));
    assert_eq!(from("X: y"), "FromMissing");
    assert_eq!(from("From:"), "FromMissing");
    assert_eq!(from("From: ali@hs05.kep.tr\nFROM: ali@hs05.kep.tr"), "FromDuplicate");
    assert_eq!(from("From: ali@hs05.kep.tr, ali@hs05.kep.tr"), "FromMany");
    assert_eq!(from("From: Kurul: ali@hs05.kep.tr;"), "FromGroup");
    assert_eq!(from("From: ali@hs05.kep.tr <"), "FromMalformed");
    assert_eq!(from("From: ali @hs05.kep.tr veli"), "FromMalformed");
    assert_eq!(from("From: <@hs01.kep.tr:ali@hs05.kep.tr>"), "FromMalformed");
    assert_eq!(from("From: \"ali@hs05.kep.tr\" <veli@hs05.kep.tr>"), "FromNotAccount");
    assert_eq!(from("From: \"ali\"@hs05.kep.tr"), "FromNotAccount");
    assert_eq!(from("From: ali@hs05.kep.tr\nSender: veli@hs05.kep.tr"), "SenderFieldNotAccount");
    assert_eq!(from("From: ali@hs05.kep.tr\nSender: ?"), "RecipientsMalformed");
}

#[test]
fn invariant_07_every_recipient_is_named_in_the_header() {
    let to = |field: &str| refused(&format!("From: ali@hs05.kep.tr\n{field}\n\nx\n"));
    assert_eq!(to("To: ali@hs05.kep.tr"), "HiddenRecipient");
    assert_eq!(to("To: undisclosed-recipients:;"), "HiddenRecipient");
    assert_eq!(to("To: \"veli@hs05.kep.tr\" <ali@hs05.kep.tr>"), "HiddenRecipient");
    assert_eq!(to("To: ali@hs05.kep.tr (veli@hs05.kep.tr)"), "HiddenRecipient");
    assert_eq!(to("To: veli@hs05.kep.tr\nBcc:"), "BccPresent");
    assert_eq!(to("To: veli@hs05.kep.tr <"), "RecipientsMalformed");
    assert_eq!(to("To: veli@hs05.kep.tr\nTo: ali@hs05.kep.tr"), "HeaderDuplicate");
    let cc = judge("From: ali@hs05.kep.tr\nCc: K: Veli <VELI@hs05.kep.tr>;, x@y.z\n\nx\n").unwrap();
    assert_eq!(cc.cc, ["VELI@hs05.kep.tr", "x@y.z"]);
}

#[test]
fn a_message_id_too_long_for_a_header_of_ours_is_left_out() {
    let id =
        |len: usize| with(&format!("Message-ID: <{}>", "x".repeat(len))).unwrap().ua_message_id;
    assert_eq!(id(250).map(|id| id.len()), Some(250));
    assert_eq!(id(251), None);
}

#[test]
fn the_header_is_read_strictly() {
    assert_eq!(refused(""), "Empty");
    assert_eq!(refused("\nx\n"), "HeaderMissing");
    assert_eq!(refused("no header\n"), "HeaderMalformed");
    assert_eq!(refused(" From: ali@hs05.kep.tr\n\n"), "HeaderMalformed");
    assert_eq!(refused("From ali@hs05.kep.tr Mon\nFrom: ali@hs05.kep.tr\n\n"), "HeaderMalformed");
    assert_eq!(refused("From : ali@hs05.kep.tr\n\n"), "HeaderMalformed");
    let malformed = judge("From: ali@hs05.kep.tr\n folded\nX: y\nwhat\n\n").unwrap_err();
    assert_eq!(malformed, Refusal::HeaderMalformed("4".into()));
    assert_eq!(
        with("Content-Type: text/plain\nContent-Type: text/html").unwrap_err().name(),
        "HeaderDuplicate"
    );
    assert!(judge("From: ali@hs05.kep.tr\nTo: veli@hs05.kep.tr\n").is_ok(), "a header alone");
}

#[test]
fn limits_are_refused_by_name() {
    let fields = "X: y\n".repeat(10_000);
    assert_eq!(with(&fields).unwrap_err(), Refusal::TooManyHeaders("1000".into()));
    let folded = format!("X: y{}", format!("\n {}", "z".repeat(900)).repeat(400));
    assert_eq!(with(&folded).unwrap_err().name(), "HeaderTooLarge");
    let parts =
        format!("Content-Type: multipart/mixed; boundary=b\n\n{}", "--b\n\nx\n".repeat(3000));
    assert_eq!(with(&parts).unwrap_err().name(), "TooManyParts");
    assert_eq!(with(&format!("X: {}", "y".repeat(999))).unwrap_err().name(), "LineTooLong");
}

fn nested(levels: usize) -> String {
    let mut fields = String::from("Content-Type: multipart/mixed; boundary=b0\n");
    for level in 0..levels {
        fields +=
            &format!("\n--b{level}\nContent-Type: multipart/mixed; boundary=b{}\n", level + 1);
    }
    fields
}

#[test]
fn depth_counts_multiparts_and_messages() {
    assert!(with(&nested(63)).is_ok());
    assert_eq!(with(&nested(200)).unwrap_err().name(), "TooDeep");
    let messages = "Content-Type: message/rfc822\n\n".repeat(200);
    assert_eq!(with(&messages).unwrap_err().name(), "TooDeep");
    let beside = "--b\nContent-Type: message/rfc822\n\nX: y\n\nz\n".repeat(200);
    assert!(with(&format!("Content-Type: multipart/mixed; boundary=b\n\n{beside}--b--")).is_ok());
    assert_eq!(with("Content-Type: multipart/mixed").unwrap_err().name(), "MultipartMalformed");
}

#[test]
fn subjects_are_decoded() {
    let subject = |fields: &str| with(fields).unwrap().subject;
    assert_eq!(subject("X: y"), "");
    assert_eq!(subject("Subject: =?UTF-8?B?w4dhxJ9yxLE=?="), "Çağrı");
    assert_eq!(
        subject("Subject: =?ISO-8859-9?Q?=DDhale_?=\n =?windows-1254?Q?=FEart?="),
        "İhale şart"
    );
    assert_eq!(subject("Subject: Çağrı"), "Çağrı");
}

/// Work stays in proportion to the header: with quadratic reading this test would not end.
#[test]
fn invariant_10_a_header_made_to_be_slow_is_not() {
    for piece in ["=?utf-8?q?", "=?utf-8?q?a?= ", "=?utf-8?b?", "\\\"", "(", "<", ",", ":", "\"a"] {
        let long = piece.repeat(900 / piece.len());
        let folded = vec![long.as_str(); 200].join("\n ");
        for name in ["Subject", "Cc", "Content-Type", "Sender", "Message-ID"] {
            let _ = with(&format!("{name}: {folded}"));
        }
    }
    let parts = "--b\nContent-Type: multipart/mixed; boundary=\"b\"\n".repeat(2000);
    let _ = with(&format!("Content-Type: multipart/mixed; boundary=b\n\n{parts}"));
}

#[test]
fn identifiers_and_national_fields() {
    let parsed =
        with("Message-ID: <a.b@c>\nX-TR-REM-iletiTip: eyazisma\nX-TR-REM-iletiID: 42").unwrap();
    assert_eq!(parsed.ua_message_id.as_deref(), Some("a.b@c"));
    assert_eq!(parsed.message_type, MessageType::EYazisma);
    assert_eq!(parsed.national_id.as_deref(), Some("42"));
    let parsed = with("Message-ID: a b\nX-TR-REM-iletiTip: baska").unwrap();
    assert_eq!((parsed.ua_message_id, parsed.message_type), (None, MessageType::Standart));
}

#[test]
fn a_missing_or_wrong_date_is_taken() {
    for date in ["X: y", "Date: yarın", "Date: Mon, 99 Foo 2026 99:99:99 +9999", "Date:"] {
        assert!(with(date).is_ok(), "{date}");
    }
}

const SIGNED: &str = "Content-Type: multipart/signed; micalg=sha-256; \
    protocol=\"application/pkcs7-signature\"; boundary=b\n\npreamble\n";
const SIGNATURE: &str =
    "Content-Type: application/x-pkcs7-signature\nContent-Transfer-Encoding: base64\n\nMA==\n";

#[test]
fn the_signed_part_ends_before_the_crlf_of_the_delimiter() {
    let message = format!(
        "From: ali@hs05.kep.tr\nTo: veli@hs05.kep.tr\n{SIGNED}--b\nX: y\n\nbody\n\n--b \n{SIGNATURE}--b--\n"
    );
    let SignatureForm::Multipart { signed_part, signature_der, micalg } =
        judge(&message).unwrap().signature
    else {
        panic!("multipart")
    };
    let octets = message.replace('\n', "\r\n");
    assert_eq!(&octets[signed_part], "X: y\r\n\r\nbody\r\n");
    assert_eq!((signature_der, micalg.as_deref()), (vec![0x30], Some("sha-256")));
}

#[test]
fn a_signature_that_is_not_whole_is_malformed() {
    let name = |body: &str| match with(&format!("{SIGNED}{body}")) {
        Ok(parsed) => panic!("{parsed:?}"),
        Err(refusal) => refusal.name(),
    };
    let one = format!("--b\n\nx\n--b\n{SIGNATURE}--b\n\nthree\n--b--");
    assert_eq!(name(&one), "SignatureMalformed");
    assert_eq!(name("--b\n\nx\n--b--"), "SignatureMalformed");
    assert_eq!(name(&format!("--b\n\nx\n--b\n{SIGNATURE}")), "SignatureMalformed");
    assert_eq!(name(&format!("--b\n--b\n{SIGNATURE}--b--")), "SignatureMalformed");
    assert_eq!(name("--b\n\nx\n--b\nContent-Type: text/plain\n\nx\n--b--"), "SignatureMalformed");
    assert_eq!(
        name(&format!("--b\n\nx\n--b\n{}--b--", SIGNATURE.replace("MA==", "!"))),
        "SignatureMalformed"
    );
}

#[test]
fn other_forms_are_told_apart() {
    let form = |fields: &str| with(fields).map(|parsed| parsed.signature);
    let inner = judge(
        "From: ali@hs05.kep.tr\nTo: veli@hs05.kep.tr\nContent-Type: multipart/mixed; boundary=o\n\n\
         --o\nContent-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\n\n--o--\n",
    );
    assert_eq!(inner.unwrap().signature, SignatureForm::None, "a signed part is no signed message");
    assert_eq!(
        form("Content-Type: multipart/signed; protocol=\"application/pgp-signature\"; boundary=b"),
        Ok(SignatureForm::Pgp)
    );
    assert_eq!(form("Content-Type: multipart/encrypted; boundary=b"), Ok(SignatureForm::Encrypted));
}

#[test]
fn opaque_forms_are_told_by_their_octets() {
    let form = |kind: &[u8]| {
        let der = [&[0x30, 0x80][..], kind, &[0xa0, 0x80]].concat();
        let text = data_encoding::BASE64.encode(&der);
        let message = format!(
            "From: ali@hs05.kep.tr\nTo: veli@hs05.kep.tr\nContent-Type: application/pkcs7-mime\n\
             Content-Transfer-Encoding: base64\n\n{text}\n"
        );
        (judge(&message).unwrap().signature, der)
    };
    let oid = |last: u8| [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, last];
    let (signed, der) = form(&oid(2));
    assert_eq!(signed, SignatureForm::Opaque { der });
    assert_eq!(form(&oid(3)).0, SignatureForm::Encrypted);
    assert_eq!(form(&oid(1)).0, SignatureForm::None);
}

proptest! {
    #[test]
    fn no_octets_make_the_checks_panic(octets in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = inspect(&octets, &envelope(), &Limits::default());
    }

    #[test]
    fn no_structure_makes_the_checks_panic(
        lines in prop::collection::vec(prop::sample::select(vec![
            "--b", "--b--", "--bb", "", "x", "Content-Type: multipart/mixed; boundary=bb",
            "Content-Type: message/rfc822", "Content-Type: application/pkcs7-signature", " folded",
        ]), 0..30),
    ) {
        let _ = with(&format!("{SIGNED}{}", lines.join("\n")));
    }
}
