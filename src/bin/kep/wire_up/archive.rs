//! Who stamps all evidence anew.

use super::House;
use kep::evidence::archive::Archivist;
use std::sync::Arc;

impl House {
    pub fn archivist(&self) -> Archivist {
        Archivist {
            store: self.store.clone(),
            provider: self.settings.provider.domain.to_string(),
            stamper: Arc::clone(&self.stamper),
            readiness: Arc::clone(&self.readiness),
            clock: self.clock.clone(),
        }
    }
}
