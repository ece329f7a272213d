use super::*;
use crate::body::{self, BodyKind, Piece};
use crate::{Context, Request, RuleSet, Settings, parse_rules, transform};
use proptest::{collection::vec, prelude::*};
use secbeat_types::{Action, Timestamp};
use std::net::Ipv4Addr;
use std::sync::LazyLock;

/// The guide's rule, one that sees more, and one that must not win where the others can cut.
const RULES: &str = r#"{"rules":[
    {"id":"guide","pattern":"(?i)<script[^>]*>.*?</script>","action":"sanitize"},
    {"id":"open","pattern":"(?i)<script","action":"sanitize","transforms":["url_decode","html_entity_decode","js_decode"]},
    {"id":"block","pattern":"DROP TABLE","action":"block"}]}"#;

fn set() -> &'static RuleSet {
    static SET: LazyLock<RuleSet> =
        LazyLock::new(|| RuleSet::compile(&parse_rules(RULES).unwrap(), &Settings::default()).unwrap());
    &SET
}

fn context() -> Context<'static> {
    Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0))
}

/// The value of a place after the rounds of a caller; `None`: it was blocked. Nothing else of the request is edited.
fn rounds(start: &[u8], judge: impl Fn(&[u8]) -> (Action, Vec<Edit>), place: Place) -> Option<Vec<u8>> {
    let mut bytes = start.to_vec();
    for _ in 0..=ROUNDS_MAX {
        let (action, edits) = judge(&bytes);
        match action {
            Action::Sanitize => assert!(!edits.is_empty() && edits.iter().all(|edit| edit.place == place)),
            Action::Block => return None,
            _ => {
                assert_eq!(edits, []);
                return Some(bytes);
            }
        }
        bytes = apply(&bytes, edits.iter());
    }
    None
}

fn head(set: &RuleSet, target: &[u8], fields: &[(&[u8], &[u8])]) -> (Action, Vec<Edit>) {
    let mut transaction = set.transaction(context());
    let verdict = transaction.request_head(&Request { method: b"GET", target, fields, ..Request::default() });
    (verdict.action, transaction.edits().to_vec())
}

fn target(start: &str) -> Option<String> {
    rounds(start.as_bytes(), |bytes| head(set(), bytes, &[]), Place::Target).map(text)
}

fn field(name: &str, start: &[u8]) -> Option<String> {
    let fields = |bytes: &[u8]| head(set(), b"/", &[(b"x-first", b"1"), (name.as_bytes(), bytes)]);
    rounds(start, fields, Place::Field(1)).map(text)
}

