//! What the tests and the measurement share.

pub mod oracle;
pub mod payloads;

pub use oracle::{Oracle, padded};
pub use payloads::payloads;
