//! The API towards those who get it wrong, and towards those who should not be there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::{Answer, Node, Origin, Setup, eventually};

/// The contract's form of an error.
#[track_caller]
fn is_error(answer: &Answer, status: u16, what: &str) {
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let error = &answer.json()["error"];
    assert!(error["code"].is_string(), "{what}: {error}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{what}: {error}");
}

#[test]
fn malformed_calls_are_answered_in_the_contracts_form_and_never_5xx() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let long = format!(r#"{{"ip":"192.0.2.1","reason":"{}"}}"#, "x".repeat(501));
    let calls: &[(&str, &str, &str, u16)] = &[
        ("POST", "/api/v1/block-ip", "", 400),
        ("POST", "/api/v1/block-ip", "{", 400),
        ("POST", "/api/v1/block-ip", "ip=192.0.2.1", 400),
        ("POST", "/api/v1/block-ip", "[]", 422),
        ("POST", "/api/v1/block-ip", "{}", 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":4}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"nobody"}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"192.0.2.0/24"}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"192.0.2.1","duration":0}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"192.0.2.1","duration":-1}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"192.0.2.1","duration":99999999999999999999}"#, 422),
        ("POST", "/api/v1/block-ip", r#"{"ip":"192.0.2.1","durration":60}"#, 422),
        ("POST", "/api/v1/block-ip", &long, 422),
        ("DELETE", "/api/v1/block-ip/nobody", "", 422),
        ("DELETE", "/api/v1/block-ip/%ff", "", 400),
        ("POST", "/api/v1/emergency-block", r#"{"cidr":"192.0.2.1/33"}"#, 422),
        ("POST", "/api/v1/emergency-block", r#"{"ip":"192.0.2.1"}"#, 422),
        ("POST", "/api/v1/waf/rules", "{", 400),
        ("POST", "/api/v1/waf/rules", "[]", 422),
        ("POST", "/api/v1/waf/rules", r#"{"rules":[{"id":"x"}]}"#, 422),
        ("POST", "/api/v1/waf/rules?mode=maybe", r#"{"rules":[]}"#, 422),
        ("DELETE", "/api/v1/waf/rules/nothing", "", 404),
        ("GET", "/api/v1/events?type=everything", "", 422),
        ("GET", "/api/v1/events?limit=0", "", 422),
        ("GET", "/api/v1/events?ip=nobody", "", 422),
        ("GET", "/api/v1/events?since=yesterday", "", 422),
        ("GET", "/api/v1/events?tpye=attack", "", 422),
        ("GET", "/api/v1/reload", "", 405),
        ("GET", "/api/v1/nothing", "", 404),
        ("GET", "/", "", 404),
    ];
    for (method, path, body, status) in calls {
        let answer = node.call(method, path, body);
        is_error(&answer, *status, &format!("{method} {path} {body}"));
    }
    assert!(node.call("GET", "/api/v1/blocked-ips", "").json()["blocked_ips"].as_array().unwrap().is_empty());
}

#[test]
fn rules_are_set_by_id_survive_a_restart_and_a_bad_one_changes_nothing() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    let rule = |id: &str, pattern: &str| {
        format!(r#"{{"id":"{id}","name":"Mark","pattern":"{pattern}","action":"block","severity":"high"}}"#)
    };
    let set = |node: &Node, rules: &str| node.post("/api/v1/waf/rules", &format!("{{\"rules\":[{rules}]}}"));
    assert_eq!(set(&node, &rule("mine", "first-mark")).status, 200);
    assert_eq!(node.get("/?q=first-mark").status, 403);
    // One bad rule among good ones.
    let answer = set(&node, &format!("{},{}", rule("mine", "second-mark"), rule("broken", "(")));
    is_error(&answer, 422, "a bad rule");
    assert!(answer.text().contains("broken"), "{}", answer.text());
    assert_eq!((node.get("/?q=first-mark").status, node.get("/?q=second-mark").status), (403, 200));
    assert_eq!(set(&node, &rule("mine", "second-mark")).status, 200);
    assert_eq!((node.get("/?q=first-mark").status, node.get("/?q=second-mark").status), (200, 403));
    node.reload();
    assert_eq!(node.get("/?q=second-mark").status, 403, "a reload keeps it");
    node.kill();
    node.start_again();
    assert_eq!(node.get("/?q=second-mark").status, 403, "kill -9 keeps it");
    let rules = node.call("GET", "/api/v1/waf/rules", "").json();
    assert!(rules["rules"].as_array().unwrap().iter().any(|rule| rule["id"] == "mine"));
    assert_eq!(node.call("DELETE", "/api/v1/waf/rules/mine", "").status, 200);
    assert_eq!(node.get("/?q=second-mark").status, 200);
}

#[test]
fn a_foreign_page_and_a_rebound_name_are_refused() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let api = node.setup.api;
    let block = |fields: &str| node.call_with("POST", "/api/v1/block-ip", fields, r#"{"ip":"192.0.2.1"}"#);
    for fields in [
        format!("Host: {api}\r\nOrigin: https://evil.test\r\n"),
        format!("Host: {api}\r\nOrigin: null\r\n"),
        format!("Host: evil.test:{}\r\n", api.port()),
        format!("Host: localhost.evil.test:{}\r\n", api.port()),
    ] {
        is_error(&block(&fields), 403, &fields);
    }
    // Metrics and health are not asked about.
    assert_eq!(
        node.call_with("GET", "/metrics", "Host: evil.test\r\nOrigin: https://evil.test\r\n", "").status,
        200
    );
    assert_eq!(node.call_with("GET", "/healthz", "Host: evil.test\r\n", "").status, 200);
    assert_eq!(block(&format!("Host: localhost:{}\r\n", api.port())).status, 200);
    assert_eq!(block(&format!("Host: {api}\r\nOrigin: http://{api}\r\n")).status, 200);
}

#[test]
fn from_elsewhere_a_call_needs_the_token_and_without_one_there_is_no_call() {
    let Some(namespace) = Namespace::new() else { return };
    // A second address of the machine: to a peer from it, we are elsewhere.
    assert!(namespace.ip(&["addr", "add", "192.0.2.10/32", "dev", "lo"]));
    let origin = Origin::echo();
    let token = "0123456789abcdef0123456789abcdef";
    for (configured, wrong, right) in [(false, "404", "404"), (true, "401", "200")] {
        let mut setup = Setup::before(&origin).wrapped_in(&namespace.wrapper());
        setup =
            setup.text("metrics.bind_address", "0.0.0.0:9191").text("server.bind_address", "0.0.0.0:8443");
        if configured {
            setup = setup.text("metrics.api_token", token);
        }
        setup.write();
        let mut node = secbeat_tests::node::command(&setup);
        let log = std::fs::File::create(setup.path("stderr.log")).unwrap();
        node.arg("--stop-with-parent").stdin(std::process::Stdio::piped()).stderr(log);
        let mut node = node.spawn().unwrap();
        let curl = |what: &str| {
            let line = format!("curl -s -o /dev/null -w '%{{http_code}}' {what}");
            let output = namespace.command("bash").args(["-c", &line]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let site = "http://192.0.2.10:9191";
        eventually("the node", || curl(&format!("{site}/readyz")) == "200");
        assert_eq!(curl(&format!("{site}/metrics")), "200");
        assert_eq!(curl(&format!("{site}/api/v1/status")), wrong);
        assert_eq!(curl(&format!("-H 'Authorization: Bearer wrong' {site}/api/v1/status")), wrong);
        assert_eq!(curl(&format!("-H 'Authorization: Bearer {token}' {site}/api/v1/status")), right);
        assert_eq!(curl("http://localhost:9191/api/v1/status"), "200", "over loopback as ever");
        drop(node.stdin.take());
        node.wait().unwrap();
    }
}
