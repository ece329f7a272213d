//! What only the writer has: the next number, the reasons and the calendar; and how a journal is read back.

use super::calendar::Calendar;
use super::model::PutError;
use crate::journal::format::Record;
use crate::journal::{Journal, OpenError, Opened};
use crate::table::DecisionTable;
use crate::table::entry::Entry;
use crate::table::reasons::{REASON_BYTES_MAX, Reason, Reasons};
use secbeat_types::Timestamp;
use std::path::Path;

#[derive(Debug)]
pub struct Writer {
    /// The number of the next decision.
    pub next_id: u64,
    /// The clock jumped forward to this instant: nothing is made before it.
    pub not_before: Timestamp,
    /// When what ends.
    pub calendar: Calendar,
    reasons: Reasons,
}

impl Writer {
    /// That of decisions in memory alone.
    pub fn new(table: &DecisionTable) -> Self {
        Writer {
            next_id: 1,
            not_before: Timestamp::from_unix_ms(0),
            calendar: Calendar::of(table),
            reasons: Reasons::default(),
        }
    }

    /// The reason as decisions hold it; none where those in use leave no room for another.
    pub fn reason(&mut self, text: &str) -> Result<Option<Reason>, PutError> {
        if text.len() > REASON_BYTES_MAX {
            return Err(PutError::ReasonTooLong { bytes: text.len() });
        }
        Ok(self.reasons.intern(text).unwrap_or_default())
    }

    /// Decisions are gone, and their reasons with them.
    pub fn release_reasons(&mut self) {
        self.reasons.release();
    }
}

/// What a journal comes to, record by record.
pub struct Loading {
    table: DecisionTable,
    reasons: Reasons,
    next_id: u64,
    /// By how much the clock jumped so far. The entries are moved once, at the end.
    shifted_ms: i64,
}

impl Loading {
    /// The decisions in `data_dir` that are in force at `now`, their writer, their journal, and warnings.
    pub fn open(
        data_dir: &Path,
        now: Timestamp,
    ) -> Result<(DecisionTable, Writer, Journal, Vec<String>), OpenError> {
        let table = DecisionTable::default();
        let mut loading = Loading { table, reasons: Reasons::default(), next_id: 1, shifted_ms: 0 };
        let Opened { mut journal, warnings } = Journal::open(data_dir, |record| loading.apply(record))?;
        let Loading { mut table, mut reasons, next_id, shifted_ms } = loading;
        if shifted_ms != 0 {
            table.shift(shifted_ms);
        }
        let mut calendar = Calendar::of(&table);
        for shard in calendar.due(now) {
            table.sweep(shard, now);
            calendar.set(shard, table.first_end_ms(shard));
        }
        // A clock that is behind, as before it is first set, gives what was made in its future no more than its whole time.
        if table.entries().any(|entry| entry.made_ms > now.unix_ms()) {
            table.make_no_later_than(now);
            calendar = Calendar::of(&table);
            // What comes next in the journal would move them by what the clock was behind.
            journal.forsake();
        }
        reasons.sweep();
        let not_before = Timestamp::from_unix_ms(0);
        Ok((table, Writer { next_id, not_before, calendar, reasons }, journal, warnings))
    }

    fn apply(&mut self, record: Record<'_>) {
        match record {
            Record::Put(entry, reason) => {
                self.next_id = entry.number.saturating_add(1).max(self.next_id);
                // What was written had room, and what has expired makes room once all is read.
                let reason = self.reasons.intern_unbounded(reason);
                let made_ms = entry.made_ms.saturating_sub(self.shifted_ms);
                self.table.insert(Entry { reason, made_ms, ..entry });
            }
            Record::Remove(slot) => drop(self.table.remove(slot.prefix, |entry| entry.slot() == slot)),
            Record::Confirm(slot) => {
                if let Some(waiting) = self.table.take_waiting(slot) {
                    self.table.insert(Entry { confirm_s: 0, ..waiting });
                }
            }
            Record::NextId(id) => self.next_id = id.max(self.next_id),
            Record::Shift(ms) => self.shifted_ms = self.shifted_ms.saturating_add(ms),
        }
    }
}
