//! The settings of `kep`, each declared once in `sections`: key, default, reason, bounds and text.
//! The typed values, the errors, `conf/kep.toml` and `docs/settings.md` all come from there.

mod choices;
mod cross;
mod declare;
mod kinds;
mod nearest;
mod read;
mod render;
mod sections;
#[cfg(test)]
mod tests;

pub use choices::{
    BodyForm, ClientCertificates, Line, LogFormat, LogLevel, LongSms, Revocation, Scram,
    SealSource, SignaturePolicy, SmsWay, TurkishSms,
};
pub use declare::{Section, Setting};
pub use kinds::{Rows, Size};
pub use read::{Problem, Problems};
pub use render::{conf, page, sample};
pub use sections::*;

use read::Reader;
use std::path::Path;

/// Declares `Settings`, its reading and its listing from the list of sections.
macro_rules! settings {
    ($($field:ident: $section:ty),+ $(,)?) => {
        /// Everything one configuration file says.
        #[derive(Clone, Debug)]
        pub struct Settings {
            $(pub $field: $section,)+
        }

        impl Settings {
            /// Reads a configuration file's text; paths in it are relative to `base`. Says everything
            /// that is wrong at once.
            pub fn parse(text: &str, base: &Path) -> Result<Self, Problems> {
                match Self::read(text, base) {
                    (Some(settings), Problems(none)) if none.is_empty() => Ok(settings),
                    (_, problems) => Err(problems),
                }
            }

            /// The same, with what can be had in spite of problems: a value that is wrong counts as
            /// not said.
            pub fn parse_partly(text: &str, base: &Path) -> (Option<Self>, Problems) {
                let (settings, problems) = Self::read(text, base);
                let settings = settings.or_else(|| Self::read(&problems.without(text), base).0);
                (settings, problems)
            }

            fn read(text: &str, base: &Path) -> (Option<Self>, Problems) {
                let mut reader = match Reader::open(text, base) {
                    Ok(reader) => reader,
                    Err(problems) => return (None, problems),
                };
                $(let $field = <$section>::take(&mut reader);)+
                reader.refuse_unknown(&Self::declared());
                let (Problems(mut problems), read) =
                    (reader.close(), (|| Some(Self { $($field: $field?),+ }))());
                problems.extend(read.as_ref().map(cross::check).unwrap_or_default());
                (read, Problems(problems))
            }

            /// Every section with its settings, in the order of the file.
            pub fn declared() -> Vec<SectionDeclared> {
                vec![$(SectionDeclared {
                    name: <$section>::NAME,
                    about: <$section>::ABOUT,
                    settings: <$section>::SETTINGS,
                }),+]
            }
        }
    };
}

/// What a section says of itself.
#[derive(Clone, Copy, Debug)]
pub struct SectionDeclared {
    pub name: &'static str,
    pub about: &'static [&'static str],
    pub settings: &'static [Setting],
}

settings! {
    provider: Provider,
    data: Data,
    audit: Audit,
    listen: Listen,
    tls: Tls,
    seal: Seal,
    seal_pkcs11: SealPkcs11,
    timestamp: Timestamping,
    authority: Authority,
    trust: Trust,
    vault: Vault,
    accept: Accept,
    scan: Scan,
    dns: Dns,
    relay: Relay,
    lists: Lists,
    directory: DirectorySettings,
    mailbox: Mailbox,
    portal: Portal,
    opening: Opening,
    notify: Notify,
    notify_smpp: NotifySmpp,
    notify_http: NotifyHttp,
    notify_mail: NotifyMail,
    log: Log,
    texts: Texts,
}

/// `smtp.example:587`, `[::1]:587`.
pub fn host_and_port(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let sound = kep::wire::is_host(host) || bare.parse::<std::net::IpAddr>().is_ok();
    let port = port.parse().ok().filter(|port| *port != 0)?;
    sound.then_some((bare, port))
}
