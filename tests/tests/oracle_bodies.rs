//! Bodies against ModSecurity 3 itself: what of them becomes arguments, files, XML and flags.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_engine::Program;
use secbeat_seclang::load_text;
use secbeat_tests::oracle::{self, Oracle, between};
use secbeat_types::Timestamp;
use secbeat_waf::{BodyFollows, Context, Request, RuleSet, Settings};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// What is compared: every value of these, by name.
const COLLECTIONS: &[&str] =
    &["ARGS", "FILES", "FILES_NAMES", "FILES_SIZES", "MULTIPART_PART_HEADERS", "XML:/*", "XML://@*"];
/// And each of these where it is anything but 0.
const FLAGS: &[&str] = &[
    "REQBODY_ERROR",
    "MULTIPART_STRICT_ERROR",
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_INVALID_PART",
];

/// Rules that write down all of it in the message of the last one.
fn rules() -> String {
    let mut text = String::from(
        "SecRuleEngine On\nSecRequestBodyAccess On\n\
         SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" \"id:1,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n\
         SecRule REQUEST_HEADERS:Content-Type \"@contains json\" \"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n",
    );
    let note = "setvar:'tx.all=%{tx.all}|%{MATCHED_VAR_NAME}: %{MATCHED_VAR}'";
    for (number, target) in COLLECTIONS.iter().enumerate() {
        let id = 10 + number;
        text += &format!(
            "SecRule {target} \"@unconditionalMatch\" \"id:{id},phase:2,pass,nolog,t:none,{note}\"\n"
        );
    }
    for (number, flag) in FLAGS.iter().enumerate() {
        let id = 50 + number;
        text += &format!("SecRule {flag} \"!@eq 0\" \"id:{id},phase:2,pass,nolog,t:none,{note}\"\n");
    }
    text + "SecAction \"id:99,phase:2,pass,log,msg:'%{tx.all}'\"\n"
}

/// A list of values as the rules wrote it, in the order of the alphabet. Older versions of ModSecurity leave the line end at a
/// line of a part's head.
fn sorted(text: &str) -> Vec<String> {
    let value = |value: &str| {
        let is_head = value.starts_with("MULTIPART_PART_HEADERS");
        let end = if is_head { &["\\x0a", "\\x0d"][..] } else { &[] };
        end.iter().fold(value, |value, end| value.strip_suffix(end).unwrap_or(value)).to_owned()
    };
    let mut all: Vec<String> = text.split('|').filter(|value| !value.is_empty()).map(value).collect();
    all.sort();
    all
}

fn ours(rules: &RuleSet, content_type: &str, body: &[u8]) -> Vec<String> {
    let mut transaction =
        rules.transaction(Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0)));
    let fields = [(&b"Content-Type"[..], content_type.as_bytes())];
    let request = Request {
        method: b"POST",
        target: b"/",
        fields: &fields,
        protocol: b"HTTP/1.1",
        id: "1",
        body: BodyFollows::Inspected,
    };
    let _ = transaction.request_head(&request);
    let kind = transaction.inspects_body(Some(content_type.as_bytes())).unwrap();
    let _ = transaction.request_body(kind, Some(content_type.as_bytes()), body, true);
    let told = transaction.traced().find(|traced| traced.rule.id == 99).unwrap().found.message.clone();
    sorted(&escaped(told.as_bytes()))
}

fn theirs(oracle: &mut Oracle, content_type: &str, body: &[u8]) -> Vec<String> {
    let answer = oracle.request(&oracle::Request {
        method: "POST".into(),
        uri: "/".into(),
        fields: vec![("Content-Type".into(), content_type.into())],
        body: body.to_vec(),
    });
    let line = answer.log.iter().find(|line| line.contains("[id \"99\"]"));
    // A message that is empty is not told.
    line.map_or_else(Vec::new, |line| sorted(between(line, "[msg \"", "\"]").unwrap()))
}

