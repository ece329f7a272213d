//! One field line: `name ":" OWS value OWS CRLF`, RFC 9112 5.

use crate::bytes::{CR, HTAB, LF, SP, is_ows, token_len, value_len};
use crate::{Known, Limits, Span};

/// A field of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name as it was sent: a token.
    pub name: Span,
    /// The value as it was sent, without whitespace at its ends; may be empty.
    pub value: Span,
    /// Which special name it is.
    pub known: Known,
    /// Whether it must not be sent on: by its name, or because `Connection` names it.
    pub hop_by_hop: bool,
}

errors! {
    /// Why a field section cannot be read.
    FieldError {
        /// A line feed with no carriage return before it.
        BareLineFeed => 400, "bare_line_feed", "a line ends in LF alone; expected CR LF";
        /// A carriage return with no line feed behind it.
        BareCarriageReturn => 400, "bare_carriage_return", "CR is not followed by LF; expected CR LF at the end of a line and nowhere else";
        /// A line that begins with whitespace: the continuation of RFC 9112 5.2, or a smuggled first line (2.2).
        LineFolding => 400, "line_folding", "a field line begins with whitespace; expected each field on one line of its own";
        /// A colon with no name before it.
        EmptyName => 400, "empty_field_name", "a field line begins with a colon; expected a name before it";
        /// Whitespace between name and colon (RFC 9112 5.1).
        SpaceBeforeColon => 400, "space_before_colon", "there is whitespace between a field's name and its colon; expected none";
        /// A line with no colon.
        MissingColon => 400, "missing_colon", "a field line has no colon; expected `name: value`";
        /// A byte that no name may have.
        InvalidName(byte: u8) => 400, "invalid_field_name", "a field name has byte {byte:#04x}; expected a token (letters, digits and !#$%&'*+-.^_`|~)";
        /// A byte that no value may have.
        InvalidValue(byte: u8) => 400, "invalid_field_value", "a field value has control byte {byte:#04x}; expected visible characters, spaces and tabs";
        /// A field line is too long.
        FieldTooLarge(limit: u32) => 431, "field_too_large", "a field line is longer than {limit} bytes, the limit for one field";
        /// There are too many fields.
        TooManyFields(limit: u32) => 431, "too_many_fields", "there are more than {limit} fields, the limit for a head";
        /// The head is too long.
        HeadTooLarge(limit: u32) => 431, "head_too_large", "the head is longer than {limit} bytes, the limit for a head";
    }
    from {}
}

/// What stands at the start of a line.
pub(crate) enum Line {
    /// The line is not all here.
    Partial,
    /// The empty line that ends the section.
    End,
    /// A field, and the length of its line with CR LF.
    Field(Field, usize),
}

/// Reads the line at `start` of `buf`. A longer `buf` never changes an answer other than [`Line::Partial`].
#[inline]
pub(crate) fn line(buf: &[u8], start: usize, line_bytes_max: u32) -> Result<Line, FieldError> {
    let rest = buf.get(start..).unwrap_or_default();
    let window = line_bytes_max as usize + 2;
    match rest.get(..window) {
        None => read(rest, start),
        Some(window) => match read(window, start)? {
            Line::Partial => Err(FieldError::FieldTooLarge(line_bytes_max)),
            line => Ok(line),
        },
    }
}

#[inline]
fn read(rest: &[u8], start: usize) -> Result<Line, FieldError> {
    let name_len = token_len(rest);
    match rest.get(name_len) {
        Some(b':') if name_len > 0 => {}
        Some(&CR) if name_len == 0 => {
            return match rest.get(1) {
                None => Ok(Line::Partial),
                Some(&LF) => Ok(Line::End),
                Some(_) => Err(FieldError::BareCarriageReturn),
            };
        }
        None => return Ok(Line::Partial),
        Some(&byte) => return Err(name_error(byte, name_len)),
    }
    let after_colon = rest.get(name_len + 1..).unwrap_or_default();
    let padding = match after_colon {
        [SP, byte, ..] if !is_ows(*byte) => 1,
        _ => after_colon.iter().position(|&byte| !is_ows(byte)).unwrap_or(after_colon.len()),
    };
    let value = after_colon.get(padding..).unwrap_or_default();
    let value_len = value_len(value);
    let line_len = name_len + 1 + padding + value_len + 2;
    match (value.get(value_len), value.get(value_len + 1)) {
        (Some(&CR), Some(&LF)) => {}
        (None, _) | (Some(&CR), None) => return Ok(Line::Partial),
        (Some(&CR), _) => return Err(FieldError::BareCarriageReturn),
        (Some(&LF), _) => return Err(FieldError::BareLineFeed),
        (Some(&byte), _) => return Err(FieldError::InvalidValue(byte)),
    }
    let value = value.get(..value_len).unwrap_or_default();
    let trimmed = value.iter().rposition(|&byte| !is_ows(byte)).map_or(0, |last| last + 1);
    let value_start = start + name_len + 1 + padding;
    let known = Known::of(rest.get(..name_len).unwrap_or_default());
    let field = Field {
        name: Span::new(start, start + name_len),
        value: Span::new(value_start, value_start + trimmed),
        known,
        hop_by_hop: known.is_hop_by_hop(),
    };
    Ok(Line::Field(field, line_len))
}

