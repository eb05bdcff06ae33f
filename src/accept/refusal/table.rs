//! The one table of refusals. A row: name (and whether it has a detail), reply code, enhanced code,
//! evidence reason, Turkish, English, and hints in both where the sender can do something.

use super::{EventReason::*, Row};

macro_rules! refusals {
    (@text $_:ident) => { String };
    ($( $name:ident $(($detail:ident))? $code:literal $enhanced:literal $reason:ident
        $tr:literal $en:literal $($hint_tr:literal $hint_en:literal)? ; )*) => {
        /// Why something is not accepted; what each says stands in the table.
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum Refusal { $( #[doc = $en] $name $((refusals!(@text $detail)))? ),* }

        impl Refusal {
            pub fn row(&self) -> &'static Row {
                match self { $( refusals!(@pattern $name $($detail)?) => {
                    const ROW: Row = Row {
                        name: stringify!($name), code: $code, enhanced: $enhanced, reason: $reason,
                        turkish: $tr, english: $en,
                        hint_turkish: concat!($($hint_tr)?), hint_english: concat!($($hint_en)?),
                    };
                    &ROW
                } )* }
            }

            /// The address, name or number the refusal is about; empty when it has none.
            pub fn detail(&self) -> &str {
                match self { $( refusals!(@bind detail $name $($detail)?) =>
                    refusals!(@value detail $($detail)?), )* }
            }

            /// Each refusal once, with this detail: for tests, and for the page that lists them.
            pub fn all(detail: &str) -> Vec<Self> {
                vec![ $( refusals!(@make detail $name $($detail)?) ),* ]
            }
        }
    };
    (@pattern $name:ident) => { Self::$name };
    (@pattern $name:ident $detail:ident) => { Self::$name(_) };
    (@bind $v:ident $name:ident) => { Self::$name };
    (@bind $v:ident $name:ident $detail:ident) => { Self::$name($v) };
    (@value $v:ident) => { "" };
    (@value $v:ident $detail:ident) => { $v.as_str() };
    (@make $v:ident $name:ident) => { Self::$name };
    (@make $v:ident $name:ident $detail:ident) => { Self::$name($v.to_owned()) };
}

refusals! {
    // Login and session.
    TlsRequired 530 "5.7.0" PolicyViolation
        "Önce STARTTLS gerekir." "Must issue a STARTTLS command first.";
    LoginRequired 530 "5.7.0" PolicyViolation
        "Önce oturum açmanız gerekir." "Authentication required.";
    LoginNeedsTls 538 "5.7.11" PolicyViolation
        "Şifrelenmemiş bağlantıda oturum açılamaz." "Encryption required for authentication."
        "Posta programınızda TLS'i açın." "Switch TLS on in your mail program.";
    LoginFailed 535 "5.7.8" PolicyViolation
        "Kullanıcı adı veya parola yanlış." "Authentication credentials invalid.";
    PasswordScope 535 "5.7.8" PolicyViolation
        "Bu uygulama parolası ileti göndermek için üretilmemiştir."
        "This generated password is not for sending mail."
        "Hesabınızda göndermeye de yarayan bir uygulama parolası üretin."
        "Make a password in your account that is for sending, too.";
    PasswordAlone 534 "5.7.9" PolicyViolation
        "Bu hesapta iki adımlı doğrulama açıktır; hesap parolasıyla posta programından girilemez."
        "This account asks for two factors; its own password does not let a mail program in."
        "Hesabınızda posta programınız için bir uygulama parolası üretin."
        "Make a password for your mail program in your account.";
    LoginMechanism 504 "5.5.4" PolicyViolation
        "Bu oturum açma yöntemi desteklenmiyor." "Authentication mechanism not supported."
        "PLAIN veya LOGIN kullanın." "Use PLAIN or LOGIN.";
    LoginUnavailable 454 "4.7.0" TechnicalMalfunction
        "Oturum açma şu anda yapılamıyor." "Temporary authentication failure.";
    AccountClosed(address) 535 "5.7.13" PolicyViolation
        "{} hesabı kapalıdır." "The account {} is closed.";
    AccountReadable(until) 535 "5.7.13" PolicyViolation
        "Bu KEP hesabı kapalıdır; {} sonuna kadar iletileri okunabilir, ileti gönderilemez."
        "The account is closed; until the end of {} its mail can be read, but none can be sent.";
    ReceiveOnly(address) 535 "5.7.13" PolicyViolation
        "{} yalnızca alıcı hesabıdır, gönderim yapamaz." "{} is a receive-only account.";
    AccountSuspended(address) 535 "5.7.13" PolicyViolation
        "{} hesabı askıdadır; iletileri okunabilir, ileti gönderilemez."
        "The account {} is suspended; its mail can be read, but none can be sent."
        "KEP sağlayıcınıza başvurun." "Ask your provider.";

    OperatorMayNotSend(operator) 535 "5.7.8" PolicyViolation
        "{} işlem yetkilisinin ileti gönderme yetkisi yoktur." "The operator {} may not send messages."
        "Yetkiyi hesabın sahibi verir." "The account's holder gives that right.";

    // Sender.
    SenderNotAccount(address) 550 "5.7.1" PolicyViolation
        "{} adresi oturum açan hesap değildir." "{} is not the account that logged in."
        "Hesap ayarlarınızda gönderen adresini KEP adresiniz yapın."
        "Make your KEP address the sender in your account settings.";
    SenderReserved(address) 550 "5.7.1" PolicyViolation
        "{} sisteme ayrılmış bir adrestir." "{} is reserved for the provider.";
    SenderClosed(address) 550 "5.7.1" PolicyViolation
        "{} hesabı kapalıdır; ileti gönderemez." "The account {} is closed; it can't send.";
    SenderReadable(until) 550 "5.7.1" PolicyViolation
        "Bu KEP hesabı kapalıdır; {} sonuna kadar iletileri okunabilir, ileti gönderilemez."
        "The account is closed; until the end of {} its mail can be read, but none can be sent.";
    SenderSuspended(address) 550 "5.7.1" PolicyViolation
        "{} hesabı askıdadır; ileti gönderemez." "The account {} is suspended; it can't send."
        "KEP sağlayıcınıza başvurun." "Ask your provider.";
    SenderReceiveOnly(address) 550 "5.7.1" PolicyViolation
        "{} yalnızca alıcı hesabıdır, ileti gönderemez." "{} is a receive-only account; it can't send.";
    SenderMayNotSend(operator) 550 "5.7.1" PolicyViolation
        "{} işlem yetkilisinin ileti gönderme yetkisi kalmamıştır."
        "The operator {} may not send messages any more.";
    SenderMalformed(address) 550 "5.1.7" PolicyViolation
        "Gönderen {} geçerli bir KEP adresi değildir." "The sender {} is not a valid KEP address.";
    // RFC 6531 §3.5 has this code for an address that UTF-8 is not allowed in, and 550 for it.
    AddressNotAscii(address) 550 "5.6.7" PolicyViolation
        "{}: KEP adreslerinde Türkçe karakter bulunmaz." "{}: KEP addresses are ASCII only.";

    // Recipients.
    RecipientNotKep(address) 550 "5.1.2" UnknownRecipient
        "{} bir KEP adresi değildir; KEP dışına ileti gönderilemez."
        "{} is not a KEP address; nothing leaves the KEP system.";
    RecipientMalformed(address) 550 "5.1.3" UnknownRecipient
        "{} geçerli bir KEP adresi değildir." "{} is not a valid KEP address.";
    RecipientUnknown(address) 550 "5.1.1" UnknownRecipient
        "{} adlı bir KEP hesabı yok." "There is no KEP account {}.";
    RecipientClosed(address) 550 "5.2.1" UnknownRecipient
        "{} hesabı kapalıdır." "The account {} is closed.";
    RecipientFull(address) 552 "5.2.2" MailboxFull
        "{} hesabında bu ileti için yer yok." "There is no room for this message in the mailbox of {}."
        "Alıcıya başka yoldan haber verin." "Tell the recipient by other means.";
    ProviderUnknown(address) 550 "5.1.2" UnknownRecipient
        "{}: bu KEP sağlayıcısı kayıtlı değil." "{}: this provider is not registered.";
    ProviderSuspended(address) 451 "4.3.2" TechnicalMalfunction
        "{}: bu KEP sağlayıcısıyla ileti alışverişi şu anda askıdadır."
        "{}: no mail is exchanged with this provider at the moment.";
    ProviderEnded(address) 550 "5.1.2" UnknownRecipient
        "{}: bu KEP sağlayıcısının hizmeti sona ermiştir." "{}: this provider has ceased to serve.";
    RecipientUnavailable(address) 451 "4.3.0" TechnicalMalfunction
        "{} şu anda sorgulanamıyor." "{} can't be looked up at the moment.";
    TooManyRecipients(limit) 452 "4.5.3" PolicyViolation
        "Bir iletinin en çok {} alıcısı olabilir." "A message may have at most {} recipients."
        "Kalan alıcılara ayrı bir ileti gönderin." "Send another message to the rest.";
    HiddenRecipient(address) 550 "5.7.1" PolicyViolation
        "{} Kime veya Bilgi alanında yok; gizli alıcıya KEP iletisi gönderilemez."
        "{} stands neither in To nor in Cc; there are no hidden recipients in KEP.";
    BccPresent 550 "5.7.1" PolicyViolation
        "İletide Gizli (Bcc) alanı var; KEP'te gizli alıcı olmaz."
        "The message has a Bcc field; there are no hidden recipients in KEP.";

    // Size and limits.
    TooLarge(octets) 552 "5.3.4" PolicyViolation
        "İleti çok büyük; sınır {} bayttır." "The message is too big; the limit is {} octets.";
    TooLargeForRecipient(address) 552 "5.3.4" PolicyViolation
        "İleti, {} adresinin sağlayıcısı için çok büyük."
        "The message is too big for the provider of {}.";
    LineTooLong(octets) 554 "5.6.0" InvalidMessageFormat
        "İletide {} bayttan uzun satır var." "A line is longer than {} octets (RFC 5322 2.1.1)."
        "İletiyi quoted-printable veya base64 ile kodlayın."
        "Encode the message as quoted-printable or base64.";
    HeaderTooLarge(octets) 554 "5.6.0" InvalidMessageFormat
        "İleti başlığı {} bayttan büyük." "The header is larger than {} octets.";
    TooManyHeaders(count) 554 "5.6.0" InvalidMessageFormat
        "İleti başlığında {} alandan fazlası var." "The header has more than {} fields.";
    TooManyParts(count) 554 "5.6.0" InvalidMessageFormat
        "İletide {} parçadan fazlası var." "The message has more than {} parts.";
    TooDeep(levels) 554 "5.6.0" InvalidMessageFormat
        "İletinin parçaları {} kattan derin." "Parts are nested deeper than {} levels.";

    // Form.
    Empty 554 "5.6.0" InvalidMessageFormat "İleti boş." "The message is empty.";
    HeaderMissing 554 "5.6.0" InvalidMessageFormat
        "İletinin başlığı yok." "The message has no header.";
    HeaderMalformed(line) 554 "5.6.0" InvalidMessageFormat
        "İleti başlığındaki {}. satır bir başlık alanı değil."
        "Line {} of the header is not a header field.";
    HeaderDuplicate(field) 554 "5.6.0" InvalidMessageFormat
        "{} alanı birden çok kez geçiyor." "The field {} occurs more than once (RFC 5322 3.6).";
    RecipientsMalformed(field) 554 "5.6.0" InvalidMessageFormat
        "{} alanındaki adresler okunamıyor." "The addresses in {} can't be read.";
    BareLineEnd 554 "5.6.0" InvalidMessageFormat
        "İletide CRLF olmayan satır sonu var." "The message has a bare CR or LF (RFC 5321 2.3.8).";
    NulOctet 554 "5.6.0" InvalidMessageFormat
        "İletide NUL karakteri var." "The message has a NUL octet.";
    MultipartMalformed 554 "5.6.0" InvalidMessageFormat
        "Çok parçalı iletinin sınırları okunamıyor." "The multipart boundaries can't be read.";
    BinaryMime 554 "5.6.1" InvalidMessageFormat
        "BINARYMIME desteklenmiyor." "BINARYMIME is not supported.";
    FromMissing 550 "5.7.1" InvalidMessageFormat
        "Gönderen (From) alanı yok." "There is no From field.";
    FromDuplicate 550 "5.7.1" InvalidMessageFormat
        "Gönderen (From) alanı birden çok." "There is more than one From field.";
    FromMany 550 "5.7.1" InvalidMessageFormat
        "Gönderen (From) alanında birden çok adres var." "From has more than one address.";
    FromGroup 550 "5.7.1" InvalidMessageFormat
        "Gönderen (From) alanında grup var." "From is a group.";
    FromMalformed 550 "5.7.1" InvalidMessageFormat
        "Gönderen (From) alanı okunamıyor." "The From field can't be read.";
    FromNotAccount(address) 550 "5.7.1" PolicyViolation
        "From alanındaki {} oturum açan hesap değildir."
        "{} in From is not the account that logged in."
        "Hesap ayarlarınızda gönderen adresini KEP adresiniz yapın."
        "Make your KEP address the sender in your account settings.";
    SenderFieldNotAccount(address) 550 "5.7.1" PolicyViolation
        "Sender alanındaki {} oturum açan hesap değildir."
        "{} in Sender is not the account that logged in.";

    // Other providers, and what they hand over.
    SenderOutside(address) 550 "5.7.1" PolicyViolation
        "{}: KEP sistemi dışından ileti alınmaz." "{}: nothing is taken from outside the KEP system.";
    NotForUs(address) 550 "5.7.1" PolicyViolation
        "{} bu sağlayıcının adresi değildir; aktarım yapılmaz."
        "{} is no address of this provider; nothing is relayed further.";
    PeerUnknown(domain) 550 "5.7.1" PolicyViolation
        "{} kayıtlı bir KEP sağlayıcısı değildir." "{} is not a registered provider.";
    PeerSuspended(domain) 451 "4.3.2" PolicyViolation
        "{} sağlayıcısı askıya alınmıştır." "The provider {} is suspended.";
    PeerEnded(domain) 550 "5.7.1" PolicyViolation
        "{} sağlayıcısının hizmeti sona ermiştir." "The provider {} has ceased to serve.";
    PeerNotShown(domain) 550 "5.7.1" PolicyViolation
        "Bağlantı, {} sağlayıcısının kayıtlı sertifikasını göstermiyor."
        "The connection does not show the certificate registered for {}.";
    NotRem(why) 554 "5.6.0" InvalidMessageFormat
        "KEP iletisi veya delil iletisi değil: {}." "Neither a dispatch nor an evidence mail: {}.";
    SealUnknown(signer) 550 "5.7.1" InvalidUserSignature
        "Kayıtlı hiçbir sağlayıcının mührü değil: {}." "Sealed by no registered provider: {}.";
    SealInvalid(why) 550 "5.7.7" InvalidUserSignature
        "KEPHS mührü geçersiz: {}." "The seal is not valid: {}.";
    SealEnded(why) 550 "5.7.7" UserCertExpiredOrRevoked
        "İşlem sertifikası geçerli değil: {}." "The seal certificate is not in force: {}.";
    SealOfAnother(domain) 550 "5.7.1" PolicyViolation
        "İleti {} sağlayıcısının mührünü taşıyor, başkasınca teslim edildi."
        "The seal is that of {}, and another provider hands it over.";
    EvidenceInvalid(why) 554 "5.7.7" InvalidUserSignature
        "Ekteki delil geçersiz: {}." "The enclosed evidence is not valid: {}.";
    UnknownMany(most) 550 "5.1.1" UnknownRecipient
        "İletinin {} alıcıdan fazlasının burada hesabı yok."
        "More than {} recipients of the message have no account here.";
    NamedMalformed(address) 554 "5.7.7" InvalidMessageFormat
        "Ekteki delil, KEP adresi olmayan bir alıcı gösteriyor: {}."
        "The enclosed evidence names a recipient who is no KEP address: {}.";
    EvidenceAhead(why) 451 "4.7.0" TechnicalMalfunction
        "Delilin zamanı henüz gelmemiş: {}." "The evidence is ahead of our clock: {}.";
    OriginalDiffers(why) 554 "5.7.7" InvalidMessageFormat
        "Özgün iletinin özeti uyuşmuyor: {}." "The digest of the original differs: {}.";
    SenderOfAnother(address) 550 "5.7.1" PolicyViolation
        "Gönderen {} mührün sahibi sağlayıcıda değil."
        "The sender {} is not with the provider whose seal it is.";
    IdOfAnother(id) 550 "5.7.1" PolicyViolation
        "İleti kimliği {} mührün sahibi sağlayıcının değil."
        "The message id {} is not of the provider whose seal it is.";
    OtherMessage(id) 554 "5.6.0" InvalidMessageFormat
        "{} kimliğiyle başka bir ileti alınmıştı." "Another message came under the id {}.";
    NotNamed(address) 550 "5.7.1" PolicyViolation
        "{} delilde alıcı olarak geçmiyor." "{} is no recipient by the evidence.";
    EvidenceOfNothing(id) 550 "5.7.1" PolicyViolation
        "{} kimlikli bir ileti gönderilmemiştir." "No message {} was sent.";
    EvidenceUnfit(why) 550 "5.7.1" PolicyViolation
        "Delil iletiye uymuyor: {}." "The evidence does not fit the message: {}.";
    ReportUnproven 550 "5.7.1" PolicyViolation
        "Teslim raporu yalnızca kayıtlı sertifikasını gösteren sağlayıcıdan alınır."
        "A delivery report is taken of a provider only that shows its registered certificate.";
    ReportMalformed(why) 554 "5.6.0" InvalidMessageFormat
        "Teslim raporu okunamıyor: {}." "The delivery report can't be read: {}.";
    ReportUnfit(why) 550 "5.7.1" PolicyViolation
        "Teslim raporu gönderilene uymuyor: {}." "The delivery report does not fit what was sent: {}.";
    EvidenceTooMuch(id) 550 "5.7.1" PolicyViolation
        "{} için fazla delil geldi." "There has come too much evidence about {}.";

    // User's signature; found out by `trust`.
    SignatureMissing 550 "5.7.7" InvalidUserSignature
        "İleti imzalı değil." "The message is not signed."
        "İletiyi elektronik imzanızla (S/MIME) imzalayıp yeniden gönderin."
        "Sign the message (S/MIME) and send it again.";
    SignatureHidden 550 "5.7.7" InvalidUserSignature
        "İleti şifreli; imzası görülemiyor." "The message is encrypted; no signature can be seen."
        "Şifreledikten sonra imzalayın." "Sign it after encrypting.";
    SignatureForeignForm 550 "5.7.6" InvalidUserSignature
        "PGP imzası kabul edilmez." "PGP signatures are not accepted." "S/MIME ile imzalayın."
        "Sign with S/MIME.";
    SignatureMalformed 550 "5.7.7" InvalidUserSignature
        "İmza okunamıyor." "The signature can't be read.";
    SignatureBroken 550 "5.7.7" InvalidUserSignature
        "İmza iletiye uymuyor; ileti imzalandıktan sonra değişmiş."
        "The signature does not fit the message; it was changed after signing.";
    SignerNotAccount(signer) 550 "5.7.7" InvalidUserSignature
        "İmzacı ({}) bu hesabın kayıtlı imzacısı değildir."
        "The signer ({}) is not registered for this account.";
    SignerMayNotSign(operator) 550 "5.7.7" InvalidUserSignature
        "{} işlem yetkilisinin imza yetkisi yoktur." "The operator {} may not sign for this account."
        "İletiyi imza yetkisi olan biri imzalasın." "Let somebody sign it who may.";
    SignerMany 550 "5.7.7" InvalidUserSignature
        "Birden çok imzacı var." "There is more than one signer.";
    CertificateMissing 550 "5.7.7" InvalidUserSignature
        "İmzada imzacının sertifikası yok." "The signer's certificate is not in the signature.";
    CertificateExpired 550 "5.7.7" UserCertExpiredOrRevoked
        "İmza sertifikasının süresi dolmuş." "The signing certificate has expired.";
    CertificateNotYetValid 550 "5.7.7" UserCertExpiredOrRevoked
        "İmza sertifikası henüz geçerli değil." "The signing certificate is not yet valid.";
    CertificateRevoked 550 "5.7.7" UserCertExpiredOrRevoked
        "İmza sertifikası iptal edilmiş." "The signing certificate has been revoked.";
    CertificateUntrusted 550 "5.7.7" InvalidUserSignature
        "İmza sertifikası güvenilen bir köke bağlı değil."
        "The signing certificate does not lead to a trusted root.";
    CertificateNowhere 550 "5.7.7" InvalidUserSignature
        "İmza sertifikası iptal durumunun sorulacağı bir adres (CRL, OCSP) içermiyor."
        "The signing certificate names no CRL or OCSP responder to ask for its status.";
    CertificateKeyUsage 550 "5.7.7" InvalidUserSignature
        "Sertifika imza için verilmemiş." "The certificate is not for signing.";
    CertificatePolicy 550 "5.7.7" InvalidUserSignature
        "Sertifika istenen ilkeyi taşımıyor." "The certificate lacks the required policy.";
    WeakDigest 550 "5.7.6" InvalidUserSignature
        "İmzanın özeti zayıf (SHA-1 veya MD5)." "The signature's digest is weak (SHA-1 or MD5)."
        "Posta programınızda SHA-256'yı seçin." "Choose SHA-256 in your mail program.";
    WeakKey 550 "5.7.6" InvalidUserSignature
        "İmza anahtarı zayıf." "The signing key is weak.";
    RevocationUnavailable 451 "4.7.5" TechnicalMalfunction
        "Sertifikanın iptal durumu şu anda öğrenilemiyor."
        "The revocation status can't be found out at the moment.";

    // Policy and the house.
    Virus(name) 554 "5.7.0" MalwareFound
        "İletide zararlı yazılım bulundu: {}." "Malware found: {}.";
    NoCredit(needed) 550 "5.7.1" PolicyViolation
        "Kontörünüz yetersiz; gereken ve kalan: {}." "Not enough credit; needed and left: {}."
        "Kontör yükleyip yeniden gönderin." "Buy credit and send again.";
    EncryptedContent(name) 554 "5.7.0" PolicyViolation
        "İletide virüs taramasının açamadığı şifreli içerik var: {}."
        "The message has encrypted content that can't be scanned for viruses: {}."
        "Eki şifresiz gönderin." "Send the attachment without a password.";
    NotScanned(name) 554 "5.7.0" PolicyViolation
        "İletinin tamamı virüs taramasından geçirilemiyor: {}."
        "The message can't be scanned for viruses as a whole: {}.";
    RateLimited 450 "4.7.1" PolicyViolation
        "Kısa sürede çok ileti gönderdiniz." "Too many messages in a short time.";
    ScannerUnavailable 451 "4.3.0" TechnicalMalfunction
        "Virüs taraması şu anda yapılamıyor." "The virus scan is not available at the moment.";
    StampUnavailable 451 "4.3.0" TechnicalMalfunction
        "Zaman damgası şu anda alınamıyor." "No time stamp can be had at the moment.";
    StorageFull 452 "4.3.1" TechnicalMalfunction
        "Sistemde yer kalmadı." "Insufficient system storage.";
    TryLater 451 "4.3.0" TechnicalMalfunction
        "Şu anda işlenemiyor, sonra yeniden deneyin." "Local error, try again later.";
}
