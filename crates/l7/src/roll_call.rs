//! Who is connected: the control side asks, each worker answers for its own connections at its next tick. The connections
//! stay in their threads: no request pays for being visible.
//!
//! A worker answers one question a tick and picks at most [`SEEN_MAX`] connections, so that questions hold nobody up.

use crate::worker::Worker;
use crossbeam_queue::ArrayQueue;
use ipnet::IpNet;
use secbeat_edge::Registry;
use secbeat_edge::registry::{Slot, State};
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

/// The most connections that one worker shows.
pub const SEEN_MAX: usize = 1000;
/// Questions that wait for one worker.
const QUESTIONS_MAX: usize = 8;
/// How long the control side waits for the workers.
const PATIENCE: Duration = Duration::from_secs(2);

/// What all workers are asked through.
pub struct RollCall {
    questions: Vec<ArrayQueue<Question>>,
}

struct Question {
    of: Option<IpNet>,
    limit: usize,
    answer: oneshot::Sender<Roll>,
}

/// The connections that were asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Roll {
    /// The longest-lived of them, in this order.
    pub seen: Vec<Seen>,
    /// All of them.
    pub total: usize,
    /// Workers that did not answer in time: their connections are neither shown nor counted.
    pub silent: Vec<usize>,
}

/// What is shown of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its number, as in `conn_7`.
    pub number: u64,
    /// Where it comes from.
    pub peer: SocketAddr,
    /// For whom the request under way is, once its head was read.
    pub client: Option<IpAddr>,
    /// How long it has been open, in milliseconds, to a tick.
    pub age_ms: u64,
    /// What it is at.
    pub state: State,
    /// Whether it is encrypted.
    pub is_tls: bool,
    /// Requests whose head was read.
    pub requests: u64,
    /// The worker it lives on.
    pub worker: usize,
}

impl RollCall {
    /// For this many workers.
    pub fn new(workers: usize) -> Self {
        Self { questions: (0..workers).map(|_| ArrayQueue::new(QUESTIONS_MAX)).collect() }
    }

    /// Asks all workers for their connections, of one prefix or of all, and waits 2 s at most. `limit` is how many are shown,
    /// at most [`SEEN_MAX`]. A connection is of a prefix where its peer is in it, or the client of its request behind a proxy.
    pub async fn ask(&self, of: Option<IpNet>, limit: usize) -> Roll {
        let limit = limit.min(SEEN_MAX);
        let asked: Vec<_> = self
            .questions
            .iter()
            .map(|questions| {
                let (answer, answered) = oneshot::channel();
                // Where too many wait already, the sender is dropped: this worker counts as silent.
                questions.push(Question { of, limit, answer }).is_ok().then_some(answered)
            })
            .collect();
        let end = Instant::now() + PATIENCE;
        let mut roll = Roll::default();
        for (worker, answered) in asked.into_iter().enumerate() {
            let answered = match answered {
                Some(answered) => timeout_at(end, answered).await.ok().and_then(Result::ok),
                None => None,
            };
            match answered {
                Some(of_worker) => {
                    roll.total += of_worker.total;
                    roll.seen.extend(of_worker.seen);
                }
                None => roll.silent.push(worker),
            }
        }
        roll.seen.sort_unstable_by_key(|seen| seen.number);
        roll.seen.truncate(limit);
        roll
    }

    /// Answers the next question that somebody still waits for, as worker number `index`. To be called at each tick.
    pub(crate) fn answer(&self, index: usize, registry: &Registry) {
        let Some(questions) = self.questions.get(index) else { return };
        while let Some(question) = questions.pop() {
            if !question.answer.is_closed() {
                let roll = roll(index, registry, question.of, question.limit);
                // Whoever asked may have gone meanwhile.
                let _ = question.answer.send(roll);
                return;
            }
        }
    }
}

impl Worker {
    /// Answers who asks for the worker's connections.
    pub(crate) fn answer_roll_call(&self) {
        self.shared.roll_call.answer(self.index, &self.registry);
    }
}

