//! What a node with the Core Rule Set needs of memory: after its start, after every payload of the corpora, and after
//! millions of transactions.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde::Serialize;

use crate::Outcome;
use crate::asker::{self, Asker, Next};
use crate::crs::payloads;
use crate::crs::requests::{Kind, encoded};
use crate::crs::ways::RULES;
use crate::idle::settled;
use crate::origin::Origin;
use crate::peers::{Peer, Running, Setup, secbeat};
use crate::process::{Cores, Group, all_cores, free_port};

/// Keep-alive connections.
const CONNECTIONS: usize = 64;
/// Of so many transactions of the long run one is made of a payload.
const PAYLOAD_EVERY: usize = 20;

/// What one node has needed.
#[derive(Debug, Serialize)]
pub struct Memory {
    /// Its paranoia level.
    pub paranoia: u8,
    /// Resident memory after its start, bytes.
    pub start: u64,
    /// After every payload at every place.
    pub payloads: u64,
    /// How many requests that were.
    pub requests: usize,
    /// How many of them were stopped.
    pub stopped: usize,
    /// After the transactions of the long run.
    pub end: u64,
    /// How many there were.
    pub transactions: usize,
}

/// Sends every `every`th payload, then `transactions`, through a node of each of `levels`, which has its own rules and its
/// recorder beside the Core Rule Set. Nothing is measured where there are no payloads.
pub async fn measure(dir: &Path, levels: &[u8], transactions: usize, every: usize) -> Outcome<Vec<Memory>> {
    let Some(all) = payloads::read(every)? else {
        eprintln!("skipped: no corpora in {}", payloads::FOLDER);
        return Ok(Vec::new());
    };
    let all = Arc::new(all);
    let origin = Origin::start(dir, Cores::All).await?;
    let mut found = Vec::new();
    for &paranoia in levels {
        let node = node(dir, &origin, paranoia).await?;
        let (port, group) = (node.port, node.group());
        let start = settled(group).await?;
        eprintln!(
            "memory at paranoia {paranoia}: {} payloads, each at {} places",
            all.len(),
            Place::ALL.len()
        );
        let (requests, stopped) = ask(&node, port, all.clone(), None).await?;
        let payloads = settled(group).await?;
        // The long run is for one level: what could grow does not know of levels.
        let transactions = if found.is_empty() { transactions } else { 0 };
        eprintln!("memory at paranoia {paranoia}: {transactions} transactions");
        ask(&node, port, all.clone(), Some(transactions)).await?;
        let end = settled(group).await?;
        found.push(Memory { paranoia, start, payloads, requests, stopped, end, transactions });
    }
    Ok(found)
}

/// Sends what [`Mixed`] makes; how many requests, and how many of them were stopped.
async fn ask(
    node: &Running,
    port: u16,
    all: Arc<Vec<Vec<u8>>>,
    transactions: Option<usize>,
) -> Outcome<(usize, usize)> {
    let asked = crate::aside(move || {
        let benign =
            Kind::ALL.into_iter().filter(|kind| *kind != Kind::Args).flat_map(Kind::requests).collect();
        let last = transactions.unwrap_or(all.len() * Place::ALL.len());
        let mut mixed =
            Mixed { payloads: &all, benign, benign_too: transactions.is_some(), sent: 0, last, stopped: 0 };
        asker::run(port, CONNECTIONS, &mut mixed).map(|()| (mixed.sent, mixed.stopped))
    });
    asked.await.map_err(|failure| node.explain(failure))
}

