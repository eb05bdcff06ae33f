//! Every setting, declared once. A default carries its reason; a duration or size its bounds.

use super::choices::{
    BodyForm, ClientCertificates, Line, LogFormat, LogLevel, LongSms, Revocation, Scram,
    SealSource, SignaturePolicy, SmsWay, TurkishSms,
};
use super::declare::{Default, Section, Setting, section, within};
use super::kinds::{Capabilities, ClamdPlace, Country, Kind, ObjectId, Rows, Size, Url};
use super::read::Reader;
use kep::registry::read_policy::PolicyTable;
use kep::wire::KepDomain;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

section! {
    /// Who the provider is. Evidence names it so.
    Provider in "provider" {
        /// The provider's domain. Accounts live in it and in its institutions' sub-domains.
        domain: KepDomain = Must("'hs05.kep.tr'"), "every identifier and evidence bears it";
        /// The host that mail programs connect to, as in the certificate of [tls]; without it the domain.
        mail_host: Option<String> = Off("'posta.hs05.kep.tr'"), "SRV records and autoconfiguration name it";
        /// The provider's legal name, as in its seal certificate.
        name: String = Must("'Örnek KEP Hizmet Sağlayıcısı A.Ş.'"), "evidence must name its issuer";
        /// Street address of the provider, in evidence.
        address: Option<String> = Off("'Atatürk Bulvarı No: 1'"), "optional in evidence";
        /// Postal code of the provider; evidence names a street address only with it.
        postal_code: Option<String> = Off("'06420'"), "optional in evidence";
        /// Town of the provider, in evidence.
        locality: String = Is("'Ankara'"), "an address in evidence needs a town";
        /// Country of the provider, in evidence.
        country: Country = Is("'TR'"), "KEP is Turkish law";
        /// Where the provider's rules (KEPUE) can be read; evidence refers to them.
        policy_uris: Vec<Url> = Is("[]"), "no address can be known beforehand";
    }
}

section! {
    /// Where bytes rest.
    Data in "data" {
        /// The data folder. Its owner alone should be able to read it; keep it on an encrypted disk.
        dir: PathBuf = Packaged("'spool'", "'/var/lib/kep'"), "beside the configuration, as in a checkout; the unit can write to /var/lib/kep alone";
        /// Where rows rest: `sqlite` in the data folder, or a PostgreSQL server's URL. One on another
        /// machine needs `?sslmode=verify-full&sslrootcert=FILE` (its issuers in PEM, an absolute path);
        /// without that only `sslmode=disable` lets rows and password cross a network in the clear.
        rows: Rows = Is("'sqlite'"), "needs no other server";
        /// File with the password for the PostgreSQL server, and nothing else.
        rows_password_file: Option<PathBuf> = Off("'secrets/postgres.password'"), "a secret never stands in this file";
        /// Folder of the segment files with contents; without it, `blobs` in the data folder.
        blobs: Option<PathBuf> = Off("'/var/lib/kep-blobs'"), "one disk is the usual case";
    }
}

section! {
    /// The record of who did what, sealed and stamped daily.
    Audit in "audit" {
        /// Folder for copies of its seals; without it, `audit` in the data folder. Best on another machine's
        /// disk: who can write the rows anew should not reach them.
        copies: Option<PathBuf> = Off("'/var/backups/kep/audit'"), "a copy beside the rows is better than none";
    }
}

