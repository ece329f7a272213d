//! The working memory of one request: buffers and parsed heads, reused from request to request. A connection holds one only
//! while it has bytes in hand.

use secbeat_edge::BufferPool;
use secbeat_http1::{self as http1, Parsed, RequestHead, ResponseHead};
use std::cell::RefCell;

/// Sets kept at most by a worker.
const SPARE_MAX: usize = 256;
/// An output buffer that has grown beyond this is not kept, so that one large request does not cost memory for ever.
const OUTPUT_KEPT_MAX: usize = 64 << 10;

/// The working memory of one request.
pub struct Scratch {
    /// What the client has sent and nobody has consumed: `input.bytes()`.
    pub input: Input,
    /// The request's head, in terms of [`Scratch::head_bytes`].
    pub head: RequestHead,
    /// The bytes of the head, where it was taken out of `input` so that the body can be read there; empty otherwise.
    kept: Vec<u8>,
    /// How much of the request's body is in hand, where all of it was read.
    pub body: BodyInHand,
    /// The backend's side.
    pub answer: Answer,
}

/// A head that was to be put in another's place is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadNotReplaced;

/// What is known of where a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyInHand {
    /// Not all of it was read.
    #[default]
    No,
    /// All of it was read and taken out of `input`, or there is none.
    Taken,
    /// All of it is in `input`, behind the head: so many bytes.
    Here(usize),
}

impl Scratch {
    /// The bytes that the head's spans speak of.
    pub fn head_bytes(&self) -> &[u8] {
        if self.kept.is_empty() { self.input.bytes() } else { &self.kept }
    }

    /// What the client has sent behind the head: the body, or its beginning.
    pub fn behind_head(&self) -> &[u8] {
        let input = self.input.bytes();
        if self.kept.is_empty() { input.get(self.head.len..).unwrap_or_default() } else { input }
    }

    /// Puts another head in the place of the one that was sent: what follows sees `bytes` alone.
    ///
    /// # Errors
    /// `bytes` are not a whole head, or frame the body otherwise; everything is as it was.
    pub fn replace_head(&mut self, bytes: Vec<u8>, limits: &http1::Limits) -> Result<(), HeadNotReplaced> {
        let mut head = RequestHead::new();
        let parsed = head.parse(&bytes, limits);
        if parsed != Ok(Parsed::Complete)
            || head.framing != self.head.framing
            || head.known_method != self.head.known_method
        {
            return Err(HeadNotReplaced);
        }
        self.take_out_head();
        (self.head, self.kept) = (head, bytes);
        Ok(())
    }

    /// Takes the head out of the input, so that what is left there is the body.
    pub fn take_out_head(&mut self) {
        if self.kept.is_empty() {
            self.kept.extend_from_slice(self.input.bytes().get(..self.head.len).unwrap_or_default());
            self.input.consume(self.head.len);
        }
    }

    /// Drops what belongs to the request that has ended, and keeps what belongs to the next.
    pub fn end_request(&mut self) {
        if self.kept.is_empty() {
            self.input.consume(self.head.len);
        }
        if let BodyInHand::Here(length) = self.body {
            self.input.consume(length);
        }
        self.kept.clear();
        self.body = BodyInHand::No;
        self.head.clear();
        // What the backend sent beyond its answer, or in an answer that was refused, belongs to nobody.
        self.answer.input.clear();
        self.answer.head.clear();
        self.answer.output.clear();
    }
}

/// The backend's side of a request's working memory.
pub struct Answer {
    /// What the backend has sent and nobody has consumed.
    pub input: Input,
    /// The answer's head, in terms of `input`.
    pub head: ResponseHead,
    /// What is being written, to the backend first and then to the client.
    pub output: Vec<u8>,
}

/// A buffer with the bytes that were read into it and not yet consumed.
pub struct Input {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Input {
    /// An empty one over `buffer`.
    pub fn new(buffer: Box<[u8]>) -> Self {
        Self { buffer, start: 0, end: 0 }
    }

    /// The bytes that are there.
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Room to read into; `filled` says how much of it was.
    pub fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Notes that `count` bytes were read into the room.
    pub fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }

    /// Drops the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// Drops all that is there.
    pub fn clear(&mut self) {
        (self.start, self.end) = (0, 0);
    }

    /// Makes room for at least one byte, by moving what is there to the front or by growing up to `size_max`. `false` where
    /// the bytes fill `size_max`.
    pub fn make_room(&mut self, size_max: usize) -> bool {
        if self.end < self.buffer.len() {
            return true;
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            return true;
        }
        if self.buffer.len() >= size_max {
            return false;
        }
        let mut larger = vec![0; size_max].into_boxed_slice();
        if let Some(front) = larger.get_mut(..self.end) {
            front.copy_from_slice(self.buffer.get(..self.end).unwrap_or_default());
        }
        self.buffer = larger;
        true
    }

