//! 1 · A message comes in, and is accepted or refused.
//!
//! Everything here but `serve.rs` is pure: the session speaks SMTP and asks (`ask`), the checks
//! judge octets (`check`), and one table says what people hear (`refusal`).

pub mod ask;
pub mod check;
pub mod refusal;
mod rejections;
pub mod run;
pub mod serve;
pub mod session;

pub use rejections::Rejections;
