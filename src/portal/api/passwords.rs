//! Passwords of people: changed by who knows the old one, and the two ways back for who has forgotten it.

mod run;

use super::endpoint::{Endpoint, Tag, Verb};
use super::kinds::{Base64, Code, SecretText, StepToken, UserName};
use super::problem::Problem;
use serde::Deserialize;
use utoipa::ToSchema;

pub fn operations() -> Vec<Endpoint> {
    let post = |path, id| Endpoint::new(Verb::Post, path, id, Tag::Login);
    let some = || String::from("{}");
    let ways = || {
        [
            Problem::LoginWrong,
            Problem::LoginLocked(some()),
            Problem::LoginExpired,
            Problem::PasswordUnfit(some()),
        ]
    };
    vec![
        Endpoint::new(Verb::Put, "/password", "changePassword", Tag::Credentials)
            .says(
                "Parolayı değiştirir; diğer oturumlar sona erer.",
                "Changes the password; the other sessions end.",
            )
            .personal()
            .may_say([
                Problem::LoginWrong,
                Problem::LoginLocked(some()),
                Problem::PasswordUnfit(some()),
            ])
            .runs(run::change),
        post("/password/forgotten", "forgetPassword")
            .says(
                "Yeni parola için e-posta bağlantısı ve SMS kodu gönderir; hesap yoksa da aynı yanıt verilir.",
                "Sends a link by mail and a code by SMS for a new password; says the same of no account.",
            )
            .may_say([Problem::LoginLocked(some())])
            .runs(run::forgotten),
        post("/password/reset", "resetPassword")
            .says("Bağlantı ve kodla yeni parola koyar.", "Sets a new password by link and code.")
            .may_say(ways())
            .runs(run::reset),
        post("/password/signature/text", "askForResetSignature")
            .says(
                "Yeni parola için imzalanacak metni verir.",
                "Gives the text that is to be signed for a new password.",
            )
            .runs(run::signature_text),
        post("/password/signature", "resetPasswordBySignature")
            .says("Elektronik imzayla yeni parola koyar.", "Sets a new password by electronic signature.")
            .may_say(ways().into_iter().chain([Problem::SeveralAccounts]))
            .runs(run::reset_signed),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    #[schema(inline)]
    current: SecretText,
    #[schema(inline)]
    new: SecretText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    #[schema(inline)]
    user: UserName,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ByLink {
    /// What stands behind `#` in the link.
    #[schema(inline)]
    token: StepToken,
    /// Of the SMS.
    #[schema(inline)]
    code: Code,
    #[schema(inline)]
    password: SecretText,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ResetSigned {
    #[schema(inline)]
    token: StepToken,
    /// CMS or CAdES over the text, with it or without.
    #[schema(inline)]
    signature: Base64,
    /// For which account; needed by operators, and where the signer has several.
    #[schema(inline)]
    user: Option<UserName>,
    #[schema(inline)]
    password: SecretText,
}
