//! The thread that masks drafts and writes them.

use super::segments::Segments;
use super::{Draft, RecorderOptions, Shared};
use crate::aside::Work;
use crate::log::Logger;
use crate::plain::plain_json;
use secbeat_types::Timestamp;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

/// Lines are gathered to about this many bytes before they are written.
const BATCH_BYTES: usize = 64 << 10;
/// How often it is said that the disk refuses records.
const COMPLAINT_PERIOD: Duration = Duration::from_secs(60);
/// How nice the thread is to the others (`setpriority(2)`): requests come before the memory of them.
const NICENESS: i32 = 10;

pub(super) struct Writer {
    segments: Segments,
    shared: Arc<Shared>,
    log: Logger,
    options: Arc<RecorderOptions>,
    batch: String,
    records: u64,
    complained: Option<Instant>,
    is_nice: bool,
}

impl Writer {
    pub fn new(folder: PathBuf, shared: Arc<Shared>, log: Logger) -> Self {
        let options = shared.options();
        Writer {
            segments: Segments::of(folder),
            shared,
            log,
            options,
            batch: String::new(),
            records: 0,
            complained: None,
            is_nice: false,
        }
    }

    fn write(&mut self) {
        if self.records == 0 {
            return;
        }
        let written = self.segments.append(&self.batch, Timestamp::now(), &self.options);
        if written.is_err() {
            self.shared.lost.fetch_add(self.records, Relaxed);
        }
        self.complain(written);
        self.batch.clear();
        self.records = 0;
    }

    /// Says what the disk refuses, once in a while.
    fn complain(&mut self, outcome: std::io::Result<()>) {
        let Err(error) = outcome else { return };
        if self.complained.is_none_or(|last| last.elapsed() >= COMPLAINT_PERIOD) {
            self.complained = Some(Instant::now());
            self.log
                .error("mitigation-node", "records_not_written")
                .display("reason", error)
                .str("remedy", "make room in server.data_dir, or set [recorder] enable = false")
                .send();
        }
    }
}

impl Work<Draft> for Writer {
    fn take(&mut self, draft: Draft) {
        if !self.is_nice {
            self.is_nice = true;
            // Only a courtesy. 0 is the calling thread, in Linux.
            let _ = rustix::process::setpriority_process(None, NICENESS);
        }
        let weight = draft.weight();
        // What is to be masked is masked from the moment on that this is asked for.
        self.options = self.shared.options();
        let record = self.options.mask.record(draft, &self.options);
        // A record is strings and numbers: it can always be written as JSON.
        if let Ok(line) = serde_json::to_string(&record) {
            self.batch.push_str(&plain_json(&line));
            self.batch.push('\n');
            self.records += 1;
        }
        self.shared.waiting_bytes.fetch_sub(weight, Relaxed);
        if self.batch.len() >= BATCH_BYTES {
            self.write();
        }
    }

    fn settle(&mut self) {
        self.write();
        self.options = self.shared.options();
        let expired = self.segments.expire(Timestamp::now(), &self.options);
        self.complain(expired);
    }
}
