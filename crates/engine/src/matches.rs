//! What rules say of a transaction.

/// One rule that matched, with all that its log line says. Rules that neither log nor audit nor stop anything leave no
/// match, only their number in [`crate::Transaction::trail`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The rule, by its number in [`crate::Program::rules`].
    pub rule: u32,
    /// What matched last, as SecLang writes it: `ARGS:foo`. Empty: a `SecAction`.
    pub variable: String,
    /// Its value as it matched, that is transformed; the first 512 bytes.
    pub value: Vec<u8>,
    /// The transformations between the value as it came and as it matched, by name, those that changed nothing left out.
    pub transformations: Vec<&'static str>,
    /// `msg`, expanded.
    pub message: String,
    /// `logdata`, expanded.
    pub data: String,
    /// Whether the rule wants to be logged.
    pub log: bool,
    /// Whether the rule wants to be audited.
    pub audit: bool,
    /// Whether the rule stops a request (in mode `On`).
    pub disruptive: bool,
}
