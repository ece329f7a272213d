use crate::section::section;
use std::path::PathBuf;

section! {
    /// The OWASP Core Rule Set, 3.3 or 4, as it is published. Read again at every reload.
    Crs = "waf.crs" {
        /// Whether it runs, beside the JSON rules.
        enable: bool = false;
        /// The folder of its rules, `*.conf` with their data files; or the folder above, with `rules/` and `plugins/` in it.
        /// Not given: that of Debian's package `modsecurity-crs`.
        path: Option<PathBuf> = None;
        /// Its `crs-setup.conf`. Not given: beside the rules or above them, or that of Debian's package.
        setup: Option<PathBuf> = None;
        /// The paranoia level that blocks: 1 finds the plain attacks, 4 the most and the most that is none. Not given: what
        /// `setup` says, or 1.
        paranoia_level: Option<u32> = None => range(1.0, 4.0);
        /// The paranoia level whose rules also run, and only log. Not given: what `setup` says, or as `paranoia_level`.
        detection_paranoia_level: Option<u32> = None => range(1.0, 4.0);
        /// The anomaly score from which a request is stopped; a critical match counts 5. Not given: what `setup` says, or 5.
        inbound_threshold: Option<u32> = None => range(1.0, 100_000.0);
        /// The anomaly score from which an answer is stopped. Not given: what `setup` says, or 4.
        outbound_threshold: Option<u32> = None => range(1.0, 100_000.0);
    }
}
