//! The access log: a line for each request, in a file of its own.
//!
//! A worker formats its lines into a block that it reuses and hands over full blocks; one thread writes them. A block
//! that finds the queue full is dropped and its lines are counted. The log is switched on and off, and its file
//! changed, while it runs.

mod format;
mod writer;

use crate::aside::Aside;
use crossbeam_queue::ArrayQueue;
use secbeat_types::Timestamp;
use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A block is handed over from this size on, in bytes; a line more may be in it.
const BLOCK_BYTES: usize = 32 << 10;
/// The most blocks that wait to be written: 2 MiB.
const QUEUE_BLOCKS: usize = 64;
/// The longest sleep of the thread.
const PERIOD: Duration = Duration::from_secs(1);

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessFormat {
    /// A JSON object a line.
    Json,
    /// The combined format of Apache and nginx, with the request id behind it, quoted.
    Combined,
}

/// How the access log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessOptions {
    /// How lines are written.
    pub format: AccessFormat,
    /// Where they go; the file and its folder are made if they are not there.
    pub file: PathBuf,
    /// Whether addresses are cut to their network: [`anonymized`](crate::anonymize::anonymized).
    pub anonymize: bool,
}

/// What a line says of a request. Bytes are as the client sent them; what it did not send is empty.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// When its first byte was in hand.
    pub at: Timestamp,
    /// The client, behind trusted proxies.
    pub client_ip: IpAddr,
    /// Its id, as in the answer's `x-request-id`.
    pub request_id: &'a str,
    /// Its method.
    pub method: &'a [u8],
    /// Its host.
    pub host: &'a [u8],
    /// Its target.
    pub target: &'a [u8],
    /// `HTTP/1.1`, …
    pub protocol: &'a str,
    /// The status that the client was sent.
    pub status: u16,
    /// Bytes that came from the client for it.
    pub bytes_in: u64,
    /// Bytes that went to the client for it,
    pub bytes_out: u64,
    /// and those among them that are the answer's body: the number in the combined format.
    pub body_bytes_out: u64,
    /// From its first byte to the answer's last.
    pub duration: Duration,
    /// The backend's part of that, where it was asked.
    pub upstream: Option<Duration>,
    /// Its `User-Agent`.
    pub user_agent: &'a [u8],
    /// Its `Referer`.
    pub referer: &'a [u8],
    /// The name of its site; empty where it is of none.
    pub site: &'a str,
    /// What was done with it: `passed`, `stopped`, …
    pub action: &'a str,
}

/// The access log of a process.
#[derive(Debug)]
pub struct AccessLog {
    /// 0: off. Else [`ON`] with the bits of format and addresses.
    state: AtomicU8,
    aside: Aside<Block>,
    shared: Arc<Shared>,
    options: Mutex<Option<AccessOptions>>,
}

const ON: u8 = 1;
const COMBINED: u8 = 1 << 1;
const ANONYMIZE: u8 = 1 << 2;

/// What lines may go to, open; or nothing.
#[derive(Debug)]
pub struct OpenAccess {
    file: Option<File>,
    options: Option<AccessOptions>,
}

/// Lines that are written together.
#[derive(Debug, Default)]
struct Block {
    text: String,
    lines: u64,
}

/// What the thread shares with the rest.
#[derive(Debug)]
struct Shared {
    /// What lines go to from the next block on: a file, or nothing.
    next: Mutex<Option<Option<File>>>,
    /// Empty blocks, to be filled again.
    spare: ArrayQueue<Block>,
    lost: AtomicU64,
}

