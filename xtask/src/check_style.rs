//! Length of files, tables of contents, links between documents, what nobody should commit. (Clippy holds the rest: a `SAFETY:` for each `unsafe`,
//! no `unwrap` outside tests.)

use crate::Findings;
use std::path::Path;
use std::process::Command;

/// No source file is longer, in lines.
const LINES_MAX: usize = 800;
/// A source file is at home under this, in lines: longer ones are listed.
const LINES_USUAL: usize = 400;
/// What is said of work that is not done. (In pieces, so that this file does not say it.)
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X:")];
/// Folders of somebody's own machine.
const FOREIGN_PATHS: &[&str] = &[concat!("/wo", "rk/"), concat!("/home/", "user")];

/// Every finding; long files are only listed.
pub fn run(root: &Path) -> Findings {
    let mut findings = Vec::new();
    for name in files(root)? {
        // What is not text is not ours to judge; what was deleted and not committed yet is not there.
        let Ok(text) = std::fs::read_to_string(root.join(&name)) else { continue };
        findings.extend(check(&name, &text).into_iter().map(|finding| format!("{name}: {finding}")));
        let folder = root.join(&name).parent().map_or_else(|| root.to_owned(), Path::to_owned);
        let broken = links(&name, &text).into_iter().filter(|link| !folder.join(link).exists());
        findings.extend(broken.map(|link| format!("{name}: links to {link}, which is not there")));
        let lines = text.lines().count();
        if name.ends_with(".rs") && (LINES_USUAL..=LINES_MAX).contains(&lines) {
            println!("check-style: {name}: {lines} lines; at home under {LINES_USUAL}");
        }
    }
    Ok(findings)
}

/// What is committed, or would be.
fn files(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .map_err(|error| format!("cannot run git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

fn check(name: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in UNFINISHED.iter().filter(|word| name.ends_with(".rs") && line.contains(**word)) {
            findings.push(format!("line {}: {word}: finish it, or write down why it is as it is", index + 1));
        }
        for path in FOREIGN_PATHS.iter().filter(|path| line.contains(**path)) {
            findings.push(format!("line {}: {path} is a folder of one machine", index + 1));
        }
    }
    if name.ends_with(".rs") && text.lines().count() > LINES_MAX {
        findings
            .push(format!("{} lines; no file is over {LINES_MAX}: one idea a file", text.lines().count()));
    }
    if name.ends_with("src/lib.rs") || name.ends_with("src/main.rs") {
        findings.extend(missing_in_contents(text));
    }
    findings
}

/// Modules that the table of contents at the head of `lib.rs` (the public ones) or `main.rs` (all) leaves out.
fn missing_in_contents(text: &str) -> Vec<String> {
    let contents: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
    let is_library = text.lines().any(|line| line.starts_with("pub mod "));
    let prefix = if is_library { "pub mod " } else { "mod " };
    text.lines()
        .filter_map(|line| line.strip_prefix(prefix)?.strip_suffix(';'))
        .filter(|module| !contents.iter().any(|row| row.contains(&format!("`{module}`"))))
        .map(|module| format!("the table of contents at its head leaves out `{module}`"))
        .collect()
}

/// The files that a document links to, relative to its folder.
fn links<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    if !name.ends_with(".md") {
        return Vec::new();
    }
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    targets.filter(|target| !target.is_empty() && !target.contains(':')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_should_commit_is_found_with_its_line() {
        let text = format!("fine\n// {} later\nlet path = \"{}main\";\n", UNFINISHED[0], FOREIGN_PATHS[0]);
        let findings = check("a.rs", &text);
        assert_eq!(findings.len(), 2);
        assert!(findings[0].starts_with("line 2") && findings[1].starts_with("line 3"), "{findings:?}");
        assert_eq!(check("a.md", &text).len(), 1);
    }

    #[test]
    fn a_file_over_800_lines_is_found() {
        assert!(check("a.rs", &"x\n".repeat(800)).is_empty());
        assert_eq!(check("a.rs", &"x\n".repeat(801)).len(), 1);
    }

    #[test]
    fn links_to_files_are_found_and_those_to_elsewhere_are_not() {
        let text = "[a](docs/a.md), [b](https://b.example), [c](#part), [d](../d.md#part)";
        assert_eq!(links("README.md", text), ["docs/a.md", "../d.md"]);
        assert!(links("a.rs", text).is_empty());
    }

    #[test]
    fn a_module_without_a_row_is_found() {
        let text = "//! | module | idea |\n//! | [`a`] | one |\n\nmod hidden;\npub mod a;\npub mod b;\n";
        let findings = check("crates/x/src/lib.rs", text);
        assert_eq!(findings, ["the table of contents at its head leaves out `b`"]);
        assert_eq!(check("x/src/main.rs", "//! | [`a`], [`b`] | two |\nmod a;\nmod b;\nmod c;\n").len(), 1);
    }
}
