//! The room that tells people outside KEP, as the settings have it.

use super::{provider, secret};
use crate::failure::{Failure, Outcome};
use crate::settings::{BodyForm, Line, LongSms, Settings, SmsWay, TurkishSms, host_and_port};
use kep::notify::gateway::{Form, Gateway};
use kep::notify::smarthost::{Connection, Login, Smarthost};
use kep::notify::smpp::{Client, Session, Smsc};
use kep::notify::texts::Sayer;
use kep::notify::{Notify, Senders, Sms};
use kep::store::Store;
use kep::trust::dial::Dial;
use kep::trust::{Certificate, Clock, tls};
use kep::wire::MailAddress;
use kep::wire::smpp::text::{Long, Turkish};
use secrecy::ExposeSecret;

/// The step, and what keeps the connection to an SMSC.
pub fn notify(
    settings: &Settings,
    store: &Store,
    clock: &Clock,
) -> Outcome<(Notify, Option<Session>)> {
    let (sms, session) = match settings.notify.sms {
        SmsWay::Off => (None, None),
        SmsWay::Http => (Some(Sms::Http(gateway(settings)?)), None),
        SmsWay::Smpp => {
            let (client, session) = Client::new(smsc(settings)?, store.clone(), clock.clone());
            (Some(Sms::Smpp(client)), Some(session))
        }
    };
    let provider = provider(settings)?;
    let from = settings.notify_mail.from.as_deref().map(MailAddress::parse).transpose();
    let from = from.map_err(|error| Failure::config(format!("notify.mail.from: {error}")))?;
    let from = from.map(|address| (provider.name.clone(), address));
    let senders = Senders { sms, mail: smarthost(settings, from.as_ref())?, from };
    let sayer = Sayer { name: provider.name, portal: provider.portal_url };
    let notify = Notify { store: store.clone(), clock: clock.clone(), senders, sayer };
    Ok((notify, session))
}

/// The ways out that the settings name, once all that they need was read.
pub fn ways(settings: &Settings) -> Outcome<Vec<String>> {
    let mut ways = Vec::new();
    match settings.notify.sms {
        SmsWay::Off => {}
        SmsWay::Smpp => {
            let smsc = smsc(settings)?;
            ways.push(format!("SMS by SMPP to {}:{}", smsc.host, smsc.port));
        }
        SmsWay::Http => {
            gateway(settings)?;
            ways.push("SMS by an HTTP gateway".to_owned());
        }
    }
    let from = settings.notify_mail.from.as_deref().map(MailAddress::parse).transpose();
    let from = from.map_err(|error| Failure::config(format!("notify.mail.from: {error}")))?;
    let from = from.map(|address| (String::new(), address));
    if smarthost(settings, from.as_ref())?.is_some() {
        let server = settings.notify_mail.server.as_deref().unwrap_or_default();
        ways.push(format!("mail through {server}"));
    }
    Ok(ways)
}

fn smsc(settings: &Settings) -> Outcome<Smsc> {
    let (declared, notify) = (&settings.notify_smpp, &settings.notify);
    let (host, port) = place("notify.smpp.server", declared.server.as_deref())?;
    let password = declared.password_file.as_deref();
    let password = secret(password.ok_or_else(|| missing("notify.smpp.password_file"))?)?;
    if password.expose_secret().len() > PASSWORD {
        return Err(Failure::config(format!("the SMPP password is longer than {PASSWORD} bytes"))
            .hint("SMPP 3.4 has room for no more; the file holds the password and nothing else"));
    }
    let tls = match declared.line {
        Line::Clear => None,
        Line::Tls | Line::StartTls => {
            let wrong = |e| Failure::config(format!("notify.authorities: {e}"));
            Some(tls::client(&authorities(settings)?).map_err(wrong)?)
        }
    };
    Ok(Smsc {
        host,
        port,
        tls,
        system_id: declared.system_id.clone().ok_or_else(|| missing("notify.smpp.system_id"))?,
        password,
        system_type: declared.system_type.clone().unwrap_or_default(),
        sender: notify.sms_sender.clone(),
        turkish: match notify.sms_turkish {
            TurkishSms::Ucs2 => Turkish::Ucs2,
            TurkishSms::Shift => Turkish::Shift,
            TurkishSms::Plain => Turkish::Plain,
        },
        long: match notify.sms_long {
            LongSms::Parts => Long::Parts,
            LongSms::Payload => Long::Payload,
        },
        window: declared.window as usize,
        rate: declared.rate,
        enquire: declared.enquire,
        timeout: notify.timeout,
    })
}

fn gateway(settings: &Settings) -> Outcome<Gateway> {
    let (declared, notify) = (&settings.notify_http, &settings.notify);
    let dial = Dial::straight(notify.timeout);
    let url = declared.url.as_ref().ok_or_else(|| missing("notify.http.url"))?;
    let header = declared.header.clone().zip(declared.secret_file.as_deref());
    let header = header.map(|(name, file)| Ok::<_, Failure>((name, secret(file)?))).transpose()?;
    Ok(Gateway {
        dial: dial.map_err(|e| Failure::software(format!("notify.http: {e}")))?,
        url: url.as_str().to_owned(),
        body: declared.body.clone(),
        form: match declared.form {
            BodyForm::Json => Form::Json,
            BodyForm::Form => Form::Urlencoded,
            BodyForm::Xml => Form::Xml,
        },
        header,
        sender: notify.sms_sender.clone(),
        success: declared.success.clone(),
        refused: declared.refused.clone(),
        reference: declared.reference.clone(),
    })
}

fn smarthost(
    settings: &Settings,
    from: Option<&(String, MailAddress)>,
) -> Outcome<Option<Smarthost>> {
    let declared = &settings.notify_mail;
    let Some(server) = declared.server.as_deref() else { return Ok(None) };
    let (host, port) = place("notify.mail.server", Some(server))?;
    let connection = match declared.line {
        Line::Tls => Connection::Tls,
        Line::StartTls => Connection::StartTls,
        Line::Clear => Connection::Clear,
    };
    let anchors = match connection {
        Connection::Clear => Vec::new(),
        Connection::Tls | Connection::StartTls => authorities(settings)?,
    };
    let login = declared.user.clone().zip(declared.password_file.as_deref());
    let login = login.map(|(user, file)| Ok::<_, Failure>(Login { user, password: secret(file)? }));
    let (_, from) = from.ok_or_else(|| missing("notify.mail.from"))?;
    let name = settings.provider.mail_host.clone();
    let name = name.unwrap_or_else(|| settings.provider.domain.to_string());
    let who = (name.as_str(), from);
    let timeout = settings.notify.timeout;
    let made =
        Smarthost::new((&host, port), connection, &anchors, login.transpose()?, who, timeout);
    made.map(Some).map_err(|error| Failure::config(format!("notify.mail: {error}")))
}

fn authorities(settings: &Settings) -> Outcome<Vec<Certificate>> {
    tls::public_issuers(&settings.notify.authorities)
        .map_err(|error| Failure::config(format!("notify.authorities: {error}")))
}

fn place(key: &str, text: Option<&str>) -> Outcome<(String, u16)> {
    let found = text.and_then(host_and_port).ok_or_else(|| missing(key))?;
    Ok((found.0.to_owned(), found.1))
}

fn missing(key: &str) -> Failure {
    Failure::config(format!("{key} is missing"))
}

/// §5.2.2: nine octets with the NUL.
const PASSWORD: usize = 8;
