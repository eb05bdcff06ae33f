use super::*;
use kep::registry::read_policy::{MessageType, ReadPolicy};
use kep::wire::Timestamp;
use std::path::PathBuf;

const LEAST: &str = r#"
[provider]
domain = "hs05.kep.tr"
name = "Deneme"
[seal]
key = "seal.pem"
certificate = "seal-certificate.pem"
[timestamp]
url = "http://127.0.0.1:3180/"
"#;

fn parse(text: &str) -> Result<Settings, Problems> {
    Settings::parse(text, Path::new("/etc/kep"))
}

fn said(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// What is wrong with the least file once a line is added to a section.
fn with(section: &str, line: &str) -> String {
    let header = format!("[{section}]\n");
    let text = match LEAST.contains(&header) {
        true => LEAST.replace(&header, &format!("{header}{line}\n")),
        false => format!("{LEAST}{header}{line}\n"),
    };
    parse(&text).map_or_else(|problems| problems.to_string(), |_| String::new())
}

/// The file must say what the declarations say; `KEP_BLESS=1` rewrites it.
fn golden(path: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("KEP_BLESS").is_some() {
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
    let line = differs.unwrap_or_else(|| found.lines().count().min(expected.lines().count())) + 1;
    assert!(
        found == expected,
        "{}:{line} is not as declared; KEP_BLESS=1 rewrites it",
        path.display()
    );
}

#[test]
fn sample_file_is_as_declared() {
    golden("conf/kep.toml", &sample());
}

#[test]
fn page_is_as_declared() {
    golden("docs/settings.md", &page());
}

#[test]
fn sample_file_is_valid_as_it_is_and_with_everything_switched_on() {
    let sample = sample();
    let settings = parse(&sample).unwrap();
    assert_eq!(settings.listen.submission_tls, Some("[::]:465".parse().unwrap()));
    let switched_on: String = sample
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .map(|line| format!("{line}\n"))
        .collect();
    let settings = parse(&switched_on).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(settings.opening.read_policy.entries().len(), 1);
    assert_eq!(settings.seal_pkcs11.key_label.as_deref(), Some("kep-seal"));
}

#[test]
fn a_file_can_be_written_with_values_of_ones_own() {
    let values = [
        ("provider.domain", "hs07.kep.tr"),
        ("provider.name", "Ad \"tırnaklı\" A.Ş."),
        ("seal.key", "seal.pem"),
        ("seal.certificate", "c.pem"),
        ("authority.key", "t.pem"),
        ("authority.certificate", "t.crt"),
    ];
    let values = values.map(|(key, value)| (key, toml::Value::from(value)));
    let settings = parse(&conf(&values.into()).unwrap()).unwrap_or_else(|all| panic!("{all}"));
    assert_eq!(settings.provider.domain.as_str(), "hs07.kep.tr");
    assert_eq!(settings.provider.name, "Ad \"tırnaklı\" A.Ş.");
    assert_eq!(settings.listen.submission_tls, None);
    let unknown = conf(&[("provider.domian", toml::Value::from(1))].into());
    assert_eq!(unknown, Err("\"provider.domian\" is no setting".to_owned()));
}

/// A larger message would find no memory, and hear a temporary error for ever.
#[test]
fn the_largest_message_that_can_be_set_has_room_in_memory() {
    let sections = Settings::declared();
    let mut all = sections.iter().flat_map(|section| section.settings);
    let declared = all.find(|setting| setting.full_key() == "accept.max_size").unwrap();
    let (_, largest) = declared.within.unwrap();
    let line = format!("max_size = {largest}").replace('\'', "\"");
    let settings = parse(&format!("{LEAST}\n[accept]\n{line}\n")).unwrap();
    let share = kep::registry::budget::Budget::of_one(kep::registry::budget::Budget::BODIES);
    assert_eq!(settings.accept.max_size.0, share as u64);
}

#[test]
fn a_size_that_recipients_would_fill_is_refused() {
    let said = with("accept", "max_size = \"1 MiB\"\nmax_recipients = 1000");
    assert!(said.contains("accept.max_size leaves no room"), "{said}");
    assert_eq!(with("accept", "max_size = \"1 MiB\"\nmax_recipients = 100"), "");
}

#[test]
fn declared_defaults_are_what_a_silent_file_gets() {
    let settings = parse(LEAST).unwrap();
    assert_eq!(settings.accept.max_size.0, 26_214_400);
    assert_eq!(settings.accept.signature, SignaturePolicy::Required);
    assert_eq!(settings.data.dir, PathBuf::from("/etc/kep/spool"));
    assert_eq!(settings.data.rows, Rows::Sqlite);
    assert_eq!(settings.listen.submission_tls, None);
    assert_eq!(settings.trust.revocation, Revocation::Require);
    let rule =
        |message_type| settings.opening.read_policy.rule(Timestamp::from_secs(0), message_type);
    assert_eq!(rule(MessageType::Standart).to_string(), "24h");
    assert_eq!(rule(MessageType::ETebligat), ReadPolicy::FifthDayEnd);
}

#[test]
fn every_declaration_is_whole() {
    let mut seen = std::collections::BTreeSet::new();
    for setting in Settings::declared().iter().flat_map(|section| section.settings) {
        let key = setting.full_key();
        assert!(seen.insert(key.clone()), "{key} stands twice");
        assert!(!setting.why.is_empty() && !setting.doc.is_empty(), "{key} lacks a text");
        assert!(!setting.why.ends_with('.'), "{key}: the reason is written without full stop");
        assert!(
            setting.doc.last().is_some_and(|line| line.ends_with('.')),
            "{key}: {:?}",
            setting.doc
        );
    }
}

#[test]
fn paths_are_relative_to_the_file() {
    let text =
        LEAST.replace("[seal]", "[data]\ndir = \"veri\"\n[vault]\nmaster_key = \"/k\"\n[seal]");
    let settings = parse(&text).unwrap();
    assert_eq!(settings.data.dir, PathBuf::from("/etc/kep/veri"));
    assert_eq!(settings.vault.master_key, PathBuf::from("/k"));
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_name_and_the_line() {
    for (section, line, expected) in [
        (
            "accept",
            "max_sise = 1",
            "line 11: \"accept.max_sise\" is no setting\nhint: did you mean \"max_size\"?",
        ),
        (
            "mailbox",
            "max_rejections_per_hour = 1",
            "hint: did you mean \"max_rejections_per_hour\" in [accept]?",
        ),
        (
            "acept",
            "max_size = 1",
            "\"acept\" is no setting\nhint: did you mean the section [accept]?",
        ),
        ("seal.pkcs12", "module = \"x\"", "\"seal.pkcs12\" is no setting"),
        ("accept", "colour = \"blue\"", "\"accept.colour\" is no setting"),
    ] {
        let text = with(section, line);
        assert!(text.contains(expected), "{line}: {text}");
    }
    assert!(said("domain = \"hs05.kep.tr\"").contains("did you mean \"domain\" in [provider]?"));
}

#[test]
fn wrong_values_are_named_with_the_right_form() {
    for (section, line, expected) in [
        ("accept", "max_size = true", "accept.max_size: is a boolean\nhint: write a size"),
        ("accept", "max_size = \"25 MB\"", "\"25 MB\" is no size"),
        (
            "accept",
            "max_size = \"2 GiB\"",
            "is out of bounds\nhint: write a size, \"64 KiB\", \"25 MiB\", \"1 GiB\", or a number of bytes, from \"1 MiB\" to \"128 MiB\"",
        ),
        ("accept", "max_size = -1", "-1 is out of range"),
        ("accept", "max_size = 99999999999999999999", "99999999999999999999 is out of range"),
        (
            "accept",
            "max_recipients = 0",
            "is out of bounds\nhint: write a whole number, from 1 to 1000",
        ),
        ("accept", "max_recipients = \"many\"", "is a string"),
        ("accept", "command_timeout = \"5 minutes\"", "\"5 minutes\" is no time"),
        (
            "accept",
            "signature = \"maybe\"",
            "\"maybe\" is none of the choices\nhint: write \"required\", \"hold\" or \"optional\"",
        ),
        ("listen", "imap_tls = \"25\"", "\"25\" is no address with a port"),
        ("provider", "country = \"Türkiye\"", "is no country code"),
        ("timestamp", "policy = \"1.02.3\"", "is no object identifier"),
        ("opening", "portal_url = \"ftp://x\"", "is no http or https URL"),
        ("mailbox", "withhold = [\"idle\", \"XLIST\"]", "\"XLIST\" is no capability"),
        (
            "opening",
            "read_policy = [{ from = 2027-01-01, type = \"standart\", rule = \"24h\" }]",
            "needs date, time and zone",
        ),
        (
            "opening",
            "read_policy = [{ from = 2027-01-01T00:00:00Z, type = \"x\", rule = \"24h\" }]",
            "\"x\" is no message type",
        ),
        (
            "opening",
            "read_policy = [{ from = 2027-01-01T00:00:00Z, type = \"standart\" }]",
            "an entry lacks \"rule\"",
        ),
        ("opening", "read_policy = [{ form = 1 }]", "\"form\" is no part of an entry"),
        ("data", "dir = \"\"", "data.dir: is empty"),
        ("accept", "= 1", "line 11: "),
        ("accept", "max_size = 1\nmax_size = 2", "line 12: duplicate key"),
    ] {
        let text = with(section, line);
        assert!(text.contains(expected), "{line}: {text}");
    }
    assert!(said(&LEAST.replace("hs05.kep.tr", "kurum.hs05.kep.tr")).contains("sub-domain"));
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_file() {
    let text =
        "[provider]\ndomian = \"hs05.kep.tr\"\n[accept]\nmax_size = \"x\"\n[log]\nlevel = 3\n";
    let problems = parse(text).unwrap_err().0;
    let lines: Vec<_> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [None, None, None, Some(2), Some(4), Some(6)]);
    let missing = said(text);
    for key in ["provider.domain", "provider.name", "seal.certificate"] {
        assert!(missing.contains(&format!("{key} is missing\nhint: ")), "{missing}");
    }
}

#[test]
fn secrets_are_refused_and_not_repeated() {
    for (section, line, expected) in [
        ("data", "rows = \"postgres://kep:gizli@db/kep\"", "data.rows: holds a password"),
        ("data", "rows = \"postgres://kep@db/kep?password=gizli\"", "data.rows: holds a password"),
        ("tls", "key = '''-----BEGIN PRIVATE KEY-----\ngizli'''", "tls.key: is the thing itself"),
        ("opening", "portal_url = \"https://a:gizli@b/\"", "holds a user or password"),
    ] {
        let text = with(section, line);
        assert!(text.contains(expected) && !text.contains("gizli"), "{line}: {text}");
    }
}

#[test]
fn settings_that_need_each_other_are_asked_for() {
    let far = with("lists", "trusted = [\"http://liste.example/tl.xml\"]\nsigners = \"x\"");
    assert!(far.contains("neither https nor on this machine"), "{far}");
    // What a provider says of itself its seal signs.
    assert_eq!(with("lists", "csi = [\"https://hs06.example/CSI.xml\"]"), "");
    let unpinned = with("lists", "trusted = [\"https://x.example/tl.xml\"]\ncsi_signers = \"x\"");
    assert!(unpinned.contains("lists.signers is missing"), "{unpinned}");
    assert_eq!(with("lists", "trusted = [\"https://x.example/\"]\nsigners = \"x\""), "");
    for (section, line, expected) in [
        ("listen", "imap_tls = \"[::]:993\"", "listen.imap_tls needs tls.certificate and tls.key"),
        ("tls", "key = \"k\"", "tls.certificate and tls.key go together"),
        (
            "listen",
            "metrics = \"[::]:1\"\ntsa = \"[::]:1\"",
            "listen.tsa and listen.metrics are both [::]:1",
        ),
        ("authority", "key = \"k\"", "authority.key and authority.certificate go together"),
        ("seal", "source = \"pkcs11\"", "seal.pkcs11.pin_file is missing"),
    ] {
        let text = with(section, line);
        assert!(text.contains(expected), "{line}: {text}");
    }
    assert!(said(&LEAST.replace("key = \"seal.pem\"", "")).contains("seal.key is missing"));
    assert!(said(&LEAST.replace("url =", "#")).contains("timestamp.url is missing"));
}

#[test]
fn hostile_files_end_in_an_error() {
    assert!(said(&"#".repeat(2 << 20)).contains("at most 1048576 are read"));
    assert!(parse(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(parse(&format!("[{}]", "a.".repeat(10_000))).is_err());
    assert!(parse("\0").is_err());
}

#[test]
fn ways_for_notices_need_what_they_need() {
    let smpp = "sms = \"smpp\"\n[notify.smpp]\nserver = \"smsc.example:3550\"\nsystem_id = \"kep\"\n\
                password_file = \"p\"";
    assert_eq!(with("notify", smpp), "");
    assert_eq!(with("notify", &smpp.replace("smsc.example:3550", "[::1]:3550")), "");
    let http =
        "sms = \"http\"\n[notify.http]\nurl = \"https://sms.example/?to={to}\"\nbody = \"{text}\"";
    assert_eq!(with("notify", http), "");
    let mail = "server = \"smtp.example:587\"\nfrom = \"kep@example.com\"";
    assert_eq!(with("notify.mail", mail), "");
    for (section, text, expected) in [
        ("notify", "sms = \"smpp\"".to_owned(), "notify.smpp.system_id is missing"),
        ("notify", smpp.replace(":3550", ""), "is no host with a port"),
        ("notify", smpp.replace(":3550", ":0"), "is no host with a port"),
        ("notify", format!("{smpp}\nline = \"starttls\""), "SMPP has no STARTTLS"),
        ("notify", "sms = \"http\"".to_owned(), "notify.http.url is missing"),
        ("notify", http.replace("https", "http"), "is neither https nor on this machine"),
        ("notify", http.replace("{text}", "merhaba"), "notify.http says {text} nowhere"),
        ("notify", format!("{http}\nheader = \"x\""), "notify.http.secret_file go together"),
        ("notify.mail", mail.replace("kep@", ""), "notify.mail.from: no mail address"),
        ("notify.mail", mail.replace("kep@example.com", "a@hs05.kep.tr"), "a KEP address"),
        ("notify.mail", format!("{mail}\nuser = \"u\""), "notify.mail.password_file go together"),
        ("notify.mail", format!("{mail}\nline = \"clear\""), "would be spoken to in the clear"),
    ] {
        let said = with(section, &text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}
