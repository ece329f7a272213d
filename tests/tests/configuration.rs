//! Configuration: layers, errors with their place, nothing in silence.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::setup::free_address;
use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use std::fs;

/// Runs what must not start, and returns its exit status and what it said.
fn refused(setup: &Setup) -> (i32, String) {
    let output = Node::run_to_end(setup);
    (output.status.code().expect("an exit status"), String::from_utf8(output.stderr).unwrap())
}

fn setup() -> Setup {
    Setup::before_address(free_address())
}

/// A key, a value that it may not have, and what the error must say beside file, line, column and key.
const WRONG: &[(&str, &str, &str)] = &[
    ("server.worker_treads", "4", "did you mean worker_threads?"),
    ("sever.mode", "\"l7\"", "server"),
    ("server.worker_threads", "\"many\"", "whole number"),
    ("server.worker_threads", "5000", "1024"),
    ("server.max_connections", "0", "1"),
    ("server.buffer_size", "1", "1024"),
    ("server.backend_address", "\"nowhere\"", "host:port"),
    ("server.trusted_proxies", "[\"300.0.0.1\"]", "prefix"),
    ("server.mode", "\"l8\"", "l7"),
    ("waf.enable", "\"yes\"", "true"),
    ("waf.mode", "\"blok\"", "block"),
    ("waf.on_body_over_limit", "\"drop\"", "pass"),
    ("limits.methods", "[\"G T\"]", "method"),
    ("timeouts.head", "-1", "0.1"),
    ("timeouts.head", "\"soon\"", "seconds"),
    ("logging.level", "\"loud\"", "info"),
    ("metrics.api_token", "\"short\"", "16"),
    ("metrics.api_token", "\"${SECBEAT_TEST_NOT_SET}\"", "SECBEAT_TEST_NOT_SET"),
    ("syn_proxy.syn_cookie_secret", "\"your-secret-key\"", "placeholder"),
];

#[test]
fn what_is_wrong_in_the_file_is_refused_with_file_line_column_and_key() {
    for (key, value, says) in WRONG {
        let setup = setup().set(key, value);
        setup.write();
        let text = fs::read_to_string(setup.config()).unwrap();
        let name = key.split('.').next_back().unwrap();
        for arguments in [&[][..], &["--validate-config"]] {
            let mut setup = Setup::before_address(setup.address).set(key, value);
            setup.arguments = arguments.iter().map(Into::into).collect();
            let (code, error) = refused(&setup);
            assert_eq!(code, 2, "{key} = {value}: {error}");
            let place = format!("{}:", setup.config().display());
            let line = error.lines().find(|line| line.starts_with(&place));
            let line = line.unwrap_or_else(|| panic!("{key} = {value}: no place in {error}"));
            let mut numbers = line[place.len()..].split(':');
            let (row, column) = (numbers.next().unwrap(), numbers.next().unwrap());
            let row: usize = row.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(column.parse::<usize>().is_ok(), "{line}");
            let at = text.lines().nth(row - 1).unwrap();
            assert!(at.contains(name) || at.contains("sever"), "{line} points at {at:?}");
            assert!(error.contains(says), "{key} = {value}: {error:?} does not say {says:?}");
            if key.ends_with("secret") || key.ends_with("token") {
                assert!(
                    !error.contains("your-secret-key") && !error.contains("short"),
                    "a secret is shown: {error}"
                );
            }
        }
    }
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let setup =
        setup().set("server.worker_treads", 1).set("waf.enable", 7).set("limits.body_bytes_max", "\"x\"");
    let (code, error) = refused(&setup);
    assert_eq!(code, 2);
    for key in ["server.worker_treads", "waf.enable", "limits.body_bytes_max"] {
        assert!(error.contains(key), "{key}: {error}");
    }
}

#[test]
fn a_file_that_is_no_toml_or_not_there_is_refused() {
    let setup = setup();
    setup.write();
    let mut command = secbeat_tests::node::command(&setup);
    fs::write(setup.config(), "[server\nmode = 1").unwrap();
    let output = command.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("node.toml:1:"), "{error}");
    fs::remove_file(setup.config()).unwrap();
    let output = secbeat_tests::node::command(&setup).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("node.toml"), "{error}");
}

