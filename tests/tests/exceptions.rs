//! Exceptions: exactly what they name passes, for as long as they say, and it is counted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, eventually};
use secbeat_types::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

const RULES: &str = r#"{"rules":[
    {"id":"script","name":"Script","pattern":"<script","action":"block","severity":"high","category":"xss"},
    {"id":"union","name":"Union","pattern":"union","action":"block","severity":"high","category":"sql_injection"},
    {"id":"clean","name":"Clean","pattern":"<b>","action":"sanitize","severity":"low","category":"xss"}
]}"#;

fn start(origin: &Origin) -> Node {
    Setup::before(origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").rules(RULES).start()
}

fn set(node: &Node, exception: &Value) -> Value {
    node.done("/api/v1/waf/exceptions", &json!({ "exceptions": [exception] }).to_string())
}

fn hits(node: &Node, id: &str) -> u64 {
    let told = node.told("/api/v1/waf/exceptions");
    let exceptions = told["exceptions"].as_array().unwrap();
    let one =
        exceptions.iter().find(|exception| exception["id"] == id).unwrap_or_else(|| panic!("{id} in {told}"));
    one["hits"].as_u64().unwrap()
}

/// A form, by who sends it, where to, and what it says.
fn post(node: &Node, client: &str, host: &str, path: &str, body: &str) -> u16 {
    node.ask(format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ))
    .status
}

#[test]
fn exactly_what_an_exception_names_passes_and_survives_a_kill() {
    let origin = Origin::echo();
    let mut node = start(&origin);
    let exception = json!({
        "id": "editor", "rules": ["script"], "paths": ["/admin/posts"], "parameters": ["body:content"],
        "hosts": ["cms.test"], "clients": ["10.0.0.0/8"], "reason": "authors write HTML",
    });
    let answer = set(&node, &exception);
    assert_eq!((&answer["ids"], &answer["durable"]), (&json!(["editor"]), &true.into()), "{answer}");
    let all = |node: &Node| {
        let script = "content=%3Cscript%3E";
        assert_eq!(post(node, "10.1.2.3", "cms.test", "/admin/posts", script), 200);
        assert_eq!(post(node, "10.1.2.3", "CMS.test:80", "/admin/posts/7", script), 200);
        for (client, host, path, body) in [
            ("192.0.2.1", "cms.test", "/admin/posts", script),
            ("10.1.2.3", "shop.test", "/admin/posts", script),
            ("10.1.2.3", "cms.test", "/admin", script),
            ("10.1.2.3", "cms.test", "/admin/posts/../users", script),
            ("10.1.2.3", "cms.test", "/admin/posts/..%2fusers", script),
            ("10.1.2.3", "cms.test", "/admin/posts?content=%3Cscript%3E", "content=fine"),
            ("10.1.2.3", "cms.test", "/admin/posts", "title=%3Cscript%3E"),
            ("10.1.2.3", "cms.test", "/admin/posts", "content=union"),
            ("10.1.2.3", "cms.test", "/admin/posts", "content=%3Cscript%3E&title=%3Cscript%3E"),
        ] {
            assert_eq!(post(node, client, host, path, body), 403, "{client} {host}{path} {body}");
        }
    };
    all(&node);
    assert!(hits(&node, "editor") >= 2);
    node.reload();
    all(&node);
    node.kill();
    node.start_again();
    all(&node);
    assert_eq!(node.told("/api/v1/waf/exceptions")["exceptions"][0]["reason"], "authors write HTML");
    assert_eq!(node.call("DELETE", "/api/v1/waf/exceptions/editor", "").status, 200);
    assert_eq!(post(&node, "10.1.2.3", "cms.test", "/admin/posts", "content=%3Cscript%3E"), 403);
}

#[test]
fn each_way_to_name_a_match_lets_that_match_pass_alone() {
    let origin = Origin::echo();
    let node = start(&origin);
    let ask = |fields: &str| {
        node.ask(format!("GET /page?q=%3Cscript%3E HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n")).status
    };
    assert_eq!(ask(""), 403);
    for narrowed in [
        json!({"rules": ["script"]}),
        json!({"categories": ["xss"]}),
        json!({"parameters": ["query:q"]}),
        json!({"parameters": ["query:*"]}),
        json!({"paths": ["/page"]}),
        json!({"hosts": ["*.test"]}),
        json!({"clients": ["127.0.0.1"]}),
    ] {
        let mut exception = narrowed.clone();
        exception["id"] = "one".into();
        set(&node, &exception);
        let before = hits(&node, "one");
        assert_eq!(ask(""), 200, "{narrowed}");
        assert_eq!(hits(&node, "one"), before + 1, "{narrowed}");
        assert_eq!(node.call("DELETE", "/api/v1/waf/exceptions/one", "").status, 200);
        assert_eq!(ask(""), 403, "{narrowed}");
    }
    // What is let pass is not taken out either.
    set(&node, &json!({"rules": ["clean"], "parameters": ["query:keep"]}));
    assert_eq!(node.get("/?keep=%3Cb%3E&q=%3Cb%3E").status, 200);
    assert_eq!(origin.last().target(), "/?keep=%3Cb%3E&q=");
    // The program's own findings are excepted by their names.
    let broken = |path: &str| {
        let fields = "Content-Type: application/json\r\nContent-Length: 1\r\n";
        node.ask(format!("POST {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n{{")).status
    };
    set(&node, &json!({"rules": ["secbeat-body-malformed"], "paths": ["/loose"]}));
    assert_eq!((broken("/loose"), broken("/strict")), (200, 403));
}

#[test]
fn an_exception_ends_when_its_time_is_over() {
    let origin = Origin::echo();
    let node = start(&origin);
    let end = Timestamp::now().after(Duration::from_secs(2));
    set(&node, &json!({"id": "short", "rules": ["script"], "expires_at": end.to_string()}));
    let status = || node.get("/?q=%3Cscript%3E").status;
    let mut passed = false;
    eventually("its end", || {
        let is_let_pass = status() == 200;
        passed |= is_let_pass;
        assert!(is_let_pass || Timestamp::now() >= end, "over before its time");
        !is_let_pass
    });
    assert!(passed);
}

#[test]
fn what_narrows_nothing_or_cannot_be_read_changes_nothing() {
    let origin = Origin::echo();
    let node = start(&origin);
    set(&node, &json!({"id": "good", "rules": ["union"]}));
    for bad in [
        r#"{"id":"e","reason":"nothing is named"}"#,
        r#"{"id":"e","rules":["script"],"paths":["no slash"]}"#,
        r#"{"id":"e","categories":["cross_site"]}"#,
        r#"{"id":"e","parameters":["nowhere:q"]}"#,
        r#"{"id":"e","clients":["10.0.0.0/33"]}"#,
        r#"{"id":"e","rules":["script"],"expires_at":"tomorrow"}"#,
        r#"{"id":"e","rule":["script"]}"#,
        r#"{"id":"e","rules":["script"]},{"id":"e","rules":["union"]}"#,
    ] {
        let answer = node
            .post("/api/v1/waf/exceptions", &format!(r#"{{"exceptions":[{{"rules":["script"]}},{bad}]}}"#));
        assert_eq!(answer.status, 422, "{bad}: {}", answer.text());
    }
    assert_eq!(node.told("/api/v1/waf/exceptions")["exceptions"].as_array().unwrap().len(), 1);
    assert_eq!((node.get("/?q=%3Cscript%3E").status, node.get("/?q=union").status), (403, 200));
}
