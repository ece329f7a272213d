//! Metrics under the guide's names that move as they should; log lines with the guide's fields that nobody can forge.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use rustix::process::Signal;
use secbeat_tests::{Node, Origin, Setup, eventually, until};
use serde_json::Value;
use std::fs;

/// The guide's metrics, with the labels that it shows.
const NAMES: &[&str] = &[
    "secbeat_requests_total{method=\"GET\",status=\"200\"}",
    "secbeat_response_time_seconds{quantile=\"0.5\"}",
    "secbeat_response_time_seconds{quantile=\"0.9\"}",
    "secbeat_response_time_seconds{quantile=\"0.95\"}",
    "secbeat_response_time_seconds{quantile=\"0.99\"}",
    "secbeat_connections_active",
    "secbeat_bandwidth_bytes_total{direction=\"in\"}",
    "secbeat_bandwidth_bytes_total{direction=\"out\"}",
    "secbeat_attacks_blocked_total{type=\"syn_flood\"}",
    "secbeat_waf_rules_triggered_total{rule=\"sql_injection\"}",
    "secbeat_blocked_ips_total",
    "secbeat_threat_score",
    "secbeat_cpu_usage_percent",
    "secbeat_memory_usage_bytes",
    "secbeat_uptime_seconds",
    "secbeat_syn_cookies_sent",
    "secbeat_request_duration_seconds_bucket{le=\"+Inf\"}",
];

#[test]
fn the_guides_metrics_are_there_by_name_and_label() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    node.get("/");
    eventually("the request to be counted", || node.metric("secbeat_requests_total") == 1.0);
    let page = node.call("GET", "/metrics", "");
    assert!(page.field("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = page.text();
    for name in NAMES {
        let line =
            text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        let line = line.unwrap_or_else(|| panic!("{name} is not there:\n{text}"));
        line.rsplit(' ').next().unwrap().parse::<f64>().unwrap_or_else(|_| panic!("{line}: not a number"));
        let family = name.split('{').next().unwrap().trim_end_matches("_bucket");
        assert!(text.contains(&format!("# TYPE {family} ")), "{family} has no type");
    }
    assert!(text.contains("secbeat_build_info{version=\""));
    assert!(!text.contains("127.0.0.1"), "an address is no label");
}

#[test]
fn counters_move_by_what_happened_and_no_more() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    let request = "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n";
    for _ in 0..3 {
        client.ask(request);
    }
    // A request is counted behind its last byte.
    eventually("three requests", || {
        node.metric("secbeat_requests_total{method=\"GET\",status=\"200\"}") == 3.0
    });
    assert_eq!(node.metric("secbeat_bandwidth_bytes_total{direction=\"in\"}"), 3.0 * request.len() as f64);
    assert!(node.metric("secbeat_bandwidth_bytes_total{direction=\"out\"}") > 3.0 * 40.0);
    assert_eq!(node.metric("secbeat_connections_active"), 1.0);
    assert_eq!(node.metric("secbeat_connections_accepted_total"), 1.0);

    for attack in [
        "/?q=%3Cscript%3Ealert(1)%3C/script%3E",
        "/?q=1%20union%20select%20a%20from%20users",
        "/?q=..%2f..%2fetc/passwd",
    ] {
        assert_eq!(client.get(attack).status, 403);
    }
    eventually("six requests", || node.metric("secbeat_requests_total") == 6.0);
    for kind in ["xss", "sql_injection", "path_traversal"] {
        assert_eq!(node.metric(&format!("secbeat_attacks_blocked_total{{type=\"{kind}\"}}")), 1.0, "{kind}");
        assert!(
            node.metric(&format!("secbeat_waf_rules_triggered_total{{rule=\"{kind}\"}}")) >= 1.0,
            "{kind}"
        );
    }
    assert_eq!(node.metric("secbeat_attacks_blocked_total"), 3.0);
    assert_eq!(node.metric("secbeat_request_duration_seconds_count"), 6.0);
    assert!(node.metric("secbeat_threat_score") > 0.0);
    node.ask("BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually("a request of no known method", || {
        node.metric("secbeat_requests_total{method=\"OTHER\",status=\"405\"}") == 1.0
    });
}

