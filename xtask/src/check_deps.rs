//! Holds `cargo metadata` against the table of directions, and against what must not be linked.

use crate::Findings;
use crate::directions::{BANNED, DIRECTIONS, IMPURE, PURE};
use crate::licence::is_permissive;
use crate::metadata::{self, Linked, Metadata, Package};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// Every finding.
pub fn run(root: &Path) -> Findings {
    let metadata = Metadata::of(root)?;
    let mut findings = Vec::new();
    directions(&metadata, &mut findings);
    linked(&metadata::linked(root)?, &mut findings);
    for member in &metadata.packages {
        let manifest = std::fs::read_to_string(&member.manifest_path)
            .map_err(|error| format!("{}: {error}", member.manifest_path.display()))?;
        if !takes_lints(&manifest) {
            findings.push(format!("{}: write `[lints]` `workspace = true`", member.manifest_path.display()));
        }
    }
    Ok(findings)
}

fn directions(metadata: &Metadata, findings: &mut Vec<String>) {
    let own: HashSet<&str> = metadata.packages.iter().map(|member| member.name.as_str()).collect();
    for member in &metadata.packages {
        let Some((_, allowed)) = DIRECTIONS.iter().find(|(name, _)| *name == member.name) else {
            findings
                .push(format!("{} is not in xtask/src/directions.rs; give it its place there", member.name));
            continue;
        };
        for imported in imports(member) {
            if own.contains(imported) && !allowed.contains(&imported) {
                findings.push(format!("{} imports {imported}, against xtask/src/directions.rs", member.name));
            }
            if PURE.contains(&member.name.as_str()) && IMPURE.contains(&imported) {
                findings.push(format!(
                    "{} is pure and imports {imported}: do the I/O outside of it",
                    member.name
                ));
            }
        }
    }
    for (name, _) in DIRECTIONS.iter().filter(|(name, _)| !own.contains(name)) {
        findings
            .push(format!("{name} is in xtask/src/directions.rs and not in the workspace; remove it there"));
    }
}

/// What is linked into it; what only its tests use is its own affair.
fn imports(member: &Package) -> impl Iterator<Item = &str> {
    let of_product = |kind: &Option<String>| kind.as_deref() != Some("dev");
    member.dependencies.iter().filter(move |dependency| of_product(&dependency.kind)).map(|d| d.name.as_str())
}

fn linked(packages: &BTreeSet<Linked>, findings: &mut Vec<String>) {
    for Linked { name, license } in packages {
        if let Some((_, why)) = BANNED.iter().find(|(banned, _)| banned == name) {
            findings.push(format!("{name} is linked; {why} (`cargo tree -i {name}` shows by whom)"));
        }
        if !is_permissive(license) {
            findings.push(format!("{name}: the licence {license:?} is not permissive"));
        }
    }
}

fn takes_lints(manifest: &str) -> bool {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .any(|line| line.replace(' ', "") == "workspace=true")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn package(name: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "name": name, "dependencies": dependencies, "manifest_path": "" })
    }

    #[test]
    fn an_edge_against_the_directions_is_found_and_one_of_tests_is_not() {
        let packages = json!({ "packages": [
            package("secbeat-waf", &[("secbeat-l7", None), ("secbeat-http1", Some("dev")), ("tokio", None)]),
            package("secbeat-l7", &[("secbeat-waf", None)]),
            package("secbeat-http1", &[]),
            package("secbeat-new", &[]),
        ]});
        let mut findings = Vec::new();
        directions(&serde_json::from_value(packages).unwrap(), &mut findings);
        findings.retain(|finding| !finding.contains("not in the workspace"));
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].contains("secbeat-waf imports secbeat-l7"));
        assert!(findings[1].contains("secbeat-waf is pure and imports tokio"));
        assert!(findings[2].contains("secbeat-new is not in"));
    }

    #[test]
    fn what_is_banned_or_not_permissive_is_found() {
        let package = |name: &str, license: &str| Linked { name: name.into(), license: license.into() };
        let packages =
            [package("app", "MIT"), package("ring", "ISC"), package("other", "GPL-3.0"), package("bare", "")];
        let mut findings = Vec::new();
        linked(&packages.into(), &mut findings);
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings.iter().any(|finding| finding.starts_with("ring is linked")));
    }

    #[test]
    fn lints_are_those_of_the_workspace() {
        assert!(takes_lints("[package]\n[lints]\nworkspace = true\n[dependencies]"));
        assert!(!takes_lints("[package]\n[lints]\n[dependencies]\nworkspace = true"));
        assert!(!takes_lints("[package]"));
    }
}
