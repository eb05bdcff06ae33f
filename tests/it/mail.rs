//! The corpus of mails: each is accepted with its octets as they came, or refused by name.

use kep::accept::ask::{
    Answer, Ask, Config, Envelope, Login, LoginAnswer, Next, Piece, Recipient, RecipientAnswer,
    Route, SubmitAnswer,
};
use kep::accept::check::{Limits, Parsed, SignatureForm, inspect};
use kep::accept::refusal::Refusal;
use kep::accept::session::Session;
use kep::wire::imap::Structure;
use kep::wire::smtp::{Body, DotStuffer, Notify};
use kep::wire::{AccountId, KepAddress, MessageId, Timestamp};
use proptest::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Sample {
    path: PathBuf,
    octets: Vec<u8>,
    expected: String,
}

fn samples() -> Vec<Sample> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let index = std::fs::read_to_string(folder.join("index.txt")).unwrap();
    let sample = |line: &str| {
        let columns: Vec<&str> = line.split(" | ").collect();
        let [file, expected, _why] = columns.as_slice() else { panic!("{line}") };
        let path = folder.join(file);
        Sample { octets: std::fs::read(&path).unwrap(), path, expected: (*expected).to_owned() }
    };
    index.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

fn sample(name: &str) -> Vec<u8> {
    samples().into_iter().find(|s| s.path.ends_with(name)).unwrap().octets
}

fn envelope() -> Envelope {
    let address = |text| KepAddress::parse(text).unwrap();
    Envelope {
        from: Login {
            account: AccountId(1),
            address: address("ali@hs05.kep.tr"),
            operator: None,
            at: Timestamp::from_secs(0),
            channel: kep::registry::audit::Channel::Smtp,
        },
        recipients: vec![Recipient {
            address: address("veli@hs05.kep.tr"),
            route: Route::Local,
            notify: Notify::Unsaid,
            orcpt: None,
        }],
        body: Body::EightBitMime,
        smtputf8: false,
        requiretls: false,
        announced_size: None,
        ret: None,
        envid: None,
    }
}

fn judge(octets: &[u8]) -> Result<Parsed, Refusal> {
    inspect(octets, &envelope(), &Limits::default())
}

fn verdict(judged: Result<Parsed, Refusal>) -> String {
    match judged {
        Err(refusal) => refusal.name().to_owned(),
        Ok(parsed) => {
            let form = match parsed.signature {
                SignatureForm::None => "",
                SignatureForm::Multipart { .. } => " (signed)",
                SignatureForm::Opaque { .. } => " (opaque)",
                SignatureForm::Encrypted => " (encrypted)",
                SignatureForm::Pgp => " (pgp)",
            };
            format!("accepted {}{form}", parsed.subject)
        }
    }
}

#[test]
fn each_mail_is_accepted_or_refused_by_name() {
    for sample in samples() {
        let verdict = verdict(judge(&sample.octets));
        assert_eq!(verdict, sample.expected, "{}", sample.path.display());
    }
}

/// A dispatch around another original; what it encloses is of no matter here.
fn dispatch_around(original: &[u8]) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/verify");
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let (dispatch, old) = (read("dispatch.eml"), read("original.eml"));
    let at = dispatch.windows(old.len()).position(|window| window == old).unwrap();
    [&dispatch[..at], original, &dispatch[at + old.len()..]].concat()
}

