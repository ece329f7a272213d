//! HTTP/1 over blocking sockets: the site's side of the node, and the client's.

use super::origin::Answer;
use secbeat_http1::{BodyDecoder, BodyState, Framing, Limits, Method, Parsed, RequestHead, ResponseHead};
use std::io::{self, Read, Write};
use std::net::TcpStream;

/// What the client is told.
#[derive(Debug, Default)]
pub struct Told {
    /// The status.
    pub status: u16,
    /// The node's name for the request: `x-request-id`.
    pub id: String,
    /// The body.
    pub body: Vec<u8>,
}

/// Heads as large as cases have them.
const LIMITS: Limits =
    Limits { head_bytes_max: 1 << 20, target_bytes_max: 1 << 20, fields_max: 1024, field_bytes_max: 1 << 20 };

/// A connection and what was read of it and not used yet.
pub struct Peer {
    stream: TcpStream,
    bytes: Vec<u8>,
}

impl Peer {
    /// A connection that nothing was read of.
    pub fn new(stream: TcpStream) -> Self {
        Peer { stream, bytes: Vec::new() }
    }

    /// Reads a request: its target and its body. `None`: the other side has closed.
    pub fn request(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut head = RequestHead::new();
        loop {
            match head.parse(&self.bytes, &LIMITS).map_err(invalid)? {
                Parsed::Complete => break,
                Parsed::Partial if !self.fill()? => return Ok(None),
                Parsed::Partial => {}
            }
        }
        let target = head.target.of(&self.bytes).to_vec();
        self.bytes.drain(..head.len);
        Ok(Some((target, self.body(head.framing)?)))
    }

    /// Writes an answer, on a connection that lasts.
    pub fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut head = format!("HTTP/1.1 {} .\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.fields {
            head.extend([name, ": ", value.as_str(), "\r\n"]);
        }
        head.push_str("\r\n");
        self.stream.write_all(&[head.as_bytes(), &answer.body].concat())
    }

    /// Sends a request as it is, and reads what it is answered. `None`: the other side closed without an answer.
    pub fn ask(&mut self, request: &[u8]) -> io::Result<Option<Told>> {
        // One that refuses may close before it has read all.
        let _ = self.stream.write_all(request);
        let method = request.split(|byte| *byte == b' ').next().unwrap_or_default();
        let method = if method == b"HEAD" { Method::Head } else { Method::Get };
        let mut head = ResponseHead::new();
        loop {
            match head.parse(&self.bytes, method, &LIMITS).map_err(invalid)? {
                Parsed::Complete if head.is_interim() => drop(self.bytes.drain(..head.len)),
                Parsed::Complete => break,
                Parsed::Partial if !self.fill()? => return Ok(None),
                Parsed::Partial => {}
            }
        }
        let id =
            head.fields.iter().find(|field| field.name.of(&self.bytes).eq_ignore_ascii_case(b"x-request-id"));
        let id =
            id.map_or_else(String::new, |id| String::from_utf8_lossy(id.value.of(&self.bytes)).into_owned());
        self.bytes.drain(..head.len);
        Ok(Some(Told { status: head.status, id, body: self.body(head.framing)? }))
    }

    fn body(&mut self, framing: Framing) -> io::Result<Vec<u8>> {
        let (mut decoder, mut body) = (BodyDecoder::new(framing), Vec::new());
        loop {
            let step = decoder.decode(&self.bytes).map_err(invalid)?;
            body.extend_from_slice(self.bytes.get(step.data).unwrap_or_default());
            self.bytes.drain(..step.consumed);
            if step.state == BodyState::Done {
                return Ok(body);
            }
            if self.bytes.is_empty() && !self.fill()? {
                return decoder.close().map_err(invalid).map(|()| body);
            }
        }
    }

    /// Reads more; whether there was more.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        let read = self.stream.read(&mut buffer)?;
        self.bytes.extend_from_slice(buffer.get(..read).unwrap_or_default());
        Ok(read > 0)
    }
}

fn invalid(error: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}
