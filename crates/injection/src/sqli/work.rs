//! Counts the bytes and tokens looked at, in tests alone, which hold the work to be linear.

/// Counts so many steps, and one for beginning.
#[cfg(not(test))]
#[inline]
pub fn count(steps: usize) -> usize {
    steps
}

#[cfg(test)]
thread_local!(static DONE: std::cell::Cell<usize> = const { std::cell::Cell::new(0) });

/// Counts so many steps, and one for beginning.
#[cfg(test)]
pub fn count(steps: usize) -> usize {
    DONE.set(DONE.get() + steps + 1);
    steps
}

/// The steps that `task` takes.
#[cfg(test)]
pub fn of<T>(task: impl FnOnce() -> T) -> usize {
    let before = DONE.get();
    task();
    DONE.get() - before
}