#[test]
fn the_dispatch_of_a_mail_with_as_many_parts_as_are_accepted_shows_its_evidence_and_seal() {
    let with = |parts: usize| {
        let part = "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\ny\r\n";
        let head = "From: ali@hs05.kep.tr\r\nTo: veli@hs05.kep.tr\r\nSubject: x\r\n\
                    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
        format!("{head}{}--b--\r\n", part.repeat(parts)).into_bytes()
    };
    let most = Limits::default().parts;
    assert_eq!(judge(&with(most + 1)).unwrap_err().name(), "TooManyParts");
    judge(&with(most)).unwrap();
    let row = Structure::compute(&dispatch_around(&with(most)));
    let it = Structure::read(&row).unwrap();
    let layout = it.layout().unwrap();
    // (introduction, original, evidence), seal
    for part in [&[1, 1, 1][..], &[1, 2, most as u32, 1], &[1, 3], &[2]] {
        assert!(layout.part(part).is_some(), "{part:?}");
    }
    for shown in [it.bodystructure, it.masked_bodystructure] {
        let shown = String::from_utf8_lossy(shown);
        assert!(shown.contains("SubmissionAcceptanceRejection.xml") && shown.contains("smime.p7s"));
    }
}

#[test]
fn every_file_stands_in_the_index() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mail");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mails = files.filter(|path| path.extension().is_some_and(|e| e == "eml")).count();
    assert_eq!(mails, samples().len());
}

/// Submits octets over the pure session: what reaches the spool, and the last reply.
fn submit(config: Config, commands: &[u8], octets: &[&[u8]]) -> (Option<Vec<u8>>, String) {
    let mut session = Session::new(Arc::new(config), true);
    let (mut open, mut kept, mut said) = (Vec::new(), None, Vec::new());
    let start = [LOGIN.as_bytes(), commands].concat();
    let mut input = std::iter::once(start.as_slice()).chain(octets.iter().copied());
    loop {
        match session.next() {
            Next::Read => match input.next() {
                Some(octets) => session.feed(octets),
                None => break,
            },
            Next::Send(octets) => said.extend(octets),
            Next::Spool(Piece::Begin(_) | Piece::Abort(_)) => open.clear(),
            Next::Spool(Piece::Refused) => {}
            Next::Spool(Piece::Chunk(octets)) => open.extend(octets),
            Next::Ask(Ask::Submit { envelope, .. }) => {
                let answer = match inspect(&open, &envelope, &Limits::default()) {
                    Ok(_) => {
                        kept = Some(std::mem::take(&mut open));
                        let message_id = MessageId::parse("id@hs05.kep.tr").unwrap();
                        SubmitAnswer::Accepted { message_id }
                    }
                    Err(refusal) => SubmitAnswer::Refused(refusal),
                };
                session.answer(Answer::Submitted(answer));
            }
            Next::Ask(Ask::Authenticate { .. }) => {
                session.answer(Answer::Login(LoginAnswer::Accepted(envelope().from)));
            }
            Next::Ask(Ask::Recipient { .. }) => {
                session.answer(Answer::Recipient(RecipientAnswer::Local { room: None }));
            }
            Next::Ask(Ask::Peer { .. } | Ask::HandOver { .. }) => unreachable!("no provider's"),
            Next::Close => break,
            Next::Noted(_) => {}
            Next::Pause(_) | Next::StartTls => unreachable!("neither failed nor in clear"),
        }
    }
    let said = String::from_utf8(said).unwrap();
    (kept, said.lines().last().unwrap_or_default().to_owned())
}

const LOGIN: &str = "EHLO x\r\nAUTH PLAIN AGFsaQBnaXpsaQ==\r\n\
                     MAIL FROM:<ali@hs05.kep.tr>\r\nRCPT TO:<veli@hs05.kep.tr>\r\n";

fn by_data(config: Config, octets: &[u8]) -> (Option<Vec<u8>>, String) {
    let (mut stuffer, mut wire) = (DotStuffer::default(), Vec::new());
    stuffer.stuff(octets, &mut wire);
    stuffer.finish(&mut wire);
    let pieces: Vec<&[u8]> = wire.chunks(16 * 1024).collect();
    submit(config, b"DATA\r\n", &pieces)
}

fn by_chunk(config: Config, octets: &[u8]) -> (Option<Vec<u8>>, String) {
    let command = format!("BDAT {} LAST\r\n", octets.len());
    let pieces: Vec<&[u8]> = octets.chunks(16 * 1024).collect();
    submit(config, command.as_bytes(), &pieces)
}

