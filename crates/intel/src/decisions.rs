//! The one writer of the decision table: in memory, on the disk, and told apart by a generation.

mod calendar;
mod model;
mod store;
mod writer;

use crate::backoff::Backoff;
use crate::clock::{Reading, SteadyClock};
use crate::journal::OpenError;
use crate::journal::format::Record;
use crate::scope::canonical_scope;
use crate::table::DecisionTable;
use crate::table::entry::{Entry, Prefix, Slot, number_of};
use arc_swap::{ArcSwap, Guard};
use ipnet::IpNet;
pub use model::{DECISIONS_MAX, Expired, NewDecision, PutError, RESERVED_FOR_PEOPLE, Written};
use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::{Batch, Store, Ticket};
use writer::{Loading, Writer};

/// Every decision of a node. Readers take no lock. A change is in force at once, and then waits for the disk, for five seconds at
/// the most: changes are made where waiting is fine, never on a data-plane worker.
#[derive(Debug)]
pub struct Decisions {
    table: ArcSwap<DecisionTable>,
    generation: AtomicU64,
    /// Held while memory is changed; never across a wait for the disk.
    writer: Mutex<Writer>,
    /// `None`: in memory alone.
    store: Option<Arc<Store>>,
    /// Held while the journal is made good or compacted: one at a time.
    repair: Mutex<Backoff>,
}

impl Drop for Decisions {
    fn drop(&mut self) {
        if let Some(store) = &self.store {
            store.stop();
        }
    }
}

impl Decisions {
    /// No decisions, kept in memory alone: none is durable.
    pub fn in_memory() -> Self {
        let table = DecisionTable::default();
        let writer = Writer::new(&table);
        Self::new(table, writer, None)
    }

