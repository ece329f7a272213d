//! A reload changes what it should, loses no request, and refuses what is wrong with its place while the old stays.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::{Certificate, Node, Origin, Setup, eventually, until};
use serde_json::Value;
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
    let refusals = std::cell::Cell::new(0);
    // Waited for by its own event: a reload that is still under way would read what the next step writes.
    let told = |node: &Node| {
        refusals.set(refusals.get() + 1);
        until("the event of the refusal", || {
            let events = node.events("policy").into_iter();
            let told: Vec<Value> = events.filter(|event| event["event"] == "policy_refused").collect();
            (told.len() == refusals.get()).then(|| told[0].clone())
        })
    };
    let refused = |node: &Node, place: &str| {
        let answer = node.post("/api/v1/reload", "");
        assert_eq!(answer.status, 422, "{}", answer.text());
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(place), "{place}: {message}");
        told(node);
        node.signal(Signal::HUP);
        let told = told(node);
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
