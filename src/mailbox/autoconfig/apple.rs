//! `.mobileconfig`, which sets up Mail on iPhones, iPads and Macs. Not signed: the system says so and
//! goes on; it comes over HTTPS from the provider.

use super::{Directions, Door, Service};
use crate::wire::xml::Writer;
use crate::wire::{KepAddress, sha256};

/// The profile for an address; `None` where nobody could connect.
pub fn profile(directions: &Directions, address: &KepAddress) -> Option<String> {
    let incoming = directions.best(Service::Imap)?;
    let outgoing = directions.best(Service::Submission)?;
    let address = address.as_str();
    let mut out = Writer::document();
    out.open("plist", &[("version", "1.0")]).open("dict", &[]);
    head(&mut out, "Configuration", &directions.name, address, "profile");
    out.text("key", "PayloadOrganization").text("string", &directions.name);
    out.text("key", "PayloadContent").open("array", &[]).open("dict", &[]);
    head(&mut out, "com.apple.mail.managed", &directions.name, address, "mail");
    let texts = [
        ("EmailAccountType", "EmailTypeIMAP"),
        ("EmailAccountDescription", address),
        ("EmailAddress", address),
    ];
    for (key, text) in texts {
        out.text("key", key).text("string", text);
    }
    server(&mut out, INCOMING, &directions.host, incoming, address);
    server(&mut out, OUTGOING, &directions.host, outgoing, address);
    out.text("key", "OutgoingPasswordSameAsIncomingPassword").empty("true", &[]);
    Some(out.finish())
}

fn head(out: &mut Writer, kind: &str, name: &str, address: &str, part: &str) {
    // Reverse domain, so that a second profile for the same account replaces the first.
    let identifier = format!("kep.{part}.{}", address.replace('@', "."));
    out.text("key", "PayloadType").text("string", kind);
    out.text("key", "PayloadVersion").text("integer", "1");
    out.text("key", "PayloadIdentifier").text("string", &identifier);
    out.text("key", "PayloadUUID").text("string", &uuid(&identifier));
    out.text("key", "PayloadDisplayName").text("string", &format!("{name}: {address}"));
}

/// Host, port, TLS, user name, authentication.
type Keys = [&'static str; 5];

const INCOMING: Keys = [
    "IncomingMailServerHostName",
    "IncomingMailServerPortNumber",
    "IncomingMailServerUseSSL",
    "IncomingMailServerUsername",
    "IncomingMailServerAuthentication",
];
const OUTGOING: Keys = [
    "OutgoingMailServerHostName",
    "OutgoingMailServerPortNumber",
    "OutgoingMailServerUseSSL",
    "OutgoingMailServerUsername",
    "OutgoingMailServerAuthentication",
];

fn server(out: &mut Writer, keys: Keys, host: &str, door: &Door, login: &str) {
    let [host_key, port, tls, user, authentication] = keys;
    out.text("key", host_key).text("string", host);
    out.text("key", port).text("integer", &door.port.to_string());
    // Mail finds out whether TLS comes first or by STARTTLS.
    out.text("key", tls).empty("true", &[]);
    out.text("key", user).text("string", login);
    out.text("key", authentication).text("string", "EmailAuthPassword");
}

/// The same for the same name (RFC 9562 §5.8).
fn uuid(name: &str) -> String {
    let mut octets = [0; 16];
    octets.copy_from_slice(&sha256(name.as_bytes()).0[..16]);
    octets[6] = octets[6] & 0x0f | 0x80;
    octets[8] = octets[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXUPPER.encode(&octets);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
    parts.into_iter().filter_map(|part| hex.get(part)).collect::<Vec<_>>().join("-")
}
