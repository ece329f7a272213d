//! `Content-Disposition` of a part, as ModSecurity reads it (`Multipart::parse_content_disposition`).

/// What is read of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Disposition {
    /// `name`.
    pub name: Vec<u8>,
    /// `filename`; empty: it is no file.
    pub file_name: Vec<u8>,
}

/// White space as C's `isspace` knows it.
pub fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// Reads it; `invalid_quoting` is set where quotes stand that backends read differently.
///
/// # Errors
/// What was expected instead.
pub fn read(value: &[u8], invalid_quoting: &mut bool) -> Result<Disposition, &'static str> {
    let mut rest =
        value.strip_prefix(b"form-data").ok_or("form-data as the Content-Disposition of a part")?;
    let (mut name, mut file_name, mut extended) = (Vec::new(), Vec::new(), Vec::new());
    rest = blank_trimmed(rest);
    while !rest.is_empty() {
        rest = blank_trimmed(rest.strip_prefix(b";").ok_or("a semicolon between parameters")?);
        let end =
            rest.iter().position(|b| matches!(b, b'=' | b' ' | b'\t')).ok_or("`=` behind a parameter")?;
        let (parameter, after) = rest.split_at_checked(end).unwrap_or_default();
        rest = blank_trimmed(blank_trimmed(after).strip_prefix(b"=").ok_or("`=` behind a parameter")?);
        if rest.is_empty() {
            return Err("a value behind `=`");
        }
        let slot = match parameter {
            b"name" => &mut name,
            b"filename" => &mut file_name,
            b"filename*" => &mut extended,
            _ => return Err("no parameters but name, filename and filename* in a Content-Disposition"),
        };
        let (read, after) = if parameter == b"filename*" {
            extended_value(rest)?
        } else {
            plain_value(rest, invalid_quoting)?
        };
        if !slot.is_empty() {
            return Err("each parameter only once in a Content-Disposition");
        }
        *slot = read;
        rest = blank_trimmed(after);
        if !rest.is_empty() && !rest.starts_with(b";") {
            let before = value.get(value.len().saturating_sub(rest.len() + 1));
            *invalid_quoting |= matches!(before, Some(b'\'' | b'"'));
            return Err("a semicolon between parameters");
        }
    }
    if !extended.is_empty() && file_name.is_empty() {
        return Err("filename beside filename*");
    }
    Ok(Disposition { name, file_name })
}

/// A token, or a text in quotes, single ones too, which some backends take: they are flagged.
fn plain_value<'t>(text: &'t [u8], invalid_quoting: &mut bool) -> Result<(Vec<u8>, &'t [u8]), &'static str> {
    let (quote, mut rest) = match text {
        [quote @ (b'"' | b'\''), rest @ ..] => (*quote, rest),
        _ => {
            let end = text.iter().position(|b| !is_token(*b)).unwrap_or(text.len());
            let (token, after) = text.split_at_checked(end).unwrap_or_default();
            *invalid_quoting |= token.contains(&b'\'');
            return Ok((token.to_vec(), after));
        }
    };
    *invalid_quoting |= quote == b'\'';
    let mut value = Vec::new();
    loop {
        match rest {
            [] => return Err("a closing quote"),
            [b'\\'] => return Err("a character behind a backslash"),
            // Anything else behind a backslash: Internet Explorer sent paths so.
            [b'\\', escaped, after @ ..] if *escaped == quote || *escaped == b'\\' => {
                value.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] if *byte == quote => {
                *invalid_quoting |= quote != b'"' && value.contains(&b'\'');
                return Ok((value, after));
            }
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
        }
    }
}

/// `charset'language'value`, percent-encoded (RFC 5987); the value is as it stands there.
fn extended_value(text: &[u8]) -> Result<(Vec<u8>, &[u8]), &'static str> {
    let is_charset = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&+-^_`{}~".contains(b);
    let charset_len = text.iter().take_while(|b| is_charset(b)).count();
    let rest = text.get(charset_len..).and_then(|rest| rest.strip_prefix(b"'"));
    let rest = rest.filter(|_| charset_len > 0).ok_or("charset'language'value behind filename*")?;
    let language = memchr::memchr(b'\'', rest).ok_or("charset'language'value behind filename*")?;
    let rest = rest.get(language + 1..).unwrap_or_default();
    let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
    let (value, after) = rest.split_at_checked(end).unwrap_or_default();
    let mut unread = value;
    while let Some((&byte, more)) = unread.split_first() {
        unread = match (byte, more) {
            (b'%', [high, low, more @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => more,
            (byte, more) if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`~".contains(&byte) => more,
            _ => return Err("percent-encoded characters behind filename*"),
        };
    }
    Ok((value.to_vec(), after))
}

fn blank_trimmed(text: &[u8]) -> &[u8] {
    let len = text.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
    text.get(len..).unwrap_or_default()
}

/// RFC 2045, 5.1.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?=".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(value: &str) -> (Result<(String, String), &'static str>, bool) {
        let mut invalid_quoting = false;
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let read = read(value.as_bytes(), &mut invalid_quoting);
        (read.map(|read| (text(read.name), text(read.file_name))), invalid_quoting)
    }

    #[test]
    fn names_are_tokens_or_quoted() {
        let pair = |name: &str, file: &str| (Ok((name.to_owned(), file.to_owned())), false);
        assert_eq!(read_text("form-data; name=\"a b\""), pair("a b", ""));
        assert_eq!(
            read_text("form-data ;\tname=a; filename = \"C:\\x\\\"y'.php\""),
            pair("a", "C:\\x\"y'.php")
        );
        assert_eq!(read_text("form-data; name=a; filename=b; filename*=UTF-8''%e2%82%ac"), pair("a", "b"));
        assert_eq!(read_text("form-data"), pair("", ""));
    }

    #[test]
    fn single_quotes_are_read_and_flagged() {
        assert_eq!(read_text("form-data; name='a'"), (Ok(("a".into(), String::new())), true));
        assert!(read_text("form-data; name=a'b").1);
        assert!(read_text("form-data; name=\"a\"\"b\"").1);
    }

    #[test]
    fn what_backends_may_read_otherwise_is_refused() {
        for bad in [
            "attachment; name=a",
            "Form-Data; name=a",
            "form-data, name=a",
            "form-data; name",
            "form-data; name=",
            "form-data; name=\"a",
            "form-data; name=a; name=b",
            "form-data; name=a; filename=b; filename=c",
            "form-data; name=a; filename*=UTF-8''b",
            "form-data; name=a; filename=b; filename*=b",
            "form-data; name=a; filename=b; filename*=UTF-8''%zz",
            "form-data; name=a; size=3",
            "form-data; name=a b",
            "form-data; name=\"a\"b",
            "form-data;",
        ] {
            assert!(read_text(bad).0.is_err(), "{bad}");
        }
    }
}
