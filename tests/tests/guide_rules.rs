//! The guide's two example rules as they are written there: what the one stops, what the other takes out of a request on its way
//! to the backend, and what is told of each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::node::shell;
use secbeat_tests::{Answer, Node, Origin, Setup, request};
use serde_json::{Value, json};
use std::fs;

/// The guide's text, with its stray space.
const GUIDE: &str = r#"{
  "rules": [
    {
      "id": "rule_001",
      "name": "SQL Injection Detection",
      "pattern": "(?i)(union|select|insert|delete|update).*?(from|into|set)",
      "action": "block",
      "severity": "high"
    },
    {
      "id": "rule_002", 
      "name": "XSS Prevention",
      "pattern": "(?i)<script[^>]*>.*?</script>",
      "action": "sanitize",
      "severity": "medium"
    }
  ]
}"#;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
const MULTIPART: &str = "Content-Type: multipart/form-data; boundary=limit\r\n";

/// A node that has the guide's rules and no others, set as the guide sets them.
fn guided(setup: Setup) -> Node {
    let node = setup.rules(r#"{"rules":[]}"#).start();
    node.done("/api/v1/waf/rules", GUIDE);
    node
}

fn chunked(line: &str, fields: &str, body: &str) -> Vec<u8> {
    let mut request =
        format!("{line} HTTP/1.1\r\nHost: site.test\r\n{fields}Transfer-Encoding: chunked\r\n\r\n");
    for piece in body.as_bytes().chunks(7) {
        request.push_str(&format!("{:x}\r\n{}\r\n", piece.len(), std::str::from_utf8(piece).unwrap()));
    }
    request.push_str("0\r\n\r\n");
    request.into_bytes()
}

/// What a stage of an explained request said.
fn stage<'v>(told: &'v Value, name: &str) -> &'v Value {
    let trace = told["trace"].as_array().unwrap();
    trace.iter().find(|step| step["stage"] == name).unwrap_or_else(|| panic!("{name} in {told}"))
}

#[test]
fn the_guides_first_rule_stops_what_it_finds_and_says_so() {
    let origin = Origin::echo();
    let node = guided(Setup::before(&origin));
    let stopped = node.get("/page?id=1%20UNION%20SELECT%20password%20FROM%20users&sid=s3cr3t");
    assert_eq!(stopped.status, 403);
    let told = node.explained(&stopped);
    assert_eq!((&told["action"], &told["status"]), (&"stopped".into(), &403.into()), "{told}");
    let step = stage(&told, "firewall_head");
    assert_eq!(step["verdict"], "stop", "{told}");
    assert!(step["why"].as_str().unwrap().contains("rule_001"), "{told}");
    assert_eq!(told["trace"].as_array().unwrap().last(), Some(step), "it went no further: {told}");
    assert_eq!(told["event"]["rule_id"], "rule_001", "{told}");
    let record = node.record_of(&stopped);
    assert_eq!((&record["stopped"], &record["rule_id"]), (&true.into(), &"rule_001".into()));
    assert!(!record.to_string().contains("s3cr3t"), "{record}");
    assert!(record["target"].as_str().unwrap().contains("sid=[masked]"), "{record}");

    let stopped = node.ask(request("POST /", FORM, "a=delete+it&b=1;delete from users"));
    assert_eq!(stopped.status, 403);
    assert_eq!(stage(&node.explained(&stopped), "firewall_body")["verdict"], "stop");
    assert!(origin.is_untouched());
}

/// A request as it is sent and as the backend gets it: target, fields, body. A value that something was taken out of is written
/// anew, and means the same.
type Case = ([&'static str; 3], [&'static str; 3]);

