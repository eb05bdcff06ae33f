//! What the session says by itself; what it refuses for a reason stands in the table of refusals.

use super::Stop;
use crate::accept::ask::{Config, Role};
use crate::wire::MessageId;
use crate::wire::smtp::{CommandError, LineError, Reply};

pub(super) fn greeting(host: &str) -> Reply {
    Reply::plain(220, format!("{host} ESMTP KEP"))
}

pub(super) fn ehlo(config: &Config, tls: bool) -> Reply {
    let mut reply = Reply::plain(250, config.host.clone())
        .line("PIPELINING")
        .line(format!("SIZE {}", config.size_limit))
        .line("8BITMIME");
    let relay = matches!(config.role, Role::Relay(_));
    if relay {
        reply = reply.line("BINARYMIME");
    }
    reply = reply
        .line("SMTPUTF8")
        .line("CHUNKING")
        // QUIRK(kep, 2026-11): evidence is what reports of delivery are here. docs/quirks.md#5
        .line("DSN")
        .line("ENHANCEDSTATUSCODES")
        // RFC 9422.
        .line(format!("LIMITS RCPTMAX={}", config.max_recipients));
    reply = match (tls, relay) {
        (false, _) => reply.line("STARTTLS"),
        (true, false) => reply.line("REQUIRETLS").line("AUTH PLAIN LOGIN"),
        (true, true) => reply.line("REQUIRETLS"),
    };
    reply.line("HELP")
}

pub(super) fn helo(host: &str) -> Reply {
    Reply::plain(250, host)
}

pub(super) fn ok(enhanced: &str) -> Reply {
    Reply::new(250, enhanced, "Ok")
}

pub(super) fn bye(host: &str) -> Reply {
    Reply::new(221, "2.0.0", format!("{host} closing connection"))
}

pub(super) fn help() -> Reply {
    Reply::new(214, "2.0.0", "EHLO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP QUIT")
}

pub(super) fn vrfy() -> Reply {
    Reply::new(252, "2.5.0", "Cannot VRFY; RCPT says whether an address receives")
}

pub(super) fn expn() -> Reply {
    Reply::new(502, "5.5.1", "There are no lists")
}

pub(super) fn start_tls() -> Reply {
    Reply::new(220, "2.0.0", "Ready to start TLS")
}

pub(super) fn start_data() -> Reply {
    Reply::plain(354, "End data with <CR><LF>.<CR><LF>")
}

/// RFC 4954 §4: the text is base64.
pub(super) fn challenge(text: &str) -> Reply {
    Reply::plain(334, text)
}

pub(super) fn logged_in() -> Reply {
    Reply::new(235, "2.7.0", "Authentication successful")
}

pub(super) fn login_cancelled() -> Reply {
    Reply::new(501, "5.7.0", "Authentication cancelled")
}

pub(super) fn login_unreadable() -> Reply {
    Reply::new(501, "5.5.2", "Cannot decode the response")
}

pub(super) fn chunk_taken(octets: u64) -> Reply {
    Reply::new(250, "2.0.0", format!("{octets} octets received"))
}

/// The text is the identifier alone: scripts read it.
pub(super) fn accepted(id: &MessageId) -> Reply {
    Reply::new(250, "2.0.0", id.as_str())
}

pub(super) fn held(id: &MessageId) -> Reply {
    Reply::new(250, "2.0.0", "İleti imza bekliyor. The message waits for its signature.")
        .line(id.as_str())
}

pub(super) fn out_of_order(why: &str) -> Reply {
    Reply::new(503, "5.5.1", why)
}

/// RFC 3030 §3.
pub(super) fn binary_by_chunks() -> Reply {
    Reply::new(503, "5.5.1", "BINARYMIME comes by BDAT, not by DATA")
}

/// Providers are known by their certificates and seals.
pub(super) fn no_logins() -> Reply {
    Reply::new(502, "5.5.1", "There are no logins here")
}

pub(super) fn no_recipients() -> Reply {
    Reply::new(554, "5.5.1", "No valid recipients")
}

pub(super) fn fault(error: &CommandError) -> Reply {
    let text = error.to_string();
    match error {
        CommandError::Unknown => Reply::new(500, "5.5.1", "Unknown command"),
        CommandError::OtherProtocol => Reply::new(500, "5.5.1", text),
        CommandError::NotImplemented(_) => Reply::new(502, "5.5.1", text),
        CommandError::Syntax(_) => Reply::new(501, "5.5.2", text),
        CommandError::Parameter(_) => Reply::new(501, "5.5.4", text),
        CommandError::UnknownParameter(_) => Reply::new(555, "5.5.4", text),
        CommandError::QuotedLocal(_) | CommandError::Address(_) | CommandError::NotAscii(_) => {
            Reply::new(550, "5.1.3", text)
        }
    }
}

pub(super) fn line_too_long() -> Reply {
    Reply::new(500, "5.5.6", "Line too long")
}

/// Whoever sends these is broken or smuggling; the connection ends.
pub(super) fn bad_line(error: LineError) -> Reply {
    Reply::new(500, "5.5.2", format!("{error}; lines end in CRLF (RFC 5321 2.3.8)"))
}

pub(super) fn too_many_errors(host: &str) -> Reply {
    Reply::new(421, "4.7.0", format!("{host} too many errors, closing connection"))
}

pub(super) fn internal() -> Reply {
    Reply::new(421, "4.3.0", "Local error, closing connection")
}

pub(super) fn stop(why: Stop, host: &str) -> Reply {
    match why {
        Stop::Timeout => Reply::new(421, "4.4.2", format!("{host} timeout, closing connection")),
        Stop::Shutdown => Reply::new(421, "4.3.2", format!("{host} going down")),
    }
}
