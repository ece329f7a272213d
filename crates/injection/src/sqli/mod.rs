//! SQL injection: a value is one if the kinds of its first tokens are those of a known attack.

mod class;
mod fingerprint;
mod fold;
mod gate;
mod number;
mod quoted;
mod token;
mod tokenizer;
mod verdict;
mod words;
mod work;

#[cfg(test)]
mod tests;

pub use fingerprint::Fingerprint;
pub use gate::may_be_sqli;

use fold::Folded;
use token::Quote;
use tokenizer::Dialect;

/// The fingerprint of the value if it is SQL injection.
///
/// The value is read as it is, as if it followed a single quote, and as if it followed a double quote (each only if
/// such a quote is in it); in ANSI's dialect and, where the two differ, in MySQL's.
pub fn is_sqli(value: &[u8]) -> Option<Fingerprint> {
    if !may_be_sqli(value) {
        return None;
    }
    if let Some(found) = in_both_dialects(value, Quote::None) {
        return Some(found);
    }
    if memchr::memchr(b'\'', value).is_some()
        && let Some(found) = in_both_dialects(value, Quote::Single)
    {
        return Some(found);
    }
    // Double quotes enclose strings in MySQL alone.
    memchr::memchr(b'"', value)?;
    Folded::new(value, Quote::Double, Dialect::MySql).attack(value)
}

fn in_both_dialects(value: &[u8], quote: Quote) -> Option<Fingerprint> {
    let ansi = Folded::new(value, quote, Dialect::Ansi);
    if let Some(found) = ansi.attack(value) {
        return Some(found);
    }
    if !ansi.dialects_differ() {
        return None;
    }
    Folded::new(value, quote, Dialect::MySql).attack(value)
}
