//! The words of XML: names, references, the encoding of a declaration.

use super::BodyError;

/// The longest reference that is one: `&#x0010FFFF;` and a few zeros.
pub(super) const REFERENCE_LEN_MAX: usize = 16;

/// How many bytes of a name (XML 1.0, 2.3) `text` begins with. Outside of ASCII every character may be in one: what
/// another parser refuses there does no harm here.
pub(super) fn name_len(text: &[u8]) -> usize {
    let may_start = |b: &u8| b.is_ascii_alphabetic() || matches!(b, b'_' | b':') || *b >= 0x80;
    let may_follow = |b: &u8| may_start(b) || b.is_ascii_digit() || matches!(b, b'-' | b'.');
    match text.first() {
        Some(first) if may_start(first) => text.iter().take_while(|b| may_follow(b)).count(),
        _ => 0,
    }
}

/// Control characters are none of XML's, and what says that it is UTF-8 is.
pub(super) fn check_characters(body: &[u8], is_utf8: bool, complete: bool) -> Result<(), BodyError> {
    let malformed = |expected, offset| Err(BodyError::Malformed { expected, offset });
    let is_control = |b: &u8| *b < b' ' && !matches!(b, b'\t' | b'\n' | b'\r');
    if let Some(at) = body.iter().position(is_control) {
        return malformed("no control character", at);
    }
    match std::str::from_utf8(body) {
        Err(error) if is_utf8 && (complete || error.error_len().is_some()) => {
            malformed("UTF-8", error.valid_up_to())
        }
        _ => Ok(()),
    }
}

/// A reference that is none of XML's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unresolved<'t> {
    /// The text before it, references undone.
    pub(super) before: Vec<u8>,
    /// It, and all that follows.
    pub(super) rest: &'t [u8],
}

/// Where characters stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Between tags: an end of a line, however it is written, is `\n` (XML 1.0, 2.11).
    Text,
    /// In the value of an attribute: white space is a space (XML 1.0, 3.3.3).
    Attribute,
}

/// `text` as a parser of XML gives it, references undone and white space made one kind; `None` where it is so already.
pub(super) fn resolve(text: &[u8], place: Place) -> Result<Option<Vec<u8>>, Unresolved<'_>> {
    let is_plain = |byte: &u8| match byte {
        b'&' | b'\r' => false,
        b'\t' | b'\n' => place == Place::Text,
        _ => true,
    };
    if text.iter().all(is_plain) {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (plain, reference) = rest.split_at_checked(at).unwrap_or_default();
        normalise(plain, place, &mut out);
        let Some((c, after)) = character(reference) else {
            return Err(Unresolved { before: out, rest: reference });
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = after;
    }
    normalise(rest, place, &mut out);
    Ok(Some(out))
}

/// Appends `text`, in which no reference is, its white space as its place has it.
pub(super) fn normalise(text: &[u8], place: Place, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = if byte == b'\r' { after.strip_prefix(b"\n").unwrap_or(after) } else { after };
        out.push(match (byte, place) {
            (b'\t' | b'\n' | b'\r', Place::Attribute) => b' ',
            (b'\r', Place::Text) => b'\n',
            _ => byte,
        });
    }
}

/// The character that a reference stands for, and what follows it.
fn character(reference: &[u8]) -> Option<(char, &[u8])> {
    let near = reference.get(..reference.len().min(REFERENCE_LEN_MAX))?;
    let end = memchr::memchr(b';', near)?;
    let name = std::str::from_utf8(near.get(1..end)?).ok()?;
    let c = match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
            // Not a sign, which `from_str_radix` would take.
            let code = digits.chars().all(|c| c.is_digit(radix)).then_some(digits)?;
            char::from_u32(u32::from_str_radix(code, radix).ok()?)?
        }
    };
    // XML 1.0, 2.2.
    let is_legal = matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    is_legal.then_some((c, reference.get(end + 1..)?))
}

/// The encoding that a declaration (XML 1.0, 2.8: what stands between `<?xml` and `?>`) names, in lower case; `utf-8` where
/// it names none.
/// `None`: it is anything but a version, then an encoding, then whether it stands alone, the last two optional. Parsers that
/// take more differ in what they make of it.
pub(super) fn encoding(declaration: &[u8]) -> Option<Vec<u8>> {
    let (version, rest) = pseudo_attribute(declaration, b"version")?;
    let minor = version.strip_prefix(b"1.")?;
    if minor.is_empty() || !minor.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (encoding, rest) = pseudo_attribute(rest, b"encoding").unwrap_or((b"utf-8", rest));
    let may_follow = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
    if !encoding.first().is_some_and(u8::is_ascii_alphabetic) || !encoding.iter().all(may_follow) {
        return None;
    }
    let (standalone, rest) = pseudo_attribute(rest, b"standalone").unwrap_or((b"no", rest));
    (matches!(standalone, b"yes" | b"no") && skip_space(rest).is_empty())
        .then(|| encoding.to_ascii_lowercase())
}