#[test]
fn invariant_04_accepted_mails_reach_the_spool_octet_for_octet() {
    let config = || Config::new("hs05.kep.tr", 26_214_400);
    for sample in samples() {
        let accepted = sample.expected.starts_with("accepted");
        let place = sample.path.display();
        let (kept, said) = by_chunk(config(), &sample.octets);
        assert_eq!(kept.is_some(), accepted, "{place}: {said}");
        assert!(kept.is_none_or(|kept| kept == sample.octets), "{place}");
        if accepted && sample.octets.ends_with(b"\r\n") {
            let (kept, said) = by_data(config(), &sample.octets);
            assert_eq!(kept.as_deref(), Some(sample.octets.as_slice()), "{place}: {said}");
        }
    }
}

#[test]
fn a_mail_of_the_limit_is_taken_and_one_octet_more_is_not() {
    const LIMIT: usize = 25 * 1024 * 1024;
    let config = || Config::new("hs05.kep.tr", LIMIT as u64);
    let head = b"From: ali@hs05.kep.tr\r\nTo: veli@hs05.kep.tr\r\n\r\n".to_vec();
    let fits = |size: usize| {
        let line = [vec![b'.'; 76], b"\r\n".to_vec()].concat();
        let mut mail = [head.clone(), line.repeat((size - head.len()) / line.len())].concat();
        mail.resize(size - 2, b'x');
        [mail, b"\r\n".to_vec()].concat()
    };
    let (kept, said) = by_data(config(), &fits(LIMIT));
    assert_eq!(kept.map(|kept| kept.len()), Some(LIMIT), "{said}");
    let (kept, said) = by_data(config(), &fits(LIMIT + 1));
    assert_eq!(kept, None);
    assert!(said.starts_with("552 5.3.4"), "{said}");
}

#[test]
fn ten_thousand_fields_are_refused_by_name() {
    let mail = format!("{}\r\nx\r\n", "X-Field: y\r\n".repeat(10_000));
    assert_eq!(verdict(judge(mail.as_bytes())), "TooManyHeaders");
    let (kept, said) = by_data(Config::new("hs05.kep.tr", 26_214_400), mail.as_bytes());
    assert_eq!(kept, None);
    assert!(said.starts_with("554 5.6.0"), "{said}");
}

/// The judge of the located octets is OpenSSL, not we.
fn verifies(octets: &[u8]) -> bool {
    use openssl::cms::{CMSOptions, CmsContentInfo};
    let (der, content) = match judge(octets).unwrap().signature {
        SignatureForm::Multipart { signed_part, signature_der, .. } => {
            (signature_der, Some(octets[signed_part].to_vec()))
        }
        SignatureForm::Opaque { der } => (der, None),
        other => panic!("{other:?}"),
    };
    let options = CMSOptions::NO_SIGNER_CERT_VERIFY | CMSOptions::BINARY;
    let mut signature = CmsContentInfo::from_der(&der).unwrap();
    signature.verify(None, None, content.as_deref(), None, options).is_ok()
}

#[test]
fn the_located_octets_are_those_that_were_signed() {
    assert!(verifies(&sample("smime-signed.eml")));
    assert!(verifies(&sample("smime-signed-x.eml")));
    assert!(verifies(&sample("smime-opaque.eml")));
    assert!(!verifies(&sample("smime-signed-altered.eml")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn no_damage_to_a_mail_makes_the_checks_panic(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(),
        length in 0usize..40, instead in prop::collection::vec(any::<u8>(), 0..8),
    ) {
        let samples = SAMPLES.get_or_init(samples);
        let mut octets = which.get(samples).octets.clone();
        let start = at.index(octets.len() + 1);
        let end = (start + length).min(octets.len());
        octets.splice(start..end, instead);
        let _ = judge(&octets);
    }
}

static SAMPLES: std::sync::OnceLock<Vec<Sample>> = std::sync::OnceLock::new();
