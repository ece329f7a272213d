//! The command-line layer: `--set section.key=value`.

use crate::load::{Assignment, Given};
use crate::nearest;
use crate::problem::{Origin, Problem};
use crate::settings::{SECTIONS, keys};
use crate::value::Raw;

/// Reads each `section.key=value` into `given`. Values are taken as they are: no quotes, no `${VAR}`.
pub(crate) fn read(sets: &[String], given: &mut Given) {
    for set in sets {
        let mut refuse = |key: &str, message: String| {
            given.problems.push(Problem::new(Some(Origin::CommandLine), key, message));
        };
        let Some((path, value)) = set.split_once('=') else {
            refuse("", "expected section.key=value, found no \"=\"".into());
            continue;
        };
        let path = path.trim();
        match keys().find(|key| key.path() == path) {
            Some(key) => given.assignments.push(Assignment {
                key,
                row: None,
                raw: Raw::Text(value.to_owned()),
                origin: Origin::CommandLine,
            }),
            None => match path.rsplit_once('.') {
                Some((section, name)) if SECTIONS.iter().any(|(known, _, _)| *known == section) => {
                    refuse(path, nearest::unknown_key(section, name));
                }
                _ => refuse(path, nearest::unknown_path(path)),
            },
        }
    }
}
