//! Cryptography alone: exactly the operations one message needs, on all cores.
//!
//! The table `ONE_MESSAGE` is the list; the measurement runs it and nothing else, so its rate is
//! what a provider that did everything else for nothing would reach.

use std::hint::black_box;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use openssl::cms::{CMSOptions, CmsContentInfo};
use openssl::hash::MessageDigest;
use openssl::sha::sha256;
use openssl::sign::Signer as RawSigner;
use openssl::symm::{Cipher, encrypt_aead};
use openssl::x509::store::X509Store;

use super::client::world::cpu_of;
use super::hierarchy::{Authority, Holder, KeyKind};
use super::report::{CRYPTOGRAPHY, Figure, Report, quantile};

/// One kind of operation, and how often a message (one recipient, local) needs it.
struct Operation {
    name: &'static str,
    times: usize,
    run: fn(&Material) -> io::Result<()>,
}

/// The list. Acceptance and delivery evidence are signed (XAdES) and stamped each, the dispatch is
/// stamped too; each evidence goes out as one mail, the delivery to both sides.
const ONE_MESSAGE: &[Operation] = &[
    Operation { name: "user signature, verify", times: 1, run: Material::verify_user },
    Operation { name: "original, SHA-256", times: 1, run: Material::digest_original },
    Operation { name: "evidence, XAdES sign", times: 2, run: Material::sign_evidence },
    Operation { name: "time stamp, issue", times: 3, run: Material::issue_stamp },
    Operation { name: "time stamp, verify", times: 3, run: Material::verify_stamp },
    Operation { name: "dispatch, CAdES sign", times: 1, run: Material::seal_dispatch },
    Operation { name: "evidence mail, CAdES", times: 2, run: Material::seal_evidence_mail },
    Operation { name: "blob, AES-256-GCM", times: 1, run: Material::encrypt_original },
];

pub fn measure(kind: KeyKind, size: usize, long: Duration, report: &mut Report) -> io::Result<()> {
    let material = Material::new(kind, size)?;
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let before = cpu_of(std::process::id())?;
    let waits = repeat(cores, long, || material.one_message())?;
    let cpu = cpu_of(std::process::id())?.saturating_sub(before) / waits.len().max(1) as u32;
    report.add(Figure {
        what: CRYPTOGRAPHY,
        subject: kind.name().to_owned(),
        size,
        connections: cores,
        rate: waits.len() as f64 / long.as_secs_f64(),
        p50: quantile(&waits, 50),
        p99: quantile(&waits, 99),
        cpu: Some(cpu),
    });
    for operation in ONE_MESSAGE {
        let waits = repeat(1, long / PARTS, || (operation.run)(&material))?;
        report.add(Figure {
            what: "operation",
            subject: format!("{}× {}", operation.times, operation.name),
            size,
            connections: 1,
            rate: waits.len() as f64 / (long / PARTS).as_secs_f64(),
            p50: quantile(&waits, 50),
            p99: quantile(&waits, 99),
            cpu: None,
        });
    }
    Ok(())
}

/// Runs the work again and again on so many threads.
fn repeat<F>(threads: usize, long: Duration, work: F) -> io::Result<Vec<Duration>>
where
    F: Fn() -> io::Result<()> + Sync,
{
    let until = Instant::now() + long;
    let run = || {
        let mut waits = Vec::new();
        while Instant::now() < until {
            let start = Instant::now();
            work()?;
            waits.push(start.elapsed());
        }
        Ok::<_, io::Error>(waits)
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let panicked = |_| Err(io::Error::other("a measuring thread panicked"));
        let each = running.into_iter().map(|t| t.join().unwrap_or_else(panicked));
        Ok(each.collect::<io::Result<Vec<_>>>()?.concat())
    })
}

/// Keys and octets of the sizes a real message has.
struct Material {
    user_store: X509Store,
    seal: Holder,
    authority: Holder,
    stamp_store: X509Store,
    original: Vec<u8>,
    user_signature: Vec<u8>,
    evidence: Vec<u8>,
    dispatch: Vec<u8>,
    evidence_mail: Vec<u8>,
    stamp: Vec<u8>,
}

