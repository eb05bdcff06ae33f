//! From what a provider says of itself to what is to be put into the registry: by what its server is
//! known, and whose evidence it reads. Who is a provider, only a trusted list says, or an operator.

use super::follow::Aspect;
use super::plan::{Source, Weigh};
use super::{Known, Line, Plan, What};
use crate::registry::peers::{self, Host, Peer, PeerDialect, PeerTls};
use crate::trust::Certificate;
use crate::trust::tls::{PeerTrust, is_pinned};
use crate::wire::KepDomain;
use crate::wire::lists::Csi;
use crate::wire::rem::Dialect;

impl Plan {
    /// `signed_by`: whose seal signed it, where nobody did who is pinned.
    pub fn of_csi(
        csi: &Csi,
        known: &[Known],
        signed_by: Option<&KepDomain>,
        source: &Source<'_>,
    ) -> Self {
        let mut plan = Self::default();
        if let Err(why) = plan.take_csi(csi, known, signed_by, source) {
            plan.lines.push(Line::new(What::Ignored, None, &csi.body, vec![why]));
        }
        plan
    }

    fn take_csi(
        &mut self,
        csi: &Csi,
        known: &[Known],
        signed_by: Option<&KepDomain>,
        source: &Source<'_>,
    ) -> Result<(), String> {
        if !source.fresh {
            // EN 319 532-4 annex C: it is to be discarded then.
            return Err("it has expired".to_owned());
        }
        let tls = Certificate::from_der(&csi.tls_certificate);
        let tls = tls.map_err(|error| format!("what its server shows: {error}"))?;
        if !tls.valid_at(source.now) {
            return Err("what its server shows is not valid now".to_owned());
        }
        let of = whose(csi, known, signed_by)?;
        let domain = KepDomain::parse(&of.row.domain);
        let domain = domain.map_err(|_| format!("{} is no provider's domain", of.row.domain))?;
        let (mut next, mut weigh) = (of.clone(), Weigh::new(of));
        let row = &mut next.row;
        let host = Host::parse(&row.host).ok();
        let unnamed = host.as_ref().is_none_or(|host| host.name == row.domain);
        let elsewhere = host.as_ref().is_none_or(|host| !host.name.eq_ignore_ascii_case(&csi.host));
        if elsewhere && !unnamed {
            // EN 319 532-4 annex C: both name one host.
            weigh.conflicts.push(format!("host {}, and {} is registered", csi.host, row.host));
        } else if weigh.takes(Aspect::Host, elsewhere, || format!("host {}", csi.host)) {
            row.host.clone_from(&csi.host);
            row.route.clear();
        }
        // What another server shows than the one that is registered is no matter of this entry.
        let moved = row.host.eq_ignore_ascii_case(&csi.host) || !elsewhere;
        let by_pin = Peer::parse(row).ok().and_then(|peer| peer.tls);
        let known = match &by_pin {
            Some(PeerTls::Registered(PeerTrust::Pins(pins))) => is_pinned(tls.der(), pins),
            _ => false,
        };
        if moved
            && weigh
                .takes(Aspect::Tls, !known, || format!("tls certificate {}", tls.digest().hex()))
        {
            row.tls_pins = peers::written(&[tls.digest()]);
            row.tls_ca.clear();
            row.tls_by.clear();
        }
        let younger = PeerDialect::One(Dialect::En319522).word();
        let differs = csi.is_baseline() && row.dialect != younger;
        if weigh.takes(Aspect::Dialect, differs, || format!("dialect {younger}")) {
            younger.clone_into(&mut row.dialect);
        }
        self.settle(What::Changed, &domain, &csi.body, of, next, weigh);
        Ok(())
    }
}

/// The provider that a CSI is of: whose seal signed it, who has that host, or in whose domain it is.
fn whose<'a>(
    csi: &Csi,
    known: &'a [Known],
    signed_by: Option<&KepDomain>,
) -> Result<&'a Known, String> {
    let has_host = |known: &&Known| {
        let host = Host::parse(&known.row.host);
        host.is_ok_and(|host| host.name.eq_ignore_ascii_case(&csi.host))
    };
    let by_host = known.iter().find(has_host).map(|known| known.row.domain.clone());
    let by_name = KepDomain::of_host(&csi.host).map(|domain| domain.to_string());
    let spoken_of = by_name.or(by_host);
    let signed_by = signed_by.map(ToString::to_string);
    let domain = match (&spoken_of, &signed_by) {
        (Some(spoken), Some(signed)) if spoken != signed => {
            return Err(format!("{signed} signed it, and {} is {spoken}'s", csi.host));
        }
        (_, Some(domain)) | (Some(domain), None) => domain,
        (None, None) => return Err(format!("no provider is registered with {}", csi.host)),
    };
    let found = known.iter().find(|known| known.row.domain == *domain);
    found.ok_or_else(|| format!("{domain} is not registered: a trusted list names it first"))
}
