//! The Prometheus text format 0.0.4.

use super::worker::{METHODS, STATUSES, UpstreamError};
use super::{Control, Metrics, Reading, WorkerMetrics};
use crate::names::{self, Metric};
use secbeat_types::Category;
use std::fmt::{Display, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bounds of the buckets: 2^7 to 2^25 µs (128 µs to 34 s). Powers of two, since there the counts are exact.
const BUCKET_BITS: std::ops::RangeInclusive<u32> = 7..=25;
/// The quantiles of the summary.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

pub(super) fn render(metrics: &Metrics, control: &Control) -> String {
    let mut page = Page { text: String::with_capacity(16 << 10), metrics };
    let now = metrics.marks();
    let minute_ago = control.minute_ago().cloned().unwrap_or_default();

    page.head(&names::REQUESTS);
    for (index, method) in METHODS.iter().enumerate() {
        for status in STATUSES {
            let count: u64 = metrics.workers.iter().map(|worker| worker.requests_of(index, status)).sum();
            if count > 0 {
                page.line(&names::REQUESTS, "", &[("method", method), ("status", &status)], count);
            }
        }
    }

    page.head(&names::RESPONSE_TIME);
    for q in QUANTILES {
        let value =
            now.durations.quantile_since(&minute_ago.durations, q).map_or(f64::NAN, |d| d.as_secs_f64());
        page.line(&names::RESPONSE_TIME, "", &[("quantile", &q)], value);
    }
    let (sum, count) = (now.durations.sum().as_secs_f64(), now.durations.count());
    page.line(&names::RESPONSE_TIME, "_sum", &[], sum);
    page.line(&names::RESPONSE_TIME, "_count", &[], count);

    page.head(&names::REQUEST_DURATION);
    for bits in BUCKET_BITS {
        let bound = f64::from(1 << bits) / 1e6;
        page.line(
            &names::REQUEST_DURATION,
            "_bucket",
            &[("le", &bound)],
            now.durations.at_most_pow2_us(bits),
        );
    }
    page.line(&names::REQUEST_DURATION, "_bucket", &[("le", &"+Inf")], count);
    page.line(&names::REQUEST_DURATION, "_sum", &[], sum);
    page.line(&names::REQUEST_DURATION, "_count", &[], count);

    page.single(&names::CONNECTIONS_ACTIVE, metrics.connections_active());
    page.total(&names::CONNECTIONS_ACCEPTED, |worker| &worker.connections_accepted);
    page.total(&names::CONNECTIONS_REFUSED, |worker| &worker.connections_refused);

    page.head(&names::BANDWIDTH);
    let bytes = [page.sum(|worker| &worker.bytes_in), page.sum(|worker| &worker.bytes_out)];
    for (direction, bytes) in ["in", "out"].iter().zip(bytes) {
        page.line(&names::BANDWIDTH, "", &[("direction", direction)], bytes);
    }

    page.head(&names::UPSTREAM_ERRORS);
    for cause in UpstreamError::ALL {
        let count = page.sum(|worker| &worker.upstream_errors[*cause as usize]);
        page.line(&names::UPSTREAM_ERRORS, "", &[("cause", &cause.as_str())], count);
    }
    page.head(&names::ATTACKS_BLOCKED);
    for category in Category::ALL {
        let count = page.sum(|worker| &worker.attacks_blocked[*category as usize]);
        page.line(&names::ATTACKS_BLOCKED, "", &[("type", &category.as_str())], count);
    }
    page.head(&names::WAF_RULES_TRIGGERED);
    for category in Category::ALL {
        let count = page.sum(|worker| &worker.rules_triggered[*category as usize]);
        page.line(&names::WAF_RULES_TRIGGERED, "", &[("rule", &category.as_str())], count);
    }

    page.total(&names::WAF_EXCEPTIONS_HITS, |worker| &worker.exceptions_hit);
    page.total(&names::WAF_BUDGET_EXHAUSTED, |worker| &worker.waf_budget_exhausted);
    page.total(&names::REQUESTS_SANITIZED, |worker| &worker.requests_sanitized);
    page.total(&names::RATE_LIMITED, |worker| &worker.rate_limited);
    page.single(&names::PANIC_MODE, metrics.reading(Reading::PanicMode));
    page.single(&names::BLOCKED_IPS, metrics.reading(Reading::BlockedIps));
    page.single(&names::THREAT_SCORE, now.threat_score(&minute_ago));
    page.single(&names::SYN_COOKIES_SENT, metrics.reading(Reading::SynCookiesSent));
    page.single(&names::CPU_USAGE, (control.cpu_percent * 100.0).round() / 100.0);
    page.single(&names::MEMORY_USAGE, control.usage.resident_bytes);
    page.single(&names::UPTIME, control.now.duration_since(control.started).as_millis() as f64 / 1000.0);
    page.single(&names::CONFIG_GENERATION, metrics.reading(Reading::ConfigGeneration));
    page.head(&names::DEGRADED);
    for (feature, degraded) in &control.degraded {
        page.line(&names::DEGRADED, "", &[("feature", feature)], u8::from(*degraded));
    }
    page.single(&names::LOG_LINES_DROPPED, metrics.reading(Reading::LogLinesDropped));
    page.single(&names::EVENTS_DROPPED, metrics.reading(Reading::EventsDropped));
    page.single(&names::ACCESS_LINES_DROPPED, metrics.reading(Reading::AccessLinesDropped));
    page.single(&names::RECORDS_DROPPED, metrics.reading(Reading::RecordsDropped));
    page.single(&names::AUDIT_LINES_DROPPED, metrics.reading(Reading::AuditLinesDropped));
    page.head(&names::BUILD_INFO);
    page.line(&names::BUILD_INFO, "", &[("version", &metrics.version)], 1);
    page.text
}

struct Page<'a> {
    text: String,
    metrics: &'a Metrics,
}

impl Page<'_> {
    fn sum(&self, counter: impl Fn(&WorkerMetrics) -> &AtomicU64) -> u64 {
        self.metrics.workers.iter().map(|worker| counter(worker).load(Relaxed)).sum()
    }

    fn total(&mut self, metric: &Metric, counter: impl Fn(&WorkerMetrics) -> &AtomicU64) {
        let sum = self.sum(counter);
        self.single(metric, sum);
    }

    fn single(&mut self, metric: &Metric, value: impl Display) {
        self.head(metric);
        self.line(metric, "", &[], value);
    }

    fn head(&mut self, Metric { name, kind, help }: &Metric) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.as_str()));
    }

    /// One sample. Label values come from closed lists, but for the version; none needs escaping but that is done.
    fn line(&mut self, metric: &Metric, suffix: &str, labels: &[(&str, &dyn Display)], value: impl Display) {
        self.write(format_args!("{}{suffix}", metric.name));
        for (i, (name, label)) in labels.iter().enumerate() {
            let label = label.to_string().replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            self.write(format_args!("{}{name}=\"{label}\"", if i == 0 { '{' } else { ',' }));
        }
        self.write(format_args!("{} {value}\n", if labels.is_empty() { "" } else { "}" }));
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = self.text.write_fmt(text);
    }
}
