//! Checks of the repository that no compiler makes. Run from anywhere inside it: `cargo xtask check-deps`.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`directions`] | **who may import whom: the table, to be read and reviewed** |
//! | [`check_deps`] | holds `cargo metadata` against it, and against what must not be linked |
//! | [`metadata`] | what is read of `cargo metadata` |
//! | [`licence`] | licence expressions |
//! | [`check_style`] | length of files, tables of contents, what nobody should commit |

mod check_deps;
mod check_style;
mod directions;
mod licence;
mod metadata;

use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Checks of the repository that no compiler makes
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    check: Check,
}

#[derive(Subcommand)]
enum Check {
    /// Directions between crates, what must not be linked, licences, lints
    CheckDeps,
    /// Length of files, tables of contents, what nobody should commit
    CheckStyle,
}

/// What is wrong, a sentence each; `Err`: the check could not be made.
type Findings = Result<Vec<String>, String>;

fn main() -> ExitCode {
    let (name, findings) = match Arguments::parse().check {
        Check::CheckDeps => ("check-deps", check_deps::run(&root())),
        Check::CheckStyle => ("check-style", check_style::run(&root())),
    };
    match findings {
        Ok(findings) if findings.is_empty() => {
            println!("{name}: fine");
            ExitCode::SUCCESS
        }
        Ok(findings) => {
            findings.iter().for_each(|finding| eprintln!("{name}: {finding}"));
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("{name}: {why}");
            ExitCode::from(2)
        }
    }
}

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| ".".into(), Path::to_owned)
}
