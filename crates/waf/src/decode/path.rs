//! Paths as a file system reads them.

use super::changed;

/// Resolves a path: backslashes are slashes, repeated slashes one, `.` segments nothing, and `..` takes back the segment
/// before it. `..` with nothing before it stays, so that a path that leaves its folder still shows.
pub fn normalize_path(input: &[u8]) -> Option<Vec<u8>> {
    memchr::memchr2(b'/', b'\\', input)?;
    if is_plain(input) {
        return None;
    }
    let is_slash = |b: &u8| matches!(b, b'/' | b'\\');
    let mut segments: Vec<&[u8]> = Vec::new();
    let mut ends_open = false;
    for segment in input.split(is_slash) {
        ends_open = matches!(segment, b"" | b"." | b"..");
        match segment {
            b"" | b"." => {}
            b".." if segments.last().is_some_and(|last| *last != b"..") => {
                segments.pop();
            }
            _ => segments.push(segment),
        }
    }
    let mut out = Vec::with_capacity(input.len());
    if input.first().is_some_and(is_slash) {
        out.push(b'/');
    }
    out.extend_from_slice(&segments.join(&b'/'));
    if ends_open && segments.last().is_some_and(|last| *last != b"..") {
        out.push(b'/');
    }
    changed(out, input)
}

/// Whether all of its segments stay: no backslash, none empty but the first and the last, none that begins with a dot.
fn is_plain(input: &[u8]) -> bool {
    let stays = |pair: &[u8]| !matches!(pair, [b'/', b'/' | b'.'] | [b'\\', _] | [_, b'\\']);
    !matches!(input, [b'.', ..] | [b'\\']) && input.windows(2).all(stays)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved() {
        let normal = |text: &str| normalize_path(text.as_bytes()).map(|out| String::from_utf8(out).unwrap());
        assert_eq!(normal("/a/../etc//passwd"), Some("/etc/passwd".into()));
        assert_eq!(normal(r"..\..\windows\win.ini"), Some("../../windows/win.ini".into()));
        assert_eq!(normal("/./.git//config"), Some("/.git/config".into()));
        assert_eq!(normal("/a/b/.."), Some("/a/".into()));
        assert_eq!(normal("/a/b/"), None);
        assert_eq!(normal("no slash . here"), None);
        assert_eq!(normal("../a"), None);
    }
}
