//! One keep-alive connection of the open loop: sends a small request, notices when it is answered.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, IpAddr, Ipv4Addr, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::Outcome;
use crate::answer;

/// What every request of the open loop and of the idle connections says.
pub const REQUEST: &[u8] = b"GET /160 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

/// How TLS connections trust the run's certificate, and nothing else.
pub fn trust(certificate: &Path) -> Outcome<Arc<ClientConfig>> {
    let broken = |e: &dyn std::fmt::Display| format!("trusting {}: {e}", certificate.display());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate).map_err(|e| broken(&e))?).map_err(|e| broken(&e))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| broken(&e))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

/// A connection that has been answered once and does not block any more.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    answer: Vec<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Client {
    /// Connects to `port` on 127.0.0.1, by TLS if there is a configuration for it, and asks once.
    pub fn connect(port: u16, tls: Option<&Arc<ClientConfig>>) -> Outcome<Self> {
        let broken = |e: &dyn std::fmt::Display| format!("connecting to 127.0.0.1:{port}: {e}");
        let socket = TcpStream::connect(("127.0.0.1", port)).map_err(|e| broken(&e))?;
        socket.set_nodelay(true).map_err(|e| broken(&e))?;
        let stream = match tls {
            None => Stream::Plain(socket),
            Some(config) => {
                let name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::from(std::net::Ipv4Addr::LOCALHOST)));
                let session = ClientConnection::new(config.clone(), name).map_err(|e| broken(&e))?;
                Stream::Tls(Box::new(StreamOwned::new(session, socket)))
            }
        };
        let mut client = Self { stream, answer: Vec::with_capacity(4096) };
        client.ask()?;
        while !client.answered()? {}
        client.socket().set_nonblocking(true).map_err(|e| broken(&e))?;
        Ok(client)
    }

    /// Sends the request.
    pub fn ask(&mut self) -> Outcome<()> {
        let sent = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(REQUEST),
            Stream::Tls(stream) => stream.write_all(REQUEST).and_then(|()| stream.flush()),
        };
        sent.map_err(|e| format!("sending a request: {e}"))
    }

    /// Reads what is there; whether the answer is whole now. Any other answer than 200 is an error.
    pub fn answered(&mut self) -> Outcome<bool> {
        let mut chunk = [0; 4096];
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(&mut chunk),
            Stream::Tls(stream) => stream.read(&mut chunk),
        };
        match read {
            Ok(0) => return Err("the connection was closed in the middle of the run".into()),
            Ok(count) => self.answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(e) => return Err(format!("reading an answer: {e}")),
        }
        let whole = is_whole(&self.answer)?;
        if whole {
            self.answer.clear();
        }
        Ok(whole)
    }

    fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

/// Whether `answer` is a whole 200 with `Content-Length`, the only answer the origin gives.
pub fn is_whole(answer: &[u8]) -> Outcome<bool> {
    let Some(head) = answer::head(answer)? else { return Ok(false) };
    match head.status {
        200 => Ok(answer.len() >= head.end),
        other => Err(format!("an answer is not 200: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_its_last_byte() {
        let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
        assert_eq!(is_whole(answer), Ok(true));
        for cut in 0..answer.len() {
            assert_eq!(is_whole(&answer[..cut]), Ok(false), "{cut}");
        }
    }

    #[test]
    fn an_answer_that_is_not_200_is_an_error_with_its_status() {
        let error = is_whole(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").unwrap_err();
        assert!(error.contains("502"), "{error}");
    }
}
