//! What a match does that stops nothing, compiled.

use crate::target::Target;
use crate::text::{Operand, Text};
use secbeat_pattern::RuleBits;
use secbeat_seclang::{EngineMode, Variable};
use std::sync::Arc;

/// `setvar`.
#[derive(Debug)]
pub struct SetVar {
    /// What is set.
    pub place: Place,
    /// What is done to it.
    pub change: Change,
}

/// What `setvar` sets.
#[derive(Debug)]
pub enum Place {
    /// A variable of TX, by its word.
    Tx(u32),
    /// A variable of TX with a name made while rules run.
    TxMade(Text),
    /// An entry of a persistent collection.
    Kept(Variable, Text),
}

/// What `setvar` does.
#[derive(Debug)]
pub enum Change {
    /// `=value`.
    Set(Operand),
    /// `=+value`.
    Add(Operand),
    /// `=-value`.
    Subtract(Operand),
    /// `!name`.
    Unset,
}

/// All else.
#[derive(Debug)]
pub enum Step {
    /// `expirevar`: collection, name, seconds.
    Expire(Variable, Text, Operand),
    /// `initcol`, `setuid`, `setsid`, `setrsc`: opens a persistent collection under a key.
    Open(Variable, Text),
    /// `setenv`: name and value.
    SetEnv(Text, Text),
    /// `ctl` of the settings.
    Ctl(Ctl),
    /// `ctl:ruleRemove…`.
    Remove(RuleBits),
    /// `ctl:ruleRemoveTarget…`, by number in the program.
    RemoveTarget(u32),
    /// `sanitise…`.
    Sanitise(Variable, Option<Arc<str>>),
}

/// A setting that `ctl` changes.
#[derive(Debug)]
#[allow(missing_docs)] // As in `secbeat_seclang::Ctl`.
pub enum Ctl {
    AuditEngine(EngineMode),
    AuditLogParts(Arc<str>),
    ForceRequestBody(bool),
    RequestBodyAccess(bool),
    RequestBodyLimit(u64),
    RequestBodyProcessor(Arc<str>),
    ResponseBodyAccess(bool),
    ResponseBodyLimit(u64),
    RuleEngine(EngineMode),
}

/// A target that rules may be told not to look at.
#[derive(Debug)]
pub struct Exclusion {
    /// Which rules.
    pub rules: RuleBits,
    /// What they do not look at then.
    pub target: Target,
}
