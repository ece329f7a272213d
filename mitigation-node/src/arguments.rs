//! The command line.

use clap::Parser;
use std::path::PathBuf;

/// The edge of SecBeat: stands before a site, keeps attacks out and says why.
#[derive(Parser)]
#[command(version, about)]
pub struct Arguments {
    /// The configuration file.
    #[arg(value_name = "FILE", env = "MITIGATION_CONFIG", default_value = "config/production.toml")]
    pub config: PathBuf,

    /// Set one key for this start, over file and environment.
    #[arg(long = "set", value_name = "SECTION.KEY=VALUE")]
    pub sets: Vec<String>,

    /// Check the configuration, its rules and its certificate, and start nothing.
    #[arg(long)]
    pub validate_config: bool,

    /// Stop when standard input ends: for a parent that starts nodes and must not leave them behind.
    #[arg(long)]
    pub stop_with_parent: bool,
}