const CASES: &[Case] = &[
    // In the query, plain and in each disguise.
    (
        ["/page?a=%31&q=nice%3Cscript%3Ealert(1)%3C/script%3E+post&b=2", "", ""],
        ["/page?a=%31&q=nice%20post&b=2", "", ""],
    ),
    (["/?q=%3CScRiPt%20src=//evil.test%3E%3C/sCrIpT%3E", "", ""], ["/?q=", "", ""]),
    (["/?q=%253Cscript%253Ealert(1)%253C/script%253E", "", ""], ["/?q=", "", ""]),
    (["/?q=%26lt;script%26gt;alert(1)%26lt;/script%26gt;&b=2", "", ""], ["/?q=&b=2", "", ""]),
    (["/?q=%3Cscr%3Cscript%3E%3C/script%3Eipt%3Ealert(1)%3C/script%3E", "", ""], ["/?q=", "", ""]),
    // In a form, which keeps what else is in it byte for byte.
    (
        ["/", FORM, "a=%C3%A9&comment=nice%3Cscript%3Ealert%281%29%3C%2Fscript%3E+post&b=%7e+"],
        ["/", FORM, "a=%C3%A9&comment=nice%20post&b=%7e+"],
    ),
    // In JSON, spaces and all.
    (
        ["/", JSON, r#"{ "a":1.0, "c":["nice<script>alert(\"1\")</script> post"],"b" :[ true,null ]}"#],
        ["/", JSON, r#"{ "a":1.0, "c":["nice post"],"b" :[ true,null ]}"#],
    ),
    (
        ["/", JSON, r#"{"c":"nice\u003cscript\u003ealert(1)\u003c/script\u003e post"}"#],
        ["/", JSON, r#"{"c":"nice post"}"#],
    ),
    // In a form of parts.
    (
        [
            "/",
            MULTIPART,
            "--limit\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nnice<script>alert(1)</script> post\r\n\
             --limit\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\r\n\x01\r\n--limit--\r\n",
        ],
        [
            "/",
            MULTIPART,
            "--limit\r\nContent-Disposition: form-data; name=\"c\"\r\n\r\nnice post\r\n\
             --limit\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.bin\"\r\n\r\n\x01\r\n--limit--\r\n",
        ],
    ),
    // In a header and in a cookie among others.
    (
        ["/", "X-Comment: nice<script>alert(1)</script> post\r\nX-Other: <b>\r\n", ""],
        ["/", "X-Comment: nice post\r\nX-Other: <b>\r\n", ""],
    ),
    (
        ["/", "Cookie: a=1; c=nice%3Cscript%3Ealert(1)%3C/script%3Epost; b=\"2\"\r\n", ""],
        ["/", "Cookie: a=1; c=nicepost; b=\"2\"\r\n", ""],
    ),
    // In all places at once.
    (
        [
            "/?q=a<script>1</script>",
            "Cookie: c=b<script>2</script>\r\nContent-Type: application/json\r\n",
            "\"c<script>3</script>\"",
        ],
        ["/?q=a", "Cookie: c=b\r\nContent-Type: application/json\r\n", "\"c\""],
    ),
];

#[test]
fn the_guides_second_rule_takes_scripts_out_and_leaves_every_other_byte() {
    let origin = Origin::echo();
    let node = guided(Setup::before(&origin));
    for ([target, fields, body], [target_after, fields_after, body_after]) in CASES {
        let line = format!("POST {target}");
        for sent in [request(&line, fields, body), chunked(&line, fields, body)] {
            let sent_text = String::from_utf8_lossy(&sent).into_owned();
            let answer = node.ask(&sent);
            assert_eq!(answer.status, 200, "{sent_text}");
            let received = origin.last();
            assert_eq!(received.target(), *target_after, "{sent_text}");
            assert_eq!(received.message.text(), *body_after, "{sent_text}");
            for field in fields_after.lines() {
                let (name, value) = field.split_once(": ").unwrap();
                assert_eq!(received.field(name), Some(value), "{sent_text}");
            }
            if let Some(length) = received.field("content-length") {
                assert_eq!(length, body_after.len().to_string(), "{sent_text}");
            }
            let told = node.explained(&answer);
            assert_eq!(told["action"], "sanitized", "{sent_text}: {told}");
            assert_eq!(told["event"]["rule_id"], "rule_002", "{sent_text}: {told}");
            assert_eq!(told["event"]["blocked"], false, "{sent_text}: {told}");
        }
    }
    let all: Vec<u8> = origin.bytes().concat();
    assert!(!String::from_utf8_lossy(&all).to_lowercase().contains("script"));
}

#[test]
fn what_was_sanitized_is_explained_at_the_stage_that_did_it() {
    let origin = Origin::echo();
    let node = guided(Setup::before(&origin));
    let script = "%3Cscript%3Ealert(1)%3C/script%3E";
    let verdicts = |answer: &Answer| {
        let told = node.explained(answer);
        let why = |name: &str| stage(&told, name)["why"].as_str().unwrap_or_default().contains("rule_002");
        let verdict = |name: &str| stage(&told, name)["verdict"].as_str().unwrap().to_owned();
        ["firewall_head", "firewall_body"].map(|name| (verdict(name), why(name)))
    };
    let plain = |verdict: &str| (verdict.to_owned(), false);
    let sanitized = ("log".to_owned(), true);
    let in_head = node.ask(request(&format!("POST /?q={script}"), FORM, "a=b"));
    assert_eq!(verdicts(&in_head), [sanitized.clone(), plain("pass")]);
    let in_body = node.ask(request("POST /", FORM, format!("a={script}")));
    assert_eq!(verdicts(&in_body), [plain("pass"), sanitized]);
    let passed = node.ask(request("POST /", FORM, "a=b"));
    assert_eq!(verdicts(&passed), [plain("pass"), plain("pass")]);
    assert_eq!(node.explained(&passed)["action"], "passed");
    let without = node.get("/");
    assert_eq!(verdicts(&without), [plain("pass"), plain("skipped")]);
    // What the client sent is told, not what was left of it.
    let event = node.event_of(&in_head);
    assert_eq!(event["target"], format!("/?q={script}"));
    assert_eq!(event["matches"][0]["variable"], "query:q");

    let unknown = node.call("GET", "/api/v1/explain?request_id=0123456789abcdef", "");
    assert_eq!(unknown.status, 404);
    assert!(unknown.json()["error"]["message"].as_str().unwrap().contains("[recorder]"));
}

#[test]
fn what_cannot_be_taken_out_is_stopped() {
    let origin = Origin::echo();
    let node = guided(Setup::before(&origin).set("waf.inspect_body_limit", 1024));
    let script = "<script>alert(1)</script>";
    // The rest of this body is not here when its first part was looked at.
    let long = format!("c={script}&pad={}", "x".repeat(100_000));
    for sent in [request("POST /", FORM, &long), chunked("POST /", FORM, &long)] {
        let answer = node.ask(sent);
        assert_eq!(answer.status, 403);
        assert_eq!(node.explained(&answer)["event"]["rule_id"], "rule_002");
    }
    // A body that is compressed.
    let line = format!("printf '%s' 'c={script}' | gzip -n > form.gz");
    assert!(shell(node.setup.dir.path(), &line).0);
    let body = fs::read(node.setup.path("form.gz")).unwrap();
    let answer = node.ask(request("POST /", &format!("{FORM}Content-Encoding: gzip\r\n"), body));
    assert_eq!(answer.status, 403);
    // Nested deeper than anybody nests by mistake.
    let nested = (0..20).fold(String::new(), |inner, _| format!("<scr{inner}ipt></script>"));
    let answer = node.ask(request("POST /", FORM, format!("c={nested}")));
    assert_eq!(answer.status, 403);
    assert!(origin.is_untouched(), "nothing of what was stopped came through");
    let told = node.told("/api/v1/explain?ip=127.0.0.1");
    assert_eq!((&told["verdict"], &told["considered"]), (&"pass".into(), &json!([])), "{told}");
    assert_eq!(told["events"][0]["rule_id"], "rule_002", "{told}");
}
