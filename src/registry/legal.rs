//! The one list of acts for which a session must have proven more than a password of late.
//! `docs/credentials.md` has the same, held by a test. What is sent asks for its author's signature instead,
//! each time.

use super::sessions::StepUp;

/// An act with consequences in law, or one that lets others act.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum LegalAct {
    /// An app, passkeys, codes on paper, and whether two factors are asked for.
    Factors,
    /// A password for a mail program, which sends and opens.
    MailPassword,
    /// A token of the API.
    Token,
    /// What signs, and logs in, for the account.
    Certificate,
    /// A new term.
    Contract,
    /// A wish to close the account, or to keep it after all.
    Closing,
    /// Who acts for the account, and how far.
    Operators,
    /// Where codes and words of changed credentials go.
    NoticePlace,
    /// All that the account has leaves.
    Export,
}

/// Each with what it asks for, and what it is in Turkish and English.
pub const TABLE: [(LegalAct, StepUp, &str, &str, &str); 9] = [
    (
        LegalAct::Factors,
        StepUp::Legal,
        "factors",
        "İkinci etkenleri değiştirmek",
        "change second factors",
    ),
    (
        LegalAct::MailPassword,
        StepUp::Legal,
        "mail-password",
        "Posta programı parolası oluşturmak",
        "make a password for a mail program",
    ),
    (
        LegalAct::Token,
        StepUp::Legal,
        "token",
        "API belirteci oluşturmak",
        "make a token of the API",
    ),
    (
        LegalAct::Certificate,
        StepUp::Legal,
        "certificate",
        "Sertifika kaydetmek ya da kaldırmak",
        "register or remove a certificate",
    ),
    (LegalAct::Contract, StepUp::Legal, "contract", "Sözleşmeyi yenilemek", "renew the contract"),
    (
        LegalAct::Closing,
        StepUp::Legal,
        "closing",
        "Hesabın kapatılmasını istemek ya da talebi geri almak",
        "ask for the account to be closed, or withdraw that",
    ),
    (
        LegalAct::Operators,
        StepUp::Legal,
        "operators",
        "İşlem yetkilisi eklemek, değiştirmek ya da görevine son vermek",
        "add, change or end an operator",
    ),
    (
        LegalAct::NoticePlace,
        StepUp::Legal,
        "notice-place",
        "Bildirim yeri eklemek ya da kaldırmak, kimin olduğunu değiştirmek, yeni yerden girişleri bildirmez kılmak",
        "add or remove a place of notices, change whose it is, silence strange logins there",
    ),
    (
        LegalAct::Export,
        StepUp::Legal,
        "export",
        "Hesabın tam dökümünü istemek",
        "ask for all that the account has",
    ),
];

impl LegalAct {
    pub fn asks(self) -> StepUp {
        self.row().map_or(StepUp::Legal, |row| row.1)
    }

    pub fn word(self) -> &'static str {
        self.row().map_or("", |row| row.2)
    }

    fn row(self) -> Option<&'static (Self, StepUp, &'static str, &'static str, &'static str)> {
        TABLE.iter().find(|row| row.0 == self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_lists_each_act_with_what_it_asks_for() {
        let page = include_str!("../../docs/credentials.md");
        let of = |(_, asks, word, turkish, english): &(LegalAct, StepUp, &str, &str, &str)| {
            let asks = match asks {
                StepUp::Legal => "more than a password",
                StepUp::Presence => "anything",
            };
            format!("| `{word}` | {turkish} | {english} | {asks} |")
        };
        let wanted: Vec<_> = TABLE.iter().map(of).collect();
        let listed = page.lines().filter(|line| wanted.iter().any(|one| one == line)).count();
        assert_eq!(listed, TABLE.len(), "{}", wanted.join("\n"));
        let acts: std::collections::BTreeSet<_> = TABLE.iter().map(|row| row.0).collect();
        assert_eq!(acts.len(), TABLE.len());
    }
}