section! {
    /// Where the server listens: `"address:port"` each; a listener that isn't named is off. With
    /// systemd's socket activation the sockets come from there, by these names.
    Listen in "listen" {
        /// Submission by mail programs, TLS from the first byte (RFC 8314 section 3.3).
        submission_tls: Option<SocketAddr> = Shown("'[::]:465'"), "the registered port";
        /// Submission by mail programs, STARTTLS (RFC 6409).
        submission_starttls: Option<SocketAddr> = Shown("'[::]:587'"), "the registered port";
        /// What other providers hand over (relay), STARTTLS: to those that are registered only.
        relay: Option<SocketAddr> = Shown("'[::]:25'"), "the registered port";
        /// IMAP, TLS from the first byte.
        imap_tls: Option<SocketAddr> = Shown("'[::]:993'"), "the registered port";
        /// IMAP, STARTTLS.
        imap_starttls: Option<SocketAddr> = Shown("'[::]:143'"), "the registered port";
        /// The portal and the JSON API, TLS from the first byte.
        portal: Option<SocketAddr> = Shown("'[::]:443'"), "the registered port";
        /// Figures for Prometheus, plain HTTP: keep it to this machine.
        metrics: Option<SocketAddr> = Shown("'127.0.0.1:9464'"), "loopback: the figures tell about users";
        /// How mail programs find their settings (Thunderbird, Outlook, Apple), plain HTTP: put a proxy
        /// with TLS before it, for autoconfig.DOMAIN and autodiscover.DOMAIN.
        autoconfig: Option<SocketAddr> = Off("'127.0.0.1:9480'"), "programs ask over HTTPS, and a provider's web server has the certificate";
        /// The embedded time-stamp authority of [authority], plain HTTP.
        tsa: Option<SocketAddr> = Off("'127.0.0.1:3180'"), "for development; a provider uses an accredited one";
    }
}

section! {
    /// The certificate shown to mail programs, browsers and other providers. Files are read again
    /// when they change; no restart is needed.
    Tls in "tls" {
        /// PEM file with the certificate and its issuers, leaf first.
        certificate: Option<PathBuf> = Shown("'/etc/kep/tls/fullchain.pem'"), "every listener but metrics and tsa needs it";
        /// PEM file with its private key.
        key: Option<PathBuf> = Shown("'/etc/kep/tls/privkey.pem'"), "every listener but metrics and tsa needs it";
    }
}

section! {
    /// The seal (işlem sertifikası) under dispatches and evidence.
    Seal in "seal" {
        /// Where the seal's private key lives.
        source: SealSource = Is("'file'"), "works everywhere; a provider in service uses a token";
        /// PEM file with the private key, for `source = "file"`.
        key: Option<PathBuf> = Shown("'/etc/kep/seal/key.pem'"), "without a key nothing can be sealed";
        /// PEM file with the seal certificate, and its issuers after it.
        certificate: PathBuf = Must("'/etc/kep/seal/certificate.pem'"), "it stands in every signature";
    }
}

section! {
    /// The seal key in a PKCS#11 token, for `seal.source = "pkcs11"`.
    SealPkcs11 in "seal.pkcs11" {
        /// The token's library.
        module: Option<PathBuf> = Off("'/usr/lib/softhsm/libsofthsm2.so'"), "each maker has its own";
        /// The token's label.
        token: Option<String> = Off("'kep'"), "slot numbers change when a reader is moved, labels don't";
        /// File with the token's PIN, and nothing else.
        pin_file: Option<PathBuf> = Off("'secrets/token.pin'"), "a secret never stands in this file";
        /// Label of the private key.
        key_label: Option<String> = Off("'kep-seal'"), "a token may hold several";
    }
}

section! {
    /// Time stamps (RFC 3161). Legal clocks run from them.
    Timestamping in "timestamp" {
        /// The authority's address; without it the keys of [authority] stamp.
        url: Option<Url> = Shown("'http://tsa.example/'"), "each provider has its own contract";
        /// The policy asked for, and required of the answer.
        policy: Option<ObjectId> = Off("'0.4.0.2023.1.1'"), "without it the authority's own policy is taken";
        /// How long an answer may take.
        timeout: Duration = Is("'10s'") within "'100ms'" to "'5m'", "authorities answer in a second; evidence waits meanwhile and is not lost";
        /// By how much the clock of this machine may differ from the authority's before sealing stops.
        max_drift: Duration = Is("'2s'") within "'100ms'" to "'5m'", "a synchronised clock is within milliseconds; more is a fault to look at";
        /// When nothing was stamped for this long, a stamp is asked for to look at the clock.
        probe: Duration = Is("'1m'") within "'1s'" to "'1d'", "some authorities charge for each stamp; a clock that runs away should be noticed before the next message";
    }
}

