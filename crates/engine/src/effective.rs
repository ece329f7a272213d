//! What holds for this transaction: the directives, and what `ctl` made of them.

use secbeat_seclang::{Directives, EngineMode};
use std::sync::Arc;

/// The settings of a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    /// `SecRuleEngine`, `ctl:ruleEngine`.
    pub engine: EngineMode,
    /// `SecAuditEngine`, `ctl:auditEngine`.
    pub audit_engine: EngineMode,
    /// `ctl:auditLogParts`, as written and in order.
    pub audit_log_parts: Vec<Arc<str>>,
    /// `ctl:requestBodyProcessor`, in upper case; none: the content type decides.
    pub request_body_processor: Option<Arc<str>>,
    /// `SecRequestBodyAccess`, `ctl:requestBodyAccess`.
    pub request_body_access: bool,
    /// `ctl:forceRequestBodyVariable`.
    pub force_request_body: bool,
    /// `SecRequestBodyLimit`, `ctl:requestBodyLimit`, bytes.
    pub request_body_limit: Option<u64>,
    /// `SecResponseBodyAccess`, `ctl:responseBodyAccess`.
    pub response_body_access: bool,
    /// `SecResponseBodyLimit`, `ctl:responseBodyLimit`, bytes.
    pub response_body_limit: Option<u64>,
}

impl Effective {
    /// What the directives say. Without `SecRuleEngine` rules act; without `SecAuditEngine` what is relevant is audited.
    pub fn of(directives: &Directives) -> Effective {
        Effective {
            engine: directives.rule_engine.unwrap_or(EngineMode::On),
            audit_engine: directives.audit_engine.unwrap_or(EngineMode::DetectionOnly),
            request_body_access: directives.request_body_access.unwrap_or(false),
            request_body_limit: directives.request_body_limit,
            response_body_access: directives.response_body_access.unwrap_or(false),
            response_body_limit: directives.response_body_limit,
            ..Effective::default()
        }
    }
}
