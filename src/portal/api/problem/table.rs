//! The one table of what is not done over the API. A row: name (and whether it is about something),
//! status, code, Turkish, English, and hints in both where the caller can do something. What it is about is the
//! same in both languages, unless it is called `both`.

use super::{Both, Refusal, Row};
use crate::portal::api::tongue::Tongue;

macro_rules! problems {
    (@text both) => { Both };
    (@text $_:ident) => { String };
    ($( $name:ident $(($detail:ident))? $status:literal $code:literal
        $tr:literal $en:literal $($hint_tr:literal $hint_en:literal)? ; )*) => {
        /// Why something is not done; what each says stands in the table.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Problem {
            $( #[doc = $en] $name $((problems!(@text $detail)))?, )*
            /// A submission that is refused.
            Refused(Box<Refusal>),
        }

        impl Problem {
            /// Of a refused submission the row has nothing to say: its own table does.
            pub fn row(&self) -> &'static Row {
                match self {
                    $( problems!(@pattern $name $($detail)?) => {
                        const ROW: Row = Row {
                            code: $code, status: $status, turkish: $tr, english: $en,
                            hint_turkish: concat!($($hint_tr)?), hint_english: concat!($($hint_en)?),
                        };
                        &ROW
                    } )*
                    Self::Refused(_) => &REFUSED,
                }
            }

            /// What it is about; empty when that needs no word.
            pub fn detail(&self, tongue: Tongue) -> &str {
                match self {
                    $( problems!(@bind detail $name $($detail)?) =>
                        problems!(@value detail tongue $($detail)?), )*
                    Self::Refused(refusal) => &refusal.detail,
                }
            }

            /// Each once, but for refused submissions.
            pub fn all() -> Vec<Self> {
                vec![ $( problems!(@make $name $($detail)?), )* ]
            }
        }
    };
    (@pattern $name:ident) => { Self::$name };
    (@pattern $name:ident $detail:ident) => { Self::$name(_) };
    (@bind $v:ident $name:ident) => { Self::$name };
    (@bind $v:ident $name:ident $detail:ident) => { Self::$name($v) };
    (@value $v:ident $tongue:ident) => { "" };
    (@value $v:ident $tongue:ident both) => { $v.said($tongue) };
    (@value $v:ident $tongue:ident $detail:ident) => { $v.as_str() };
    (@make $name:ident) => { Self::$name };
    (@make $name:ident both) => { Self::$name(Both::any()) };
    (@make $name:ident $detail:ident) => { Self::$name("{}".to_owned()) };
}

const REFUSED: Row = Row {
    code: "refused",
    status: 422,
    turkish: "İleti kabul edilmedi.",
    english: "The message was not accepted.",
    hint_turkish: "",
    hint_english: "",
};

