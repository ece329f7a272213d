//! The words of XML: names, references, the encoding of a declaration.

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

/// A reference that is none of XML's.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unresolved<'t> {
    /// The text before it, references undone.
    pub(super) before: Vec<u8>,
    /// It, and all that follows.
    pub(super) rest: &'t [u8],
}

/// `text` with its references undone; `None` where it has none.
pub(super) fn resolve(text: &[u8]) -> Result<Option<Vec<u8>>, Unresolved<'_>> {
    if memchr::memchr(b'&', text).is_none() {
        return Ok(None);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (plain, reference) = rest.split_at_checked(at).unwrap_or_default();
        out.extend_from_slice(plain);
        let Some((c, after)) = character(reference) else {
            return Err(Unresolved { before: out, rest: reference });
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(Some(out))
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

/// The encoding that a declaration names, in lower case; `utf-8` where it names none; `None` where it does so otherwise
/// than once and in quotes.
pub(super) fn encoding(declaration: &[u8]) -> Option<Vec<u8>> {
    let mut mentions = memchr::memmem::find_iter(declaration, b"encoding");
    let Some(at) = mentions.next() else { return Some(b"utf-8".to_vec()) };
    let rest = declaration.get(at + b"encoding".len()..)?.trim_ascii_start();
    let (quote, rest) = rest.strip_prefix(b"=")?.trim_ascii_start().split_first()?;
    if !matches!(quote, b'"' | b'\'') || mentions.next().is_some() {
        return None;
    }
    Some(rest.get(..memchr::memchr(*quote, rest)?)?.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_the_five_and_numbers() {
        let resolved = |text: &'static str| {
            resolve(text.as_bytes()).map(|text| text.map(|t| String::from_utf8(t).unwrap()))
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
    fn an_encoding_is_named_once_and_in_quotes() {
        let named = |text: &str| encoding(text.as_bytes()).map(|name| String::from_utf8(name).unwrap());
        assert_eq!(named(" version=\"1.0\" encoding='ISO-8859-1'"), Some("iso-8859-1".into()));
        assert_eq!(named(" version=\"1.0\""), Some("utf-8".into()));
        for bad in [" encoding", " encoding=utf-8", " encoding='a' encoding='b'", " encoding=\"a"] {
            assert_eq!(named(bad), None, "{bad}");
        }
    }
}
