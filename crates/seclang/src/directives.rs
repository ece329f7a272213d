//! What the directives say that are no rules.

use std::sync::Arc;

/// Whether rules act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineMode {
    /// They act.
    #[default]
    On,
    /// They run and tell, nothing stops.
    DetectionOnly,
    /// They do not run. Of the audit engine: `Off`; `RelevantOnly` is read as [`EngineMode::DetectionOnly`].
    Off,
}

/// What a directive says that is no rule; `None`: nothing said.
#[derive(Debug, Clone, Default)]
pub struct Directives {
    /// `SecRuleEngine`.
    pub rule_engine: Option<EngineMode>,
    /// `SecRequestBodyAccess`.
    pub request_body_access: Option<bool>,
    /// `SecRequestBodyLimit`, bytes.
    pub request_body_limit: Option<u64>,
    /// `SecRequestBodyNoFilesLimit`, bytes.
    pub request_body_no_files_limit: Option<u64>,
    /// `SecRequestBodyLimitAction Reject`.
    pub request_body_limit_rejects: Option<bool>,
    /// `SecRequestBodyJsonDepthLimit`.
    pub json_depth_max: Option<u32>,
    /// `SecArgumentsLimit`.
    pub arguments_max: Option<u32>,
    /// `SecArgumentSeparator`.
    pub argument_separator: Option<u8>,
    /// `SecUploadFileLimit`: the files of one request.
    pub upload_files_max: Option<u32>,
    /// `SecResponseBodyAccess`.
    pub response_body_access: Option<bool>,
    /// `SecResponseBodyLimit`, bytes.
    pub response_body_limit: Option<u64>,
    /// `SecResponseBodyLimitAction Reject`.
    pub response_body_limit_rejects: Option<bool>,
    /// `SecResponseBodyMimeType`, in lower case.
    pub response_mime_types: Option<Vec<Arc<str>>>,
    /// `SecCollectionTimeout`, seconds.
    pub collection_timeout_s: Option<u64>,
    /// `SecAuditEngine`.
    pub audit_engine: Option<EngineMode>,
    /// `SecAuditLog`, a path.
    pub audit_log: Option<Arc<str>>,
    /// `SecAuditLogParts`.
    pub audit_log_parts: Option<Arc<str>>,
    /// `SecAuditLogRelevantStatus`, an expression.
    pub audit_log_relevant_status: Option<Arc<str>>,
    /// `SecComponentSignature`, in order.
    pub component_signatures: Vec<Arc<str>>,
    /// `SecUnicodeMapFile`: the code page (20127 by default); only that one is built in.
    pub unicode_code_page: Option<u32>,
    /// `SecWebAppId`.
    pub webapp_id: Option<Arc<str>>,
    /// `SecServerSignature`.
    pub server_signature: Option<Arc<str>>,
}
