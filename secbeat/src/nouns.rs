//! What an operator speaks of. Each module has its words on the command line, its calls of the node's API, and how it shows the answers.
//!
//! | module | what it is about |
//! | --- | --- |
//! | [`decision`] | who is blocked |
//! | [`allowlist`] | who is let through |
//! | [`rule`] | firewall rules |
//! | [`trial`] | what rules would do with a request |
//! | [`exception`] | matches of rules that do not count |
//! | [`proposal`] | exceptions made from a request that was stopped |
//! | [`event`] | what happened |
//! | [`follow`] | what happens, as it happens |
//! | [`record`] | recorded requests |
//! | [`node`] | the node itself |
//! | [`explain`] | why something was let through or stopped |
//! | [`mod@panic`] | the kill switch |
//! | [`policy`] | the values in force |
//! | [`absent`] | what later versions have |

pub mod absent;
pub mod allowlist;
pub mod decision;
pub mod event;
pub mod exception;
pub mod explain;
pub mod follow;
pub mod node;
pub mod panic;
pub mod policy;
pub mod proposal;
pub mod record;
pub mod rule;
pub mod trial;

use crate::arguments::At;
use crate::failure::Failure;
pub use absent::Absent;
use clap::Subcommand;

/// The commands that call a node's API.
#[derive(Subcommand)]
pub enum Call {
    /// Who is blocked
    Decision(At<decision::Verb>),
    /// Who is let through
    Allowlist(At<allowlist::Verb>),
    /// Firewall rules, and the exceptions from them
    Rule(At<rule::Verb>),
    /// What happened
    Event(At<event::Verb>),
    /// Recorded requests
    Record(At<record::Verb>),
    /// The node itself
    Node(At<node::Verb>),
    /// Why a client or a request was let through or stopped
    Explain(explain::Explain),
    /// The kill switch: let the firewall only log, or not look at all, within a second
    Panic(At<panic::Verb>),
    /// The values in force
    Policy(At<policy::Verb>),
}

/// Makes the call, prints the answer.
pub async fn run(call: Call) -> Result<(), Failure> {
    match call {
        Call::Decision(at) => decision::run(at.target, at.verb).await,
        Call::Allowlist(at) => allowlist::run(at.target, at.verb).await,
        Call::Rule(at) => rule::run(at.target, at.verb).await,
        Call::Event(at) => event::run(at.target, at.verb).await,
        Call::Record(at) => record::run(at.target, at.verb).await,
        Call::Node(at) => node::run(at.target, at.verb).await,
        Call::Explain(asked) => explain::run(asked).await,
        Call::Panic(at) => panic::run(at.target, at.verb).await,
        Call::Policy(at) => policy::run(at.target, at.verb).await,
    }
}
