//! What only the writer has: the next number, the reasons, the calendar and the journal.

use super::calendar::Calendar;
use super::model::PutError;
use crate::journal::format::{self, Record};
use crate::journal::{Draft, Journal, OpenError, Opened};
use crate::table::DecisionTable;
use crate::table::entry::Entry;
use crate::table::reasons::{REASON_BYTES_MAX, Reason, Reasons};
use secbeat_types::Timestamp;
use std::io;
use std::path::Path;

/// The journal is compacted once it holds this many records more than twice the decisions.
pub const JOURNAL_SLACK: usize = 4096;

#[derive(Debug)]
pub struct Writer {
    /// The number of the next decision.
    pub next_id: u64,
    /// The clock jumped forward to this instant: nothing is made before it.
    pub not_before: Timestamp,
    /// When what ends.
    pub calendar: Calendar,
    reasons: Reasons,
    pub journal: Option<Journal>,
}

impl Writer {
    /// That of decisions in memory alone.
    pub fn new(table: &DecisionTable) -> Self {
        Writer {
            next_id: 1,
            not_before: Timestamp::from_unix_ms(0),
            calendar: Calendar::of(table),
            reasons: Reasons::default(),
            journal: None,
        }
    }

    pub fn is_durable(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_stale())
    }

    pub fn reason(&mut self, text: &str) -> Result<Option<Reason>, PutError> {
        if text.len() > REASON_BYTES_MAX {
            return Err(PutError::ReasonTooLong { bytes: text.len() });
        }
        self.reasons.intern(text).map_err(|_| PutError::ReasonsFull)
    }

    /// Why the records are not on the disk, if they are not.
    pub fn append(&mut self, records: &Batch) -> Option<String> {
        let Some(journal) = &mut self.journal else {
            return Some("there is no data directory".to_owned());
        };
        journal.append(&records.bytes, records.count).err().map(|error| error.to_string())
    }

    /// Begins a new file where the journal is in need of one; `held`: how many decisions there are.
    pub fn begin(&mut self, held: usize) -> Option<io::Result<Draft>> {
        let journal = self.journal.as_mut()?;
        (journal.is_stale() || journal.records() > 2 * held + JOURNAL_SLACK).then(|| journal.begin())
    }

    /// What was appended since.
    pub fn meanwhile(&mut self) -> (Vec<u8>, usize) {
        self.journal.as_mut().map(Journal::meanwhile).unwrap_or_default()
    }

    /// Takes the new file, or goes on with the old one, which is whole unless stale.
    pub fn end(&mut self, draft: io::Result<Draft>) -> io::Result<()> {
        let Some(journal) = &mut self.journal else { return Ok(()) };
        draft.and_then(|draft| journal.adopt(draft)).or_else(|error| {
            journal.abandon();
            if journal.is_stale() { Err(error) } else { Ok(()) }
        })
    }
}

/// Records as they are written.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    count: usize,
}

impl Batch {
    pub fn of<'a>(records: impl IntoIterator<Item = Record<'a>>) -> Self {
        let mut batch = Batch::default();
        records.into_iter().for_each(|record| batch.push(&record));
        batch
    }

    pub fn push(&mut self, record: &Record<'_>) {
        format::encode(record, &mut self.bytes);
        self.count += 1;
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
    /// The decisions in `data_dir` that are in force at `now`, their writer, and warnings.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<(DecisionTable, Writer, Vec<String>), OpenError> {
        let table = DecisionTable::default();
        let mut loading = Loading { table, reasons: Reasons::default(), next_id: 1, shifted_ms: 0 };
        let Opened { journal, warnings } = Journal::open(data_dir, |record| loading.apply(record))?;
        let Loading { mut table, reasons, next_id, shifted_ms } = loading;
        if shifted_ms != 0 {
            table.shift(shifted_ms);
        }
        let mut calendar = Calendar::of(&table);
        for shard in calendar.due(now) {
            table.sweep(shard, now);
            calendar.set(shard, table.first_end_ms(shard));
        }
        let not_before = Timestamp::from_unix_ms(0);
        let writer = Writer { next_id, not_before, calendar, reasons, journal: Some(journal) };
        Ok((table, writer, warnings))
    }

    fn apply(&mut self, record: Record<'_>) {
        match record {
            Record::Put(entry, reason) => {
                self.next_id = entry.number.saturating_add(1).max(self.next_id);
                // What was written had room; should it have none now, the decision is worth more than its reason.
                let reason = self.reasons.intern(reason).unwrap_or_default();
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
