//! The development hierarchy in the world's time: a root for seals, one for time stamps; of each house
//! a seal that ends while the world goes on, and one that outlasts it.

use crate::carrier::domain;
use kep::trust::pki::{CertificateAuthority, Issued, KeyKind, Links, Profile};
use kep::trust::{Anchors, Certificate, SignError, Signer};
use kep::wire::cms::Identity;
use kep::wire::{SignatureAlgorithm, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

/// When the world begins: a Wednesday in November.
pub const BEGIN: Timestamp = Timestamp::from_secs(1_795_000_000);
pub const HOUSES: usize = 3;

pub struct Keys {
    pub seal_root: CertificateAuthority,
    pub stamp_root: CertificateAuthority,
    stamps: Arc<dyn Signer>,
    /// Of each house the seal that ends soon, and the one that follows it.
    pub seals: Vec<[Arc<dyn Signer>; 2]>,
}

pub static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let root = |name: &str| {
        CertificateAuthority::create(name, KeyKind::P256, BEGIN.plus_secs(-4 * 365 * DAY)).unwrap()
    };
    let (seal_root, stamp_root) = (root("İşlem Kök"), root("ZD Kök"));
    let stamps = Profile::TimeStamp { name: "ZDS".into() };
    let seal = |house: usize, at: Timestamp| -> Arc<dyn Signer> {
        let domain = domain(house);
        let email = format!("kepservisi@{domain}");
        signer(issue(&seal_root, &Profile::Seal { domain, email }, at))
    };
    let soon = BEGIN.plus_secs(-VALID_DAYS * DAY + 36 * 3600);
    let seals = (0..HOUSES).map(|house| [seal(house, soon), seal(house, BEGIN)]).collect();
    let stamps = signer(issue(&stamp_root, &stamps, BEGIN));
    Keys { seal_root, stamp_root, stamps, seals }
});

fn issue(root: &CertificateAuthority, profile: &Profile, at: Timestamp) -> Issued {
    root.issue(profile, KeyKind::P256, &Links::default(), at).unwrap()
}

fn signer(issued: Issued) -> Arc<dyn Signer> {
    Arc::new(issued.signer().unwrap())
}

pub fn anchors(root: &CertificateAuthority) -> Anchors {
    Anchors::new(vec![root.certificate().clone()]).unwrap()
}

/// The time-stamp authority's key, which is not always at hand.
pub struct Stamps {
    pub down: Arc<AtomicBool>,
}

impl Signer for Stamps {
    fn certificate(&self) -> &Certificate {
        KEYS.stamps.certificate()
    }

    fn chain(&self) -> &[Certificate] {
        KEYS.stamps.chain()
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        KEYS.stamps.algorithm()
    }

    fn identity(&self) -> &Identity {
        KEYS.stamps.identity()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        match self.down.load(Ordering::Relaxed) {
            true => Err(SignError::Token("out of order".to_owned())),
            false => KEYS.stamps.sign(message),
        }
    }
}

const DAY: i64 = 86_400;
/// So long are certificates of the development hierarchy good.
const VALID_DAYS: i64 = 1_096;