/// A slot, ordered by its number: the newest is the greatest.
struct ByNumber(Rc<Slot>);

impl PartialEq for ByNumber {
    fn eq(&self, other: &Self) -> bool {
        self.0.number == other.0.number
    }
}

impl Eq for ByNumber {}

impl PartialOrd for ByNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ByNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.number.cmp(&other.0.number)
    }
}

fn roll(worker: usize, registry: &Registry, of: Option<IpNet>, limit: usize) -> Roll {
    let mut oldest: BinaryHeap<ByNumber> = BinaryHeap::new();
    let mut total = 0;
    registry.for_each(|slot| {
        let is_of = |address: IpAddr| of.is_none_or(|of| of.contains(&address));
        if !is_of(slot.peer.ip()) && !slot.client().is_some_and(is_of) {
            return;
        }
        total += 1;
        if oldest.len() < limit {
            oldest.push(ByNumber(slot.clone()));
        } else if let Some(mut newest) = oldest.peek_mut()
            && slot.number < newest.0.number
        {
            *newest = ByNumber(slot.clone());
        }
    });
    let now_ms = registry.now_ms();
    let seen = oldest.into_iter().map(|ByNumber(slot)| Seen {
        number: slot.number,
        peer: slot.peer,
        client: slot.client(),
        age_ms: now_ms.saturating_sub(slot.since_ms),
        state: slot.state(),
        is_tls: slot.is_tls,
        requests: slot.requests(),
        worker,
    });
    Roll { seen: seen.collect(), total, silent: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(future)
    }

    fn numbers(roll: &Roll) -> Vec<u64> {
        roll.seen.iter().map(|seen| seen.number).collect()
    }

    #[test]
    fn the_longest_lived_of_all_workers_are_shown_and_all_are_counted() {
        let workers = [Rc::new(Registry::new(Instant::now())), Rc::new(Registry::new(Instant::now()))];
        let open: Vec<_> = (1..=9_u64)
            .map(|number| {
                // The later come first in the slab where the earlier have gone: order is by number.
                let worker = &workers[usize::from(number % 2 == 0)];
                worker.enter(10 - number, "192.0.2.7:4711".parse().unwrap(), false)
            })
            .collect();
        let call = RollCall::new(2);
        let roll = run(async {
            let answered = async {
                tokio::task::yield_now().await;
                workers.iter().enumerate().for_each(|(index, worker)| call.answer(index, worker));
            };
            tokio::join!(call.ask(None, 3), answered).0
        });
        assert_eq!((numbers(&roll), roll.total, roll.silent), (vec![1, 2, 3], 9, vec![]));
        drop(open);
    }

    #[test]
    fn a_connection_is_of_its_peer_and_of_the_client_behind_it() {
        let registry = Rc::new(Registry::new(Instant::now()));
        let proxied = registry.enter(1, "10.0.0.1:1".parse().unwrap(), false);
        let _other = registry.enter(2, "10.0.0.2:1".parse().unwrap(), false);
        let client = Some("2001:db8::7".parse().unwrap());
        proxied.set_client(client);
        for (of, expected) in [("10.0.0.1/32", vec![1]), ("2001:db8::/64", vec![1]), ("10.0.0.3/32", vec![])]
        {
            let roll = roll(0, &registry, Some(of.parse().unwrap()), 10);
            assert_eq!(numbers(&roll), expected, "{of}");
        }
        proxied.set_client(None);
        assert_eq!(roll(0, &registry, Some("2001:db8::/64".parse().unwrap()), 10).total, 0);
    }

    #[test]
    fn a_worker_that_does_not_answer_is_named() {
        let call = RollCall::new(2);
        let registry = Registry::new(Instant::now());
        let roll = run(async {
            let answered = async {
                tokio::task::yield_now().await;
                call.answer(1, &registry);
            };
            tokio::join!(call.ask(None, 3), answered).0
        });
        assert_eq!(roll.silent, [0]);
    }
}
