//! Content types (RFC 9110 8.3): which bodies are inspected, and with which parameters.

/// A kind of body that is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `application/json`, `text/json` and every `+json`.
    Json,
    /// `multipart/form-data`, and every other `multipart/*`, which some backends read as that.
    Multipart,
    /// `application/xml`, `text/xml` and every `+xml`.
    Xml,
    /// Of another type: not taken apart here, but looked at by rules in SecLang.
    Other,
}

impl BodyKind {
    /// The kind of body that a `Content-Type` announces; `None`: it is not inspected. Whatever a backend may take for a
    /// form is one here: no type at all (Rack), and a type cut at a comma or a space (PHP).
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let (essence, _) = split_essence(content_type);
        match essence.to_ascii_lowercase().as_slice() {
            b"" | b"application/x-www-form-urlencoded" => Some(BodyKind::Urlencoded),
            b"application/json" | b"text/json" => Some(BodyKind::Json),
            other if other.ends_with(b"+json") => Some(BodyKind::Json),
            b"application/xml" | b"text/xml" => Some(BodyKind::Xml),
            other if other.ends_with(b"+xml") => Some(BodyKind::Xml),
            other if other.starts_with(b"multipart/") => Some(BodyKind::Multipart),
            _ => None,
        }
    }
}

/// The media type, and what follows it: as PHP does, it is cut at the first `;`, `,` or whitespace.
fn split_essence(content_type: &[u8]) -> (&[u8], &[u8]) {
    let text = content_type.trim_ascii_start();
    let is_end = |b: &u8| matches!(b, b';' | b',') || b.is_ascii_whitespace();
    text.split_at(text.iter().position(is_end).unwrap_or(text.len()))
}

/// Where a content type lets a backend read the body otherwise than it is read here: what was expected instead.
pub fn ambiguity(content_type: &[u8]) -> Option<&'static str> {
    let (_, rest) = split_essence(content_type);
    if !matches!(rest.trim_ascii_start(), [] | [b';', ..]) {
        return Some("one media type, with `;` before its parameters, in the content type");
    }
    (!every_charset_contains_ascii(content_type))
        .then_some("a charset that contains ASCII in the content type, such as utf-8")
}

/// Whether each mention of `charset`, anywhere in the field value, is followed by `=` and the name of an encoding in
/// which the bytes below 0x80 are ASCII wherever they stand. Backends differ in how they find the parameter (some look
/// for the word alone), so it is not asked where it stands; and what is not known is refused.
fn every_charset_contains_ascii(content_type: &[u8]) -> bool {
    let lower = content_type.to_ascii_lowercase();
    memchr::memmem::find_iter(&lower, b"charset").all(|at| {
        let rest = lower.get(at + b"charset".len()..).unwrap_or_default().trim_ascii_start();
        rest.strip_prefix(b"=").is_some_and(|value| {
            let value = value.trim_ascii_start();
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let is_end = |b: &u8| matches!(b, b';' | b',' | b'"') || b.is_ascii_whitespace();
            let end = value.iter().position(is_end).unwrap_or(value.len());
            let name = value.get(..end).unwrap_or_default();
            // Some clients quote it so. A backend that takes the quotes for a part of the name does not know the name.
            let bare = name.strip_prefix(b"'").and_then(|name| name.strip_suffix(b"'"));
            contains_ascii(bare.unwrap_or(name))
        })
    })
}

/// Whether an encoding, named in lower case, is known to be a superset of ASCII without ASCII bytes inside longer
/// characters. Not UTF-16, UTF-7 and EBCDIC; nor GBK, Big5 and Shift JIS, where a backslash may be half a character.
pub(super) fn contains_ascii(charset: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"utf-8",
        b"utf8",
        b"us-ascii",
        b"ascii",
        b"latin1",
        b"latin-1",
        b"l1",
        b"koi8-r",
        b"koi8-u",
        b"euc-jp",
        b"tis-620",
        b"windows-874",
        b"ibm437",
        b"cp437",
        b"ibm850",
        b"cp850",
        b"ibm852",
        b"cp852",
        b"ibm866",
        b"cp866",
    ];
    const FAMILIES: &[&[u8]] = &[b"iso-8859-", b"iso8859-", b"iso_8859-", b"windows-125", b"cp125"];
    let is_number = |text: &[u8]| (1..=2).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    NAMES.contains(&charset)
        || FAMILIES.iter().any(|family| charset.strip_prefix(*family).is_some_and(is_number))
}

/// The parameters after the first `;` of a field value, names in lower case, quotes and backslashes undone; `None`
/// where it is malformed.
pub(super) fn parameters(value: &[u8]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut parameters = Vec::new();
    let mut rest = value.get(memchr::memchr(b';', value).unwrap_or(value.len())..)?;
    loop {
        rest = rest.trim_ascii_start();
        let Some(after) = rest.strip_prefix(b";") else {
            return rest.is_empty().then_some(parameters);
        };
        rest = after.trim_ascii_start();
        if rest.is_empty() || rest.starts_with(b";") {
            continue;
        }
        let (name, after) = rest.split_at_checked(memchr::memchr(b'=', rest)?)?;
        if name.is_empty() || name.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b';' | b'"')) {
            return None;
        }
        let (value, after) = parameter_value(after.get(1..)?)?;
        parameters.push((name.to_ascii_lowercase(), value));
        rest = after;
    }
}

