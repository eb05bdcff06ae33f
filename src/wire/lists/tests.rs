use super::*;
use crate::wire::judges::{judge, reference};
use crate::wire::xml::{MAX_DEPTH, XmlFault};

const LIST: &str = include_str!("../../../tests/lists/list.xml");
const PROVIDER: &str = include_str!("../../../tests/lists/provider.xml");
const HISTORY: &str = include_str!("../../../tests/lists/history.xml");
const CSI: &str = include_str!("../../../tests/lists/csi.xml");

fn filled(template: &str, values: &[(&str, &str)]) -> String {
    let fill =
        |text: String, (key, value): &(&str, &str)| text.replace(&format!("{{{key}}}"), value);
    values.iter().fold(template.to_owned(), fill)
}

fn phase(status: &str, since: &str) -> String {
    filled(HISTORY, &[("status", status), ("since", since)])
}

fn provider(status: &str, since: &str, history: &str) -> String {
    let values = [
        ("name", "Öteki KEP A.Ş."),
        ("type", "EDS/REM/Q"),
        ("certificate", "MAA="),
        ("host", "Relay.hs06.kep.tr:2525"),
    ];
    filled(
        PROVIDER,
        &[&values[..], &[("status", status), ("since", since), ("history", history)]].concat(),
    )
}

fn list(providers: &str) -> String {
    let times = [("issued", "2026-11-01T00:00:00Z"), ("next", "2027-05-01T00:00:00Z")];
    filled(LIST, &[&times[..], &[("sequence", "7"), ("providers", providers)]].concat())
}

fn csi() -> String {
    let times = [("issued", "2026-11-01T00:00:00Z"), ("next", "2027-05-01T00:00:00Z")];
    let values = [
        ("sequence", "3"),
        ("host", "Relay.hs06.kep.tr"),
        ("name", "Öteki"),
        ("certificate", "MA A="),
    ];
    filled(CSI, &[&times[..], &values].concat())
}

fn read(text: &str) -> Result<TrustedList, ListFault> {
    TrustedList::read(&Xml::parse(text.as_bytes()).unwrap())
}

fn read_csi(text: &str) -> Result<Csi, ListFault> {
    Csi::read(&Xml::parse(text.as_bytes()).unwrap())
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_iso8601(text).unwrap()
}

#[test]
fn a_list_says_who_is_in_force_since_when() {
    let history =
        phase("withdrawn", "2024-01-01T00:00:00Z") + &phase("granted", "2020-01-01T00:00:00Z");
    let text = list(&provider("granted", "2025-06-01T00:00:00+03:00", &history));
    let list = read(&text).unwrap();
    assert_eq!((list.sequence, list.territory.as_str()), (7, "TR"));
    assert_eq!((list.operator.as_str(), list.issued), ("Örnek Kurum", at("2026-11-01T00:00:00Z")));
    assert_eq!(list.next_update, Some(at("2027-05-01T00:00:00Z")));
    assert_eq!(list.points, ["https://authority.example/tl.xml"]);
    let [provider] = &list.providers[..] else { panic!("{list:?}") };
    assert_eq!(provider.name, "Öteki KEP A.Ş.");
    let [service] = &provider.services[..] else { panic!("{provider:?}") };
    assert_eq!(service.kind, ServiceKind::Mail { qualified: true });
    assert_eq!(service.identity.certificates, [[0x30, 0]]);
    let relay = SupplyPoint::Smtp { host: "relay.hs06.kep.tr".to_owned(), port: 2525 };
    let csi = SupplyPoint::Https("https://saglayici.example/CSI.xml".to_owned());
    assert_eq!(service.supply_points, [relay, csi]);
    let former = (at("2020-01-01T00:00:00Z"), Some(at("2024-01-01T00:00:00Z")));
    assert_eq!(service.in_force(), [former, (at("2025-05-31T21:00:00Z"), None)]);
}

#[test]
fn what_is_not_in_force_any_more_was_until_then() {
    let (granted, ended) = ("2020-01-01T00:00:00Z", "2026-03-01T00:00:00Z");
    for (word, status) in [
        ("withdrawn", Status::Withdrawn),
        ("supervisionrevoked", Status::Withdrawn),
        ("supervisionceased", Status::Ceased),
        ("accreditationceased", Status::Ceased),
    ] {
        let text = list(&provider(word, ended, &phase("granted", granted)));
        let list = read(&text).unwrap();
        let service = &list.providers[0].services[0];
        assert_eq!((service.now.status, service.now.word.as_str()), (status, word));
        assert_eq!(service.in_force(), [(at(granted), Some(at(ended)))]);
    }
}

