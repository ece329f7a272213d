//! `secbeat rule test` and `secbeat rule exception add --from-event`: what the firewall would do with a request, without a request; and from
//! a request that was stopped by mistake to the exception that lets it pass, and little else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, programs};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};

const RULES: &str = r#"{"rules":[
    {"id":"mark","name":"Mark","pattern":"first-mark","action":"block","severity":"high","category":"bot"},
    {"id":"note","name":"Note","pattern":"second-mark","action":"log","severity":"high","category":"bot"},
    {"id":"clean","name":"Clean","pattern":"<b>","action":"sanitize","severity":"low","category":"xss"}
]}"#;

const SQLI: &str = "1%27%20union%20select%20password%20from%20users--%20";

/// At this node, with this on its standard input.
fn given(node: &Node, words: &[&str], input: &str) -> Output {
    let api = format!("http://{}", node.setup.api);
    let mut command = Command::new(programs::path("secbeat"));
    command
        .arg("rule")
        .args(["--node", &api])
        .args(words)
        .env_remove("SECBEAT_NODE")
        .env_remove("SECBEAT_TOKEN");
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // It may have read all that it wants.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// What it says, with the exit status that it must have.
#[track_caller]
fn says(node: &Node, words: &[&str], code: i32) -> String {
    let output = given(node, words, "");
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {out}{err}");
    if out.is_empty() { err.into_owned() } else { out }
}

#[test]
fn a_request_is_tested_from_a_file_a_line_of_curl_and_standard_input() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(RULES).start();
    let file = node.setup.path("request.txt");
    std::fs::write(&file, "POST /a HTTP/1.1\nHost: shop.test\n\nq=first-mark\n").unwrap();
    let out = says(&node, &["test", file.to_str().unwrap()], 1);
    assert!(
        out.starts_with(
            "stopped with 403: mark (Mark) matched body:q\nPOST /a at shop.test from 192.0.2.1\n"
        ),
        "{out}"
    );
    let out = says(&node, &["test", "curl 'https://shop.test/?q=first-mark' -k"], 1);
    assert!(out.contains("\n\nmark Mark\n  block, high, bot\n  query:q: first-mark\n"), "{out}");
    says(&node, &["test", "--", "curl", "-d", "q=first-mark", "http://shop.test/"], 1);
    says(&node, &["test", "curl http://shop.test/ -F 'q=first-mark'"], 1);
    says(&node, &["test", r#"curl http://shop.test/ --json '{"q":["first\u002dmark"]}'"#], 1);
    let output = given(&node, &["test", "-"], "curl \\\n  -H 'X-A: first-mark' http://shop.test/");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    for fine in ["curl http://shop.test/", "curl http://shop.test/ -d q=fine"] {
        assert!(says(&node, &["test", fine], 0).starts_with("passes\n"));
    }
    assert!(
        says(&node, &["test", "curl http://a/?q=second-mark"], 0).starts_with("passes, and is logged: note")
    );
    let out = says(&node, &["test", "curl 'http://a/?q=<b>fine'"], 0);
    assert!(out.starts_with("passes without what matched: clean"), "{out}");
    // What HTTP does not allow, and what is not all there.
    let output = given(&node, &["test", "-"], "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("stopped with 400: "), "{output:?}");
    let output = given(&node, &["test", "-"], "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab");
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(says(&node, &["test", "curl --proto https http://a/"], 2).contains("--proto"));
    // Nothing of it was sent, told or counted.
    assert_eq!(node.told("/api/v1/events?type=attack")["events"], json!([]));
    assert_eq!(node.told("/api/v1/records")["records"], json!([]));
    node.get("/after");
    assert_eq!(origin.last().target(), "/after");
}

#[test]
fn a_test_heeds_exceptions_sites_and_the_kill_switch_and_hits_nothing() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .rules(RULES)
        .tables("[[sites]]\nhosts = [\"watched.test\"]\nwaf_mode = \"monitor\"")
        .start();
    let exception = json!({ "id": "e", "rules": ["mark"], "clients": ["198.51.100.0/24"] });
    node.done("/api/v1/waf/exceptions", &json!({ "exceptions": [exception] }).to_string());
    let line = "curl http://shop.test/?q=first-mark";
    says(&node, &["test", line], 1);
    let out = says(&node, &["test", line, "--client", "198.51.100.7"], 0);
    assert!(out.contains("taken back by exceptions: 1"), "{out}");
    assert_eq!(node.told("/api/v1/waf/exceptions")["exceptions"][0]["hits"], 0);
    let out = says(&node, &["test", line, "--host", "watched.test"], 0);
    assert!(out.contains("site watched.test, mode monitor"), "{out}");
    node.done("/api/v1/panic", r#"{"mode":"off","hosts":["shop.test"]}"#);
    assert!(says(&node, &["test", line], 0).contains("mode off"));
    let answer: Value =
        serde_json::from_str(&says(&node, &["test", "curl http://a/?q=first-mark", "-o", "json"], 1))
            .unwrap();
    assert_eq!((&answer["verdict"], &answer["status"]), (&json!("block"), &json!(403)), "{answer}");
}

#[test]
fn a_rule_in_seclang_is_told_with_its_place_and_what_led_to_the_match() {
    let origin = Origin::echo();
    let Some(setup) = Setup::before(&origin).rule_set() else { return };
    let node = setup.start();
    let line = format!("curl -A Mozilla/5.0 'http://shop.test/search?id={SQLI}'");
    let out = says(&node, &["test", &line], 1);
    assert!(out.contains("\nscore: ") && out.contains(", stopped from 5\n"), "{out}");
    assert!(out.contains("/REQUEST-942-APPLICATION-ATTACK-SQLI.conf:"), "{out}");
    assert!(out.contains("ARGS:id") && out.contains("949110"), "{out}");
    let stopped = node.ask(format!(
        "GET /search?id={SQLI} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: a\r\nAccept: */*\r\n\r\n"
    ));
    assert_eq!(stopped.status, 403);
    let told = node.explained(&stopped);
    let places = told["rules"].as_array().unwrap();
    let of_libinjection =
        places.iter().find(|place| place["id"] == "942100").unwrap_or_else(|| panic!("{told}"));
    assert!(of_libinjection["file"].as_str().unwrap().ends_with("SQLI.conf"), "{told}");
    // A value that a transformation changed says so.
    let line = "curl -A Mozilla/5.0 'http://shop.test/?q=%253Cscript%253Ealert%25281%2529%253C/script%253E'";
    let answer: Value = serde_json::from_str(&says(&node, &["test", line, "-o", "json"], 1)).unwrap();
    let matches = answer["matches"].as_array().unwrap();
    let decoded = matches.iter().any(|found| {
        found["transformations"].as_array().is_some_and(|names| names.contains(&json!("urlDecodeUni")))
            && found["value"].as_str().is_some_and(|value| value.contains("<script>"))
    });
    assert!(decoded, "{answer:#}");
}

#[test]
fn a_request_stopped_by_mistake_is_excepted_from_its_event_and_passes() {
    let origin = Origin::echo();
    let Some(setup) = Setup::before(&origin).rule_set() else { return };
    let node = setup.start();
    let ask = |host: &str, target: &str| {
        node.ask(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: a\r\nAccept: */*\r\n\r\n"))
    };
    // The same rules match two values; an event tells of one.
    let target = format!("/lessons/sql?a={SQLI}&b={SQLI}");
    let stopped = ask("shop.test", &target);
    assert_eq!(stopped.status, 403);
    ask("shop.test", &format!("/lessons/sql?a={SQLI}"));
    ask("shop.test", &format!("/other?a={SQLI}"));
    let id = stopped.field("x-request-id").unwrap().to_owned();
    let from = |words: &[&str], code| {
        says(&node, &[&["exception", "add", "--from-event", &id], words].concat(), code)
    };

    let out = from(&["--dry-run"], 0);
    assert!(out.contains(&format!("request {id} would pass\n")), "{out}");
    assert!(out.contains("of the last 3 recorded requests that were stopped, 3 are recorded whole"), "{out}");
    assert!(out.contains("the rules stop 3 now, and would let 2 of them pass"), "{out}");
    assert!(out.contains("paths: =/lessons/sql, ") && out.contains("hosts: shop.test"), "{out}");
    assert!(!out.contains("949110"), "the rule that adds up the scores is not excepted: {out}");
    // Without somebody to ask nothing is set.
    from(&[], 2);
    assert_eq!(node.told("/api/v1/waf/exceptions")["exceptions"], json!([]));

    let out = from(&["--yes", "--for", "2d", "--reason", "lessons"], 0);
    assert!(out.contains("in force\nset exc_"), "{out}");
    assert_eq!(ask("shop.test", &target).status, 200);
    for (host, target) in [
        ("shop.test", format!("/lessons?a={SQLI}")),
        ("shop.test", format!("/lessons/sql/more?a={SQLI}")),
        ("shop.test", format!("/lessons/sql?c={SQLI}")),
        ("other.test", target.clone()),
    ] {
        assert_eq!(ask(host, &target).status, 403, "{host}{target}");
    }
    let listed = node.told("/api/v1/waf/exceptions")["exceptions"].clone();
    assert!(listed[0]["hits"].as_u64().unwrap() > 0 && listed[0]["last_hit_at"].is_string(), "{listed}");
    assert!(listed[0]["expires_at"].is_string() && listed[0]["reason"] == "lessons", "{listed}");
    assert!(says(&node, &["exception", "list"], 0).contains("LAST HIT"));
}

#[test]
fn an_event_is_named_by_its_number_too_and_an_exception_may_be_for_its_client_alone() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(RULES).start();
    assert_eq!(node.get("/a%20b?q=first-mark").status, 403);
    let number = node.told("/api/v1/events?type=attack")["events"][0]["id"].to_string();
    let out = says(&node, &["exception", "add", "--from-event", &number, "--client", "--yes"], 0);
    assert!(out.contains("clients: 127.0.0.1/32"), "{out}");
    assert_eq!((node.get("/a%20b?q=first-mark").status, node.get("/?q=first-mark").status), (200, 403));
    assert!(
        says(&node, &["exception", "add", "--from-event", "999999", "--yes"], 1).contains("no rule is known")
    );
    assert!(says(&node, &["exception", "add", "--from-event", "nothing", "--yes"], 2).contains("from_event"));
    // A name that would stand for others is not taken over.
    node.get("/?*=first-mark");
    let number = node.told("/api/v1/events?type=attack")["events"][0]["id"].to_string();
    assert!(
        says(&node, &["exception", "add", "--from-event", &number, "--yes"], 2).contains("stands for others")
    );
    // Exceptions that somebody writes are previewed too.
    let out = says(&node, &["exception", "add", "--rule", "mark", "--dry-run"], 0);
    assert!(out.contains("would let "), "{out}");
}
