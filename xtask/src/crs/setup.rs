//! The settings under which the cases run.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// How the rule set is run.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    /// The paranoia level, 1 to 4.
    pub paranoia: u8,
    /// Whether what reaches the threshold is stopped; otherwise rules only log.
    pub blocking: bool,
}

/// Writes a setup file into `folder`: `setup` as it is, and behind it one action that sets what the cases take for granted. The limits
/// are those that the documentation of CRS gives for its test rule 900005.
pub fn write(setup: &Path, folder: &Path, mode: Mode) -> Result<PathBuf, String> {
    let mut text = std::fs::read_to_string(setup).map_err(|error| format!("{}: {error}", setup.display()))?;
    let level = mode.paranoia;
    text.push_str("\nSecAction \"id:900005,phase:1,nolog,pass,t:none");
    if !mode.blocking {
        text.push_str(",\\\n    ctl:ruleEngine=DetectionOnly");
    }
    let numbers = [
        ("arg_name_length", 100),
        ("arg_length", 400),
        ("total_arg_length", 64_000),
        ("max_num_args", 255),
        ("max_file_size", 64_100),
        ("combined_file_sizes", 65_535),
        ("crs_validate_utf8_encoding", 1),
    ];
    // Each level by its name in CRS 3 and in CRS 4.
    let levels =
        ["paranoia_level", "executing_paranoia_level", "blocking_paranoia_level", "detection_paranoia_level"];
    let variables = levels.iter().map(|name| (*name, u32::from(level))).chain(match mode.blocking {
        // What a site that blocks has: the setup file's own limits.
        true => Vec::new(),
        false => numbers.to_vec(),
    });
    for (name, value) in variables {
        // Writing to a string does not fail.
        let _ = write!(text, ",\\\n    setvar:tx.{name}={value}");
    }
    text.push_str("\"\n");
    let path = folder.join("setup.conf");
    std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}
