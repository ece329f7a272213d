//! Paths, as `normalizePath` and `normalizePathWin` know them.
//!
//! ModSecurity works in place, and what it makes of odd paths follows from that: `..` behind any name counts as a step back,
//! also in `a../`; of three backslashes and more the last stays. Both are kept.

/// Takes out empty segments, `.`, and `..` with what is before it; where `windows`, a backslash is a slash.
pub fn normalize(input: &[u8], out: &mut Vec<u8>, windows: bool) -> bool {
    let Some(first) = first_change(input, windows) else { return false };
    let before = out.len();
    out.extend_from_slice(input);
    let len = Path::new(out.get_mut(before..).unwrap_or_default(), windows).normalize(first);
    out.truncate(before + len);
    true
}

/// Where the first segment ends that is empty, ends in a dot, or ends before a backslash that counts: all before that stays.
fn first_change(input: &[u8], windows: bool) -> Option<usize> {
    let ends_badly = |at: &usize| matches!(input.get(*at..), Some([b'.'] | [_, b'/', ..]));
    let segment = memchr::memchr2_iter(b'.', b'/', input).find(ends_badly);
    // The byte before a backslash ends a segment.
    let backslash = if windows { memchr::memchr(b'\\', input) } else { None };
    let backslash = backslash.map(|at| at.saturating_sub(1));
    match (segment, backslash) {
        (Some(segment), Some(backslash)) => Some(segment.min(backslash)),
        (segment, backslash) => segment.or(backslash),
    }
}

/// A path that is rewritten from left to right: `to` never overtakes `from`.
struct Path<'p> {
    bytes: &'p mut [u8],
    from: usize,
    to: usize,
    windows: bool,
    /// Whether it does not begin with a slash.
    relative: bool,
    /// Whether all that was written has been taken back.
    at_root: bool,
}

/// What becomes of the byte that is being looked at.
enum Next {
    Copy,
    Skip,
}

impl<'p> Path<'p> {
    fn new(bytes: &'p mut [u8], windows: bool) -> Self {
        let relative = !bytes.first().is_some_and(|&b| is_slash(b, windows));
        Path { bytes, from: 0, to: 0, windows, relative, at_root: false }
    }

    /// Rewrites it from `first` on, which it would reach with nothing changed, and returns its new length.
    fn normalize(mut self, first: usize) -> usize {
        (self.from, self.to) = (first, first);
        let trailing = self.bytes.last().is_some_and(|&b| is_slash(b, self.windows));
        let Some(last) = self.bytes.len().checked_sub(1) else { return 0 };
        let mut done = false;
        while !done && self.from <= last {
            if self.windows {
                self.turn_slash(self.from);
                self.turn_slash(self.from + 1);
            }
            done = self.from == last;
            let next = match self.at(self.from + 1) {
                Some(b'/') | None => self.end_of_segment(done),
                _ => Next::Copy,
            };
            if matches!(next, Next::Copy) {
                self.copy();
            }
        }
        match self.to.checked_sub(1) {
            Some(before) if !trailing && self.at(before) == Some(b'/') => before,
            _ => self.to,
        }
    }

    /// The last byte of a segment has been reached: what it is decides what becomes of it.
    fn end_of_segment(&mut self, done: bool) -> Next {
        match self.at(self.from) {
            Some(b'/') if !done => Next::Copy,
            Some(b'.') => self.dot(done),
            _ => {
                if self.to > 0 {
                    self.at_root = false;
                }
                Next::Copy
            }
        }
    }

    fn dot(&mut self, done: bool) -> Next {
        match self.to.checked_sub(1).map(|before| (before, self.at(before))) {
            Some((_, Some(b'.'))) => {
                if self.relative && (self.at_root || self.to <= 2) {
                    self.at_root = true;
                    return Next::Copy;
                }
                self.step_back(done);
            }
            Some((before, Some(b'/'))) if !done => self.to = before,
            None | Some((_, Some(b'/'))) => {}
            Some(_) => return Next::Copy,
        }
        if done {
            return Next::Skip;
        }
        self.from += 1;
        Next::Copy
    }

    /// Takes back the first dot, the slash before it and the segment before that.
    fn step_back(&mut self, done: bool) {
        self.to = self.to.saturating_sub(3);
        while self.to > 0 && self.at(self.to) != Some(b'/') {
            self.to -= 1;
        }
        if self.to == 0 {
            self.at_root = true;
            if !self.relative && done {
                self.to = 1;
            }
        }
    }

    /// Copies a byte; of several slashes the last.
    fn copy(&mut self) {
        if self.at(self.from) == Some(b'/') {
            while self.at(self.from + 1).is_some_and(|b| is_slash(b, self.windows)) {
                self.from += 1;
            }
            if self.relative && self.to == 0 {
                self.from += 1;
                return;
            }
        }
        if let Some(byte) = self.at(self.from)
            && let Some(place) = self.bytes.get_mut(self.to)
        {
            *place = byte;
            self.to += 1;
        }
        self.from += 1;
    }

    fn at(&self, place: usize) -> Option<u8> {
        self.bytes.get(place).copied()
    }

    fn turn_slash(&mut self, place: usize) {
        if let Some(byte @ b'\\') = self.bytes.get_mut(place) {
            *byte = b'/';
        }
    }
}

fn is_slash(byte: u8, windows: bool) -> bool {
    byte == b'/' || windows && byte == b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(path: &str, windows: bool) -> String {
        let mut out = Vec::new();
        if normalize(path.as_bytes(), &mut out, windows) {
            String::from_utf8(out).unwrap()
        } else {
            path.to_owned()
        }
    }

    #[test]
    fn a_path_is_as_the_file_system_reads_it() {
        for (path, normal) in [
            ("/a/../etc//passwd", "/etc/passwd"),
            ("/./a/./b/.", "/a/b"),
            ("a/b/../../c", "c"),
            ("/a/b/..", "/a"),
            ("/a/b/../", "/a/"),
            ("../../etc", "../../etc"),
            ("/../../etc", "/etc"),
            ("./a", "a"),
            (".", ""),
            ("/", "/"),
            ("//", "/"),
            ("a.b/c.d", "a.b/c.d"),
        ] {
            assert_eq!(run(path, false), normal, "{path}");
        }
    }

    #[test]
    fn on_windows_a_backslash_is_a_slash() {
        assert_eq!(run(r"\a\..\windows\\win.ini", true), "/windows/win.ini");
        assert_eq!(run(r"\a\..\windows", false), r"\a\..\windows");
        assert_eq!(run(r"a\\\b", true), r"a\b");
        assert_eq!(run(r"/\a", true), "/a");
    }
}
