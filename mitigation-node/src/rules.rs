//! Firewall rules: the file's, and those set by the API over them, by id. What the API sets survives reload and restart.

use crate::storage::{self, Audience};
use secbeat_waf::{Rule, RuleError, parse_rules};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// The rules that a node without a file of its own runs on.
pub const SHIPPED: &str = include_str!("../config/waf_rules.json");

/// What the API has set. Kept in the data folder as `rules.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Whether the file's rules are out of force altogether.
    #[serde(default)]
    pub replaces_file: bool,
    /// Ids of the file's rules that were deleted.
    #[serde(default)]
    pub deleted: BTreeSet<String>,
    /// Rules beside the file's, or in the place of those with the same id.
    #[serde(default)]
    pub rules: Vec<Rule>,
}

impl Overlay {
    /// Where it is kept.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join("rules.json")
    }

    /// Reads what was kept; nothing where there is no file.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood. It is never dropped in silence: it may hold rules that protect.
    pub fn load(data_dir: &Path) -> Result<Self, String> {
        let path = Self::path(data_dir);
        let blame = |error: String| {
            format!("{}: {error}; mend it, or move it away to run on the rules file alone", path.display())
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| blame(error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(blame(error.to_string())),
        }
    }

    /// Keeps it. On the disk when this returns.
    pub fn save(&self, data_dir: &Path) -> io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(io::Error::other)?;
        storage::replace(&Self::path(data_dir), text.as_bytes(), Audience::Owner)
    }

    /// Sets rules by id.
    pub fn upsert(&mut self, rules: Vec<Rule>) {
        for rule in rules {
            self.deleted.remove(&rule.id);
            match self.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => *known = rule,
                None => self.rules.push(rule),
            }
        }
    }

    /// Takes all other rules out of force.
    pub fn replace(&mut self, rules: Vec<Rule>) {
        *self = Self { replaces_file: true, deleted: BTreeSet::new(), rules };
    }

    /// Deletes a rule, one of a file or its own. `false`: there is no such rule in force.
    pub fn delete<'a>(&mut self, id: &str, mut of_files: impl Iterator<Item = &'a Rule>) -> bool {
        let in_file = of_files.any(|rule| rule.id == id);
        let is_own = self.rules.iter().any(|rule| rule.id == id);
        if !is_own && (!in_file || self.replaces_file || self.deleted.contains(id)) {
            return false;
        }
        self.rules.retain(|rule| rule.id != id);
        if in_file {
            self.deleted.insert(id.to_owned());
        }
        true
    }

    /// The rules in force, over those of the file.
    pub fn over(&self, file: &[Rule]) -> Vec<Rule> {
        let mut rules = Vec::new();
        let mut own: Vec<&Rule> = self.rules.iter().collect();
        for rule in file.iter().filter(|_| !self.replaces_file) {
            match own.iter().position(|own| own.id == rule.id) {
                Some(at) => rules.push(own.remove(at).clone()),
                None if self.deleted.contains(&rule.id) => {}
                None => rules.push(rule.clone()),
            }
        }
        rules.extend(own.into_iter().cloned());
        rules
    }
}

/// The rules of the file at `path`, which `key` names; without a path the ones that are built in.
pub fn of_file(key: &str, path: Option<&Path>) -> Result<Vec<Rule>, String> {
    let Some(path) = path else {
        return parse_rules(SHIPPED).map_err(|error| format!("the rules built in: {error}"));
    };
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!(
            "{key}: {}: {error}; give a file of rules, or leave the key out to use the rules built in",
            path.display()
        )
    })?;
    parse_rules(&text).map_err(|error: RuleError| format!("{key}: {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(ids: &[(&str, &str)]) -> Vec<Rule> {
        let rules: Vec<String> = ids
            .iter()
            .map(|(id, pattern)| format!(r#"{{"id":"{id}","pattern":"{pattern}","action":"block"}}"#))
            .collect();
        parse_rules(&format!(r#"{{"rules":[{}]}}"#, rules.join(","))).unwrap()
    }

    fn shown(rules: &[Rule]) -> Vec<(&str, &str)> {
        rules.iter().map(|rule| (rule.id.as_str(), rule.pattern.as_str())).collect()
    }

    #[test]
    fn rules_of_the_api_lie_over_those_of_the_file_by_id() {
        let file = rules(&[("a", "1"), ("b", "2")]);
        let mut overlay = Overlay::default();
        overlay.upsert(rules(&[("b", "3"), ("c", "4")]));
        assert_eq!(shown(&overlay.over(&file)), [("a", "1"), ("b", "3"), ("c", "4")]);
        assert!(overlay.delete("b", file.iter()) && overlay.delete("c", file.iter()));
        assert!(!overlay.delete("d", file.iter()) && !overlay.delete("b", file.iter()));
        assert_eq!(shown(&overlay.over(&file)), [("a", "1")]);
        overlay.upsert(rules(&[("b", "5")]));
        assert_eq!(shown(&overlay.over(&file)), [("a", "1"), ("b", "5")]);
        overlay.replace(rules(&[("z", "9")]));
        assert_eq!(shown(&overlay.over(&file)), [("z", "9")]);
        assert!(!overlay.delete("a", file.iter()));
    }

    #[test]
    fn what_is_kept_is_read_back() {
        let folder = std::env::temp_dir().join(format!("secbeat-rules-{}", std::process::id()));
        let mut overlay = Overlay::default();
        overlay.upsert(rules(&[("b", "3")]));
        overlay.deleted.insert("a".into());
        overlay.save(&folder).unwrap();
        assert_eq!(Overlay::load(&folder), Ok(overlay));
        std::fs::write(Overlay::path(&folder), "{").unwrap();
        assert!(Overlay::load(&folder).unwrap_err().contains("rules.json"));
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(Overlay::load(&folder), Ok(Overlay::default()));
    }

    #[test]
    fn the_rules_built_in_are_rules() {
        assert!(!of_file("waf.rules_path", None).unwrap().is_empty());
    }
}
