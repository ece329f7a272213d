//! Licence expressions (SPDX 2.3, annex D): whether one can be fulfilled with permissive licences alone.

/// Licences that ask for no more than their text and a name.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// How deep parentheses may be.
const DEPTH_MAX: usize = 16;

/// Whether permissive licences fulfil the expression. What cannot be read is not fulfilled.
pub fn is_permissive(expression: &str) -> bool {
    // Old manifests write `MIT/Apache-2.0` for a choice.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words = spaced.split_whitespace().peekable();
    let fulfilled = any(&mut words, 0);
    words.next().is_none() && fulfilled == Some(true)
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn any(words: &mut Words, depth: usize) -> Option<bool> {
    let mut fulfilled = all(words, depth)?;
    while words.next_if_eq(&"OR").is_some() {
        fulfilled |= all(words, depth)?;
    }
    Some(fulfilled)
}

fn all(words: &mut Words, depth: usize) -> Option<bool> {
    let mut fulfilled = one(words, depth)?;
    while words.next_if_eq(&"AND").is_some() {
        fulfilled &= one(words, depth)?;
    }
    Some(fulfilled)
}

fn one(words: &mut Words, depth: usize) -> Option<bool> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut name = words.next()?.to_owned();
    if name == "(" {
        let inside = any(words, depth + 1)?;
        return (words.next()? == ")").then_some(inside);
    }
    if words.next_if_eq(&"WITH").is_some() {
        name = format!("{name} WITH {}", words.next()?);
    }
    Some(PERMISSIVE.contains(&name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_needs_one_and_a_sum_needs_all() {
        for fine in [
            "MIT",
            "MIT/Apache-2.0",
            "MIT OR LGPL-2.1-or-later",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
            "ISC AND (Apache-2.0 OR GPL-3.0) AND (MIT)",
        ] {
            assert!(is_permissive(fine), "{fine}");
        }
        for not in [
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "MPL-2.0",
            "",
            "MIT OR",
            "(MIT",
            "MIT MIT",
            "MIT)",
            "GPL-2.0 WITH x",
        ] {
            assert!(!is_permissive(not), "{not}");
        }
        assert!(!is_permissive(&"(".repeat(10_000)));
    }
}
