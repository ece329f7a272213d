//! The one writer of the decision table: in memory, on the disk, and told apart by a generation.

use crate::journal::format::Record;
use crate::journal::{Journal, OpenError, Opened};
use crate::scope::canonical_scope;
use crate::table::DecisionTable;
use arc_swap::{ArcSwap, Guard};
use ipnet::IpNet;
use secbeat_types::{Decision, DecisionKind, Origin, Timestamp};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most decisions that a node holds.
pub const DECISIONS_MAX: usize = 262_144;
/// How many of them only a person can make, so that programs never take the last place.
const RESERVED_FOR_PEOPLE: usize = 16_384;
/// The journal is compacted once it holds this many records more than twice the decisions.
const JOURNAL_SLACK: usize = 4096;

/// A decision to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The addresses concerned.
    pub scope: IpNet,
    /// What is done to them.
    pub kind: DecisionKind,
    /// Who makes it.
    pub origin: Origin,
    /// Why; may be empty.
    pub reason: String,
    /// How long it lasts; `None`: for ever.
    pub duration: Option<Duration>,
    /// How long it waits for somebody to confirm it, and is undone where nobody does; `None`: it is final.
    pub confirm: Option<Duration>,
}

/// What came of a change. It is in force in memory in any case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// What was made or undone.
    pub value: T,
    /// Why it is not on the disk yet; `None`: it is, and survives `kill -9`.
    pub not_durable: Option<String>,
}

impl<T> Written<T> {
    /// Whether it is on the disk.
    pub fn durable(&self) -> bool {
        self.not_durable.is_none()
    }
}

/// Why a decision was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutError {
    /// There are too many.
    Full {
        /// How many there are.
        held: usize,
    },
}

impl fmt::Display for PutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PutError::Full { held } => write!(
                f,
                "{held} decisions are in force, which is all that a node holds ({DECISIONS_MAX}, \
                 {RESERVED_FOR_PEOPLE} of them for people alone); block prefixes in place of addresses, \
                 or remove decisions that are no longer needed"
            ),
        }
    }
}

impl std::error::Error for PutError {}

/// Every decision of a node. Readers take no lock; changes wait for each other and for the disk, so they are made
/// where waiting is fine, never on a data-plane worker.
#[derive(Debug)]
pub struct Decisions {
    table: ArcSwap<DecisionTable>,
    generation: AtomicU64,
    /// What the writer last knew, for readers that must not wait for it.
    durable: AtomicBool,
    writer: Mutex<Writer>,
}

#[derive(Debug)]
struct Writer {
    next_id: u64,
    /// The earliest expiry there is: before it there is nothing to expire.
    next_expiry: Option<Timestamp>,
    journal: Option<Journal>,
}

impl Decisions {
    /// No decisions, kept in memory alone: none is durable.
    pub fn in_memory() -> Self {
        Self::new(DecisionTable::default(), Writer { next_id: 1, next_expiry: None, journal: None })
    }

    /// The decisions in `data_dir` that are in force at `now`, and warnings about what was damaged there, a sentence
    /// each. The directory is made if it is not there, and locked until this value is dropped.
    ///
    /// # Errors
    /// [`OpenError`] where the directory cannot be used or is used by another node.
    pub fn open(data_dir: &Path, now: Timestamp) -> Result<(Self, Vec<String>), OpenError> {
        let Opened { journal, decisions, next_id, mut warnings } = Journal::open(data_dir)?;
        let table = DecisionTable::new(decisions.into_iter().filter(|decision| decision.is_in_force(now)));
        let next_expiry = table.iter().filter_map(|decision| decision.expires_at).min();
        let mut writer = Writer { next_id, next_expiry, journal: Some(journal) };
        if let Err(error) = writer.rewrite(&table) {
            warnings.push(format!(
                "{}: the journal cannot be compacted: {error}; make room on the disk or make it writable",
                data_dir.display()
            ));
        }
        Ok((Self::new(table, writer), warnings))
    }

