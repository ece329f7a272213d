//! The counters of one worker: no lock, no allocation, no cache line shared with another worker.

use crate::histogram::Histogram;
use secbeat_types::Category;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The values of the label `method` (RFC 9110 9.3, RFC 5789); anything else is the last one.
pub(super) const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "OTHER"];
/// Statuses 100 to 599 (RFC 9110 15); anything else counts as 500, since nothing else may be sent.
pub(super) const STATUSES: std::ops::Range<u16> = 100..600;
const STATUS_COUNT: usize = 500;
pub(super) const CATEGORIES: usize = Category::ALL.len();

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// Why an exchange with a backend failed: the label `cause`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum UpstreamError { $($(#[$doc])* $variant),+ }

        impl UpstreamError {
            /// Every cause, in declaration order.
            pub const ALL: &'static [UpstreamError] = &[$(UpstreamError::$variant),+];

            /// The label's value.
            pub const fn as_str(self) -> &'static str {
                match self { $(UpstreamError::$variant => $name),+ }
            }
        }
    };
}

causes! {
    /// Its name does not resolve.
    Resolve = "resolve",
    /// It refused the connection, or cannot be reached.
    Connect = "connect",
    /// The connection was not there in time.
    ConnectTimeout = "connect_timeout",
    /// It closed the connection before the answer.
    Closed = "closed",
    /// It closed the connection within the answer.
    Truncated = "truncated",
    /// Its answer did not begin in time.
    FirstByteTimeout = "first_byte_timeout",
    /// Its answer was not HTTP, or ambiguous.
    Malformed = "malformed",
}

const CAUSES: usize = UpstreamError::ALL.len();

/// The counters of one worker. Any thread may count here; it is fastest where each worker has its own.
#[derive(Debug)]
#[repr(align(128))]
pub struct WorkerMetrics {
    pub(super) connections_accepted: AtomicU64,
    pub(super) connections_closed: AtomicU64,
    pub(super) connections_refused: AtomicU64,
    pub(super) bytes_in: AtomicU64,
    pub(super) bytes_out: AtomicU64,
    pub(super) exceptions_hit: AtomicU64,
    pub(super) waf_budget_exhausted: AtomicU64,
    pub(super) requests_sanitized: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) durations: Histogram,
    pub(super) attacks_blocked: [AtomicU64; CATEGORIES],
    pub(super) rules_triggered: [AtomicU64; CATEGORIES],
    pub(super) upstream_errors: [AtomicU64; CAUSES],
    /// By method, then by status.
    requests: Box<[AtomicU64]>,
}

impl Default for WorkerMetrics {
    fn default() -> Self {
        WorkerMetrics {
            connections_accepted: AtomicU64::new(0),
            connections_closed: AtomicU64::new(0),
            connections_refused: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            exceptions_hit: AtomicU64::new(0),
            waf_budget_exhausted: AtomicU64::new(0),
            requests_sanitized: AtomicU64::new(0),
            rate_limited: AtomicU64::new(0),
            durations: Histogram::default(),
            attacks_blocked: [const { AtomicU64::new(0) }; CATEGORIES],
            rules_triggered: [const { AtomicU64::new(0) }; CATEGORIES],
            upstream_errors: [const { AtomicU64::new(0) }; CAUSES],
            requests: (0..METHODS.len() * STATUS_COUNT).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl WorkerMetrics {
    /// A request was answered: its method as it was sent, the status, and the time from its first byte to the
    /// answer's last.
    pub fn request(&self, method: &str, status: u16, duration: Duration) {
        let status = if STATUSES.contains(&status) { status } else { 500 };
        if let Some(count) = self.requests.get(cell(method_index(method), status)) {
            count.fetch_add(1, Relaxed);
        }
        self.durations.record(duration);
    }

    /// A connection was accepted; it is open until the value is dropped.
    pub fn connection(self: &Arc<Self>) -> OpenConnection {
        self.connections_accepted.fetch_add(1, Relaxed);
        OpenConnection(Arc::clone(self))
    }

    /// A connection was closed at once, because of a decision or a limit.
    pub fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Relaxed);
    }

    /// Bytes came from a client.
    pub fn bytes_in(&self, bytes: u64) {
        self.bytes_in.fetch_add(bytes, Relaxed);
    }

    /// Bytes went to a client.
    pub fn bytes_out(&self, bytes: u64) {
        self.bytes_out.fetch_add(bytes, Relaxed);
    }

    /// An attack was stopped.
    pub fn attack_blocked(&self, category: Category) {
        self.attacks_blocked[category as usize].fetch_add(1, Relaxed);
    }

    /// A firewall rule matched.
    pub fn rule_triggered(&self, category: Category) {
        self.rules_triggered[category as usize].fetch_add(1, Relaxed);
    }

    /// Exceptions set so many matches aside.
    pub fn exceptions_hit(&self, matches: u32) {
        self.exceptions_hit.fetch_add(matches.into(), Relaxed);
    }

    /// The work budget of firewall rules was used up on a request.
    pub fn waf_budget_exhausted(&self) {
        self.waf_budget_exhausted.fetch_add(1, Relaxed);
    }

    /// A request went on after something was taken out of it.
    pub fn request_sanitized(&self) {
        self.requests_sanitized.fetch_add(1, Relaxed);
    }

    /// A request was beyond a rate.
    pub fn rate_limited(&self) {
        self.rate_limited.fetch_add(1, Relaxed);
    }

    /// An exchange with a backend failed.
    pub fn upstream_error(&self, cause: UpstreamError) {
        self.upstream_errors[cause as usize].fetch_add(1, Relaxed);
    }

    pub(super) fn connections_active(&self) -> u64 {
        // Closed first: read the other way round, a connection that comes and goes in between would count below 0.
        let closed = self.connections_closed.load(Relaxed);
        self.connections_accepted.load(Relaxed).saturating_sub(closed)
    }

    /// Requests of a method (by its place in [`METHODS`]) with a status.
    pub(super) fn requests_of(&self, method: usize, status: u16) -> u64 {
        self.requests.get(cell(method, status)).map_or(0, |count| count.load(Relaxed))
    }

    pub(super) fn requests(&self) -> u64 {
        self.requests.iter().map(|count| count.load(Relaxed)).sum()
    }
}

/// A client connection that is open, counted until it is dropped.
#[derive(Debug)]
pub struct OpenConnection(Arc<WorkerMetrics>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_closed.fetch_add(1, Relaxed);
    }
}

fn method_index(method: &str) -> usize {
    METHODS.iter().position(|known| *known == method).unwrap_or(METHODS.len() - 1)
}

fn cell(method: usize, status: u16) -> usize {
    method * STATUS_COUNT + usize::from(status - STATUSES.start)
}
