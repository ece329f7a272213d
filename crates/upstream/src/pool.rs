//! One worker's ready connections to a backend. The one used last is taken first, so that a quiet site keeps few.

use crate::Backend;
use std::cell::RefCell;
use std::io;
use tokio::net::TcpStream;

/// Ready connections kept at most by a worker.
const IDLE_MAX: usize = 512;

/// A connection to a backend.
pub struct Connection {
    /// The socket.
    pub stream: TcpStream,
    /// Whether it has carried a request before, and may have been closed by the backend meanwhile.
    pub reused: bool,
}

struct Idle {
    stream: TcpStream,
    since_ms: u64,
}

/// Ready connections, the one used last at the end. All are to one backend: those to another, from before a reload, are closed.
#[derive(Default)]
pub struct Pool {
    backend: RefCell<Option<Backend>>,
    idle: RefCell<Vec<Idle>>,
}

impl Pool {
    /// A connection to `backend` that has been idle for at most `idle_ms_max` and that the backend has not closed, if there
    /// is one.
    pub fn take(&self, backend: &Backend, now_ms: u64, idle_ms_max: u64) -> Option<Connection> {
        if !self.is_for(backend) {
            self.idle.borrow_mut().clear();
            *self.backend.borrow_mut() = Some(backend.clone());
            return None;
        }
        let mut idle = self.idle.borrow_mut();
        while let Some(candidate) = idle.pop() {
            if now_ms.saturating_sub(candidate.since_ms) > idle_ms_max {
                // All that remain have been idle for longer; whether they are still of use is for `prune` to say.
                idle.push(candidate);
                return None;
            }
            if is_quiet(&candidate.stream) {
                return Some(Connection { stream: candidate.stream, reused: true });
            }
        }
        None
    }

    /// Gives a connection to `backend` back after an answer that was read to its end.
    pub fn give(&self, backend: &Backend, stream: TcpStream, now_ms: u64) {
        let mut idle = self.idle.borrow_mut();
        if idle.len() < IDLE_MAX && self.is_for(backend) {
            idle.push(Idle { stream, since_ms: now_ms });
        }
    }

    /// Closes connections that have been idle for longer than `idle_ms_max` or that the backend has closed.
    pub fn prune(&self, now_ms: u64, idle_ms_max: u64) {
        self.idle.borrow_mut().retain(|candidate| {
            now_ms.saturating_sub(candidate.since_ms) <= idle_ms_max && is_quiet(&candidate.stream)
        });
    }

    fn is_for(&self, backend: &Backend) -> bool {
        self.backend.borrow().as_ref() == Some(backend)
    }

    /// Ready connections.
    pub fn len(&self) -> usize {
        self.idle.borrow().len()
    }

    /// Whether no connection is ready.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Whether nothing has come on an idle connection: neither its end nor bytes that nobody asked for. Mostly costs no system
/// call: the runtime has noted what came. After a read that was filled to the brim it has not, and the socket is asked.
fn is_quiet(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    async fn pair(listener: &TcpListener) -> (TcpStream, TcpStream) {
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        // A connection comes to the pool after a read that found less than it asked for: nothing is known to be there.
        let mut byte = [0; 8];
        assert!(client.try_read(&mut byte).is_err());
        (client, server)
    }

    #[tokio::test(flavor = "current_thread")]
    async fn the_last_used_comes_first_and_the_old_are_pruned() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ((a, _server_a), (b, _server_b)) = (pair(&listener).await, pair(&listener).await);
        let newest = b.local_addr().unwrap();
        let (pool, site) = (Pool::default(), Backend::new("site:80"));
        assert!(pool.take(&site, 0, 1500).is_none());
        pool.give(&site, a, 0);
        pool.give(&site, b, 1000);
        let taken = pool.take(&site, 2000, 1500).unwrap();
        assert_eq!((taken.stream.local_addr().unwrap(), taken.reused), (newest, true));
        assert!(pool.take(&site, 2000, 1500).is_none());
        assert_eq!(pool.len(), 1);
        pool.prune(2000, 1500);
        assert!(pool.is_empty());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_connection_that_the_backend_closed_or_wrote_to_is_not_handed_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ((closed, server_a), (talked, mut server_b)) = (pair(&listener).await, pair(&listener).await);
        drop(server_a);
        server_b.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        closed.readable().await.unwrap();
        talked.readable().await.unwrap();
        let (pool, site) = (Pool::default(), Backend::new("site:80"));
        assert!(pool.take(&site, 0, 1000).is_none());
        pool.give(&site, closed, 0);
        pool.give(&site, talked, 0);
        assert_eq!(pool.len(), 2);
        assert!(pool.take(&site, 0, 1000).is_none());
        assert!(pool.is_empty());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_connection_to_the_backend_of_before_is_not_handed_out() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ((idle, _server_a), (late, _server_b)) = (pair(&listener).await, pair(&listener).await);
        let (pool, old, new) = (Pool::default(), Backend::new("old:80"), Backend::new("new:80"));
        assert!(pool.take(&old, 0, 1000).is_none());
        pool.give(&old, idle, 0);
        assert!(pool.take(&new, 0, 1000).is_none());
        pool.give(&old, late, 0);
        assert!(pool.is_empty());
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_connection_whose_last_read_was_filled_to_the_brim_is_still_of_use() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut connection, mut server) = pair(&listener).await;
        server.write_all(b"12345678").await.unwrap();
        connection.read_exact(&mut [0; 8]).await.unwrap();
        let (pool, site) = (Pool::default(), Backend::new("site:80"));
        assert!(pool.take(&site, 0, 1000).is_none());
        pool.give(&site, connection, 0);
        assert!(pool.take(&site, 0, 1000).is_some());
    }
}
