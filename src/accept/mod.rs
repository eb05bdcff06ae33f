//! 1 · A message comes in, and is accepted or refused.
//!
//! Everything here but `serve.rs` and `run.rs` is pure: the session speaks SMTP and asks (`ask`), the
//! checks judge octets (`check`), and one table says what people hear (`refusal`). What other
//! providers hand over is judged by `relay`.

pub mod ask;
mod bars;
mod body;
pub mod check;
mod duty;
pub mod letter;
pub mod refusal;
mod rejections;
pub mod relay;
pub mod run;
pub mod scan;
pub mod serve;
pub mod session;

pub use rejections::Rejections;

/// Work that takes a while moves the runtime's other tasks out of the way.
fn heavy<T>(octets: usize, work: impl FnOnce() -> T) -> T {
    if octets > HEAVY { tokio::task::block_in_place(work) } else { work() }
}

/// More octets than this are parsed, hashed and encrypted aside.
const HEAVY: usize = 256 << 10;
