//! Cases that are known to go another way here, each with its reason: `"920100-4" = "…"`.

use std::collections::BTreeMap;
use std::path::Path;

/// Names of cases, and why each goes another way.
pub type Exceptions = BTreeMap<String, String>;

/// Reads a file of exceptions.
pub fn read(path: &Path) -> Result<Exceptions, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let exceptions: Exceptions =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    match exceptions.iter().find(|(_, reason)| reason.trim().is_empty()) {
        Some((name, _)) => Err(format!("{}: {name} has no reason", path.display())),
        None => Ok(exceptions),
    }
}
