//! A reload changes what it should, loses no request, and refuses what is wrong with its place while the old stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::{Certificate, Client, Node, Origin, Setup, eventually};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

fn rule(pattern: &str) -> String {
    format!(
        r#"{{"rules":[{{"id":"mark","name":"Mark","pattern":"{pattern}","action":"block","severity":"high"}}]}}"#
    )
}

fn generation(node: &Node) -> u64 {
    node.call("GET", "/api/v1/status", "").json()["generation"].as_u64().unwrap()
}

#[test]
fn a_hundred_reloads_under_load_each_change_something_and_lose_no_request() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(&rule("mark-0-")).start();
    let stop = AtomicBool::new(false);
    let served = AtomicUsize::new(0);
    thread::scope(|scope| {
        for reader in 0..3 {
            let (node, stop, served) = (&node, &stop, &served);
            scope.spawn(move || {
                let mut client = node.client();
                for i in 0_usize.. {
                    let body = format!("{reader} {i}");
                    let request = format!(
                        "POST /load HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let answer = client.ask(request);
                    assert_eq!((answer.status, answer.text()), (200, body));
                    served.fetch_add(1, Ordering::Relaxed);
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
        }
        for i in 1..=100 {
            let at_least = served.load(Ordering::Relaxed) + 3;
            fs::write(node.setup.path("rules.json"), rule(&format!("mark-{i}-"))).unwrap();
            if i % 2 == 0 {
                let answer = node.reload();
                assert_eq!(answer["changed"], serde_json::json!(["waf.rules"]));
                assert_eq!(answer["generation"], i + 1);
            } else {
                node.signal(Signal::HUP);
                eventually("the reload by signal", || generation(&node) == i + 1);
            }
            assert_eq!(node.get(&format!("/?q=mark-{i}-")).status, 403, "the new rule is in force");
            assert_eq!(node.get(&format!("/?q=mark-{}-", i - 1)).status, 200, "the old one is not");
            eventually("requests between two reloads", || served.load(Ordering::Relaxed) >= at_least);
        }
        stop.store(true, Ordering::Relaxed);
    });
    let served = served.load(Ordering::Relaxed) as f64;
    eventually("every request in the count", || {
        node.metric("secbeat_requests_total{method=\"POST\",status=\"200\"") == served
    });
}

#[test]
fn what_is_wrong_is_refused_with_its_place_and_the_old_stays() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).rules(&rule("mark")).tls().start();
    let refused = |node: &Node, place: &str| {
        let answer = node.post("/api/v1/reload", "");
        assert_eq!(answer.status, 422, "{}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(place), "{place}: {message}");
        node.signal(Signal::HUP);
        let told = node.event_named("policy_refused");
        assert!(told["reason"].as_str().unwrap().contains(place), "{place}: {told}");
        assert_eq!(generation(node), 1);
        assert_eq!(node.get("/?q=mark").status, 403, "the old policy is in force");
    };

    node.configure("server.worker_treads", 4);
    refused(&node, "server.worker_treads");
    refused(&node, "worker_threads");
    node.setup.take("server.worker_treads");
    node.configure("limits.body_bytes_max", "\"much\"");
    refused(&node, "limits.body_bytes_max");
    node.setup.take("limits.body_bytes_max");
    node.setup.write();

    fs::write(node.setup.path("rules.json"), rule("(unclosed")).unwrap();
    refused(&node, "mark");
    fs::write(node.setup.path("rules.json"), "{\"rules\":[\n{]}").unwrap();
    refused(&node, "rules.json");
    fs::write(node.setup.path("rules.json"), rule("mark")).unwrap();

    let good = fs::read(node.setup.path("cert.pem")).unwrap();
    fs::write(node.setup.path("cert.pem"), Certificate::for_name("other").cert).unwrap();
    refused(&node, "cert.pem");
    fs::write(node.setup.path("cert.pem"), "not a certificate").unwrap();
    refused(&node, "cert.pem");
    fs::write(node.setup.path("cert.pem"), good).unwrap();

    assert_eq!(node.reload()["generation"], 2, "all is well again");
}

#[test]
fn a_certificate_that_was_replaced_is_shown_to_the_next_client() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).tls().start();
    let mut early = node.client();
    let first = early.certificate();
    let new = Certificate::for_name("new.test");
    new.write(node.setup.dir.path());
    node.reload();
    assert_eq!(node.client().certificate(), new.der);
    assert_ne!(new.der, first);
    assert_eq!(early.get("/").status, 200, "the client of before goes on");
}

#[test]
fn what_needs_a_restart_is_named_and_does_not_act() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    node.configure("server.worker_threads", 1);
    node.configure("server.data_dir", "\"elsewhere\"");
    node.configure("limits.methods", "[\"GET\"]");
    let answer = node.reload();
    assert_eq!(answer["restart_required"], serde_json::json!(["server.worker_threads", "server.data_dir"]));
    assert_eq!(answer["changed"], serde_json::json!(["limits.methods"]));
    assert!(!node.setup.path("elsewhere").exists());
    assert_eq!(node.call("GET", "/api/v1/status", "").json()["workers"], 2);
}

/// What is seen of a key from outside.
type Seen = fn(&Node) -> String;

const ATTACK: &str = "/?q=%3Cscript%3Ealert(1)%3C/script%3E";

fn status_of(node: &Node, request: &str) -> String {
    node.ask(request).status.to_string()
}

fn attack(node: &Node) -> String {
    node.get(ATTACK).status.to_string()
}

