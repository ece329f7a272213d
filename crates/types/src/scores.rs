//! Anomaly scores: what the matches of a request come to, and how much is too much.

use serde::{Deserialize, Serialize};

/// The scores of a request and of its answer, as a rule set that scores (the OWASP Core Rule Set) has added them up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Of the request.
    pub inbound: i64,
    /// From here on the request is stopped.
    pub inbound_threshold: i64,
    /// Of the answer.
    pub outbound: i64,
    /// From here on the answer is stopped.
    pub outbound_threshold: i64,
}
