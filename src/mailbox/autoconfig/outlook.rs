//! Autodiscover, as Outlook asks for accounts that are none of Exchange (MS-OXDSCLI §2.2).

use super::{Directions, Door, Security, Service};
use crate::wire::KepAddress;
use crate::wire::xml::{Writer, Xml, child, text_of};

/// The address that a request names.
pub fn asked(request: &[u8]) -> Option<KepAddress> {
    let document = Xml::parse(request).ok()?;
    let asks = child(document.root(), REQUEST, "Request")?;
    KepAddress::parse(text_of(child(asks, REQUEST, "EMailAddress")?).trim()).ok()
}

/// The settings; `None` for a request that names no address of ours.
pub fn answer(directions: &Directions, address: Option<&KepAddress>) -> String {
    let mut out = Writer::document();
    out.open("Autodiscover", &[("xmlns", ENVELOPE)]);
    match address.filter(|address| directions.serve(address)) {
        Some(address) => settings(&mut out, directions, address.as_str()),
        None => error(&mut out),
    }
    out.finish()
}

fn settings(out: &mut Writer, directions: &Directions, login: &str) {
    out.open("Response", &[("xmlns", RESPONSE)]).open("Account", &[]);
    out.text("AccountType", "email").text("Action", "settings");
    for service in [Service::Imap, Service::Submission] {
        // It takes one of a kind.
        if let Some(door) = directions.best(service) {
            protocol(out, &directions.host, door, login);
        }
    }
}

fn protocol(out: &mut Writer, host: &str, door: &Door, login: &str) {
    let kind = match door.service {
        Service::Imap => "IMAP",
        Service::Submission => "SMTP",
    };
    let encryption = match door.security {
        Security::Tls => "SSL",
        Security::StartTls => "TLS",
    };
    out.open("Protocol", &[]).text("Type", kind);
    out.text("Server", host).text("Port", &door.port.to_string());
    out.text("DomainRequired", "off").text("LoginName", login).text("SPA", "off");
    out.text("SSL", "on").text("Encryption", encryption).text("AuthRequired", "on").close();
}

/// §2.2.4.1.1.2.3: 600 is a request that can't be understood or served.
fn error(out: &mut Writer) {
    out.open("Response", &[]).open("Error", &[]);
    out.text("ErrorCode", "600").text("Message", "Invalid Request").empty("DebugData", &[]);
}

const REQUEST: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006";
const ENVELOPE: &str = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006";
const RESPONSE: &str =
    "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