#[test]
fn connections_are_released_however_their_clients_leave() {
    let origin = Origin::echo();
    for setup in [Setup::before(&origin), Setup::before(&origin).tls()] {
        let node = setup.start();
        let mut clients: Vec<_> = (0..30).map(|_| node.client()).collect();
        clients.iter_mut().for_each(|client| assert_eq!(client.get("/").status, 200));
        assert_eq!(node.metric("secbeat_connections_active"), 30.0);
        for (i, mut client) in clients.into_iter().enumerate() {
            match i % 3 {
                0 => client.reset(),
                1 => drop(client),
                _ => {
                    // In the middle of a request.
                    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
                    client.reset();
                }
            }
        }
        eventually("every connection's end", || node.metric("secbeat_connections_active") == 0.0);
        assert_eq!(node.metric("secbeat_connections_accepted_total"), 30.0);
    }
}

/// Waits for the log line of an event.
fn line_of(node: &Node, event: &str) -> String {
    until(&format!("a line {event}"), || {
        node.log().lines().find(|line| line.contains(&format!("\"event\":\"{event}\""))).map(str::to_owned)
    })
}

/// Puts a placeholder for what differs from run to run, so that the rest can be compared byte for byte.
fn golden(line: &str, differing: &[&str]) -> String {
    let mut line = line.to_owned();
    for name in differing {
        let start = line.find(&format!("\"{name}\":\"")).unwrap_or_else(|| panic!("{name} in {line}"))
            + name.len()
            + 4;
        let end = start + line[start..].find('"').unwrap();
        assert!(end > start, "{name} is empty in {line}");
        line.replace_range(start..end, "…");
    }
    line
}

#[test]
fn the_guides_log_lines_have_the_guides_fields_in_their_order() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).rules(r#"{"rules":[{"id":"rule_001","name":"SQL Injection Detection","pattern":"(?i)union.*select","action":"block","severity":"high","category":"sql_injection"}]}"#).start();
    node.ask("GET /?q=union+select HTTP/1.1\r\nHost: site.test\r\nUser-Agent: SQLMap/1.0\r\n\r\n");
    assert_eq!(
        golden(&line_of(&node, "connection_established"), &["timestamp", "backend", "connection_id"]),
        r#"{"timestamp":"…","level":"INFO","component":"mitigation-node","event":"connection_established","client_ip":"127.0.0.1","backend":"…","connection_id":"…"}"#
    );
    let established: Value = serde_json::from_str(&line_of(&node, "connection_established")).unwrap();
    assert_eq!(established["backend"], origin.address().to_string());
    assert!(established["connection_id"].as_str().unwrap().starts_with("conn_"));
    assert_eq!(
        golden(&line_of(&node, "attack_detected"), &["timestamp", "request_id"]),
        r#"{"timestamp":"…","level":"WARN","component":"waf","event":"attack_detected","attack_type":"sql_injection","client_ip":"127.0.0.1","user_agent":"SQLMap/1.0","blocked":true,"rule_id":"rule_001","request_id":"…","method":"GET","host":"site.test","target":"/?q=union+select","status":403,"reason":"rule_001 (SQL Injection Detection) matched query:q","variable":"query:q","matched":"union+select"}"#
    );
}

