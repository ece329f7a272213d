//! Calls of a node's API, as a command line makes them: each on a connection of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Outcome;
use crate::answer;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The API on a port of 127.0.0.1. Its calls block their thread.
#[derive(Debug, Clone, Copy)]
pub struct Api {
    /// The port.
    pub port: u16,
}

/// What came of a call.
#[derive(Debug)]
pub struct Answer {
    /// The body.
    pub body: Vec<u8>,
    /// From before the connection was opened until the answer was whole.
    pub took: Duration,
}

impl Api {
    /// `GET path`; any status above 299 is an error.
    pub fn get(self, path: &str) -> Outcome<Answer> {
        self.call("GET", path, "")
    }

    /// `POST path` with a JSON `body`; any status above 299 is an error.
    pub fn post(self, path: &str, body: &Value) -> Outcome<Answer> {
        self.call("POST", path, &body.to_string())
    }

    /// The counter of this name, which has no labels.
    pub fn metric(self, name: &str) -> Outcome<u64> {
        let body = self.get("/metrics")?.body;
        let text = String::from_utf8_lossy(&body);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.and_then(|value| value.parse().ok()).ok_or_else(|| format!("there is no metric {name}"))
    }

    fn call(self, method: &str, path: &str, body: &str) -> Outcome<Answer> {
        let begin = Instant::now();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.port,
            body.len()
        );
        let mut said = Vec::with_capacity(4096);
        let exchanged = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut stream| {
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(request.as_bytes())?;
            stream.read_to_end(&mut said)
        });
        let took = begin.elapsed();
        exchanged.map_err(|e| format!("{method} {path} on port {}: {e}", self.port))?;
        let head = answer::head(&said)
            .and_then(|head| head.filter(|head| head.end <= said.len()).ok_or("the answer is cut".into()))
            .map_err(|e| format!("{method} {path} on port {}: {e}", self.port))?;
        let body = said.split_off(head.body);
        match head.status {
            200..=299 => Ok(Answer { body, took }),
            other => Err(format!("{method} {path} was answered {other}: {}", String::from_utf8_lossy(&body))),
        }
    }
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Outcome<Value> {
        serde_json::from_slice(&self.body).map_err(|e| format!("an answer of the API is not JSON: {e}"))
    }
}
