//! How much of published attack corpora the shipped rules stop, and how much of the benign values they let through.
//! The corpora are not part of the project: `SECBEAT_CORPORA` names their folder, by default `../shared/corpora` beside
//! the repository. Where there are none, the test says so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{Sent, shipped};
use secbeat_types::Action;
use secbeat_waf::RuleSet;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The corpus folder, where there is one.
fn corpora() -> Option<PathBuf> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora");
    let folder = std::env::var_os("SECBEAT_CORPORA").map_or(default, PathBuf::from).join("payloads");
    if !folder.is_dir() {
        println!("skipped: no corpora");
        return None;
    }
    Some(folder)
}

/// The records of a CSV file, quotes undone (RFC 4180).
fn csv(path: &Path) -> Vec<Vec<String>> {
    let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
    let (mut records, mut record, mut field, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    records
}

fn is_stopped(rules: &RuleSet, value: &str) -> bool {
    Sent::target(&format!("/?p={}", common::percent(value))).judge(rules).0 == Action::Block
}

/// The share that is stopped of each class.
fn shares(values: impl Iterator<Item = (String, bool)>) -> BTreeMap<String, f64> {
    let mut counts: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for (class, stopped) in values {
        let count = counts.entry(class).or_default();
        count.0 += f64::from(u8::from(stopped));
        count.1 += 1.0;
    }
    let shares = counts.into_iter().map(|(class, (stopped, all))| (class, stopped / all)).collect();
    println!("{shares:#.4?}");
    shares
}

#[test]
fn attacks_on_parameters_are_stopped_and_no_value_is() {
    let Some(folder) = corpora() else { return };
    let rules = shipped();
    let records = csv(&folder.join("httpparams.csv")).into_iter().skip(1);
    let values = records.filter_map(|record| match record.as_slice() {
        [payload, _, class, _] => Some((class.clone(), is_stopped(&rules, payload))),
        _ => None,
    });
    let shares = shares(values);
    for (class, floor) in [("sqli", 0.99), ("xss", 0.94), ("cmdi", 0.80), ("path-traversal", 0.58)] {
        assert!(shares[class] >= floor, "{class}: {}", shares[class]);
    }
    assert!(shares["norm"] <= 0.0001, "{}", shares["norm"]);
}

#[test]
fn requests_of_real_pages_pass_and_injections_do_not() {
    let Some(folder) = corpora() else { return };
    let rules = shipped();
    let read = |name: &str| -> Vec<String> {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let values = [
        ("legitimate", read("modsec-learn-legitimate.json")),
        ("malicious", read("modsec-learn-malicious.json")),
    ];
    let shares = shares(values.into_iter().flat_map(|(class, queries)| {
        let stopped: Vec<_> = queries
            .iter()
            .map(|query| {
                (class.to_owned(), Sent::target(&format!("/?{query}")).judge(&rules).0 == Action::Block)
            })
            .collect();
        stopped
    }));
    assert!(shares["malicious"] >= 0.98, "{}", shares["malicious"]);
    assert!(shares["legitimate"] <= 0.001, "{}", shares["legitimate"]);
}

#[test]
fn attacks_from_many_lists_are_stopped() {
    let Some(folder) = corpora() else { return };
    let rules = shipped();
    // A tenth of the benign ones: most are single words. Some hundreds of them are attacks that were labelled wrongly.
    let mut benign = 0;
    let values = csv(&folder.join("grananqvist.csv")).into_iter().skip(1).filter_map(|record| {
        match record.as_slice() {
            [_, payload, _, class] => {
                benign += usize::from(class == "LEGAL");
                (class != "LEGAL" || benign % 10 == 0).then(|| (class.clone(), is_stopped(&rules, payload)))
            }
            _ => None,
        }
    });
    let shares = shares(values);
    for (class, floor) in [("XSS", 0.90), ("SQL", 0.84), ("SHELL", 0.72)] {
        assert!(shares[class] >= floor, "{class}: {}", shares[class]);
    }
    assert!(shares["LEGAL"] <= 0.0025, "{}", shares["LEGAL"]);
}
