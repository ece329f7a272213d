//! Clients that keep asking more often than a limit lets them, and how many of their requests passed.

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::asker::{Asker, Next};

/// A limit, and how often those who are watched ask at it.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// The host that it is for.
    pub host: &'static str,
    /// So many requests,
    pub requests: u32,
    /// in this time,
    pub per: Duration,
    /// and so many at once.
    pub burst: u32,
    /// Requests that each client makes, a second.
    pub asks: u32,
}

/// What became of one client.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Kept {
    /// Its requests.
    pub asked: u64,
    /// Those that passed.
    pub passed: u64,
    /// As many as should have: the burst, and what came back from its first to its last request.
    pub expected: f64,
}

/// The clients at one limit.
#[derive(Debug)]
pub struct Regulars {
    limit: Limit,
    /// The third number of their addresses.
    network: u8,
    begin: Instant,
    over: Arc<AtomicBool>,
    /// Requests made by all of them, who take turns.
    count: u32,
    clients: Vec<Client>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Client {
    asked: u64,
    passed: u64,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Limit {
    /// Writes a request of `client` to its host.
    pub fn write(&self, client: Ipv4Addr, request: &mut Vec<u8>) {
        let host = self.host;
        // Writing into memory cannot fail.
        let _ = write!(request, "GET /160 HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-For: {client}\r\n\r\n");
    }

    /// How many requests pass of one who has asked without a pause for `time`.
    fn expected(&self, time: Duration) -> f64 {
        f64::from(self.burst) + f64::from(self.requests) * time.as_secs_f64() / self.per.as_secs_f64()
    }
}

impl Kept {
    /// How far what passed is from what should have, as a share of it. A request cannot pass in part: less than one is none.
    pub fn error(&self) -> f64 {
        let off = (self.passed as f64 - self.expected).abs();
        if off < 1.0 { 0.0 } else { off / self.expected }
    }
}

impl Regulars {
    /// `clients` of them in 198.18.`network`.0/24, who ask until it is `over`.
    pub fn new(limit: Limit, network: u8, clients: usize, over: Arc<AtomicBool>) -> Self {
        let clients = vec![Client::default(); clients];
        Self { limit, network, begin: Instant::now(), over, count: 0, clients }
    }

    /// What became of each.
    pub fn kept(&self) -> Vec<Kept> {
        let kept = |client: &Client| {
            let time = client.first.zip(client.last).map_or(Duration::ZERO, |(first, last)| last - first);
            Kept {
                asked: client.asked,
                passed: client.passed,
                expected: self.limit.expected(time).min(client.asked as f64),
            }
        };
        self.clients.iter().map(kept).collect()
    }
}

impl Asker for Regulars {
    fn next(&mut self, now: Instant, request: &mut Vec<u8>) -> Next {
        if self.over.load(Relaxed) {
            return Next::Over;
        }
        let a_second = self.clients.len() as f64 * f64::from(self.limit.asks);
        let due = self.begin + Duration::from_secs_f64(f64::from(self.count) / a_second);
        if now < due {
            return Next::At(due);
        }
        let number = self.count as usize % self.clients.len();
        let Some(client) = self.clients.get_mut(number) else { return Next::Over };
        self.count += 1;
        client.asked += 1;
        client.first.get_or_insert(now);
        client.last = Some(now);
        self.limit.write(Ipv4Addr::new(198, 18, self.network, number as u8), request);
        Next::Ask(number)
    }

    fn answered(&mut self, number: usize, status: u16, _: Instant) {
        if let Some(client) = self.clients.get_mut(number) {
            client.passed += u64::from(status == 200);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit =
        Limit { host: "shop.example", requests: 10, per: Duration::from_secs(1), burst: 20, asks: 20 };

    #[test]
    fn what_should_pass_is_the_burst_and_what_came_back() {
        assert_eq!(LIMIT.expected(Duration::ZERO), 20.0);
        assert_eq!(LIMIT.expected(Duration::from_secs(30)), 320.0);
    }

    #[test]
    fn a_client_who_was_forgotten_once_is_seen() {
        let exact = Kept { asked: 600, passed: 320, expected: 320.4 };
        let forgotten = Kept { passed: 340, ..exact };
        assert_eq!(exact.error(), 0.0);
        assert!(forgotten.error() > 0.06);
    }

    #[test]
    fn clients_take_turns_on_a_schedule_until_it_is_over() {
        let over = Arc::new(AtomicBool::new(false));
        let mut regulars = Regulars::new(LIMIT, 3, 2, over.clone());
        let (begin, mut request) = (regulars.begin, Vec::new());
        assert_eq!(regulars.next(begin, &mut request), Next::Ask(0));
        assert!(String::from_utf8_lossy(&request).contains("X-Forwarded-For: 198.18.3.0\r\n"));
        assert_eq!(regulars.next(begin, &mut request), Next::At(begin + Duration::from_millis(25)));
        assert_eq!(regulars.next(begin + Duration::from_millis(25), &mut request), Next::Ask(1));
        over.store(true, Relaxed);
        assert_eq!(regulars.next(begin, &mut request), Next::Over);
    }
}