section! {
    /// The embedded time-stamp authority, for development and tests.
    Authority in "authority" {
        /// PEM file with the private key.
        key: Option<PathBuf> = Off("'trust/tsa-key.pem'"), "a provider uses an accredited authority";
        /// PEM file with the certificate (extended key usage timeStamping, critical) and its issuers.
        certificate: Option<PathBuf> = Off("'trust/tsa.pem'"), "a provider uses an accredited authority";
        /// Folder with the authorities whose certificates' status it tells, by CRL and OCSP: for each
        /// NAME.pem, NAME.key and, once one is taken back, NAME.revoked.
        registers: Option<PathBuf> = Off("'secrets/registers'"), "development certificates point there";
    }
}

section! {
    /// Whom to believe. Each role has anchors of its own: what is trusted for one is not for another.
    /// An anchor setting names a PEM file, or a folder of them.
    Trust in "trust" {
        /// Issuers of users' signing certificates.
        user_anchors: PathBuf = Is("'trust/user'"), "a folder takes the list of accredited issuers";
        /// Issuers of this provider's seal certificate. Other providers' seals are registered one by one
        /// (`kep provider add --seal`).
        seal_anchors: PathBuf = Is("'trust/seal'"), "kept apart: a user's key must not seal";
        /// Issuers of time-stamp authorities: ours, and those of other providers, whose evidence is
        /// refused otherwise. Those that are not asked any more stay: what they stamped rests on them.
        tsa_anchors: PathBuf = Is("'trust/tsa'"), "kept apart: no other key may state the time";
        /// What it means when neither OCSP nor CRL answers.
        revocation: Revocation = Is("'require'"), "evidence must not rest on a certificate that may have been revoked";
        /// How long an OCSP answer or CRL may take.
        revocation_timeout: Duration = Is("'5s'") within "'100ms'" to "'2m'", "the sender waits for it in the dialogue";
        /// How long an answer serves that names no next update itself.
        cache: Duration = Is("'1h'") within "'0ms'" to "'7d'", "a revoked card should be noticed the same day";
    }
}

section! {
    /// Encryption of contents and secrets at rest.
    Vault in "vault" {
        /// File with the master keys, which `kep vault init` makes: lines of a generation's number and
        /// 64 hexadecimal digits, mode 0600, its owner the user of `kep serve`. Whoever loses it loses
        /// every content; keep a copy off the machine.
        master_key: PathBuf = Is("'secrets/master.key'"), "kept beside, not in, the data folder, so that one backup doesn't hold both";
    }
}

section! {
    /// What comes in, by submission and relay: limits and manners.
    Accept in "accept" {
        /// Largest sealed dispatch. A sender may submit this less the envelope, which SIZE announces. The
        /// policy `size.message` goes before it.
        max_size: Size = Is("'25 MiB'") within "'1 MiB'" to "'128 MiB'", "26,214,400 bytes, a common limit of mail systems; a message is in memory while it comes in, hence the upper bound";
        /// Recipients of one message.
        max_recipients: u32 = Is("100") within "1" to "1000", "what RFC 5321 section 4.5.3.1.8 asks at least; evidence is made for each";
        /// Connections at once, of mail programs and of other providers each.
        max_connections: u32 = Is("2000") within "1" to "100000", "each may hold a message in memory for a moment";
        /// Connections at once from one address.
        max_connections_per_address: u32 = Is("32") within "1" to "100000", "an office behind one address; more looks like a flood";
        /// How long a client may take to say its next command, to the last octet.
        command_timeout: Duration = Is("'5m'") within "'10s'" to "'1h'", "RFC 5321 section 4.5.3.2.7";
        /// How long a client may be silent within a message; on the whole it must send 8 KiB a second.
        data_timeout: Duration = Is("'3m'") within "'10s'" to "'1h'", "RFC 5321 section 4.5.3.2.5";
        /// How long one connection may last in all.
        session_timeout: Duration = Is("'1h'") within "'1m'" to "'24h'", "25 MiB over a slow line take half of it";
        /// Pause after a wrong password; it doubles with each further one from the same network or for
        /// the same name, by SMTP, IMAP or the portal, up to a minute; forgotten after a quarter of an hour.
        auth_failure_delay: Duration = Is("'2s'") within "'0ms'" to "'1m'", "guessing gets slow, a typing slip doesn't";
        /// Wrong passwords after which the connection is closed.
        max_auth_failures: u32 = Is("3") within "1" to "100", "people slip twice, programs go on";
        /// What new accounts are asked for, by `kep account add` that names none and by applications, while the
        /// policy `signature.default` is undecided. Accounts keep theirs when this changes
        /// (`kep account set --signature`).
        signature: SignaturePolicy = Is("'required'"), "law asks for a secure electronic signature on what is sent";
        /// Rejection evidences (11) one account gets in an hour; further rejections are said in the
        /// dialogue only.
        max_rejections_per_hour: u32 = Is("20") within "0" to "10000", "a broken client repeats itself all night";
    }
}

