//! What is read of `cargo metadata --format-version 1`.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The packages, and which of them are linked.
#[derive(Debug, Deserialize)]
pub struct Metadata {
    /// All packages of the lock file.
    pub packages: Vec<Package>,
    /// The ids of this workspace's own.
    pub workspace_members: Vec<String>,
    /// What is linked with what.
    pub resolve: Resolve,
}

/// One package.
#[derive(Debug, Deserialize)]
pub struct Package {
    /// Unique.
    pub id: String,
    /// As in `Cargo.toml`.
    pub name: String,
    /// SPDX expression.
    pub license: Option<String>,
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

/// The graph of what is linked.
#[derive(Debug, Deserialize)]
pub struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Metadata {
    /// Asks cargo.
    pub fn of(root: &Path) -> Result<Self, String> {
        let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root)
            .output()
            .map_err(|error| format!("cannot run cargo metadata: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo metadata failed:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
    }

    /// This workspace's own packages.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| self.workspace_members.contains(&package.id))
    }

    /// Everything that some member links, members included. The lock file knows more: what no chosen feature asks for.
    pub fn linked(&self) -> impl Iterator<Item = &Package> {
        let edges: HashMap<&str, &[String]> =
            self.resolve.nodes.iter().map(|node| (node.id.as_str(), node.dependencies.as_slice())).collect();
        let mut reached: HashSet<&str> = HashSet::new();
        let mut next: Vec<&str> = self.workspace_members.iter().map(String::as_str).collect();
        while let Some(id) = next.pop() {
            if reached.insert(id) {
                next.extend(edges.get(id).into_iter().flat_map(|to| to.iter().map(String::as_str)));
            }
        }
        self.packages.iter().filter(move |package| reached.contains(package.id.as_str()))
    }
}
