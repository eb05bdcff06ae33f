//! The papers of an application. What is kept of one here is what it is and where it lies.

use crate::registry::holders::HolderKind;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Paper {
    pub kind: PaperKind,
    /// Where it is filed, as people find it again; may be empty.
    pub reference: String,
}

macro_rules! papers {
    ($( $name:ident $word:literal $tr:literal $en:literal ; )*) => {
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum PaperKind { $( #[doc = $en] $name ),* }

        impl PaperKind {
            pub const ALL: &[Self] = &[ $( Self::$name ),* ];

            pub fn word(self) -> &'static str {
                match self { $( Self::$name => $word ),* }
            }

            pub fn turkish(self) -> &'static str {
                match self { $( Self::$name => $tr ),* }
            }

            pub fn english(self) -> &'static str {
                match self { $( Self::$name => $en ),* }
            }

            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.word() == word)
            }
        }
    };
}

papers! {
    Identity "identity" "Fotoğraflı kimlik" "Identity card or passport with photograph";
    Contract "contract" "İmzalı sözleşme" "Contract, signed by hand";
    SignedContract "signed-contract" "E-imza ya da mobil imzayla imzalanmış sözleşme"
        "Contract, signed electronically by the holder: proves his identity too";
    Registry "registry" "MERSİS kaydı ya da ticaret sicil belgesi" "MERSİS record or trade registry paper";
    Activity "activity" "Faaliyet belgesi" "Certificate of activity";
    Circular "circular" "Noter onaylı imza sirküleri" "Notarised circular of signatures";
    Operators "operators" "İşlem yetkililerinin kimlikleri" "Identity papers of the operators";
    Authorisation "authorisation" "Yetki yazısı" "Letter of authorisation of the public body";
}

impl Paper {
    /// `KIND` or `KIND=REFERENCE`.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, reference) = text.split_once('=').unwrap_or((text, ""));
        let reference = reference.trim();
        let sound =
            reference.chars().count() <= REFERENCE && !reference.chars().any(char::is_control);
        let kind = PaperKind::parse(kind.trim())?;
        sound.then(|| Self { kind, reference: reference.to_owned() })
    }
}

/// What is needed before somebody of that kind gets an account, and is not there.
pub fn missing(holder: HolderKind, papers: &[Paper]) -> Vec<PaperKind> {
    use PaperKind::{
        Activity, Authorisation, Circular, Contract, Identity, Operators, Registry, SignedContract,
    };
    let has = |kind: PaperKind| papers.iter().any(|paper| paper.kind == kind);
    let signed = has(SignedContract);
    let needed: &[PaperKind] = match holder {
        HolderKind::Person if signed => &[],
        HolderKind::Person => &[Identity, Contract],
        HolderKind::Company if signed => &[Registry, Activity, Circular, Operators],
        HolderKind::Company => &[Registry, Activity, Circular, Operators, Contract],
        HolderKind::Public if signed => &[Authorisation, Operators],
        HolderKind::Public => &[Authorisation, Operators, Contract],
    };
    needed.iter().copied().filter(|kind| !has(*kind)).collect()
}

const REFERENCE: usize = 200;
