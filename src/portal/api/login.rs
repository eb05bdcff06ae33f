//! Logging in: by password, passkey, electronic signature, or a certificate in TLS; and the second step.
//! Whether there is such a name is never said: the same answer comes after the same work.

mod answer;
mod run;
pub mod tried;

pub use answer::{SecondStep, SessionShown};

use super::endpoint::{Endpoint, Tag, Verb};
use super::kinds::{Base64, Code, PasskeyAnswer, SecretText, StepToken, UserName};
use super::problem::Problem;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let post = |path, id| Endpoint::new(Verb::Post, path, id, Tag::Login);
    let until = || Problem::LoginLocked(String::from("{}"));
    let ways = || [Problem::LoginWrong, until(), Problem::AccountOver, Problem::RequestUnproven];
    let step = || {
        let [wrong, locked, over, unproven] = ways();
        [wrong, locked, over, unproven, Problem::LoginExpired]
    };
    vec![
        post("/login/password", "logInByPassword")
            .says("Parolayla oturum açar.", "Logs in by password.")
            .may_say(ways())
            .runs(run::password),
        post("/login/passkey/options", "askForPasskey")
            .says("Geçiş anahtarıyla girişi başlatır.", "Begins a login by passkey.")
            .may_say([Problem::PasskeysOff])
            .runs(run::passkey_options),
        post("/login/passkey", "logInByPasskey")
            .says("Geçiş anahtarıyla oturum açar.", "Logs in by passkey.")
            .may_say(step().into_iter().chain([Problem::PasskeysOff]))
            .runs(run::passkey),
        post("/login/signature/text", "askForSignature")
            .says("İmzalanacak metni verir.", "Gives the text that is to be signed.")
            .runs(run::signature_text),
        post("/login/signature", "logInBySignature")
            .says("Elektronik imzayla oturum açar.", "Logs in by electronic signature.")
            .may_say(step())
            .runs(run::signature),
        post("/login/account", "chooseAccount")
            .says(
                "İmza sahibinin hangi hesabı olduğunu söyler.",
                "Says which of the signer's accounts is meant.",
            )
            .may_say(step())
            .runs(run::which),
        post("/login/certificate", "logInByCertificate")
            .says(
                "TLS bağlantısında gösterilen sertifikayla oturum açar.",
                "Logs in by the certificate that the TLS connection shows.",
            )
            .may_say(ways())
            .runs(run::certificate),
        post("/login/second", "showSecondFactor")
            .says("İkinci etkeni gösterir.", "Shows a second factor.")
            .may_say(step())
            .runs(run::second),
        post("/login/second/passkey", "askForSecondPasskey")
            .says(
                "İkinci etken olarak geçiş anahtarı ister.",
                "Asks for a passkey as the second factor.",
            )
            .may_say([Problem::LoginExpired, Problem::PasskeysOff])
            .runs(run::second_passkey),
        post("/login/second/signature", "askForSecondSignature")
            .says("İkinci etken olarak imza ister.", "Asks for a signature as the second factor.")
            .may_say([Problem::LoginExpired])
            .runs(run::second_signature),
        post("/login/second/sms", "askForSecondSms")
            .says(
                "İkinci etken olarak SMS kodu gönderir.",
                "Sends an SMS code as the second factor.",
            )
            .may_say([Problem::LoginExpired, Problem::NoPhone, until()])
            .runs(run::second_sms),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ByPassword {
    #[schema(inline)]
    user: UserName,
    #[schema(inline)]
    password: SecretText,
    /// Whether the session's token is kept in a cookie, out of reach of scripts, instead of being answered.
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ByPasskey {
    #[schema(inline)]
    token: StepToken,
    #[schema(inline)]
    answer: PasskeyAnswer,
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BySignature {
    #[schema(inline)]
    token: StepToken,
    /// CMS or CAdES over the text, with it or without.
    #[schema(inline)]
    signature: Base64,
    /// For which account; needed by operators, and where the signer has several.
    #[schema(inline)]
    user: Option<UserName>,
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChosenAccount {
    #[schema(inline)]
    token: StepToken,
    #[schema(inline)]
    address: UserName,
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ByCertificate {
    /// For which account; needed where the certificate is of several.
    #[schema(inline)]
    user: Option<UserName>,
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

/// One of the factors, with the token of the step.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SecondFactor {
    #[schema(inline)]
    token: StepToken,
    #[schema(inline)]
    shown: ShownFactor,
    #[serde(default)]
    #[schema(example = false)]
    cookie: bool,
}

/// What is shown.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
enum ShownFactor {
    /// A code of the authenticator app.
    Totp(#[schema(inline)] Code),
    /// A code on paper.
    BackupCode(#[schema(inline)] Code),
    Sms(#[schema(inline)] Code),
    /// What the browser answered.
    Passkey(#[schema(inline)] PasskeyAnswer),
    /// CMS or CAdES over the text.
    Signature(#[schema(inline)] Base64),
    /// In a session that is there only.
    Password(#[schema(inline)] SecretText),
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OneStep {
    #[schema(inline)]
    token: StepToken,
}

/// What the browser is asked for.
#[derive(Serialize, ToSchema)]
pub struct PasskeyAsked {
    /// The answer comes with it, once.
    pub token: String,
    /// `PublicKeyCredentialRequestOptionsJSON`, or `PublicKeyCredentialCreationOptionsJSON`.
    #[schema(value_type = Object)]
    pub options: serde_json::Value,
}

#[derive(Serialize, ToSchema)]
pub struct SignatureAsked {
    /// The signature comes with it, once.
    pub token: String,
    /// What is to be signed, as these octets are.
    #[schema(example = "KEP OTURUM AÇMA / KEP LOGIN\r\n")]
    pub text: String,
}
