//! From memory to the disk: what has been decided waits in a queue, and one thread writes all that waits, synced once. Nobody holds
//! a lock across a write but that of the journal itself, so that a disk that hangs keeps nothing from coming into force.

use crate::journal::format::{self, Record};
use crate::journal::{Draft, Journal};
use std::io;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a change waits for the disk before it is answered without it.
const PATIENCE: Duration = Duration::from_secs(5);
/// What may wait for a disk that does not take it, in bytes, and what may come while the journal is written anew: beyond that it
/// is to be written anew from memory, which has it all.
const WAITING_BYTES_MAX: usize = 64 << 20;

/// Records as they are written.
#[derive(Debug, Default)]
pub struct Batch {
    pub bytes: Vec<u8>,
    pub count: usize,
}

impl Batch {
    pub fn of<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Self {
        let mut batch = Batch::default();
        records.into_iter().for_each(|record| batch.push(&record));
        batch
    }

    pub fn push(&mut self, record: &Record<'_>) {
        format::encode(record, &mut self.bytes);
        self.count += 1;
    }

    fn append(&mut self, other: &Batch) {
        self.bytes.extend_from_slice(&other.bytes);
        self.count += other.count;
    }
}

/// A change in the queue: how many changes came before it, and itself.
pub type Ticket = u64;

/// The journal and what waits for it.
#[derive(Debug)]
pub struct Store {
    /// Held while the disk is waited for.
    journal: Mutex<Journal>,
    /// Never held across a wait.
    queue: Mutex<Queue>,
    /// There is something to write.
    work: Condvar,
    /// Something has been written, or failed to be.
    settled: Condvar,
    pub(super) patience: Duration,
}

#[derive(Debug, Default)]
struct Queue {
    /// What is on no disk and not being written.
    waiting: Batch,
    /// The last change that came, that is on the disk, and that was last tried in vain.
    queued: Ticket,
    written: Ticket,
    failed: Ticket,
    /// Why the last attempt failed, until one works.
    failure: Option<String>,
    /// Whether somebody went away without an answer from the disk.
    is_overdue: bool,
    /// Whether more came than can wait: only a new file has it all.
    is_overflowing: bool,
    /// What came since a new file was begun; `None`: there is none, or it was too much.
    meanwhile: Option<Batch>,
    thread: Option<JoinHandle<()>>,
    is_stopping: bool,
    has_stopped: bool,
}

impl Queue {
    fn push(&mut self, batch: &Batch) -> Ticket {
        if self.waiting.bytes.len() > WAITING_BYTES_MAX {
            self.is_overflowing = true;
            self.waiting = Batch::default();
        }
        if !self.is_overflowing {
            self.waiting.append(batch);
        }
        self.meanwhile = self.meanwhile.take().filter(|held| held.bytes.len() <= WAITING_BYTES_MAX);
        if let Some(meanwhile) = &mut self.meanwhile {
            meanwhile.append(batch);
        }
        self.queued += 1;
        self.queued
    }

    /// What was taken out goes back to its place.
    fn put_back(&mut self, mut taken: Batch) {
        if !self.is_overflowing {
            taken.append(&self.waiting);
            self.waiting = taken;
        }
    }

    fn succeed(&mut self, last: Ticket) {
        self.written = last;
        self.failure = None;
        self.is_overdue &= self.written != self.queued;
    }

    fn has_work(&self) -> bool {
        self.queued > self.written.max(self.failed)
    }
}

impl Store {
    pub fn new(journal: Journal) -> Self {
        let failure = journal.is_stale().then(|| "the journal has not been written yet".to_owned());
        Store {
            journal: Mutex::new(journal),
            queue: Mutex::new(Queue { failure, ..Queue::default() }),
            work: Condvar::new(),
            settled: Condvar::new(),
            patience: PATIENCE,
        }
    }

    /// Puts a change in the queue: in the order in which changes come into force.
    pub fn enqueue(self: &Arc<Self>, records: &Batch) -> Ticket {
        let mut queue = self.queue();
        let ticket = queue.push(records);
        if queue.thread.is_none() {
            // With the first change, and thus within the bounds that the program has set itself by then.
            let store = self.clone();
            let thread = thread::Builder::new().name("journal".into()).spawn(move || store.keep_writing());
            queue.thread = thread.ok();
        }
        self.work.notify_one();
        ticket
    }