problems! {
    // What was asked, and how.
    MalformedRequest(what) 400 "malformed-request"
        "İstek okunamıyor: {}." "The request can't be read: {}.";
    UnknownParameter(name) 400 "unknown-parameter"
        "Bilinmeyen parametre: {}." "Unknown parameter: {}.";
    RepeatedParameter(name) 400 "repeated-parameter"
        "{} parametresi birden çok kez geçiyor." "The parameter {} occurs more than once.";
    BadParameter(name) 400 "bad-parameter"
        "{} parametresinin değeri geçersiz." "The value of the parameter {} is not valid.";
    BadHeader(name) 400 "bad-header"
        "{} başlığının değeri geçersiz." "The value of the header {} is not valid.";
    BadBody(why) 400 "bad-body"
        "İstek gövdesi geçersiz: {}." "The request's body is not valid: {}.";
    NeedlessBody 400 "needless-body"
        "Bu isteğin gövdesi olmaz." "This request has no body.";
    NoToken 401 "no-token"
        "Yetki belirteci gerekir." "A token is needed."
        "Belirteci \"Authorization: Bearer …\" başlığında gönderin."
        "Send the token as \"Authorization: Bearer …\".";
    TokenUnknown 401 "token-unknown"
        "Belirteç geçersiz." "The token is not valid.";
    TokenExpired 401 "token-expired"
        "Belirtecin süresi dolmuş." "The token has expired." "Yeni bir belirteç oluşturun."
        "Make a new token.";
    ScopeMissing(scope) 403 "scope-missing"
        "Belirtecin {} yetkisi yok." "The token lacks the scope {}."
        "Bu yetkiyle yeni bir belirteç oluşturun." "Make a token with this scope.";
    SessionNeeded 403 "session-needed"
        "Bunu yalnızca oturum açan kişi yapabilir." "Only a person in a session can do this."
        "Belirteçle değil, oturumla isteyin." "Ask by a session, not by a token.";
    StepUpNeeded 403 "step-up-needed"
        "Bu işlem için kimliğinizi yeniden kanıtlamanız gerekir."
        "For this you must prove anew who you are, by more than a password."
        "POST /session/step-up ile başlayın." "Begin with POST /session/step-up.";
    RequestUnproven 403 "request-unproven"
        "İstekte X-KEP-Request başlığı yok." "The request lacks the header X-KEP-Request."
        "Çerezle gelen istekler bu başlığı taşır." "Requests with a cookie bear this header.";
    OperatorMayNot 403 "operator-may-not"
        "İşlem yetkilisinin görevleri buna yetmez." "The operator's roles do not allow this.";
    LoginWrong 403 "login-wrong"
        "Giriş bilgileri yanlış." "What was shown lets nobody in.";
    LoginLocked(until) 429 "login-locked"
        "Çok sayıda yanlış deneme oldu; {} sonrasında yeniden deneyin."
        "There were too many wrong tries; try again after {}.";
    LoginExpired 409 "login-expired"
        "Bu adımın süresi dolmuş ya da adım kullanılmış." "This step is over, or was used already."
        "Baştan başlayın." "Begin again.";
    CodeWrong 403 "code-wrong"
        "Kod yanlış ya da kullanılmış." "The code is wrong, or was used already.";
    PasswordUnfit(why) 422 "password-unfit"
        "Parola {}." "The password {}.";
    SeveralAccounts 409 "several-accounts"
        "İmzanın birden çok hesabı var; birini yazın."
        "The signer has several accounts; name the one that is meant.";
    FactorThere 409 "factor-there"
        "Onaylanmış bir doğrulama uygulaması zaten var." "There is a confirmed authenticator app already."
        "Önce onu kaldırın." "Remove it first.";
    NoFactor 409 "no-factor"
        "Kullanılabilecek bir ikinci etken yok." "There is no second factor that could be used.";
    LastFactor 409 "last-factor"
        "İki etken isteniyor; biri kalmalıdır." "Two factors are asked for: one of them must stay.";
    NoPhone 409 "no-phone"
        "Kod gönderilecek bir telefon bilinmiyor." "No telephone is known to which a code could go.";
    PasskeysOff 409 "passkeys-off"
        "Bu sağlayıcıda geçiş anahtarı kullanılamaz." "There are no passkeys at this provider.";
    PasskeyUnfit(why) 422 "passkey-unfit"
        "Geçiş anahtarı alınamadı: {}." "The passkey was not taken: {}.";
    CredentialsMany(most) 409 "credentials-many"
        "En çok {} tane olabilir; kullanılmayan birini kaldırın."
        "There can be {} at most; remove one that is not used.";
    CredentialThere 409 "credential-there" "Bu zaten kayıtlı." "This is registered already.";
    CredentialUnfit(why) 422 "credential-unfit"
        "Bu böyle kaydedilemez: {}." "This can't be kept like this: {}.";
    CredentialUnknown 404 "credential-unknown" "Böyle bir kayıt yok." "There is no such one.";
    NotAnAccount 403 "not-an-account"
        "Bu belirteç bir hesaba ait değil." "The token is not of an account.";
    NotStaff 403 "not-staff"
        "Bu belirteç bir personele ait değil." "The token is not of a member of staff.";
    StaffRole(role) 403 "staff-role-missing"
        "Bunun için personelin {} görevi olmalı." "This asks for a member of staff with the role {}.";
    AccountOver 403 "account-over"
        "Hesap kapalıdır." "The account is closed.";
    AccountReadOnly(until) 403 "account-read-only"
        "Hesap kapalıdır; {} sonuna kadar yalnızca okunabilir."
        "The account is closed; until the end of {} it can only be read.";
    NoSuchResource(path) 404 "no-such-resource"
        "Böyle bir adres yok: {}." "There is nothing at {}.";
    MessageUnknown 404 "message-unknown"
        "Böyle bir ileti yok." "There is no such message."
        "Taşınan iletinin anahtarı değişir; listeyi yeniden alın."
        "A message that was moved has another key; list again.";
    MailboxUnknown 404 "mailbox-unknown"
        "Böyle bir posta kutusu yok." "There is no such mailbox.";
    LabelUnknown 404 "label-unknown" "Böyle bir etiket yok." "There is no such label.";
    PartUnknown 404 "part-unknown"
        "İletide böyle bir parça yok." "The message has no such part.";
    SubmissionUnknown 404 "submission-unknown"
        "Bu kimlikle bir ileti gönderilmemiş." "No message of this id was submitted.";
    EvidenceUnknown 404 "evidence-unknown" "Böyle bir delil yok." "There is no such evidence.";
    TokenNotThere 404 "token-not-there" "Böyle bir belirteç yok." "There is no such token.";
    ContactUnknown 404 "contact-unknown" "Böyle bir kişi yok." "There is no such contact.";
    ContactGroupUnknown 404 "contact-group-unknown"
        "Adres defterinde böyle bir grup yok." "There is no such group in the address book.";
    DirectoryUnknown 404 "directory-unknown"
        "Rehberde böyle bir kayıt yok." "There is no such entry in the directory.";
    ExportUnknown 404 "export-unknown" "Böyle bir döküm yok." "There is no such export.";
    NoticePlaceUnknown 404 "notice-place-unknown"
        "Böyle bir bildirim yeri yok." "There is no such place of notices.";
    NoticeUnknown 404 "notice-unknown"
        "Böyle bir bildirim yok." "There is no such notice."
        "Sonuçlananlar bir süre sonra silinir." "What was settled is forgotten after a while.";
    TaskUnknown 404 "task-unknown" "Böyle bir iş yok." "There is no such task.";
    HandoverUnknown 404 "handover-unknown"
        "İmza bekleyen böyle bir kayıt yok." "There is no such hand-over.";
    PaperUnknown 404 "paper-unknown"
        "Bu kimlikle imza bekleyen ileti ya da taslak yok."
        "There is no held message and no draft of this id.";
    OperatorUnknown 404 "operator-unknown"
        "Böyle bir işlem yetkilisi yok." "There is no such operator.";
    ClosingUnknown 404 "closing-unknown"
        "Böyle bir kapatma talebi yok." "There is no such request to close the account.";
    InvoiceUnknown 404 "invoice-unknown"
        "Fatura bilgisi yok." "Nothing is recorded of invoices.";
    PolicyUnknown 404 "policy-unknown" "Böyle bir politika yok." "There is no such policy.";
    ErrorUnknown 404 "error-unknown" "Böyle bir hata kodu yok." "There is no such error code.";
    AccountUnknown 404 "account-unknown"
        "Böyle bir hesap yok." "There is no such account.";
    ApplicationUnknown 404 "application-unknown"
        "Böyle bir başvuru yok." "There is no such application.";
    HoldUnknown 404 "hold-unknown"
        "Yürürlükte böyle bir saklama kararı yok." "There is no such hold in force.";
    AuthorityRequestUnknown 404 "authority-request-unknown"
        "Böyle bir makam talebi yok." "There is no such request of an authority.";
    ProposalUnknown 404 "proposal-unknown" "Böyle bir öneri yok." "There is no such proposal.";
    NoSuchMethod(methods) 405 "no-such-method"
        "Bu adreste yapılabilenler: {}." "What can be done here: {}.";
    Slow 408 "too-slow" "İstek zamanında gelmedi." "The request did not come in time.";

    // How things stand.
    MessageUnopened 409 "message-unopened"
        "İleti henüz açılmadı; içeriği verilemez."
        "The message is not opened yet; its content can't be given."
        "Önce iletiyi açın; açılan ileti okunmuş sayılır."
        "Open it first; it counts as read from then on.";
    NothingToOpen 409 "nothing-to-open"
        "Bu, açılacak bir ileti değil." "This is no message that is opened.";
    NoDispatch 409 "no-dispatch"
        "Bu iletinin içinde özgün bir ileti yok." "There is no original inside this message.";
    NotTrash 409 "not-in-trash"
        "İleti Çöp Kutusu'nda değil." "The message is not in the trash.";
    NotADraft 409 "not-a-draft" "Bu bir taslak değil." "This is no draft.";
    MailboxTakesNone(name) 409 "mailbox-takes-none"
        "{} kutusuna bu ileti konamaz." "The message can't be put into {}.";
    LabelExists(name) 409 "label-exists"
        "Bu adla bir etiket var: {}." "There is a label of that name: {}.";
    LabelBadName 409 "label-bad-name"
        "Etiket adı olarak kullanılamaz." "This can't be the name of a label.";
    LabelsMany 409 "labels-many"
        "Daha fazla etiket olamaz." "There can't be more labels.";
    KeywordsMany 409 "keywords-many"
        "İletiye daha fazla etiket konamaz." "The message can't have more labels.";
    TaskUndone 409 "task-undone"
        "Bu iş, istediği yapılınca biter." "This task is over when what it asks for is done.";
    HandoverOver 409 "handover-over"
        "Artık imza beklemiyor." "It waits for a signature no more.";
    SecondPersonNeeded 403 "second-person-needed"
        "Bunu başka bir personelin yapması gerekir."
        "This is for another member of staff to do.";
    ApplicationMistimed(state) 409 "application-mistimed"
        "Başvurunun durumunda bu yapılamaz: {}." "This can't be done with an application that is {}.";
    PapersMissing(kinds) 409 "papers-missing"
        "Eksik belgeler: {}." "Papers are missing: {}.";
    NotTheHolder 409 "not-the-holder"
        "Hesap yalnızca eski sahibine yeniden açılır."
        "The account is opened again for its old holder alone."
        "Sahibin numarasını yazın." "Say the number that the holder is known by.";
    ApplicationNeeded 409 "application-needed"
        "Hesap başvuruyla açılır: biri denetler, başka iki kişi onaylar."
        "An account is opened by an application: one checks it, two others approve it."
        "Başvuruyu kaydedin; account.direct politikası başvurusuz açmaya izin verebilir."
        "File one; the policy account.direct may let staff do without.";
    HolderUnknown 409 "holder-unknown"
        "Hesabın sahibi kayıtlı değil." "Nobody is recorded as the account's holder."
        "Önce sahibini kaydedin." "Record the holder first.";
    NotForPersons 409 "not-for-persons"
        "Bu, yalnızca tüzel kişiler ve kamu kurumları içindir."
        "Only a company or a public body has that.";
    PolicyForbids 409 "policy-forbids"
        "Yürürlükteki politika buna izin vermiyor." "The policy in force does not allow it.";
    ReferenceTaken 409 "reference-taken"
        "Bu başvuru numarası başka bir hareketin." "This reference stands for another entry.";
    ProposerGone 409 "proposer-gone"
        "Öneren artık bunu öneremez." "Who proposed it may not any more."
        "Reddedin, yeniden önerilsin." "Refuse it, and have it proposed anew.";
    ProposalOver(state) 409 "proposal-over"
        "Öneri sonuçlanmış: {}." "The proposal is decided: {}.";
    AuthorityRequestDecided(state) 409 "authority-request-decided"
        "Talep sonuçlanmış: {}." "The request is decided: {}.";
    AuthorityRequestOpen(state) 409 "authority-request-not-approved"
        "Talep onaylanmış değil: {}." "The request is not approved: {}.";
    OperatorEnded 409 "operator-ended"
        "İşlem yetkilisinin görevi sona ermiş." "The operator acts no more.";
    OperatorSuspended 409 "operator-suspended"
        "İşlem yetkilisinin görevi durdurulmuş." "The operator is suspended."
        "Önce görevine döndürün." "Resume him first.";
    OperatorNotSuspended 409 "operator-not-suspended"
        "İşlem yetkilisinin görevi durdurulmuş değil." "The operator is not suspended.";
    OperatorThere 409 "operator-there"
        "Bu kişi zaten işlem yetkilisi." "That person is an operator already.";
    OperatorsNotForPersons 409 "operators-not-for-persons"
        "Bireysel hesabın işlem yetkilisi olmaz." "A person's account (bireysel) has no operators.";
    OperatorsFull 409 "operators-full"
        "İşlem yetkilisi kodu kalmadı." "The account has given all its operators' codes.";
    OperatorUnreachable 409 "operator-unreachable"
        "İşlem yetkilisinin cep telefonu ve e-posta adresi kayıtlı değil."
        "A mobile telephone and an e-mail address of the operator are not both recorded.";
    AccountStanding(state) 409 "account-standing"
        "Hesabın durumu ({}) buna elvermiyor." "The account's state ({}) does not allow it.";
    ContractNone 409 "contract-none"
        "Hesabın yenilenecek bir sözleşmesi yok." "The account has no contract that could be renewed.";
    ContractEarly(from) 409 "contract-early"
        "Sözleşme {} gününden başlayarak yenilenebilir." "The contract can be renewed from {} on.";
    ReceiptUnsigned 409 "receipt-unsigned"
        "Alındı henüz imzalanmadı." "The receipt is not signed yet."
        "Birkaç dakika sonra yeniden isteyin." "Ask again in some minutes.";
    OperatorUnfit(why) 409 "operator-unfit"
        "İşlem yetkilisi için bu yapılamaz: {}." "This can't be done about the operator: {}.";
    PolicyValue(form) 409 "policy-value"
        "Bu politikanın değeri olamaz; yazılışı: {}." "This is no value of the policy; write {}.";
    ContactUnfit(both) 409 "contact-unfit"
        "Bu kişi böyle kaydedilemez: {}" "The contact can't be kept like this: {}.";
    PolicyPast 409 "policy-past"
        "Karar geçmişte başlayamaz; o gün yürürlükte olan olduğu gibi kalır."
        "A decision begins now or later: what was in force stays as it was.";
    PolicyNothingLater 409 "policy-nothing-later"
        "Bu politika için ileride başlayacak bir karar yok."
        "Nothing is decided about this policy for later.";
    ContactGroupExists(name) 409 "contact-group-exists"
        "Adres defterinde bu adla bir grup var: {}."
        "There is a group of that name in the address book: {}.";
    ContactGroupName 409 "contact-group-bad-name"
        "Grup adı olarak kullanılamaz." "This can't be the name of a group.";
    ContactThere 409 "contact-there"
        "Bu adres adres defterinde zaten var." "This address is in the address book already.";
    DirectoryNoPerson 409 "directory-no-person"
        "Rehber onayını yalnızca gerçek kişiler verir." "Only natural persons consent to the directory.";
    NoticePlaceThere 409 "notice-place-there"
        "Burası zaten bir bildirim yeri." "This is a place of notices already.";
    NoticePlacesMany 409 "notice-places-many"
        "Daha fazla bildirim yeri olamaz." "There can't be more places of notices."
        "Kullanılmayan birini kaldırın." "Remove one that is not used.";
    NoticeCodeOver 409 "notice-code-over"
        "Geçerli bir kod yok: süresi dolmuş ya da çok denenmiş."
        "No code is good any more: it is too old, or was tried too often."
        "Yeni bir kod isteyin." "Ask for a new code.";
    NoticeUnderWay 409 "notice-under-way"
        "Bildirim şu anda gönderiliyor." "The notice is being said just now.";
    NoticeGone 409 "notice-gone"
        "Bildirim sonuçlanmış; metni artık yok." "The notice was settled, and what it said is gone.";
    ExportOver 409 "export-over"
        "Dökümün indirme süresi dolmuş." "The export can't be fetched any more."
        "Yeni bir döküm isteyin." "Ask for a new one.";
    MailboxExists 409 "mailbox-exists"
        "Bu adla bir posta kutusu var." "There is a mailbox of that name.";
    MailboxBadName 409 "mailbox-bad-name"
        "Posta kutusu adı olarak kullanılamaz." "This can't be the name of a mailbox.";
    MailboxHasChildren 409 "mailbox-has-children"
        "Altında başka posta kutuları var." "There are mailboxes under it."
        "Önce onları silin." "Remove them first.";
    MailboxUnopened 409 "mailbox-unopened"
        "Kutuda açılmamış ileti var." "There are unopened messages in the mailbox."
        "Önce iletileri açın ya da başka bir kutuya taşıyın." "Open them, or move them to another mailbox, first.";
    MailboxKept 409 "mailbox-kept"
        "Bu posta kutusu her hesapta bulunur; adı değiştirilemez, silinemez."
        "Each account has this mailbox; it can be neither renamed nor removed.";
    MailboxesMany 409 "mailboxes-many"
        "Daha fazla posta kutusu olamaz." "There can't be more mailboxes.";
    OverQuota 409 "over-quota"
        "Hesapta yer kalmadı." "There is no room left in the account."
        "Çöp Kutusu'nu boşaltın." "Empty the trash.";
    NotKeepable(why) 409 "not-keepable"
        "İleti saklanamıyor: {}." "The message can't be kept: {}.";
    RequestOfAnother 409 "idempotency-key-reused"
        "Bu Idempotency-Key başka bir istekte kullanıldı."
        "This Idempotency-Key was used for another request."
        "Yeni bir istek için yeni bir anahtar seçin." "Choose a new key for a new request.";
    RequestRunning 409 "idempotency-key-running"
        "Bu Idempotency-Key'in isteği hâlâ işleniyor."
        "The request of this Idempotency-Key is still being worked on."
        "Birazdan yeniden sorun." "Ask again in a moment.";
    Changed 412 "changed-meanwhile"
        "Bu arada değişti." "It was changed meanwhile."
        "Yeniden alın, yeni ETag ile gönderin." "Get it again, and send its new ETag.";
    TooLarge(octets) 413 "too-large"
        "İstek çok büyük; sınır {} bayttır." "The request is too large; the limit is {} octets.";
    WrongMedia(types) 415 "wrong-media-type"
        "Gövde şu türlerden biri olmalı: {}." "The body must be of one of these types: {}.";
    FormUnfit(why) 422 "form-unfit"
        "Bilgiler böyle kaydedilemez: {}" "This can't be recorded: {}";
    ContactsUnfit(why) 422 "contacts-unfit"
        "Dosya adres defterine alınamaz: {}" "The file can't be taken into the address book: {}";
    DirectoryForeignKey(key) 422 "directory-foreign-key"
        "Bu tür sorguda {} verilmez." "This kind of query takes no {}.";
    DirectoryBadKey(key) 422 "directory-bad-key"
        "{} geçerli değil." "The value of {} is not well-formed.";
    DirectoryFewKeys 422 "directory-few-keys"
        "Sorgu için verilenler yetmiyor." "What was given is too little for a query."
        "Kişi: ad ve soyad ya da telefon. Şirket: unvan, MERSİS no, VKN ya da sicil no. Kurum: ad ya da DETSİS no."
        "A person: given names and surname, or phone. A company: title, MERSİS, tax or registry number. A public body: title or DETSİS number.";
    NoticePlaceUnfit(place) 422 "notice-place-unfit"
        "{} bildirim yeri olamaz; cep telefonu ya da KEP dışı bir e-posta adresi yazın."
        "{} can't be a place of notices; write a mobile number, or a mail address outside KEP.";
    NoticeUnfit 422 "notice-unfit"
        "Bildirim böyle ayarlanamaz: sessiz saatlerin başı ve sonu farklı olmalı; vekilin adı ve süresi olmalı."
        "Notices can't be like this: quiet hours begin and end at different times; a deputy has a name and a time that ends after it begins.";
    AddressUnfit(address) 422 "address-unfit"
        "{} KEP adresi değil." "{} is no KEP address.";
    NoRecipient 422 "no-recipient"
        "İletinin To veya Cc alanında alıcı yok."
        "Neither To nor Cc of the message names a recipient.";
    AddressNotGiven(both) 422 "address-not-given"
        "Bu adres verilemez: {}" "This address can't be given: {}.";
    CreditsUnfit(why) 422 "credits-unfit"
        "Kontör hareketi yapılamaz: {}." "This entry can't be made: {}.";
    PeriodUnfit 422 "period-unfit"
        "Dönem, başlangıcından sonra biter." "The period ends after it begins.";
    CertificateUnfit(why) 422 "certificate-unfit"
        "Sertifika kullanılamaz: {}." "The certificate can't be used: {}.";
    TooMany 429 "too-many-requests"
        "Kısa sürede çok istek geldi." "Too many requests in a short time.";
    DirectoryOften(until) 429 "directory-often"
        "Rehber sorgu sınırına ulaşıldı; {} sonrasında sorgulayın."
        "The directory was asked too often; ask again after {}.";
    ArchiveRunning 429 "archive-running"
        "Bu hesabın bir arşivi zaten indiriliyor." "An archive of this account is being fetched already.";
    ExportsMany 429 "exports-many"
        "Bugün çok döküm istendi." "Too many exports were asked for today.";
    NoticeCodeSoon 429 "notice-code-soon"
        "Kısa süre önce kod gönderildi ya da bugün çok kod gönderildi."
        "A code was sent a short time ago, or too many today.";

    // The house.
    Internal 500 "internal-error" "İçeride bir hata oldu." "There was an error inside.";
    Unavailable 503 "unavailable"
        "Şu anda yapılamıyor, sonra yeniden deneyin." "It can't be done now; try again later.";
    StorageFull 503 "storage-full" "Sistemde yer kalmadı." "The system has no room left.";
    Busy 503 "busy"
        "Şu anda çok iş var, sonra yeniden deneyin." "There is much to do now; try again later.";
}
