//! Settings that are one of a few words.

use super::kinds::{Kind, text};
use std::path::Path;
use toml::de::DeValue;

/// An enum whose variants are written as words.
macro_rules! choice {
    ($(#[doc = $about:literal])+ $name:ident, $form:literal { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Kind for $name {
            const FORM: &'static str = $form;

            fn read(value: &DeValue<'_>, _: &Path) -> Result<Self, String> {
                match text(value)? {
                    $($word => Ok(Self::$variant),)+
                    other => Err(format!("{other:?} is none of the choices")),
                }
            }
        }
    };
}

choice! {
    /// Where the seal key lives.
    SealSource, "`\"file\"` or `\"pkcs11\"`" {
        /// In a PEM file.
        File = "file",
        /// In a token, which never gives it away.
        Pkcs11 = "pkcs11",
    }
}

choice! {
    /// What an unreachable revocation source means.
    Revocation, "`\"require\"`, `\"prefer\"` or `\"off\"`" {
        /// A temporary refusal: nothing is accepted unchecked.
        Require = "require",
        /// Acceptance, with a note in the log.
        Prefer = "prefer",
        /// Nothing is asked.
        Off = "off",
    }
}

choice! {
    /// What an account without a policy of its own must do.
    SignaturePolicy, "`\"required\"`, `\"hold\"` or `\"optional\"`" {
        /// Unsigned mail is refused.
        Required = "required",
        /// Unsigned mail waits for its signature.
        Hold = "hold",
        /// Unsigned mail is accepted.
        Optional = "optional",
    }
}

choice! {
    /// Whether mail programs may show a certificate.
    ClientCertificates, "`\"ask\"` or `\"off\"`" {
        /// Who has one of a user authority may log in by it.
        Ask = "ask",
        /// None is asked for.
        Off = "off",
    }
}

choice! {
    /// When mail programs are offered SCRAM.
    Scram, "`\"auto\"`, `\"on\"` or `\"off\"`" {
        /// Once anybody has a generated password.
        Auto = "auto",
        /// Always.
        On = "on",
        /// Never.
        Off = "off",
    }
}

choice! {
    /// How SMS are sent.
    SmsWay, "`\"off\"`, `\"smpp\"` or `\"http\"`" {
        /// Not at all.
        Off = "off",
        /// To an SMSC, over a connection that is kept.
        Smpp = "smpp",
        /// To a gateway, one request each.
        Http = "http",
    }
}

choice! {
    /// How letters are sent that the alphabet of phones lacks.
    TurkishSms, "`\"ucs2\"`, `\"shift\"` or `\"plain\"`" {
        /// Wide: 70 letters a part.
        Ucs2 = "ucs2",
        /// By the Turkish shift table: 155 letters a part.
        Shift = "shift",
        /// As the letters beside them: `ş` as `s`.
        Plain = "plain",
    }
}

choice! {
    /// How a long SMS is sent.
    LongSms, "`\"parts\"` or `\"payload\"`" {
        /// In numbered parts.
        Parts = "parts",
        /// Whole; the SMSC cuts it.
        Payload = "payload",
    }
}

choice! {
    /// How a connection is protected.
    Line, "`\"tls\"`, `\"starttls\"` or `\"clear\"`" {
        /// TLS from the first byte.
        Tls = "tls",
        /// TLS after a word of the protocol, and nothing without it.
        StartTls = "starttls",
        /// Not at all.
        Clear = "clear",
    }
}

choice! {
    /// What the body of a request is.
    BodyForm, "`\"json\"`, `\"form\"` or `\"xml\"`" {
        /// JSON.
        Json = "json",
        /// A form, as browsers send it.
        Form = "form",
        /// XML.
        Xml = "xml",
    }
}

choice! {
    /// The least important lines that are logged.
    LogLevel, "`\"error\"`, `\"warn\"`, `\"info\"`, `\"debug\"` or `\"trace\"`" {
        /// What an operator must act on.
        Error = "error",
        /// What an operator should look at.
        Warn = "warn",
        /// One line a message and step.
        Info = "info",
        /// Decisions with their reasons.
        Debug = "debug",
        /// Everything but content and secrets.
        Trace = "trace",
    }
}

choice! {
    /// How a log line looks.
    LogFormat, "`\"text\"` or `\"json\"`" {
        /// For people.
        Text = "text",
        /// For machines.
        Json = "json",
    }
}
