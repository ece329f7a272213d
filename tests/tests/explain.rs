//! Why a client or a request was let through or stopped: the stage that did it, by what, and that all before it let it pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup, eventually, request};
use serde_json::{Value, json};

const RULES: &str = r#"{"rules":[
    {"id":"stop","name":"Stop","pattern":"stop-mark","action":"block","severity":"high"},
    {"id":"look","name":"Look","pattern":"look-mark","action":"log","severity":"high"}
]}"#;

const STAGES: [&str; 8] =
    ["head", "decision", "limits", "rates", "firewall_head", "firewall_body", "upstream", "answer"];

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

fn setup(origin: &Origin) -> Setup {
    Setup::before(origin)
        .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
        .set("limits.body_bytes_max", 100)
        .rules(RULES)
        .tables("[[sites]]\nhosts = [\"off.test\"]\nwaf_mode = \"off\"")
        .tables("[[sites]]\nhosts = [\"watched.test\"]\nwaf_mode = \"monitor\"")
        .tables("[[rate_limits]]\nname = \"once\"\nkey = [\"address\"]\nrequests = 1\nper = 3600\npaths = [\"/once\"]")
        .tables("[[rate_limits]]\nname = \"watch\"\nkey = [\"address\"]\nrequests = 1\nper = 3600\npaths = [\"/watch\"]\nmode = \"monitor\"")
}

fn from(node: &Node, client: &str, line: &str, fields: &str, body: &str) -> Answer {
    node.ask(request(line, &format!("X-Forwarded-For: {client}\r\n{fields}"), body))
}

/// The stages that say anything but `pass` and that there was no body to inspect.
fn said(told: &Value) -> Vec<String> {
    let steps = told["trace"].as_array().unwrap();
    let names: Vec<&str> = steps.iter().map(|step| step["stage"].as_str().unwrap()).collect();
    assert_eq!(names, STAGES[..names.len()], "{told}");
    let notable = steps.iter().filter(|step| {
        let why = step["why"].as_str().unwrap_or_default();
        assert!(step["verdict"] == "pass" || !why.is_empty(), "{told}");
        step["verdict"] != "pass" && why != "there is no body that is inspected"
    });
    notable.map(|step| format!("{} {}", step["stage"], step["verdict"]).replace('"', "")).collect()
}

