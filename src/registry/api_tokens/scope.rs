//! What a token of the API may be used for.

use super::{Holder, TokenError};

/// What a token may be used for. Whose it is bounds it too: a staff member's reads no content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Scope {
    AccountRead,
    AccountAudit,
    MailRead,
    MailOpen,
    MailWrite,
    MailSend,
    EvidenceRead,
    Verify,
    ContactsRead,
    ContactsWrite,
    CreditsRead,
    Tokens,
    StaffAccounts,
    StaffPolicies,
    StaffAudit,
}

/// A set of scopes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Scopes(Vec<Scope>);

impl Scope {
    /// Each once, with what it allows in Turkish and English.
    pub const ALL: [(Self, &'static str, &'static str, &'static str); 15] = [
        (Self::AccountRead, "account:read", "Hesabı görmek", "see the account"),
        (
            Self::AccountAudit,
            "account:audit",
            "Hesapla ilgili yapılanları ve bildirimleri görmek",
            "see what was done about the account, and what it was told",
        ),
        (
            Self::MailRead,
            "mail:read",
            "Posta kutularını ve açılmış iletileri okumak",
            "read mailboxes, and messages that are open",
        ),
        (
            Self::MailOpen,
            "mail:open",
            "Açılmamış iletileri açmak; açılan ileti okunmuş sayılır",
            "open unopened messages: they are read from then on",
        ),
        (
            Self::MailWrite,
            "mail:write",
            "İletileri işaretlemek, taşımak, silmek; taslak yazmak",
            "mark, move and remove messages; write drafts",
        ),
        (Self::MailSend, "mail:send", "İmzalı ileti göndermek", "send signed messages"),
        (Self::EvidenceRead, "evidence:read", "Delilleri okumak", "read evidence"),
        (Self::Verify, "verify", "Belge doğrulamak", "have documents verified"),
        (Self::ContactsRead, "contacts:read", "Adres defterini okumak", "read the address book"),
        (
            Self::ContactsWrite,
            "contacts:write",
            "Adres defterini değiştirmek",
            "change the address book",
        ),
        (Self::CreditsRead, "credits:read", "Kontörü görmek", "see credits"),
        (Self::Tokens, "tokens", "Belirteçleri görmek ve geri almak", "see and revoke tokens"),
        (
            Self::StaffAccounts,
            "staff:accounts",
            "Hesapları yönetmek (personel)",
            "administer accounts (staff)",
        ),
        (
            Self::StaffPolicies,
            "staff:policies",
            "Politikaları görmek ve değiştirmek (personel)",
            "see and change policies (staff)",
        ),
        (
            Self::StaffAudit,
            "staff:audit",
            "Denetim kaydını okumak (personel)",
            "read the audit log (staff)",
        ),
    ];

    pub fn word(self) -> &'static str {
        let known = Self::ALL.iter().find(|(scope, ..)| *scope == self);
        known.map_or("", |(_, word, ..)| word)
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, ..)| *known == word).map(|(scope, ..)| *scope)
    }

    pub fn is_of_staff(self) -> bool {
        self.word().starts_with("staff:")
    }
}

impl Scopes {
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let mut all: Vec<_> = scopes.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }

    /// Whatever the holder of an account may do, or a member of the staff.
    pub fn full(of_staff: bool) -> Self {
        let all = Scope::ALL.iter().map(|(scope, ..)| *scope);
        Self::of(all.filter(|scope| scope.is_of_staff() == of_staff))
    }

    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.word()).collect()
    }

    pub(super) fn fit(&self, holder: &Holder) -> Result<(), TokenError> {
        if self.0.is_empty() {
            return Err(TokenError::NoScope);
        }
        let of_staff = matches!(holder, Holder::Staff(_));
        match self.0.iter().find(|scope| scope.is_of_staff() != of_staff) {
            Some(scope) => Err(TokenError::Scope(scope.word())),
            None => Ok(()),
        }
    }
}
