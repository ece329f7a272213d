//! The counters, one shard a worker, and what is read off them each second.

mod render;
mod worker;

pub use worker::{OpenConnection, UpstreamError, WorkerMetrics};

use crate::histogram::Counts;
use crate::process::ProcessUsage;
use crate::volume::{Surge, Volume};
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The quantiles and the threat score look back over this many windows,
const WINDOWS: usize = 6;
/// each of this length.
const WINDOW: Duration = Duration::from_secs(10);
/// Processor use is read off no oftener than this: shorter spans say little.
const CPU_SPAN_MIN: Duration = Duration::from_secs(1);

/// A number that the control side knows and sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Blocks of addresses and prefixes in force.
    BlockedIps,
    /// Generation of the policy in force.
    ConfigGeneration,
    /// Log lines lost since the start: [`crate::Logger::dropped`].
    LogLinesDropped,
    /// Events lost since the start: [`crate::EventRing::dropped`].
    EventsDropped,
    /// SYN cookies sent since the start.
    SynCookiesSent,
    /// The kill switch: 0 normal, 1 monitor, 2 off.
    PanicMode,
    /// Lines of the access log lost since the start: [`crate::AccessLog::dropped`].
    AccessLinesDropped,
    /// Records lost since the start: [`crate::Recorder::dropped`].
    RecordsDropped,
    /// Requests lost to the audit log since the start: [`crate::AuditLog::dropped`].
    AuditLinesDropped,
}

const READINGS: usize = Reading::AuditLinesDropped as usize + 1;

/// Every metric of a process.
#[derive(Debug)]
pub struct Metrics {
    version: String,
    workers: Vec<Arc<WorkerMetrics>>,
    readings: [AtomicU64; READINGS],
    control: Mutex<Control>,
}

/// What the control side keeps between ticks.
#[derive(Debug)]
struct Control {
    started: Instant,
    now: Instant,
    usage: ProcessUsage,
    cpu_percent: f64,
    cpu_read: (Instant, Duration),
    /// What had been counted at the start of each window of the last minute, the oldest first.
    windows: VecDeque<(Instant, Marks)>,
    degraded: BTreeMap<&'static str, bool>,
    volume: Volume,
    surge: Option<Surge>,
}

/// What had been counted by some instant.
#[derive(Debug, Clone, Default)]
struct Marks {
    durations: Counts,
    requests: u64,
    refused: u64,
    attacks: u64,
}

impl Metrics {
    /// Metrics of a process that `started` then and has this many workers.
    pub fn new(workers: usize, version: impl Into<String>, started: Instant) -> Self {
        let control = Control {
            started,
            now: started,
            usage: ProcessUsage::default(),
            cpu_percent: 0.0,
            cpu_read: (started, Duration::ZERO),
            windows: VecDeque::from([(started, Marks::default())]),
            degraded: BTreeMap::new(),
            volume: Volume::default(),
            surge: None,
        };
        Metrics {
            version: version.into(),
            workers: (0..workers.max(1)).map(|_| Arc::default()).collect(),
            readings: [const { AtomicU64::new(0) }; READINGS],
            control: Mutex::new(control),
        }
    }

    /// The shard of worker `index`; beyond the last one they are shared, which costs time but no counts.
    pub fn worker(&self, index: usize) -> Arc<WorkerMetrics> {
        Arc::clone(&self.workers[index % self.workers.len()])
    }

    /// Sets a number that the control side knows.
    pub fn set(&self, reading: Reading, value: u64) {
        self.readings[reading as usize].store(value, Relaxed);
    }

    /// Says whether a configured feature is not in force on this machine. The feature's name is a label: `syn_proxy`.
    pub fn set_degraded(&self, feature: &'static str, degraded: bool) {
        self.control().degraded.insert(feature, degraded);
    }

    /// Client connections that are open.
    pub fn connections_active(&self) -> u64 {
        self.workers.iter().map(|worker| worker.connections_active()).sum::<u64>()
    }

    /// Moves the clock on. To be called each second, and before [`render`](Self::render), with
    /// `(Instant::now(), ProcessUsage::read())`.
    pub fn tick(&self, now: Instant, usage: ProcessUsage) {
        let mut control = self.control();
        control.now = now.max(control.now);
        control.usage = usage;
        let span = now.saturating_duration_since(control.cpu_read.0);
        if span >= CPU_SPAN_MIN {
            let used = usage.cpu.saturating_sub(control.cpu_read.1);
            control.cpu_percent = 100.0 * used.as_secs_f64() / span.as_secs_f64();
            control.cpu_read = (now, usage.cpu);
        }
        let requests = self.workers.iter().map(|worker| worker.requests()).sum();
        let surge = control.volume.observe(now, requests);
        control.surge = surge.or(control.surge);
        let newest = control.windows.back().map_or(control.started, |(at, _)| *at);
        if now.saturating_duration_since(newest) >= WINDOW {
            control.windows.push_back((now, self.marks()));
            let excess = control.windows.len().saturating_sub(WINDOWS + 1);
            control.windows.drain(..excess);
        }
    }

    /// What the volume alarm has to tell since this was last asked.
    pub fn take_surge(&self) -> Option<Surge> {
        self.control().surge.take()
    }

    /// Everything in the Prometheus text format 0.0.4, as of the last [`tick`](Self::tick); to be served as
    /// `text/plain; version=0.0.4; charset=utf-8`. Metrics and labels come in a fixed order.
    pub fn render(&self) -> String {
        render::render(self, &self.control())
    }

    fn reading(&self, reading: Reading) -> u64 {
        self.readings[reading as usize].load(Relaxed)
    }

    fn marks(&self) -> Marks {
        let mut marks = Marks::default();
        for worker in &self.workers {
            worker.durations.add_to(&mut marks.durations);
            marks.requests += worker.requests();
            marks.refused += worker.connections_refused.load(Relaxed);
            marks.attacks += worker.attacks_blocked.iter().map(|count| count.load(Relaxed)).sum::<u64>();
        }
        marks
    }

    /// A panic elsewhere leaves it whole: each change is one assignment.
    fn control(&self) -> MutexGuard<'_, Control> {
        self.control.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Control {
    /// What had been counted a minute ago.
    fn minute_ago(&self) -> Option<&Marks> {
        self.windows.front().map(|(_, marks)| marks)
    }
}

impl Marks {
    /// 0 to 100: the share of requests and refused connections since `earlier` that were stopped as attacks.
    fn threat_score(&self, earlier: &Marks) -> f64 {
        let seen = (self.requests - earlier.requests) + (self.refused - earlier.refused);
        let stopped = self.attacks - earlier.attacks;
        100.0 * stopped as f64 / seen.max(stopped).max(1) as f64
    }
}

#[cfg(test)]
mod tests;
