//! Lines to a file or standard error. Any thread writes a line into a bounded queue and goes on; one thread empties it.
//!
//! A line that finds the queue full is dropped and counted. A line of one event beyond so many a second is not built
//! at all, and a `log_suppressed` line says each second how many there were. Text from outside is escaped in every
//! format, so that nobody can forge a line or drive a terminal.
//!
//! ```
//! # use secbeat_telemetry::{LogOptions, Logger};
//! # let (log, _writer) = Logger::start(LogOptions::default())?;
//! log.info("mitigation-node", "connection_established").str("backend", "10.0.1.50:8080").send();
//! # Ok::<(), std::io::Error>(())
//! ```

mod event;
mod line;
mod sampling;
mod writer;

pub use line::Line;
pub(crate) use line::push_quoted;
pub use writer::LogWriter;
pub(crate) use writer::open_to_append;

use crossbeam_queue::ArrayQueue;
use sampling::Sampler;
use secbeat_types::{Event, Timestamp};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use writer::{Handover, Sink};

/// The most lines that wait to be written.
const QUEUE_LINES: usize = 4096;

/// How much a line matters. Ordered, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Level {
    /// As a filter: nothing.
    Off,
    /// The product cannot do its work.
    Error,
    /// An attack, or something that will become an error.
    Warn,
    /// The ordinary course of things.
    Info,
    /// For who looks for a fault.
    Debug,
    /// Every step.
    Trace,
}

impl Level {
    const ALL: [Level; 6] = [Level::Off, Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    /// The name in a line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Off => "OFF",
            Level::Error => "ERROR",
            Level::Warn => "WARN",
            Level::Info => "INFO",
            Level::Debug => "DEBUG",
            Level::Trace => "TRACE",
        }
    }
}

impl FromStr for Level {
    type Err = String;

    /// The name in any case: `info`, `INFO`.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = Level::ALL.into_iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
        named.ok_or_else(|| format!("{text:?} is no level: expected off, error, warn, info, debug or trace"))
    }
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Format {
    /// A JSON object a line.
    Json,
    /// For people: time, level, component, event, `field=value`.
    Pretty,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Format::Json),
            "pretty" => Ok(Format::Pretty),
            _ => Err(format!("{text:?} is no log format: expected json or pretty")),
        }
    }
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard error.
    Stderr,
    /// The end of this file; it and its folder are made if they are not there.
    File(PathBuf),
}

/// A target that is open.
pub struct OpenTarget {
    sink: Sink,
    target: Target,
}

/// How a log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// Lines beyond this level are not written.
    pub level: Level,
    /// How lines are written.
    pub format: Format,
    /// Where they go.
    pub target: Target,
    /// The most lines of one event in a second, at least 1.
    pub lines_per_second: u32,
}

impl Default for LogOptions {
    /// JSON from `info` on to standard error, at most 100 lines of an event a second.
    fn default() -> Self {
        LogOptions { level: Level::Info, format: Format::Json, target: Target::Stderr, lines_per_second: 100 }
    }
}

/// Where lines are written into. Clones are the same log.
#[derive(Clone)]
pub struct Logger(Arc<Shared>);

struct Shared {
    level: AtomicU8,
    format: AtomicU8,
    dropped: AtomicU64,
    sampler: Sampler,
    queue: ArrayQueue<String>,
    handover: Handover,
}

impl Logger {
    /// Opens the log and starts the thread that writes it. What is in the queue when the [`LogWriter`] is dropped is
    /// still written.
    ///
    /// # Errors
    /// The file cannot be opened or the thread not be started.
    pub fn start(options: LogOptions) -> io::Result<(Self, LogWriter)> {
        let sink = Sink::open(&options.target)?;
        let logger = Self::new(&options);
        logger.0.handover.set_target(options.target);
        let writer = LogWriter::start(logger.clone(), sink)?;
        Ok((logger, writer))
    }

    fn new(options: &LogOptions) -> Self {
        Logger(Arc::new(Shared {
            level: AtomicU8::new(options.level as u8),
            format: AtomicU8::new(options.format as u8),
            dropped: AtomicU64::new(0),
            sampler: Sampler::new(options.lines_per_second),
            queue: ArrayQueue::new(QUEUE_LINES),
            handover: Handover::default(),
        }))
    }