#[test]
fn what_is_not_built_is_refused_by_name() {
    let unbuilt = [
        ("server.mode", "\"tcp\"", "tcp"),
        ("server.mode", "\"syn\"", "syn"),
        ("logging.format", "\"ecs\"", "ecs"),
        ("routes.a", "1", "routes"),
        ("backends.a", "1", "backends"),
        ("listeners.a", "1", "listeners"),
    ];
    for (key, value, name) in unbuilt {
        let (code, error) = refused(&setup().set(key, value));
        assert_eq!(code, 2, "{key}: {error}");
        assert!(error.contains(name) && error.contains("not built"), "{key}: {error}");
    }
    let required = setup().set("syn_proxy.enable", true).set("syn_proxy.required", true);
    let (code, error) = refused(&required);
    assert_eq!(code, 2);
    assert!(error.contains("syn_proxy.required"), "{error}");
}

#[test]
fn what_is_read_and_not_built_is_checked_and_said_to_be_missing() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("syn_proxy.enable", true)
        .set("syn_proxy.max_syn_backlog", 1024)
        .set("orchestrator.urls", "[\"http://a.test:9090\", \"http://b.test:9090\"]")
        .text("orchestrator.join_token", "0123456789abcdef")
        .text("orchestrator.ca_pin", "ab".repeat(32))
        .set("orchestrator.register_interval", 5)
        .set("orchestrator.heartbeat_interval", 5)
        .start();
    let status = node.call("GET", "/api/v1/status", "").json().to_string();
    for key in ["syn_proxy.enable", "orchestrator.url"] {
        assert!(status.contains(key), "{key}: {status}");
    }
    let wrong = [
        ("syn_proxy.max_syn_backlog", "1"),
        ("syn_proxy.syn_cookie_secret_file", "\"not-there\""),
        ("orchestrator.urls", "[\"a.test\"]"),
        ("orchestrator.join_token", "\"your-join-token\""),
        ("orchestrator.join_token_file", "\"not-there\""),
        ("orchestrator.ca_pin", "\"abc\""),
        ("orchestrator.register_interval", "0"),
        ("orchestrator.heartbeat_interval", "0"),
    ];
    for (key, value) in wrong {
        let (code, error) = refused(&setup().set(key, value));
        assert_eq!(code, 2, "{key}: {error}");
        assert!(error.contains(&format!("{key}: ")), "{key}: {error}");
    }
}

#[test]
fn a_second_start_on_the_same_port_or_data_folder_is_refused_with_its_reason() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let elsewhere = |setup: Setup| setup.text("server.data_dir", "elsewhere");
    let same_port = elsewhere(setup()).text("server.bind_address", node.setup.address);
    let same_api = elsewhere(setup()).text("metrics.bind_address", node.setup.api);
    let same_data = setup().text("server.data_dir", node.setup.path("data").display());
    for (setup, key) in [
        (same_port, "server.bind_address"),
        (same_api, "metrics.bind_address"),
        (same_data, "server.data_dir"),
    ] {
        let (code, error) = refused(&setup);
        assert_eq!(code, 1, "{key}: {error}");
        assert!(error.contains(key), "{key}: {error}");
    }
    assert_eq!(node.get("/").status, 200);
}

#[test]
fn two_nodes_share_a_port_where_both_are_told_to() {
    let origin = Origin::echo();
    let first = Setup::before(&origin).set("server.reuse_port", true).start();
    let mut second = Setup::before(&origin).set("server.reuse_port", true);
    second.address = first.address();
    second.put("server.bind_address", format!("\"{}\"", first.address()));
    let second = second.start();
    eventually("both to be asked", || {
        Client::connect(first.address()).get("/");
        let asked = |node: &Node| node.metric("secbeat_requests_total") > 0.0;
        asked(&first) && asked(&second)
    });
}

