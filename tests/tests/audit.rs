//! Who changed what: told of every change, and kept whatever clients do; and that what is in force can be taken back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::{Node, Origin, Setup, until};
use serde_json::{Value, json};

/// The newest event of this name, once it is there.
#[track_caller]
fn event(node: &Node, name: &str) -> Value {
    until(name, || {
        let events = node.call("GET", "/api/v1/events?limit=1000", "").json();
        events["events"].as_array().unwrap().iter().find(|event| event["event"] == name).cloned()
    })
}

#[test]
fn every_change_says_who_made_it() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let rule = json!({ "rules": [{ "id": "mine", "pattern": "mark", "action": "block" }] });
    let exception = json!({ "exceptions": [{ "id": "tea", "rules": ["mine"] }] });
    for (method, path, body, name) in [
        ("POST", "/api/v1/block-ip", json!({ "ip": "192.0.2.7" }), "ip_blocked"),
        ("DELETE", "/api/v1/block-ip/192.0.2.7", Value::Null, "ip_unblocked"),
        ("POST", "/api/v1/allowlist", json!({ "ip": "192.0.2.7" }), "ip_allowed"),
        ("POST", "/api/v1/waf/rules", rule, "rules_changed"),
        ("POST", "/api/v1/waf/exceptions", exception, "exceptions_changed"),
        ("POST", "/api/v1/reload", Value::Null, "policy_reloaded"),
    ] {
        let answer = node.call(method, path, &body.to_string());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(event(&node, name)["actor"], "127.0.0.1", "{name}");
    }
    let before = event(&node, "policy_reloaded")["id"].as_u64().unwrap();
    node.signal(Signal::HUP);
    let by_signal = until("the reload", || {
        Some(event(&node, "policy_reloaded")).filter(|event| event["id"].as_u64().unwrap() > before)
    });
    assert_eq!(by_signal["actor"], "signal");
    assert!(
        event(&node, "ip_blocked")["actor"] == "127.0.0.1" && node.log().contains("\"actor\":\"signal\"")
    );
}

#[test]
fn an_exception_that_is_over_already_is_refused() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let over =
        json!({ "exceptions": [{ "id": "tea", "paths": ["/tea"], "expires_at": "2020-01-01T00:00:00Z" }] });
    let answer = node.call("POST", "/api/v1/waf/exceptions", &over.to_string());
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains("tea") && answer.text().contains("expires_at"), "{}", answer.text());
    assert_eq!(node.call("GET", "/api/v1/waf/exceptions", "").json()["exceptions"], json!([]));
}

#[test]
fn rules_of_a_site_are_listed_with_its_name_and_deleted_by_id() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin)
        .tables("[[sites]]\nhosts = [\"shop.test\"]\nrules_path = \"shop.json\"")
        .rules(r#"{"rules":[{"id":"common","pattern":"common-mark","action":"block"}]}"#);
    let rules = r#"{"rules":[{"id":"own","pattern":"own-mark","action":"block"},{"id":"common","pattern":"common-mark","action":"block"}]}"#;
    std::fs::write(setup.path("shop.json"), rules).unwrap();
    let node = setup.start();
    let listed = |node: &Node| -> Vec<(String, Value)> {
        let rules = node.call("GET", "/api/v1/waf/rules", "").json();
        let rules = rules["rules"].as_array().unwrap().clone();
        rules.iter().map(|rule| (rule["id"].as_str().unwrap().to_owned(), rule["sites"].clone())).collect()
    };
    assert_eq!(listed(&node), [("common".into(), Value::Null), ("own".into(), json!(["shop.test"]))]);
    let ask = || node.ask("GET /?q=own-mark HTTP/1.1\r\nHost: shop.test\r\n\r\n").status;
    assert_eq!(ask(), 403);
    assert_eq!(node.call("DELETE", "/api/v1/waf/rules/own", "").status, 200);
    assert_eq!(ask(), 200);
    assert_eq!(listed(&node), [("common".into(), Value::Null)]);
    assert_eq!(node.call("DELETE", "/api/v1/waf/rules/own", "").status, 404);
}
