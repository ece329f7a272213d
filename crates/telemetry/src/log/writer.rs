//! The thread that empties the queue.

use super::{Level, Line, Logger, Target};
use secbeat_types::Timestamp;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst, fence};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// Lines are gathered to about this many bytes before they are written.
const BATCH_BYTES: usize = 64 << 10;
/// How often it is said what was left out; also the longest sleep.
const SUMMARY_PERIOD: Duration = Duration::from_secs(1);
/// How long the end of the program waits for a disk or terminal that is stuck.
const SHUTDOWN_MAX: Duration = Duration::from_secs(2);

/// What lines are written to.
pub(super) enum Sink {
    Stderr,
    File(File),
}

impl Sink {
    pub(super) fn open(target: &Target) -> io::Result<Self> {
        let Target::File(path) = target else { return Ok(Sink::Stderr) };
        open_to_append(path, "[logging] file").map(Sink::File)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Sink::Stderr => io::stderr().lock().write_all(bytes),
            Sink::File(file) => file.write_all(bytes),
        }
    }
}

/// Opens the end of a log file; it and its folder are made if they are not there. `key` is where its name is set.
///
/// # Errors
/// It cannot be; the error says which file, and what to do.
pub(crate) fn open_to_append(path: &Path, key: &str) -> io::Result<File> {
    let explain = |error: io::Error| {
        let text = format!(
            "{}: {error}; expected a file that this user may append to: \
             set {key} or change the owner of its folder",
            path.display()
        );
        io::Error::new(error.kind(), text)
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(explain)?;
    }
    OpenOptions::new().append(true).create(true).mode(0o640).open(path).map_err(explain)
}

/// What other threads have to say to the writer.
#[derive(Default)]
pub(super) struct Handover {
    asleep: AtomicBool,
    thread: OnceLock<Thread>,
    orders: Mutex<Orders>,
    served: Condvar,
}

#[derive(Default)]
struct Orders {
    target: Option<Target>,
    sink: Option<Sink>,
    stop: bool,
    flushes_asked: u64,
    flushes_done: u64,
}

impl Handover {
    /// Wakes the writer where it sleeps. Costs a system call then, and a load otherwise.
    pub(super) fn wake(&self) {
        // The push before this must be seen by a writer that goes to sleep after it: see `sleep`.
        fence(SeqCst);
        if self.asleep.load(SeqCst)
            && self.asleep.swap(false, SeqCst)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    pub(super) fn set_target(&self, target: Target) {
        self.orders().target = Some(target);
    }

    pub(super) fn target(&self) -> Target {
        self.orders().target.clone().unwrap_or(Target::Stderr)
    }

    /// Lines go to `sink` from the next batch on.
    pub(super) fn replace(&self, sink: Sink) {
        self.orders().sink = Some(sink);
    }

    /// A panic elsewhere leaves it whole: each change is one assignment.
    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread that writes the log. Dropped, it writes what waits and ends.
#[derive(Debug)]
pub struct LogWriter {
    logger: Logger,
    thread: Option<JoinHandle<()>>,
}

impl LogWriter {
    pub(super) fn start(logger: Logger, sink: Sink) -> io::Result<Self> {
        let handle = thread::Builder::new().name("log".into()).spawn({
            let logger = logger.clone();
            move || Writer { logger, sink, torn: false, summed_up: Instant::now() }.run()
        })?;
        Ok(LogWriter { logger, thread: Some(handle) })
    }

    /// Waits until every line sent so far has been written, at most `patience`; says whether it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.order(false, patience)
    }

    fn order(&self, stop: bool, patience: Duration) -> bool {
        let handover = &self.logger.0.handover;
        let mut orders = handover.orders();
        orders.stop |= stop;
        orders.flushes_asked += 1;
        let asked = orders.flushes_asked;
        handover.wake();
        let waiting = |orders: &mut Orders| orders.flushes_done < asked;
        let (orders, _) = handover
            .served
            .wait_timeout_while(orders, patience, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        orders.flushes_done >= asked
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        if self.order(true, SHUTDOWN_MAX)
            && let Some(thread) = self.thread.take()
        {
            // It has done its last work; a panic of it has been printed.
            let _ = thread.join();
        }
    }
}

struct Writer {
    logger: Logger,
    sink: Sink,
    /// A write failed within a line.
    torn: bool,
    summed_up: Instant,
}

impl Writer {
    fn run(mut self) {
        let logger = self.logger.clone();
        let handover = &logger.0.handover;
        handover.thread.get_or_init(thread::current);
        loop {
            let (stop, asked) = {
                let mut orders = handover.orders();
                if let Some(sink) = orders.sink.take() {
                    (self.sink, self.torn) = (sink, false);
                }
                (orders.stop, orders.flushes_asked)
            };
            self.empty_queue();
            if stop || self.summed_up.elapsed() >= SUMMARY_PERIOD {
                self.sum_up();
            }
            let pending = {
                let mut orders = handover.orders();
                orders.flushes_done = asked;
                handover.served.notify_all();
                orders.flushes_asked > asked
            };
            if stop {
                return;
            }
            if !pending {
                self.sleep();
            }
        }
    }

    /// Writes what is in the queue now; what comes meanwhile is left for the next time, so that orders are heard.
    fn empty_queue(&mut self) {
        let mut batch = String::new();
        let (mut lines, mut left) = (0, self.logger.0.queue.len());
        while left > 0 {
            left -= 1;
            let line = self.logger.0.queue.pop();
            lines += u64::from(line.is_some());
            batch.extend(line);
            if batch.len() >= BATCH_BYTES || left == 0 {
                self.write(&batch, lines);
                batch.clear();
                lines = 0;
            }
        }
    }

    /// Says which events had more lines than a second takes.
    fn sum_up(&mut self) {
        self.summed_up = Instant::now();
        let logger = self.logger.clone();
        for (event, count) in logger.0.sampler.take_suppressed() {
            let (format, now) = (logger.format(), Timestamp::now());
            let line = Line::begin(&logger, format, now, Level::Warn, "log", "log_suppressed")
                .str("suppressed_event", event)
                .u64("count", count);
            if let Some((_, line)) = line.finish() {
                self.write(&line, 1);
            }
        }
    }

    fn write(&mut self, text: &str, lines: u64) {
        let written = match self.torn {
            // Half a line stands there: what follows begins on a line of its own.
            true => self.sink.write(format!("\n{text}").as_bytes()),
            false => self.sink.write(text.as_bytes()),
        };
        if written.is_err() {
            self.logger.lost(lines);
        }
        self.torn = written.is_err();
    }

    /// Until a line or an order comes, or a summary is due.
    fn sleep(&self) {
        let handover = &self.logger.0.handover;
        handover.asleep.store(true, SeqCst);
        fence(SeqCst);
        let orders = handover.orders();
        let idle = orders.flushes_asked == orders.flushes_done && orders.sink.is_none();
        drop(orders);
        if idle && self.logger.0.queue.is_empty() {
            thread::park_timeout(SUMMARY_PERIOD);
        }
        handover.asleep.store(false, SeqCst);
    }
}
