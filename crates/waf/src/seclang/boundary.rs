//! The boundary that a content type announces, as ModSecurity finds it (`Multipart::init`): backends find it otherwise.

use super::multipart::Flags;

/// The longest content type that is looked at.
const CONTENT_TYPE_MAX: usize = 1024;
const TYPE: &[u8] = b"multipart/form-data";
const WORD: &[u8] = b"boundary";

/// A boundary.
#[derive(Debug, PartialEq, Eq)]
pub struct Announced(pub Vec<u8>);

/// Finds it, and says by flags how it is written.
///
/// # Errors
/// What was expected instead.
pub fn announced(content_type: &[u8], flags: &mut Flags) -> Result<Announced, &'static str> {
    if content_type.len() > CONTENT_TYPE_MAX {
        return Err("a content type of at most 1024 bytes");
    }
    if !content_type.get(..TYPE.len()).is_some_and(|start| start.eq_ignore_ascii_case(TYPE)) {
        return Err("multipart/form-data");
    }
    if parameters_named(content_type) > 1 {
        return Err("one boundary in the content type");
    }
    let Some(at) = memchr::memmem::find(content_type, WORD) else {
        return Err("a boundary, in small letters, in the content type");
    };
    before(content_type.get(TYPE.len()..at).unwrap_or_default(), flags)?;
    let behind = content_type.get(at + WORD.len()..).unwrap_or_default();
    let Some(equals) = memchr::memchr(b'=', behind) else {
        return Err("`=` behind boundary in the content type");
    };
    let (gap, value) = behind.split_at_checked(equals).unwrap_or_default();
    if !gap.iter().all(u8::is_ascii_whitespace) {
        return Err("`=` behind boundary in the content type");
    }
    let value = value.get(1..).unwrap_or_default();
    flags.boundary_whitespace = !gap.is_empty() || value.first().is_some_and(u8::is_ascii_whitespace);
    let boundary = match value {
        [b'"', inner @ .., b'"'] => {
            flags.boundary_quoted = true;
            inner
        }
        [b'"', ..] | [.., b'"'] => return Err("both quotes around the boundary, or none"),
        plain => plain,
    };
    if parameters_named(boundary) > 0 {
        return Err("a boundary that does not announce another");
    }
    // Some clients write a charset behind it, which is tolerated.
    let up_to = if is_valid(boundary) {
        boundary.len()
    } else {
        memchr::memchr(b';', boundary).unwrap_or(boundary.len())
    };
    match boundary.get(..up_to) {
        Some(boundary) if !boundary.is_empty() && is_valid(boundary) => Ok(Announced(boundary.to_vec())),
        _ => Err("a boundary of the characters of RFC 2046"),
    }
}

/// Between the type and the word `boundary`: white space and one semicolon.
fn before(between: &[u8], flags: &mut Flags) -> Result<(), &'static str> {
    match between.iter().filter(|b| !b.is_ascii_whitespace()).copied().collect::<Vec<u8>>().as_slice() {
        [] => flags.missing_semicolon = true,
        b";" => {}
        _ => return Err("nothing but a semicolon before boundary in the content type"),
    }
    Ok(())
}

/// How often `boundary`, in any case, is followed by `=` somewhere behind.
fn parameters_named(text: &[u8]) -> usize {
    let lower = text.to_ascii_lowercase();
    let last_equals = memchr::memrchr(b'=', &lower);
    memchr::memmem::find_iter(&lower, WORD)
        .filter(|at| last_equals.is_some_and(|equals| at + WORD.len() <= equals))
        .count()
}

/// RFC 2046, 5.1.1: no space at the end.
fn is_valid(boundary: &[u8]) -> bool {
    let is_legal = |b: &u8| b.is_ascii_alphanumeric() || b" '()+_,-./:=?".contains(b);
    boundary.iter().all(is_legal) && boundary.last() != Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content_type: &str) -> (Result<String, &'static str>, Flags) {
        let mut flags = Flags::default();
        let read = announced(content_type.as_bytes(), &mut flags);
        (read.map(|Announced(boundary)| String::from_utf8(boundary).unwrap()), flags)
    }

    #[test]
    fn a_plain_boundary_raises_no_flag() {
        assert_eq!(read("multipart/form-data; boundary=--a_b"), (Ok("--a_b".into()), Flags::default()));
        assert_eq!(read("Multipart/Form-Data;boundary=a; charset=utf-8").0, Ok("a".into()));
    }

    #[test]
    fn how_it_is_written_is_told() {
        assert!(read("multipart/form-data; boundary=\"a\"").1.boundary_quoted);
        assert!(read("multipart/form-data; boundary =a").1.boundary_whitespace);
        assert!(read("multipart/form-data boundary=a").1.missing_semicolon);
        // White space before the value is flagged, and is a part of it.
        let (read, flags) = read("multipart/form-data; boundary= a");
        assert_eq!((read, flags.boundary_whitespace), (Ok(" a".into()), true));
    }

    #[test]
    fn what_backends_may_read_otherwise_is_refused() {
        for bad in [
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; BOUNDARY=a",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=a; boundary=b",
            "multipart/form-data; x=y; boundary=a",
            "multipart/form-data;; boundary=a",
            "multipart/form-data; boundary",
            "multipart/form-data; boundaryx=a",
            "multipart/form-data; boundary=\"a",
            "multipart/form-data; boundary=a\"",
            "multipart/form-data; boundary=a<b",
            "multipart/form-data; boundary=a ",
            "multipart/form-data; boundary=boundary=a",
        ] {
            assert!(read(bad).0.is_err(), "{bad}");
        }
    }
}
