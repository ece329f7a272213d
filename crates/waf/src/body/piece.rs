//! What the walkers give: one value, its name, and where in the original bytes it stands.

use std::ops::Range;

/// Takes one piece of a body or a query.
pub type Sink<'s> = dyn FnMut(Piece<'_>) + 's;

/// One value. A name is a value too, and is given under itself.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    /// Its name (`user.name`, `file.filename`; empty for the whole).
    pub name: &'a [u8],
    /// Its bytes, as the format of the body means them.
    pub value: &'a [u8],
    /// Where it stands and how it is written there; `None` where it cannot be replaced: names, numbers, part headers.
    pub spot: Option<Spot<'a>>,
}

/// Where a value stands in the bytes that it was taken from.
#[derive(Debug, Clone)]
pub struct Spot<'a> {
    /// Its bytes there.
    pub range: Range<usize>,
    /// How it is written there.
    pub text: Text<'a>,
}

impl Spot<'_> {
    /// The same in bytes that have `before` more at their beginning.
    pub(crate) fn moved_by(self, before: usize) -> Self {
        Spot { range: self.range.start + before..self.range.end + before, ..self }
    }
}

/// How a value is written where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// Percent-encoded, between `&`: the value that is given is still encoded.
    Argument,
    /// A JSON string, quotes included.
    Json,
    /// Text or an attribute's value in XML.
    Xml,
    /// The content of a part that ends at this delimiter, CRLF included.
    Part(&'a [u8]),
    /// The value of a header field.
    Field,
    /// The value of a cookie.
    Cookie,
}

impl Text<'_> {
    /// `value` as it is to be written; `is_raw` where its bytes are still those that stand there, with some cut out.
    /// `None`: it cannot be written so that it is read back as it is meant.
    pub(crate) fn write(&self, value: Vec<u8>, is_raw: bool) -> Option<Vec<u8>> {
        let is_control = |b: &u8| b.is_ascii_control() && *b != b'\t';
        match self {
            Text::Argument if is_raw => Some(value),
            Text::Argument => Some(percent_encoded(&value)),
            Text::Json => serde_json::to_vec(std::str::from_utf8(&value).ok()?).ok(),
            Text::Xml => xml_escaped(std::str::from_utf8(&value).ok()?),
            Text::Part(delimiter) => {
                let before = [b"\r\n", value.as_slice()].concat();
                memchr::memmem::find(&before, delimiter).is_none().then_some(value)
            }
            Text::Field => (!value.iter().any(is_control)).then_some(value),
            Text::Cookie => (!value.iter().any(|b| *b == b';' || is_control(b))).then_some(value),
        }
    }
}

/// All but unreserved characters (RFC 3986 2.3) as `%XX`.
fn percent_encoded(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for &byte in value {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte);
        } else {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// With the five references for what they stand for, and line ends and tabs by number, so that no attribute loses them;
/// `None` where a character cannot be in XML (XML 1.0, 2.2).
fn xml_escaped(value: &str) -> Option<Vec<u8>> {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => return None,
            _ => out.push(c),
        }
    }
    Some(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: Text<'_>, value: &str) -> Option<String> {
        text.write(value.into(), false).map(|out| String::from_utf8(out).unwrap())
    }

    #[test]
    fn each_place_has_its_own_writing() {
        assert_eq!(written(Text::Argument, "a b&c=d%~"), Some("a%20b%26c%3Dd%25~".into()));
        assert_eq!(Text::Argument.write(b"a%20b".to_vec(), true), Some(b"a%20b".to_vec()));
        assert_eq!(written(Text::Json, "a\"\n"), Some(r#""a\"\n""#.into()));
        assert_eq!(written(Text::Xml, "<a b='\n'>"), Some("&lt;a b=&apos;&#10;&apos;&gt;".into()));
        assert_eq!(written(Text::Field, "a\tb"), Some("a\tb".into()));
        assert_eq!(written(Text::Cookie, "a b"), Some("a b".into()));
        assert_eq!(written(Text::Part(b"\r\n--x"), "a\r\n--y"), Some("a\r\n--y".into()));
    }

    #[test]
    fn what_would_be_read_otherwise_is_not_written() {
        assert_eq!(Text::Json.write(b"\xff".to_vec(), false), None);
        assert_eq!(written(Text::Xml, "\u{1}"), None);
        for bad in ["a\r\nb", "a\0"] {
            assert_eq!((written(Text::Field, bad), written(Text::Cookie, bad)), (None, None));
        }
        assert_eq!(written(Text::Cookie, "a;b"), None);
        for bad in ["a\r\n--x", "--x", "a\r\n--xyz"] {
            assert_eq!(written(Text::Part(b"\r\n--x"), bad), None, "{bad:?}");
        }
    }
}
