//! The connections that calls come in on. Whoever is strange here can hold neither a connection for long nor all of them: a scrape
//! from elsewhere is answered, and the operator on this machine is answered whatever strangers do.

use crate::api::access::LOCAL_SOCKET;
use crate::api::{Api, router};
use axum::{Extension, Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Connections from elsewhere that are open at once.
const STRANGERS_MAX: usize = 256;
/// The same over loopback.
const LOCALS_MAX: usize = 64;
/// How long a connection may wait for the whole head of its next call.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a peer may leave what it is sent unacknowledged (`TCP_USER_TIMEOUT`), in milliseconds.
const UNREAD_TIMEOUT_MS: u32 = 30_000;
/// How long to wait where the machine has no room for one more connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the calls until the task is dropped.
pub async fn serve(listener: std::net::TcpListener, api: Arc<Api>) -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let strangers = Arc::new(Semaphore::new(STRANGERS_MAX));
    let locals = Arc::new(Semaphore::new(LOCALS_MAX));
    let calls = router(api.clone());
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let ip = peer.ip().to_canonical();
        let is_local = ip.is_loopback();
        let shared = &api.control.shared;
        if !is_local && shared.blocks(ip, shared.clock.now()).is_some() {
            continue;
        }
        let places = if is_local { &locals } else { &strangers };
        // Where there is no place left the connection is closed: waiting here would hold up those who have one.
        if let Ok(place) = places.clone().try_acquire_owned() {
            tokio::spawn(answer(stream, peer, calls.clone(), place));
        }
    }
}

/// The same on a Unix socket: whoever may open it is on this machine, and is as somebody on loopback.
pub async fn serve_local(listener: std::os::unix::net::UnixListener, api: Arc<Api>) -> std::io::Result<()> {
    let listener = tokio::net::UnixListener::from_std(listener)?;
    let locals = Arc::new(Semaphore::new(LOCALS_MAX));
    let calls = router(api);
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        if let Ok(place) = locals.clone().try_acquire_owned() {
            tokio::spawn(converse(stream, LOCAL_SOCKET, calls.clone(), place));
        }
    }
}

async fn answer(stream: TcpStream, peer: SocketAddr, calls: Router, place: OwnedSemaphorePermit) {
    // Without it a peer that reads nothing is bounded by the kernel's own patience.
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNREAD_TIMEOUT_MS);
    let _ = stream.set_nodelay(true);
    converse(stream, peer, calls, place).await;
}

async fn converse<S>(stream: S, peer: SocketAddr, calls: Router, place: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let calls = TowerToHyperService::new(calls.layer(Extension(ConnectInfo(peer))));
    // A connection that breaks concerns its peer alone.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), calls)
        .await;
    drop(place);
}