/// A node with a worker for each core.
async fn node(dir: &Path, origin: &Origin, paranoia: u8) -> Outcome<Running> {
    let port = free_port()?;
    let dir = dir.join(format!("memory-{paranoia}"));
    std::fs::create_dir_all(&dir).map_err(|e| format!("creating {}: {e}", dir.display()))?;
    let (workers, cores) = (all_cores(), Cores::All);
    let setup = Setup { dir: &dir, origin: origin.port, certificate: None, workers, cores };
    let firewall = format!(
        "enable = true\nrules_path = \"{}\"\n[waf.crs]\nenable = true\npath = \"{RULES}\"\nparanoia_level = {paranoia}",
        secbeat::rules()?.display()
    );
    let mut command = secbeat::command_with(setup, port, &firewall)?;
    let mut group = Group::start("memory", cores, &dir, &mut command)?;
    group.accepts("the node", port).await?;
    Ok(Running::new(Peer::SecbeatWaf, port, group))
}

/// Where a payload goes.
#[derive(Debug, Clone, Copy)]
enum Place {
    Query,
    Form,
    Cookie,
    Header,
}

impl Place {
    const ALL: [Self; 4] = [Self::Query, Self::Form, Self::Cookie, Self::Header];

    fn write(self, payload: &[u8], request: &mut Vec<u8>) {
        const HEAD: &str =
            "Host: shop.example\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: */*\r\n";
        let raw = || -> Vec<u8> {
            // What no header may hold would be refused before any rule.
            payload.iter().map(|byte| if *byte < b' ' || *byte == 0x7f { b' ' } else { *byte }).collect()
        };
        let field = |name: &str, request: &mut Vec<u8>| {
            request.extend_from_slice(format!("GET /shop/search HTTP/1.1\r\n{HEAD}{name}").as_bytes());
            request.extend_from_slice(&raw());
            request.extend_from_slice(b"\r\n\r\n");
        };
        match self {
            Self::Query => {
                let value = encoded(payload);
                request.extend_from_slice(
                    format!("GET /shop/search?q={value} HTTP/1.1\r\n{HEAD}\r\n").as_bytes(),
                );
            }
            Self::Form => {
                let body = format!("comment={}", encoded(payload));
                let length = body.len();
                let head = format!(
                    "POST /shop/order HTTP/1.1\r\n{HEAD}Content-Type: application/x-www-form-urlencoded\r\n\
                     Content-Length: {length}\r\n\r\n{body}"
                );
                request.extend_from_slice(head.as_bytes());
            }
            Self::Cookie => field("Cookie: item=", request),
            Self::Header => field("X-Comment: ", request),
        }
    }
}

/// Payloads at each place in turn; with benign requests, one payload among so many of them.
struct Mixed<'a> {
    payloads: &'a [Vec<u8>],
    benign: Vec<Vec<u8>>,
    benign_too: bool,
    sent: usize,
    last: usize,
    stopped: usize,
}

impl Asker for Mixed<'_> {
    fn next(&mut self, _: Instant, request: &mut Vec<u8>) -> Next {
        if self.sent >= self.last || self.payloads.is_empty() {
            return Next::Over;
        }
        let number = self.sent;
        self.sent += 1;
        let turn = if self.benign_too { number / PAYLOAD_EVERY } else { number };
        if self.benign_too && !number.is_multiple_of(PAYLOAD_EVERY) {
            request.extend_from_slice(self.benign.get(number % self.benign.len()).map_or(&[], Vec::as_slice));
            return Next::Ask(0);
        }
        let payload = self.payloads.get(turn / Place::ALL.len() % self.payloads.len());
        if let (Some(payload), Some(place)) = (payload, Place::ALL.get(turn % Place::ALL.len())) {
            place.write(payload, request);
        }
        Next::Ask(0)
    }

    fn answered(&mut self, _: usize, status: u16, _: Instant) {
        self.stopped += usize::from(status != 200);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_never_breaks_the_head_it_is_in() {
        for place in Place::ALL {
            let mut request = Vec::new();
            place.write(b"a\r\n\r\nGET / HTTP/1.1\r\n\0<script>", &mut request);
            let blanks = request.windows(4).filter(|bytes| bytes == b"\r\n\r\n").count();
            assert_eq!(blanks, 1, "{place:?}");
        }
    }
}
