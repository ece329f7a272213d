//! What goes into a change of the decisions, and what comes of it.

use crate::table::reasons::REASON_BYTES_MAX;
use ipnet::IpNet;
use secbeat_types::{Decision, DecisionKind, Origin};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The most decisions that a node holds.
pub const DECISIONS_MAX: usize = 1_048_576;
/// How many of them only a person can make, so that programs never take the last place.
pub const RESERVED_FOR_PEOPLE: usize = 16_384;

/// A decision to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDecision {
    /// The addresses concerned.
    pub scope: IpNet,
    /// What is done to them.
    pub kind: DecisionKind,
    /// Who makes it.
    pub origin: Origin,
    /// Why; may be empty, and has at most 4096 bytes. Where the reasons in use leave no room for another, 32 MiB, the decision is
    /// made without.
    pub reason: String,
    /// How long it lasts, to the second; `None`: for ever.
    pub duration: Option<Duration>,
    /// How long it waits for somebody to confirm it, to the second and at most 18 hours, and is undone where nobody does;
    /// `None`: it is final. Until then the older decision that it will replace stands beside it.
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

    /// The same about something else.
    pub fn map<U>(self, about: impl FnOnce(T) -> U) -> Written<U> {
        Written { value: about(self.value), not_durable: self.not_durable }
    }
}

/// What has expired.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expired {
    /// The first of it, [`TOLD_MAX`](Self::TOLD_MAX) at the most.
    pub decisions: Vec<Arc<Decision>>,
    /// How much more there was.
    pub more: usize,
}

impl Expired {
    /// How many are told one by one: a list of a million that ends in one second is not told a million times.
    pub const TOLD_MAX: usize = 1000;
}

/// Why a decision was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutError {
    /// There are too many.
    Full {
        /// How many there are.
        held: usize,
    },
    /// A reason is too long.
    ReasonTooLong {
        /// How long it is, in bytes.
        bytes: usize,
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
            PutError::ReasonTooLong { bytes } => {
                write!(f, "the reason has {bytes} bytes, expected at most {REASON_BYTES_MAX}; shorten it")
            }
        }
    }
}

impl std::error::Error for PutError {}
