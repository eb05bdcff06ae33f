//! `kep demo`, run as anybody runs it: what it leaves behind is judged by programs that are not
//! ours, and nothing of it goes on running.

use crate::lane;
use kep::wire::cms::SignedData;
use kep::wire::rem::Opened;
use kep::wire::xades;
use kep::wire::xml::Xml;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

#[test]
fn a_message_travels_and_everybody_can_verify_it() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let report = json(&demo().arg("--json").arg("--dir").arg(&dir).output().unwrap());
    assert_eq!(report["valid"], true, "{report:#}");
    assert_eq!(report["verify_exit_code"], 0);
    assert_eq!(report["files"], 7);
    let words: Vec<_> = texts(&report["keywords"]);
    assert!(["$KepAccepted", "$KepDelivered", "$KepRead"].iter().all(|w| words.contains(w)));
    on_the_time_line(&report);

    let evidence = files(&dir, "evidence");
    assert_eq!(names(&evidence), ["delivery.xml", "retrieval.xml", "submission-acceptance.xml"]);
    let mails = files(&dir, "mails");
    let wanted = ["delivery.eml", "dispatch.eml", "retrieval.eml", "submission-acceptance.eml"];
    assert_eq!(names(&mails), wanted);
    let [original] = &files(&dir, "original")[..] else { panic!("one original") };

    let trust = dir.join("provider/trust");
    evidence.iter().for_each(|file| xmlsec1(file, &trust.join("seal-ca.pem")));
    mails.iter().for_each(|file| openssl_cms(file, &trust.join("seal-ca.pem")));
    openssl_cms(original, &trust.join("user-ca.pem"));
    let tsa = trust.join("tsa-ca.pem");
    evidence.iter().for_each(|file| evidence_is_stamped(file, &tsa));
    dispatch_is_stamped(&dir.join("mails/dispatch.eml"), &tsa);
    encloses(&dir.join("mails/dispatch.eml"), original);

    assert_eq!(verified(&evidence[0], &trust), Some(0));
    let changed = fs::read_to_string(&evidence[0]).unwrap().replace("hs05.kep.tr", "hs06.kep.tr");
    fs::write(&evidence[0], changed).unwrap();
    assert_eq!(verified(&evidence[0], &trust), Some(1), "a changed evidence is not found out");

    assert_eq!(running(&dir), Vec::<PathBuf>::new());
    assert!(!answers(&report["ports"]["imap_tls"]));
}

/// What `kep verify` says of a file: its exit code.
fn verified(file: &Path, trust: &Path) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kep"));
    command.arg("verify").arg("--trust").arg(trust).arg(file).output().unwrap().status.code()
}

#[test]
fn an_interrupt_ends_the_server_and_takes_the_folder_away() {
    let place = tempfile::tempdir().unwrap();
    let mut command = demo();
    let mut child = command.env("TMPDIR", place.path()).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The server runs from the second step on.
    assert!(lines.map_while(Result::ok).any(|line| line.starts_with(" 2.")));
    signal("INT", child.id());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    assert_eq!(running(place.path()), Vec::<PathBuf>::new());
}

#[test]
fn without_a_folder_of_its_own_what_it_made_stands_in_a_temporary_one() {
    let place = tempfile::tempdir().unwrap();
    let report = json(&demo().arg("--json").env("TMPDIR", place.path()).output().unwrap());
    assert!(report["pid"].is_null());
    let dir = PathBuf::from(report["dir"].as_str().unwrap());
    assert_eq!(dir.parent(), Some(place.path()));
    assert_eq!(files(&dir, "evidence").len(), 3);
    assert_eq!(files(&dir, "mails").len(), 4);
    assert_eq!(running(&dir), Vec::<PathBuf>::new());
}

