//! What is said, in the language of whom it is said to. Who wrote and when, never what about: an SMS and
//! ordinary mail lie open on their way, and a subject is content. Pure.

use crate::registry::outbox::{Kind, Language, Values};

/// A text as SMS, and as mail with its subject.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    pub subject: String,
    /// One paragraph, short: each 70 letters are an SMS.
    pub sms: String,
    /// The same for a mail, with who says it and why.
    pub mail: String,
}

/// Who says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sayer {
    /// The provider's name.
    pub name: String,
    /// Where a message is opened.
    pub portal: Option<String>,
}

/// `tells` is of how many it tells. `None` when a field is missing that its text needs.
pub fn words(
    sayer: &Sayer,
    kind: Kind,
    language: Language,
    tells: u32,
    values: &Values,
) -> Option<Words> {
    let (subject, text) = template(kind, language, tells);
    let tells = tells.to_string();
    let sms = filled(text, values, &tells)?;
    let (secret, turkish) = (kind.is_asked_for(), language == Language::Turkish);
    let mut mail = vec![sms.clone()];
    if let (Some(portal), Kind::Mail | Kind::Unread) = (&sayer.portal, kind) {
        mail.push(match turkish {
            true => format!("İletiyi açmak için: {portal}"),
            false => format!("To open it: {portal}"),
        });
    }
    mail.push(
        match (secret, turkish) {
            (true, true) => "Bu isteği siz yapmadıysanız bu e-postayı dikkate almayın.",
            (true, false) => "If you did not ask for this, ignore this mail.",
            (false, true) => {
                "Bu bir bilgilendirmedir; yanıtlanmaz. İletinin konusu ve içeriği güvenliğiniz için \
                 yazılmaz. Bildirim ayarlarınızı hesabınızdan değiştirebilirsiniz."
            }
            (false, false) => {
                "This is a notice; replies are not read. Subject and content of messages are left out \
                 for your safety. You can change what you are told of in your account."
            }
        }
        .to_owned(),
    );
    mail.push(sayer.name.clone());
    Some(Words { subject: filled(subject, values, &tells)?, sms, mail: mail.join("\r\n\r\n") })
}

/// Puts values in the place of `{names}`; a value is not looked at again.
fn filled(template: &str, values: &Values, tells: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        let value = if name == "tells" { tells } else { values.get(name)?.as_str() };
        out.push_str(before);
        // No value begins a line, a header or another text.
        out.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }).take(VALUE));
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// Subject and text.
fn template(kind: Kind, language: Language, tells: u32) -> (&'static str, &'static str) {
    match (language, tells) {
        (Language::Turkish, 0..=1) => turkish(kind),
        (Language::English, 0..=1) => english(kind),
        (Language::Turkish, _) => several_turkish(kind),
        (Language::English, _) => several_english(kind),
    }
}

fn turkish(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Mail => (
            "Yeni KEP iletisi",
            "{account} hesabınıza {sender} adresinden KEP iletisi geldi ({time}).",
        ),
        Kind::Evidence => (
            "KEP delili",
            "{account} hesabınızdan gönderilen bir ileti için delil oluştu: {event} ({time}).",
        ),
        Kind::Unread => (
            "Okunmamış KEP iletisi",
            "{account}: {sender} adresinden {time} tarihinde gelen ileti okunmadı; açılmazsa {due} \
             tarihinde okunmuş sayılacak.",
        ),
        Kind::Credit => ("KEP kontörünüz azaldı", "{account} hesabınızda {balance} {unit} kaldı."),
        Kind::Storage => (
            "KEP hesabınız dolmak üzere",
            "{account}: {limit} alanın {used} kadarı dolu. Dolunca ileti alamazsınız; deliller yer \
             tutmaz.",
        ),
        Kind::Certificate => (
            "Sertifikanızın süresi doluyor",
            "{account}: kayıtlı elektronik sertifikanızın süresi {day} tarihinde dolacak.",
        ),
        Kind::Contract => (
            "KEP sözleşmenizin süresi doluyor",
            "{account}: KEP sözleşmenizin süresi {day} tarihinde dolacak.",
        ),
        Kind::Handover => (
            "İmza bekleyen ileti geri döndü",
            "{account}: imzaya sunulan bir ileti gönderilmedi: {outcome} ({time}). Taslaklar kutusunda \
             duruyor.",
        ),
        Kind::Login => (
            "Yeni bir yerden giriş",
            "{account} hesabınıza yeni bir yerden girildi: {place}, {channel}, {time}. Siz değilseniz \
             parolanızı değiştirin.",
        ),
        Kind::Credentials => (
            "Giriş bilgileriniz değişti",
            "{account} hesabınızın giriş bilgileri değişti ({time}). Siz değilseniz sağlayıcınızı arayın.",
        ),
        Kind::Verify => {
            ("Bildirim adresi doğrulama", "{account} bildirimleri için doğrulama kodu: {code}")
        }
        Kind::LoginCode => {
            ("KEP giriş kodu", "{account} giriş kodu: {code}. Kodu kimseyle paylaşmayın.")
        }
        Kind::ResetLink => ("KEP parola yenileme", "{account} parolasını yenilemek için: {link}"),
        Kind::ResetCode => (
            "KEP parola yenileme kodu",
            "{account} parola yenileme kodu: {code}. Kimseyle paylaşmayın.",
        ),
    }
}