/// As ModSecurity writes its log.
fn escaped(text: &[u8]) -> String {
    let escape = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    text.iter().map(escape).collect()
}

const FORM: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=b";

/// Bodies, plain and broken.
fn cases() -> Vec<(&'static str, Vec<u8>)> {
    let mut cases: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for body in
        ["a=1&b=2", "a", "", "a=b=c&&=d&e=", "%61=%2541+x&b=%zz&c=%4", "a=1&a=2;b=3", "&", "a=%00b", "a=é"]
    {
        cases.push((FORM, body.into()));
    }
    for body in [
        r#"{"a":{"b":"x\u0041\n"},"l":[1,{"c":null},[true,false]],"":"e","n":-1.5e3}"#,
        r#"["a",[2,[]],{}]"#,
        r#""alone""#,
        "{\"a\":\"b\",}",
        "{\"a\":\"evil\",",
        "[1] x",
        "{\"a\":\"\u{1}\"}",
        "01",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"\":{\"x\":1}}}",
        "{\"\":[1]}",
        "nul",
        "[1e5,1E+5,0.5]",
        "{\"a\":\"\\ud83d\\ude00\"}",
    ] {
        cases.push(("application/json", body.into()));
    }
    for body in [
        "<a b='1&amp;2'>x<c>y</c> z<!-- no --><![CDATA[<d>]]></a>",
        "<?xml version='1.0'?>\n<r xmlns='urn:x' xmlns:y='urn:y' y:id='1'>&#65;&lt;</r>",
        "<a>evil</b>",
        "<a b=evil>c</a>",
        "<a/>",
        "<a>\n  <b>1</b>\n  <b>2</b>\n</a>\n",
        "no xml",
        "<a>unclosed",
        "<a b='x\ty'/>",
        "<a>1\r\n2</a>",
    ] {
        cases.push(("text/xml", body.into()));
    }
    let named = "Content-Disposition: form-data; name=\"a\"";
    let part = |head: &str, content: &str| format!("--b\r\n{head}\r\n\r\n{content}\r\n--b--\r\n");
    let file = "Content-Disposition: form-data; name=\"f\"; filename=\"c.txt\"\r\nContent-Type: text/plain";
    for body in [
        part(named, "x"),
        part(file, "12345"),
        part(named, ""),
        part(file, ""),
        format!("--b\r\n{named}\r\n\r\nx\r\n--b\r\n{file}\r\n\r\ny\r\n--b--"),
        format!("preamble\r\n{}", part(named, "x")),
        format!("{}epilogue", part(named, "x")),
        part("Content-Disposition: form-data;\r\n name=a", "x"),
        part("Content-Disposition: form-data;\r\n\u{b}name=a", "x"),
        part("Content-Disposition: form-data; name='a'", "x"),
        part("Content-Disposition: form-data; name=a'b", "x"),
        part("Content-Disposition: form-data; name=\"a\"; filename*=UTF-8''x", "x"),
        part("Content-Disposition: form-data; name=\"a\"; filename=y; filename*=UTF-8''x", "x"),
        part("Content-Disposition: form-data; name=a; name=b", "x"),
        part("Content-Disposition: form-data; name=\"a\\\"b\\\\c\\d\"", "x"),
        part("Content-Disposition: form-data", "x"),
        part("Content-Disposition: attachment; name=a", "x"),
        part("Content-Disposition: form-data; name=a; x=y", "x"),
        part("Content-Type: text/plain", "x"),
        part("no colon", "x"),
        part(named, "x").replacen("\r\n", "\n", 2),
        part(named, "x").replace("\r\n", "\n"),
        part(named, "x --b y"),
        format!("--b\r\n{named}\r\n\r\nx"),
        format!("--b\r\n{named}\r\n\r\nx\r\n--bc\r\n--b--\r\n"),
        format!("--b \r\n{named}\r\n\r\nx\r\n--b--\r\n"),
        format!("-- b\r\n{named}\r\n\r\nx\r\n--b--\r\n"),
        "--b--\r\n".into(),
        "x".into(),
        String::new(),
    ] {
        cases.push((PARTS, body.into()));
    }
    let plain = part(named, "x");
    for content_type in [
        "multipart/form-data; boundary=\"b\"",
        "multipart/form-data; boundary =b",
        "multipart/form-data; boundary= b",
        "multipart/form-data boundary=b",
        "multipart/form-data;boundary=b; charset=utf-8",
        "multipart/form-data; charset=utf-8; boundary=b",
        "multipart/form-data; Boundary=b",
        "multipart/form-data; boundary=b; boundary=c",
        "multipart/form-data; boundary=\"b",
        "multipart/form-data",
        "Multipart/Form-Data; boundary=b",
    ] {
        cases.push((content_type, plain.clone().into()));
    }
    cases
}

