//! What became of each entry of a file that was imported.

use super::fault::Fault;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    Added,
    /// The contact of its UID says something else now.
    Changed,
    /// A contact had its KEP address already, and got what it lacked.
    Completed,
    /// All of it was there already.
    Unchanged,
    Bad(Fault),
}

impl Fate {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Completed => "completed",
            Self::Unchanged => "unchanged",
            Self::Bad(_) => "bad",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Where it begins in the file, from 1.
    pub line: usize,
    /// What it is called; empty when that can't be said.
    pub name: String,
    pub fate: Fate,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// In the order of the file, groups last.
    pub entries: Vec<Entry>,
    /// Columns of a sheet that name no field of a contact.
    pub ignored: Vec<String>,
    /// Nothing was changed: this is what would have become of it.
    pub dry: bool,
}

impl Report {
    /// How many entries have this fate, by its word.
    pub fn count(&self, word: &str) -> usize {
        self.entries.iter().filter(|entry| entry.fate.word() == word).count()
    }
}
