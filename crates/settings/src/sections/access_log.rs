use crate::choice::AccessFormat;
use crate::section::section;
use std::path::PathBuf;

section! {
    /// A line for each request, in a file beside the log.
    AccessLog = "access_log" {
        /// Whether it is written.
        enable: bool = false;
        /// `json`: one object a line; `combined`: as Apache and nginx write it, with the request's id at the end.
        format: AccessFormat = AccessFormat::Json;
        /// The file, opened again at every reload.
        file: PathBuf = PathBuf::from("logs/access.log");
    }
}