    /// Whether no byte is there.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }
}

/// One worker's spare sets.
#[allow(clippy::vec_box)] // A set moves between pool and connection by its pointer, not by its bytes.
pub struct ScratchPool {
    spare: RefCell<Vec<Box<Scratch>>>,
    buffers: BufferPool,
}

impl ScratchPool {
    /// A pool whose sets read `buffer_size` bytes at once, empty at first.
    pub fn new(buffer_size: usize) -> Self {
        Self { spare: RefCell::default(), buffers: BufferPool::new(buffer_size) }
    }

    /// From now on sets read `buffer_size` bytes at once.
    pub fn resize(&self, buffer_size: usize) {
        if self.buffers.resize(buffer_size) {
            self.spare.borrow_mut().clear();
        }
    }

    /// A set with nothing in hand.
    pub fn take(&self) -> Box<Scratch> {
        self.spare.borrow_mut().pop().unwrap_or_else(|| {
            let input = || Input::new(self.buffers.take());
            Box::new(Scratch {
                input: input(),
                head: RequestHead::new(),
                kept: Vec::new(),
                body: BodyInHand::No,
                answer: Answer {
                    input: input(),
                    head: ResponseHead::new(),
                    output: Vec::with_capacity(1024),
                },
            })
        })
    }

    /// Gives a set back; what it had in hand is dropped.
    pub fn give(&self, mut scratch: Box<Scratch>) {
        let mut spare = self.spare.borrow_mut();
        let is_usual = scratch.input.buffer.len() == self.buffers.size()
            && scratch.answer.input.buffer.len() == self.buffers.size()
            && scratch.answer.output.capacity() <= OUTPUT_KEPT_MAX;
        if is_usual && spare.len() < SPARE_MAX {
            scratch.end_request();
            scratch.input.clear();
            spare.push(scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(input: &mut Input, bytes: &[u8]) {
        input.room()[..bytes.len()].copy_from_slice(bytes);
        input.filled(bytes.len());
    }

    #[test]
    fn bytes_stay_in_order_while_the_buffer_moves_and_grows() {
        let mut input = Input::new(vec![0; 4].into_boxed_slice());
        fill(&mut input, b"abcd");
        input.consume(2);
        assert!(input.make_room(4));
        fill(&mut input, b"ef");
        assert_eq!(input.bytes(), b"cdef");
        assert!(!input.make_room(4));
        assert!(input.make_room(6));
        fill(&mut input, b"gh");
        assert_eq!(input.bytes(), b"cdefgh");
        input.consume(6);
        assert!(input.is_empty());
        assert_eq!(input.room().len(), 6);
    }

    #[test]
    fn a_head_is_replaced_by_a_head_of_the_same_framing_or_not_at_all() {
        let pool = ScratchPool::new(4096);
        let mut scratch = pool.take();
        let sent = b"POST /?a=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
        fill(&mut scratch.input, sent);
        let limits = http1::Limits::default();
        assert_eq!(scratch.head.parse(scratch.input.bytes(), &limits), Ok(Parsed::Complete));
        for bad in [
            &b"POST / HTTP/1.1\r\nHost: a\r\n\r\n"[..],
            b"POST / HTTP",
            b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        ] {
            assert_eq!(scratch.replace_head(bad.to_vec(), &limits), Err(HeadNotReplaced));
            assert_eq!(
                (scratch.head.framing, scratch.behind_head()),
                (http1::Framing::Length(3), &b"abc"[..])
            );
        }
        let good = b"POST /?a= HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(scratch.replace_head(good.to_vec(), &limits), Ok(()));
        assert_eq!(
            (scratch.head.target.of(scratch.head_bytes()), scratch.behind_head()),
            (&b"/?a="[..], &b"abc"[..])
        );
    }

    #[test]
    fn a_set_comes_back_empty_and_a_swollen_one_does_not() {
        let pool = ScratchPool::new(4);
        let mut scratch = pool.take();
        fill(&mut scratch.input, b"abcd");
        pool.give(scratch);
        let mut scratch = pool.take();
        assert!(scratch.input.is_empty());
        fill(&mut scratch.input, b"abcd");
        assert!(scratch.input.make_room(8));
        pool.give(scratch);
        assert_eq!(pool.take().input.room().len(), 4);
    }
}