fn post(node: &Node, kind: &str, length: usize) -> String {
    let body = "a".repeat(length);
    status_of(
        node,
        &format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
        ),
    )
}

/// A second connection while one is open.
fn second_connection(node: &Node) -> String {
    let mut first = node.client();
    first.get("/");
    let second = Client::connect(node.address()).try_answer_to_get();
    assert_eq!(first.get("/").status, 200);
    drop(first);
    eventually("no connection", || node.metric("secbeat_connections_active") == 0.0);
    second
}

/// Asks on a connection that may be closed at once.
trait TryGet {
    fn try_answer_to_get(self) -> String;
}

impl TryGet for Client {
    fn try_answer_to_get(mut self) -> String {
        let _ = self.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        self.try_answer_to("GET").map_or("closed".into(), |answer| answer.status.to_string())
    }
}

/// Each key that acts at a reload, its new value, what is looked at, and what is seen before and after.
const KEYS: &[(&str, &str, Seen, &str, &str)] = &[
    ("server.max_connections", "1", second_connection, "200", "closed"),
    (
        "server.trusted_proxies",
        "[\"127.0.0.1/32\"]",
        |node| {
            let answer =
                node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.7\r\n\r\n"));
            node.event_of(&answer)["client_ip"].as_str().unwrap().to_owned()
        },
        "127.0.0.1",
        "192.0.2.7",
    ),
    ("waf.enable", "false", attack, "403", "200"),
    ("waf.mode", "\"monitor\"", attack, "403", "200"),
    ("waf.rules_path", "\"other.json\"", |node| node.get("/?q=mark").status.to_string(), "200", "403"),
    ("waf.block_suspicious", "false", |node| node.get("/?q=low-mark").status.to_string(), "403", "200"),
    (
        "waf.rate_limit_rps",
        "1",
        |node| {
            let mut client = node.client();
            let last = (0..10).map(|_| client.get("/").status).max().unwrap();
            last.to_string()
        },
        "200",
        "429",
    ),
    (
        "waf.inspect_body_limit",
        "1024",
        |node| {
            let body = format!("{}%3Cscript%3Ealert(1)%3C/script%3E", "a".repeat(100_000));
            status_of(
                node,
                &format!(
                    "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
            )
        },
        "403",
        "200",
    ),
    (
        "metrics.allowed_hosts",
        "[\"ops.test\"]",
        |node| node.call_with("GET", "/api/v1/status", "Host: ops.test\r\n", "").status.to_string(),
        "403",
        "200",
    ),
    (
        "limits.methods",
        "[\"GET\", \"TRACE\"]",
        |node| status_of(node, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        "405",
        "200",
    ),
    (
        "limits.target_bytes_max",
        "64",
        |node| node.get(&format!("/{}", "a".repeat(64))).status.to_string(),
        "200",
        "414",
    ),
    (
        "limits.header_count_max",
        "2",
        |node| status_of(node, "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n"),
        "200",
        "431",
    ),
    (
        "limits.header_bytes_max",
        "256",
        |node| status_of(node, &format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}\r\n\r\n", "a".repeat(256))),
        "200",
        "431",
    ),
    ("limits.body_bytes_max", "10", |node| post(node, "video/mp4", 11), "200", "413"),
    ("timeouts.first_byte", "0.3", |node| node.get("/slow").status.to_string(), "200", "504"),
    (
        "timeouts.head",
        "0.3",
        |node| {
            let mut client = node.client();
            client.send("GET / HTTP/1.1\r\n");
            // Where the time is not short, the rest comes in time.
            thread::park_timeout(std::time::Duration::from_secs(1));
            let _ = client.try_send("Host: a\r\n\r\n");
            client.try_answer_to("GET").map_or(408, |answer| answer.status).to_string()
        },
        "200",
        "408",
    ),
];

#[test]
fn each_key_acts_at_a_reload_and_its_old_value_acts_again_at_the_next() {
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            if request.start.starts_with("GET /slow") {
                thread::park_timeout(std::time::Duration::from_secs(1));
            }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    });
    let low = r#"{"id":"low","name":"Low","pattern":"low-mark","action":"block","severity":"low"}"#;
    let script = r#"{"id":"script","name":"Script","pattern":"<script","action":"block","severity":"high"}"#;
    let mut node = Setup::before(&origin).rules(&format!("{{\"rules\":[{low},{script}]}}")).start();
    fs::write(node.setup.path("other.json"), rule("mark")).unwrap();
    for (key, value, seen, before, after) in KEYS {
        assert_eq!(seen(&node), *before, "{key} before");
        let old = (*key == "waf.rules_path").then_some("\"rules.json\"");
        node.configure(key, value);
        let answer = node.reload();
        assert!(answer["changed"].as_array().unwrap().contains(&(*key).into()), "{key}: {answer}");
        assert_eq!(seen(&node), *after, "{key} = {value}");
        match old {
            Some(old) => node.setup.put(key, old),
            None => node.setup.take(key),
        }
        node.setup.write();
        node.reload();
        assert_eq!(seen(&node), *before, "{key} again");
    }
}

#[test]
fn a_new_backend_gets_the_very_next_request() {
    let (first, second) = (Origin::echo(), Origin::echo());
    let mut node = Node::before(&first);
    let mut client = node.client();
    client.get("/one");
    node.configure("server.backend_address", format!("\"{}\"", second.address()));
    node.reload();
    client.get("/two");
    assert_eq!((first.last().target(), second.last().target()), ("/one", "/two"));
    assert_eq!(first.requests().len(), 1);
}
