//! What holds for every transformation, whatever the value.

use crate::{ByteSet, Transformation};
use proptest::prelude::*;

/// Any bytes, and texts made of what transformations look for.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "%", "+", "u", "00", "41", "3c", "ff", "&", "#", "x", "X", "amp", "lt", ";", "\\", "/", "*", "--",
        "<!--", "-->", ".", "..", "//", " ", "\t", "\n", "\r\n", "\"", "'", "^", ",", "(", "a", "Z", "9",
        "0x", "=", "VGVz", "0", "7", "~", "é", "‹", "😀", "\0",
    ]);
    let text = prop::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat().into_bytes());
    let cut = (text.clone(), any::<prop::sample::Index>()).prop_map(|(mut text, at)| {
        text.truncate(at.index(text.len() + 1));
        text
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..64), text, cut]
}

/// The value as transformed, and whether that differs.
fn apply(transformation: Transformation, value: &[u8]) -> (Vec<u8>, bool) {
    let mut out = b"before".to_vec();
    let changed = transformation.apply(value, &mut out);
    assert!(out.starts_with(b"before"));
    (out.split_off(6), changed)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_value_without_triggers_stays(value in value()) {
        for transformation in Transformation::all() {
            let triggers = transformation.triggers();
            let safe: Vec<u8> = value.iter().copied().filter(|&b| !triggers.contains(b)).collect();
            if triggers.is_full() {
                continue;
            }
            prop_assert!(!ByteSet::of_value(&safe).intersects(triggers));
            prop_assert_eq!(apply(transformation, &safe), (Vec::new(), false), "{}", transformation.name());
        }
    }

    #[test]
    fn a_change_is_told_exactly_where_there_is_one(value in value()) {
        for transformation in Transformation::all() {
            let (out, changed) = apply(transformation, &value);
            if changed {
                prop_assert_ne!(&out, &value, "{}", transformation.name());
            } else {
                prop_assert!(out.is_empty(), "{}", transformation.name());
            }
        }
    }

    #[test]
    fn the_result_is_bounded_by_the_value(value in value()) {
        for transformation in Transformation::all() {
            let (out, _) = apply(transformation, &value);
            prop_assert!(out.len() <= 4 * value.len() + 20, "{}", transformation.name());
        }
    }
}

#[test]
fn a_transformation_is_found_by_its_name_in_either_case() {
    for transformation in Transformation::all() {
        assert_eq!(Transformation::from_name(transformation.name()), Some(transformation));
        let upper = transformation.name().to_uppercase();
        assert_eq!(Transformation::from_name(&upper), Some(transformation));
    }
    assert_eq!(Transformation::from_name("normalisePathWin"), Some(Transformation::NormalizePathWin));
    assert_eq!(Transformation::from_name("none"), None);
}

#[test]
fn only_digests_and_length_make_something_of_nothing() {
    let made: Vec<&str> =
        Transformation::all().filter(|t| apply(*t, b"").1).map(Transformation::name).collect();
    assert_eq!(made, ["length", "md5", "sha1"]);
}

#[test]
fn the_time_grows_with_the_length_alone() {
    // Each of these would take minutes were any step looked at twice.
    const LEN: usize = 1 << 18;
    let pieces = [
        "%", "%u00", "&", "&#", "&#x0", "&lt", "\\", "\\x", "\\000", "/*", "*/", "<!--", "--", "-", "#", "/",
        "/..",
    ];
    for piece in pieces
        .into_iter()
        .chain(["../", "a/../", ".", "\\..", "0x", "x", "0", " ", "\0", "A=", "=", "\u{e9}"])
    {
        let value = piece.repeat(LEN / piece.len());
        for transformation in Transformation::all() {
            let _ = apply(transformation, value.as_bytes());
        }
    }
}
