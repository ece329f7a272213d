//! The kill switch: in force for the very next request whatever else the node is doing, for those hosts that it names, over a
//! `kill -9`, until it is turned back or its time is over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, eventually, request};
use serde_json::{Value, json};
use std::fmt::Write;
use std::thread;

const ATTACK: &str = "/?q=%3Cscript%3Ealert(1)%3C/script%3E";

fn attack(node: &Node, host: &str) -> u16 {
    node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: {host}\r\n\r\n")).status
}

fn turn(node: &Node, mode: &str, rest: &str) -> Value {
    node.done("/api/v1/panic", &format!(r#"{{"mode":"{mode}"{rest}}}"#))
}

/// What tells of the switch, the newest first.
fn told(node: &Node) -> Vec<String> {
    let names = node.events("policy").into_iter().map(|event| event["event"].as_str().unwrap().to_owned());
    names.filter(|name| name.starts_with("panic_")).collect()
}

#[test]
fn the_next_request_is_let_through_whatever_else_is_under_way() {
    let mut exceptions = String::from(r#"{"exceptions":["#);
    for i in 0..10_000 {
        let comma = if i == 0 { "" } else { "," };
        write!(exceptions, r#"{comma}{{"id":"e{i}","rules":["r{i}"],"paths":["/p{i}"]}}"#).unwrap();
    }
    exceptions.push_str("]}");
    let mut rules = String::from(r#"{"rules":["#);
    for i in 0..1_000 {
        let comma = if i == 0 { "" } else { "," };
        write!(rules, r#"{comma}{{"id":"r{i}","name":"Mark","pattern":"mark-{i}-[a-z]+","action":"block","severity":"high"}}"#).unwrap();
    }
    rules.push_str("]}");
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(attack(&node, "a"), 403);
    thread::scope(|scope| {
        let under_way = [
            scope.spawn(|| drop(node.done("/api/v1/waf/exceptions", &exceptions))),
            scope.spawn(|| drop(node.done("/api/v1/waf/rules", &rules))),
            scope.spawn(|| drop(node.reload())),
        ];
        loop {
            let is_over = under_way.iter().all(|work| work.is_finished());
            for mode in ["monitor", "off"] {
                turn(&node, mode, "");
                assert_eq!(attack(&node, "a"), 200, "{mode}");
            }
            turn(&node, "normal", "");
            assert_eq!(attack(&node, "a"), 403);
            if is_over {
                break;
            }
        }
    });
    let listed = node.told("/api/v1/waf/exceptions");
    assert_eq!(listed["exceptions"].as_array().unwrap().len(), 10_000);
    assert_eq!(node.get("/?q=mark-999-x").status, 403);
    turn(&node, "off", "");
    assert_eq!(node.get("/?q=mark-999-x").status, 200);
}

#[test]
fn it_is_turned_host_by_host_and_survives_a_kill() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    let answer =
        turn(&node, "off", r#","hosts":["Shop.test","*.shop.test"],"duration":600,"reason":"checkout""#);
    assert_eq!(answer["hosts"], json!(["*.shop.test", "shop.test"]), "{answer}");
    assert_eq!(answer["durable"], true);
    turn(&node, "monitor", r#","hosts":["blog.test"]"#);
    let statuses = |node: &Node| {
        ["shop.test", "SHOP.test:443", "a.shop.test", "blog.test", "other.test"]
            .map(|host| attack(node, host))
    };
    assert_eq!(statuses(&node), [200, 200, 200, 200, 403]);
    node.kill();
    node.start_again();
    assert_eq!(statuses(&node), [200, 200, 200, 200, 403]);
    let switches = node.told("/api/v1/panic");
    let first = &switches["switches"][0];
    assert_eq!((&first["mode"], &first["until"]), (&"off".into(), &answer["until"]), "{switches}");
    assert_eq!(first["reason"], "checkout");

    turn(&node, "normal", r#","hosts":["shop.test"]"#);
    assert_eq!(statuses(&node), [403, 403, 200, 200, 403]);
    turn(&node, "normal", "");
    assert_eq!(statuses(&node), [403; 5]);
    node.kill();
    node.start_again();
    assert_eq!(statuses(&node), [403; 5]);
    assert_eq!(node.told("/api/v1/panic")["switches"], json!([]));
}

#[test]
fn it_turns_back_by_itself_and_each_turn_is_told_of() {
    let origin = Origin::echo();
    let mut node = Node::before(&origin);
    turn(&node, "off", "");
    turn(&node, "normal", "");
    turn(&node, "monitor", r#","duration":1,"reason":"a try""#);
    assert_eq!(attack(&node, "a"), 200);
    eventually("its end", || attack(&node, "a") == 403);
    let expired = node.event_named("panic_expired");
    assert!(expired["reason"].as_str().unwrap().contains("a try"), "{expired}");
    assert_eq!(told(&node), ["panic_expired", "panic_engaged", "panic_lifted", "panic_engaged"]);
    // What ran out while the node was down does not come back either.
    turn(&node, "off", r#","duration":1"#);
    node.kill();
    eventually("its end", || {
        node.start_again();
        let status = attack(&node, "a");
        if status == 200 {
            node.kill();
        }
        status == 403
    });
}

#[test]
fn what_persons_blocked_stays_blocked_and_the_rest_is_only_looked_at_or_not_at_all() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
        .set("waf.csrf.enable", true)
        .rules(r#"{"rules":[{"id":"mine","name":"Mark","pattern":"mark","action":"sanitize","severity":"high"}]}"#)
        .start();
    node.block("203.0.113.7");
    let from = |ip: &str, target: &str| {
        let fields = format!("X-Forwarded-For: {ip}\r\nOrigin: https://evil.test\r\nCookie: a=b\r\n");
        node.ask(request(&format!("POST {target}"), &fields, ""))
    };
    for (mode, action, verdict) in [("monitor", "logged", "log"), ("off", "passed", "skipped")] {
        turn(&node, mode, "");
        assert_eq!(from("203.0.113.7", "/").status, 403, "{mode}");
        let passed = from("203.0.113.8", "/?q=mark");
        assert_eq!(passed.status, 200, "{mode}");
        assert_eq!(origin.last().target(), "/?q=mark", "{mode}: nothing is taken out");
        let told = node.explained(&passed);
        assert_eq!(told["action"], action, "{told}");
        let step = told["trace"].as_array().unwrap().iter().find(|step| step["stage"] == "firewall_head");
        assert_eq!(step.unwrap()["verdict"], verdict, "{told}");
        let client = node.told("/api/v1/explain?ip=203.0.113.7");
        assert_eq!(client["panic"][0]["mode"], mode, "{client}");
        assert_eq!(client["verdict"], "block", "{client}");
    }
    turn(&node, "normal", "");
    assert_eq!(from("203.0.113.8", "/").status, 403, "of another site");
    assert_eq!(node.told("/api/v1/explain?ip=203.0.113.7")["panic"], Value::Null);
}
