//! Transformations, and the forms of a value that they lead to.

use crate::decode;
use secbeat_transform::ByteSet;
use serde::{Deserialize, Serialize};

/// One disguise that is taken off a value before a rule looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transform {
    /// [`decode::decode_url`]; `+` is a space in queries, urlencoded bodies and cookies.
    UrlDecode,
    /// [`decode::decode_html_entities`].
    HtmlEntityDecode,
    /// [`decode::remove_nulls`].
    RemoveNulls,
    /// [`decode::decode_javascript_escapes`].
    JsDecode,
    /// [`decode::replace_comments`].
    ReplaceComments,
    /// [`decode::plain_command_line`].
    CommandLine,
    /// [`decode::normalize_path`].
    NormalizePath,
    /// [`decode::lowercase`].
    Lowercase,
}

impl Transform {
    /// What a rule undoes that does not say.
    pub const DEFAULT: &'static [Transform] =
        &[Transform::UrlDecode, Transform::HtmlEntityDecode, Transform::RemoveNulls];

    /// Every one, by its number.
    pub(crate) const ALL: [Transform; 8] = [
        Transform::UrlDecode,
        Transform::HtmlEntityDecode,
        Transform::RemoveNulls,
        Transform::JsDecode,
        Transform::ReplaceComments,
        Transform::CommandLine,
        Transform::NormalizePath,
        Transform::Lowercase,
    ];

    /// Its bit among all.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The bytes of which a value must hold one for this to change it.
    fn triggers(self, plus: bool) -> &'static ByteSet {
        const PERCENT: &ByteSet = &ByteSet::of(b"%");
        const PERCENT_PLUS: &ByteSet = &ByteSet::of(b"%+");
        const AMPERSAND: &ByteSet = &ByteSet::of(b"&");
        const NULL: &ByteSet = &ByteSet::of(b"\0");
        const BACKSLASH: &ByteSet = &ByteSet::of(b"\\");
        // A comment is `/*`, or ends with its line.
        const COMMENT: &ByteSet = &ByteSet::of(b"*\n");
        const SHELL: &ByteSet = &ByteSet::of(b"'\"^\\$");
        const SLASHES: &ByteSet = &ByteSet::of(b"/\\");
        const UPPER: &ByteSet = &ByteSet::range(b'A', b'Z');
        match self {
            Transform::UrlDecode if plus => PERCENT_PLUS,
            Transform::UrlDecode => PERCENT,
            Transform::HtmlEntityDecode => AMPERSAND,
            Transform::RemoveNulls => NULL,
            Transform::JsDecode => BACKSLASH,
            Transform::ReplaceComments => COMMENT,
            Transform::CommandLine => SHELL,
            Transform::NormalizePath => SLASHES,
            Transform::Lowercase => UPPER,
        }
    }

    pub(crate) fn apply(self, input: &[u8], plus: bool) -> Option<Vec<u8>> {
        match self {
            Transform::UrlDecode => decode::decode_url(input, plus),
            Transform::HtmlEntityDecode => decode::decode_html_entities(input),
            Transform::RemoveNulls => decode::remove_nulls(input),
            Transform::JsDecode => decode::decode_javascript_escapes(input),
            Transform::ReplaceComments => decode::replace_comments(input),
            Transform::CommandLine => decode::plain_command_line(input),
            Transform::NormalizePath => decode::normalize_path(input),
            Transform::Lowercase => decode::lowercase(input),
        }
    }
}

/// The transformations that may change a value of these bytes, a bit each.
pub(crate) fn active(present: &ByteSet, plus: bool) -> u8 {
    let triggered =
        Transform::ALL.into_iter().filter(|transform| present.intersects(transform.triggers(plus)));
    triggered.fold(0, |bits, transform| bits | transform.bit())
}

/// How often a chain is gone through while it still changes something: contract with rule writers, and the bound on work.
pub const ROUNDS_MAX: usize = 3;

/// The most different chains in a rule set: one bit each.
pub const CHAINS_MAX: usize = 64;

/// One form of a value, and the chains (one bit each) that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The chains.
    pub chains: u64,
}

