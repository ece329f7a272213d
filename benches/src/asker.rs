//! Our own load: many keep-alive connections, one request at a time on each, what it says and when decided anew each time.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::epoll;

use crate::Outcome;
use crate::answer::{self, Head};
use crate::open_loop::{wait, watch};

/// Answers looked at between two looks at what is due.
const EVENTS: usize = 128;
/// How long all connections may stay without an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the request that was written; its answer comes back with this number.
    Ask(usize),
    /// Ask again at this instant.
    At(Instant),
    /// Nothing any more.
    Over,
}

/// Who makes the requests and hears of their answers.
pub trait Asker {
    /// Writes the next request into `request`, which is empty, if one is due at `now`.
    fn next(&mut self, now: Instant, request: &mut Vec<u8>) -> Next;

    /// The request of `number` was answered whole with `status` at `now`.
    fn answered(&mut self, number: usize, status: u16, now: Instant);
}

/// Lets `asker` ask on `connections` connections to `port` of 127.0.0.1 until it has nothing more and all is answered.
/// Blocks its thread.
pub fn run(port: u16, connections: usize, asker: &mut impl Asker) -> Outcome<()> {
    let broken = |e: &dyn std::fmt::Display| format!("asking on 127.0.0.1:{port}: {e}");
    let mut lines = (0..connections).map(|_| Line::open(port)).collect::<Outcome<Vec<_>>>()?;
    let watch = watch(&lines).map_err(|e| broken(&e))?;
    let mut idle: VecDeque<usize> = (0..connections).collect();
    let (mut request, mut events) = (Vec::with_capacity(1024), Vec::with_capacity(EVENTS));
    let mut heard = Instant::now();
    loop {
        let mut pause = Duration::from_secs(1);
        while let Some(&place) = idle.front() {
            request.clear();
            let now = Instant::now();
            match asker.next(now, &mut request) {
                Next::Ask(number) => {
                    idle.pop_front();
                    let line = lines.get_mut(place).ok_or("no such connection")?;
                    line.number = number;
                    line.rest.extend_from_slice(&request);
                    line.send(&watch, place).map_err(|e| broken(&e))?;
                }
                Next::At(when) => {
                    pause = when.saturating_duration_since(now).min(pause);
                    break;
                }
                Next::Over if idle.len() == connections => return Ok(()),
                Next::Over => break,
            }
        }
        if idle.len() == connections {
            heard = Instant::now();
        } else if heard.elapsed() > PATIENCE {
            return Err(broken(&format!("no answer for {PATIENCE:?}")));
        }
        events.clear();
        wait(&watch, &mut events, pause)?;
        for event in &events {
            let place = event.data.u64() as usize;
            let Some(line) = lines.get_mut(place) else { continue };
            line.send(&watch, place).map_err(|e| broken(&e))?;
            let Some(head) = line.read().map_err(|e| broken(&e))? else { continue };
            heard = Instant::now();
            asker.answered(line.number, head.status, heard);
            // An answer to half a request is the last one of its connection.
            if head.closes || !line.rest.is_empty() {
                *line = Line::open(port)?;
                epoll::add(&watch, &*line, data(place), epoll::EventFlags::IN).map_err(|e| broken(&e))?;
            }
            idle.push_back(place);
        }
    }
}

fn data(place: usize) -> epoll::EventData {
    epoll::EventData::new_u64(place as u64)
}

/// A connection.
struct Line {
    stream: TcpStream,
    answer: Vec<u8>,
    /// What of the request the socket has not taken yet.
    rest: Vec<u8>,
    /// Whether the socket is watched for room.
    full: bool,
    /// Of the request that is not answered yet.
    number: usize,
}

impl Line {
    fn open(port: u16) -> Outcome<Self> {
        let broken = |e: std::io::Error| format!("connecting to 127.0.0.1:{port}: {e}");
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        stream.set_nonblocking(true).map_err(broken)?;
        Ok(Self { stream, answer: Vec::with_capacity(4096), rest: Vec::new(), full: false, number: 0 })
    }

    /// Sends as much of the rest as there is room for, and has `watch` tell of more room where there is not enough.
    fn send(&mut self, watch: &OwnedFd, place: usize) -> std::io::Result<()> {
        while !self.rest.is_empty() {
            match self.stream.write(&self.rest) {
                Ok(sent) => drop(self.rest.drain(..sent)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        let full = !self.rest.is_empty();
        if full != self.full {
            self.full = full;
            let more = if full { epoll::EventFlags::OUT } else { epoll::EventFlags::empty() };
            epoll::modify(watch, &self.stream, data(place), epoll::EventFlags::IN | more)?;
        }
        Ok(())
    }

    /// Reads what is there; the head of the answer once all of it is.
    fn read(&mut self) -> Outcome<Option<Head>> {
        let mut chunk = [0; 4096];
        match self.stream.read(&mut chunk) {
            Ok(0) => return Err("a connection was closed in the middle of the run".into()),
            Ok(count) => self.answer.extend_from_slice(chunk.get(..count).unwrap_or_default()),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(None),
            Err(e) => return Err(format!("reading an answer: {e}")),
        }
        let whole = answer::head(&self.answer)?.filter(|head| self.answer.len() >= head.end);
        if whole.is_some() {
            self.answer.clear();
        }
        Ok(whole)
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