impl AccessLog {
    /// Starts the thread that writes, and opens the file where there are `options`; without them the log is off.
    ///
    /// # Errors
    /// The file cannot be opened or the thread not be started.
    pub fn start(options: Option<AccessOptions>) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            next: Mutex::new(None),
            spare: ArrayQueue::new(QUEUE_BLOCKS),
            lost: AtomicU64::new(0),
        });
        let aside = Aside::start("access-log", QUEUE_BLOCKS, PERIOD, writer::Writer::new(shared.clone()))?;
        let log = AccessLog { state: AtomicU8::new(0), aside, shared, options: Mutex::new(None) };
        log.move_to(Self::open(options)?);
        Ok(log)
    }

    /// Opens the file of `options`, for lines to [go to](Self::move_to); without them there is none.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(options: Option<AccessOptions>) -> io::Result<OpenAccess> {
        let file = match &options {
            Some(options) => Some(crate::log::open_to_append(&options.file, "[access_log] file")?),
            None => None,
        };
        Ok(OpenAccess { file, options })
    }

    /// Switches the log on, off or over, also to the same file opened anew after log rotation.
    pub fn move_to(&self, opened: OpenAccess) {
        let OpenAccess { file, options } = opened;
        *self.shared.next() = Some(file);
        let state = options.as_ref().map_or(0, |options| {
            let combined = if options.format == AccessFormat::Combined { COMBINED } else { 0 };
            let anonymize = if options.anonymize { ANONYMIZE } else { 0 };
            ON | combined | anonymize
        });
        self.state.store(state, Relaxed);
        *self.options.lock().unwrap_or_else(PoisonError::into_inner) = options;
    }

    /// Opens the file of this name anew, after it was renamed by log rotation.
    ///
    /// # Errors
    /// It cannot be opened; lines go on to the old one.
    pub fn reopen(&self) -> io::Result<()> {
        let options = self.options.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.move_to(Self::open(options)?);
        Ok(())
    }

    /// Whether lines are wanted: to be asked before working out what only a line needs.
    pub fn is_on(&self) -> bool {
        self.state.load(Relaxed) != 0
    }

    /// Lines lost since the start, because they came faster than they were written or could not be written.
    pub fn dropped(&self) -> u64 {
        self.aside.dropped() + self.shared.lost.load(Relaxed)
    }

    /// Waits until every block handed over so far has been written, at most `patience`; says whether it was.
    pub fn flush(&self, patience: Duration) -> bool {
        self.aside.flush(patience)
    }
}

impl Shared {
    /// A panic elsewhere leaves it whole: each change is one assignment.
    fn next(&self) -> MutexGuard<'_, Option<Option<File>>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's hand in the access log. Dropped, it hands over what it holds.
#[derive(Debug)]
pub struct AccessBuffer {
    log: Arc<AccessLog>,
    block: RefCell<Block>,
}

impl AccessBuffer {
    /// An empty buffer of `log`.
    pub fn new(log: Arc<AccessLog>) -> Self {
        AccessBuffer { log, block: RefCell::default() }
    }

    /// Whether lines are wanted: to be asked before working out what only a line needs.
    pub fn is_on(&self) -> bool {
        self.log.is_on()
    }

    /// Writes a request's line into the buffer, which is handed over once it is full.
    pub fn write(&self, access: &Access<'_>) {
        let state = self.log.state.load(Relaxed);
        if state == 0 {
            return;
        }
        let mut block = self.block.borrow_mut();
        let anonymize = state & ANONYMIZE != 0;
        match state & COMBINED {
            0 => format::json(&mut block.text, access, anonymize),
            _ => format::combined(&mut block.text, access, anonymize),
        }
        block.lines += 1;
        if block.text.len() >= BLOCK_BYTES {
            self.hand_over(&mut block);
        }
    }

    /// Hands over what there is. To be called a few times a second, so that lines of quiet times are seen soon.
    pub fn flush(&self) {
        let mut block = self.block.borrow_mut();
        if block.lines > 0 {
            self.hand_over(&mut block);
        }
    }

    fn hand_over(&self, block: &mut Block) {
        let full = std::mem::replace(block, self.log.shared.spare.pop().unwrap_or_default());
        let lines = full.lines;
        self.log.aside.hand_over(full, lines);
    }
}

impl Drop for AccessBuffer {
    fn drop(&mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests;
