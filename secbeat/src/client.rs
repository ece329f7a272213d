//! Calls of a node's API over HTTP, by TCP or by its Unix socket.

use crate::failure::Failure;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HOST};
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// How long a call may take as a whole.
const CALL_TIME_MAX: Duration = Duration::from_secs(30);

/// Where a node's API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// At a `host:port`.
    Tcp(String),
    /// At a Unix socket: `metrics.unix_socket`.
    Unix(PathBuf),
}

impl FromStr for Node {
    type Err = String;

    /// `http://host:port` or `unix:/path`
    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Self::Unix(path.into())),
            Some(_) => Err("expected unix: and an absolute path".into()),
            None => Ok(Self::Tcp(authority_of(text)?)),
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// The `host:port` of `http://host:port`, port 80 where there is none.
///
/// # Errors
/// It is something else; what was expected.
pub fn authority_of(text: &str) -> Result<String, String> {
    let expected = "expected http://host:port";
    let uri: Uri = text.parse().map_err(|error| format!("{error}; {expected}"))?;
    match uri.scheme_str() {
        Some("http") => {}
        Some("https") => return Err(format!("https is not built in this version; {expected}")),
        _ => return Err(expected.into()),
    }
    let (Some(authority), "" | "/", None) = (uri.authority(), uri.path(), uri.query()) else {
        return Err(format!("found more than an address; {expected}"));
    };
    let host = authority.host();
    if host.is_empty() || authority.as_str().contains('@') {
        return Err(expected.into());
    }
    let port = match authority.as_str().strip_prefix(host) {
        Some("") => 80,
        _ => authority.port_u16().ok_or_else(|| format!("the port is no port; {expected}"))?,
    };
    Ok(format!("{host}:{port}"))
}

/// One call.
pub struct Call<'a> {
    /// The method.
    pub method: Method,
    /// Path and query, already encoded.
    pub path: String,
    /// The body; `None`: none.
    pub body: Option<String>,
    /// The bearer token.
    pub token: Option<&'a str>,
}

impl Node {
    /// Makes a call and gives the status with the JSON of the answer.
    ///
    /// # Errors
    /// The node cannot be reached, or does not speak HTTP and JSON.
    pub async fn call(&self, call: Call<'_>) -> Result<(StatusCode, Value), Failure> {
        let exchange = async {
            let response = self.send(call, None).await?;
            let status = response.status();
            Ok((status, json_of(response).await?))
        };
        match timeout(CALL_TIME_MAX, exchange).await {
            Ok(outcome) => outcome.map_err(|why: String| self.unreachable(&why)),
            Err(_) => Err(self.unreachable(&format!("no answer within {} s", CALL_TIME_MAX.as_secs()))),
        }
    }

    /// Makes a call whose answer has no end, and gives it once it has begun.
    ///
    /// # Errors
    /// The node cannot be reached, or does not speak HTTP.
    pub async fn open(
        &self,
        path: String,
        token: Option<&str>,
        last_id: Option<&str>,
    ) -> Result<Response<Incoming>, Failure> {
        let call = Call { method: Method::GET, path, body: None, token };
        match timeout(CALL_TIME_MAX, self.send(call, last_id)).await {
            Ok(outcome) => outcome.map_err(|why| self.unreachable(&why)),
            Err(_) => Err(self.unreachable(&format!("no answer within {} s", CALL_TIME_MAX.as_secs()))),
        }
    }

    fn unreachable(&self, why: &str) -> Failure {
        Failure::unreachable(format!("cannot reach {self}: {why}; is the node running, and is this its API?"))
    }

    async fn send(&self, call: Call<'_>, last_id: Option<&str>) -> Result<Response<Incoming>, String> {
        match self {
            Self::Tcp(authority) => {
                let stream = TcpStream::connect(authority).await.map_err(|error| error.to_string())?;
                exchange(stream, authority, call, last_id).await
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await.map_err(|error| error.to_string())?;
                exchange(stream, "localhost", call, last_id).await
            }
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    host: &str,
    call: Call<'_>,
    last_id: Option<&str>,
) -> Result<Response<Incoming>, String> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    let mut request = Request::builder().method(call.method).uri(call.path).header(HOST, host);
    if let Some(token) = call.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(id) = last_id {
        request = request.header("last-event-id", id);
    }
    let body = call.body.map_or_else(Bytes::new, Bytes::from);
    let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
    sender.send_request(request).await.map_err(|error| error.to_string())
}

/// The JSON of an answer.
pub async fn json_of(response: Response<Incoming>) -> Result<Value, String> {
    let status = response.status();
    let bytes = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    serde_json::from_slice(&bytes).map_err(|_| format!("it answered {status} without JSON"))
}

/// Encodes a value of a query string: what is not unreserved (RFC 3986 2.3) becomes `%XX`.
pub fn encode(value: &str) -> String {
    let mut encoded = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_from_a_url() {
        for (text, authority) in [
            ("http://127.0.0.1:9191", "127.0.0.1:9191"),
            ("http://[::1]:9191/", "[::1]:9191"),
            ("http://node.example", "node.example:80"),
        ] {
            assert_eq!(authority_of(text).as_deref(), Ok(authority));
        }
    }

    #[test]
    fn what_is_no_address_says_what_was_expected() {
        for text in [
            "",
            "localhost:9191",
            "https://a:1",
            "http://",
            "http://a:1/b",
            "http://a/?b",
            "http://u@a:1",
            "http://a:99999",
        ] {
            assert!(authority_of(text).unwrap_err().contains("http://host:port"), "{text}");
        }
    }

    #[test]
    fn a_node_is_at_an_address_or_at_a_socket() {
        assert_eq!("http://a:1".parse(), Ok(Node::Tcp("a:1".into())));
        assert_eq!("unix:/run/a.sock".parse(), Ok(Node::Unix("/run/a.sock".into())));
        assert!("unix:a.sock".parse::<Node>().is_err());
    }

    #[test]
    fn a_value_of_a_query_is_encoded() {
        assert_eq!(encode("2026-01-01T00:00:00Z&a=b c"), "2026-01-01T00%3A00%3A00Z%26a%3Db%20c");
    }
}