section! {
    /// The virus scanner. What it says of a mail, and what passes though it could not look into it, is
    /// weighed by policies.
    Scan in "scan" {
        /// Where clamd listens: the path of its socket, or `"address:port"`. Without it nothing is scanned;
        /// with it nothing passes that was not scanned.
        clamd: Option<ClamdPlace> = Off("'/run/clamav/clamd.ctl'"), "a provider runs his own; where Debian has its socket";
        /// How long a scan may take.
        timeout: Duration = Is("'1m'") within "'1s'" to "'10m'", "the sender waits for it in the dialogue, and waits ten minutes (RFC 5321 section 4.5.3.2.6)";
    }
}

section! {
    /// The name service, for mail to providers whose servers are found or known by it (`kep provider
    /// set --route mx`, `--tls dane`, `--tls mta-sts`). What is signed (DNSSEC) we judge ourselves, from
    /// the trust anchor down; what a resolver claims of it counts for nothing.
    Dns in "dns" {
        /// Resolvers to ask; they must hand on signatures (DNSSEC). Without any, those of
        /// /etc/resolv.conf when the server starts.
        resolvers: Vec<SocketAddr> = Is("[]"), "whoever runs the machine has named them already";
        /// File with the DNSKEY records in which trust begins, as in a zone: the root's key-signing keys.
        trust_anchor: Option<PathBuf> = Off("'/usr/share/dns/root.key'"), "the root's keys of 2018 and 2024 are built in; its next one will not be";
        /// How long a resolver may take for one question. What proves an answer takes several.
        timeout: Duration = Is("'5s'") within "'100ms'" to "'1m'", "a resolver that has to ask around takes a second or two; no other provider's mail waits for it";
        /// No answer is kept longer, whatever its zone says.
        max_ttl: Duration = Is("'1h'") within "'0ms'" to "'1d'", "who changes a server's key by mistake has mended it within the hour";
    }
}

section! {
    /// Mail to other providers, which `kep provider` registers.
    Relay in "relay" {
        /// How long a dispatch is tried before its sender gets evidence of the failure (31). The window
        /// runs on while an operator holds the mail, and while the server stands still.
        window: Duration = Is("'24h'") within "'5m'" to "'7d'", "a night and a day: a server is mended in that time, and a sender can't wait longer to look for another way";
        /// How long a provider that took a dispatch may leave open what became of it, before its sender
        /// gets evidence of that: relay failure (31) when it said nothing at all, delivery expiration
        /// (41) when it only said that it took it over.
        silence: Duration = Is("'24h'") within "'5m'" to "'30d'", "EN 319 532-4 names a day for it";
        /// How long the mail of an evidence is tried; then it waits for an operator (`kep queue`).
        evidence_window: Duration = Is("'5d'") within "'1h'" to "'30d'", "RFC 5321 section 4.5.4.1: four to five days; nobody's clock runs";
        /// Connections at once to one provider.
        max_connections_per_provider: u32 = Is("4") within "1" to "64", "one slow answer leaves three that go on; more is felt as a flood by many servers";
        /// Where the servers that an MX names are asked: a record names no port.
        mx_port: u16 = Is("25"), "RFC 5321: there all servers listen; another one is for tests";
        /// The public authorities, a PEM file or a folder of them: of the servers that MTA-STS allows, and
        /// of those that have its policies. For nothing else is a public authority believed.
        public_authorities: PathBuf = Is("'/etc/ssl/certs/ca-certificates.crt'"), "where Debian has them";
        /// Where the policies of MTA-STS are asked for, over HTTPS.
        policy_port: u16 = Is("443"), "RFC 8461 names no other; another one is for tests";
        /// How long a policy may take. One that is there already holds meanwhile.
        policy_timeout: Duration = Is("'60s'") within "'1s'" to "'5m'", "RFC 8461 section 3.3 suggests a minute";
    }
}

