//! A request's body to the backend, while it comes.

use crate::budget::Held;
use crate::connection::Connection;
use crate::io::End;
use crate::outcome::Stop;
use crate::policy::Policy;
use crate::refusal::Refusal;
use crate::scratch::Input;
use crate::site::Site;
use secbeat_http1::{BodyDecoder, BodyError, BodyState, Framing, encode};
use tokio::net::TcpStream;

/// What is sent to the backend behind the head.
pub enum Body {
    /// Nothing.
    None,
    /// So many bytes, all of them in hand behind the head.
    Here(usize),
    /// All of it, held for the firewall.
    Held(Held),
    /// What is in hand and what is still to come.
    Stream(Upload),
}

/// A body that is on its way.
pub struct Upload {
    /// What was read for the firewall and is still to be sent.
    pub held: Option<Held>,
    /// Where the rest of the body ends.
    pub decoder: BodyDecoder,
    /// How the body is framed, on both sides alike.
    pub framing: Framing,
    /// Bytes of the body that were read so far.
    pub length: u64,
}

/// How an upload ended, where the client did what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// All of it was sent.
    Whole,
    /// The backend takes no more; its answer may be on its way all the same.
    CutByBackend,
}

impl Upload {
    /// A body of which nothing was read.
    pub fn new(framing: Framing) -> Self {
        Upload { held: None, decoder: BodyDecoder::new(framing), framing, length: 0 }
    }

    /// Whether nothing of the body was read.
    pub fn is_untouched(&self) -> bool {
        self.length == 0 && self.held.is_none()
    }

    /// Sends the body from `input` and from what the client still sends. The backend's pace is the client's: nothing is read
    /// before what was read is written.
    ///
    /// # Errors
    /// Where the client breaks off, is late, breaks the framing, or sends more than it may.
    pub async fn run(
        mut self,
        connection: &Connection,
        policy: &Policy,
        site: &Site,
        input: &mut Input,
        backend: &End<TcpStream>,
    ) -> Result<Sent, Stop> {
        let is_chunked = self.framing == Framing::Chunked;
        let mut out = Vec::new();
        if let Some(held) = self.held.take() {
            let head = encode::chunk_head(held.bytes.len());
            let head = if is_chunked { head.as_bytes() } else { &[] };
            if let Some(cut) = send(connection, backend, head, &held.bytes).await? {
                return Ok(cut);
            }
            out.extend_from_slice(if is_chunked { encode::CHUNK_END } else { &[] });
        }
        let mut is_done = self.decoder.is_done();
        loop {
            while !is_done && !input.is_empty() {
                let bytes = input.bytes();
                let step = self.decoder.decode(bytes).map_err(Refusal::Body)?;
                let data = bytes.get(step.data).unwrap_or_default();
                self.length += data.len() as u64;
                if self.length > site.body_bytes_max {
                    return Err(Refusal::BodyTooLarge.into());
                }
                frame(&mut out, data, is_chunked);
                input.consume(step.consumed);
                is_done = step.state == BodyState::Done;
            }
            if is_done && is_chunked {
                // The firewall has not seen the trailers; RFC 9110 6.5.1 lets them be dropped.
                let trailers = self.decoder.trailers().filter(|_| site.waf.is_none());
                encode::last_chunk(&mut out, trailers);
            }
            if let Some(cut) = send(connection, backend, &out, &[]).await? {
                return Ok(cut);
            }
            out.clear();
            if is_done {
                return Ok(Sent::Whole);
            }
            if connection.read_more(input, || Refusal::BodyTimeout).await? == 0 {
                return Err(Refusal::Body(BodyError::Truncated).into());
            }
            // While the body comes the answer is not late; the body itself has its total.
            connection.registration.deadline_in(policy.timeouts.body_ms);
        }
    }
}

/// Writes to the backend; says so where it takes no more.
async fn send(
    connection: &Connection,
    backend: &End<TcpStream>,
    first: &[u8],
    second: &[u8],
) -> Result<Option<Sent>, Stop> {
    match connection.registration.within(backend.write_both(first, second)).await {
        Ok(Ok(())) => Ok(None),
        Ok(Err(_)) => Ok(Some(Sent::CutByBackend)),
        Err(_) => Err(late(connection)),
    }
}

fn late(connection: &Connection) -> Stop {
    match connection.registration.is_cut() {
        Some(secbeat_edge::Cut::Deadline) => Refusal::BackendTimeout.into(),
        _ => Stop::Gone,
    }
}

/// Appends `data` to `out`, as a chunk of its own where the body is in chunks.
pub fn frame(out: &mut Vec<u8>, data: &[u8], is_chunked: bool) {
    if data.is_empty() {
        return;
    }
    if is_chunked {
        out.extend_from_slice(encode::chunk_head(data.len()).as_bytes());
    }
    out.extend_from_slice(data);
    if is_chunked {
        out.extend_from_slice(encode::CHUNK_END);
    }
}
