//! The rest of a large answer, at the least cost a byte. Without TLS the kernel moves it from socket to socket through a pipe
//! (splice(2)) and no byte is copied to the program and back; with TLS it passes through a buffer large enough that few calls
//! are made.

use crate::io::End;
use rustix::fd::{AsFd, OwnedFd};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use secbeat_edge::Stream;
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, ready};
use tokio::io::Interest;
use tokio::net::TcpStream;

/// What is left of a body at least for this path to be worth taking, in bytes.
pub const BULK_MIN: u64 = 64 << 10;
/// Asked of the kernel for each pipe; a page of a socket takes a slot of 4 KiB in it, however full it is.
const PIPE_BYTES: usize = 1 << 20;
/// The buffer where bytes pass through the program: what a TLS session takes at once.
const BUFFER_BYTES: usize = 64 << 10;
const SPARE_MAX: usize = 64;

/// One worker's spare pipes and buffers.
#[derive(Default)]
pub struct BulkPool {
    pipes: RefCell<Vec<Pipe>>,
    buffers: RefCell<Vec<Box<[u8]>>>,
}

struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

/// How a bulk transfer failed.
pub enum Failure {
    /// The backend ended or broke off before the body's end.
    Backend(io::Error),
    /// The client took no more.
    Client,
}

/// Moves `remaining` bytes from the backend to the client. `progress` is called at each step, to put off the deadline.
pub async fn relay(
    pool: &BulkPool,
    client: &End<Stream>,
    backend: &End<TcpStream>,
    remaining: u64,
    progress: impl Fn(),
) -> Result<(), Failure> {
    let pipe = if client.with(Stream::is_tls) { None } else { pool.pipe() };
    match pipe {
        Some(pipe) => {
            spliced(client, backend, &pipe, remaining, progress).await?;
            // A pipe that a transfer broke off in may hold bytes of it: only an empty one is used again.
            give(&pool.pipes, pipe);
        }
        None => {
            let spare = pool.buffers.borrow_mut().pop();
            let mut buffer = spare.unwrap_or_else(|| vec![0; BUFFER_BYTES].into_boxed_slice());
            buffered(client, backend, &mut buffer, remaining, progress).await?;
            give(&pool.buffers, buffer);
        }
    }
    Ok(())
}

async fn buffered(
    client: &End<Stream>,
    backend: &End<TcpStream>,
    buffer: &mut [u8],
    mut remaining: u64,
    progress: impl Fn(),
) -> Result<(), Failure> {
    while remaining > 0 {
        let most = usize::try_from(remaining).map_or(buffer.len(), |remaining| remaining.min(buffer.len()));
        let room = buffer.get_mut(..most).unwrap_or_default();
        let count = backend.read(room).await.and_then(not_the_end).map_err(Failure::Backend)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        client.write_all(bytes).await.map_err(|_| Failure::Client)?;
        remaining -= count as u64;
        progress();
    }
    Ok(())
}

async fn spliced(
    client: &End<Stream>,
    backend: &End<TcpStream>,
    pipe: &Pipe,
    mut remaining: u64,
    progress: impl Fn(),
) -> Result<(), Failure> {
    while remaining > 0 {
        let most = usize::try_from(remaining).map_or(PIPE_BYTES, |remaining| remaining.min(PIPE_BYTES));
        let fill = |socket: &TcpStream, context: &mut Context<'_>| {
            poll_splice(socket, context, Interest::READABLE, || flow(socket, &pipe.write, most, false))
        };
        let mut held = poll_fn(|context| backend.with(|socket| fill(socket, context)))
            .await
            .and_then(not_the_end)
            .map_err(Failure::Backend)?;
        backend.count_in(held as u64);
        remaining -= held as u64;
        while held > 0 {
            let drain = |stream: &Stream, context: &mut Context<'_>| {
                let socket = stream.socket();
                poll_splice(socket, context, Interest::WRITABLE, || {
                    flow(&pipe.read, socket, held, remaining > 0)
                })
            };
            let count = poll_fn(|context| client.with(|stream| drain(stream, context)))
                .await
                .map_err(|_| Failure::Client)?;
            client.count_out(count as u64);
            held -= count;
            progress();
        }
    }
    Ok(())
}

/// Tries `flow` whenever the socket is ready, until it has moved something.
fn poll_splice(
    socket: &TcpStream,
    context: &mut Context<'_>,
    interest: Interest,
    flow: impl Fn() -> io::Result<usize>,
) -> Poll<io::Result<usize>> {
    loop {
        match interest {
            Interest::WRITABLE => ready!(socket.poll_write_ready(context))?,
            _ => ready!(socket.poll_read_ready(context))?,
        }
        match socket.try_io(interest, &flow) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            moved => return Poll::Ready(moved),
        }
    }
}

fn flow(from: impl AsFd, to: impl AsFd, most: usize, more_follows: bool) -> io::Result<usize> {
    let more = if more_follows { SpliceFlags::MORE } else { SpliceFlags::empty() };
    Ok(splice(from, None, to, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE | more)?)
}

fn not_the_end(count: usize) -> io::Result<usize> {
    if count == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(count) }
}

fn give<T>(spare: &RefCell<Vec<T>>, item: T) {
    let mut spare = spare.borrow_mut();
    if spare.len() < SPARE_MAX {
        spare.push(item);
    }
}

impl BulkPool {
    /// A pipe; `None` where the system has no descriptors to give, and the bytes pass through a buffer.
    fn pipe(&self) -> Option<Pipe> {
        if let Some(pipe) = self.pipes.borrow_mut().pop() {
            return Some(pipe);
        }
        let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
        // Where a user's share of pipe memory is used up the pipe stays at 64 KiB, which works as well, with more calls.
        let _ = fcntl_setpipe_size(&write, PIPE_BYTES);
        Some(Pipe { read, write })
    }
}
