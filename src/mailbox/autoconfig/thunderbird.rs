//! `config-v1.1.xml`, which Thunderbird and others after it read.

use super::{Directions, Door, Security, Service};
use crate::wire::KepDomain;
use crate::wire::xml::Writer;

/// For accounts of `domain`, the provider's or a sub-domain of it.
pub fn configuration(directions: &Directions, domain: &KepDomain) -> String {
    let mut out = Writer::document();
    out.open("clientConfig", &[("version", "1.1")]);
    out.open("emailProvider", &[("id", &directions.domain.to_string())]);
    out.text("domain", &domain.to_string());
    out.text("displayName", &directions.name);
    out.text("displayShortName", &directions.domain.to_string());
    for door in &directions.doors {
        match door.service {
            Service::Imap => out.open("incomingServer", &[("type", "imap")]),
            Service::Submission => out.open("outgoingServer", &[("type", "smtp")]),
        };
        server(&mut out, &directions.host, door);
        out.close();
    }
    out.finish()
}

fn server(out: &mut Writer, host: &str, door: &Door) {
    let socket = match door.security {
        Security::Tls => "SSL",
        Security::StartTls => "STARTTLS",
    };
    out.text("hostname", host).text("port", &door.port.to_string()).text("socketType", socket);
    // Its word for a password that nothing but TLS protects.
    out.text("authentication", "password-cleartext").text("username", "%EMAILADDRESS%");
}
