//! What there is to do, and the one action that does it.

use crate::registry::operators::Act;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TaskKind {
    /// A message waits for its signature. Subject: our message id, or a draft's Message-ID.
    Sign,
    /// Who was to sign returned it, or nobody signed in time: it stands in the drafts. Subject as of
    /// `Sign`; the note says why.
    Returned,
    /// Subject: the number of the term.
    ContractEnding,
    /// Subject: its SHA-256 fingerprint.
    CertificateEnding,
    /// Subject: our message id.
    EvidenceDelayed,
    /// Subject: the upload.
    UploadUnfinished,
}

struct Row {
    kind: TaskKind,
    word: &'static str,
    /// What its button does.
    action: &'static str,
    /// What who does it must be allowed to.
    act: Act,
    turkish: &'static str,
    english: &'static str,
}

const TABLE: [Row; 6] = [
    Row {
        kind: TaskKind::Sign,
        word: "sign",
        action: "sign",
        act: Act::Sign,
        turkish: "İmza bekliyor",
        english: "Waits for a signature",
    },
    Row {
        kind: TaskKind::Returned,
        word: "returned",
        action: "edit",
        act: Act::Draft,
        turkish: "İmzalanmadan geri geldi",
        english: "Came back unsigned",
    },
    Row {
        kind: TaskKind::ContractEnding,
        word: "contract-ending",
        action: "renew",
        act: Act::Manage,
        turkish: "Sözleşmenin süresi doluyor",
        english: "The contract ends",
    },
    Row {
        kind: TaskKind::CertificateEnding,
        word: "certificate-ending",
        action: "replace",
        act: Act::Manage,
        turkish: "Sertifikanın süresi doluyor",
        english: "A certificate ends",
    },
    Row {
        kind: TaskKind::EvidenceDelayed,
        word: "evidence-delayed",
        action: "look",
        act: Act::Read,
        turkish: "Delil gecikti",
        english: "Evidence is late",
    },
    Row {
        kind: TaskKind::UploadUnfinished,
        word: "upload-unfinished",
        action: "resume",
        act: Act::Submit,
        turkish: "Yükleme yarım kaldı",
        english: "An upload is unfinished",
    },
];

impl TaskKind {
    pub const ALL: [Self; 6] = [
        Self::Sign,
        Self::Returned,
        Self::ContractEnding,
        Self::CertificateEnding,
        Self::EvidenceDelayed,
        Self::UploadUnfinished,
    ];

    pub fn word(self) -> &'static str {
        self.row().word
    }

    pub fn action(self) -> &'static str {
        self.row().action
    }

    pub fn act(self) -> Act {
        self.row().act
    }

    pub fn turkish(self) -> &'static str {
        self.row().turkish
    }

    pub fn english(self) -> &'static str {
        self.row().english
    }

    pub fn parse(word: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.word == word).map(|row| row.kind)
    }

    fn row(self) -> &'static Row {
        let [sign, returned, contract, certificate, evidence, upload] = &TABLE;
        match self {
            Self::Sign => sign,
            Self::Returned => returned,
            Self::ContractEnding => contract,
            Self::CertificateEnding => certificate,
            Self::EvidenceDelayed => evidence,
            Self::UploadUnfinished => upload,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_row() {
        for kind in TaskKind::ALL {
            assert_eq!(kind.row().kind, kind);
            assert_eq!(TaskKind::parse(kind.word()), Some(kind));
            assert!(!kind.turkish().is_empty() && !kind.english().is_empty());
        }
        assert_eq!(TaskKind::parse(""), None);
    }
}