section! {
    /// Lists of providers that others publish and sign: what they say becomes entries of the registry
    /// (`kep provider lists`). What is set by hand stays.
    Lists in "lists" {
        /// Where trusted lists are fetched (ETSI TS 119 612): `https`, or `http` of this machine.
        trusted: Vec<Url> = Is("[]"), "an operator decides whose list makes providers known";
        /// Where providers say by what their servers are known (CSI.xml, EN 319 532-4); only of those
        /// that are registered. Signed by their seal, or by one of `csi_signers`.
        csi: Vec<Url> = Is("[]"), "a trusted list names each provider's";
        /// Whose signature under a trusted list is believed: a PEM file, or a folder of them. A
        /// certificate that follows another stands beside it. None of them signs a CSI.
        signers: Option<PathBuf> = Off("'trust/lists'"), "compared with what the publisher says elsewhere before it is put there";
        /// Whose signature under a CSI is believed, beside the seal of the provider that it is of: a PEM
        /// file, or a folder of them. None of them signs a trusted list.
        csi_signers: Option<PathBuf> = Off("'trust/csi'"), "a provider's own seal signs what it says of itself";
        /// How often lists are fetched.
        every: Duration = Is("'6h'") within "'5m'" to "'7d'", "a provider that is suspended should be known the same day";
    }
}

section! {
    /// The central directory (Merkezi KEP Rehberi): other providers' entries are asked there, and it hears
    /// of each change of ours. Its interface: docs/directory.md.
    DirectorySettings in "directory" {
        /// Where it is: `https`, or `http` of this machine. Without it queries find our own accounts alone,
        /// and changes wait.
        url: Option<Url> = Off("'https://rehber.example/api'"), "each provider has its own contract";
        /// File with the token that it knows us by, and nothing else.
        token_file: Option<PathBuf> = Off("'secrets/directory.token'"), "a secret never stands in this file";
        /// How long an answer may take.
        timeout: Duration = Is("'5s'") within "'100ms'" to "'1m'", "somebody waits for the answer, and gets our own entries without it";
    }
}

section! {
    /// IMAP.
    Mailbox in "mailbox" {
        /// How much the messages of an account may hold together; policies `storage.*` set another limit
        /// for a kind of holder, `kep account set --storage` for one account. What is full takes no APPEND,
        /// no COPY and no mail, whose sender is told; evidence comes all the same.
        max_storage: Option<Size> = Off("'10 GiB'"), "law asks that mail is kept; a provider knows his disks and plans";
        /// Connections at once.
        max_connections: u32 = Is("12000") within "1" to "1000000", "10,000 that idle on one machine, and room for the busy ones";
        /// Connections at once from one address.
        max_connections_per_address: u32 = Is("200") within "1" to "100000", "an office behind one address, several folders a person";
        /// Days after which what was moved into `Çöp Kutusu` goes for good; 0: never. Evidence stays. The
        /// policy `retention.trash` goes before it.
        trash_days: u32 = Is("30") within "0" to "3650", "what mail programs and other servers do; a month is time enough to notice a slip";
        /// Whether a mail program may log in by a certificate of its account (AUTHENTICATE EXTERNAL).
        /// Programs with such a certificate at hand may ask their user about it at each connection.
        client_certificates: ClientCertificates = Is("'ask'"), "only who has a certificate of trust.user_anchors is asked";
        /// Capabilities of IMAP that are not offered and can't be enabled, for the sake of programs that
        /// stumble over them. The newer Outlooks, for which their maker's servers fetch, need
        /// `["UIDONLY"]`, a proxy that looks away after a login `["UNAUTHENTICATE"]`.
        withhold: Capabilities = Is("[]"), "a program that stumbles is the exception";
        /// Whether mail programs are offered SCRAM, which takes generated passwords only: "auto" once
        /// anybody has one. A program that knows SCRAM may try nothing else, so that an account's own
        /// password fails in it: "off" where people use those, "on" where all have generated ones.
        scram: Scram = Is("'auto'"), "where nobody could log in by it, it is in nobody's way";
    }
}

