//! How long the Core Rule Set takes to be read and compiled: what it adds to a check of the configuration.

use std::path::Path;
use std::time::Instant;

use crate::Outcome;
use crate::crs::ways::RULES;
use crate::peers::{Setup, secbeat};
use crate::process::Cores;

/// How often.
const TURNS: u32 = 15;

/// What it adds, milliseconds.
pub fn measure(dir: &Path) -> Outcome<Vec<f64>> {
    let mut added = Vec::new();
    for turn in 0..TURNS + 1 {
        let without = validate(dir, "enable = true")?;
        let crs = format!("enable = true\n[waf.crs]\nenable = true\npath = \"{RULES}\"");
        let with = validate(dir, &crs)?;
        // The first turn brings the files into memory.
        if turn > 0 {
            added.push(with - without);
        }
    }
    Ok(added)
}

/// Milliseconds that a check of the configuration takes.
fn validate(dir: &Path, firewall: &str) -> Outcome<f64> {
    let setup = Setup { dir, origin: 2, certificate: None, workers: 1, cores: Cores::Proxy };
    let mut command = secbeat::command_with(setup, 1, firewall)?;
    command.arg("--validate-config");
    let begin = Instant::now();
    let output = command.output().map_err(|e| format!("starting the node: {e}"))?;
    let took = begin.elapsed().as_secs_f64() * 1e3;
    match output.status.success() {
        true => Ok(took),
        false => Err(format!(
            "`mitigation-node --validate-config` refused its configuration: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
