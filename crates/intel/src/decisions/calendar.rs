//! When which part of the table has something that ends.
//!
//! A timer wheel would hold each decision a second time, eight bytes or more of a budget of 64. Here each of the table's shards
//! has one number, the earliest end in it: 32 KiB, however many decisions there are. Each second the numbers are looked
//! through, which takes some microseconds, and the shards that are due are swept, some 250 decisions each. Time is the steady
//! clock's, and a jump of the wall clock moves all numbers.

use crate::table::DecisionTable;
use secbeat_types::Timestamp;

/// The earliest end in each shard, in milliseconds since 1970; `i64::MAX`: nothing ends. Never later than it is; earlier
/// where what ended first has been undone.
#[derive(Debug)]
pub struct Calendar(Vec<i64>);

impl Calendar {
    /// That of `table`.
    pub fn of(table: &DecisionTable) -> Self {
        Calendar(table.first_ends_ms())
    }

    /// Something that ends at `end_ms` has come into `shard`.
    pub fn note(&mut self, shard: usize, end_ms: i64) {
        if let Some(first) = self.0.get_mut(shard) {
            *first = end_ms.min(*first);
        }
    }

    /// `shard` has been looked through, and the first end in it is this.
    pub fn set(&mut self, shard: usize, first_end_ms: i64) {
        if let Some(first) = self.0.get_mut(shard) {
            *first = first_end_ms;
        }
    }

    /// The shards in which something may have ended by `now`.
    pub fn due(&self, now: Timestamp) -> Vec<usize> {
        let due = |(_, end): &(usize, &i64)| **end <= now.unix_ms();
        self.0.iter().enumerate().filter(due).map(|(shard, _)| shard).collect()
    }

    /// Everything was moved by `ms`.
    pub fn shift(&mut self, ms: i64) {
        let ends = self.0.iter_mut().filter(|end| **end != i64::MAX);
        ends.for_each(|end| *end = end.saturating_add(ms));
    }
}
