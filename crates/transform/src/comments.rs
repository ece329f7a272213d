//! Comments, as `replaceComments`, `removeComments` and `removeCommentsChar` know them.

use crate::bytes::rewrite;

/// A space for each `/* … */`, also for one that nothing ends.
pub fn replace(input: &[u8], out: &mut Vec<u8>) -> bool {
    rewrite(
        input,
        out,
        |rest| memchr::memmem::find(rest, b"/*"),
        |comment, out| {
            out.push(b' ');
            let inside = comment.get(2..).unwrap_or_default();
            memchr::memmem::find(inside, b"*/").map_or(comment.len(), |at| at + 4)
        },
    )
}

/// Takes `/* … */` and `<!-- … -->` away, either end for either beginning, and all from `--` or `#` on.
///
/// As in ModSecurity the byte behind a comment is never the beginning of another, a NUL stands where nothing is behind it, and
/// a comment that nothing ends leaves a space.
pub fn remove(input: &[u8], out: &mut Vec<u8>) -> bool {
    let find = |rest: &[u8]| rest.iter().position(|b| matches!(b, b'/' | b'<' | b'-' | b'#'));
    rewrite(input, out, find, |comment, out| {
        let begins = match comment {
            [b'/', b'*', ..] => 2,
            [b'<', b'!', b'-', b'-', ..] => 4,
            [b'-', b'-', ..] | [b'#', ..] => return comment.len(),
            [byte, ..] => {
                out.push(*byte);
                return 1;
            }
            [] => return 0,
        };
        let inside = comment.get(begins..).unwrap_or_default();
        match end_of_comment(inside) {
            Some(end) => {
                out.push(inside.get(end).copied().unwrap_or(0));
                begins + end + 1
            }
            None => {
                out.push(b' ');
                comment.len()
            }
        }
    })
}

/// Where what follows `*/` or `-->` begins.
fn end_of_comment(inside: &[u8]) -> Option<usize> {
    memchr::memchr2_iter(b'*', b'-', inside).find_map(|at| match inside.get(at..) {
        Some([b'*', b'/', ..]) => Some(at + 2),
        Some([b'-', b'-', b'>', ..]) => Some(at + 3),
        _ => None,
    })
}

/// Takes the marks of comments away (`/*`, `*/`, `<!--`, `-->`, `--`, `#`) and leaves what is between them.
pub fn remove_marks(input: &[u8], out: &mut Vec<u8>) -> bool {
    let find = |rest: &[u8]| rest.iter().position(|b| matches!(b, b'/' | b'*' | b'<' | b'-' | b'#'));
    rewrite(input, out, find, |mark, out| match mark {
        [b'<', b'!', b'-', b'-', ..] => 4,
        [b'-', b'-', b'>', ..] => 3,
        [b'/', b'*', ..] | [b'*', b'/', ..] | [b'-', b'-', ..] => 2,
        [b'#', ..] => 1,
        [byte, ..] => {
            out.push(*byte);
            1
        }
        [] => 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(transform: fn(&[u8], &mut Vec<u8>) -> bool, text: &str) -> String {
        let mut out = Vec::new();
        let changed = transform(text.as_bytes(), &mut out);
        if changed { String::from_utf8(out).unwrap() } else { text.to_owned() }
    }

    #[test]
    fn a_comment_becomes_a_space() {
        assert_eq!(run(replace, "union/**/select/*x*/1/*"), "union select 1 ");
        assert_eq!(run(replace, "/*/x*/y*/ a/b*c"), " y*/ a/b*c");
    }

    #[test]
    fn comments_go_with_their_content() {
        assert_eq!(run(remove, "a/*b*/c<!--d-->e"), "ace");
        assert_eq!(run(remove, "a/*b-->c<!--d*/e"), "ace");
        assert_eq!(run(remove, "a/*b*/"), "a\0");
        assert_eq!(run(remove, "a/*b"), "a ");
        assert_eq!(run(remove, "a/**//**/b"), "a/**/b");
        assert_eq!(run(remove, "1 -- or"), "1 ");
        assert_eq!(run(remove, "1#or"), "1");
        assert_eq!(run(remove, "a-b/c<d"), "a-b/c<d");
    }

    #[test]
    fn marks_go_and_their_content_stays() {
        assert_eq!(run(remove_marks, "a/*b*/c<!--d-->e--f#g"), "abcdefg");
        assert_eq!(run(remove_marks, "a/b*c<d-e"), "a/b*c<d-e");
        assert_eq!(run(remove_marks, "/#*"), "/*");
    }
}