fn english(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Mail => (
            "New registered message",
            "A registered message from {sender} arrived at {account} ({time}).",
        ),
        Kind::Evidence => (
            "Registered-mail evidence",
            "There is evidence of a message sent from {account}: {event_en} ({time}).",
        ),
        Kind::Unread => (
            "Unread registered message",
            "{account}: the message of {time} from {sender} is unread; unless opened it counts as read at \
             {due}.",
        ),
        Kind::Credit => ("Your credits run low", "{account} has {balance} {unit_en} left."),
        Kind::Storage => (
            "Your mailboxes are nearly full",
            "{account}: {used} of {limit} are used. When full it gets no messages; evidence takes no \
             room.",
        ),
        Kind::Certificate => {
            ("Your certificate ends", "{account}: your registered certificate ends on {day}.")
        }
        Kind::Contract => ("Your contract ends", "{account}: your contract ends on {day}."),
        Kind::Handover => (
            "A message came back unsigned",
            "{account}: a message that waited for its signature was not sent: {outcome_en} ({time}). It \
             is in the drafts.",
        ),
        Kind::Login => (
            "Login from a new place",
            "Somebody logged in to {account} from a new place: {place}, {channel}, {time}. If it was not \
             you, change your password.",
        ),
        Kind::Credentials => (
            "Your credentials changed",
            "The credentials of {account} changed ({time}). If it was not you, call your provider.",
        ),
        Kind::Verify => {
            ("Confirm your notice address", "Code to confirm notices of {account}: {code}")
        }
        Kind::LoginCode => ("Login code", "Login code of {account}: {code}. Tell it to nobody."),
        Kind::ResetLink => ("Reset your password", "To reset the password of {account}: {link}"),
        Kind::ResetCode => {
            ("Password reset code", "Password reset code of {account}: {code}. Tell it to nobody.")
        }
    }
}

fn several_turkish(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Mail => {
            ("Yeni KEP iletileri", "{account} hesabınıza {tells} yeni KEP iletisi geldi.")
        }
        Kind::Evidence => (
            "KEP delilleri",
            "{account} hesabınızdan gönderilen iletiler için {tells} delil oluştu.",
        ),
        other => turkish(other),
    }
}

fn several_english(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Mail => {
            ("New registered messages", "{tells} new registered messages arrived at {account}.")
        }
        Kind::Evidence => (
            "Registered-mail evidence",
            "There are {tells} evidences of messages sent from {account}.",
        ),
        other => english(other),
    }
}

/// Letters of a value; a link with its token is the longest.
const VALUE: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 20] = [
        "account",
        "sender",
        "time",
        "event",
        "event_en",
        "due",
        "balance",
        "day",
        "channel",
        "place",
        "code",
        "link",
        "message",
        "recipient",
        "unit",
        "unit_en",
        "used",
        "limit",
        "outcome",
        "outcome_en",
    ];

    fn values() -> Values {
        FIELDS.iter().map(|name| ((*name).to_owned(), format!("<{name}>"))).collect()
    }

    fn sayer() -> Sayer {
        Sayer { name: "Örnek KEP A.Ş.".into(), portal: Some("https://kep.example/".into()) }
    }

    #[test]
    fn each_kind_has_its_text_in_both_languages() {
        for kind in Kind::ALL {
            for language in Language::ALL {
                for tells in [1, 3] {
                    let said = words(&sayer(), *kind, *language, tells, &values()).unwrap();
                    assert!(said.sms.contains("<account>"), "{kind:?}: {}", said.sms);
                    assert!(!said.sms.contains('{') && !said.subject.contains('{'));
                    assert!(said.mail.starts_with(&said.sms) && said.mail.ends_with("A.Ş."));
                    assert_eq!(kind.gathers() && tells > 1, said.sms.contains('3'), "{}", said.sms);
                }
            }
            assert_eq!(words(&sayer(), *kind, Language::Turkish, 1, &Values::new()), None);
        }
    }

    #[test]
    fn content_has_no_place_in_any_text() {
        for kind in Kind::ALL {
            for (subject, text) in [turkish(*kind), english(*kind)] {
                let named = [subject, text].concat();
                let fields = named.split('{').skip(1).filter_map(|part| part.split('}').next());
                for field in fields {
                    assert!(FIELDS.contains(&field) && field != "subject", "{kind:?}: {field}");
                }
            }
        }
    }

    #[test]
    fn a_value_is_text_and_nothing_else() {
        let mut values = values();
        values.insert("sender".into(), "{account}\r\nBcc: x@example.com".into());
        let said = words(&sayer(), Kind::Mail, Language::English, 1, &values).unwrap();
        assert!(said.sms.contains("{account}  Bcc: x@example.com arrived"), "{}", said.sms);
    }
}
