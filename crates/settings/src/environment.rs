//! The environment layer: the short names, then `SECBEAT__SECTION__KEY`, which wins over them.

use crate::choice::Level;
use crate::key::Key;
use crate::load::{Assignment, Given};
use crate::nearest;
use crate::problem::{Origin, Problem};
use crate::settings::keys;
use crate::value::Raw;
use std::collections::BTreeMap;

const PREFIX: &str = "SECBEAT__";

/// Reads what concerns the settings into `given`. Values are taken as they are: no `${VAR}` in them.
pub(crate) fn read(environment: &BTreeMap<String, String>, given: &mut Given) {
    for key in keys() {
        let Some((alias, value)) = key.alias.and_then(|alias| Some((alias, environment.get(alias)?))) else {
            continue;
        };
        match environment.get(&key.variable()) {
            Some(own) if own != value => {
                let own = key.variable();
                given.warnings.push(format!("{alias} and {own} differ; {own} is used for {}", key.path()));
            }
            Some(_) => {}
            None if alias == "RUST_LOG" => level(key, alias, value, given),
            None => assign(key, alias, value, given),
        }
    }
    for (name, value) in environment.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        match keys().find(|key| key.variable() == *name) {
            Some(key) => assign(key, name, value, given),
            None => given.problems.push(Problem::new(
                Some(Origin::Environment(name.clone())),
                "",
                nearest::unknown_variable(name),
            )),
        }
    }
}

fn assign(key: &'static Key, name: &str, value: &str, given: &mut Given) {
    let origin = Origin::Environment(name.to_owned());
    if value.is_empty() {
        let message = format!("it is empty; unset it, or give {}", key.kind.expected());
        given.problems.push(Problem::new(Some(origin), key.path(), message));
        return;
    }
    given.assignments.push(Assignment { key, row: None, raw: Raw::Text(value.to_owned()), origin });
}

/// `RUST_LOG=info,hyper=warn`: the part without a target is the level, in any case.
fn level(key: &'static Key, name: &str, value: &str, given: &mut Given) {
    let (targets, global): (Vec<&str>, Vec<&str>) =
        value.split(',').map(str::trim).filter(|part| !part.is_empty()).partition(|part| part.contains('='));
    if !targets.is_empty() {
        given.warnings.push(format!("RUST_LOG: per-module levels are ignored: {}", targets.join(",")));
    }
    match global.last() {
        Some(word) => {
            let word = word.to_ascii_lowercase();
            let word = if word == "warning" { Level::Warn.as_str() } else { &word };
            assign(key, name, word, given);
        }
        None if targets.is_empty() => assign(key, name, "", given),
        None => {}
    }
}
