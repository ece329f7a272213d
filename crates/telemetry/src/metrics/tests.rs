use super::*;
use crate::names;
use secbeat_types::Category;
use std::io::Write;
use std::process::{Command, Stdio};

fn usage(cpu_ms: u64, resident_bytes: u64) -> ProcessUsage {
    ProcessUsage { cpu: Duration::from_millis(cpu_ms), resident_bytes }
}

/// A process that has done a little of everything.
fn busy() -> Metrics {
    let started = Instant::now();
    let metrics = Metrics::new(2, "0.1.0", started);
    let (first, second) = (metrics.worker(0), metrics.worker(1));
    for _ in 0..98 {
        first.request("GET", 200, Duration::from_micros(300));
    }
    second.request("POST", 403, Duration::from_millis(2));
    second.request("BREW", 999, Duration::from_secs(1));
    first.bytes_in(1000);
    second.bytes_out(5000);
    let closed = first.connection();
    std::mem::forget(second.connection());
    drop(closed);
    second.attack_blocked(Category::SqlInjection);
    second.rule_triggered(Category::SqlInjection);
    second.rule_triggered(Category::Scanner);
    first.upstream_error(UpstreamError::ConnectTimeout);
    first.exceptions_hit(1);
    second.waf_budget_exhausted();
    second.request_sanitized();
    (0..2).for_each(|_| first.rate_limited());
    metrics.set(Reading::PanicMode, 1);
    metrics.set(Reading::AccessLinesDropped, 13);
    metrics.set(Reading::RecordsDropped, 14);
    metrics.set(Reading::AuditLinesDropped, 15);
    metrics.set(Reading::BlockedIps, 3);
    metrics.set(Reading::ConfigGeneration, 7);
    metrics.set(Reading::LogLinesDropped, 11);
    metrics.set(Reading::EventsDropped, 12);
    metrics.set_degraded("syn_proxy", true);
    metrics.tick(started + Duration::from_millis(2500), usage(500, 12_345_344));
    metrics
}

#[test]
fn the_page_is_the_golden_one() {
    let golden = include_str!("golden.prom");
    assert_eq!(busy().render(), golden);
}

#[test]
fn every_metric_is_on_the_page_once() {
    let page = busy().render();
    let types: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let expected: Vec<_> = names::ALL.iter().map(|m| format!("{} {}", m.name, m.kind.as_str())).collect();
    assert_eq!(types, expected);
}

#[test]
fn prometheus_itself_can_read_the_page() {
    let promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = promtool else {
        eprintln!("skipped: promtool is not installed (apt install prometheus)");
        return;
    };
    promtool.stdin.take().unwrap().write_all(busy().render().as_bytes()).unwrap();
    let answer = promtool.wait_with_output().unwrap();
    // 1: the page cannot be read. 3: it can, and a name is not to Prometheus' taste; these two are promised.
    assert!(matches!(answer.status.code(), Some(0 | 3)), "{answer:?}");
    let complaints = String::from_utf8(answer.stderr).unwrap();
    for complaint in complaints.lines() {
        let promised = ["secbeat_blocked_ips_total ", "secbeat_syn_cookies_sent "];
        assert!(promised.iter().any(|name| complaint.starts_with(name)), "{complaint}");
    }
}

#[test]
fn quantiles_and_the_threat_score_forget_after_a_minute() {
    let started = Instant::now();
    let metrics = Metrics::new(1, "0.1.0", started);
    let at = |seconds| metrics.tick(started + Duration::from_secs(seconds), usage(0, 0));
    let value = |name: &str| -> f64 {
        let page = metrics.render();
        let line = page.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    let (median, score) = ("secbeat_response_time_seconds{quantile=\"0.5\"}", "secbeat_threat_score ");
    assert!(value(median).is_nan());
    assert_eq!(value(score), 0.0);
    for _ in 0..4 {
        metrics.worker(0).request("GET", 403, Duration::from_secs(8));
    }
    metrics.worker(0).attack_blocked(Category::Xss);
    metrics.worker(0).attack_blocked(Category::Xss);
    assert_eq!(value(score), 50.0);
    (1..=60).for_each(at);
    assert!((8.0..8.3).contains(&value(median)));
    (61..=70).for_each(at);
    assert!(value(median).is_nan());
    assert_eq!(value(score), 0.0);
    assert_eq!(value("secbeat_response_time_seconds_count"), 4.0);
}

#[test]
fn refused_connections_alone_give_a_full_threat_score_and_no_more() {
    let metrics = Metrics::new(1, "0.1.0", Instant::now());
    for _ in 0..3 {
        metrics.worker(0).connection_refused();
        metrics.worker(0).attack_blocked(Category::Reputation);
    }
    metrics.worker(0).attack_blocked(Category::SynFlood);
    assert!(metrics.render().contains("\nsecbeat_threat_score 100\n"));
}

#[test]
fn counts_of_many_threads_add_up() {
    let metrics = Metrics::new(2, "0.1.0", Instant::now());
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let shard = metrics.worker(worker);
            scope.spawn(move || (0..1000).for_each(|_| shard.request("GET", 200, Duration::from_micros(1))));
        }
    });
    assert!(metrics.render().contains("secbeat_requests_total{method=\"GET\",status=\"200\"} 4000\n"));
}