section! {
    /// The portal and the JSON API.
    Portal in "portal" {
        /// Connections at once.
        max_connections: u32 = Is("2000") within "1" to "100000", "each may hold a message in memory for a moment";
        /// Connections at once from one address.
        max_connections_per_address: u32 = Is("64") within "1" to "100000", "an office behind one address, some connections a browser";
        /// Requests that one API token may make in a minute, and at once after a pause.
        requests_per_minute: u32 = Is("600") within "1" to "1000000", "ten a second: a program that waits for answers makes fewer";
        /// Whether people may log in to the portal by a certificate of their account in TLS. A browser with
        /// such a certificate asks its user about it at the first connection.
        client_certificates: ClientCertificates = Is("'off'"), "who logs in by password or signature is asked nothing more";
    }
}

section! {
    /// When a message counts as read.
    Opening in "opening" {
        /// Which rule holds for which message type (standart, eYazisma, eTebligat) since when. Rules:
        /// "24h" (any number of hours), "next-business-day", "fifth-day". Before the first entry of a
        /// type 24h holds, for eTebligat fifth-day. What policies `read.*` decide holds from its day on.
        read_policy: PolicyTable = Off("[{ from = 2027-01-01T00:00:00+03:00, type = 'standart', rule = 'next-business-day' }]"), "a change of law is entered before it comes into force";
        /// File with the public holidays; without it the one built in, conf/holidays-tr.toml.
        holidays: Option<PathBuf> = Off("'holidays-tr.toml'"), "dates of feasts beyond the announced ones are computed and may have to be corrected";
        /// The portal's address, for the link in a sealed notice.
        portal_url: Option<Url> = Off("'https://kep.example/'"), "without a portal a notice tells of the mailbox Açılacaklar alone";
    }
}

section! {
    /// Notices: people are told by SMS and ordinary mail that something happened, never what (`kep account
    /// notice`). When and how often is policy (`kep policy`).
    Notify in "notify" {
        /// How SMS are sent.
        sms: SmsWay = Is("'off'"), "each provider has its own contract";
        /// Whom SMS are from, as phones show it: a name of up to 11 letters that the operator knows, or a
        /// number.
        sms_sender: String = Is("'KEP'"), "names are registered with the operator";
        /// How letters are sent that the alphabet of phones lacks.
        sms_turkish: TurkishSms = Is("'ucs2'"), "every network and phone has it; the shift table is cheaper where the operator carries it";
        /// How an SMS is sent by SMPP that is longer than one part.
        sms_long: LongSms = Is("'parts'"), "every SMSC takes parts, not all take payloads";
        /// The authorities that are believed about the servers named below, a PEM file or a folder of them.
        authorities: PathBuf = Is("'/etc/ssl/certs/ca-certificates.crt'"), "where Debian has them";
        /// How long an answer may take.
        timeout: Duration = Is("'20s'") within "'1s'" to "'1m'", "a gateway asks the network before it answers";
    }
}

