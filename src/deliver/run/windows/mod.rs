//! What has waited too long comes to its end: a dispatch by evidence, the mail of an evidence by an
//! operator.

mod run;

/// Mails whose window ends are laid down so many at a time.
const BATCH: usize = 64;
