//! How much one network may guess, whatever it guesses at: ten times what one name bears. A right answer
//! takes its own try back and leaves those of others.

use super::SignIn;
use crate::registry::credentials::tries::{self, Counted, Gate};
use crate::registry::credentials::{CredentialError, Rules};
use crate::registry::crowd;
use crate::store::{Lane, RowsError, Tx};
use crate::wire::Timestamp;
use std::net::IpAddr;

impl SignIn {
    /// One more try from there.
    pub async fn begin_from(&self, from: IpAddr, now: Timestamp) -> Result<Gate, CredentialError> {
        let work = move |tx: &mut Tx<'_>| {
            let rules = wide(Rules::at(tx, now)?);
            tries::begin(tx, &Counted::Network(crowd::network(from)), &rules, now)
        };
        Ok(self.store.write(Lane::Client, work).await?)
    }

    /// It was right.
    pub async fn right_from(&self, from: IpAddr, now: Timestamp) -> Result<(), CredentialError> {
        let work = move |tx: &mut Tx<'_>| -> Result<(), RowsError> {
            let rules = wide(Rules::at(tx, now)?);
            tries::took_back(tx, &Counted::Network(crowd::network(from)), &rules, now)
        };
        Ok(self.store.write(Lane::Client, work).await?)
    }
}

fn wide(rules: Rules) -> Rules {
    Rules { tries: rules.tries.saturating_mul(AS_ONE_NAME), ..rules }
}

/// An office behind one address has some people who mistype.
const AS_ONE_NAME: i64 = 10;
