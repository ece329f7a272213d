//! Every metric's name, kind and help text. No label ever holds an address or a raw path: each comes from a closed
//! list.

/// A metric as Prometheus knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name, with the unit last.
    pub name: &'static str,
    /// Counter, gauge, …
    pub kind: Kind,
    /// What it counts, for `# HELP`.
    pub help: &'static str,
}

/// The kinds of the text format 0.0.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Cumulative buckets.
    Histogram,
    /// Quantiles.
    Summary,
}

impl Kind {
    /// The word after `# TYPE`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
            Kind::Summary => "summary",
        }
    }
}

macro_rules! metrics {
    ($($constant:ident = $kind:ident $name:literal $help:literal;)+) => {
        $(#[doc = $help] pub const $constant: Metric = Metric { name: $name, kind: Kind::$kind, help: $help };)+

        /// Every metric, in the order in which they are written.
        pub const ALL: &[Metric] = &[$($constant),+];
    };
}

metrics! {
    REQUESTS = Counter "secbeat_requests_total"
        "Requests answered, by method and status.";
    RESPONSE_TIME = Summary "secbeat_response_time_seconds"
        "Time from a request's first byte to its answer's last; quantiles over the last minute.";
    REQUEST_DURATION = Histogram "secbeat_request_duration_seconds"
        "Time from a request's first byte to its answer's last.";
    CONNECTIONS_ACTIVE = Gauge "secbeat_connections_active"
        "Client connections that are open.";
    CONNECTIONS_ACCEPTED = Counter "secbeat_connections_accepted_total"
        "Client connections that were accepted.";
    CONNECTIONS_REFUSED = Counter "secbeat_connections_refused_total"
        "Client connections that were closed at once because of a decision or a limit.";
    BANDWIDTH = Counter "secbeat_bandwidth_bytes_total"
        "Bytes exchanged with clients: in from them, out to them.";
    UPSTREAM_ERRORS = Counter "secbeat_upstream_errors_total"
        "Exchanges with a backend that failed, by cause.";
    ATTACKS_BLOCKED = Counter "secbeat_attacks_blocked_total"
        "Attacks that were stopped, by type.";
    WAF_RULES_TRIGGERED = Counter "secbeat_waf_rules_triggered_total"
        "Firewall rules that matched, whether or not they stopped the request, by category.";
    WAF_EXCEPTIONS_HITS = Counter "secbeat_waf_exceptions_hits_total"
        "Matches of firewall rules that an exception set aside.";
    WAF_BUDGET_EXHAUSTED = Counter "secbeat_waf_budget_exhausted_total"
        "Requests on which the work budget of firewall rules was used up.";
    REQUESTS_SANITIZED = Counter "secbeat_requests_sanitized_total"
        "Requests that went on after something was taken out of them.";
    RATE_LIMITED = Counter "secbeat_rate_limited_total"
        "Requests beyond a rate, stopped or only logged.";
    PANIC_MODE = Gauge "secbeat_panic_mode"
        "The kill switch for any host: 0 normal, 1 monitor, 2 off.";
    BLOCKED_IPS = Gauge "secbeat_blocked_ips_total"
        "Blocks of addresses and prefixes that are in force.";
    THREAT_SCORE = Gauge "secbeat_threat_score"
        "Share of the last minute's requests and refused connections that were stopped as attacks, 0 to 100.";
    SYN_COOKIES_SENT = Counter "secbeat_syn_cookies_sent"
        "SYN cookies sent.";
    CPU_USAGE = Gauge "secbeat_cpu_usage_percent"
        "Processor time used, in percent of one core.";
    MEMORY_USAGE = Gauge "secbeat_memory_usage_bytes"
        "Resident memory.";
    UPTIME = Gauge "secbeat_uptime_seconds"
        "Time since the start.";
    CONFIG_GENERATION = Gauge "secbeat_config_generation"
        "Generation of the policy in force.";
    DEGRADED = Gauge "secbeat_degraded"
        "Whether a configured feature is not in force on this machine, by feature.";
    LOG_LINES_DROPPED = Counter "secbeat_log_lines_dropped_total"
        "Log lines lost because the log could not be written as fast as they came.";
    EVENTS_DROPPED = Counter "secbeat_events_dropped_total"
        "Security events lost because they came faster than they could be kept.";
    ACCESS_LINES_DROPPED = Counter "secbeat_access_lines_dropped_total"
        "Lines of the access log lost because they came faster than they could be written.";
    RECORDS_DROPPED = Counter "secbeat_records_dropped_total"
        "Requests that were to be recorded and were not, because they came faster than they could be written.";
    AUDIT_LINES_DROPPED = Counter "secbeat_audit_lines_dropped_total"
        "Requests that were to be in the audit log and are not, because they came faster than they could be written.";
    BUILD_INFO = Gauge "secbeat_build_info"
        "1, with the version as a label.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_of_the_allowed_characters() {
        let names: HashSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len());
        for name in names {
            assert!(name.starts_with("secbeat_"));
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{name}");
        }
    }
}