    /// Waits until a change is on the disk, and says why where it is not.
    pub fn wait(&self, ticket: Ticket) -> Option<String> {
        let mut queue = self.queue();
        if queue.thread.is_none() {
            // There is no other thread to be had. What comes of it is in the queue.
            drop(queue);
            let _ = self.write();
            queue = self.queue();
        }
        let is_open = |queue: &mut Queue| queue.written.max(queue.failed) < ticket;
        let waited = self.settled.wait_timeout_while(queue, self.patience, is_open);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.written >= ticket {
            return None;
        }
        let failure = queue.failure.clone().filter(|_| queue.failed >= ticket);
        queue.is_overdue |= failure.is_none();
        Some(failure.unwrap_or_else(|| "the disk has not answered yet".to_owned()))
    }

    /// Whether nothing that has been answered is missing on the disk.
    pub fn is_durable(&self) -> bool {
        let queue = self.queue();
        queue.failure.is_none() && !queue.is_overdue
    }

    /// Whether the last attempt to write failed.
    pub fn has_failed(&self) -> bool {
        self.queue().failure.is_some()
    }

    /// Writes all that waits, synced once.
    pub fn write(&self) -> io::Result<()> {
        let mut journal = self.journal();
        let (group, last, is_whole) = {
            let mut queue = self.queue();
            (mem::take(&mut queue.waiting), queue.queued, !queue.is_overflowing)
        };
        let outcome = match is_whole {
            true => journal.append(&group.bytes, group.count),
            false => Err(too_much()),
        };
        let mut queue = self.queue();
        match &outcome {
            Ok(()) => queue.succeed(last),
            Err(error) => {
                queue.put_back(group);
                queue.failed = last;
                queue.failure = Some(error.to_string());
            }
        }
        self.settled.notify_all();
        outcome
    }

    /// Begins a new file. [`collect`](Self::collect) comes next.
    pub fn begin(&self) -> io::Result<Draft> {
        self.journal().begin()
    }

    /// From now on what comes is kept for the new file too.
    pub fn collect(&self) {
        self.queue().meanwhile = Some(Batch::default());
    }

    /// What came since, and since this was last asked.
    pub fn meanwhile(&self) -> io::Result<Batch> {
        self.queue().meanwhile.as_mut().map(mem::take).ok_or_else(too_much)
    }

    /// Puts the new file in place of the old one, with what came meanwhile. What waits is in it, and thus on the disk.
    pub fn adopt(&self, draft: io::Result<Draft>) -> io::Result<()> {
        let mut journal = self.journal();
        let (meanwhile, waiting, last, was_overflowing) = {
            let mut queue = self.queue();
            let waiting = mem::take(&mut queue.waiting);
            (queue.meanwhile.take(), waiting, queue.queued, mem::take(&mut queue.is_overflowing))
        };
        let outcome = draft.and_then(|draft| {
            let meanwhile = meanwhile.ok_or_else(too_much)?;
            journal.adopt(draft, &meanwhile.bytes, meanwhile.count)
        });
        if outcome.is_err() {
            journal.abandon();
        }
        let mut queue = self.queue();
        match &outcome {
            Ok(()) => queue.succeed(last),
            Err(error) => {
                queue.is_overflowing = was_overflowing;
                queue.put_back(waiting);
                if journal.is_stale() {
                    queue.failure = Some(error.to_string());
                }
            }
        }
        self.settled.notify_all();
        outcome
    }

    /// Whether the file is to be written anew, where `held` decisions are in force.
    pub fn is_to_be_rewritten(&self, held: usize) -> bool {
        self.journal().is_to_be_rewritten(held)
    }

    /// Has the thread write what waits, and end. It is left behind where the disk does not answer.
    pub fn stop(&self) {
        let mut queue = self.queue();
        let Some(thread) = queue.thread.take() else { return };
        queue.is_stopping = true;
        self.work.notify_one();
        let waited = self.settled.wait_timeout_while(queue, self.patience, |queue| !queue.has_stopped);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if queue.has_stopped {
            drop(queue);
            // A panic in it has been told.
            let _ = thread.join();
        }
    }

    fn keep_writing(&self) {
        loop {
            let idle = |queue: &mut Queue| !queue.has_work() && !queue.is_stopping;
            let mut queue = self.work.wait_while(self.queue(), idle).unwrap_or_else(PoisonError::into_inner);
            if !queue.has_work() {
                queue.has_stopped = true;
                break;
            }
            drop(queue);
            // Those who wait are told by the queue.
            let _ = self.write();
        }
        self.settled.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_much() -> io::Error {
    io::Error::other("more has been decided than can wait for the disk; the journal is written anew")
}
