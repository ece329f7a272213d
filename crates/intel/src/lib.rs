//! What the node knows about addresses: who is blocked or allowed, and who asks too often.
//!
//! | module | idea |
//! | --- | --- |
//! | [`precedence`] | which of several decisions about one address is in force |
//! | [`scope`] | the prefix that a text such as `192.0.2.7` or `2001:db8::/32` stands for |
//! | [`table`] | the immutable table that each connection and request is looked up in |
//! | [`decisions`] | the one writer of that table |
//! | [`journal`] | what makes a decision survive the process |
//! | [`guard`] | whom a block would hit that must not be hit |
//! | [`clock`] | wall time that no jump of the machine's clock moves |
//! | [`rate`] | requests per second and client, in a fixed number of bytes |
//!
//! Time is an argument: no clock is read here but in [`Reading::take`] and [`SteadyClock::now`]. Nothing on the path of a request takes a lock.

pub mod clock;
pub mod decisions;
pub mod guard;
pub mod journal;
pub mod precedence;
pub mod rate;
pub mod scope;
pub mod table;

pub use clock::{Reading, SteadyClock};
pub use decisions::{Decisions, NewDecision, PutError, Written};
pub use guard::{Conflict, Protected, conflicts};
pub use journal::OpenError;
pub use precedence::{Precedence, decide};
pub use rate::{Rate, RateTable, RetryAfter};
pub use scope::{canonical_scope, parse_scope};
pub use table::DecisionTable;
