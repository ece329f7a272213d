//! Classes of bytes, as bits of one table.
//!
//! Most of libinjection's classes hold NUL without naming it: it asks `strchr`, which finds the end of its list.

use super::work::count;

/// Space to the databases: blanks, NUL (Oracle) and the no-break space of Latin-1 (MySQL).
pub const WHITE: u16 = 1;
/// Ends a bareword or a keyword.
pub const WORD_END: u16 = 1 << 1;
/// Parts a word into table and column: `.` and the backtick.
pub const WORD_PART: u16 = 1 << 2;
/// Ends the name of a variable.
pub const VARIABLE_END: u16 = 1 << 3;
/// A decimal digit.
pub const DIGIT: u16 = 1 << 4;
/// A hexadecimal digit, or NUL.
pub const HEX: u16 = 1 << 5;
/// A binary digit, or NUL.
pub const BINARY: u16 = 1 << 6;
/// Part of an amount of money: a digit, `.`, `,`, or NUL.
pub const MONEY: u16 = 1 << 7;
/// Part of the tag of a dollar quotation: an ASCII letter, or NUL.
pub const TAG: u16 = 1 << 8;
/// A byte that only ever continues a bareword or a number: ASCII letters, digits, `_`.
pub const PLAIN: u16 = 1 << 9;

static CLASSES: [u16; 256] = {
    let mut classes = [0; 256];
    mark(&mut classes, b" \t\n\x0b\x0c\r\xa0\0", WHITE);
    mark(&mut classes, b" []{}<>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r\"\xa0\0", WORD_END);
    mark(&mut classes, b".`", WORD_PART);
    mark(&mut classes, b" <>:\\?=@!#~+-*/&|^%(),';\t\n\x0b\x0c\r'`\"\0", VARIABLE_END);
    mark(&mut classes, b"0123456789", DIGIT | PLAIN);
    mark(&mut classes, b"0123456789ABCDEFabcdef\0", HEX);
    mark(&mut classes, b"01\0", BINARY);
    mark(&mut classes, b"0123456789.,\0", MONEY);
    mark(&mut classes, b"abcdefghijklmnopqrstuvwxyz", TAG | PLAIN);
    mark(&mut classes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", TAG | PLAIN);
    mark(&mut classes, b"\0", TAG);
    mark(&mut classes, b"_", PLAIN);
    classes
};

const fn mark(classes: &mut [u16; 256], bytes: &[u8], class: u16) {
    let mut i = 0;
    while i < bytes.len() {
        classes[bytes[i] as usize] |= class;
        i += 1;
    }
}

/// Whether the byte is of one of the classes.
#[inline]
pub fn is(byte: u8, classes: u16) -> bool {
    CLASSES[usize::from(byte)] & classes != 0
}

/// How many bytes at the start are of one of the classes.
#[inline]
pub fn span(bytes: &[u8], classes: u16) -> usize {
    count(bytes.iter().position(|&byte| !is(byte, classes)).unwrap_or(bytes.len()))
}

/// How many bytes at the start are of none of the classes.
#[inline]
pub fn span_until(bytes: &[u8], classes: u16) -> usize {
    count(bytes.iter().position(|&byte| is(byte, classes)).unwrap_or(bytes.len()))
}
