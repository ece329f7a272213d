//! The node's own program, `mitigation-node`.

use crate::failure::Failure;
use std::path::PathBuf;
use std::process::Command;

const NAME: &str = "mitigation-node";

/// Where the program is: beside this one.
///
/// # Errors
/// It is not there; how to build it.
pub fn program() -> Result<PathBuf, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::no(format!("cannot tell where this program is: {error}")))?;
    let program = own.with_file_name(NAME);
    if program.is_file() {
        return Ok(program);
    }
    Err(Failure::usage(format!(
        "{} is not there; build it (`make build`, or `cargo build --release`), or install it beside {}",
        program.display(),
        own.display()
    )))
}

/// Lets the node check a configuration.
pub fn validate(file: Option<PathBuf>) -> Result<(), Failure> {
    let program = program()?;
    let status = Command::new(&program)
        .arg("--validate-config")
        .args(file)
        .status()
        .map_err(|error| Failure::no(format!("cannot start {}: {error}", program.display())))?;
    if status.success() {
        return Ok(());
    }
    // The node has said why.
    Err(Failure {
        message: String::new(),
        code: status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1),
    })
}
