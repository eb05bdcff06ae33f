//! How mail programs find their settings: Thunderbird's configuration, Outlook's Autodiscover, Apple's
//! profile, and the SRV records of RFC 6186 and RFC 8314. One set of directions for all of them.
//!
//! None of it tells whether there is such an account: any address of the provider is answered.

mod apple;
mod outlook;
pub mod serve;
mod thunderbird;

pub use apple::profile;
pub use outlook::{answer, asked};
pub use thunderbird::configuration;

use crate::wire::{KepAddress, KepDomain};

/// Where a mail program connects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directions {
    pub domain: KepDomain,
    /// The provider's name, for people.
    pub name: String,
    pub host: String,
    pub doors: Vec<Door>,
    /// Whether anybody answers at `autoconfig.DOMAIN` and `autodiscover.DOMAIN`.
    pub answered: bool,
}

/// The better one of a kind stands first (RFC 8314 §3: TLS from the first octet).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Door {
    pub service: Service,
    pub security: Security,
    pub port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Service {
    Imap,
    Submission,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Security {
    Tls,
    StartTls,
}

impl Directions {
    /// Whether the address is one of ours.
    pub fn serve(&self, address: &KepAddress) -> bool {
        address.domain().provider() == self.domain.provider()
    }

    fn best(&self, service: Service) -> Option<&Door> {
        self.doors.iter().find(|door| door.service == service)
    }

    /// The records of the zone: a service that is not there is said to be none (RFC 6186 §3.4).
    pub fn records(&self) -> Vec<String> {
        let (domain, host) = (&self.domain, &self.host);
        let services = [
            ("_submissions", Service::Submission, Security::Tls),
            ("_imaps", Service::Imap, Security::Tls),
            ("_submission", Service::Submission, Security::StartTls),
            ("_imap", Service::Imap, Security::StartTls),
        ];
        let record = |(name, service, security)| {
            let door = self.doors.iter().find(|d| (d.service, d.security) == (service, security));
            let target = match door {
                // The lower number is tried first.
                Some(Door { port, security: Security::Tls, .. }) => format!("0 1 {port} {host}."),
                Some(Door { port, .. }) => format!("10 1 {port} {host}."),
                None => "0 0 0 .".to_owned(),
            };
            format!("{name}._tcp.{domain}.  IN SRV {target}")
        };
        let mut records: Vec<_> = services.into_iter().map(record).collect();
        if self.answered {
            records.push(format!("autoconfig.{domain}.  IN CNAME {host}."));
            records.push(format!("autodiscover.{domain}.  IN CNAME {host}."));
            let target = format!("0 1 443 autodiscover.{domain}.");
            records.push(format!("_autodiscover._tcp.{domain}.  IN SRV {target}"));
        }
        records
    }
}

#[cfg(test)]
mod tests;
