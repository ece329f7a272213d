//! The operator is heard whatever goes wrong: strangers on the API's port, a stop under way, a disk that does not take what it should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::{Certificate, Client, Node, Origin, Setup, eventually};
use serde_json::{Value, json};
use std::fs;

fn status(node: &Node) -> Value {
    node.call("GET", "/api/v1/status", "").json()
}

#[test]
fn whoever_holds_the_apis_connections_and_says_nothing_loses_them() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut silent: Vec<Client> = (0..64)
        .map(|_| {
            let mut client = Client::connect(node.setup.api);
            // The answer says that the connection has its place.
            let answer = client.ask("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(answer.status, 200);
            client.send("GET /healthz HTTP/1.1\r\nHost:");
            client
        })
        .collect();
    assert!(Client::connect(node.setup.api).is_closed(), "there is no place left");
    for client in &mut silent {
        // Closed, with or without a word about it; a connection that stays open fails to read here.
        let _ = client.try_answer_to("GET");
        assert!(client.is_closed());
    }
    assert_eq!(status(&node)["status"], "ok", "the places are free again");
}

#[test]
fn a_stopping_node_still_hears_its_operator() {
    let gate = secbeat_tests::origin::Gate::default();
    let origin = Origin::behind(&gate);
    let mut node = Setup::before(&origin).set("server.shutdown_timeout", 30).start();
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("the request at the backend", || origin.requests().len() == 1);
    node.signal(Signal::TERM);
    eventually("the word that it stops", || {
        let answer = node.call("GET", "/readyz", "");
        answer.status == 503 && answer.json()["status"] == "stopping"
    });
    node.block("192.0.2.1");
    assert!(node.metrics().contains("secbeat_blocked_ips"));
    gate.open();
    assert_eq!(client.answer_to("GET").status, 200);
    assert!(node.wait_for_end().success());
}

#[test]
fn rules_that_could_not_be_saved_are_saved_as_soon_as_they_can_be() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    // A folder cannot be replaced by a file, not even by root.
    let obstacle = node.setup.path("data/rules.json");
    fs::create_dir_all(&obstacle).unwrap();
    let rule =
        r#"{"rules":[{"id":"mine","name":"Mine","pattern":"my-mark","action":"block","severity":"high"}]}"#;
    let answer = node.post("/api/v1/waf/rules", rule);
    assert_eq!((answer.status, &answer.json()["durable"]), (202, &json!(false)), "{}", answer.text());
    assert_eq!(node.get("/?q=my-mark").status, 403, "in force all the same");
    assert_eq!(status(&node)["waf"]["durable"], false);
    eventually("a line about it", || node.log().contains("rules_not_durable"));
    fs::remove_dir(&obstacle).unwrap();
    eventually("the rules on the disk", || status(&node)["waf"]["durable"] == true);
    node.kill();
    node.start_again();
    assert_eq!(node.get("/?q=my-mark").status, 403);
}

#[test]
fn a_log_that_cannot_be_opened_anew_is_a_warning_and_the_policy_is_in_force() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).text("logging.file", "logs/mitigation.log").start();
    fs::rename(node.setup.path("logs"), node.setup.path("moved")).unwrap();
    fs::write(node.setup.path("logs"), "no folder").unwrap();
    node.configure("limits.methods", "[\"GET\"]");
    let answer = node.reload();
    assert_eq!(answer["changed"], json!(["limits.methods"]));
    assert!(answer["warnings"][0].as_str().unwrap().starts_with("logging.file: "), "{answer}");
    let moved = node.setup.path("moved/mitigation.log");
    eventually("the line about it", || fs::read_to_string(&moved).unwrap().contains("reload_warning"));
}

#[test]
fn a_self_made_certificate_is_degraded_over_restarts_until_it_is_replaced() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).text("tls.cert_path", "cert.pem").text("tls.key_path", "key.pem");
    let mut node = setup.start();
    let is_degraded = |node: &Node| {
        let degraded = status(node)["degraded"].as_array().unwrap().clone();
        degraded.iter().any(|missing| missing["key"] == "tls.cert_path")
    };
    assert!(is_degraded(&node));
    node.kill();
    node.start_again();
    assert!(is_degraded(&node), "it is the same certificate");
    Certificate::for_name("localhost").write(node.setup.dir.path());
    assert_eq!(node.reload()["changed"], json!(["tls.certificate"]));
    assert!(!is_degraded(&node));
    assert_eq!(node.metric("secbeat_degraded{feature=\"tls\"}"), 0.0);
}
