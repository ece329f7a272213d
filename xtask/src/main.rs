//! Checks of the repository that no compiler makes. Run from anywhere inside it: `cargo xtask check-deps`.
//!
//! | module | what it does |
//! | --- | --- |
//! | [`directions`] | **who may import whom: the table, to be read and reviewed** |
//! | [`check_deps`] | holds `cargo metadata` against it, and against what must not be linked |
//! | [`metadata`] | what is read of `cargo metadata` |
//! | [`licence`] | licence expressions |
//! | [`check_style`] | length of files, tables of contents, what nobody should commit |
//! | [`crs`] | the regression cases of the OWASP Core Rule Set: `cargo xtask crs` |

mod check_deps;
mod check_style;
mod crs;
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
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Directions between crates, what must not be linked, licences, lints
    CheckDeps,
    /// Length of files, tables of contents, what nobody should commit
    CheckStyle,
    /// The regression cases of the OWASP Core Rule Set
    Crs(crs::Arguments),
}

/// What is wrong, a sentence each; `Err`: the check could not be made.
type Findings = Result<Vec<String>, String>;

fn main() -> ExitCode {
    let (name, findings) = match Arguments::parse().task {
        Task::CheckDeps => ("check-deps", check_deps::run(&root())),
        Task::CheckStyle => ("check-style", check_style::run(&root())),
        // Failing cases were told as they came; the last line is the tally.
        Task::Crs(arguments) => match crs::run(&root(), &arguments) {
            Ok(true) => return ExitCode::SUCCESS,
            Ok(false) => return ExitCode::FAILURE,
            Err(why) => ("crs", Err(why)),
        },
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
