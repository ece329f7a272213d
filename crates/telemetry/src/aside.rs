//! A thread that takes what others hand it through a bounded queue. Nobody waits for it: what does not fit is dropped
//! and counted.

use std::io;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// What the thread does.
pub(crate) trait Work<T>: Send + 'static {
    /// Takes one.
    fn take(&mut self, item: T);
    /// Nothing waits any more, or the period has passed: finishes what was begun.
    fn settle(&mut self);
}

/// The thread's queue. The thread ends once this is dropped and the queue is empty.
#[derive(Debug)]
pub(crate) struct Aside<T> {
    queue: SyncSender<Message<T>>,
    handed_over: AtomicU64,
    dropped: AtomicU64,
    done: Arc<Done>,
}

enum Message<T> {
    Item(T),
    /// Somebody waits until everything before it is done.
    Settle,
}

/// How many items are done.
#[derive(Debug, Default)]
struct Done {
    count: Mutex<u64>,
    grown: Condvar,
}

impl<T: Send + 'static> Aside<T> {
    /// Starts the thread, which settles each time nothing waits, and each `period` besides.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(name: &str, capacity: usize, period: Duration, work: impl Work<T>) -> io::Result<Self> {
        let (queue, received) = mpsc::sync_channel(capacity);
        let done = Arc::<Done>::default();
        let tell = done.clone();
        thread::Builder::new().name(name.into()).spawn(move || run(&received, period, work, &tell))?;
        Ok(Aside { queue, handed_over: AtomicU64::new(0), dropped: AtomicU64::new(0), done })
    }

    /// Hands over `item`, which counts `weight` where it is dropped; says whether it was taken. Never waits.
    pub fn hand_over(&self, item: T, weight: u64) -> bool {
        let taken = self.queue.try_send(Message::Item(item)).is_ok();
        match taken {
            true => self.handed_over.fetch_add(1, SeqCst),
            false => self.dropped.fetch_add(weight, Relaxed),
        };
        taken
    }

    /// Waits until everything handed over so far is done, at most `patience`; says whether it is.
    pub fn flush(&self, patience: Duration) -> bool {
        let asked = self.handed_over.load(SeqCst);
        // Where the queue is full the thread is awake, and settles in its period.
        let _ = self.queue.try_send(Message::Settle);
        let count = self.done.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.done.grown.wait_timeout_while(count, patience, |count| *count < asked);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count >= asked
    }

    /// The weight of what was dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

fn run<T: 'static>(received: &Receiver<Message<T>>, period: Duration, mut work: impl Work<T>, done: &Done) {
    let (mut taken, mut settled) = (0, Instant::now());
    let settle = |taken: u64, work: &mut dyn Work<T>| {
        work.settle();
        *done.count.lock().unwrap_or_else(PoisonError::into_inner) = taken;
        done.grown.notify_all();
        Instant::now()
    };
    loop {
        let message = match received.try_recv() {
            Err(TryRecvError::Empty) => {
                settled = settle(taken, &mut work);
                received.recv_timeout(period)
            }
            message => message.map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(Message::Item(item)) => {
                work.take(item);
                taken += 1;
            }
            Ok(Message::Settle) => settled = settle(taken, &mut work),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                settle(taken, &mut work);
                return;
            }
        }
        // Also where something always waits.
        if settled.elapsed() >= period {
            settled = settle(taken, &mut work);
        }
    }
}
