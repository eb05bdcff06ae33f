//! The one table of policies. A row: field, key, kind, what holds while nothing is decided, and what it
//! is about in Turkish and English. Whoever adds one adds a row.

use super::kinds::{Abandoned, DispatchSize, Octets, Passage, Percent, Span, Steps, Unscanned};
use crate::registry::accounts::SignatureRule;
use crate::registry::credits::{Bands, GiveBack};
use crate::registry::declared::declared;
use crate::registry::read_policy::ReadPolicy;

declared! {
    /// What is in force at one instant.
    Policies {
        read_standart "read.standart": Option<ReadPolicy> = None,
            "Standart iletinin okunmuş sayılacağı süre", "When a standard message counts as read";
        read_eyazisma "read.e-yazisma": Option<ReadPolicy> = None,
            "e-Yazışma paketinin okunmuş sayılacağı süre", "When an e-Yazışma package counts as read";
        read_etebligat "read.e-tebligat": Option<ReadPolicy> = None,
            "e-Tebligatın okunmuş sayılacağı süre", "When an e-Tebligat counts as read";
        size_message "size.message": Option<DispatchSize> = None,
            "Mühürlü iletinin en büyük boyutu", "Largest sealed dispatch";
        signature "signature.default": Option<SignatureRule> = None,
            "Yeni hesaplardan istenen imza", "What signature new accounts are asked for";
        virus_unscanned "virus.unscanned": Unscanned = Unscanned::Refuse,
            "Virüs taraması yapılamayan iletiye ne olur", "What becomes of a message that can't be scanned";
        virus_abandoned "virus.abandoned": Abandoned = Abandoned::Wait,
            "Virüs taraması bekleyen iletiye, artık tarayıcı yoksa ne olur",
            "What becomes of a message that waits for a scan when no scanner is set any more";
        virus_encrypted "virus.encrypted": Passage = Passage::Accept,
            "Virüs taramasının açamadığı şifreli ek", "An encrypted attachment that can't be scanned";
        virus_beyond "virus.beyond": Passage = Passage::Refuse,
            "Virüs tarayıcısının sınırlarını aşan ileti", "A message beyond what the scanner looks at";
        retention_trash "retention.trash": Option<Span> = None,
            "Çöp kutusundaki iletilerin saklanma süresi", "How long messages stay in the trash";
        archive_interval "retention.archive-stamp": Span = Span::days(30),
            "Delillerin arşiv zaman damgasının yenilenme aralığı",
            "How often all evidence gets a new archive time stamp";
        storage_person "storage.person": Option<Octets> = None,
            "Bireysel hesabın saklama payı", "Storage share of a person's account";
        storage_company "storage.company": Option<Octets> = None,
            "Tüzel hesabın saklama payı", "Storage share of a company's account";
        storage_public "storage.public": Option<Octets> = None,
            "Kamu hesabının saklama payı", "Storage share of a public body's account";
        storage_warn "storage.warn": Percent = Percent(90),
            "Saklama payının yüzde kaçı dolunca haber verilir; 0 ise verilmez",
            "How full an account is, in hundredths, when it is told; 0 tells nobody";
        hold_lapse "hold.lapse": Span = Span::days(7),
            "İmza bekleyen iletinin bekleyeceği süre", "How long a message waits for its signature";
        closing_by_system "closing.by-system": bool = true,
            "Kapatma talebinin süresi dolunca kendiliğinden tamamlanması",
            "Whether a request to close completes by itself; without it, staff completes it";
        closing_wait "closing.wait": Span = Span::days(7),
            "Kapatma talebinin tamamlanmadan önce bekleyeceği süre",
            "How long a request to close waits, and can be withdrawn, before it completes";
        closed_account_receives "closing.receives": bool = false,
            "Kapalı hesabın okunabildiği üç ayda ileti alması",
            "Whether a closed account receives in its three months of reading";
        contract_months "contract.months": u32 = 12,
            "Sözleşme süresi (ay)", "Months of a contract's term";
        e_seal_allowed "e-seal.allowed": bool = false,
            "Tüzel ve kamu hesaplarında elektronik mühür izni verilebilmesi",
            "Whether companies and public bodies may be permitted to sign by an e-seal";
        task_certificate "task.certificate": Span = Span::days(30),
            "Süresi dolan sertifika için iş kaç gün önce açılır", "How long before a certificate ends there is a task";
        task_contract "task.contract": Span = Span::days(30),
            "Süresi dolan sözleşme için iş kaç gün önce açılır", "How long before a contract ends there is a task";
        task_evidence "task.evidence": Span = Span::minutes(15),
            "Kabul delili ne kadar gecikince iş açılır", "How late acceptance evidence is before there is a task";
        task_relay "task.relay": Span = Span::hours(6),
            "Karşı sağlayıcının delili ne kadar gecikince iş açılır", "How late another provider's evidence is before there is a task";
        task_upload "task.upload": Span = Span::days(7),
            "Yarım kalan yükleme için açılan işin duracağı süre", "How long the task of an unfinished upload stands";
        notice_unread "notice.unread": Steps = Steps(vec![Span::hours(6), Span::hours(2)]),
            "Okunmamış ileti için hatırlatmaların, sürenin dolmasından ne kadar önce gönderileceği; sonrakiler daha çok yere gider",
            "How long before the time to read ends the unread are told of; later ones reach further";
        notice_pause "notice.pause": Span = Span::minutes(2),
            "Aynı yere aynı türden iki bildirim arasındaki en kısa süre; aradakiler birlikte bildirilir",
            "Shortest time between two notices of a kind at one place; those between are told together";
        notice_window "notice.window": Span = Span::hours(24),
            "Gönderilemeyen bildirimin denendiği süre", "How long a notice is tried";
        notice_ending "notice.ending": Span = Span::days(30),
            "Süresi dolacak sertifika ve sözleşmenin ne kadar önce bildirileceği",
            "How long before its end a certificate or contract is told of";
        notice_keep "notice.keep": Span = Span::days(90),
            "Gönderilmiş bildirim kayıtlarının saklanma süresi", "How long records of notices are kept";
        login_two_factors "login.two-factors": bool = false,
            "Girişte herkesten iki adım istenir mi", "Whether everybody is asked for two factors at login";
        login_password_length "login.password-length": u32 = 8,
            "Parolanın en az karakter sayısı", "Characters that a password has at least";
        login_tries "login.tries": u32 = 10,
            "Kilitlenmeden önce yanlış denemeler", "Wrong tries before a factor is locked";
        login_lock "login.lock": Span = Span::minutes(15),
            "Yanlış denemelerden sonra kilit süresi", "How long a factor is locked after wrong tries";
        session_idle "session.idle": Span = Span::minutes(15),
            "Kullanılmayan oturumun süresi", "How long a session lasts that is not used";
        session_length "session.length": Span = Span::hours(8),
            "Oturumun en uzun süresi", "How long a session lasts at most";
        session_step_up "session.step-up": Span = Span::minutes(10),
            "Hukuki işlem için doğrulamanın geçerlilik süresi",
            "For how long a proof is enough for a legal act";
        credit_enforced "credit.enforced": bool = false,
            "Gönderim kontör ister mi", "Whether sending asks for credits";
        credit_prices "credit.prices": Bands = Bands::default(),
            "Alıcı başına kontör, iletinin boyutuna göre", "Credits of a recipient by the message's size";
        credit_free_here "credit.free-here": bool = false,
            "Bu sağlayıcıdaki alıcılar ücretsiz mi", "Whether recipients with this provider are free";
        credit_give_back "credit.give-back": GiveBack = GiveBack::default(),
            "Alıcının kontörünü geri veren deliller", "Evidence that gives a recipient's credits back";
        credit_low "credit.low": u32 = 10,
            "Altına inince haber verilen kontör", "Credits below which the account is warned";
        credit_sms_low "credit.sms-low": u32 = 10,
            "Altına inince haber verilen SMS", "SMS below which the account is warned";
        export_open "export.open": Span = Span::hours(24),
            "Hesap sahibinin istediği tam dökümün indirilebileceği süre", "How long a holder may fetch the export that he asked for";
        directory_results "directory.results": u32 = 50,
            "Bir rehber sorgusunda en çok gösterilecek kayıt", "How many entries a directory query tells at most";
        directory_queries_per_hour "directory.queries-per-hour": u32 = 60,
            "Bir hesabın saatte yapabileceği rehber sorgusu", "How many directory queries an account may ask in an hour";
        directory_results_per_day "directory.results-per-day": u32 = 500,
            "Bir hesaba 24 saatte gösterilecek rehber kaydı", "How many entries of the directory an account is told in 24 hours";
        directory_log "directory.log": Span = Span::days(730),
            "Rehber sorgu kayıtlarının saklanma süresi", "How long the log of directory queries is kept";
    }
}
