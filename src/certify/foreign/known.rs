//! What was learnt of certificates and their paths, kept from mail to mail as long as the registry says
//! the same: to learn it is dearer than to verify a signature.

use super::Fault;
use crate::evidence::verify::{Believed, Judge};
use crate::trust::{Anchors, Certificate, Lists, SealVerifier, TokenVerifier, TrustError};
use crate::wire::KepDomain;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Who judges what other providers hand over.
pub struct Known {
    /// The time-stamp authorities that are believed.
    stamps: Vec<Certificate>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    registered: Option<Arc<Registered>>,
    judges: HashMap<KepDomain, (Vec<Certificate>, Arc<Judge>)>,
}

/// All seals of the registry, and who finds among them whose signature it is.
pub(super) struct Registered {
    pub seals: Vec<Certificate>,
    pub verifier: SealVerifier,
}

impl Known {
    pub fn new(stamps: Vec<Certificate>) -> Self {
        Self { stamps, kept: Mutex::default() }
    }

    pub(super) fn registered(&self, seals: Vec<Certificate>) -> Result<Arc<Registered>, Fault> {
        let mut kept = self.lock();
        if let Some(same) = kept.registered.as_ref().filter(|known| known.seals == seals) {
            return Ok(Arc::clone(same));
        }
        let nobody = || Anchors::new(Vec::new()).map_err(fault);
        let tokens = TokenVerifier::new(nobody()?, Vec::new());
        let verifier = SealVerifier::new(nobody()?, seals.clone(), tokens);
        let registered = Arc::new(Registered { seals, verifier });
        kept.registered = Some(Arc::clone(&registered));
        Ok(registered)
    }

    /// Who judges by these seals of a provider.
    pub(super) fn judge(
        &self,
        domain: &KepDomain,
        seals: &[Certificate],
    ) -> Result<Arc<Judge>, Fault> {
        let mut kept = self.lock();
        if let Some((_, same)) = kept.judges.get(domain).filter(|(known, _)| known == seals) {
            return Ok(Arc::clone(same));
        }
        // A seal may leave its certificate out: the registry has it.
        let mut lists = Lists::default();
        seals.iter().for_each(|seal| lists.add_certificate(seal.clone()));
        let judge = Judge::new(Believed {
            seal: Some(Anchors::new(seals.to_vec()).map_err(fault)?),
            time_stamp: Some(Anchors::new(self.stamps.clone()).map_err(fault)?),
            user: None,
            lists,
        });
        let judge = Arc::new(judge.map_err(fault)?.leaving_user());
        kept.judges.insert(domain.clone(), (seals.to_vec(), Arc::clone(&judge)));
        Ok(judge)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn fault(error: TrustError) -> Fault {
    Fault::Judge(error.to_string())
}
