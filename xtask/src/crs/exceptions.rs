//! Cases that are known to go another way here, each with its reason: `"920100-4" = "…"`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of cases, and why each goes another way.
pub type Exceptions = BTreeMap<String, String>;

/// The directive by which a rule set says its version.
const SIGNATURE: &str = "SecComponentSignature \"OWASP_CRS/";

/// Those of this version of the rule set: `xtask/crs/exceptions-3.3.4.toml`; none where there is no such file.
pub fn of(root: &Path, rules: &Path) -> Result<Exceptions, String> {
    let path = version(rules).map(|version| root.join(format!("xtask/crs/exceptions-{version}.toml")));
    path.filter(|path| path.exists()).map_or_else(|| Ok(Exceptions::new()), |path| read(&path))
}

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

/// The version that one of the files of `rules` says.
fn version(rules: &Path) -> Option<String> {
    let files: Vec<PathBuf> = std::fs::read_dir(rules).ok()?.flatten().map(|entry| entry.path()).collect();
    files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "conf")).find_map(
        |path| {
            let text = std::fs::read_to_string(path).ok()?;
            let said = text.lines().find_map(|line| line.trim().strip_prefix(SIGNATURE))?;
            said.split('"').next().map(str::to_owned)
        },
    )
}
