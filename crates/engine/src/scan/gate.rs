//! What a value must have for a rule's operator to be asked at all.

use super::byte_table::ByteTable;
use secbeat_pattern::PrefilterBuilder;
use secbeat_seclang::{Operator, Segment, Text};
use secbeat_transform::ByteSet;
use std::fmt::Write;

/// The gate of a rule. Gates may open in vain, never stay shut in vain: behind each stands the operator itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// The literal filter finds the rule.
    Filter,
    /// The value holds a byte of the sets with these bits.
    Bytes(u64),
    /// There is none: the operator is asked about each value.
    Open,
    /// It may be an injection of SQL.
    Sqli,
    /// It may be an injection of script.
    Xss,
}

impl Gate {
    /// The gate of an operator, its patterns handed to the filter. With `folded`, the filter may be shown
    /// values of which the letters are still to be made lower case. `None`: what the operator says depends on the transaction.
    pub fn of(
        rule: u16,
        (operator, negated): (&Operator, bool),
        folded: bool,
        bytes: &mut ByteTable,
        filter: &mut PrefilterBuilder,
    ) -> Option<Gate> {
        if has_macros(operator) {
            return None;
        }
        if negated {
            return Some(Gate::Open);
        }
        let mut search = |pattern: String| match folded {
            // What an expression finds in lower case, it finds in either case of the letters before.
            true => filter.pattern(rule, &format!("(?i:{pattern})")),
            false => filter.pattern(rule, &pattern),
        };
        match operator {
            Operator::Rx(text) | Operator::RxGlobal(text) => search(literal(text)?),
            Operator::Pm(phrases) => filter.phrases(rule, phrases),
            Operator::BeginsWith(text)
            | Operator::Contains(text)
            | Operator::ContainsWord(text)
            | Operator::EndsWith(text)
            | Operator::StrEq(text)
            | Operator::StrMatch(text) => search(escaped(&literal(text)?)),
            Operator::ValidateByteRange(allowed) => {
                return Some(Gate::Bytes(bytes.bit(&ByteSet(allowed.map(|word| !word)))));
            }
            Operator::ValidateUrlEncoding => return Some(Gate::Bytes(bytes.bit(&ByteSet::of(b"%")))),
            Operator::ValidateUtf8Encoding => {
                return Some(Gate::Bytes(bytes.bit(&ByteSet([0, 0, u64::MAX, u64::MAX]))));
            }
            Operator::DetectSqli => return Some(Gate::Sqli),
            Operator::DetectXss => return Some(Gate::Xss),
            _ => return Some(Gate::Open),
        }
        Some(Gate::Filter)
    }
}

/// Whether the argument of an operator holds macros: what it is depends on the transaction.
pub fn has_macros(operator: &Operator) -> bool {
    match operator {
        Operator::Rx(text)
        | Operator::RxGlobal(text)
        | Operator::BeginsWith(text)
        | Operator::Contains(text)
        | Operator::ContainsWord(text)
        | Operator::EndsWith(text)
        | Operator::StrEq(text)
        | Operator::StrMatch(text)
        | Operator::Within(text)
        | Operator::Compare(_, text) => literal(text).is_none(),
        _ => false,
    }
}

/// A text without macros.
fn literal(text: &Text) -> Option<String> {
    let part = |segment: &Segment| match segment {
        Segment::Literal(part) => Some(part.to_string()),
        Segment::Macro(..) => None,
    };
    text.0.iter().map(part).collect()
}

/// An expression that matches these bytes and nothing else.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut pattern, byte| {
        // Writing to a string cannot fail.
        let _ = write!(pattern, "\\x{byte:02x}");
        pattern
    })
}
