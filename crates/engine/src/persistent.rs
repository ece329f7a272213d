//! What outlives a transaction: the collections `IP`, `GLOBAL`, `SESSION`, `USER`, `RESOURCE`.

use secbeat_seclang::Variable;

/// One entry of a collection as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, in lower case.
    pub name: Vec<u8>,
    /// Its value.
    pub value: Vec<u8>,
    /// When it ends, in milliseconds since 1970; `u64::MAX`: not by itself.
    pub expires_ms: u64,
}

/// What a transaction did to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its name, in lower case.
    pub name: Vec<u8>,
    /// What was done.
    pub change: Change,
    /// A new end, in milliseconds since 1970, if one was set.
    pub expires_ms: Option<u64>,
}

/// What was done to an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It has this value now, and no end but that of its collection.
    Set(Vec<u8>),
    /// This was added to it, so that requests at the same time lose no count.
    Add(i64),
    /// It is gone.
    Unset,
    /// Nothing but its end.
    Keep,
}

/// Where collections are kept.
pub trait Collections: Sync {
    /// What is kept under this key and has not ended.
    fn load(&self, collection: Variable, key: &[u8], now_ms: u64) -> Vec<Entry>;
    /// Writes what a transaction changed.
    fn store(&self, collection: Variable, key: &[u8], now_ms: u64, changes: &[Changed]);
}
