//! Content types (RFC 9110 8.3): which bodies are inspected, and with which parameters.

/// A kind of body that is inspected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// `application/x-www-form-urlencoded`.
    Urlencoded,
    /// `application/json`, `text/json` and every `+json`.
    Json,
    /// `multipart/form-data`.
    Multipart,
}

impl BodyKind {
    /// The kind of body that a `Content-Type` announces; `None`: it is not inspected.
    pub fn of(content_type: &[u8]) -> Option<Self> {
        let end = content_type.iter().position(|&b| b == b';').unwrap_or(content_type.len());
        let essence = content_type.get(..end).unwrap_or_default().trim_ascii().to_ascii_lowercase();
        match essence.as_slice() {
            b"application/x-www-form-urlencoded" => Some(BodyKind::Urlencoded),
            b"application/json" | b"text/json" => Some(BodyKind::Json),
            other if other.ends_with(b"+json") => Some(BodyKind::Json),
            b"multipart/form-data" => Some(BodyKind::Multipart),
            _ => None,
        }
    }
}

/// Whether the `charset` of a content type gives ASCII bytes another meaning (UTF-16, UTF-32, UTF-7, EBCDIC), so that
/// what is read here is not what the backend reads.
pub fn reads_ascii_otherwise(content_type: &[u8]) -> bool {
    const OTHERWISE: &[&[u8]] =
        &[b"utf-16", b"utf16", b"utf-32", b"utf32", b"utf-7", b"utf7", b"ucs-", b"ibm", b"cp", b"ebcdic"];
    // Code pages of Windows and DOS that are ASCII below 0x80.
    const ASCII_CODE_PAGES: &[&[u8]] =
        &[b"cp125", b"cp8", b"cp437", b"cp932", b"cp936", b"cp949", b"cp950", b"ibm8", b"ibm437"];
    parameters(content_type).is_some_and(|parameters| {
        parameters.iter().filter(|(name, _)| name == b"charset").any(|(_, value)| {
            let value = value.to_ascii_lowercase();
            OTHERWISE.iter().any(|prefix| value.starts_with(prefix))
                && !ASCII_CODE_PAGES.iter().any(|prefix| value.starts_with(prefix))
        })
    })
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
        for streamed in ["application/grpc", "application/octet-stream", "video/mp4", "", "multipart/mixed"] {
            assert_eq!(BodyKind::of(streamed.as_bytes()), None, "{streamed}");
        }
    }

    #[test]
    fn a_charset_that_hides_ascii_is_found() {
        assert!(reads_ascii_otherwise(b"application/x-www-form-urlencoded; charset=ibm037"));
        assert!(reads_ascii_otherwise(b"application/json;charset=\"UTF-16LE\""));
        for plain in ["utf-8", "iso-8859-1", "windows-1252", "shift_jis", "cp1252", "IBM850"] {
            assert!(!reads_ascii_otherwise(format!("text/json; charset={plain}").as_bytes()), "{plain}");
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
