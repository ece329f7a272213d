//! The open connections of each client, exact: each is counted at accept and given back when its guard is dropped.
//!
//! Only clients with an open connection are held, so the number of connections bounds the memory. A shard has a lock of
//! its own, taken at accept and at close alone.

use crate::rate::client_id;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shards: more than threads that accept.
const SHARDS: usize = 64;

/// The open connections of each client. A client is an IPv4 address or an IPv6 /64.
pub struct Connections {
    shards: Box<[Mutex<HashMap<u64, usize>>]>,
    hasher: RandomState,
}

/// One open connection, counted until it is dropped.
pub struct CountedConnection {
    of: Arc<Connections>,
    client: u64,
}

/// A client has as many connections open as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// How many are open.
    pub open: usize,
}

impl Connections {
    /// Nobody is connected.
    pub fn new() -> Arc<Self> {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Arc::new(Self { shards, hasher: RandomState::new() })
    }

    /// Counts a connection of `client`, which may have `limit` of them; 0: any number.
    ///
    /// # Errors
    /// [`TooMany`] where it has that many already; nothing is counted.
    pub fn open(self: &Arc<Self>, client: IpAddr, limit: usize) -> Result<CountedConnection, TooMany> {
        let client = client_id(client);
        let mut shard = self.shard(client);
        let open = shard.entry(client).or_default();
        if limit != 0 && *open >= limit {
            return Err(TooMany { open: *open });
        }
        *open += 1;
        Ok(CountedConnection { of: self.clone(), client })
    }

    /// How many connections `client` has open.
    pub fn count(&self, client: IpAddr) -> usize {
        let client = client_id(client);
        self.shard(client).get(&client).copied().unwrap_or_default()
    }

    /// The clients that have a connection open.
    pub fn clients(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).len()).sum()
    }

    fn shard(&self, client: u64) -> MutexGuard<'_, HashMap<u64, usize>> {
        // A keyed hash: nobody can choose addresses that meet in one shard.
        let number = self.hasher.hash_one(client) as usize % SHARDS;
        lock(&self.shards[number])
    }
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        let mut shard = self.of.shard(self.client);
        if let Entry::Occupied(mut open) = shard.entry(self.client) {
            *open.get_mut() = open.get().saturating_sub(1);
            if *open.get() == 0 {
                open.remove();
            }
        }
    }
}

/// A panic elsewhere leaves the counts whole: each change is one assignment.
fn lock(shard: &Mutex<HashMap<u64, usize>>) -> MutexGuard<'_, HashMap<u64, usize>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_client_has_as_many_as_it_may_and_gets_back_what_it_closes() {
        let connections = Connections::new();
        let client = ip("192.0.2.1");
        let first = connections.open(client, 2).unwrap();
        let _second = connections.open(client, 2).unwrap();
        assert_eq!(connections.open(client, 2).err(), Some(TooMany { open: 2 }));
        assert!(connections.open(ip("192.0.2.2"), 2).is_ok(), "another client has its own");
        drop(first);
        assert_eq!(connections.count(client), 1);
        assert!(connections.open(client, 2).is_ok());
    }

    #[test]
    fn an_ipv6_client_is_its_64() {
        let connections = Connections::new();
        let _open = connections.open(ip("2001:db8:0:1::1"), 1).unwrap();
        assert!(connections.open(ip("2001:db8:0:1:ffff::2"), 1).is_err());
        assert!(connections.open(ip("2001:db8:0:2::1"), 1).is_ok());
    }

    #[test]
    fn without_a_limit_all_are_let_in_and_counted_all_the_same() {
        let connections = Connections::new();
        let client = ip("192.0.2.1");
        let open: Vec<_> = (0..100).map(|_| connections.open(client, 0).unwrap()).collect();
        assert_eq!((connections.count(client), connections.clients()), (100, 1));
        assert!(connections.open(client, 100).is_err(), "a limit counts those before it");
        drop(open);
        assert_eq!((connections.count(client), connections.clients()), (0, 0));
    }

    #[test]
    fn a_panic_gives_its_connection_back() {
        let connections = Connections::new();
        let of_thread = connections.clone();
        let panicked = thread::spawn(move || {
            let _open = of_thread.open(ip("192.0.2.1"), 1).unwrap();
            panic!("a fault");
        });
        assert!(panicked.join().is_err());
        assert_eq!((connections.count(ip("192.0.2.1")), connections.clients()), (0, 0));
    }

    #[test]
    fn threads_together_never_hold_more_than_the_limit() {
        let connections = Connections::new();
        let client = ip("192.0.2.1");
        let (start, end) = (Barrier::new(4), Barrier::new(4));
        let opened: usize = thread::scope(|scope| {
            let open = || {
                start.wait();
                let held: Vec<_> = (0..100).filter_map(|_| connections.open(client, 50).ok()).collect();
                end.wait();
                held.len()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((opened, connections.count(client)), (50, 0));
    }
}
