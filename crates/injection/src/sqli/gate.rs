//! Which values cannot be SQL injection, told sooner than by reading them as SQL.

use memchr::memchr2;

use super::class::{self, DIGIT, PLAIN, WHITE};
use super::fingerprint::TOKENS_MAX;
use super::token::TEXT_MAX;
use super::words;

/// Whether [`is_sqli`](super::is_sqli) could find something. Never a false no.
///
/// A no is for values whose first tokens are whole numbers and words that SQL gives no meaning to, without a quote
/// after them. No fingerprint is made of numbers and barewords alone, and one token beyond the first five is all that
/// is ever read of such a value.
pub fn may_be_sqli(value: &[u8]) -> bool {
    let mut rest = value;
    let mut last: &[u8] = b"";
    for _ in 0..=TOKENS_MAX {
        rest = rest.get(class::span(rest, WHITE)..).unwrap_or_default();
        let Some(&first) = rest.first() else {
            return false;
        };
        let (word, after) = rest.split_at(class::span(rest, PLAIN));
        let number = class::is(first, DIGIT);
        let whole = after.first().is_none_or(|&byte| class::is(byte, WHITE));
        if word.is_empty() || !whole || (number && class::span(word, DIGIT) < word.len()) {
            return true;
        }
        // `CURRENT DEGREE` has a meaning that neither word has alone.
        let meaning = || words::kind(word).is_some() || words::phrase(last, word).is_some();
        if !number && word.len() <= TEXT_MAX && meaning() {
            return true;
        }
        last = word;
        rest = after;
    }
    memchr2(b'\'', b'"', rest).is_some()
}