#[test]
fn one_odd_service_hides_no_other_and_other_kinds_are_counted() {
    let good = provider("granted", "2020-01-01T00:00:00Z", "");
    let odd = provider("granted", "yesterday", "");
    let unknown = provider("blessed", "2020-01-01T00:00:00Z", "");
    let late =
        provider("granted", "2020-01-01T00:00:00Z", &phase("granted", "2021-01-01T00:00:00Z"));
    let other = good.replace("Svctype/EDS/REM/Q", "Svctype/CA/QC").replace("granted", "nonsense");
    let list = read(&list(&[good, odd, unknown, late, other].concat())).unwrap();
    assert_eq!((list.providers.len(), list.others), (1, 1));
    let faults: Vec<_> = list.unreadable.iter().map(|odd| odd.fault.to_string()).collect();
    assert_eq!(
        faults,
        [
            "StatusStartingTime can't be read: \"yesterday\"",
            "ServiceStatus can't be read: \"http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/blessed\"",
            "a former status begins after the present one",
        ]
    );
}

#[test]
fn a_list_without_its_essentials_is_none() {
    let good = list("");
    assert!(read(&good).unwrap().providers.is_empty());
    for (from, to, why) in [
        (
            "<TSLSequenceNumber>7<",
            "<TSLSequenceNumber>0<",
            "TSLSequenceNumber can't be read: \"0\"",
        ),
        (
            "<TSLSequenceNumber>7<",
            "<TSLSequenceNumber>+7<",
            "TSLSequenceNumber can't be read: \"+7\"",
        ),
        ("<TSLSequenceNumber>7<", "<TSLSequenceNumber>9223372036854775808<", "TSLSequenceNumber"),
        ("<TSLVersionIdentifier>6<", "<TSLVersionIdentifier>7<", "TSLVersionIdentifier"),
        ("19612/TSLTag", "19612/Other", "TSLTag"),
        ("<SchemeTerritory>TR</SchemeTerritory>", "", "SchemeTerritory is missing"),
        ("2026-11-01T00:00:00Z", "2027-05-01T00:00:00Z", "the next update is not after the issue"),
        ("2026-11-01T00:00:00Z", "soon", "ListIssueDateTime"),
        ("<SchemeName>", "<SchemeName/><SchemeName>", "SchemeName stands twice"),
        ("TrustServiceStatusList", "TrustServiceStatusLists", "neither a trusted list's nor"),
    ] {
        let fault = read(&good.replace(from, to)).unwrap_err().to_string();
        assert!(fault.contains(why), "{fault}");
    }
    let closed = good.replace("<dateTime>2027-05-01T00:00:00Z</dateTime>", "");
    assert_eq!(read(&closed).unwrap().next_update, None);
}

#[test]
fn a_provider_says_where_it_is_and_what_its_server_shows() {
    let csi = read_csi(&csi()).unwrap();
    assert_eq!(
        (csi.sequence, csi.host.as_str(), csi.body.as_str()),
        (3, "relay.hs06.kep.tr", "Öteki")
    );
    assert_eq!(csi.tls_certificate, [0x30, 0]);
    assert!(csi.is_baseline());
    for (from, to, why) in [
        ("MA A=", "", "TLSCertificate"),
        ("Relay.hs06.kep.tr", "a b", "ERDSDomain"),
        ("<ERDSDomain>", "<ERDSDomain>x</ERDSDomain><ERDSDomain>", "ERDSDomain stands twice"),
        ("csi:SecurityMetadata", "csi:Other", "SecurityMetadata is missing"),
    ] {
        let fault = read_csi(&super::tests::csi().replace(from, to)).unwrap_err().to_string();
        assert!(fault.contains(why), "{fault}");
    }
    assert!(matches!(read(&super::tests::csi()), Err(ListFault::Root(_))));
    assert!(matches!(read_csi(&list("")), Err(ListFault::Root(_))));
}

#[test]
fn supply_points_are_read_in_both_spellings() {
    let text = list(&provider("granted", "2020-01-01T00:00:00Z", ""));
    for (uri, host, port) in [
        ("smtp://mx.hs06.kep.tr", "mx.hs06.kep.tr", 25),
        ("smtp:mx.hs06.kep.tr:25", "mx.hs06.kep.tr", 25),
        ("smtp://192.0.2.1:2525/", "192.0.2.1", 2525),
    ] {
        let list = read(&text.replace("smtp://Relay.hs06.kep.tr:2525", uri)).unwrap();
        let point = SupplyPoint::Smtp { host: host.to_owned(), port };
        assert_eq!(list.providers[0].services[0].supply_points[0], point);
    }
    for uri in ["smtp://", "smtp:x:0", "smtp:x:70000", "smtp:a b", "smtp:[::1]:25", "ftp://x"] {
        let list = read(&text.replace("smtp://Relay.hs06.kep.tr:2525", uri)).unwrap();
        let point = &list.providers[0].services[0].supply_points[0];
        assert!(matches!(point, SupplyPoint::Other(_)), "{uri}: {point:?}");
    }
}

