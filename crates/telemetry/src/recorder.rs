//! The recorder: requests that were stopped, and a sample of those that passed, on disk, with what is secret masked.
//!
//! Workers hand over a [`Draft`]; one thread masks it and writes it. A draft that finds the queue full is dropped and
//! counted. Records lie in `recorder/` of the data folder, JSON lines in segments, the oldest of which are deleted
//! where they take too much room or are too old.
//!
//! | module | idea |
//! | --- | --- |
//! | [`record`] | what is kept of a request |
//! | [`mask`] | what of it nobody may read |

pub mod mask;
pub mod record;
mod segments;
mod writer;

pub use mask::Mask;
pub use record::{BodyText, Draft, Found, MatchNote, Record, RecordQuery};

use crate::aside::Aside;
use crate::log::Logger;
use std::cell::Cell;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most drafts that wait to be written.
const QUEUE_DRAFTS: usize = 1024;
/// The most bytes that they take, about; the last one may go beyond.
const WAITING_BYTES_MAX: usize = 8 << 20;
/// How often it is looked whether something is too old.
const PERIOD: Duration = Duration::from_secs(1);
/// Bodies longer than this are recorded by their length alone, in bytes: masking needs them whole.
pub const BODY_BYTES_READ_MAX: usize = 64 << 10;

/// How requests are recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecorderOptions {
    /// Whether they are.
    pub enable: bool,
    /// Every so many-th request that passed is recorded; 0: only what was stopped.
    pub sample_every: u64,
    /// The most bytes on disk.
    pub bytes_max: u64,
    /// Whether bodies are recorded.
    pub bodies: bool,
    /// Of a body, the most bytes.
    pub body_bytes_max: usize,
    /// What is masked.
    pub mask: Mask,
    /// How long records are kept.
    pub keep: Duration,
    /// Whether addresses are cut to their network: [`anonymized`](crate::anonymize::anonymized).
    pub anonymize: bool,
}

/// The recorder of a process.
#[derive(Debug)]
pub struct Recorder {
    enable: AtomicBool,
    bodies: AtomicBool,
    sample_every: AtomicU64,
    aside: Aside<Draft>,
    shared: Arc<Shared>,
    folder: PathBuf,
}

/// What the thread shares with the rest.
#[derive(Debug)]
struct Shared {
    options: Mutex<Arc<RecorderOptions>>,
    /// What the drafts that wait take, about.
    waiting_bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Recorder {
    /// Starts the thread that writes into `recorder/` of `data_dir`, where what earlier runs left is kept. The folder
    /// is made with the first record.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(data_dir: &Path, options: RecorderOptions, log: Logger) -> io::Result<Self> {
        let folder = data_dir.join("recorder");
        let shared = Arc::new(Shared {
            options: Mutex::new(Arc::new(options.clone())),
            waiting_bytes: AtomicUsize::new(0),
            lost: AtomicU64::new(0),
        });
        let work = writer::Writer::new(folder.clone(), shared.clone(), log);
        let recorder = Recorder {
            enable: AtomicBool::new(false),
            bodies: AtomicBool::new(false),
            sample_every: AtomicU64::new(0),
            aside: Aside::start("recorder", QUEUE_DRAFTS, PERIOD, work)?,
            shared,
            folder,
        };
        recorder.set(options);
        Ok(recorder)
    }

    /// Records otherwise from now on. Switched off, what is there is kept until it is too old.
    pub fn set(&self, options: RecorderOptions) {
        self.enable.store(options.enable, Relaxed);
        self.bodies.store(options.enable && options.bodies, Relaxed);
        self.sample_every.store(options.sample_every, Relaxed);
        *self.shared.options.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
    }

    /// Records that were found, the newest first. Reads files: to be called aside. What was handed over just before
    /// may be missing; [`flush`](Self::flush) waits for it.
    pub fn query(&self, query: &RecordQuery) -> Found {
        segments::query(&self.folder, query, &self.shared.options())
    }

    /// Records lost since the start, because they came faster than they were written or could not be written.
    pub fn dropped(&self) -> u64 {
        self.aside.dropped() + self.shared.lost.load(Relaxed)
    }

    /// Waits until every draft handed over so far has been written, at most `patience`; says whether it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.aside.flush(patience)
    }
}

impl Shared {
    fn options(&self) -> Arc<RecorderOptions> {
        self.options.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A worker's hand in the recorder.
#[derive(Debug)]
pub struct RecorderTap {
    recorder: Arc<Recorder>,
    passed: Cell<u64>,
}

impl RecorderTap {
    /// A tap of `recorder`. Each counts the requests that passed for itself.
    pub fn new(recorder: Arc<Recorder>) -> Self {
        RecorderTap { recorder, passed: Cell::new(0) }
    }

    /// Whether this request is to be recorded; counts it. To be asked once for each request, at its end. Where too
    /// much waits to be written it says no, and the request is counted as dropped.
    pub fn wants(&self, stopped: bool) -> bool {
        if !self.recorder.enable.load(Relaxed) {
            return false;
        }
        if !stopped {
            let every = self.recorder.sample_every.load(Relaxed);
            let passed = self.passed.get() + 1;
            self.passed.set(passed);
            if every == 0 || !passed.is_multiple_of(every) {
                return false;
            }
        }
        let has_room = self.recorder.shared.waiting_bytes.load(Relaxed) < WAITING_BYTES_MAX;
        if !has_room {
            self.recorder.shared.lost.fetch_add(1, Relaxed);
        }
        has_room
    }

    /// Whether a draft is to have its body, where that was read and is at most [`BODY_BYTES_READ_MAX`] long.
    pub fn wants_bodies(&self) -> bool {
        self.recorder.bodies.load(Relaxed)
    }

    /// Hands over a draft; it is dropped and counted where too many wait. Never waits.
    pub fn hand_over(&self, draft: Draft) {
        let shared = &self.recorder.shared;
        let weight = draft.weight();
        // Before the thread can have it, which takes its weight off again.
        shared.waiting_bytes.fetch_add(weight, Relaxed);
        if !self.recorder.aside.hand_over(draft, 1) {
            shared.waiting_bytes.fetch_sub(weight, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
