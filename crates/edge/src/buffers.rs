//! One worker's spare buffers. A connection takes one when bytes have come and gives it back when it falls idle,
//! so that ten thousand idle connections hold none.

use std::cell::{Cell, RefCell};

/// Spare buffers kept at most; what is given back beyond that is freed.
const SPARE_MAX: usize = 256;

/// Buffers of one size, zeroed once when they are made and never again.
pub struct BufferPool {
    size: Cell<usize>,
    spare: RefCell<Vec<Box<[u8]>>>,
}

impl BufferPool {
    /// A pool of buffers of `size` bytes, empty at first.
    pub fn new(size: usize) -> Self {
        Self { size: Cell::new(size), spare: RefCell::default() }
    }

    /// The size of each buffer in bytes.
    pub fn size(&self) -> usize {
        self.size.get()
    }

    /// From now on buffers are of `size` bytes; spare ones of another size are freed. `false`: they are already.
    pub fn resize(&self, size: usize) -> bool {
        if self.size.replace(size) == size {
            return false;
        }
        self.spare.borrow_mut().clear();
        true
    }

    /// A buffer, with whatever bytes its last user left in it.
    pub fn take(&self) -> Box<[u8]> {
        self.spare.borrow_mut().pop().unwrap_or_else(|| vec![0; self.size.get()].into_boxed_slice())
    }

    /// Gives a buffer back. One of another size is freed.
    pub fn give(&self, buffer: Box<[u8]>) {
        let mut spare = self.spare.borrow_mut();
        if buffer.len() == self.size.get() && spare.len() < SPARE_MAX {
            spare.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_given_back_is_handed_out_again() {
        let pool = BufferPool::new(64);
        let mut buffer = pool.take();
        buffer[0] = 7;
        pool.give(buffer);
        assert_eq!(pool.take()[0], 7);
        assert_eq!(pool.take()[0], 0);
    }

    #[test]
    fn after_a_change_of_size_no_buffer_of_the_old_size_is_handed_out() {
        let pool = BufferPool::new(64);
        let (old, older) = (pool.take(), pool.take());
        pool.give(old);
        assert!(pool.resize(32) && !pool.resize(32));
        pool.give(older);
        assert_eq!(pool.take().len(), 32);
    }

    #[test]
    fn the_number_of_spares_is_bounded() {
        let pool = BufferPool::new(1);
        let taken: Vec<_> = (0..SPARE_MAX + 10).map(|_| pool.take()).collect();
        taken.into_iter().for_each(|buffer| pool.give(buffer));
        assert_eq!(pool.spare.borrow().len(), SPARE_MAX);
    }
}
