//! Request rates: exact over all workers, by whatever part of a request a limit counts, and 429 with a time that is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::{Answer, Client, Node, Origin, Setup, eventually, until};
use std::sync::Barrier;
use std::thread;

/// A node that believes loopback about who the client is, with these `[[rate_limits]]`.
fn limited(origin: &Origin, limits: &str) -> Setup {
    Setup::before(origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").tables(limits)
}

/// `count` an hour, by `key`, where no test waits for the next: a limit named `one`.
fn an_hour(count: u64, key: &str, rest: &str) -> String {
    format!("[[rate_limits]]\nname = \"one\"\nkey = [{key}]\nrequests = {count}\nper = 3600\n{rest}\n")
}

/// A request of a client: `GET /login HTTP/1.1`, `Host: shop.test` and these fields.
fn request(line: &str, host: &str, client: &str, fields: &str) -> String {
    format!("{line} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\n{fields}\r\n")
}

fn status(node: &Node, line: &str, host: &str, client: &str, fields: &str) -> u16 {
    node.ask(request(line, host, client, fields)).status
}

fn seconds(answer: &Answer) -> u64 {
    answer.field("retry-after").expect("Retry-After").parse().unwrap()
}

#[test]
fn exactly_the_burst_passes_over_all_workers() {
    let origin = Origin::echo();
    let limits = an_hour(1000, "\"address\"", "burst = 100");
    let node = limited(&origin, &limits).set("server.worker_threads", 4).start();
    let barrier = Barrier::new(8);
    let ask = || {
        let mut clients: Vec<Client> = (0..4).map(|_| node.client()).collect();
        barrier.wait();
        let asked = (0..48).map(|i| clients[i % 4].ask(request("GET /", "a", "192.0.2.1", "")).status);
        let statuses: Vec<u16> = asked.collect();
        assert!(statuses.iter().all(|status| matches!(status, 200 | 429)), "{statuses:?}");
        statuses.iter().filter(|status| **status == 200).count()
    };
    let passed: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    // A hundredth of the burst comes back each 3.6 seconds.
    let refused = node.ask(request("GET /", "a", "192.0.2.1", ""));
    assert!((100..=103).contains(&passed), "{passed}");
    assert_eq!((refused.status, (1..=4).contains(&seconds(&refused))), (429, true));
    assert_eq!(origin.requests().len(), passed);
    assert_eq!(status(&node, "GET /", "a", "192.0.2.2", ""), 200, "another client has its own");
}

/// A key, a request, and one that differs from it in that part alone.
const PARTS: &[(&str, [&str; 4], [&str; 4])] = &[
    ("\"address\"", ["GET /", "a", "192.0.2.1", ""], ["GET /", "a", "192.0.2.2", ""]),
    ("\"address\"", ["GET /", "a", "2001:db8::1", ""], ["GET /", "a", "2001:db8:0:1::1", ""]),
    ("\"host\"", ["GET /", "a.test", "192.0.2.1", ""], ["GET /", "b.test", "192.0.2.1", ""]),
    ("\"path\"", ["GET /a", "a", "192.0.2.1", ""], ["GET /b", "a", "192.0.2.1", ""]),
    ("\"method\"", ["GET /", "a", "192.0.2.1", ""], ["DELETE /", "a", "192.0.2.1", ""]),
    ("\"user_agent\"", ["GET /", "a", "192.0.2.1", "User-Agent: x\r\n"], ["GET /", "a", "192.0.2.1", ""]),
    (
        "\"header:X-Api-Key\"",
        ["GET /", "a", "192.0.2.1", "x-api-KEY: k1\r\n"],
        ["GET /", "a", "192.0.2.1", "X-Api-Key: k2\r\n"],
    ),
    (
        "\"cookie:sid\"",
        ["GET /", "a", "192.0.2.1", "Cookie: x=1; sid=s1\r\n"],
        ["GET /", "a", "192.0.2.1", "Cookie: x=1; sid=s2\r\n"],
    ),
];

#[test]
fn each_part_of_a_request_can_be_counted_apart_and_all_the_others_together() {
    let origin = Origin::echo();
    for (key, first, other) in PARTS {
        let node = limited(&origin, &an_hour(1, key, "")).start();
        let ask = |[line, host, client, fields]: [&str; 4]| status(&node, line, host, client, fields);
        assert_eq!((ask(*first), ask(*first)), (200, 429), "{key}");
        assert_eq!((ask(*other), ask(*other)), (200, 429), "{key}: what differs has a count of its own");
        // What the key does not name does not matter.
        let mut third = *first;
        for (part, value) in ["PUT /elsewhere", "elsewhere.test", "192.0.2.9"].into_iter().enumerate() {
            let is_key = match part {
                0 => key.contains("path") || key.contains("method"),
                1 => key.contains("host"),
                _ => key.contains("address"),
            };
            if !is_key {
                third[part] = value;
            }
        }
        assert_eq!(ask(third), 429, "{key}");
    }
}

#[test]
fn a_combination_counts_what_agrees_in_all_its_parts() {
    let origin = Origin::echo();
    let node = limited(&origin, &an_hour(1, "\"address\", \"path\", \"cookie:sid\"", "")).start();
    let ask = |client: &str, path: &str, sid: &str| {
        status(&node, &format!("GET {path}"), "a", client, &format!("Cookie: sid={sid}\r\n"))
    };
    for (client, path, sid) in [
        ("192.0.2.1", "/a", "1"),
        ("192.0.2.2", "/a", "1"),
        ("192.0.2.1", "/b", "1"),
        ("192.0.2.1", "/a", "2"),
    ] {
        assert_eq!(ask(client, path, sid), 200, "{client} {path} {sid}");
        assert_eq!(ask(client, path, sid), 429, "{client} {path} {sid}");
    }
}

#[test]
fn an_empty_key_counts_all_requests_together() {
    let origin = Origin::echo();
    let node = limited(&origin, &an_hour(2, "", "")).start();
    let statuses = [1, 2, 3].map(|i| status(&node, &format!("GET /{i}"), "a", &format!("192.0.2.{i}"), ""));
    assert_eq!(statuses, [200, 200, 429]);
}

#[test]
fn a_request_without_the_header_or_cookie_of_a_key_is_not_counted() {
    let origin = Origin::echo();
    for (key, fields) in
        [("\"header:x-api-key\", \"address\"", "X-Api-Key:\r\n"), ("\"cookie:sid\"", "Cookie: sid\r\n")]
    {
        let node = limited(&origin, &an_hour(1, key, "")).start();
        for _ in 0..5 {
            assert_eq!(status(&node, "GET /", "a", "192.0.2.1", "Cookie: other=1\r\n"), 200, "{key}");
        }
        // An empty one is one.
        let ask = || status(&node, "GET /", "a", "192.0.2.1", fields);
        assert_eq!((ask(), ask()), (200, 429), "{key}");
    }
}

#[test]
fn no_spelling_has_a_count_of_its_own() {
    let origin = Origin::echo();
    for (key, rest) in
        [("\"host\", \"path\"", ""), ("\"address\"", "paths = [\"/login\"]\nhosts = [\"shop.test\"]")]
    {
        let node = limited(&origin, &an_hour(1, key, rest)).start();
        assert_eq!(status(&node, "GET /login", "shop.test", "192.0.2.1", ""), 200);
        for (line, host) in [
            ("GET /login", "SHOP.test"),
            ("GET /login", "shop.test:8443"),
            ("GET /login?a=b", "shop.test"),
            ("GET /%6cogin", "shop.test"),
            ("GET /%256Cogin", "shop.test"),
            ("GET //login", "shop.test"),
            ("GET /./login", "shop.test"),
            ("GET /x/../login", "shop.test"),
            ("GET http://shop.test/login", "shop.test"),
        ] {
            assert_eq!(status(&node, line, host, "::ffff:192.0.2.1", ""), 429, "{key}: {line} at {host}");
        }
    }
}

#[test]
fn a_limit_is_for_its_hosts_paths_and_methods_alone() {
    let origin = Origin::echo();
    let rest = "hosts = [\"shop.test\", \"*.api.test\"]\npaths = [\"/login\", \"/v1/*/search\"]\nmethods = [\"POST\"]";
    let node = limited(&origin, &an_hour(1, "\"address\"", rest)).start();
    let ask = |method: &str, host: &str, path: &str| {
        let line = format!("{method} {path}");
        status(&node, &line, host, "192.0.2.1", "Content-Length: 0\r\n")
    };
    assert_eq!(ask("POST", "shop.test", "/login/step2"), 200);
    for (method, host, path) in [
        ("GET", "shop.test", "/login"),
        ("POST", "www.shop.test", "/login"),
        ("POST", "api.test", "/login"),
        ("POST", "shop.test", "/logins"),
        ("POST", "shop.test", "/v1/search"),
    ] {
        assert_eq!(ask(method, host, path), 200, "{method} {host} {path}");
    }
    for (host, path) in [("shop.test", "/login"), ("eu.api.test", "/v1/a/search"), ("eu.api.test", "/login")]
    {
        assert_eq!(ask("POST", host, path), 429, "{host} {path}");
    }
}

#[test]
fn the_first_limit_that_refuses_is_named_and_those_before_it_have_counted() {
    let origin = Origin::echo();
    let limits = [("first", 3), ("second", 1), ("third", 2)].map(|(name, requests)| {
        format!("[[rate_limits]]\nname = \"{name}\"\nrequests = {requests}\nper = 3600\n")
    });
    let node = limited(&origin, &limits.concat()).start();
    let ask = || node.ask(request("GET /", "a", "192.0.2.1", ""));
    assert_eq!(ask().status, 200);
    for name in ["second", "second", "first"] {
        let refused = ask();
        assert_eq!((refused.status, seconds(&refused)), (429, if name == "first" { 1200 } else { 3600 }));
        let event = node.event_of(&refused);
        assert!(event["reason"].as_str().unwrap().contains(name), "{event}");
        assert_eq!((&event["event"], &event["attack_type"]), (&"rate_limited".into(), &"rate_limit".into()));
        assert_eq!((&event["client_ip"], &event["blocked"]), (&"192.0.2.1".into(), &true.into()));
    }
    assert_eq!(node.metric("secbeat_attacks_blocked_total{type=\"rate_limit\""), 3.0);
    assert_eq!(node.metric("secbeat_rate_limited_total"), 3.0);
}

#[test]
fn who_waits_as_long_as_told_is_served() {
    let origin = Origin::echo();
    let limits = "[[rate_limits]]\nname = \"one\"\nrequests = 1\nper = 0.3\n";
    let node = limited(&origin, limits).start();
    let mut client = node.client();
    let mut ask = || client.ask(request("GET /", "a", "192.0.2.1", ""));
    let refused = until("a refusal", || Some(ask()).filter(|answer| answer.status == 429));
    assert_eq!(seconds(&refused), 1);
    assert!(!refused.says_close(), "the connection may be used again");
    eventually("the client to be served again", || ask().status == 200);
}

#[test]
fn a_limit_in_monitor_mode_lets_pass_and_tells() {
    let origin = Origin::echo();
    let node = limited(&origin, &an_hour(1, "\"address\"", "mode = \"monitor\"")).start();
    let mut client = node.client();
    for _ in 0..20 {
        assert_eq!(client.ask(request("GET /", "a", "192.0.2.1", "")).status, 200);
    }
    let event = node.event_named("rate_limited");
    assert_eq!((&event["type"], &event["blocked"]), (&"limit".into(), &false.into()));
    assert!(event["reason"].as_str().unwrap().contains("one"), "{event}");
    let told = node.events("limit").len();
    assert!(told < 19, "{told} events of 19 requests");
    assert_eq!(node.metric("secbeat_rate_limited_total"), 19.0);
    assert_eq!(node.metric("secbeat_attacks_blocked_total{type=\"rate_limit\""), 0.0);
}

#[test]
fn what_was_counted_outlives_a_reload() {
    let origin = Origin::echo();
    let mut node = limited(&origin, &an_hour(2, "\"address\"", "")).start();
    let ask = |node: &Node| status(node, "GET /", "a", "192.0.2.1", "");
    assert_eq!([ask(&node), ask(&node), ask(&node)], [200, 200, 429]);
    node.setup.put_tables("methods = [\"GET\"]");
    node.configure("limits.body_bytes_max", 1000);
    node.reload();
    assert_eq!(ask(&node), 429);
    node.setup.put_tables("[[rate_limits]]\nname = \"other\"\nrequests = 1\nper = 3600");
    node.configure("limits.body_bytes_max", 2000);
    node.reload();
    assert_eq!(status(&node, "GET /", "a", "192.0.2.7", ""), 200);
    assert_eq!(status(&node, "GET /", "a", "192.0.2.7", ""), 429);
}

#[test]
fn a_site_has_its_own_rate_in_place_of_the_common_one() {
    let origin = Origin::echo();
    let sites = "[[sites]]\nhosts = [\"own.test\"]\nrate_limit_rps = 1\n[[sites]]\nhosts = [\"none.test\"]\nrate_limit_rps = 0\n";
    let node = limited(&origin, sites).set("waf.rate_limit_rps", 1000).start();
    let refused = until("the site's rate", || {
        Some(node.ask(request("GET /", "own.test", "192.0.2.1", ""))).filter(|answer| answer.status == 429)
    });
    let event = node.event_of(&refused);
    assert!(event["reason"].as_str().unwrap().contains("sites.own.test.rate_limit_rps"), "{event}");
    for host in ["none.test", "other.test"] {
        assert!((0..50).all(|_| status(&node, "GET /", host, "192.0.2.1", "") == 200), "{host}");
    }
}

#[test]
fn a_client_on_the_allowlist_is_not_counted() {
    let origin = Origin::echo();
    let node = limited(&origin, &an_hour(1, "\"address\"", "")).start();
    let allowed = node.post("/api/v1/allowlist", r#"{"ip":"192.0.2.1"}"#);
    assert_eq!(allowed.status, 200, "{}", allowed.text());
    assert!((0..5).all(|_| status(&node, "GET /", "a", "192.0.2.1", "") == 200));
    let of_other = [(); 2].map(|()| status(&node, "GET /", "a", "192.0.2.2", ""));
    assert_eq!(of_other, [200, 429]);
}

#[test]
fn the_kill_switch_takes_rates_off() {
    let origin = Origin::echo();
    let node = limited(&origin, &an_hour(1, "\"address\"", "")).start();
    let ask = || status(&node, "GET /", "a", "192.0.2.1", "");
    assert_eq!((ask(), ask()), (200, 429));
    for mode in ["monitor", "off"] {
        let answer = node.post("/api/v1/panic", &format!(r#"{{"mode":"{mode}","duration":600}}"#));
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(ask(), 200, "{mode}");
    }
    assert_eq!(node.post("/api/v1/panic", r#"{"mode":"normal"}"#).status, 200);
    assert_eq!(ask(), 429);
}

#[test]
fn an_ipv6_client_is_its_64_on_the_wire() {
    let (Some(here), Some(there)) = (Namespace::new(), Namespace::new()) else { return };
    let clients = ["2001:db8:0:1::a/64", "2001:db8:0:1::b/64", "2001:db8:0:2::a/64", "192.0.2.2/24"];
    here.wire(&["2001:db8:0:1::1/64", "2001:db8:0:2::1/64", "192.0.2.1/24"], &there, &clients);
    let origin = here.inside(Origin::echo);
    let mut setup = Setup::before(&origin).tables(&an_hour(1, "\"address\"", ""));
    setup.wrapper = here.wrapper().map(str::to_owned).to_vec();
    let port = setup.address.port();
    setup.put("server.bind_address", format!("\"[::]:{port}\""));
    let node = here.inside(|| setup.start());
    let ask = |source: &str, address: &str| {
        let address = format!("{address}:{port}").parse().unwrap();
        let connect = || Client::connect_from(source.parse().unwrap(), address).unwrap();
        there.inside(|| connect().get("/").status)
    };
    assert_eq!(ask("2001:db8:0:1::a", "[2001:db8:0:1::1]"), 200);
    assert_eq!(ask("2001:db8:0:1::b", "[2001:db8:0:1::1]"), 429, "the same /64");
    assert_eq!(ask("2001:db8:0:2::a", "[2001:db8:0:2::1]"), 200, "another /64");
    assert_eq!(ask("192.0.2.2", "192.0.2.1"), 200);
    assert_eq!(ask("192.0.2.2", "192.0.2.1"), 429);
    drop(node);
}
