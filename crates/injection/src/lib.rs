//! Detection of SQL injection and cross-site scripting by tokens: an exact port of libinjection 3.

pub mod sqli;
pub mod xss;

pub use sqli::{Fingerprint, is_sqli, may_be_sqli};
pub use xss::{is_xss, may_be_xss};
