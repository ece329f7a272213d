//! Detection of SQL injection and cross-site scripting by tokens: a safe and exact port of libinjection 3
//! (<https://github.com/libinjection/libinjection>, BSD-3-Clause, see `NOTICE`). Pure: bytes in, a verdict out.
//!
//! A value is read as if it stood in the middle of a statement (or of a page), in each quotation it could have been
//! put into. SQL is cut into tokens, folded to five at most, and their kinds looked up among the fingerprints of
//! known attacks; HTML is cut into tags, attributes and comments, and those that run code are named.
//!
//! Nothing is copied and nothing allocated. Work is linear in the length of the value: libinjection's is not.
//!
//! | module | idea |
//! | --- | --- |
//! | [`sqli`] | [`is_sqli`]: the passes over a value, and its [`Fingerprint`] |
//! | [`xss`] | [`is_xss`]: the contexts a value is read in, and what is dangerous there |
//!
//! Exact means: the verdict and the fingerprint of the libinjection inside ModSecurity 3.0 for every value, with two
//! exceptions. Where that one reads past the end of a value, a NUL is read here. And it takes a byte 0xff after white
//! space in a tag for the end of the value, so that attacks can hide behind one; here it is a byte like others.
//!
//! Later versions of libinjection take only attributes of known events for dangerous, ModSecurity's and this one all that
//! begin with `on`.

pub mod sqli;
pub mod xss;

pub use sqli::{Fingerprint, is_sqli, may_be_sqli};
pub use xss::{is_xss, may_be_xss};
