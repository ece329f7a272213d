//! What stops a transaction.

/// The end of a transaction, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intervention {
    /// The rule that says so, by its number in [`crate::Program::rules`]; none where the budget was used up.
    pub rule: Option<u32>,
    /// What is to be done.
    pub kind: Kind,
    /// The status of the answer.
    pub status: u16,
}

/// What is to be done with a request that was stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// It is answered with the status.
    Deny,
    /// The connection is closed.
    Drop,
    /// It is sent elsewhere.
    Redirect(String),
    /// The work that a request may cost is used up; what becomes of it is for the operator to say.
    Budget,
}
