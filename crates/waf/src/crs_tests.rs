//! What is read, in which order, from a tree in memory; and Debian's rule set whole, where it is installed.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::os_sources::OsSources;
use std::collections::BTreeMap;
use std::io;

/// Files by path; a pattern has one `*` at most, in its last part.
struct Tree(BTreeMap<PathBuf, &'static str>);

impl Tree {
    fn of(paths: &[&str]) -> Tree {
        Tree(paths.iter().map(|path| (PathBuf::from(path), "")).collect())
    }
}

impl Sources for Tree {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        self.0.get(path).map(|text| text.as_bytes().to_vec()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let pattern = pattern.to_str().unwrap();
        let is_match = |path: &&PathBuf| {
            let path = path.to_str().unwrap();
            match pattern.split_once('*') {
                Some((before, after)) => {
                    let between = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
                    between.is_some_and(|between| !between.contains('/'))
                }
                None => path == pattern,
            }
        };
        Ok(self.0.keys().filter(is_match).cloned().collect())
    }
}

fn names(entries: &[Entry]) -> Vec<String> {
    let name = |entry: &Entry| match entry {
        Entry::File(path) => path.display().to_string(),
        Entry::Text { name, .. } => name.clone(),
    };
    entries.iter().map(name).collect()
}

#[test]
fn the_core_rule_set_is_read_in_its_order_and_own_files_at_the_end() {
    let tree = Tree::of(&[
        "/crs/crs-setup.conf",
        "/crs/plugins/a-after.conf",
        "/crs/plugins/a-before.conf",
        "/crs/plugins/a-config.conf",
        "/crs/rules/REQUEST-901.conf",
        "/crs/rules/REQUEST-942.conf",
        "/own/x.conf",
        "/own/y.conf",
    ]);
    let crs = CrsSettings { path: Some("/crs".into()), ..CrsSettings::default() };
    let include = ["/own/*.conf".into()];
    let read = entries(Some(&crs), &ResponseSettings::default(), &include, &tree).unwrap();
    assert_eq!(
        names(&read),
        [
            "(settings)",
            "(body processors)",
            "/crs/crs-setup.conf",
            "[waf.crs]",
            "/crs/plugins/a-config.conf",
            "/crs/plugins/a-before.conf",
            "/crs/rules/REQUEST-901.conf",
            "/crs/rules/REQUEST-942.conf",
            "/crs/plugins/a-after.conf",
            "/own/x.conf",
            "/own/y.conf"
        ]
    );
    let of_rules = CrsSettings { path: Some("/crs/rules".into()), ..CrsSettings::default() };
    assert_eq!(entries(Some(&of_rules), &ResponseSettings::default(), &include, &tree), Ok(read));
}

#[test]
fn debians_files_are_found_by_themselves() {
    let tree = Tree::of(&[
        "/etc/modsecurity/crs/REQUEST-900-BEFORE.conf",
        "/etc/modsecurity/crs/RESPONSE-999-AFTER.conf",
        DEBIAN_SETUP,
        "/usr/share/modsecurity-crs/rules/A.conf",
        "/usr/share/modsecurity-crs/rules/B.conf",
    ]);
    let read = entries(Some(&CrsSettings::default()), &ResponseSettings::default(), &[], &tree).unwrap();
    assert_eq!(
        names(&read)[2..],
        [
            DEBIAN_SETUP,
            "[waf.crs]",
            "/etc/modsecurity/crs/REQUEST-900-BEFORE.conf",
            "/usr/share/modsecurity-crs/rules/A.conf",
            "/usr/share/modsecurity-crs/rules/B.conf",
            "/etc/modsecurity/crs/RESPONSE-999-AFTER.conf"
        ]
    );
}

#[test]
fn what_is_not_there_is_named() {
    let tree = Tree::of(&["/crs/rules/A.conf", "/crs/rules/B.conf"]);
    let response = ResponseSettings::default();
    let at = |path: &str| CrsSettings { path: Some(path.into()), ..CrsSettings::default() };
    let error = |crs: Option<&CrsSettings>, include: &[PathBuf]| {
        entries(crs, &response, include, &tree).unwrap_err().to_string()
    };
    assert!(error(Some(&CrsSettings::default()), &[]).contains("modsecurity-crs"));
    assert!(error(Some(&at("/crs")), &[]).contains("crs-setup.conf"));
    assert!(error(None, &["/none.conf".into()]).contains("/none.conf"));
}

#[test]
fn what_the_settings_say_is_said_in_the_words_of_both_versions() {
    assert_eq!(said(&CrsSettings::default()), "");
    let crs = CrsSettings { paranoia_level: Some(2), inbound_threshold: Some(7), ..CrsSettings::default() };
    let text = said(&crs);
    for part in [
        "tx.paranoia_level=2",
        "tx.blocking_paranoia_level=2",
        "tx.inbound_anomaly_score_threshold=7",
        "SecRule TX:detection_paranoia_level \"@lt 2\"",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("outbound"));
    assert!(secbeat_seclang::load_text(&text).is_ok());
}

#[test]
fn what_is_written_here_is_seclang() {
    let response = ResponseSettings { limit: 1000, types: vec!["text/html".into()] };
    let entries = entries(None, &response, &[], &Tree::of(&[])).unwrap();
    let rules = secbeat_seclang::load(&Tree::of(&[]), &entries).unwrap();
    assert_eq!(rules.directives.request_body_access, Some(true));
    assert_eq!(rules.directives.response_body_limit, Some(1000));
    let rules = secbeat_seclang::load_text(&BODY_RULES.replace("ID+", "100")).unwrap();
    assert_eq!(rules.items.len(), 6);
}

#[test]
fn debians_core_rule_set_compiles() {
    if !Path::new(DEBIAN_RULES).is_dir() {
        return eprintln!("skipped: modsecurity-crs is not installed");
    }
    let crs = CrsSettings { paranoia_level: Some(1), ..CrsSettings::default() };
    let compiled = compile(Some(&crs), &ResponseSettings::default(), &[], &OsSources);
    let compiled =
        compiled.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
    assert!(compiled.program.rules().len() > 600, "{}", compiled.program.rules().len());
}
