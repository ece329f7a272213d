//! Load that goes on while something else is measured, and what came of its requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::asker::{self, Asker, Next};
use crate::process::{Cores, all_cores, stay_on};

/// Keep-alive connections of a thread, and there is one for each core; each asks again as soon as it is answered.
const CONNECTIONS: usize = 64;

/// The load; dropped, it stops.
#[derive(Debug)]
pub struct Background {
    /// What came of its requests so far.
    pub seen: Arc<Seen>,
    threads: Vec<JoinHandle<Outcome<()>>>,
}

/// What came of requests. Instants are nanoseconds since `begin`, 0 for none.
#[derive(Debug)]
pub struct Seen {
    begin: Instant,
    over: AtomicBool,
    requests: AtomicU64,
    /// The first answer of 200 since it was last set to 0.
    first_passed: AtomicU64,
    last_passed: AtomicU64,
    last_stopped: AtomicU64,
}

impl Background {
    /// Sends `request` to `port` of 127.0.0.1 again and again.
    pub fn start(port: u16, request: &'static [u8]) -> Self {
        let seen = Arc::new(Seen {
            begin: Instant::now(),
            over: AtomicBool::new(false),
            requests: AtomicU64::new(0),
            first_passed: AtomicU64::new(0),
            last_passed: AtomicU64::new(0),
            last_stopped: AtomicU64::new(0),
        });
        let threads = (0..all_cores()).map(|_| {
            let mut again = Again { request, seen: seen.clone() };
            std::thread::spawn(move || {
                stay_on(Cores::All)?;
                asker::run(port, CONNECTIONS, &mut again)
            })
        });
        Self { threads: threads.collect(), seen }
    }

    /// Ends the load; an error if it had ended by itself.
    pub fn stop(mut self) -> Outcome<()> {
        self.seen.over.store(true, Relaxed);
        let mut ended = std::mem::take(&mut self.threads).into_iter().map(JoinHandle::join);
        ended.try_for_each(|ended| ended.unwrap_or_else(|_| Err("the load has stopped".into())))
    }

    /// Whether the load goes on.
    pub fn goes_on(&self) -> bool {
        self.threads.iter().all(|thread| !thread.is_finished())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.seen.over.store(true, Relaxed);
    }
}

impl Seen {
    /// Requests answered.
    pub fn requests(&self) -> u64 {
        self.requests.load(Relaxed)
    }

    /// Forgets the first that passed: the next one is the first.
    pub fn begin_again(&self) {
        self.first_passed.store(0, Relaxed);
    }

    /// When the first request passed since [`begin_again`](Self::begin_again).
    pub fn first_passed(&self) -> Option<Instant> {
        self.instant(&self.first_passed)
    }

    /// When the last request passed.
    pub fn last_passed(&self) -> Option<Instant> {
        self.instant(&self.last_passed)
    }

    /// When the last request was stopped.
    pub fn last_stopped(&self) -> Option<Instant> {
        self.instant(&self.last_stopped)
    }

    fn instant(&self, of: &AtomicU64) -> Option<Instant> {
        match of.load(Relaxed) {
            0 => None,
            nanoseconds => Some(self.begin + Duration::from_nanos(nanoseconds)),
        }
    }
}

struct Again {
    request: &'static [u8],
    seen: Arc<Seen>,
}

impl Asker for Again {
    fn next(&mut self, _: Instant, request: &mut Vec<u8>) -> Next {
        if self.seen.over.load(Relaxed) {
            return Next::Over;
        }
        request.extend_from_slice(self.request);
        Next::Ask(0)
    }

    fn answered(&mut self, _: usize, status: u16, now: Instant) {
        let seen = &self.seen;
        seen.requests.fetch_add(1, Relaxed);
        let at = now.duration_since(seen.begin).as_nanos() as u64;
        if status == 200 {
            seen.last_passed.store(at, Relaxed);
            let _ = seen.first_passed.compare_exchange(0, at, Relaxed, Relaxed);
        } else {
            seen.last_stopped.store(at, Relaxed);
        }
    }
}
