//! Each key that acts at a reload does, and its old value acts again at the next.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::node::shell;
use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use std::fs;
use std::thread;
use std::time::Duration;

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

/// What a page of another site has a browser send.
fn from_a_foreign_page(node: &Node, path: &str) -> String {
    let origin = "Origin: https://evil.test\r\n";
    status_of(node, &format!("POST {path} HTTP/1.1\r\nHost: a\r\n{origin}Content-Length: 0\r\n\r\n"))
}

/// A form of so many bytes, compressed.
fn compressed(node: &Node, length: usize) -> String {
    let (made, said) = shell(node.setup.dir.path(), &format!("printf '%0{length}d' 0 | gzip -n > form.gz"));
    assert!(made, "{said}");
    let body = fs::read(node.setup.path("form.gz")).unwrap();
    let mut request = format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    node.ask(request).status.to_string()
}

/// Whose page a stopped request is answered with.
fn page(node: &Node, accept: &str) -> String {
    let answer = node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: a\r\nAccept: {accept}\r\n\r\n"));
    assert_eq!((answer.status, answer.field("content-type").unwrap().starts_with(accept)), (403, true));
    let id = answer.field("x-request-id").unwrap();
    assert!(answer.text().contains(id), "{}", answer.text());
    if answer.text().contains("of our own") { "ours" } else { "theirs" }.into()
}

/// A key, its new value, what is looked at, and what is seen before and after.
type Row = (&'static str, &'static str, Seen, &'static str, &'static str);

/// Each key that acts at a reload, its new value, what is looked at, and what is seen before and after.
const KEYS: &[Row] = &[
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
            thread::park_timeout(Duration::from_secs(1));
            let _ = client.try_send("Host: a\r\n\r\n");
            client.try_answer_to("GET").map_or(408, |answer| answer.status).to_string()
        },
        "200",
        "408",
    ),
    ("waf.csrf.enable", "true", |node| from_a_foreign_page(node, "/"), "200", "403"),
    ("waf.compression_layers_max", "0", |node| compressed(node, 10), "200", "415"),
    ("waf.compression_ratio_max", "2", |node| compressed(node, 3000), "200", "403"),
    ("error_pages.html", "\"page.html\"", |node| page(node, "text/html"), "theirs", "ours"),
    ("error_pages.json", "\"page.json\"", |node| page(node, "application/json"), "theirs", "ours"),
];

/// The same of keys that need `waf.csrf.enable`.
const CSRF_KEYS: &[Row] = &[
    ("waf.csrf.mode", "\"monitor\"", |node| from_a_foreign_page(node, "/"), "403", "200"),
    (
        "waf.csrf.allowed_origins",
        "[\"https://evil.test\"]",
        |node| from_a_foreign_page(node, "/"),
        "403",
        "200",
    ),
    ("waf.csrf.exempt_paths", "[\"/hooks\"]", |node| from_a_foreign_page(node, "/hooks/paid"), "403", "200"),
    (
        "waf.csrf.require",
        "true",
        |node| status_of(node, "POST / HTTP/1.1\r\nHost: a\r\nCookie: a=b\r\nContent-Length: 0\r\n\r\n"),
        "200",
        "403",
    ),
];

#[test]
fn each_key_acts_at_a_reload_and_its_old_value_acts_again_at_the_next() {
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            if request.start.starts_with("GET /slow") {
                thread::park_timeout(Duration::from_secs(1));
            }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    });
    let low = r#"{"id":"low","name":"Low","pattern":"low-mark","action":"block","severity":"low"}"#;
    let script = r#"{"id":"script","name":"Script","pattern":"<script","action":"block","severity":"high"}"#;
    let mut node = Setup::before(&origin).rules(&format!("{{\"rules\":[{low},{script}]}}")).start();
    let mark =
        r#"{"rules":[{"id":"mark","name":"Mark","pattern":"mark","action":"block","severity":"high"}]}"#;
    fs::write(node.setup.path("other.json"), mark).unwrap();
    fs::write(node.setup.path("page.html"), "<p>A page of our own, {request_id}").unwrap();
    fs::write(node.setup.path("page.json"), r#"{"of our own": "{request_id}"}"#).unwrap();
    for row in KEYS {
        acts(&mut node, row);
    }
    node.configure("waf.csrf.enable", true);
    node.reload();
    for row in CSRF_KEYS {
        acts(&mut node, row);
    }
}

/// A reload brings the new value in force, and the next the old one.
fn acts(node: &mut Node, (key, value, seen, before, after): &Row) {
    assert_eq!(seen(node), *before, "{key} before");
    let old = (*key == "waf.rules_path").then_some("\"rules.json\"");
    node.configure(key, value);
    let answer = node.reload();
    assert!(answer["changed"].as_array().unwrap().contains(&(*key).into()), "{key}: {answer}");
    assert_eq!(seen(node), *after, "{key} = {value}");
    match old {
        Some(old) => node.setup.put(key, old),
        None => node.setup.take(key),
    }
    node.setup.write();
    node.reload();
    assert_eq!(seen(node), *before, "{key} again");
}
