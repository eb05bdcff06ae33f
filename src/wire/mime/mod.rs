//! MIME as byte ranges over the message as it came; nothing is ever re-serialised. Any octets have
//! a tree: what is malformed, too deep or too much is a leaf, never an error.

pub mod address;
pub mod content;
pub mod decode;
pub mod fields;
pub mod layout;
pub mod preview;
pub mod related;
pub mod section;
pub mod subject;
pub mod text;
pub mod tree;
pub mod unbinary;

pub use address::{Address, addresses};
pub use content::{Content, Params};
pub use decode::Decoder;
pub use fields::{Field, fields};
pub use layout::{Encoding, Layout, Node, Shape};
pub use section::{Section, SectionText};
pub use tree::{Body, Part, header, parse};
