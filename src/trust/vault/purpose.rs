//! What octets are derived for: a key each, so that what is derived for one purpose proves nothing for
//! another. All are declared here, since each of their keys outlives the generation that it came from.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Digests of short codes of logins.
    OneTimeCode,
    /// Digests of codes that prove a place of notices.
    NoticeCode,
    /// By which networks are known from which somebody logged in.
    LoginPlace,
    /// The salt of a name that nobody may know to be an account's or not.
    ScramSalt,
    /// Whose master key a backup was made under.
    BackupKey,
    BackupManifest,
    /// What a named request said: a password may stand in it.
    NamedRequest,
}

impl Purpose {
    pub const ALL: [Self; 7] = [
        Self::OneTimeCode,
        Self::NoticeCode,
        Self::LoginPlace,
        Self::ScramSalt,
        Self::BackupKey,
        Self::BackupManifest,
        Self::NamedRequest,
    ];

    /// Stands in rows by what was derived with it: never another.
    pub fn label(self) -> &'static str {
        match self {
            Self::OneTimeCode => "one-time code",
            Self::NoticeCode => "notice code",
            Self::LoginPlace => "login place",
            Self::ScramSalt => "SCRAM salt",
            Self::BackupKey => "kep backup: which key",
            Self::BackupManifest => "kep backup: manifest",
            Self::NamedRequest => "named request",
        }
    }
}
