//! Pieces and verdicts, by hand.

use super::html::{Context, Html, Piece};
use super::{is_xss, may_be_xss};

fn pieces(value: &str, context: Context) -> Vec<Piece<'_>> {
    let mut html = Html::new(value.as_bytes(), context);
    std::iter::from_fn(|| html.next()).collect()
}

#[test]
fn what_runs_code_is_found_in_every_context() {
    for value in [
        "<script>alert(1)</script>",
        "<ScRiPt src=x>",
        "<s\0cript>",
        "<svg/onload=alert(1)>",
        "<img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "\"><iframe>",
        "x onfocus=alert(1)",
        "`style=`a",
        "<a href=javascript:alert(1)>",
        "<a href=' java&#115;cript:alert(1)'>",
        "<a href=\"&#x6a&#x0a;ava\">",
        "<a href=vbscript:a>",
        "<x xmlns:a=b>",
        "<set attributename=href>",
        "<!doctype html>",
        "<!--[if IE]>",
        "<!-- ` -->",
        "<?import a>",
        "<!entity a>",
        "<%xml a%>",
    ] {
        assert!(is_xss(value.as_bytes()), "{value}");
    }
}

#[test]
fn a_byte_0xff_hides_nothing() {
    assert!(is_xss(b"<img \xff onerror=alert(1)>"));
    assert!(is_xss(b"<img src=x onerror=\xff=alert(1)>"));
}

#[test]
fn plain_text_and_harmless_markup_are_not_found() {
    for value in [
        "",
        "1 < 2 and 3 > 2",
        "<b>bold</b>",
        "</script>",
        "<a href=\"https://example.com/\">",
        "<a href=/java>",
        "<!-- a comment -->",
        "<![CDATA[ <script> ]]>",
        "a=b&c=d",
        "one=1",
    ] {
        assert!(!is_xss(value.as_bytes()), "{value}");
    }
}

#[test]
fn pages_are_cut_as_browsers_cut_them() {
    use Piece::*;
    assert_eq!(
        pieces("a<b c=d e='f' g/h=`i`>j<!--k--l-\0!></m n></>", Context::Text),
        [
            Tag(b"b"),
            Name(b"c"),
            Value(b"d"),
            Name(b"e"),
            Value(b"f"),
            Name(b"g"),
            Name(b"h"),
            Value(b"i"),
            Comment(b"k--l"),
            Tag(b"m"),
            Name(b"n"),
        ]
    );
    assert_eq!(pieces("a' b=c", Context::Quoted(b'\'')), [Value(b"a"), Name(b"b"), Value(b"c")]);
    assert_eq!(pieces("a=b c><d", Context::Tag), [Name(b"a"), Value(b"b"), Name(b"c"), Tag(b"d")]);
}

#[test]
fn only_a_tag_or_a_value_passes_the_gate() {
    assert!(may_be_xss(b"<") && may_be_xss(b"a=b"));
    assert!(!may_be_xss(b"' onload 'x") && !may_be_xss(b""));
}
