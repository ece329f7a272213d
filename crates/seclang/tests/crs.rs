//! The Core Rule Set loads whole: 3.3.4 as Debian ships it, 4 where `SECBEAT_CRS4` names its folder.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use secbeat_seclang::{Entry, Item, Link, Operator, Rule, RuleSet, load};
use std::path::{Path, PathBuf};

fn loaded(entries: &[Entry]) -> RuleSet {
    load(&support::Disk, entries).unwrap_or_else(|errors| {
        let shown: Vec<_> = errors.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n"));
    })
}

fn rules(set: &RuleSet) -> Vec<&Rule> {
    let rules = set.items.iter().filter_map(|item| match item {
        Item::Rule(rule) => Some(&**rule),
        Item::Marker(_) => None,
    });
    rules.collect()
}

/// `SecRule`s, `SecAction`s, markers, rules that lead, links behind them, rules of phases 1 to 5, `@rx`.
fn counts(set: &RuleSet) -> [usize; 11] {
    let rules = rules(set);
    let links: Vec<&Link> = rules.iter().flat_map(|rule| &rule.links).collect();
    let tests = links.iter().filter(|link| link.test.is_some()).count();
    let phase = |number| rules.iter().filter(|rule| rule.actions.phase as usize == number).count();
    let rx = links.iter().filter_map(|link| link.test.as_ref());
    [
        tests,
        links.len() - tests,
        set.items.len() - rules.len(),
        rules.len(),
        links.len() - rules.len(),
        phase(1),
        phase(2),
        phase(3),
        phase(4),
        phase(5),
        rx.filter(|test| matches!(test.operator, Operator::Rx(_))).count(),
    ]
}

#[test]
fn the_core_rule_set_of_debian_loads_whole() {
    let package = Path::new("/usr/share/modsecurity-crs/owasp-crs.load");
    if !package.exists() {
        println!("skipped: no modsecurity-crs");
        return;
    }
    let set = loaded(&[Entry::File(package.to_owned())]);
    assert_eq!(counts(&set), [790, 10, 40, 634, 166, 147, 389, 24, 58, 16, 265]);
    let notes: Vec<_> =
        set.notes.iter().map(|(_, note)| note.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(notes, ["@geoLookup", "@rbl"]);
    assert_eq!(&*set.directives.component_signatures[0], "OWASP_CRS/3.3.4");
}

#[test]
fn the_core_rule_set_4_loads_whole() {
    let Some(folder) = std::env::var_os("SECBEAT_CRS4").map(PathBuf::from) else {
        println!("skipped: SECBEAT_CRS4 names no folder");
        return;
    };
    let set = loaded(&[
        Entry::File(folder.join("crs-setup.conf.example")),
        Entry::Text {
            name: folder.join("all").to_string_lossy().into(),
            text: "Include rules/*.conf".into(),
        },
    ]);
    assert_eq!(counts(&set), [695, 8, 30, 630, 73, 173, 292, 43, 109, 13, 318]);
    assert!(set.notes.is_empty(), "{:?}", set.notes);
}
