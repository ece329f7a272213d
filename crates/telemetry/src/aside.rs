//! A thread that takes what others hand it through a bounded queue. Nobody waits for it: what does not fit is dropped
//! and counted.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TryRecvError, TrySendError};
use std::thread;
use std::time::{Duration, Instant};

/// How often an order is offered to a queue that is full.
const RETRY: Duration = Duration::from_millis(1);

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
    dropped: AtomicU64,
}

enum Message<T> {
    Item(T),
    /// To be answered once everything before it is done.
    Flush(SyncSender<()>),
}

impl<T: Send + 'static> Aside<T> {
    /// Starts the thread, which settles each time nothing waits, and each `period` besides.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(name: &str, capacity: usize, period: Duration, work: impl Work<T>) -> io::Result<Self> {
        let (queue, received) = mpsc::sync_channel(capacity);
        thread::Builder::new().name(name.into()).spawn(move || run(&received, period, work))?;
        Ok(Aside { queue, dropped: AtomicU64::new(0) })
    }

    /// Hands over `item`, which counts `weight` where it is dropped; says whether it was taken. Never waits.
    pub fn hand_over(&self, item: T, weight: u64) -> bool {
        let taken = self.queue.try_send(Message::Item(item)).is_ok();
        if !taken {
            self.dropped.fetch_add(weight, Relaxed);
        }
        taken
    }

    /// Waits until everything handed over so far is done, at most `patience`; says whether it is.
    pub fn flush(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let (tell, told) = mpsc::sync_channel(1);
        let mut order = Message::Flush(tell);
        loop {
            match self.queue.try_send(order) {
                Ok(()) => return told.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok(),
                Err(TrySendError::Disconnected(_)) => return false,
                Err(TrySendError::Full(_)) if Instant::now() >= until => return false,
                Err(TrySendError::Full(back)) => order = back,
            }
            thread::sleep(RETRY);
        }
    }

    /// The weight of what was dropped since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Relaxed)
    }
}

fn run<T>(received: &Receiver<Message<T>>, period: Duration, mut work: impl Work<T>) {
    let mut settled = Instant::now();
    loop {
        let message = match received.try_recv() {
            Err(TryRecvError::Empty) => {
                work.settle();
                settled = Instant::now();
                received.recv_timeout(period)
            }
            message => message.map_err(|_| RecvTimeoutError::Disconnected),
        };
        match message {
            Ok(Message::Item(item)) => work.take(item),
            Ok(Message::Flush(tell)) => {
                work.settle();
                // Whoever asked may have lost patience.
                let _ = tell.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return work.settle(),
        }
        if settled.elapsed() >= period {
            work.settle();
            settled = Instant::now();
        }
    }
}