impl Material {
    fn new(kind: KeyKind, size: usize) -> io::Result<Self> {
        let (users, seals, stamps) =
            (Authority::new(kind)?, Authority::new(kind)?, Authority::new(kind)?);
        let user = users.issue("Ali Veli")?;
        let mut material = Self {
            user_store: users.store()?,
            seal: seals.issue("KEP Hizmet Sağlayıcı")?,
            authority: stamps.issue("Zaman Damgası")?,
            stamp_store: stamps.store()?,
            user_signature: sign(&user, &vec![b'a'; size], detached())?,
            original: vec![b'a'; size],
            evidence: vec![b'b'; EVIDENCE],
            dispatch: vec![b'c'; size + ENVELOPE],
            evidence_mail: vec![b'd'; ENVELOPE],
            stamp: Vec::new(),
        };
        material.stamp = material.new_stamp()?;
        Ok(material)
    }

    fn one_message(&self) -> io::Result<()> {
        for operation in ONE_MESSAGE {
            for _ in 0..operation.times {
                (operation.run)(self)?;
            }
        }
        Ok(())
    }

    fn verify_user(&self) -> io::Result<()> {
        let mut signed = CmsContentInfo::from_der(&self.user_signature)?;
        let data = Some(self.original.as_slice());
        signed.verify(None, Some(&self.user_store), data, None, detached())?;
        Ok(())
    }

    fn digest_original(&self) -> io::Result<()> {
        black_box(sha256(&self.original));
        Ok(())
    }

    /// Two references (document and signed properties), then the signature over SignedInfo.
    fn sign_evidence(&self) -> io::Result<()> {
        black_box(sha256(&self.evidence));
        black_box(sha256(&self.evidence[..SIGNED_PROPERTIES]));
        let mut signer = RawSigner::new(MessageDigest::sha256(), &self.seal.key)?;
        black_box(signer.sign_oneshot_to_vec(&self.evidence[..SIGNED_INFO])?);
        Ok(())
    }

    fn issue_stamp(&self) -> io::Result<()> {
        black_box(self.new_stamp()?);
        Ok(())
    }

    /// A TSTInfo's worth of content, enclosed and signed as any CMS is.
    fn new_stamp(&self) -> io::Result<Vec<u8>> {
        sign(
            &self.authority,
            &self.evidence[..TST_INFO],
            CMSOptions::BINARY | CMSOptions::NOSMIMECAP,
        )
    }

    fn verify_stamp(&self) -> io::Result<()> {
        let mut token = CmsContentInfo::from_der(&self.stamp)?;
        let mut content = Vec::new();
        let store = Some(&*self.stamp_store);
        token.verify(None, store, None, Some(&mut content), CMSOptions::BINARY)?;
        black_box(content);
        Ok(())
    }

    fn seal_dispatch(&self) -> io::Result<()> {
        black_box(sign(&self.seal, &self.dispatch, detached())?);
        Ok(())
    }

    fn seal_evidence_mail(&self) -> io::Result<()> {
        black_box(sign(&self.seal, &self.evidence_mail, detached())?);
        Ok(())
    }

    fn encrypt_original(&self) -> io::Result<()> {
        let (key, nonce, mut tag) = ([7; 32], [9; 12], [0; 16]);
        let cipher = Cipher::aes_256_gcm();
        black_box(encrypt_aead(cipher, &key, Some(&nonce), b"", &self.original, &mut tag)?);
        Ok(())
    }
}

fn sign(holder: &Holder, data: &[u8], options: CMSOptions) -> io::Result<Vec<u8>> {
    let (certificate, key) = (Some(&*holder.certificate), Some(&*holder.key));
    Ok(CmsContentInfo::sign(certificate, key, None, Some(data), options)?.to_der()?)
}

fn detached() -> CMSOptions {
    CMSOptions::DETACHED | CMSOptions::BINARY | CMSOptions::NOSMIMECAP
}

/// Octets of one evidence XML before its signature (the samples are 2 to 4 KB).
const EVIDENCE: usize = 3000;
/// Octets of an evidence mail, and what a dispatch adds to its original.
const ENVELOPE: usize = 12_000;
const SIGNED_PROPERTIES: usize = 1200;
const SIGNED_INFO: usize = 900;
const TST_INFO: usize = 130;
/// Each operation alone is measured for a part of the whole time.
const PARTS: u32 = 6;
