use super::*;
use proptest::{collection::vec, prelude::*};

/// What is given, a line each: `name = value`, without the keys (which are given under themselves).
fn walked(body: &str, complete: bool) -> Result<Vec<(String, String)>, BodyError> {
    let mut seen = Vec::new();
    walk_json(body.as_bytes(), complete, 8, 100, &mut |Piece { name, value, .. }| {
        seen.push((String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned()));
    })?;
    Ok(seen)
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn keys_and_leaves_come_under_their_paths() {
    assert_eq!(
        walked(r#" {"user":{"name":"O\u0027Brien","age":4e1},"tags":["a",{"b":null},[]],"":true} "#, true)
            .unwrap(),
        pairs(&[
            ("user", "user"),
            ("user.name", "name"),
            ("user.name", "O'Brien"),
            ("user.age", "age"),
            ("user.age", "4e1"),
            ("tags", "tags"),
            ("tags.0", "a"),
            ("tags.1.b", "b"),
            ("tags.1.b", "null"),
            ("", ""),
            ("", "true"),
        ])
    );
    assert_eq!(walked("\"x\"", true).unwrap(), pairs(&[("", "x")]));
    assert_eq!(walked("\u{feff}[1]", true).unwrap(), pairs(&[("0", "1")]));
    assert_eq!(walked(" ", true).unwrap(), []);
}

#[test]
fn surrogates_become_characters() {
    assert_eq!(
        walked(r#""\ud83d\ude00 \ud83d\n \ud83d\u0041""#, true).unwrap()[0].1,
        "😀 \u{fffd}\n \u{fffd}A"
    );
}

#[test]
fn what_is_not_json_is_refused() {
    for body in [
        "{",
        "}",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "01",
        "1.",
        "-",
        "+1",
        "1e",
        ".5",
        "nul",
        "nulls",
        "\"\n\"",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a",
        "[1 2]",
        "[1}",
        "{\"a\":1]",
        "1 2",
        "NaN",
        "// c\n1",
        "\"\\ud83d\\u00\"",
    ] {
        assert!(matches!(walked(body, true), Err(BodyError::Malformed { .. })), "{body}");
    }
    let bad_utf8 = walk_json(b"\"\xff\"", true, 8, 8, &mut |_| ());
    assert!(matches!(bad_utf8, Err(BodyError::Malformed { .. })));
}

#[test]
fn a_body_that_was_cut_gives_what_is_there() {
    assert_eq!(walked(r#"{"a":"un"#, false).unwrap(), pairs(&[("a", "a"), ("a", "un")]));
    assert_eq!(walked(r#"{"a":"\n\u00"#, false).unwrap(), pairs(&[("a", "a")]));
    assert!(walked(r#"{"a":x"#, false).is_err());
}

#[test]
fn depth_and_number_are_bounded() {
    assert_eq!(walked(&"[".repeat(9), true), Err(BodyError::TooDeep));
    assert_eq!(walked(&format!("{}{}", "[".repeat(8), "]".repeat(8)), true), Ok(vec![]));
    assert_eq!(walked(&format!("[{}1]", "1,".repeat(100)), true), Err(BodyError::TooManyArguments));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(body in vec(any::<u8>(), 0..200), complete: bool) {
        let _ = walk_json(&body, complete, 8, 50, &mut |_| ());
    }

    #[test]
    fn it_accepts_what_serde_json_accepts(body in "[\\[\\]{},:\"\\\\a0-2.eE+ntrufalse -]{0,24}") {
        let ours = walk_json(body.as_bytes(), true, 64, 1000, &mut |_| ());
        let theirs = serde_json::from_str::<serde::de::IgnoredAny>(&body);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok() || body.trim().is_empty(), "{} {:?} {:?}", body, ours, theirs);
    }

    #[test]
    fn every_string_is_given_as_it_was_meant(text in "\\PC{0,20}", cut in 0usize..40) {
        let body = serde_json::to_string(&[&text]).unwrap();
        prop_assert_eq!(walked(&body, true).unwrap(), [("0".to_owned(), text)]);
        let cut = cut.min(body.len());
        let _ = walk_json(&body.as_bytes()[..cut], false, 8, 8, &mut |_| ());
    }
}
