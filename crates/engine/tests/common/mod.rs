//! What the tests and measurements over the Core Rule Set share.
#![allow(dead_code, clippy::panic)] // Each takes its part; rules that do not load end it.

pub mod corpora;
pub mod request;

use secbeat_engine::Program;
use secbeat_seclang::{Entry, RuleSet, Sources};
use std::path::{Path, PathBuf};

/// The files of this machine.
struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path, _: usize) -> std::io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn glob(&self, pattern: &Path) -> std::io::Result<Vec<PathBuf>> {
        let folder = pattern.parent().unwrap_or(Path::new("."));
        let ending =
            pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default().trim_start_matches('*');
        let files = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
        Ok(files.filter(|file| file.to_string_lossy().ends_with(ending)).collect())
    }
}

/// The rules of Debian's Core Rule Set at a paranoia level, or those of the folder that `SECBEAT_CRS4` names; none where they are
/// not there.
pub fn rule_set(level: u8) -> Option<RuleSet> {
    let (rules, setup) = match std::env::var_os("SECBEAT_CRS4").map(PathBuf::from) {
        Some(folder) => (folder.join("rules"), folder.join("crs-setup.conf.example")),
        None => ("/usr/share/modsecurity-crs/rules".into(), "/etc/modsecurity/crs/crs-setup.conf".into()),
    };
    if !rules.is_dir() {
        eprintln!("skipped: no Core Rule Set");
        return None;
    }
    let names =
        ["paranoia_level", "executing_paranoia_level", "blocking_paranoia_level", "detection_paranoia_level"];
    let set: Vec<_> = names.iter().map(|name| format!("setvar:tx.{name}={level}")).collect();
    let text = format!("SecRuleEngine On\nSecAction \"id:1,phase:1,pass,nolog,{}\"\n", set.join(","));
    let entries = [
        Entry::File(setup),
        Entry::Text { name: "level".into(), text },
        Entry::Text { name: "rules".into(), text: format!("Include {}/*.conf\n", rules.display()) },
    ];
    Some(secbeat_seclang::load(&Disk, &entries).unwrap_or_else(|errors| panic!("{errors:?}")))
}

/// The same, compiled.
pub fn program(level: u8) -> Option<Program> {
    Some(Program::compile(&rule_set(level)?).unwrap_or_else(|errors| panic!("{errors:?}")))
}