section! {
    /// The SMSC, for `notify.sms = "smpp"` (SMPP 3.4, bound as transceiver).
    NotifySmpp in "notify.smpp" {
        /// Host and port.
        server: Option<String> = Off("'smsc.example:3550'"), "each operator has its own";
        /// How the connection is protected; `clear` where it runs in a tunnel.
        line: Line = Is("'tls'"), "numbers and senders are personal data";
        /// The name to bind by.
        system_id: Option<String> = Off("'kep'"), "the operator gives it";
        /// File with the password to bind by, and nothing else; SMPP has room for 8 bytes.
        password_file: Option<PathBuf> = Off("'secrets/smpp.password'"), "a secret never stands in this file";
        /// The type of system to bind as.
        system_type: Option<String> = Off("'KEP'"), "most operators want none";
        /// Messages whose answer is awaited at once.
        window: u32 = Is("8") within "1" to "100", "operators allow ten or so";
        /// Messages in a second.
        rate: u32 = Is("10") within "1" to "1000", "what small contracts allow; more is throttled";
        /// How long the connection may be silent before it is asked whether it lives.
        enquire: Duration = Is("'30s'") within "'1s'" to "'10m'", "firewalls forget a silent connection in a minute or more";
    }
}

section! {
    /// The gateway, for `notify.sms = "http"`. `{to}` stands for the number (digits, with the country),
    /// `{text}`, `{from}`, and `{id}` for what the same message is called when it is sent again.
    NotifyHttp in "notify.http" {
        /// The address; values are percent-encoded in it. HTTPS, or on this machine.
        url: Option<Url> = Off("'https://sms.example/v1/send'"), "each gateway has its own";
        /// The body to post; without one the address is asked for (GET).
        body: Option<String> = Off("'to={to}&text={text}&from={from}&ref={id}'"), "each gateway has its own";
        /// What the body is, and so how values are written in it.
        form: BodyForm = Is("'form'"), "old gateways take it, too";
        /// A header that says who asks.
        header: Option<String> = Off("'Authorization'"), "keys in a URL end in logs";
        /// File with the header's value, and nothing else.
        secret_file: Option<PathBuf> = Off("'secrets/sms.header'"), "a secret never stands in this file";
        /// What the answer contains when the message was taken, beside a status of 2xx.
        success: Option<String> = Off("'accepted'"), "some answer 200 to everything";
        /// What the answer contains when it is no use to try again.
        refused: Option<String> = Off("'invalid_number'"), "a wrong number stays wrong";
        /// Where an answer in JSON names the message (a JSON pointer).
        reference: Option<String> = Off("'/data/id'"), "to ask the gateway about one";
    }
}

section! {
    /// The smarthost for notices by ordinary mail.
    NotifyMail in "notify.mail" {
        /// Host and port; without it no mail is sent.
        server: Option<String> = Off("'smtp.example:587'"), "each provider has its own";
        /// How the connection is protected; `clear` on this machine alone.
        line: Line = Is("'starttls'"), "port 587 has it; 465 is `tls`";
        /// Who logs in there; without a name nobody does.
        user: Option<String> = Off("'kep'"), "a smarthost of one's own knows the machine";
        /// File with his password, and nothing else.
        password_file: Option<PathBuf> = Off("'secrets/smtp.password'"), "a secret never stands in this file";
        /// Whom the mails are from; bounces go there.
        from: Option<String> = Off("'bildirim@example.com'"), "an ordinary address, outside KEP";
    }
}

section! {
    /// The log, on standard error.
    Log in "log" {
        /// The least important lines that are written.
        level: LogLevel = Is("'info'"), "one line a message and step";
        /// How a line looks.
        format: LogFormat = Is("'text'"), "people read it first";
    }
}

section! {
    /// Texts of our mails: the introductions of dispatches and of evidence mails, the sealed notice.
    Texts in "texts" {
        /// Folder with texts of your own: `dispatch.toml`, `evidence.toml`, `stub.toml`, each with `title`
        /// and `lines` under `[turkish]` and `[english]`. What isn't there stays built in.
        dir: Option<PathBuf> = Off("'texts'"), "the built-in texts say what law asks";
    }
}