/// Bodies that are read otherwise here, what comes of them, and why.
fn differences() -> Vec<(&'static str, &'static str, &'static [&'static str], &'static str)> {
    const HEAD: &str = "MULTIPART_PART_HEADERS:a: Content-Disposition: form-data; name=a";
    vec![
        ("application/json", "  ", &[], "nothing but white space is no more than nothing"),
        (
            "text/xml",
            "<a b='1' b='2'/>",
            &["REQBODY_ERROR: 1", "XML://@*: 1", "XML://@*: 2"],
            "what was read before an error is given to rules",
        ),
        (
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\ny\r\n--b--\r\n",
            &["ARGS:a: x\\x0d\\x0ay", HEAD],
            "a value has the line ends that the backend will see in it",
        ),
        (
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=a\r\nX y: z\r\n\r\nx\r\n--b--\r\n",
            &["ARGS:a: x", HEAD, "MULTIPART_PART_HEADERS:a: X y: z", "REQBODY_ERROR: 1"],
            "a name with a space in it is an error, as in newer versions of ModSecurity",
        ),
        (
            PARTS,
            "--b\r\nContent-Disposition: form-data; name=a\r\n: z\r\n\r\nx\r\n--b--\r\n",
            &["ARGS:a: x", "MULTIPART_PART_HEADERS:a: : z", HEAD, "REQBODY_ERROR: 1"],
            "rules see the line that is an error",
        ),
        (
            "multipart/form-data; boundary=",
            "x",
            &["MULTIPART_STRICT_ERROR: 1", "REQBODY_ERROR: 1"],
            "a body that cannot be taken apart is an error",
        ),
    ]
}

fn set() -> RuleSet {
    let program = Program::compile(&load_text(&rules()).unwrap()).unwrap();
    let set = RuleSet::compile(&[], &Settings { monitor: true, ..Settings::default() }).unwrap();
    set.with_seclang(Arc::new(program))
}

#[test]
fn where_a_body_is_read_otherwise_it_is_on_purpose() {
    let Some(mut oracle) = Oracle::start() else { return };
    oracle.rules(&rules()).unwrap();
    let set = set();
    for (content_type, body, expected, why) in differences() {
        assert_eq!(ours(&set, content_type, body.as_bytes()), expected, "{body:?}: {why}");
        assert_ne!(theirs(&mut oracle, content_type, body.as_bytes()), expected, "{body:?}: the same by now");
    }
}

#[test]
fn what_becomes_of_a_body_is_what_modsecurity_makes_of_it() {
    let Some(mut oracle) = Oracle::start() else { return };
    oracle.rules(&rules()).unwrap();
    let set = set();
    let mut wrong = Vec::new();
    for (content_type, body) in cases() {
        let (ours, theirs) = (ours(&set, content_type, &body), theirs(&mut oracle, content_type, &body));
        if ours != theirs {
            wrong.push(format!(
                "{content_type}: {:?}\n  ours   {ours:?}\n  theirs {theirs:?}",
                String::from_utf8_lossy(&body)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
