//! Outside judges of evidence: xmlsec1, xmllint against the schema, openssl on the time stamp.

use crate::scene::Scene;
use crate::tool::{reference, run, tool};
use data_encoding::BASE64;
use std::path::{Path, PathBuf};

/// Exports a message's evidence; each file with its XML.
pub async fn exported(scene: &Scene, id: &str) -> Vec<(PathBuf, String)> {
    let folder = scene.scratch(&format!("evidence-{}", id.replace('@', "-")));
    let ran = scene.kep(&["evidence", "export", id, "--dir", folder.to_str().unwrap()]).await;
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let file = |path: &str| (PathBuf::from(path), std::fs::read_to_string(path).unwrap());
    ran.out.lines().map(file).collect()
}

/// Everything outside judges can say of one evidence.
pub fn judge(scene: &Scene, file: &Path, xml: &str) {
    signature(scene, file, xml);
    schema(scene, file, xml);
    time_stamp(scene, file, xml);
}

/// In EN 319 522, rather than TS 102 640-2.
pub fn is_younger(xml: &str) -> bool {
    xml.contains("http://uri.etsi.org/19522/v1#")
}

/// The signature and the path of its certificate to the seal authority.
fn signature(scene: &Scene, file: &Path, xml: &str) {
    let Some(xmlsec1) = tool("xmlsec1") else { return };
    let anchor = scene.provider().join("trust/seal-ca.pem");
    let anchor = anchor.to_str().unwrap();
    let verify = |anchor: &str, file: &Path| {
        let id = format!("{XADES}:SignedProperties");
        let flags = ["--verify", "--trusted-pem", anchor, "--id-attr:Id", &id];
        run(&xmlsec1, &[&flags[..], &[file.to_str().unwrap()]].concat())
    };
    let (good, said) = verify(anchor, file);
    assert!(good, "{}: {}", file.display(), String::from_utf8_lossy(&said));
    let other = scene.provider().join("trust/user-ca.pem");
    assert!(!verify(other.to_str().unwrap(), file).0, "another authority's word is taken");
    let altered = file.with_extension("altered");
    std::fs::write(&altered, xml.replacen("hs05.kep.tr", "hs06.kep.tr", 1)).unwrap();
    assert!(!verify(anchor, &altered).0, "an altered evidence verifies");
}

fn schema(scene: &Scene, file: &Path, xml: &str) {
    let Some(xmllint) = tool("xmllint") else { return };
    let schema = match is_younger(xml) {
        true => reference("xsd/erds-reconstructed/EVIDENCE19352v117-202201.xsd"),
        false => schema_of_signed_evidence(&scene.scratch("schema")),
    };
    let Some(schema) = schema else { return };
    let flags = ["--nonet", "--noout", "--schema"];
    let paths = [schema.to_str().unwrap(), file.to_str().unwrap()];
    let (good, said) = run(&xmllint, &[&flags[..], &paths].concat());
    assert!(good, "{}", String::from_utf8_lossy(&said));
}

/// The token over the canonical SignatureValue (EN 319 132-1 §5.3), by outside programs alone.
fn time_stamp(scene: &Scene, file: &Path, xml: &str) {
    let (Some(xmllint), Some(openssl)) = (tool("xmllint"), tool("openssl")) else { return };
    let document = roxmltree::Document::parse(xml).unwrap();
    let one = |name: &str| {
        let mut found = document.descendants().filter(|node| node.has_tag_name(name));
        // Names in any name space: the evidence has each of these once.
        let mut any = document.descendants().filter(|node| node.tag_name().name() == name);
        found.next().or_else(|| any.next()).unwrap()
    };
    let token = one("EncapsulatedTimeStamp").text().unwrap();
    let token: String = token.split_whitespace().collect();
    let stamp = one("SignatureTimeStamp");
    let method = stamp.descendants().find_map(|node| node.attribute("Algorithm"));
    assert_eq!(method, Some("http://www.w3.org/2001/10/xml-exc-c14n#"));
    let value = one("SignatureValue");
    let text = &xml[value.range()];
    let alone = match text.contains("xmlns") {
        true => text.to_owned(),
        false => {
            let (name, rest) = text.split_at(text.find([' ', '>']).unwrap());
            let prefix = name.trim_start_matches('<').split_once(':').map_or("", |(p, _)| p);
            let separator = if prefix.is_empty() { "" } else { ":" };
            format!("{name} xmlns{separator}{prefix}=\"{DSIG}\"{rest}")
        }
    };
    let (source, data, der) =
        (file.with_extension("value"), file.with_extension("c14n"), file.with_extension("tst"));
    std::fs::write(&source, alone).unwrap();
    let (good, canonical) = run(&xmllint, &["--exc-c14n", source.to_str().unwrap()]);
    assert!(good, "{}", String::from_utf8_lossy(&canonical));
    std::fs::write(&data, &canonical).unwrap();
    std::fs::write(&der, BASE64.decode(token.as_bytes()).unwrap()).unwrap();
    let anchor = scene.provider().join("trust/tsa-ca.pem");
    let verify = |data: &Path| {
        let flags = ["ts", "-verify", "-token_in", "-in", der.to_str().unwrap()];
        let paths = ["-data", data.to_str().unwrap(), "-CAfile", anchor.to_str().unwrap()];
        run(&openssl, &[&flags[..], &paths].concat())
    };
    let (good, said) = verify(&data);
    assert!(good, "{}", String::from_utf8_lossy(&said));
    assert!(!verify(&source.with_extension("xml")).0, "a token fits anything");
}

/// The bundle of TS 102 640 has the XAdES schema of 2010, which knows no SigningCertificateV2: in a
/// temporary copy the one of EN 319 132-1 takes its place.
fn schema_of_signed_evidence(folder: &Path) -> Option<PathBuf> {
    let (bundle, newer) =
        (reference("xsd/rem-v2-ecodex")?, reference("xsd/xades-dss/XAdES01903v132-202407.xsd")?);
    std::fs::create_dir_all(folder).unwrap();
    for entry in std::fs::read_dir(bundle).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let newer = std::fs::read_to_string(newer).unwrap().replace(
        "http://www.w3.org/TR/2008/REC-xmldsig-core-20080610/xmldsig-core-schema.xsd",
        "xmldsig-core-schema.xsd",
    );
    std::fs::write(folder.join("XAdES132.xsd"), newer).unwrap();
    Some(folder.join("TS102640_v2.xsd"))
}

const XADES: &str = "http://uri.etsi.org/01903/v1.3.2#";
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