    /// A line at `ERROR`.
    pub fn error(&self, component: &'static str, event: &'static str) -> Line<'_> {
        self.line(Level::Error, component, event)
    }

    /// A line at `WARN`.
    pub fn warn(&self, component: &'static str, event: &'static str) -> Line<'_> {
        self.line(Level::Warn, component, event)
    }

    /// A line at `INFO`.
    pub fn info(&self, component: &'static str, event: &'static str) -> Line<'_> {
        self.line(Level::Info, component, event)
    }

    /// A line at `DEBUG`.
    pub fn debug(&self, component: &'static str, event: &'static str) -> Line<'_> {
        self.line(Level::Debug, component, event)
    }

    /// A line at `TRACE`.
    pub fn trace(&self, component: &'static str, event: &'static str) -> Line<'_> {
        self.line(Level::Trace, component, event)
    }

    /// The line of a security event, at the event's own time.
    pub fn event(&self, event: &Event) {
        event::write(self, event);
    }

    /// Whether lines of this level are written: to be asked before working out what only a line needs.
    pub fn enabled(&self, level: Level) -> bool {
        level != Level::Off && level as u8 <= self.0.level.load(Relaxed)
    }

    /// A line at `level`; does nothing where the level is off or the event has had its lines for this second.
    pub fn line(&self, level: Level, component: &'static str, event: &'static str) -> Line<'_> {
        match self.enabled(level) {
            true => self.line_at(Timestamp::now(), level, component, event),
            false => Line::skipped(),
        }
    }

    /// As [`line`](Self::line), of something that happened at `at`.
    pub fn line_at(
        &self,
        at: Timestamp,
        level: Level,
        component: &'static str,
        event: &'static str,
    ) -> Line<'_> {
        match self.enabled(level) && self.0.sampler.admit(event, at) {
            true => Line::begin(self, self.format(), at, level, component, event),
            false => Line::skipped(),
        }
    }

    /// Changes the level, at once.
    pub fn set_level(&self, level: Level) {
        self.0.level.store(level as u8, Relaxed);
    }

    /// Changes the format, from the next line on.
    pub fn set_format(&self, format: Format) {
        self.0.format.store(format as u8, Relaxed);
    }

    /// Changes how many lines of one event are written in a second, at least 1.
    pub fn set_lines_per_second(&self, lines: u32) {
        self.0.sampler.set_limit(lines);
    }

    /// Opens what lines may [go to](Self::move_to).
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(target: Target) -> io::Result<OpenTarget> {
        Ok(OpenTarget { sink: Sink::open(&target)?, target })
    }

    /// Sends lines elsewhere, those that wait among them.
    pub fn move_to(&self, opened: OpenTarget) {
        self.0.handover.replace(opened.sink);
        self.0.handover.set_target(opened.target);
    }

    /// Where lines go.
    pub fn target(&self) -> Target {
        self.0.handover.target()
    }

    /// Opens the file of this name anew, after it was renamed by log rotation.
    ///
    /// # Errors
    /// It cannot be opened; lines go on to the old one.
    pub fn reopen(&self) -> io::Result<()> {
        self.move_to(Self::open(self.target())?);
        Ok(())
    }

    /// Lines lost since the start, because they came faster than they were written or could not be written.
    pub fn dropped(&self) -> u64 {
        self.0.dropped.load(Relaxed)
    }

    fn format(&self) -> Format {
        if self.0.format.load(Relaxed) == Format::Pretty as u8 { Format::Pretty } else { Format::Json }
    }

    fn push(&self, line: String) {
        match self.0.queue.push(line) {
            Ok(()) => self.0.handover.wake(),
            Err(_full) => self.lost(1),
        }
    }

    fn lost(&self, lines: u64) {
        self.0.dropped.fetch_add(lines, Relaxed);
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("level", &self.0.level).field("dropped", &self.0.dropped).finish()
    }
}

#[cfg(test)]
mod tests;
