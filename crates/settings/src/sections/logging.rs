use crate::choice::{Format, Level};
use crate::section::section;
use std::path::PathBuf;

section! {
    /// The log: one line an event.
    Logging = "logging" {
        /// The least important level that is written. `RUST_LOG` takes one level; its per-module directives
        /// (`hyper=debug`) are ignored with a warning.
        level: Level = Level::Info => alias("RUST_LOG");
        /// `json` for machines, `pretty` for people, `ecs` for the Elastic Common Schema.
        format: Format = Format::Json;
        /// The file that is written, opened again at every reload. Not given: standard error.
        file: Option<PathBuf> = None;
        /// Lines about attacks and limits written each second, of each `event`; what is beyond is counted and told in one line.
        lines_per_second: u32 = 1000 => unit("lines/s"), range(1.0, 1_000_000.0);
    }
}
