//! Idle keep-alive connections, each having made one request: what they cost in memory.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, sleep};

use crate::Outcome;
use crate::client::{REQUEST, is_whole};
use crate::measure;
use crate::origin::Origin;
use crate::peers::{Peer, Setup};
use crate::process::Cores;

/// Source addresses that connections are spread over, 127.0.0.1 onwards: one has 28,000 ports.
const SOURCES: u32 = 8;
/// How long memory may take to stop moving.
const SETTLE: Duration = Duration::from_secs(10);

/// What one proxy needs.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Idle {
    /// Which one.
    #[serde(serialize_with = "crate::peers::by_name")]
    pub peer: Peer,
    /// Resident memory after its start, bytes.
    pub start: u64,
    /// Resident memory with a tenth of the connections open, bytes.
    pub tenth: u64,
    /// Resident memory with all connections open, bytes.
    pub full: u64,
    /// How many there are.
    pub connections: u32,
}

impl Idle {
    /// Resident memory that each connection after the first tenth has added, bytes. The first tenth is left
    /// out because a proxy at work also gives back what its start had taken, which would hide their cost.
    pub fn per_connection(self) -> f64 {
        (self.full as f64 - self.tenth as f64) / f64::from(self.connections - self.connections / 10)
    }
}

/// Starts `peer` afresh, opens `connections` plain ones, asks once on each, and leaves them.
pub async fn measure(dir: &Path, origin: &Origin, peer: Peer, connections: u32) -> Outcome<Idle> {
    let setup = Setup { dir, origin: origin.port, certificate: None, workers: 1, cores: Cores::Proxy };
    let proxy = peer.start(setup).await?;
    let start = settled(proxy.group()).await?;
    let (mut open, mut tenth) = (Vec::new(), start);
    for number in 0..connections {
        if number == connections / 10 {
            tenth = settled(proxy.group()).await?;
        }
        let stream = asked_once(number, proxy.port).await;
        open.push(stream.map_err(|e| proxy.explain(format!("{peer}: idle connection {number}: {e}")))?);
    }
    let full = settled(proxy.group()).await?;
    let closed = open.iter().filter(|stream| is_closed(stream)).count();
    if closed > 0 {
        return Err(format!("{peer} has closed {closed} of {connections} idle connections"));
    }
    Ok(Idle { peer, start, tenth, full, connections })
}

/// Resident memory of `group` once it has stopped moving: allocators give back late what a start or a burst took.
pub async fn settled(group: u32) -> Outcome<u64> {
    let deadline = Instant::now() + SETTLE;
    let (mut last, mut same) = (measure::rss(group)?, 0);
    while same < 20 && Instant::now() < deadline {
        sleep(Duration::from_millis(100)).await;
        let now = measure::rss(group)?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}

async fn asked_once(number: u32, port: u16) -> Outcome<TcpStream> {
    let source = std::net::Ipv4Addr::from(0x7f00_0001 + number % SOURCES);
    let broken = |e: std::io::Error| format!("from {source}: {e}");
    let socket = TcpSocket::new_v4().map_err(broken)?;
    socket.bind((source, 0).into()).map_err(broken)?;
    let mut stream = socket.connect(([127, 0, 0, 1], port).into()).await.map_err(broken)?;
    stream.write_all(REQUEST).await.map_err(broken)?;
    let mut answer = Vec::with_capacity(1024);
    while !is_whole(&answer)? {
        if stream.read_buf(&mut answer).await.map_err(broken)? == 0 {
            return Err(format!("from {source}: closed before the answer was whole"));
        }
    }
    Ok(stream)
}

/// An open idle connection has nothing to read: not even its end.
fn is_closed(stream: &TcpStream) -> bool {
    !matches!(stream.try_read(&mut [0]), Err(e) if e.kind() == std::io::ErrorKind::WouldBlock)
}