    fn new(table: DecisionTable, writer: Writer) -> Self {
        let table = ArcSwap::from_pointee(table);
        let durable = AtomicBool::new(writer.is_durable());
        Decisions { table, generation: AtomicU64::new(1), durable, writer: Mutex::new(writer) }
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
    /// [`PutError::Full`], in which case nothing changed.
    pub fn put(&self, new: NewDecision, now: Timestamp) -> Result<Written<Arc<Decision>>, PutError> {
        let mut writer = self.writer();
        let mut table = DecisionTable::clone(&self.table.load());
        let limit = match new.origin {
            Origin::Manual => DECISIONS_MAX,
            Origin::Automatic | Origin::Feed => DECISIONS_MAX - RESERVED_FOR_PEOPLE,
        };
        let decision = Arc::new(Decision {
            id: format!("dec_{}", writer.next_id),
            scope: canonical_scope(new.scope),
            kind: new.kind,
            origin: new.origin,
            reason: new.reason,
            created_at: now,
            expires_at: new.duration.map(|duration| now.after(duration)),
            confirm_by: new.confirm.map(|wait| now.after(wait)),
        });
        let replaced = table.insert(decision.clone());
        if replaced.is_none() && table.len() > limit {
            return Err(PutError::Full { held: table.len() - 1 });
        }
        writer.next_id += 1;
        writer.next_expiry = [writer.next_expiry, decision.expires_at].into_iter().flatten().min();
        self.publish(table);
        let not_durable = writer.append(&Record::Put(Decision::clone(&decision)));
        self.durable.store(writer.is_durable(), Ordering::Release);
        Ok(Written { value: decision, not_durable })
    }

    /// Blocks, as [`put`](Self::put) does, for a person.
    ///
    /// # Errors
    /// [`PutError::Full`], in which case nothing changed.
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

    /// Undoes the decisions of `kind` about exactly `scope`, whoever made them, and returns them; none: nothing
    /// changed.
    pub fn remove(&self, scope: IpNet, kind: DecisionKind) -> Written<Vec<Arc<Decision>>> {
        let scope = canonical_scope(scope);
        let mut writer = self.writer();
        let mut table = DecisionTable::clone(&self.table.load());
        let gone = table.remove(scope, |decision| decision.kind == kind);
        if gone.is_empty() {
            return Written { value: Vec::new(), not_durable: None };
        }
        self.publish(table);
        let mut not_durable = None;
        for decision in &gone {
            let origin = decision.origin;
            not_durable = writer.append(&Record::Remove { scope, kind, origin }).or(not_durable);
        }
        self.durable.store(writer.is_durable(), Ordering::Release);
        Written { value: gone.into_vec(), not_durable }
    }

    /// Takes out what has expired by `now`, and returns it. To be called each second; costs nothing until the
    /// earliest expiry is due.
    pub fn expire(&self, now: Timestamp) -> Vec<Arc<Decision>> {
        let mut writer = self.writer();
        if writer.next_expiry.is_none_or(|due| now < due) {
            return Vec::new();
        }
        let old = self.table.load();
        let due: Vec<Arc<Decision>> = old.iter().filter(|d| !d.is_in_force(now)).cloned().collect();
        let mut table = DecisionTable::clone(&old);
        for decision in &due {
            table.remove(decision.scope, |d| d.id == decision.id);
        }
        writer.next_expiry = table.iter().filter_map(|decision| decision.expires_at).min();
        if !due.is_empty() {
            self.publish(table);
        }
        due
    }

    /// Makes good a write that failed, and compacts the journal when it has grown. To be called each second.
    ///
    /// # Errors
    /// The disk's, while decisions are in force that are not on it.
    pub fn flush_pending(&self) -> io::Result<()> {
        let mut writer = self.writer();
        let table = self.table.load();
        let Some(journal) = &writer.journal else { return Ok(()) };
        let stale = journal.is_stale();
        if !stale && journal.records() <= 2 * table.len() + JOURNAL_SLACK {
            return Ok(());
        }
        // Compaction that finds no room leaves the old file as it is, and that one is whole unless stale.
        let rewritten = writer.rewrite(&table).or_else(|error| if stale { Err(error) } else { Ok(()) });
        self.durable.store(writer.is_durable(), Ordering::Release);
        rewritten
    }

    /// Whether every decision was on the disk when the last change ended. Never waits for the disk.
    pub fn is_durable(&self) -> bool {
        self.durable.load(Ordering::Acquire)
    }

    fn publish(&self, table: DecisionTable) {
        self.table.store(Arc::new(table));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// A panic elsewhere leaves the writer whole: each change of it is one assignment.
    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn is_durable(&self) -> bool {
        self.journal.as_ref().is_some_and(|journal| !journal.is_stale())
    }

    /// Why `record` is not on the disk, if it is not.
    fn append(&mut self, record: &Record) -> Option<String> {
        match &mut self.journal {
            Some(journal) => journal.append(record).err().map(|error| error.to_string()),
            None => Some("there is no data directory".to_owned()),
        }
    }

    fn rewrite(&mut self, table: &DecisionTable) -> io::Result<()> {
        match &mut self.journal {
            Some(journal) => journal.rewrite(self.next_id, table.iter().map(Arc::as_ref)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