/// A token or a quoted string, and what follows it.
fn parameter_value(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let Some(mut rest) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|b| *b == b';' || b.is_ascii_whitespace()).unwrap_or(text.len());
        let (token, after) = text.split_at_checked(end)?;
        return (!token.is_empty() && !token.contains(&b'"')).then(|| (token.to_vec(), after));
    };
    let mut value = Vec::new();
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((value, rest)),
            // Browsers write Windows paths unescaped; only a quote or a backslash is escaped.
            b'\\' if matches!(rest.first(), Some(b'"' | b'\\')) => {
                let (&escaped, after) = rest.split_first()?;
                value.push(escaped);
                rest = after;
            }
            _ => value.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_what_the_type_says() {
        assert_eq!(BodyKind::of(b"Application/JSON; charset=utf-8"), Some(BodyKind::Json));
        assert_eq!(BodyKind::of(b"application/problem+json"), Some(BodyKind::Json));
        assert_eq!(BodyKind::of(b"multipart/form-data;boundary=x"), Some(BodyKind::Multipart));
        assert_eq!(BodyKind::of(b"application/x-www-form-urlencoded"), Some(BodyKind::Urlencoded));
        for streamed in ["application/grpc", "application/octet-stream", "video/mp4", "text/plain"] {
            assert_eq!(BodyKind::of(streamed.as_bytes()), None, "{streamed}");
        }
    }

    #[test]
    fn what_some_backend_takes_for_a_form_is_one() {
        for form in [
            "",
            " ",
            "; charset=utf-8",
            "application/x-www-form-urlencoded,",
            "\tapplication/X-www-form-urlencoded x",
        ] {
            assert_eq!(BodyKind::of(form.as_bytes()), Some(BodyKind::Urlencoded), "{form:?}");
        }
        for parts in ["multipart/form-data,boundary=x", "multipart/mixed; boundary=x", "Multipart/Related"] {
            assert_eq!(BodyKind::of(parts.as_bytes()), Some(BodyKind::Multipart), "{parts:?}");
        }
    }

    #[test]
    fn a_type_with_anything_but_parameters_behind_it_is_ambiguous() {
        for bad in [
            "a/b,",
            "a/b, c/d",
            "a/b c",
            "a/b\tc; d=e",
            "a/b , c=d",
            ", a/b",
            "multipart/form-data,boundary=x",
        ] {
            assert!(ambiguity(bad.as_bytes()).is_some(), "{bad:?}");
        }
        for good in ["", "a/b", " a/b ", "a/b;", "a/b ; c=d", "a/b; c=\"d, e f\"", "application/json; utf-8"]
        {
            assert_eq!(ambiguity(good.as_bytes()), None, "{good:?}");
        }
    }

    #[test]
    fn a_charset_that_is_not_known_to_contain_ascii_is_refused() {
        for bad in [
            "charset=ibm037",
            "charset=\"UTF-16LE\"",
            "x; charset=ibm037",
            "x=\"; charset=cp500",
            "Charset = utf-7",
            "charset=utf-8; charset=utf-16",
            "charset=utf-8,charset=utf-16",
            "charset=\"utf\\-16\"",
            "charset*=utf-16",
            "charset*0=utf;charset*1=-16",
            "charset",
            "charset=",
            "charset=gbk",
            "charset=shift_jis",
            "charset=iso-8859-1x",
            "charset=windows-125",
            "charset=utf-8x",
            "charset='utf-16'",
            "charset='utf-8",
            "charset=cp1250000",
        ] {
            assert!(ambiguity(format!("text/json; {bad}").as_bytes()).is_some(), "{bad}");
        }
        for good in [
            "utf-8",
            "\"UTF-8\"",
            "'utf-8'",
            " utf8 ;x=y",
            "iso-8859-15",
            "windows-1252",
            "cp1251",
            "KOI8-R",
            "IBM850",
        ] {
            assert_eq!(ambiguity(format!("text/json; charset={good}").as_bytes()), None, "{good}");
        }
    }

    #[test]
    fn parameters_are_read_strictly() {
        let read = |text: &str| {
            parameters(text.as_bytes()).map(|list| {
                let text = |bytes| String::from_utf8(bytes).unwrap();
                list.into_iter().map(|(name, value)| (text(name), text(value))).collect::<Vec<_>>()
            })
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            read(r#"form-data; Name="a\"b"; filename="C:\x;y""#),
            Some(vec![pair("name", "a\"b"), pair("filename", r"C:\x;y")])
        );
        assert_eq!(read("a/b"), Some(vec![]));
        assert_eq!(read("a/b; x=1;"), Some(vec![pair("x", "1")]));
        for bad in ["a; b", "a; =b", "a; b=\"c", "a; b=", "a; b =c", "a; b=\"c\"d", "a; b=c\"d\""] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