#[test]
fn what_a_client_sends_cannot_forge_a_line() {
    let origin = Origin::echo();
    for format in ["json", "pretty"] {
        let node = Setup::before(&origin).text("logging.format", format).start();
        let forged = "%0a{\"event\":\"forged\"}%0d%0aforged";
        let bytes = "forged\u{9}\u{85}\u{2028}\u{202e}\"}{\"event\":\"forged\"}";
        let attack =
            format!("GET /?q=%3Cscript%3E{forged} HTTP/1.1\r\nHost: a\r\nUser-Agent: {bytes}\r\n\r\n");
        assert_eq!(node.ask(attack).status, 403);
        let line = until("the attack's line", || {
            node.log().lines().find(|line| line.contains("attack_detected")).map(str::to_owned)
        });
        let control = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}');
        assert!(!line.contains(control), "{format}: {line:?}");
        for line in node.log().lines() {
            assert!(!line.starts_with("forged") && !line.starts_with("{\"event"), "{format}: {line:?}");
            if format == "json" {
                let line: Value =
                    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
                assert_ne!(line["event"], "forged");
            }
        }
    }
}

#[test]
fn pretty_lines_are_for_people() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).text("logging.format", "pretty").start();
    node.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E");
    let line = until("the attack's line", || {
        node.log().lines().find(|line| line.contains("attack_detected")).map(str::to_owned)
    });
    assert!(
        line.contains("WARN") && line.contains(" waf attack_detected attack_type=xss client_ip=127.0.0.1 "),
        "{line}"
    );
}

#[test]
fn sighup_opens_the_log_anew_after_logrotate_moved_it() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).text("logging.file", "logs/mitigation.log").start();
    let (log, moved) = (node.setup.path("logs/mitigation.log"), node.setup.path("logs/mitigation.log.1"));
    let read = |path: &std::path::Path| fs::read_to_string(path).unwrap_or_default();
    node.get("/?q=%3Cscript%3Eone%3C/script%3E");
    eventually("the first line", || read(&log).contains("script%3Eone"));
    fs::rename(&log, &moved).unwrap();
    node.signal(Signal::HUP);
    eventually("the new file", || log.exists());
    node.get("/?q=%3Cscript%3Etwo%3C/script%3E");
    eventually("the second line", || read(&log).contains("script%3Etwo"));
    assert!(!read(&moved).contains("script%3Etwo"));
    assert!(read(&moved).contains("script%3Eone"));
}

#[test]
fn levels_say_what_is_left_out() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).text("logging.level", "warn").start();
    node.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E");
    line_of(&node, "attack_detected");
    assert!(!node.log().contains("connection_established"), "{}", node.log());
}

#[test]
fn events_are_told_newest_first_page_by_page_and_by_client() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").start();
    for i in 0..7 {
        node.ask(format!(
            "GET /{i}?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.{}\r\n\r\n",
            i % 2
        ));
    }
    eventually("the events", || node.events("attack").len() == 7);
    let page = |query: &str| node.call("GET", &format!("/api/v1/events?type=attack&{query}"), "").json();
    let targets = |page: &Value| -> Vec<String> {
        page["events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["target"].as_str().unwrap()[1..2].to_owned())
            .collect()
    };
    let first = page("limit=3");
    assert_eq!(targets(&first), ["6", "5", "4"]);
    assert_eq!(targets(&page(&format!("limit=3&before={}", first["next"]))), ["3", "2", "1"]);
    assert_eq!(targets(&page("ip=192.0.2.1")), ["5", "3", "1"]);
    let since = first["events"][1]["id"].as_u64().unwrap();
    assert_eq!(targets(&page(&format!("since={since}"))), ["6"]);
}

#[test]
fn lines_about_attacks_beyond_a_few_each_second_are_counted_in_one() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("logging.lines_per_second", 1).start();
    let mut client = node.client();
    let count = 50;
    for _ in 0..count {
        assert_eq!(client.get("/?q=%3Cscript%3Ealert(1)%3C/script%3E").status, 403);
    }
    eventually("each attack in a line of its own or in a count", || {
        let (mut lines, mut counted) = (0, 0);
        for line in node.log().lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            match line["event"].as_str() {
                Some("attack_detected") => lines += 1,
                Some("log_suppressed") => counted += line["count"].as_u64().unwrap(),
                _ => {}
            }
        }
        assert!(lines < count, "{lines}");
        lines + counted == count
    });
}
