use crate::section::section;
use std::path::PathBuf;

section! {
    /// The answers that the node makes itself. In a template `{status}`, `{reason}`, `{request_id}` and `{message}` are
    /// replaced, escaped for HTML or JSON. Each must hold `{request_id}`, by which a request is found again. Templates are read at
    /// the start and at every reload, 64 KiB at most.
    ErrorPages = "error_pages" {
        /// The page for clients that take HTML. Not given: the built-in one.
        html: Option<PathBuf> = None;
        /// The document for all others. Not given: the built-in one.
        json: Option<PathBuf> = None;
    }
}
