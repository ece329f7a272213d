//! Holds `cargo metadata` against the table of directions, and against what must not be linked.

use crate::Findings;
use crate::directions::{BANNED, DIRECTIONS, IMPURE, PURE};
use crate::licence::is_permissive;
use crate::metadata::{Metadata, Package};
use std::collections::HashSet;
use std::path::Path;

/// Every finding.
pub fn run(root: &Path) -> Findings {
    let metadata = Metadata::of(root)?;
    let mut findings = Vec::new();
    directions(&metadata, &mut findings);
    linked(&metadata, &mut findings);
    for member in metadata.members() {
        let manifest = std::fs::read_to_string(&member.manifest_path)
            .map_err(|error| format!("{}: {error}", member.manifest_path.display()))?;
        if !takes_lints(&manifest) {
            findings.push(format!("{}: write `[lints]` `workspace = true`", member.manifest_path.display()));
        }
    }
    Ok(findings)
}

fn directions(metadata: &Metadata, findings: &mut Vec<String>) {
    let own: HashSet<&str> = metadata.members().map(|member| member.name.as_str()).collect();
    for member in metadata.members() {
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

fn linked(metadata: &Metadata, findings: &mut Vec<String>) {
    for package in metadata.linked() {
        if let Some((_, why)) = BANNED.iter().find(|(name, _)| *name == package.name) {
            findings.push(format!("{} is linked; {why} (`cargo tree -i {0}` shows by whom)", package.name));
        }
        match package.license.as_deref() {
            Some(expression) if is_permissive(expression) => {}
            Some(expression) => {
                findings.push(format!("{}: the licence {expression:?} is not permissive", package.name))
            }
            None => findings.push(format!("{}: it names no licence", package.name)),
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

    fn package(name: &str, license: &str, dependencies: &[(&str, Option<&str>)]) -> Value {
        let dependencies: Vec<Value> =
            dependencies.iter().map(|(name, kind)| json!({ "name": name, "kind": kind })).collect();
        json!({ "id": name, "name": name, "license": license, "dependencies": dependencies, "manifest_path": "" })
    }

    fn metadata(packages: &[Value], members: &[&str], edges: &[(&str, &[&str])]) -> Metadata {
        let nodes: Vec<Value> =
            edges.iter().map(|(id, to)| json!({ "id": id, "dependencies": to })).collect();
        serde_json::from_value(
            json!({ "packages": packages, "workspace_members": members, "resolve": { "nodes": nodes } }),
        )
        .unwrap()
    }

    #[test]
    fn an_edge_against_the_directions_is_found_and_one_of_tests_is_not() {
        let packages = [
            package(
                "secbeat-waf",
                "MIT",
                &[("secbeat-l7", None), ("secbeat-http1", Some("dev")), ("tokio", None)],
            ),
            package("secbeat-l7", "MIT", &[("secbeat-waf", None)]),
            package("secbeat-http1", "MIT", &[]),
            package("secbeat-new", "MIT", &[]),
        ];
        let members = ["secbeat-waf", "secbeat-l7", "secbeat-http1", "secbeat-new"];
        let mut findings = Vec::new();
        directions(&metadata(&packages, &members, &[]), &mut findings);
        findings.retain(|finding| !finding.contains("not in the workspace"));
        assert_eq!(findings.len(), 3, "{findings:?}");
        assert!(findings[0].contains("secbeat-waf imports secbeat-l7"));
        assert!(findings[1].contains("secbeat-waf is pure and imports tokio"));
        assert!(findings[2].contains("secbeat-new is not in"));
    }

    #[test]
    fn only_what_is_linked_is_judged() {
        let packages =
            [package("app", "MIT", &[]), package("ring", "GPL-3.0", &[]), package("openssl", "MIT", &[])];
        let mut findings = Vec::new();
        linked(&metadata(&packages, &["app"], &[("app", &["ring"]), ("openssl", &[])]), &mut findings);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("ring is linked") && findings[1].contains("GPL-3.0"));
    }

    #[test]
    fn lints_are_those_of_the_workspace() {
        assert!(takes_lints("[package]\n[lints]\nworkspace = true\n[dependencies]"));
        assert!(!takes_lints("[package]\n[lints]\n[dependencies]\nworkspace = true"));
        assert!(!takes_lints("[package]"));
    }
}
