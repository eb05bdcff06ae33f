use super::*;
use crate::trust::pki::Profile;
use crate::trust::testing;
use proptest::prelude::*;

#[test]
fn names_are_escaped_as_rfc_4514_wants() {
    for (name, written) in [
        ("Ali Veli", "CN=Ali Veli,C=TR"),
        ("Veli, Ali", "CN=Veli\\, Ali,C=TR"),
        ("#1 \"A+B\" <x>;\\ ", "CN=\\#1 \\\"A\\+B\\\" \\<x\\>\\;\\\\\\ ,C=TR"),
        ("Çağrı İşözü", "CN=Çağrı İşözü,C=TR"),
    ] {
        let profile = Profile::TimeStamp { name: name.into() };
        let issued = testing::issue(&testing::authority("Kök"), profile);
        assert_eq!(issued.certificate().subject(), written);
    }
}

#[test]
fn identity_numbers_are_read_in_both_forms() {
    let authority = testing::authority("Kök");
    for (written, read) in [
        ("10000000146", Some("10000000146")),
        ("PNOTR-10000000146", Some("10000000146")),
        ("TINTR-1234567890", Some("1234567890")),
        ("123", None),
        ("1000000014x", None),
    ] {
        let (name, identity_number) = ("Ali".into(), written.into());
        let issued = testing::issue(&authority, Profile::Qualified { name, identity_number });
        assert_eq!(issued.certificate().identity_number(), read, "{written}");
    }
}

#[test]
fn links_are_found_again() {
    let links = crate::trust::pki::Links {
        crl: Some("http://127.0.0.1:1/user.crl".into()),
        ocsp: Some("http://127.0.0.1:1/ocsp".into()),
    };
    let issued = testing::authority("Kök")
        .issue(&testing::seal_profile(), Default::default(), &links, testing::NOW)
        .unwrap();
    assert_eq!(issued.certificate().crl_urls(), ["http://127.0.0.1:1/user.crl"]);
    assert_eq!(issued.certificate().ocsp_urls(), ["http://127.0.0.1:1/ocsp"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn touched_certificates_never_panic(at in 0..500_usize, with in any::<u8>(), cut in 0..600_usize) {
        static GOOD: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
        let good = GOOD.get_or_init(|| {
            testing::user(&testing::authority("Kök")).certificate().der().to_vec()
        });
        let mut touched = good.clone();
        if let Some(octet) = touched.get_mut(at) {
            *octet = with;
        }
        touched.truncate(cut);
        if let Ok(certificate) = Certificate::from_der(&touched) {
            let _ = (certificate.key_usage(), certificate.extended_key_usage());
            let _ = (certificate.is_authority(), certificate.crl_urls(), certificate.ocsp_urls());
            let _ = (certificate.identity_number(), certificate.pem(), certificate.common_name());
        }
    }
}