#[test]
fn a_kept_server_goes_on_and_says_how_to_reach_it() {
    struct Kept(Option<u32>);
    impl Drop for Kept {
        fn drop(&mut self) {
            if let Some(pid) = self.0 {
                signal("KILL", pid);
            }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("demo");
    let ran = demo().arg("--keep").arg("--dir").arg(&dir).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let pid = said.split(", pid ").nth(1).and_then(|rest| rest.lines().next());
    let kept = Kept(pid.and_then(|pid| pid.parse().ok()));
    assert!(ran.status.success(), "{said}");
    let pid = kept.0.expect("the pid is told");
    assert_eq!(running(&dir), [PathBuf::from(format!("/proc/{pid}"))]);
    let port = said.split("IMAP: localhost, port ").nth(1).and_then(|t| t.split(' ').next());
    assert!(answers(&port.unwrap().parse::<u16>().unwrap().into()));
    for told in ["passwords.txt", "tls-ca.pem", "ali.veli@hs05.kep.tr.p12"] {
        let path = said.split_whitespace().find(|word| word.ends_with(told));
        assert!(path.is_some_and(|path| Path::new(path).is_file()), "{told}");
    }
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine"), "mine").unwrap();
    let ran = demo().arg("--dir").arg(folder.path()).output().unwrap();
    assert_eq!(ran.status.code(), Some(73));
    assert!(String::from_utf8_lossy(&ran.stderr).contains("hint: "));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Accepted, delivered, read, in this order; each with its own evidence.
fn on_the_time_line(report: &serde_json::Value) {
    let rows = report["timeline"].as_array().unwrap();
    let column =
        |name: &str| rows.iter().map(|row| row[name].as_str().unwrap()).collect::<Vec<_>>();
    assert_eq!(column("event"), ["submission-acceptance", "delivery", "retrieval"]);
    for times in [column("time"), column("stamped_at")] {
        assert!(times.is_sorted(), "{times:?}");
    }
    let mut ids = column("evidence_id");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for check in ["signature", "time_stamp", "valid"] {
        assert!(rows.iter().all(|row| row[check] == true), "{check}: {report:#}");
    }
}

fn encloses(dispatch: &Path, original: &Path) {
    let octets = fs::read(dispatch).unwrap();
    let opened = Opened::read(&octets).unwrap();
    assert!(opened.original.unwrap().octets(&octets) == fs::read(original).unwrap());
}

/// The document holds under the provider's authority, and one with other words does not.
fn xmlsec1(file: &Path, anchor: &Path) {
    let Some(tool) = lane::tool("xmlsec1") else { return };
    let holds = |file: &Path| {
        let mut command = Command::new(&tool);
        command.arg("--verify").arg("--trusted-pem").arg(anchor);
        command.args(["--id-attr:Id", "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"]);
        command.arg(file).output().unwrap()
    };
    let good = holds(file);
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let other = file.with_extension("other");
    let text = fs::read_to_string(file).unwrap();
    let changed = text.replacen("ayse.yilmaz@", "ayse.yilmez@", 1);
    assert_ne!(text, changed);
    fs::write(&other, changed).unwrap();
    assert!(!holds(&other).status.success());
    fs::remove_file(other).unwrap();
}

fn openssl_cms(file: &Path, anchor: &Path) {
    openssl(&["cms", "-verify", "-purpose", "any", "-in"], &[file, "-CAfile".as_ref(), anchor]);
}

/// The seal's time stamp is over the seal's value.
fn dispatch_is_stamped(mail: &Path, anchor: &Path) {
    let p7s = Opened::read(&fs::read(mail).unwrap()).unwrap().signature_der.unwrap();
    let signed = SignedData::parse(&p7s).unwrap();
    let [signer] = &signed.signers[..] else { panic!("one signer") };
    let tokens = signer.signature_time_stamps().unwrap();
    assert_eq!(tokens.len(), 1);
    openssl_ts(tokens[0], &signer.signature, anchor);
}

/// That of evidence is over the canonical SignatureValue element.
fn evidence_is_stamped(file: &Path, anchor: &Path) {
    let octets = fs::read(file).unwrap();
    let signature = xades::Signature::read(&Xml::parse(&octets).unwrap()).unwrap();
    let [stamp] = &signature.stamps[..] else { panic!("one time stamp") };
    openssl_ts(&stamp.token_der, &stamp.stamped_octets, anchor);
}

fn openssl_ts(token: &[u8], stamped: &[u8], anchor: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let [file, data] = ["token", "data"].map(|name| folder.path().join(name));
    fs::write(&file, token).unwrap();
    fs::write(&data, stamped).unwrap();
    let files = [file.as_path(), "-data".as_ref(), &data, "-CAfile".as_ref(), anchor];
    openssl(&["ts", "-verify", "-token_in", "-in"], &files);
}

fn openssl(options: &[&str], files: &[&Path]) {
    let Some(tool) = lane::tool("openssl") else { return };
    let ran = Command::new(tool).args(options).args(files).output().unwrap();
    assert!(
        ran.status.success(),
        "{options:?} {files:?}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn demo() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kep"));
    command.arg("demo").stdin(Stdio::null());
    command
}

fn json(ran: &Output) -> serde_json::Value {
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}: {said}", ran.status);
    serde_json::from_slice(&ran.stdout).expect("JSON and nothing else")
}

fn texts(list: &serde_json::Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect()
}

fn files(dir: &Path, sub: &str) -> Vec<PathBuf> {
    let listed = fs::read_dir(dir.join(sub)).unwrap();
    let mut files: Vec<_> = listed.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn names(files: &[PathBuf]) -> Vec<&str> {
    files.iter().filter_map(|file| file.file_name().and_then(OsStr::to_str)).collect()
}

/// Processes that were told of this folder, without those that are dead and not yet buried.
fn running(dir: &Path) -> Vec<PathBuf> {
    let dir = dir.to_str().unwrap();
    let processes = fs::read_dir("/proc").unwrap().map_while(Result::ok).map(|entry| entry.path());
    let told = |process: &PathBuf| {
        // A process may end while we look.
        let command = fs::read(process.join("cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&command).contains(dir)
    };
    processes.filter(told).collect()
}

fn answers(port: &serde_json::Value) -> bool {
    let port = port.as_u64().and_then(|port| u16::try_from(port).ok()).unwrap();
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn signal(name: &str, pid: u32) {
    let kill = format!("kill -s {name} {pid}");
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
}
