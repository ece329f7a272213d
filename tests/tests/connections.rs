//! Who is connected, as the operator is shown it: what each connection is at, for whom, since when.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup, until};
use serde_json::Value;
use std::net::IpAddr;

/// Upgrades where it is asked to, is silent on `/wait`, and otherwise answers at once.
fn origin() -> Origin {
    Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            if request.field("upgrade").is_some() {
                conversation.send(
                    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
                )?;
                return conversation.wait_for_end();
            }
            if request.start.starts_with("GET /wait") {
                return conversation.wait_for_end();
            }
            conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    })
}

fn connections(node: &Node, query: &str) -> Value {
    let answer = node.call("GET", &format!("/api/v1/connections{query}"), "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert!(answer.get("silent_workers").is_none(), "{answer}");
    answer
}

fn from(source: &str, node: &Node) -> Client {
    Client::connect_from(source.parse::<IpAddr>().unwrap(), node.address()).unwrap()
}

/// Waits until the connections are these: the address each comes from, and what it is at.
fn wait_for(node: &Node, query: &str, expected: &[(&str, &str)]) -> Vec<Value> {
    until(&format!("connections {expected:?}"), || {
        let seen = connections(node, query)["connections"].as_array().unwrap().clone();
        let is_as_expected = seen.len() == expected.len()
            && seen.iter().zip(expected).all(|(seen, (ip, state))| {
                seen["peer"].as_str().unwrap().starts_with(&format!("{ip}:")) && seen["state"] == *state
            });
        is_as_expected.then_some(seen)
    })
}

#[test]
fn each_connection_is_shown_with_what_it_is_at_the_longest_lived_first() {
    let origin = origin();
    let node = Node::before(&origin);
    assert_eq!(connections(&node, "")["total"], 0);

    // One after the other, so that their order is known: workers accept at the same time.
    let all = [
        ("127.0.0.11", "idle"),
        ("127.0.0.12", "tunnel"),
        ("127.0.0.13", "request"),
        ("127.0.0.14", "request"),
    ];
    let mut idle = from("127.0.0.11", &node);
    idle.get("/");
    idle.get("/");
    wait_for(&node, "", &all[..1]);
    let mut tunnel = from("127.0.0.12", &node);
    tunnel.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(tunnel.answer_to("GET").status, 101);
    wait_for(&node, "", &all[..2]);
    let mut waiting = from("127.0.0.13", &node);
    waiting.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_for(&node, "", &all[..3]);
    let mut slow = from("127.0.0.14", &node);
    slow.send("GET / HT");
    let seen = wait_for(&node, "", &all);
    let of = |key: &str| seen.iter().map(|connection| connection[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("requests"), [2, 1, 1, 0]);
    assert_eq!(of("client_ip"), [Value::Null, "127.0.0.12".into(), "127.0.0.13".into(), Value::Null]);
    assert_eq!(of("tls"), [false; 4]);
    assert!(of("worker").iter().all(|worker| worker.as_u64().unwrap() < 2));
    let ids = of("id");
    assert!(ids.iter().all(|id| id.as_str().unwrap().starts_with("conn_")));
    let since = of("since");
    assert!(since.iter().all(|since| since.as_str().unwrap().ends_with('Z')), "{since:?}");

    let two = connections(&node, "?limit=2");
    assert_eq!(two["total"], 4);
    let shown = two["connections"].as_array().unwrap().iter().map(|seen| seen["id"].clone());
    assert_eq!(shown.collect::<Vec<_>>(), ids[..2], "the longest-lived");
    assert_eq!(connections(&node, "?ip=127.0.0.12")["connections"][0]["id"], ids[1]);
    assert_eq!(connections(&node, "?ip=127.0.0.99")["total"], 0);
    assert_eq!(idle.get("/").status, 200, "nobody was disturbed");

    drop((idle, tunnel, slow));
    wait_for(&node, "", &[("127.0.0.13", "request")]);
}

#[test]
fn who_is_behind_a_proxy_is_found_by_his_own_address_while_he_asks() {
    let origin = origin();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"127.0.0.20/32\"]").start();
    let mut proxied = from("127.0.0.20", &node);
    proxied.send("GET /wait HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 2001:db8::7\r\n\r\n");
    let seen = wait_for(&node, "?ip=2001:db8::1", &[("127.0.0.20", "request")]);
    assert_eq!(seen[0]["client_ip"], "2001:db8::7");
}

#[test]
fn encrypted_connections_say_so() {
    let origin = origin();
    let node = Setup::before(&origin).tls().start();
    let mut client = node.client();
    client.get("/");
    let seen = wait_for(&node, "", &[("127.0.0.1", "idle")]);
    assert_eq!(seen[0]["tls"], true);
}

#[test]
fn a_question_that_makes_no_sense_is_refused_with_its_place() {
    let origin = origin();
    let node = Node::before(&origin);
    for (query, location) in [("?limit=0", "limit"), ("?limit=1001", "limit"), ("?ip=shop", "ip")] {
        let answer = node.call("GET", &format!("/api/v1/connections{query}"), "");
        assert_eq!(answer.status, 422, "{query}");
        assert_eq!(answer.json()["error"]["location"], location);
    }
    assert_eq!(node.call("GET", "/api/v1/connections?limits=1", "").status, 422);
}
