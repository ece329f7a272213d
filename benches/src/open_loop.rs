//! Open-loop load: requests leave on a schedule, whether or not earlier ones have been answered.
//!
//! Latency counts from the instant a request was due, not from when a connection was free to send it, so a
//! proxy that stalls is charged for everyone who had to wait (Tene's "coordinated omission"). `epoll` with a
//! timeout in nanoseconds keeps the schedule; a timer wheel of 1 ms would be coarser than what is measured.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{Timespec, epoll};
use rustls::ClientConfig;
use serde::Serialize;

use crate::Outcome;
use crate::client::Client;
use crate::stats::quantile;

/// Keep-alive connections that requests are spread over.
const CONNECTIONS: usize = 64;
/// How long the last answers may take after the last request was due.
const DRAIN: Duration = Duration::from_secs(5);
/// Answers looked at between two looks at the schedule.
const EVENTS: usize = 128;

/// Latencies of one run, microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Latency {
    /// Requests sent and answered.
    pub requests: usize,
    /// The median.
    pub p50_us: f64,
    /// One in a hundred is slower.
    pub p99_us: f64,
}

/// Sends `rate` requests per second for `seconds` to `port` and waits for every answer.
/// Blocks its thread: on a runtime, give it one of its own.
pub fn run(port: u16, tls: Option<&Arc<ClientConfig>>, rate: f64, seconds: u32) -> Outcome<Latency> {
    let mut clients = (0..CONNECTIONS).map(|_| Client::connect(port, tls)).collect::<Outcome<Vec<_>>>()?;
    let watch = watch(&clients).map_err(|e| format!("watching {CONNECTIONS} connections: {e}"))?;
    let mut schedule = Schedule::new(rate, seconds);
    let mut idle: VecDeque<usize> = (0..CONNECTIONS).collect();
    let mut due_of = vec![schedule.begin; CONNECTIONS];
    let mut latencies = Vec::with_capacity((rate * f64::from(seconds)) as usize + 1);
    let mut events = Vec::with_capacity(EVENTS);
    loop {
        let now = Instant::now();
        schedule.advance(now);
        while let (Some(&client), Some(due)) = (idle.front(), schedule.waiting.front().copied()) {
            idle.pop_front();
            schedule.waiting.pop_front();
            if let (Some(stream), Some(slot)) = (clients.get_mut(client), due_of.get_mut(client)) {
                stream.ask()?;
                *slot = due;
            }
        }
        if schedule.is_over() && idle.len() == CONNECTIONS {
            return Ok(summary(&latencies));
        }
        if now > schedule.end + DRAIN {
            let open = CONNECTIONS - idle.len() + schedule.waiting.len();
            return Err(format!("{open} requests are unanswered {DRAIN:?} after the last at {rate:.0}/s"));
        }
        events.clear();
        wait(&watch, &mut events, schedule.next().saturating_duration_since(Instant::now()))?;
        for event in &events {
            let client = event.data.u64() as usize;
            let (Some(stream), Some(&due)) = (clients.get_mut(client), due_of.get(client)) else { continue };
            if stream.answered()? {
                latencies.push(due.elapsed().as_secs_f64() * 1e6);
                idle.push_back(client);
            }
        }
    }
}

/// Watches what `clients` have to read; events carry their places.
pub fn watch(clients: &[impl AsFd]) -> rustix::io::Result<rustix::fd::OwnedFd> {
    // The default slack of 50 µs would be added to every pause of the schedule.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let watch = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    for (number, client) in clients.iter().enumerate() {
        epoll::add(&watch, client, epoll::EventData::new_u64(number as u64), epoll::EventFlags::IN)?;
    }
    Ok(watch)
}

/// Waits for events, `pause` at the longest.
pub fn wait(watch: &rustix::fd::OwnedFd, events: &mut Vec<epoll::Event>, pause: Duration) -> Outcome<()> {
    let timeout = Timespec { tv_sec: pause.as_secs() as i64, tv_nsec: i64::from(pause.subsec_nanos()) };
    match epoll::wait(watch, rustix::buffer::spare_capacity(events), Some(&timeout)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(format!("waiting for answers: {e}")),
    }
}

fn summary(latencies: &[f64]) -> Latency {
    Latency {
        requests: latencies.len(),
        p50_us: quantile(latencies, 0.50),
        p99_us: quantile(latencies, 0.99),
    }
}

/// When requests are due: evenly spaced from `begin` to `end`.
#[derive(Debug)]
struct Schedule {
    begin: Instant,
    end: Instant,
    rate: f64,
    /// How many were due so far.
    count: u64,
    /// Due, and not yet sent.
    waiting: VecDeque<Instant>,
}

impl Schedule {
    fn new(rate: f64, seconds: u32) -> Self {
        let begin = Instant::now();
        let end = begin + Duration::from_secs(seconds.into());
        Self { begin, end, rate, count: 0, waiting: VecDeque::new() }
    }

    /// When the next request is due; after the last one, the instant to look again.
    fn next(&self) -> Instant {
        let due = self.begin + Duration::from_secs_f64(self.count as f64 / self.rate);
        if due < self.end { due } else { self.end + DRAIN + Duration::from_millis(1) }
    }

    fn advance(&mut self, now: Instant) {
        while self.next() <= now.min(self.end) {
            self.waiting.push_back(self.next());
            self.count += 1;
        }
    }

    fn is_over(&self) -> bool {
        self.next() > self.end && self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_finds_every_request_that_was_due_meanwhile_at_its_own_time() {
        let mut schedule = Schedule::new(100.0, 1);
        schedule.advance(schedule.begin + Duration::from_millis(55));
        let due: Vec<_> = schedule.waiting.iter().map(|due| (*due - schedule.begin).as_millis()).collect();
        assert_eq!(due, [0, 10, 20, 30, 40, 50]);
        assert!(!schedule.is_over());
    }

    #[test]
    fn nothing_is_due_after_the_end() {
        let mut schedule = Schedule::new(100.0, 1);
        schedule.advance(schedule.end + Duration::from_secs(60));
        assert_eq!(schedule.waiting.len(), 100);
        schedule.waiting.clear();
        assert!(schedule.is_over());
    }
}
