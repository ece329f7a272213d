//! What an earlier public attempt at this guide got wrong, each as a test by name. Where a whole file tests a topic, this is
//! the one case that the attempt failed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::setup::{copy_folder, free_address};
use secbeat_tests::{Node, Origin, Setup, eventually, programs};
use std::fs;
use std::process::Command;

#[test]
fn a_plain_http_backend_is_not_refused() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).tls().start();
    assert_eq!(node.get("/").status, 200);
    assert_eq!(origin.last().target(), "/");
}

#[test]
fn request_bodies_are_not_dropped() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let request = "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\": 42}";
    assert_eq!(node.ask(request).text(), "{\"a\": 42}");
    assert_eq!(origin.last().message.text(), "{\"a\": 42}");
}

#[test]
fn attacks_are_decoded_before_they_are_judged() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let attacks = [
        "/?q=1%20union%20select%20a%20from%20b",
        "/?q=1+union+select+a+from+b",
        "/..%2f..%2fetc/passwd",
        "/?f=..%2f..%2fetc/passwd",
    ];
    for attack in attacks {
        assert_eq!(node.get(attack).status, 403, "{attack}");
    }
    assert!(origin.is_untouched());
}

#[test]
fn a_browsers_accept_is_not_sql_injection() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(node.ask("GET / HTTP/1.1\r\nHost: a\r\nAccept: image/*,*/*;q=0.8\r\n\r\n").status, 200);
}

#[test]
fn a_second_cookie_is_not_command_injection() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(node.ask("GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1; b=2; c=cat\r\n\r\n").status, 200);
}

#[test]
fn bodies_are_inspected() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "a=1&q=%3Cscript%3Ealert(1)%3C/script%3E"),
        ("application/json", r#"{"a":{"b":["<script>alert(1)</script>"]}}"#),
    ] {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        assert_eq!(node.ask(request).status, 403, "{kind}");
    }
    assert!(origin.is_untouched());
}

#[test]
fn rules_that_the_api_sets_are_those_that_traffic_sees() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(node.get("/?q=forbidden-fruit").status, 200);
    let rules =
        r#"{"rules":[{"id":"r","name":"R","pattern":"forbidden-fruit","action":"block","severity":"high"}]}"#;
    assert_eq!(node.post("/api/v1/waf/rules", rules).status, 200);
    assert_eq!(node.get("/?q=forbidden-fruit").status, 403);
}

#[test]
fn connections_that_were_counted_are_released() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.max_connections", 3).start();
    for _ in 0..20 {
        let mut clients = [node.client(), node.client(), node.client()];
        clients.iter_mut().for_each(|client| assert_eq!(client.get("/").status, 200));
        drop(clients);
        eventually("all to be released", || node.metric("secbeat_connections_active") == 0.0);
    }
}

#[test]
fn the_rate_limit_counts_requests_and_not_accepts() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("waf.rate_limit_rps", 5).start();
    let mut client = node.client();
    let statuses: Vec<u16> = (0..60).map(|_| client.get("/").status).collect();
    assert!(statuses.contains(&429), "sixty requests on one connection: {statuses:?}");
    assert!(
        statuses[..10].iter().all(|status| *status == 200),
        "a burst of twice the rate passes: {statuses:?}"
    );
    eventually("the client to be served again", || client.get("/").status == 200);
    let refused = (0..60).map(|_| client.get("/")).find(|answer| answer.status == 429).unwrap();
    assert!(refused.field("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
}

#[test]
fn the_rate_limit_is_each_clients_own() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("server.trusted_proxies", "[\"127.0.0.1/32\"]")
        .set("waf.rate_limit_rps", 1)
        .start();
    let ask =
        |ip: &str| node.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n")).status;
    eventually("one client to be limited", || ask("192.0.2.1") == 429);
    assert_eq!(ask("192.0.2.2"), 200);
}

#[test]
fn private_addresses_are_not_let_through_by_themselves() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"127.0.0.1/32\"]").start();
    for ip in ["10.0.0.9", "172.16.0.9", "192.168.0.9", "fd00::9"] {
        let ask = || node.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n")).status;
        assert_eq!(ask(), 200, "{ip}");
        node.block(ip);
        assert_eq!(ask(), 403, "{ip}");
    }
}

#[test]
fn memory_does_not_grow_with_the_number_of_clients() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("server.trusted_proxies", "[\"127.0.0.1/32\"]")
        .set("waf.rate_limit_rps", 1000)
        .text("logging.level", "error")
        .start();
    let mut client = node.client();
    let mut serve = |from: u32, to: u32| {
        for i in from..to {
            let ip = std::net::Ipv4Addr::from(0x0B00_0000 + i);
            let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\n\r\n");
            assert_eq!(client.ask(request).status, 200);
        }
    };
    serve(0, 2_000);
    let before = node.resident_bytes();
    serve(2_000, 22_000);
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes for 20,000 clients");
}

#[test]
fn every_shipped_configuration_is_read_and_none_in_silence_as_defaults() {
    let dir = tempfile::tempdir().unwrap();
    copy_folder(&programs::workspace().join("mitigation-node/config"), &dir.path().join("config"));
    let mut count = 0;
    for entry in fs::read_dir(dir.path().join("config")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let output = Command::new(programs::path("mitigation-node"))
            .arg(&path)
            .arg("--validate-config")
            .current_dir(dir.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let text = fs::read_to_string(&path).unwrap();
        // Valid, or refused for the one thing that this version does not have: never for what nobody could read.
        match output.status.code() {
            Some(0) => assert!(said.contains(": valid: mode l7"), "{}: {said}", path.display()),
            Some(2) => {
                assert!(!text.contains("mode = \"l7\""), "{}: {said}", path.display());
                assert!(
                    said.contains("server.mode: ") && said.contains("not built"),
                    "{}: {said}",
                    path.display()
                );
            }
            other => panic!("{}: {other:?}: {said}", path.display()),
        }
        count += 1;
    }
    assert!(count >= 9, "{count} configurations");
}

#[test]
fn a_configuration_that_cannot_be_read_stops_the_start() {
    let setup = Setup::before_address(free_address());
    setup.write();
    fs::write(setup.config(), "[server]\nmode = \"l7\"\nbackend = \"127.0.0.1:8080\"\n").unwrap();
    let output = secbeat_tests::node::command(&setup).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains(":3:"), "{output:?}");
}

#[test]
fn a_variable_is_never_its_own_name() {
    let origin = Origin::echo();
    let setup =
        Setup::before(&origin).text("server.data_dir", "${DATA}").variable("DATA", "from-the-environment");
    let node = setup.start();
    assert!(node.setup.path("from-the-environment").is_dir());
    assert!(!node.setup.path("${DATA}").exists());
}

#[test]
fn command_line_flags_act() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).argument("--set").argument("limits.methods=GET").start();
    assert_eq!(node.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status, 405);
    let version = Command::new(programs::path("mitigation-node")).arg("--version").output().unwrap();
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("mitigation-node 0."));
    let unknown = Command::new(programs::path("mitigation-node")).arg("--no-such-flag").output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[test]
fn there_is_one_tls_provider_and_no_panic_at_the_start() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).tls().start();
    assert_eq!(node.get("/").status, 200);
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
