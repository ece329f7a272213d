use super::*;
use crate::body::walk_xml;
use proptest::{collection::vec, prelude::*};

/// What is given, without names of elements and attributes (which are given under themselves).
fn walked(body: &str, complete: bool) -> Result<Vec<(String, String)>, BodyError> {
    let mut seen = Vec::new();
    walk_xml(body.as_bytes(), complete, 8, 100, &mut |Piece { name, value, .. }| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (name, value) = (text(name), text(value));
        if name.rsplit(['/', '@']).next() != Some(&value) {
            seen.push((name, value));
        }
    })?;
    Ok(seen)
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn texts_and_attributes_come_under_their_paths() {
    let body = "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hello -->\
        <s:Envelope xmlns:s='http://x/'>\n <s:Body><id n = \"1&lt;2\">O&#39;Brien</id><empty/> tail</s:Body >\n\
        </s:Envelope>\n<?after it?> ";
    assert_eq!(
        walked(body, true).unwrap(),
        pairs(&[
            ("/comment()", " hello "),
            ("/s:Envelope/@xmlns:s", "http://x/"),
            ("/s:Envelope/s:Body/id/@n", "1<2"),
            ("/s:Envelope/s:Body/id", "O'Brien"),
            ("/s:Envelope/s:Body", " tail"),
            ("/processing-instruction()", "after it"),
        ])
    );
    assert_eq!(walked("", true).unwrap(), []);
    assert_eq!(walked(" \n", true).unwrap(), []);
}

#[test]
fn names_are_given_too() {
    let mut names = Vec::new();
    walk_xml(b"<a><b c='1'/></a>", true, 8, 100, &mut |piece| {
        if piece.spot.is_none() {
            names.push(String::from_utf8_lossy(piece.value).into_owned());
        }
    })
    .unwrap();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn text_is_joined_over_comments_and_sections_as_a_backend_joins_it() {
    let body = "<a>&lt;scr<!-- x --><![CDATA[ipt]]><?p?>&gt;</a>";
    let mut spots = Vec::new();
    walk_xml(body.as_bytes(), true, 8, 100, &mut |piece| {
        if let Some(spot) = piece.spot {
            spots.push((String::from_utf8_lossy(piece.value).into_owned(), body[spot.range].to_owned()));
        }
    })
    .unwrap();
    assert_eq!(spots, [("<script>".to_owned(), "&lt;scr<!-- x --><![CDATA[ipt]]><?p?>&gt;".to_owned())]);
}

#[test]
fn what_is_not_xml_or_defines_what_it_means_is_refused() {
    for body in [
        "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><a>&e;</a>",
        "<!DOCTYPE a><a/>",
        "<!doctype a><a/>",
        "<a>&e;</a>",
        "<a>& b</a>",
        "<a b='&e;'/>",
        "text",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        "<a/>text",
        "<a b=1/>",
        "<a b/>",
        "<a b='1'c='2'/>",
        "<a b='1' b='2'/>",
        "<a b='<'/>",
        "<a>]]></a>",
        "<1/>",
        "< a/>",
        "<a/ >",
        "<!-- -- --><a/>",
        "<!-- --",
        "<a><![CDATA[</a>",
        "<![CDATA[x]]>",
        "<a><?xml version='1.0'?></a>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='1.0' encoding='utf-16'?><a/>",
        "<?xml version='1.0' encoding='utf-7'?><a/>",
        "<?xml version='1.0' encoding=utf-8?><a/>",
        "<?xml encoding='utf-8'?><a/>",
        "<?xml version='1.0' charset='utf-16'?><a/>",
        "<?xml version='1.0' standalone='maybe'?><a/>",
        "<? x?><a/>",
        "<a>\u{1}</a>",
        "<a><!ELEMENT a ANY></a>",
    ] {
        assert!(matches!(walked(body, true), Err(BodyError::Malformed { .. })), "{body}");
    }
    for bad in [&b"<a>\xff</a>"[..], b"\xff\xfe<\0a\0/\0>\0"] {
        let walked = walk_xml(bad, true, 8, 8, &mut |_| ());
        assert!(matches!(walked, Err(BodyError::Malformed { .. })), "{bad:?}");
    }
}

#[test]
fn what_is_not_in_utf_8_is_read_and_not_written_back() {
    let mut seen = Vec::new();
    let body = b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xe9</a>";
    walk_xml(body, true, 8, 8, &mut |piece| seen.push((piece.value.to_vec(), piece.spot.is_none()))).unwrap();
    assert_eq!(seen, [(b"a".to_vec(), true), (b"\xe9".to_vec(), true)]);
}

#[test]
fn a_body_that_was_cut_gives_what_is_there() {
    for (body, expected) in [
        ("<a><b>uni", ("/a/b", "uni")),
        ("<a>x&l", ("/a", "x")),
        ("<a>x<", ("/a", "x")),
        ("<a>x<!-", ("/a", "x")),
        ("<a b='un", ("/a/@b", "un")),
        ("<a b='u&#x3", ("/a/@b", "u")),
        ("<a><!-- un", ("/a/comment()", " un")),
        ("<a><?p un", ("/a/processing-instruction()", "p un")),
        ("<a>x<![CDATA[y", ("/a", "xy")),
    ] {
        assert_eq!(walked(body, false).unwrap().last(), pairs(&[expected]).last(), "{body}");
        assert!(walked(body, true).is_err(), "{body}");
    }
    assert!(walked("<a>&nbsp;<b", false).is_err());
}

#[test]
fn depth_and_number_are_bounded() {
    assert_eq!(walked(&"<a>".repeat(9), true), Err(BodyError::TooDeep));
    assert_eq!(walked(&format!("{}{}", "<a>".repeat(8), "</a>".repeat(8)), true), Ok(vec![]));
    assert_eq!(walked(&format!("<a>{}</a>", "<b/>".repeat(100)), true), Err(BodyError::TooManyArguments));
    let attributes: String = (0..300).map(|n| format!(" a{n}='x'")).collect();
    let walked = walk_xml(format!("<a{attributes}/>").as_bytes(), true, 8, 10_000, &mut |_| ());
    assert_eq!(walked, Err(BodyError::TooManyArguments));
}

const BODY: &str = "<?xml version='1.0'?><!-- c --><a b='1&amp;'>x<c/><![CDATA[<y>]]>&#x7a;<?p i?></a>";

proptest! {
    #[test]
    fn a_body_may_be_cut_anywhere(cut in 0usize..BODY.len()) {
        prop_assert!(walked(&BODY[..cut], false).is_ok(), "{:?}", walked(&BODY[..cut], false));
        prop_assert_eq!(walked(&BODY[..cut], true).is_ok(), cut == 0);
    }

    #[test]
    fn no_bytes_make_it_panic(pieces in vec(prop_oneof![
        vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "<a", "<", ">", "/>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "xml", " b='", "'", "&", "#x3c;", "lt;",
        ]).prop_map(|s| s.as_bytes().to_vec()),
    ], 0..30), complete: bool) {
        let body = pieces.concat();
        let _ = walk_xml(&body, complete, 4, 50, &mut |piece| {
            assert!(piece.spot.is_none_or(|spot| body.get(spot.range).is_some()));
        });
    }

    #[test]
    fn every_text_is_given_as_it_was_meant(text in "[a-z<>&'\" ]{0,20}x") {
        let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;").replace(']', "");
        let given = walked(&format!("<a b='{escaped}'>{escaped}</a>"), true).unwrap();
        prop_assert_eq!(given, pairs(&[("/a/@b", &text), ("/a", &text)]));
    }
}
