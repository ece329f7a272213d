//! What the node knows about addresses: who is blocked or allowed, who asks too often, and who is connected.
//!
//! | module | idea |
//! | --- | --- |
//! | [`precedence`] | which of several decisions about one address is in force |
//! | [`scope`] | the prefix that a text such as `192.0.2.7` or `2001:db8::/32` stands for |
//! | [`table`] | the immutable table that each connection and request is looked up in |
//! | [`decisions`] | the one writer of that table |
//! | [`journal`] | what makes a decision survive the process |
//! | [`guard`] | whom a block would hit that must not be hit |
//! | [`backoff`] | how long a disk that has refused is left alone |
//! | [`clock`] | wall time that no jump of the machine's clock moves |
//! | [`rate`] | request rates of any number of limits and keys, in a bounded number of bytes |
//! | [`connections`] | the open connections of each client |
//!
//! Time is an argument: no clock is read here but in [`Reading::take`] and [`SteadyClock::now`]. Nothing on the path of a
//! request takes a lock.

pub mod backoff;
pub mod clock;
pub mod connections;
pub mod decisions;
pub mod guard;
pub mod journal;
pub mod precedence;
pub mod rate;
pub mod scope;
pub mod table;

pub use backoff::Backoff;
pub use clock::{Reading, SteadyClock};
pub use connections::{Connections, CountedConnection, TooMany};
pub use decisions::{DECISIONS_MAX, Decisions, Expired, NewDecision, PutError, Written};
pub use guard::{Conflict, Protected, conflicts};
pub use journal::OpenError;
pub use precedence::{Precedence, decide};
pub use rate::{Rate, RateKey, RateTable, RetryAfter, Usage};
pub use scope::{canonical_scope, parse_scope};
pub use table::{DecisionTable, Found, Page};