fn body(kind: BodyKind, content_type: &str, start: &[u8]) -> Option<Vec<u8>> {
    let judge = |bytes: &[u8]| {
        let mut transaction = set().transaction(context());
        let verdict = transaction.request_body(kind, Some(content_type.as_bytes()), bytes, true);
        (verdict.action, transaction.edits().to_vec())
    };
    rounds(start, judge, Place::Body)
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

const MULTIPART: &str = "multipart/form-data; boundary=b1";

fn part(name: &str, value: &str) -> String {
    format!("--b1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

#[test]
fn what_matches_too_often_is_taken_out_in_rounds_and_blocked_in_the_end() {
    let rules = parse_rules(r#"{"rules":[{"id":"x","pattern":"x(.*y)?","action":"sanitize"}]}"#).unwrap();
    let set = RuleSet::compile(&rules, &Settings::default()).unwrap();
    let left = |number: usize| {
        let judge = |bytes: &[u8]| head(&set, bytes, &[]);
        rounds(format!("/?q={}1", "x".repeat(number)).as_bytes(), judge, Place::Target).map(text)
    };
    assert_eq!(left(CUTS_MAX + 1), Some("/?q=1".into()));
    assert_eq!(left((ROUNDS_MAX + 1) * CUTS_MAX + 1), None);
    let edits = head(&set, format!("/?q={}", "x".repeat(CUTS_MAX + 7)).as_bytes(), &[]).1;
    assert_eq!(edits[0].with, b"xxxxxxx");
}

#[test]
fn what_matches_as_it_came_is_cut_out_and_the_rest_stays_byte_for_byte() {
    let attack = "<script>alert(1)</script>";
    assert_eq!(target(&format!("/a?x=%41&q=1{attack}2&y=+")), Some("/a?x=%41&q=12&y=+".into()));
    assert_eq!(target(&format!("http://host/a?q={attack}")), Some("http://host/a?q=".into()));
    assert_eq!(field("X-Thing", format!("a{attack}b").as_bytes()), Some("ab".into()));
    assert_eq!(field("Cookie", format!("a=1;  b={attack}x; c").as_bytes()), Some("a=1;  b=x; c".into()));
    let form = body(BodyKind::Urlencoded, "", format!("a=%3d&b={attack}").as_bytes());
    assert_eq!(form.map(text), Some("a=%3d&b=".into()));
    let json = body(BodyKind::Json, "", format!(r#"{{"a": 1.0, "b" :"\"{attack}é"}}"#).as_bytes());
    assert_eq!(json.map(text), Some(r#"{"a": 1.0, "b" :"\"é"}"#.into()));
    let parts = [part("a", "1"), part("b", &format!("x{attack}")), "--b1--".into()].concat();
    let expected = [part("a", "1"), part("b", "x"), "--b1--".into()].concat();
    assert_eq!(body(BodyKind::Multipart, MULTIPART, parts.as_bytes()).map(text), Some(expected));
    let xml = "<a b='1&#x3c;script>2'>&lt;scr<!-- -->ipt&gt;<c>&#65;</c></a>";
    let expected = "<a b='1&gt;2'>&gt;<c>&#65;</c></a>";
    assert_eq!(body(BodyKind::Xml, "", xml.as_bytes()).map(text), Some(expected.into()));
}

#[test]
fn what_matches_only_decoded_is_written_anew_for_its_place() {
    let once = "%3Cscript%3Ealert(1)%3C/script%3E";
    assert_eq!(target(&format!("/?q=a%20b{once}%26c")), Some("/?q=a%20b%26c".into()));
    assert_eq!(target(&format!("/?q=a+b{}", once.replace('%', "%25"))), Some("/?q=a%20b".into()));
    assert_eq!(field("X-Thing", b"a&lt;script>b"), Some("a>b".into()));
    let json = body(BodyKind::Json, "", br#"["\u003cscript\u003ex\u003c/script\u003e\n%3cscript"]"#);
    assert_eq!(json.map(text), Some(r#"["\n"]"#.into()));
}

#[test]
fn what_is_nested_is_cut_until_nothing_is_left_and_blocked_where_that_takes_too_long() {
    assert_eq!(target("/?q=<scr<script>x</script>ipt>y"), Some("/?q=>y".into()));
    let nested =
        |depth: usize| format!("/?q={}{}", "<scr".repeat(depth), "<script".to_owned() + &"ipt".repeat(depth));
    assert_eq!(target(&nested(ROUNDS_MAX - 1)), Some("/?q=".into()));
    assert_eq!(target(&nested(ROUNDS_MAX)), None);
}

#[test]
fn what_cannot_be_cut_out_is_blocked() {
    assert_eq!(target("/<script"), None, "the path");
    assert_eq!(target("/?<script=1"), None, "a name");
    assert_eq!(target("/?q=<script&r=DROP TABLE"), None, "another rule blocks");
    assert_eq!(field("Host", b"<script"), None, "a header by which the request is read");
    assert_eq!(field("X-Thing", b"%0d%0aa: b%3cscript"), None, "it would be another header");
    assert_eq!(field("Cookie", b"a=%3bb%3d%3cscript"), None, "it would be another cookie");
    assert_eq!(field("Cookie", b"<script"), None, "a cookie's name");
    let json = |text: &str| body(BodyKind::Json, "", text.as_bytes());
    assert_eq!(json(r#"{"<script":1}"#), None, "a key");
    assert_eq!(json(r#"["%ff%3cscript"]"#), None, "it would be no JSON");
    assert_eq!(json(r#"["<script""#), None, "a body that cannot be read");
    assert_eq!(body(BodyKind::Xml, "", b"<a><!-- <script --></a>"), None, "a comment");
    assert_eq!(body(BodyKind::Xml, "", b"<a>%01%3cscript</a>"), None, "it would be no XML");
    let parts = part("a", "x\r\n--<scriptb1") + "--b1--";
    assert_eq!(body(BodyKind::Multipart, MULTIPART, parts.as_bytes()), None, "it would be the boundary");
    let file = part("a\"; filename=\"<script", "x") + "--b1--";
    assert_eq!(body(BodyKind::Multipart, MULTIPART, file.as_bytes()), None, "a file's name");
}

#[test]
fn a_body_that_was_cut_is_not_edited() {
    let mut transaction = set().transaction(context());
    let verdict = transaction.request_body(BodyKind::Urlencoded, None, b"a=<script", false);
    assert_eq!((verdict.action, transaction.edits()), (Action::Block, &[][..]));
}

#[test]
fn a_pattern_that_matches_nothing_at_all_blocks() {
    let rules = parse_rules(r#"{"rules":[{"id":"x","pattern":"a*","action":"sanitize"}]}"#).unwrap();
    let set = RuleSet::compile(&rules, &Settings::default()).unwrap();
    assert_eq!(head(&set, b"/?q=b", &[]), (Action::Block, vec![]));
}

#[test]
fn edits_are_made_in_order_and_those_that_cannot_be_are_left_out() {
    let edit = |range, with: &str| Edit { place: Place::Body, range, with: with.into() };
    let edits = [edit(4..6, "Y"), edit(0..1, ""), edit(5..7, "no"), edit(6..6, "+"), edit(8..99, "no")];
    assert_eq!(text(apply(b"01234567", edits.iter())), "123Y+67");
    assert_eq!(text(apply(b"01", [].iter())), "01");
}

/// Pieces of attacks, of their disguises and of neither.
fn value() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<script>",
        "</script>",
        "<scr",
        "ipt>",
        "<SCRIPT",
        " src=x>",
        "%3C",
        "%3Cscript%3E",
        "%253Cscript",
        "&lt;script",
        "&#60;",
        "\\u003cscript",
        "script",
        "a",
        "é",
        "1",
        "+",
        "%20",
        "%",
        "%25",
        "&amp;",
        ";",
        "\"",
        "\\",
        "x%0a",
    ]);
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Values of the query or the body, without the names.
fn values(kind: Option<BodyKind>, bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    let mut sink = |piece: Piece<'_>| {
        if piece.spot.is_some() {
            values.push(piece.value.to_vec());
        }
    };
    match kind {
        None | Some(BodyKind::Other) => body::walk_arguments(bytes, 99, &mut sink),
        Some(BodyKind::Urlencoded) => body::walk_arguments(bytes, 99, &mut sink),
        Some(BodyKind::Json) => body::walk_json(bytes, true, 9, 99, &mut sink),
        Some(BodyKind::Xml) => body::walk_xml(bytes, true, 9, 99, &mut sink),
        Some(BodyKind::Multipart) => body::walk_multipart(MULTIPART.as_bytes(), bytes, true, 99, &mut sink),
    }
    .unwrap();
    values
}

/// Whether a rule that sanitizes matches in any form of the value.
fn is_attack(value: &[u8], plus: bool) -> bool {
    let set = set();
    let forms = transform::forms(value, plus, &set.chains, u64::MAX);
    let all = forms.iter().map(|form| (form.bytes.as_slice(), form.chains)).chain([(value, u64::MAX)]);
    all.into_iter().any(|(form, chains)| {
        set.compiled.iter().any(|rule| rule.chain & chains != 0 && rule.pattern.is_match(form))
    })
}

/// What must be true of a place after the rounds: the values before and after, in order.
fn check(kind: Option<BodyKind>, before: &[u8], after: Option<&[u8]>) -> Result<(), TestCaseError> {
    let plus = matches!(kind, None | Some(BodyKind::Urlencoded));
    let before_values = values(kind, before);
    let Some(after) = after else {
        prop_assert!(before_values.iter().any(|value| is_attack(value, plus)));
        return Ok(());
    };
    let after_values = values(kind, after);
    prop_assert!(after_values.iter().all(|value| !is_attack(value, plus)));
    if kind != Some(BodyKind::Xml) {
        prop_assert_eq!(after_values.len(), before_values.len());
        for (before, after) in before_values.iter().zip(&after_values) {
            prop_assert!(is_attack(before, plus) || before == after);
        }
    }
    if before_values.iter().all(|value| !is_attack(value, plus)) {
        prop_assert_eq!(before, after);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_query_is_blocked_or_clean_and_its_other_values_are_untouched(values in vec(value(), 1..4)) {
        let query: Vec<String> = values.iter().enumerate().map(|(n, v)| format!("n{n}={}", v.replace('&', "%26"))).collect();
        let before = format!("/a?{}", query.join("&"));
        let after = target(&before);
        check(None, &before.as_bytes()[3..], after.as_ref().map(|after| &after.as_bytes()[3..]))?;
    }

    #[test]
    fn a_form_is_blocked_or_clean_and_its_other_values_are_untouched(values in vec(value(), 1..4)) {
        let form: Vec<String> = values.iter().enumerate().map(|(n, v)| format!("n{n}={}", v.replace('&', "%26"))).collect();
        let before = form.join("&").into_bytes();
        let after = body(BodyKind::Urlencoded, "", &before);
        check(Some(BodyKind::Urlencoded), &before, after.as_deref())?;
    }

    #[test]
    fn json_is_blocked_or_clean_and_stays_json(values in vec(value(), 1..4)) {
        let before = serde_json::to_vec(&serde_json::json!({"a": values, "n": 1, "b": {"c": values[0]}})).unwrap();
        let after = body(BodyKind::Json, "application/json", &before);
        check(Some(BodyKind::Json), &before, after.as_deref())?;
        if let Some(after) = after {
            let json: serde_json::Value = serde_json::from_slice(&after).unwrap();
            prop_assert_eq!(&json["n"], 1);
        }
    }

    #[test]
    fn xml_is_blocked_or_clean_and_stays_xml(values in vec(value(), 1..4)) {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let items: String = values.iter().map(|value| {
            let (section, value) = (value.replace(']', ""), escaped(value));
            format!("<i v=\"{value}\">{value}<!-- c --><![CDATA[{section}]]></i>")
        }).collect();
        let before = format!("<a>{items}</a>").into_bytes();
        let after = body(BodyKind::Xml, "application/xml", &before);
        check(Some(BodyKind::Xml), &before, after.as_deref())?;
    }

    #[test]
    fn multipart_is_blocked_or_clean_and_keeps_its_parts(values in vec(value(), 1..4)) {
        let parts: String = values.iter().map(|value| part("n", value)).collect();
        let before = format!("{parts}--b1--").into_bytes();
        let after = body(BodyKind::Multipart, MULTIPART, &before);
        check(Some(BodyKind::Multipart), &before, after.as_deref())?;
    }

    #[test]
    fn headers_and_cookies_are_blocked_or_clean(value in value()) {
        let value = value.replace('é', "e");
        for (name, value) in [("X-Thing", value.clone()), ("Cookie", format!("a={}; b=1", value.replace(';', "")))] {
            let after = field(name, value.as_bytes());
            prop_assert_eq!(after.is_some() || is_attack(value.as_bytes(), true) || is_attack(value.as_bytes(), false), true);
            if let Some(after) = after {
                prop_assert!(!after.contains(['\r', '\n', '\0']));
                prop_assert!(name != "Cookie" || after.ends_with("; b=1"));
            }
        }
    }
}
