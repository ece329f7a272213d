//! The allowlist, blocks that wait to be confirmed, and lists of decisions by the page.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, eventually};
use serde_json::Value;

/// A node that believes loopback about who the client is.
fn start(origin: &Origin) -> Node {
    Setup::before(origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").start()
}

/// The status that a client at `ip` gets.
fn status_for(node: &Node, ip: &str) -> u16 {
    node.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n")).status
}

#[track_caller]
fn made(node: &Node, path: &str, body: &str) -> Value {
    let answer = node.post(path, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn ids(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|decision| decision["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_entry_of_the_allowlist_wins_over_every_block_and_survives_a_restart() {
    let origin = Origin::echo();
    let mut node = start(&origin);
    let allowed = made(&node, "/api/v1/allowlist", r#"{"ip":"203.0.113.7","reason":"monitoring"}"#);
    assert_eq!((&allowed["scope"], &allowed["expires_at"]), (&"203.0.113.7/32".into(), &Value::Null));
    let blocked = made(&node, "/api/v1/emergency-block", r#"{"cidr":"203.0.113.0/24"}"#);
    assert_eq!(blocked["allowlisted_inside"], serde_json::json!(["203.0.113.7/32"]));
    made(&node, "/api/v1/block-ip", r#"{"ip":"203.0.113.7"}"#);
    assert_eq!((status_for(&node, "203.0.113.7"), status_for(&node, "203.0.113.8")), (200, 403));
    node.kill();
    node.start_again();
    assert_eq!((status_for(&node, "203.0.113.7"), status_for(&node, "203.0.113.8")), (200, 403));

    let list = node.call("GET", "/api/v1/allowlist", "").json();
    assert_eq!((&list["total"], &list["next"]), (&1.into(), &Value::Null));
    assert_eq!(list["allowlist"][0]["reason"], "monitoring");
    let removed = node.call("DELETE", "/api/v1/allowlist", r#"{"cidr":"203.0.113.7/32"}"#);
    assert_eq!((removed.status, &removed.json()["removed"]), (200, &serde_json::json!([allowed["id"]])));
    assert_eq!(status_for(&node, "203.0.113.7"), 403);
    assert_eq!(node.call("DELETE", "/api/v1/allowlist", r#"{"ip":"203.0.113.7"}"#).status, 404);
    node.event_named("ip_disallowed");
}

#[test]
fn an_entry_of_the_allowlist_ends_when_its_time_is_over() {
    let origin = Origin::echo();
    let node = start(&origin);
    made(&node, "/api/v1/block-ip", r#"{"ip":"203.0.113.7"}"#);
    made(&node, "/api/v1/allowlist", r#"{"ip":"203.0.113.7","duration":1}"#);
    eventually("its end", || status_for(&node, "203.0.113.7") == 403);
    node.event_named("allow_expired");
}

#[test]
fn calls_that_make_no_sense_are_refused_with_their_field() {
    let origin = Origin::echo();
    let node = start(&origin);
    let cases = [
        ("POST", "/api/v1/allowlist", "{}", "ip"),
        ("POST", "/api/v1/allowlist", r#"{"ip":"203.0.113.7","cidr":"203.0.113.0/24"}"#, "ip"),
        ("POST", "/api/v1/allowlist", r#"{"ip":"203.0.113.0/24"}"#, "ip"),
        ("POST", "/api/v1/allowlist", r#"{"cidr":"here"}"#, "cidr"),
        ("POST", "/api/v1/allowlist", r#"{"ip":"203.0.113.7","duration":0}"#, "duration"),
        ("DELETE", "/api/v1/allowlist", "{}", "ip"),
        ("POST", "/api/v1/block-ip", r#"{"ip":"203.0.113.7","confirm":0}"#, "confirm"),
        ("POST", "/api/v1/emergency-block", r#"{"cidr":"203.0.113.0/24","confirm":3601}"#, "confirm"),
        ("GET", "/api/v1/blocked-ips?limit=0", "", "limit"),
        ("GET", "/api/v1/blocked-ips?limit=10001", "", "limit"),
        ("GET", "/api/v1/blocked-ips?after=7", "", "after"),
        ("GET", "/api/v1/blocked-ips?ip=nobody", "", "ip"),
    ];
    for (method, path, body, location) in cases {
        let answer = node.call(method, path, body);
        assert_eq!(answer.status, 422, "{method} {path} {body}: {}", answer.text());
        assert_eq!(answer.json()["error"]["location"], location, "{method} {path} {body}");
    }
    assert_eq!(node.call("GET", "/api/v1/blocked-ips", "").json()["total"], 0);
}

#[test]
fn a_block_that_nobody_confirms_is_undone_and_the_one_before_it_stands() {
    let origin = Origin::echo();
    let node = start(&origin);
    let first = made(&node, "/api/v1/block-ip", r#"{"ip":"203.0.113.7"}"#);
    for path_and_body in [
        ("/api/v1/block-ip", r#"{"ip":"203.0.113.7","confirm":1}"#),
        ("/api/v1/emergency-block", r#"{"cidr":"198.51.100.0/24","confirm":1}"#),
    ] {
        let waiting = made(&node, path_and_body.0, path_and_body.1);
        assert!(waiting["confirm_by"].as_str().unwrap() < waiting["expires_at"].as_str().unwrap());
    }
    assert_eq!((status_for(&node, "203.0.113.7"), status_for(&node, "198.51.100.7")), (403, 403));
    eventually("the end of what nobody confirmed", || status_for(&node, "198.51.100.7") == 200);
    eventually("the list without it", || {
        ids(&node.call("GET", "/api/v1/blocked-ips", "").json()["blocked_ips"])
            == [first["id"].as_str().unwrap()]
    });
    assert_eq!(status_for(&node, "203.0.113.7"), 403);
    node.event_named("block_unconfirmed");
}

#[test]
fn a_block_that_is_confirmed_stays_also_over_a_restart() {
    let origin = Origin::echo();
    let mut node = start(&origin);
    let first = made(&node, "/api/v1/block-ip", r#"{"ip":"203.0.113.7"}"#);
    let waiting = made(&node, "/api/v1/block-ip", r#"{"ip":"203.0.113.7","duration":7200,"confirm":600}"#);
    let path = |id: &Value| format!("/api/v1/decisions/{}/confirm", id.as_str().unwrap());
    assert_eq!(node.post(&path(&first["id"]), "").status, 404, "it does not wait");
    node.kill();
    node.start_again();
    let confirmed = made(&node, &path(&waiting["id"]), "");
    assert_eq!(confirmed["expires_at"], waiting["expires_at"]);
    assert!(confirmed.get("confirm_by").is_none());
    assert_eq!(node.post(&path(&waiting["id"]), "").status, 404, "once");
    node.kill();
    node.start_again();
    let list = node.call("GET", "/api/v1/blocked-ips", "").json();
    assert_eq!(ids(&list["blocked_ips"]), [waiting["id"].as_str().unwrap()]);
    assert_eq!(status_for(&node, "203.0.113.7"), 403);
}

#[test]
fn the_list_of_blocks_is_read_page_by_page_and_by_address() {
    let origin = Origin::echo();
    let node = start(&origin);
    for host in 1..=25 {
        node.block(&format!("203.0.113.{host}"));
    }
    made(&node, "/api/v1/emergency-block", r#"{"cidr":"203.0.113.0/28"}"#);
    let (mut listed, mut path) = (Vec::new(), "/api/v1/blocked-ips?limit=10".to_owned());
    loop {
        let page = node.call("GET", &path, "").json();
        assert_eq!(page["total"], 26);
        listed.extend(ids(&page["blocked_ips"]));
        match page["next"].as_str() {
            Some(next) => path = format!("/api/v1/blocked-ips?limit=10&after={next}"),
            None => break,
        }
    }
    assert_eq!(listed, (1..=26).map(|number| format!("dec_{number}")).collect::<Vec<_>>());
    let about = node.call("GET", "/api/v1/blocked-ips?ip=203.0.113.7", "").json();
    assert_eq!(ids(&about["blocked_ips"]), ["dec_7", "dec_26"]);
}

#[test]
fn a_block_does_not_hit_the_orchestrator() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("orchestrator.url", "\"http://198.51.100.9:9090\"").start();
    let answer = node.post("/api/v1/emergency-block", r#"{"cidr":"198.51.100.0/24"}"#);
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert!(answer.text().contains("the orchestrator 198.51.100.9"), "{}", answer.text());
}