/// Every distinct form, other than `raw` itself, that the chains in `wanted` lead to. A chain is gone through until
/// nothing changes or [`ROUNDS_MAX`] times, and what each of its steps changes is a form: a rule sees a value as any
/// backend may see it that decodes less than we do.
pub fn forms(raw: &[u8], plus: bool, chains: &[Vec<Transform>], wanted: u64) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    for (index, chain) in chains.iter().enumerate().take(CHAINS_MAX) {
        let bit = 1 << index;
        if wanted & bit == 0 {
            continue;
        }
        let mut current: Option<Vec<u8>> = None;
        for _ in 0..ROUNDS_MAX {
            let mut changes = false;
            for transform in chain {
                let Some(next) = transform.apply(current.as_deref().unwrap_or(raw), plus) else { continue };
                changes = true;
                match forms.iter_mut().find(|form| form.bytes == next) {
                    Some(form) => form.chains |= bit,
                    None if next != raw => forms.push(Form { bytes: next.clone(), chains: bit }),
                    None => {}
                }
                current = Some(next);
            }
            if !changes {
                break;
            }
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*, sample::select};

    fn texts(raw: &str, chain: &[Transform]) -> Vec<String> {
        let forms = forms(raw.as_bytes(), true, &[chain.to_vec()], 1);
        forms.into_iter().map(|form| String::from_utf8(form.bytes).unwrap()).collect()
    }

    #[test]
    fn every_stage_of_decoding_is_a_form() {
        assert_eq!(texts("%253Cb", Transform::DEFAULT), ["%3Cb", "<b"]);
        assert_eq!(texts("%26lt;b", Transform::DEFAULT), ["&lt;b", "<b"]);
        assert_eq!(texts("plain", Transform::DEFAULT), Vec::<String>::new());
        assert_eq!(texts("%3C", &[]), Vec::<String>::new());
    }

    #[test]
    fn decoding_ends_after_three_rounds() {
        assert_eq!(texts("%25252541", &[Transform::UrlDecode]), ["%252541", "%2541", "%41"]);
    }

    #[test]
    fn chains_that_lead_to_the_same_form_share_it() {
        let chains = [vec![Transform::UrlDecode], vec![Transform::UrlDecode, Transform::Lowercase]];
        let forms = forms(b"A%42", false, &chains, 0b11);
        assert_eq!(
            forms,
            [Form { bytes: b"AB".to_vec(), chains: 0b11 }, Form { bytes: b"ab".to_vec(), chains: 0b10 }]
        );
    }

    /// What the transformations care about.
    const PIECES: [&str; 22] = [
        "%25", "%u003c", "+", "&lt;", "&#60;", "\\x3c", "\\", "/*", "*/", "/*!50000", "--", "#", "\n", "/",
        "..", ".", "'", "$IFS", "$@", "A", "b", "\0",
    ];

    proptest! {
        #[test]
        fn what_holds_none_of_its_bytes_a_transformation_leaves_alone(
            pieces in vec(select(PIECES.to_vec()), 0..12),
            plus: bool,
        ) {
            for transform in Transform::ALL {
                let triggers = transform.triggers(plus);
                let raw: Vec<u8> = pieces.concat().bytes().filter(|byte| !triggers.contains(*byte)).collect();
                prop_assert_eq!(transform.apply(&raw, plus), None, "{:?}", transform);
            }
        }

        #[test]
        fn forms_are_distinct_bounded_and_not_the_value_itself(raw in "[%25+&lt;#x3c<a/.*'\\\\]{0,40}") {
            let chain = Transform::ALL.to_vec();
            let steps = chain.len() * ROUNDS_MAX;
            let forms = forms(raw.as_bytes(), true, &[chain], 1);
            prop_assert!(forms.len() <= steps);
            for (index, form) in forms.iter().enumerate() {
                prop_assert_ne!(form.bytes.as_slice(), raw.as_bytes());
                prop_assert!(forms.iter().skip(index + 1).all(|other| other.bytes != form.bytes));
            }
        }
    }
}
