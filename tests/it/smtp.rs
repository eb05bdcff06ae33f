//! Submission: every transcript whole, cut at every octet, and at seeded cuts.

use crate::pure::{self, Cuts};
use crate::transcript::below;

#[test]
fn transcripts_hold_whole() {
    below("smtp").iter().for_each(|t| pure::play(t, Cuts::Whole));
}

#[test]
fn transcripts_hold_cut_at_every_octet() {
    below("smtp").iter().for_each(|t| pure::play(t, Cuts::EveryOctet));
}

#[test]
fn transcripts_hold_at_seeded_cuts() {
    for seed in 0..8 {
        below("smtp").iter().for_each(|t| pure::play(t, Cuts::Seeded(seed)));
    }
}
