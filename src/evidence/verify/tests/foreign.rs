//! Evidence and mails that others made: the samples of the Italian authority, where they are at hand.

use super::*;
use crate::trust::{Anchors, Certificate};
use crate::wire::Timestamp;
use crate::wire::cms::SignedData;
use crate::wire::judges::reference;
use crate::wire::xades::Signature;
use crate::wire::xml::Xml;
use std::path::Path;

/// Long after everything that the samples say.
const LATER: Timestamp = Timestamp::from_secs(1_795_000_000);

fn certificates(path: &Path) -> Vec<Certificate> {
    let octets = std::fs::read(path).unwrap();
    Certificate::from_pem(&octets)
        .or_else(|_| Certificate::from_der(&octets).map(|c| vec![c]))
        .unwrap()
}

/// The samples' own root, and their stamping authority as its tokens bring it along: nobody else
/// knows it.
fn believed(mails: &Path, evidence: &[u8]) -> Believed {
    let xml = Xml::parse(evidence).unwrap();
    let signature = Signature::read(&xml).unwrap();
    let token = SignedData::parse(&signature.stamps[0].token_der).unwrap();
    let brought = token.certificates.iter().map(|der| Certificate::from_der(der).unwrap());
    let mut lists = crate::trust::Lists::default();
    certificates(&mails.join("REM-POLICY-IT-INTERMEDIATE-CERTIFICATE.crt"))
        .into_iter()
        .for_each(|certificate| lists.add_certificate(certificate));
    Believed {
        seal: Some(Anchors::new(certificates(&mails.join("REM-ROOT-CA.crt"))).unwrap()),
        time_stamp: Some(Anchors::new(brought.collect()).unwrap()),
        lists,
        ..Believed::default()
    }
}

/// Each file of a folder with that ending.
fn files(folder: &Path, ending: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|e| e == ending)).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

#[test]
fn evidence_of_another_country_is_judged_down_to_the_stamping_authority() {
    let Some(folder) = reference("xsd/examples") else { return };
    let mails = folder.join("rem-eml");
    let mut seen = 0;
    for (name, octets) in files(&folder.join("erds-samples"), "xml") {
        if name.starts_with("CSI") || name.starts_with("TL") {
            continue;
        }
        let judge = Judge::new(believed(&mails, &octets)).unwrap();
        let report = judge.judge(&octets, None, LATER);
        // The stamp itself is sound; that we believe its authority is an assumption of this test.
        assert_eq!(bad(&report), [""; 0], "{name}: {:#?}", report.checks);
        for check in [
            "reference-document",
            "reference-signed-properties",
            "signing-certificate",
            "signature-value",
            "time-stamp-imprint",
            "time-stamp-signature",
            "time-stamp-certificate",
            "seal-certificate",
        ] {
            assert!(named(&report, State::Good).contains(&check), "{name}: {check}");
        }
        assert_eq!(report.verdict, Verdict::Valid, "{name}: {:#?}", report.checks);
        seen += 1;
    }
    assert!(seen >= 6, "{seen}");
}

#[test]
fn certificates_that_ended_since_are_judged_at_the_time_of_the_stamp() {
    let Some(folder) = reference("xsd/examples") else { return };
    let mails = folder.join("rem-eml");
    let (_, octets) = files(&folder.join("erds-samples"), "xml").swap_remove(1);
    let judge = Judge::new(believed(&mails, &octets)).unwrap();
    let far = LATER.plus_secs(50 * 365 * 86_400);
    let report = judge.judge(&octets, None, far);
    assert_eq!(report.verdict, Verdict::Valid, "{:#?}", report.checks);
    assert!(details(&report, Name::SealCertificate).contains("valid at 2022-08-03"));
    // Without belief in the authority of the stamp, its time is a claim, and the ended certificate
    // is open: neither good nor bad.
    let without = Believed { time_stamp: None, ..believed(&mails, &octets) };
    let report = Judge::new(without).unwrap().judge(&octets, None, far);
    let open = ["time-stamp-certificate", "seal-certificate"];
    assert_eq!(named(&report, State::Unknown), open, "{:#?}", report.checks);
    assert_eq!(report.verdict, Verdict::CantTell);
}

#[test]
fn mails_of_another_country_are_judged_with_their_header_and_original() {
    let Some(folder) = reference("xsd/examples/rem-eml") else { return };
    let mut kinds = Vec::new();
    for (name, octets) in files(&folder, "eml").iter().filter(|(name, _)| name.starts_with("REM")) {
        let opened = crate::wire::rem::Opened::read(octets).unwrap();
        let judge = Judge::new(believed(&folder, &opened.evidence[0].xml)).unwrap();
        let report = judge.judge(octets, None, LATER);
        assert_eq!(bad(&report), [""; 0], "{name}: {:#?}", report.checks);
        assert_eq!(report.verdict, Verdict::Valid, "{name}: {:#?}", report.checks);
        let good = named(&report, State::Good);
        assert!(good.contains(&"seal") && good.contains(&"seal-from"), "{name}: {good:?}");
        kinds.push(report.kind);
    }
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Dispatch).count(), 1);
    assert!(kinds.len() >= 4, "{kinds:?}");
}

#[test]
fn an_altered_sample_is_invalid_by_name() {
    let Some(folder) = reference("xsd/examples/rem-eml") else { return };
    let octets = std::fs::read(folder.join("REM_Dispatch.RA01.eml")).unwrap();
    let opened = crate::wire::rem::Opened::read(&octets).unwrap();
    let judge = Judge::new(believed(&folder, &opened.evidence[0].xml)).unwrap();
    let signed = opened.signed.unwrap();
    let mut altered = octets.clone();
    altered[signed.start + signed.len() / 2] ^= 1;
    let report = judge.judge(&altered, None, LATER);
    assert_eq!((report.verdict, bad(&report)[0]), (Verdict::Invalid, "seal"));
}

#[test]
fn samples_that_are_not_signed_are_not_taken_for_evidence() {
    let Some(folder) = reference("xsd/examples") else { return };
    for (name, octets) in files(&folder, "xml") {
        let report = Judge::new(Believed::default()).unwrap().judge(&octets, None, LATER);
        assert_ne!(report.verdict, Verdict::Valid, "{name}");
        assert_eq!(report.kind, Kind::Evidence, "{name}: {:#?}", report.checks);
    }
}