#[test]
fn lists_that_are_too_much_are_refused_by_name() {
    let one = provider("granted", "2020-01-01T00:00:00Z", "");
    let service =
        one.split_once("<TSPServices>").unwrap().1.split_once("</TSPServices>").unwrap().0;
    let faults = |text: &str| read(text).unwrap().unreadable[0].fault.to_string();
    let phases = phase("granted", "2010-01-01T00:00:00Z").repeat(65);
    let text = list(&provider("granted", "2020-01-01T00:00:00Z", &phases));
    assert_eq!(faults(&text), "there are more than 64 former statuses");
    let ids = "<DigitalId><X509SKI>AA==</X509SKI></DigitalId>".repeat(17);
    let text =
        list(&one).replace("<ServiceDigitalIdentity>", &format!("<ServiceDigitalIdentity>{ids}"));
    assert_eq!(faults(&text), "there are more than 16 digital identities");
    let many = "<TrustServiceProvider><TSPInformation><TSPName><Name>x</Name></TSPName></TSPInformation>\
                <TSPServices/></TrustServiceProvider>";
    let fault = read(&list(&many.repeat(2001))).unwrap_err();
    assert_eq!(fault.to_string(), "there are more than 2000 providers");
    let bare = "<TSPService/>".repeat(20_001);
    let fault = read(&list(&one.replace(service, &bare))).unwrap_err();
    assert_eq!(fault.to_string(), "there are more than 20000 services");
    let deep = "<x>".repeat(MAX_DEPTH) + &"</x>".repeat(MAX_DEPTH);
    let deep = list(&deep);
    assert_eq!(Xml::parse(deep.as_bytes()).err(), Some(XmlFault::TooDeep));
    let entities = "<!DOCTYPE x [<!ENTITY a \"b\">]>";
    let entities = list("").replacen("?>", &format!("?>{entities}"), 1);
    assert_eq!(Xml::parse(entities.as_bytes()).err(), Some(XmlFault::Dtd));
}

#[test]
fn the_samples_of_the_standard_are_read() {
    let Some(samples) = reference("xsd/examples/erds-samples") else { return };
    let list = read(&std::fs::read_to_string(samples.join("TL_CCA.xml")).unwrap()).unwrap();
    assert_eq!((list.sequence, list.territory.as_str()), (1, "CCA"));
    let services = &list.providers[0].services;
    assert_eq!((list.providers.len(), services.len(), list.unreadable.len()), (1, 3, 0));
    assert_eq!(services[0].now.status, Status::InForce);
    assert_eq!(
        (services[0].identity.certificates.len(), services[0].identity.key_ids.len()),
        (1, 1)
    );
    let relay = SupplyPoint::Smtp { host: "mx.sa-rems.rem".to_owned(), port: 25 };
    assert_eq!(services[0].supply_points[0], relay);
    let csi = read_csi(&std::fs::read_to_string(samples.join("CSI_CCA.xml")).unwrap()).unwrap();
    assert_eq!((csi.sequence, csi.host.as_str()), (3, "mx.sa-rems.rem"));
    assert!(csi.is_baseline());
}

/// What the tests are made of is what the standard's schema asks for.
#[test]
fn the_templates_of_the_tests_hold_against_the_schema() {
    let Some(schemas) = reference("xsd/erds-reconstructed") else { return };
    let folder = tempfile::tempdir().unwrap();
    let history = phase("granted", "2020-01-01T00:00:00Z");
    let file = folder.path().join("list.xml");
    std::fs::write(&file, list(&provider("withdrawn", "2026-01-01T00:00:00Z", &history))).unwrap();
    let schema = folder.path().join("tl.xsd");
    for entry in std::fs::read_dir(&schemas).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    let text = std::fs::read_to_string(schemas.join("ts_119612v020201_201601xsd.xsd")).unwrap();
    let text = text.replace("http://www.w3.org/2001/xml.xsd", "xml.xsd").replace(
        "http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd",
        "xmldsig-core-schema.xsd",
    );
    std::fs::write(&schema, text).unwrap();
    let flags = ["--nonet", "--noout", "--schema"].map(std::ffi::OsStr::new);
    let arguments = [&flags[..], &[schema.as_os_str(), file.as_os_str()]].concat();
    let Some((good, said)) = judge("xmllint", &arguments) else { return };
    assert!(good, "{said}");
}
