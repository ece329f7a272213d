//! Reads and writes for two ends that one task reads and writes at once.
//!
//! An upload and the answer to it can be under way together. Both run in the connection's own task, polled in turn, so that
//! a `RefCell` that is borrowed only while an operation is polled is all that they need to share a socket.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One end of an exchange, with the bytes it has carried.
pub struct End<S> {
    stream: RefCell<S>,
    bytes_in: Cell<u64>,
    bytes_out: Cell<u64>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> End<S> {
    /// Wraps a stream.
    pub fn new(stream: S) -> Self {
        Self { stream: RefCell::new(stream), bytes_in: Cell::new(0), bytes_out: Cell::new(0) }
    }

    /// The stream itself.
    pub fn into_inner(self) -> S {
        self.stream.into_inner()
    }

    /// The stream, for what is not reading or writing.
    pub fn with<T>(&self, look: impl FnOnce(&S) -> T) -> T {
        look(&self.stream.borrow())
    }

    /// Bytes read and written since the last call.
    pub fn take_counts(&self) -> (u64, u64) {
        (self.bytes_in.take(), self.bytes_out.take())
    }

    /// Counts bytes that were read in another way.
    pub fn count_in(&self, bytes: u64) {
        self.bytes_in.set(self.bytes_in.get() + bytes);
    }

    /// Counts bytes that were written in another way.
    pub fn count_out(&self, bytes: u64) {
        self.bytes_out.set(self.bytes_out.get() + bytes);
    }

    /// Reads into `buffer`; 0 is the end of the stream.
    pub fn poll_read(&self, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(buffer);
        ready!(Pin::new(&mut *self.stream.borrow_mut()).poll_read(context, &mut read))?;
        let count = read.filled().len();
        self.count_in(count as u64);
        Poll::Ready(Ok(count))
    }

    /// Reads into `buffer`; 0 is the end of the stream.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|context| self.poll_read(context, buffer)).await
    }

    /// Writes all of `bytes`, and what TLS holds back.
    pub async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_both(bytes, &[]).await
    }

    /// Writes `first` and then `second`, in one system call where they fit.
    pub async fn write_both(&self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let total = first.len() + second.len();
        let mut done = 0;
        while done < total {
            let slices = [
                IoSlice::new(first.get(done..).unwrap_or_default()),
                IoSlice::new(second.get(done.saturating_sub(first.len())..).unwrap_or_default()),
            ];
            let count = poll_fn(|context| {
                let mut stream = self.stream.borrow_mut();
                match (slices[0].is_empty(), slices[1].is_empty()) {
                    (false, false) => Pin::new(&mut *stream).poll_write_vectored(context, &slices),
                    (false, true) => Pin::new(&mut *stream).poll_write(context, &slices[0]),
                    (true, _) => Pin::new(&mut *stream).poll_write(context, &slices[1]),
                }
            })
            .await?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            done += count;
            self.count_out(count as u64);
        }
        poll_fn(|context| Pin::new(&mut *self.stream.borrow_mut()).poll_flush(context)).await
    }

    /// Says that no more will be written.
    pub async fn shutdown(&self) -> io::Result<()> {
        poll_fn(|context| Pin::new(&mut *self.stream.borrow_mut()).poll_shutdown(context)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, duplex};

    #[tokio::test(flavor = "current_thread")]
    async fn two_parts_arrive_in_order_however_small_the_pipe() {
        for capacity in 1..12 {
            let (near, mut far) = duplex(capacity);
            let end = End::new(near);
            let write = async {
                end.write_both(b"head", b"body").await.unwrap();
                end.shutdown().await.unwrap();
            };
            let mut read = String::new();
            let (_, result) = tokio::join!(write, far.read_to_string(&mut read));
            result.unwrap();
            assert_eq!(read, "headbody");
            assert_eq!(end.take_counts(), (0, 8));
        }
    }
}
