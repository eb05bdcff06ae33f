//! Ledgers, the kinds of entries between them, and the sums of an account's.

use crate::store::rows::RowsError;

/// Where an amount may stand. The first five are an account's, the others the provider's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ledger {
    Available,
    /// For messages that are not accepted yet.
    Reserved,
    /// For messages that were accepted: the provider's income from this account.
    Spent,
    Sms,
    SmsSpent,
    TopUp,
    Correction,
    SmsTopUp,
    SmsCorrection,
}

/// What an entry is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// A message was laid in.
    Reserve,
    /// It was accepted.
    Spend,
    /// It will not be accepted.
    Release,
    /// It did not reach a recipient.
    GiveBack,
    /// A notice was sent.
    Sms,
    TopUp,
    Correct,
}

/// The sums of an account's postings.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Balance {
    pub available: i64,
    pub reserved: i64,
    pub spent: i64,
    pub sms: i64,
    pub sms_spent: i64,
}

impl Balance {
    pub fn of(&self, ledger: Ledger) -> i64 {
        match ledger {
            Ledger::Available => self.available,
            Ledger::Reserved => self.reserved,
            Ledger::Spent => self.spent,
            Ledger::Sms => self.sms,
            Ledger::SmsSpent => self.sms_spent,
            _ => 0,
        }
    }

    /// By so much more or less; the provider's ledgers are in no balance.
    pub fn put(&mut self, ledger: Ledger, amount: i64) {
        let sum = match ledger {
            Ledger::Available => &mut self.available,
            Ledger::Reserved => &mut self.reserved,
            Ledger::Spent => &mut self.spent,
            Ledger::Sms => &mut self.sms,
            Ledger::SmsSpent => &mut self.sms_spent,
            _ => return,
        };
        *sum = sum.saturating_add(amount);
    }

    /// What is left of the unit that an entry between these ledgers is of.
    pub fn rest(&self, from: Ledger, to: Ledger) -> i64 {
        match from.is_sms() || to.is_sms() {
            true => self.sms,
            false => self.available,
        }
    }
}

impl Ledger {
    pub const ALL: [Self; 9] = [
        Self::Available,
        Self::Reserved,
        Self::Spent,
        Self::Sms,
        Self::SmsSpent,
        Self::TopUp,
        Self::Correction,
        Self::SmsTopUp,
        Self::SmsCorrection,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Reserved => "reserved",
            Self::Spent => "spent",
            Self::Sms => "sms",
            Self::SmsSpent => "sms-spent",
            Self::TopUp => "provider/top-up",
            Self::Correction => "provider/correction",
            Self::SmsTopUp => "provider/sms-top-up",
            Self::SmsCorrection => "provider/sms-correction",
        }
    }

    pub fn is_sms(self) -> bool {
        matches!(self, Self::Sms | Self::SmsSpent | Self::SmsTopUp | Self::SmsCorrection)
    }

    pub(super) fn parse(word: &str) -> Result<Self, RowsError> {
        let known = Self::ALL.into_iter().find(|ledger| ledger.word() == word);
        known.ok_or(RowsError::Stored("a ledger"))
    }
}

impl Kind {
    const ALL: [Self; 7] = [
        Self::Reserve,
        Self::Spend,
        Self::Release,
        Self::GiveBack,
        Self::Sms,
        Self::TopUp,
        Self::Correct,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Spend => "spend",
            Self::Release => "release",
            Self::GiveBack => "give-back",
            Self::Sms => "sms",
            Self::TopUp => "top-up",
            Self::Correct => "correct",
        }
    }

    pub(super) fn parse(word: &str) -> Result<Self, RowsError> {
        let known = Self::ALL.into_iter().find(|kind| kind.word() == word);
        known.ok_or(RowsError::Stored("a kind of entry"))
    }
}
