//! What cargo knows: `cargo metadata` of this workspace's own packages, `cargo tree` of everything that is linked.

use serde::Deserialize;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// This workspace's own packages.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// The packages.
    pub packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// As in `Cargo.toml`.
    pub name: String,
    /// What it asks for.
    pub dependencies: Vec<Dependency>,
    /// Where its `Cargo.toml` is.
    pub manifest_path: PathBuf,
}

/// What a package asks for.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    /// The name of the package.
    pub name: String,
    /// `None`: an ordinary one; `dev`, `build`.
    pub kind: Option<String>,
}

/// A package that is linked into a program, a test or a build script.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Linked {
    /// As in its `Cargo.toml`.
    pub name: String,
    /// SPDX expression; empty: none.
    pub license: String,
}

impl Metadata {
    /// Asks cargo.
    pub fn of(root: &Path) -> Result<Self, String> {
        let text = cargo(root, &["metadata", "--format-version", "1", "--locked", "--no-deps"])?;
        serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))
    }
}

/// Everything that is linked on any platform. (The graph of `cargo metadata` has more: optional packages that no chosen feature
/// asks for.)
pub fn linked(root: &Path) -> Result<BTreeSet<Linked>, String> {
    let arguments = ["tree", "--workspace", "--locked", "--target", "all", "--edges", "normal,build,dev"];
    let text = cargo(root, &[&arguments[..], &["--prefix", "none", "--format", "{p}|{l}"]].concat())?;
    Ok(text.lines().filter_map(linked_of_line).collect())
}

/// Reads `name v1.2.3 (/path)|MIT (*)`.
fn linked_of_line(line: &str) -> Option<Linked> {
    let (package, license) = line.split_once('|')?;
    let name = package.split(' ').next()?.to_owned();
    Some(Linked { name, license: license.trim_end_matches(" (*)").to_owned() })
}

fn cargo(root: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("cargo {} failed:\n{}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_tree_is_read() {
        let read = linked_of_line("xtask v0.1.0 (/a b/xtask)|MIT OR Apache-2.0 (*)");
        assert_eq!(read, Some(Linked { name: "xtask".into(), license: "MIT OR Apache-2.0".into() }));
        assert_eq!(linked_of_line(""), None);
    }
}