#[test]
fn each_request_is_explained_by_the_stage_it_came_to() {
    let origin = Origin::echo();
    let node = setup(&origin).start();
    node.block("192.0.2.66");
    node.done("/api/v1/allowlist", r#"{"ip":"192.0.2.77"}"#);
    let client = "192.0.2.1";
    for path in ["/once", "/watch"] {
        assert_eq!(from(&node, client, &format!("GET {path}"), "", "").status, 200);
    }
    let long = "x".repeat(101);
    let cases: &[([&str; 4], u16, &str, &[&str])] = &[
        ([client, "GET /", "", ""], 200, "passed", &[]),
        ([client, "POST /", FORM, "a=b"], 200, "passed", &[]),
        ([client, "GET /", "Host: second\r\n", ""], 400, "stopped", &["head stop"]),
        (["192.0.2.66", "GET /", "", ""], 403, "stopped", &["decision stop"]),
        (["192.0.2.77", "GET /once", "", ""], 200, "passed", &["decision allow", "rates skipped"]),
        ([client, "TRACE /", "", ""], 405, "stopped", &["limits stop"]),
        ([client, "POST /", "", &long], 413, "stopped", &["limits stop"]),
        ([client, "GET /once", "", ""], 429, "stopped", &["rates stop"]),
        ([client, "GET /watch", "", ""], 200, "logged", &["rates log"]),
        ([client, "GET /?q=look-mark", "", ""], 200, "logged", &["firewall_head log"]),
        ([client, "GET /?q=stop-mark", "", ""], 403, "stopped", &["firewall_head stop"]),
        ([client, "POST /", FORM, "q=look-mark"], 200, "logged", &["firewall_body log"]),
        ([client, "POST /", FORM, "q=stop-mark"], 403, "stopped", &["firewall_body stop"]),
        (
            [client, "POST /?q=look-mark", FORM, "q=look-mark"],
            200,
            "logged",
            &["firewall_head log", "firewall_body log"],
        ),
        (
            [client, "POST /?q=look-mark", FORM, "q=stop-mark"],
            403,
            "stopped",
            &["firewall_head log", "firewall_body stop"],
        ),
    ];
    for ([client, line, fields, body], status, action, expected) in cases {
        let answer = from(&node, client, line, fields, body);
        let told = node.explained(&answer);
        assert_eq!((answer.status, &told["status"]), (*status, &json!(status)), "{line} {fields}{body}");
        assert_eq!(told["action"], *action, "{line} {fields}{body}: {told}");
        assert_eq!(said(&told), *expected, "{line} {fields}{body}: {told}");
        assert_eq!(told["event"].is_null(), *action == "passed", "{told}");
        assert!(told["connection_id"].as_str().unwrap().starts_with("conn_"), "{told}");
        assert!(told["duration_ms"].as_f64().unwrap() > 0.0, "{told}");
    }
    // Where the firewall only logs, what it would have refused is told at its stage.
    for (fields, body) in [("Content-Encoding: exi\r\n", "a=b"), ("", "a=stop-mark")] {
        let fields = format!("Host: watched.test\r\n{FORM}{fields}Content-Length: {}\r\n", body.len());
        let watched = node.ask(format!("POST / HTTP/1.1\r\n{fields}\r\n{body}"));
        let told = node.explained(&watched);
        assert_eq!((watched.status, said(&told)), (200, vec!["firewall_body log".to_owned()]), "{told}");
        assert_eq!(told["action"], "logged", "{told}");
    }
    let off = node.ask("GET /?q=stop-mark HTTP/1.1\r\nHost: off.test\r\n\r\n");
    let told = node.explained(&off);
    assert_eq!((off.status, &told["site"]), (200, &"off.test".into()), "{told}");
    assert_eq!(said(&told), ["firewall_head skipped", "firewall_body skipped"], "{told}");
}

#[test]
fn a_backend_that_is_not_there_is_said_to_be_what_stopped_it() {
    let gone = secbeat_tests::setup::free_address();
    let node = Setup::before_address(gone).start();
    let answer = node.get("/");
    let told = node.explained(&answer);
    assert_eq!((answer.status, said(&told)), (502, vec!["upstream stop".to_owned()]), "{told}");
    assert_eq!(told["event"]["event"], "backend_unreachable", "{told}");
}

#[test]
fn a_client_is_explained_by_what_is_known_of_it() {
    let origin = Origin::echo();
    let node = setup(&origin).set("waf.rate_limit_rps", 100).set("limits.connections_per_address", 7).start();
    let explain = |ip: &str| node.told(&format!("/api/v1/explain?ip={ip}"));
    let told = explain("192.0.2.1");
    assert_eq!(
        (&told["verdict"], &told["in_force"], &told["considered"]),
        (&"pass".into(), &Value::Null, &json!([]))
    );
    assert_eq!((&told["events"], &told["panic"]), (&json!([]), &Value::Null), "{told}");
    assert_eq!(told["connections"]["limit"], 7, "{told}");

    // Its rates, and what happened to it, the newest first and ten at most.
    for _ in 0..12 {
        let status = from(&node, "192.0.2.1", "GET /once?q=stop-mark", "", "").status;
        assert!(matches!(status, 403 | 429), "{status}");
    }
    eventually("ten events", || explain("192.0.2.1")["events"].as_array().unwrap().len() == 10);
    let told = explain("192.0.2.1");
    let ids: Vec<u64> =
        told["events"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "{ids:?}");
    let rate = |name: &str| {
        let rates = told["rates"].as_array().unwrap();
        rates.iter().find(|rate| rate["limit"] == name).unwrap_or_else(|| panic!("{name} in {told}")).clone()
    };
    let once = rate("once");
    assert_eq!((&once["used"], &once["burst"]), (&1.into(), &1.into()), "{once}");
    assert!((3500..=3600).contains(&once["retry_after_s"].as_u64().unwrap()), "{once}");
    let common = rate("waf.rate_limit_rps");
    assert_eq!((&common["burst"], &common["retry_after_s"]), (&200.into(), &0.into()), "{common}");

    // Decisions about it, the one in force first; what waits to be confirmed among them; none that is over.
    node.done("/api/v1/emergency-block", r#"{"cidr":"192.0.2.0/24"}"#);
    node.done("/api/v1/block-ip", r#"{"ip":"192.0.2.1","duration":1}"#);
    node.done("/api/v1/block-ip", r#"{"ip":"192.0.2.2","confirm":600}"#);
    eventually("the end of the shorter", || {
        explain("192.0.2.1")["considered"].as_array().unwrap().len() == 1
    });
    let told = explain("192.0.2.1");
    assert_eq!(told["in_force"]["scope"], "192.0.2.0/24", "{told}");
    let told = explain("192.0.2.2");
    assert_eq!(
        (&told["verdict"], &told["in_force"]["scope"]),
        (&"block".into(), &"192.0.2.2/32".into()),
        "{told}"
    );
    assert!(told["in_force"]["confirm_by"].is_string(), "{told}");
    assert_eq!(told["considered"].as_array().unwrap().len(), 2, "{told}");

    // An IPv6 client is its /64, and an IPv4 one the same in either spelling.
    node.block("2001:db8::1");
    let told = explain("2001:db8::ffff");
    assert_eq!((&told["scope"], &told["verdict"]), (&"2001:db8::/64".into(), &"block".into()), "{told}");
    assert_eq!(explain("::ffff:192.0.2.2")["verdict"], "block");
}

#[test]
fn what_was_recorded_is_still_explained_after_a_restart() {
    let origin = Origin::echo();
    let mut node = setup(&origin).start();
    let stopped = from(&node, "192.0.2.1", "GET /?q=stop-mark&token=s3cr3t", "Cookie: a=s3cr3t\r\n", "");
    let passed = from(&node, "192.0.2.1", "GET /", "", "");
    node.record_of(&stopped);
    node.kill();
    node.start_again();
    let id = stopped.field("x-request-id").unwrap();
    let told = node.told(&format!("/api/v1/explain?request_id={id}"));
    assert_eq!((&told["trace"], &told["record"]["rule_id"]), (&json!([]), &"stop".into()), "{told}");
    assert!(!told.to_string().contains("s3cr3t"), "{told}");
    let id = passed.field("x-request-id").unwrap();
    let answer = node.call("GET", &format!("/api/v1/explain?request_id={id}"), "");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("answered before the start"), "{}", answer.text());
    for wrong in ["request_id=xyz", "ip=nobody", "", "ip=192.0.2.1&request_id=0123456789abcdef"] {
        assert_eq!(node.call("GET", &format!("/api/v1/explain?{wrong}"), "").status, 422, "{wrong}");
    }
}
