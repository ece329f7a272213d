//! Why the program ends, and with which status.

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// For people: what, where, and what to do. May be empty where it has been said already.
    pub message: String,
    /// The exit status.
    pub code: u8,
}

impl Failure {
    /// The answer is no. Status 1.
    pub fn no(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 1 }
    }

    /// What was asked for, or the configuration, is at fault. Status 2.
    pub fn usage(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 2 }
    }

    /// The service cannot be reached. Status 3.
    pub fn unreachable(message: impl ToString) -> Self {
        Self { message: message.to_string(), code: 3 }
    }
}
