//! A name service out of a table, for tests of what is done with its answers.

use super::{Answer, DnsFault, Mx, Tlsa};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// Each name with its answer; one that is not there does not exist, and that is not signed.
#[derive(Default)]
pub struct Table(Mutex<Names>);

#[derive(Default)]
pub struct Names {
    pub mx: HashMap<String, Result<Answer<Mx>, DnsFault>>,
    pub addresses: HashMap<String, Result<Answer<IpAddr>, DnsFault>>,
    /// At `_port._tcp.host`.
    pub tlsa: HashMap<String, Result<Answer<Tlsa>, DnsFault>>,
    pub texts: HashMap<String, Result<Answer<Vec<u8>>, DnsFault>>,
}

impl Table {
    pub fn change(&self, change: impl FnOnce(&mut Names)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub fn mx(&self, name: &str) -> Result<Answer<Mx>, DnsFault> {
        self.look(name, |names| &names.mx)
    }

    pub fn addresses(&self, name: &str) -> Result<Answer<IpAddr>, DnsFault> {
        self.look(name, |names| &names.addresses)
    }

    pub fn tlsa(&self, host: &str, port: u16) -> Result<Answer<Tlsa>, DnsFault> {
        self.look(&format!("_{port}._tcp.{host}"), |names| &names.tlsa)
    }

    pub fn texts(&self, name: &str) -> Result<Answer<Vec<u8>>, DnsFault> {
        self.look(name, |names| &names.texts)
    }

    fn look<T: Clone>(
        &self,
        name: &str,
        of: impl Fn(&Names) -> &HashMap<String, Result<Answer<T>, DnsFault>>,
    ) -> Result<Answer<T>, DnsFault> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        of(&names).get(name).cloned().unwrap_or_else(|| {
            Ok(Answer { records: Vec::new(), name: name.to_owned(), secure: false, exists: false })
        })
    }
}

/// An answer of these records, at the name that was asked for.
pub fn signed<T>(name: &str, records: Vec<T>) -> Result<Answer<T>, DnsFault> {
    Ok(Answer { records, name: name.to_owned(), secure: true, exists: true })
}

pub fn unsigned<T>(name: &str, records: Vec<T>) -> Result<Answer<T>, DnsFault> {
    signed(name, records).map(|answer| Answer { secure: false, ..answer })
}

pub fn silent<T>(name: &str) -> Result<Answer<T>, DnsFault> {
    Err(DnsFault::Silent { name: name.to_owned(), why: "no answer in time".to_owned() })
}