/// The value of ` name = "value"`, and what follows it.
fn pseudo_attribute<'t>(text: &'t [u8], name: &[u8]) -> Option<(&'t [u8], &'t [u8])> {
    let rest = skip_space(text).strip_prefix(name).filter(|_| skip_space(text).len() < text.len())?;
    let (quote, rest) = skip_space(skip_space(rest).strip_prefix(b"=")?).split_first()?;
    let end = memchr::memchr(*quote, rest).filter(|_| matches!(quote, b'"' | b'\''))?;
    Some((rest.get(..end)?, rest.get(end + 1..)?))
}

/// What follows the white space (XML 1.0, 2.3) that `text` begins with.
fn skip_space(text: &[u8]) -> &[u8] {
    let is_space = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | b'\r');
    text.get(text.iter().take_while(|b| is_space(b)).count()..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_the_five_and_numbers() {
        let resolved = |text: &'static str| {
            resolve(text.as_bytes(), Place::Text).map(|text| text.map(|t| String::from_utf8(t).unwrap()))
        };
        assert_eq!(resolved("&lt;a b=&quot;&apos;&#39;&gt;&amp;lt;"), Ok(Some("<a b=\"''>&lt;".into())));
        assert_eq!(resolved("&#x3C;&#0000060;&#x1F600;"), Ok(Some("<<😀".into())));
        assert_eq!(resolved("plain"), Ok(None));
        for bad in [
            "&nbsp;", "&", "& ", "&#0;", "&#x1;", "&#xD800;", "&#;", "&#x;", "&#+60;", "&#X3c;", "&#xFFFE;",
            "&lt",
        ] {
            assert_eq!(resolved(bad), Err(Unresolved { before: vec![], rest: bad.as_bytes() }), "{bad}");
        }
    }

    #[test]
    fn white_space_is_as_parsers_give_it() {
        let resolved = |text: &'static str, place| {
            let resolved = resolve(text.as_bytes(), place).unwrap();
            resolved.map_or(text.to_owned(), |text| String::from_utf8(text).unwrap())
        };
        assert_eq!(resolved("a\r\nb\rc\nd\te", Place::Text), "a\nb\nc\nd\te");
        assert_eq!(resolved("a\r\nb\rc\nd\te", Place::Attribute), "a b c d e");
        assert_eq!(resolved("a&#13;&#10;&#9;", Place::Attribute), "a\r\n\t");
    }

    #[test]
    fn a_declaration_is_a_version_an_encoding_and_whether_it_stands_alone() {
        let named =
            |text: &'static str| encoding(text.as_bytes()).map(|name| String::from_utf8(name).unwrap());
        for (declaration, expected) in [
            (" version=\"1.0\" encoding='ISO-8859-1'", "iso-8859-1"),
            (" version=\"1.0\"", "utf-8"),
            ("\n version = '1.1'\tencoding = \"utf-8\" standalone='yes' ", "utf-8"),
            (" version='1.0' standalone='no'", "utf-8"),
        ] {
            assert_eq!(named(declaration).as_deref(), Some(expected), "{declaration}");
        }
        for bad in [
            "",
            " encoding='utf-8'",
            "version='1.0'",
            " version='1'",
            " version='2.0'",
            " version='1.0x'",
            " version=1.0",
            " version='1.0\"",
            " version='1.0'encoding='utf-8'",
            " version='1.0' encoding",
            " version='1.0' encoding=utf-8",
            " version='1.0' encoding=''",
            " version='1.0' encoding='8'",
            " version='1.0' encoding='utf 8'",
            " version='1.0' encoding='a' encoding='b'",
            " version='1.0' encoding=\"a",
            " version='1.0' ENCODING='utf-16'",
            " version='1.0' encodinG='utf-16'",
            " version='1.0' charset='utf-16'",
            " version='1.0' standalone='maybe'",
            " version='1.0' standalone='yes' encoding='utf-8'",
            " version='1.0' x='y'",
            " version='1.0' <",
            " version='1.0'\u{c}",
        ] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }
}