    /// The decisions in `data_dir` that are in force at `now`, and warnings about what was damaged there, a sentence
    /// each. The directory is made if it is not there, and locked until this value is dropped.
    ///
    /// # Errors
    /// [`OpenError`] where the directory cannot be used or is used by another node.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<(Self, Vec<String>), OpenError> {
        let (table, writer, journal, mut warnings) = Loading::open(data_dir, now)?;
        let decisions = Self::new(table, writer, Some(Arc::new(Store::new(journal))));
        if let Err(error) = decisions.flush_pending() {
            warnings.push(format!(
                "{}: the journal cannot be written: {error}; make room on the disk or make it writable",
                data_dir.display()
            ));
        }
        Ok((decisions, warnings))
    }

    fn new(table: DecisionTable, writer: Writer, store: Option<Arc<Store>>) -> Self {
        let (table, writer) = (ArcSwap::from_pointee(table), Mutex::new(writer));
        Decisions { table, generation: AtomicU64::new(1), writer, store, repair: Mutex::default() }
    }

    /// The table now, for a lookup or two. Cheap; not to be held across a wait.
    pub fn current(&self) -> Guard<Arc<DecisionTable>> {
        self.table.load()
    }

    /// The table now, to keep.
    pub fn snapshot(&self) -> Arc<DecisionTable> {
        self.table.load_full()
    }

    /// The cell that holds the table, for an [`arc_swap::Cache`] in each worker.
    pub fn cell(&self) -> &ArcSwap<DecisionTable> {
        &self.table
    }

    /// A number that grows with every change. Whoever keeps a connection open looks its client up again once the
    /// number is another one. (A decision that expires by itself counts from the second in which it is swept out.)
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Makes a decision at `now`, in place of one about the same prefix of the same kind and origin. It is in force
    /// in memory before this returns, and on the disk unless the answer says otherwise.
    ///
    /// # Errors
    /// [`PutError`], in which case nothing changed.
    pub fn put(&self, new: NewDecision, now: Timestamp) -> Result<Written<Arc<Decision>>, PutError> {
        let mut made = None;
        let written = self.make([new], now, |entry| made = Some(entry.clone()))?;
        let made = made.ok_or_else(|| PutError::Full { held: self.current().len() })?;
        Ok(written.map(|_| Arc::new(made.decision())))
    }

    /// Makes many decisions at once, as [`put`](Self::put) does, and returns the numbers in their ids, which are in the
    /// order given. They come into force together, and are synced together.
    ///
    /// # Errors
    /// [`PutError`], in which case nothing changed.
    pub fn put_many(&self, new: Vec<NewDecision>, now: Timestamp) -> Result<Written<Range<u64>>, PutError> {
        self.make(new, now, |_| ())
    }

    fn make(
        &self,
        new: impl IntoIterator<Item = NewDecision>,
        now: Timestamp,
        mut tell: impl FnMut(&Entry),
    ) -> Result<Written<Range<u64>>, PutError> {
        let mut writer = self.writer();
        let mut table = DecisionTable::clone(&self.table.load());
        let made_at = now.max(writer.not_before);
        let first = writer.next_id;
        let (mut number, mut records) = (first, Batch::default());
        for new in new {
            let limit = match new.origin {
                Origin::Manual => DECISIONS_MAX,
                Origin::Automatic | Origin::Feed => DECISIONS_MAX - RESERVED_FOR_PEOPLE,
            };
            let prefix = Prefix::of(canonical_scope(new.scope));
            let slot = Slot { prefix, kind: new.kind, origin: new.origin };
            let entry = Entry::new(slot, number, made_at).lasting(new.duration).waiting(new.confirm);
            let entry = Entry { reason: writer.reason(&new.reason)?, ..entry };
            records.push(&Record::Put(entry.clone(), ""));
            tell(&entry);
            writer.calendar.note(table.shard_of(prefix), entry.ends_ms());
            let before = table.len();
            table.insert(entry);
            match table.len() > before {
                true if table.len() > limit => {
                    writer.release_reasons();
                    return Err(PutError::Full { held: self.table.load().len() });
                }
                true => {}
                false => writer.release_reasons(),
            }
            number += 1;
        }
        writer.next_id = number;
        let ticket = self.publish(table, &records);
        drop(writer);
        Ok(self.written(ticket, first..number))
    }

    /// Blocks, as [`put`](Self::put) does, for a person.
    ///
    /// # Errors
    /// [`PutError`], in which case nothing changed.
    pub fn block(
        &self,
        scope: IpNet,
        duration: Option<Duration>,
        reason: impl Into<String>,
        now: Timestamp,
    ) -> Result<Written<Arc<Decision>>, PutError> {
        let (kind, origin) = (DecisionKind::Block, Origin::Manual);
        self.put(NewDecision { scope, kind, origin, reason: reason.into(), duration, confirm: None }, now)
    }

    /// Makes the decision of this id final, in place of the older one beside it. `None`: none of this id waits for that
    /// at `now`, and nothing changed.
    pub fn confirm(&self, id: &str, now: Timestamp) -> Option<Written<Arc<Decision>>> {
        let number = number_of(id)?;
        let mut writer = self.writer();
        let held = self.table.load();
        let waiting = |entry: &&Entry| entry.number == number && entry.is_waiting();
        let mut entry = held.entries().find(waiting)?.clone();
        if entry.ends_ms() <= now.unix_ms() {
            return None;
        }
        entry.confirm_s = 0;
        let mut table = DecisionTable::clone(&held);
        table.insert(entry.clone());
        writer.release_reasons();
        let ticket = self.publish(table, &Batch::of([Record::Confirm(entry.slot())]));
        drop(writer);
        Some(self.written(ticket, Arc::new(entry.decision())))
    }

    /// Undoes the decisions of `kind` about exactly `scope`, whoever made them, and returns them; none: nothing
    /// changed.
    pub fn remove(&self, scope: IpNet, kind: DecisionKind) -> Written<Vec<Arc<Decision>>> {
        let prefix = Prefix::of(canonical_scope(scope));
        let mut writer = self.writer();
        let mut table = DecisionTable::clone(&self.table.load());
        let gone = table.remove(prefix, |entry| entry.kind() == kind);
        if gone.is_empty() {
            return Written { value: Vec::new(), not_durable: None };
        }
        writer.release_reasons();
        let ticket = self.publish(table, &Batch::of(gone.iter().map(|entry| Record::Remove(entry.slot()))));
        drop(writer);
        self.written(ticket, gone.iter().map(|entry| Arc::new(entry.decision())).collect())
    }

    /// Takes out what has expired by `now`, and returns it. To be called each second; costs next to nothing until
    /// something is due.
    pub fn expire(&self, now: Timestamp) -> Expired {
        let mut writer = self.writer();
        let due = writer.calendar.due(now);
        let mut expired = Expired::default();
        if due.is_empty() {
            return expired;
        }
        let mut table = DecisionTable::clone(&self.table.load());
        let before = table.len();
        for shard in due {
            for entry in table.sweep(shard, now) {
                match expired.decisions.len() < Expired::TOLD_MAX {
                    true => expired.decisions.push(Arc::new(entry.decision())),
                    false => expired.more += 1,
                }
            }
            writer.calendar.set(shard, table.first_end_ms(shard));
        }
        if table.len() != before {
            writer.release_reasons();
            self.put_in_force(table);
        }
        expired
    }

    /// Moves every decision, and `clock`, where `reading` shows that the machine's clock was set: by how many
    /// milliseconds, forward where positive. To be called each second. No decision ends early meanwhile: going forward
    /// the decisions move first, going back the clock does.
    pub fn follow(&self, clock: &SteadyClock, reading: Reading) -> Option<Written<i64>> {
        let jump = clock.jump(reading)?;
        let mut writer = self.writer();
        if jump < 0 {
            clock.shift(jump);
        }
        let mut table = DecisionTable::clone(&self.table.load());
        table.shift(jump);
        writer.calendar.shift(jump);
        let ticket = self.publish(table, &Batch::of([Record::Shift(jump)]));
        if jump > 0 {
            clock.shift(jump);
        }
        // Who read the clock before a jump forward and comes in behind it has made his decision now, not long ago.
        writer.not_before = match jump > 0 {
            true => clock.at(reading.steady_ms),
            false => Timestamp::from_unix_ms(0),
        };
        drop(writer);
        Some(self.written(ticket, jump))
    }

    /// Makes good a write that failed, and compacts the journal when it has grown. To be called each second, from where a disk that
    /// hangs holds up nothing else. Changes go on meanwhile.
    ///
    /// # Errors
    /// The disk's: decisions are in force that are not on it, or, where [`is_durable`](Self::is_durable), the journal grows. It is
    /// told when a new file was tried, which is ever seldomer, once in a minute at last.
    pub fn flush_pending(&self) -> io::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let mut backoff = self.repair.lock().unwrap_or_else(PoisonError::into_inner);
        let mended = if store.has_failed() { store.write() } else { Ok(()) };
        if mended.is_ok() && !store.is_to_be_rewritten(self.table.load().len()) {
            backoff.note(true);
            return Ok(());
        }
        if backoff.is_resting() {
            return Ok(());
        }
        let outcome = match mended {
            // A new file takes more room than what waits.
            Err(error) if error.kind() == io::ErrorKind::StorageFull => Err(error),
            _ => self.rewrite(store),
        };
        backoff.note(outcome.is_ok());
        outcome
    }

    /// Writes the journal anew.
    fn rewrite(&self, store: &Store) -> io::Result<()> {
        let mut draft = store.begin()?;
        let (table, next_id) = {
            let writer = self.writer();
            store.collect();
            (self.table.load_full(), writer.next_id)
        };
        let written = draft.write(next_id, table.entries()).and_then(|()| {
            let meanwhile = store.meanwhile()?;
            draft.add(&meanwhile.bytes, meanwhile.count)
        });
        store.adopt(written.map(|()| draft))
    }

    /// Whether every decision that was answered is on the disk. Never waits for the disk.
    pub fn is_durable(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.is_durable())
    }

    fn put_in_force(&self, table: DecisionTable) {
        self.table.store(Arc::new(table));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Puts the table in force, and the records that lead to it in the queue for the disk. To be called by who holds the writer:
    /// what is in force first is written first.
    fn publish(&self, table: DecisionTable, records: &Batch) -> Option<Ticket> {
        self.put_in_force(table);
        self.store.as_ref().map(|store| store.enqueue(records))
    }

    /// Waits for the disk to have what is in force already.
    fn written<T>(&self, ticket: Option<Ticket>, value: T) -> Written<T> {
        let not_durable = match (&self.store, ticket) {
            (Some(store), Some(ticket)) => store.wait(ticket),
            _ => Some("there is no data directory".to_owned()),
        };
        Written { value, not_durable }
    }

    /// A panic elsewhere leaves the writer whole: each change of it is one assignment.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
