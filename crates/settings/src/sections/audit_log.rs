use crate::section::section;
use std::path::PathBuf;

section! {
    /// What SecLang rules found in a request, whole, a JSON object a line, in a file beside the log.
    AuditLog = "audit_log" {
        /// Whether it is written. What is written: requests that a rule stopped, or that a rule with `auditlog` matched.
        enable: bool = false;
        /// The file, opened again at every reload.
        file: PathBuf = PathBuf::from("logs/audit.log");
    }
}
