//! Where a backend is, and how a connection to it is made.

use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A backend: `host:port`, where the host is an address or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    authority: String,
    address: Option<SocketAddr>,
}

impl Backend {
    /// A backend at `authority` (`127.0.0.1:8080`, `[::1]:8080`, `app:8080`). A name is resolved anew for each connection,
    /// so that a backend may move.
    pub fn new(authority: impl Into<String>) -> Self {
        let authority = authority.into();
        let address = authority.parse().ok();
        Self { authority, address }
    }

    /// `host:port` as configured.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Connects, trying each address of a name in turn. `TCP_NODELAY` is set: a request is written whole.
    ///
    /// # Errors
    /// What the system said of the last address, or that the name has none.
    pub async fn connect(&self) -> io::Result<TcpStream> {
        if let Some(address) = self.address {
            return open(address).await;
        }
        let mut last = None;
        for address in tokio::net::lookup_host(self.authority.as_str()).await? {
            match open(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("{}: the name has no address", self.authority))
        }))
    }
}

async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