#[cold]
fn name_error(byte: u8, name_len: usize) -> FieldError {
    match byte {
        b':' => FieldError::EmptyName,
        SP | HTAB if name_len == 0 => FieldError::LineFolding,
        SP | HTAB => FieldError::SpaceBeforeColon,
        LF => FieldError::BareLineFeed,
        CR => FieldError::MissingColon,
        byte => FieldError::InvalidName(byte),
    }
}

/// Reads the field lines from `at` on into `fields`. Where the section ends; `None`: it is not all here. Only as much
/// of the buffer is looked at as a head may fill, so that a head passes or fails however it is cut into reads.
#[inline]
pub(crate) fn section(
    buf: &[u8],
    mut at: usize,
    fields: &mut Vec<Field>,
    limits: &Limits,
) -> Result<Option<usize>, FieldError> {
    let (buf, is_full) = head_window(buf, limits);
    loop {
        match line(buf, at, limits.field_bytes_max)? {
            Line::Field(field, len) => {
                if fields.len() >= limits.fields_max as usize {
                    return Err(FieldError::TooManyFields(limits.fields_max));
                }
                fields.push(field);
                at += len;
            }
            Line::End => return Ok(Some(at + 2)),
            Line::Partial if is_full => return Err(FieldError::HeadTooLarge(limits.head_bytes_max)),
            Line::Partial => return Ok(None),
        }
    }
}

/// As much of `buf` as a head may fill, and whether that is all it may.
#[inline]
pub(crate) fn head_window<'a>(buf: &'a [u8], limits: &Limits) -> (&'a [u8], bool) {
    match buf.get(..limits.head_bytes_max as usize) {
        Some(window) => (window, true),
        None => (buf, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<Option<[&[u8]; 2]>, FieldError> {
        match line(text, 0, 40)? {
            Line::Field(field, len) => {
                assert_eq!(len, text.len(), "{}", text.escape_ascii());
                Ok(Some([field.name.of(text), field.value.of(text)]))
            }
            Line::End | Line::Partial => Ok(None),
        }
    }

    #[test]
    fn a_field_is_read_without_the_whitespace_around_its_value() {
        assert_eq!(parse(b"A-b: c\r\n"), Ok(Some([&b"A-b"[..], &b"c"[..]])));
        assert_eq!(parse(b"a:\t c\td \t \r\n"), Ok(Some([&b"a"[..], &b"c\td"[..]])));
        assert_eq!(parse(b"a:\r\n"), Ok(Some([&b"a"[..], &b""[..]])));
        assert_eq!(parse(b"a: \t \r\n"), Ok(Some([&b"a"[..], &b""[..]])));
        assert_eq!(parse(b"a: \xff:\xe9 \"\r\n"), Ok(Some([&b"a"[..], &b"\xff:\xe9 \""[..]])));
    }

    #[test]
    fn every_way_to_write_it_wrong_has_its_own_error() {
        use FieldError::*;
        let wrong: [(&[u8], FieldError); 14] = [
            (b"a: b\n", BareLineFeed),
            (b"a\n", BareLineFeed),
            (b"\n", BareLineFeed),
            (b"a: b\rc\r\n", BareCarriageReturn),
            (b"\rx", BareCarriageReturn),
            (b" a: b\r\n", LineFolding),
            (b"\ta: b\r\n", LineFolding),
            (b": b\r\n", EmptyName),
            (b"a : b\r\n", SpaceBeforeColon),
            (b"ab\r\n", MissingColon),
            (b"a(: b\r\n", InvalidName(b'(')),
            (b"\xe9: b\r\n", InvalidName(0xe9)),
            (b"a: b\0\r\n", InvalidValue(0)),
            (b"a: \x7f\r\n", InvalidValue(0x7f)),
        ];
        for (text, error) in wrong {
            assert_eq!(parse(text), Err(error), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_line_may_reach_its_limit_and_not_pass_it() {
        let line = |value: usize| [b"a: ".to_vec(), vec![b'x'; value], b"\r\n".to_vec()].concat();
        assert!(parse(&line(37)).is_ok());
        assert_eq!(parse(&line(38)), Err(FieldError::FieldTooLarge(40)));
        assert_eq!(parse(&line(100)), Err(FieldError::FieldTooLarge(40)));
    }
}
