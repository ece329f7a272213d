//! What a value is while rules run: a number, or bytes that stay where they are.

use crate::values::Span;
use secbeat_seclang::Variable;

/// A value. Numbers stay numbers until somebody wants their digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum {
    /// A number.
    Number(i64),
    /// Bytes of the transaction's arena.
    Bytes(Span),
    /// Bytes of the program: a constant, by its number.
    Constant(u32),
}

/// The name of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// It has none: a scalar.
    None,
    /// A word of the program, by its number.
    Word(u32),
    /// Bytes of the transaction's arena.
    Bytes(Span),
}

/// A value that a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The variable of the target: `ARGS`, where the value was added to `ARGS_GET`.
    pub variable: Variable,
    /// Its name.
    pub name: Name,
    /// Its value.
    pub value: Datum,
    /// Whether it is a number of values (`&ARGS`).
    pub counted: bool,
}

/// Reads a number as `atoi` does: what stands before the first byte that is no digit; 0 where there is none. Too large a
/// number is the largest.
pub fn number(bytes: &[u8]) -> i64 {
    let bytes = bytes.trim_ascii_start();
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, bytes),
    };
    let mut sum = 0i64;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        sum = sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    if negative { -sum } else { sum }
}

/// The number that has exactly these digits, if one has: `5`, not `05`.
pub fn exact_number(bytes: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(bytes).ok()?;
    let number: i64 = text.parse().ok()?;
    (itoa::Buffer::new().format(number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_up_to_the_first_byte_that_is_none() {
        let cases: [(&[u8], i64); 9] = [
            (b"", 0),
            (b"12", 12),
            (b" 12abc", 12),
            (b"-3", -3),
            (b"+3", 3),
            (b"x3", 0),
            (b"- 3", 0),
            (b"99999999999999999999", i64::MAX),
            (b"-99999999999999999999", -i64::MAX),
        ];
        for (bytes, expected) in cases {
            assert_eq!(number(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn only_the_digits_that_a_number_is_written_with_are_a_number() {
        assert_eq!(exact_number(b"-5"), Some(-5));
        for text in ["05", "+5", " 5", "", "5x", "-0"] {
            assert_eq!(exact_number(text.as_bytes()), None, "{text}");
        }
    }
}
