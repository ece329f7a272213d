//! SecLang files on disk.

use secbeat_seclang::Sources;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Reads files and folders of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsSources;

impl Sources for OsSources {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let mut found = vec![PathBuf::new()];
        for component in pattern.components() {
            found = match component {
                Component::Normal(name) if has_wildcard(name.as_encoded_bytes()) => {
                    let mut below = Vec::new();
                    for folder in &found {
                        below.extend(matching(folder, name.as_encoded_bytes())?);
                    }
                    below
                }
                other => found.into_iter().map(|path| path.join(other)).collect(),
            };
        }
        found.retain(|path| path.is_file());
        Ok(found)
    }
}

fn has_wildcard(name: &[u8]) -> bool {
    name.iter().any(|b| matches!(b, b'*' | b'?' | b'['))
}

/// What in a folder has a name of this pattern; hidden files only where it begins with a dot. A folder that is not there
/// has nothing in it.
fn matching(folder: &Path, pattern: &[u8]) -> io::Result<Vec<PathBuf>> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let bytes = name.as_encoded_bytes();
        if (!bytes.starts_with(b".") || pattern.starts_with(b".")) && is_match(pattern, bytes) {
            found.push(folder.join(name));
        }
    }
    Ok(found)
}

/// Whether a name is of a pattern: `*` any characters, `?` one, `[a-z]` and `[!a-z]` one of a class. Linear but for the
/// last `*`, to which it goes back.
fn is_match(mut pattern: &[u8], mut name: &[u8]) -> bool {
    let mut back: Option<(&[u8], &[u8])> = None;
    loop {
        let matched = match (pattern.split_first(), name.split_first()) {
            (Some((b'*', rest)), _) => {
                (pattern, back) = (rest, Some((rest, name)));
                continue;
            }
            (None, None) => return true,
            (Some((b'?', rest)), Some((_, after))) => Some((rest, after)),
            (Some((b'[', rest)), Some((byte, after))) => match class(rest, *byte) {
                Some((true, rest)) => Some((rest, after)),
                Some((false, _)) => None,
                None => (*byte == b'[').then_some((rest, after)),
            },
            (Some((wanted, rest)), Some((byte, after))) if wanted == byte => Some((rest, after)),
            _ => None,
        };
        match (matched, back) {
            (Some((rest, after)), _) => (pattern, name) = (rest, after),
            (None, Some((rest, from))) => {
                let Some((_, after)) = from.split_first() else { return false };
                (pattern, name, back) = (rest, after, Some((rest, after)));
            }
            (None, None) => return false,
        }
    }
}

/// Whether a byte is of the class that begins behind `[`, and what follows it; `None`: the class does not end.
fn class(text: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (is_negated, text) = match text {
        [b'!' | b'^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    // A bracket in the first place is itself.
    let end = 1 + memchr::memchr(b']', text.get(1..)?)?;
    let (mut members, rest) = (text.get(..end)?, text.get(end + 1..)?);
    let mut is_member = false;
    loop {
        members = match members {
            [] => return Some((is_member != is_negated, rest)),
            [low, b'-', high, more @ ..] => {
                is_member |= (*low..=*high).contains(&byte);
                more
            }
            [one, more @ ..] => {
                is_member |= *one == byte;
                more
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_a_pattern() {
        for (pattern, name) in [
            ("*.conf", "a.conf"),
            ("*", ""),
            ("REQUEST-9[0-4]?-*.conf", "REQUEST-942-X.conf"),
            ("[!a]b*c*", "xbzzcd"),
            ("[]a]", "]"),
            ("[x", "[x"),
        ] {
            assert!(is_match(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
        for (pattern, name) in
            [("*.conf", "a.conf.bak"), ("?", ""), ("[!a]", "a"), ("a*b*c", "aXbX"), ("", "a")]
        {
            assert!(!is_match(pattern.as_bytes(), name.as_bytes()), "{pattern} {name}");
        }
    }

    #[test]
    fn files_are_found_by_pattern_and_read_up_to_a_limit() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = OsSources.glob(&here.join("s?c/os_s*.rs")).unwrap_or_default();
        assert_eq!(found, [here.join("src/os_sources.rs")]);
        assert_eq!(OsSources.read(&found[0], 9).map(|bytes| bytes.len()).ok(), Some(10));
        assert_eq!(OsSources.glob(&here.join("none/*.rs")).ok(), Some(vec![]));
    }
}