#[test]
fn the_command_line_beats_the_environment_which_beats_the_file() {
    let origin = Origin::echo();
    let limit = |setup: Setup| {
        let node = setup.start();
        let status = |length: usize| node.get(&format!("/{}", "a".repeat(length - 1))).status;
        [100, 200, 300].map(status).iter().filter(|status| **status == 200).count()
    };
    let file = || Setup::before(&origin).set("limits.target_bytes_max", 100);
    assert_eq!(limit(file()), 1);
    let environment = || file().variable("SECBEAT__LIMITS__TARGET_BYTES_MAX", "200");
    assert_eq!(limit(environment()), 2);
    let command_line = environment().argument("--set").argument("limits.target_bytes_max=300");
    assert_eq!(limit(command_line), 3);
}

#[test]
fn the_guides_environment_names_act() {
    let origin = Origin::echo();
    let status = |node: &Node| node.call("GET", "/api/v1/status", "").json();
    let mut setup = Setup::before(&origin).variable("WORKER_THREADS", "3").variable("RUST_LOG", "warn");
    setup.take("server.worker_threads");
    let node = setup.start();
    assert_eq!(status(&node)["workers"], 3);
    assert!(!node.log().contains("\"started\""), "{}", node.log());

    let node =
        Setup::before(&origin).variable("MAX_CONNECTIONS", "1").variable("BUFFER_SIZE", "1024").start();
    let mut first = node.client();
    assert_eq!(first.get("/").status, 200);
    assert!(node.client().is_closed());
    assert_eq!(node.event_named("connection_limit")["blocked"], true);

    let (code, error) = refused(&setup_with("MITIGATION_MODE", "syn"));
    assert_eq!(code, 2);
    assert!(error.contains("MITIGATION_MODE"), "{error}");

    let tls = Setup::before(&origin).tls();
    fs::rename(tls.path("cert.pem"), tls.path("other-cert.pem")).unwrap();
    fs::rename(tls.path("key.pem"), tls.path("other-key.pem")).unwrap();
    let node =
        tls.variable("TLS_CERT_PATH", "other-cert.pem").variable("TLS_KEY_PATH", "other-key.pem").start();
    assert_eq!(node.get("/").status, 200);
    assert!(!node.setup.path("cert.pem").exists());
}

fn setup_with(name: &str, value: &str) -> Setup {
    setup().variable(name, value)
}

#[test]
fn a_variable_in_a_value_is_replaced_and_never_taken_literally() {
    let origin = Origin::echo();
    let token = "f3a1c7d09e5b42688d31";
    let node = Setup::before(&origin)
        .text("metrics.api_token", "${MANAGEMENT_TOKEN}")
        .text("server.data_dir", "${NOT_SET_ANYWHERE:-fallback}")
        .variable("MANAGEMENT_TOKEN", token)
        .start();
    assert!(node.setup.path("fallback").is_dir());
    assert!(!node.log().contains(token), "a secret is in the log");
    let (code, error) = refused(&setup().text("metrics.api_token", "${MANAGEMENT_TOKEN}"));
    assert_eq!(code, 2);
    assert!(error.contains("MANAGEMENT_TOKEN"), "{error}");
}

#[test]
fn tls_offers_the_versions_that_are_configured_and_no_others() {
    let origin = Origin::echo();
    for (configured, old, new) in [("[\"TLSv1.2\"]", true, false), ("[\"TLSv1.3\"]", false, true)] {
        let node = Setup::before(&origin).tls().set("tls.protocols", configured).start();
        let curl = |versions: &str| {
            let line = format!("curl -sk {versions} -o /dev/null https://{}/", node.address());
            secbeat_tests::node::shell(node.setup.dir.path(), &line).0
        };
        assert_eq!(curl("--tlsv1.2 --tls-max 1.2"), old, "{configured}");
        assert_eq!(curl("--tlsv1.3"), new, "{configured}");
    }
}

#[test]
fn a_stop_finishes_what_is_under_way_and_takes_nothing_new() {
    let gate = secbeat_tests::origin::Gate::default();
    let origin = Origin::behind(&gate);
    let mut node = Setup::before(&origin).set("server.shutdown_timeout", 30).start();
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("the request at the backend", || origin.requests().len() == 1);
    node.signal(Signal::TERM);
    eventually("the listener's end", || std::net::TcpStream::connect(node.address()).is_err());
    gate.open();
    let answer = client.answer_to("GET");
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    assert!(answer.says_close(), "{answer:?}");
    assert!(node.wait_for_end().success());
}
