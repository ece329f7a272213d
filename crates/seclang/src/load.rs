//! From files to rules.

use crate::{Entry, Error, NoSources, RuleSet, Sources};

/// Reads what `entries` name, in order, with all that they include.
///
/// # Errors
/// All mistakes, in the order in which they were met: at most fifty, then one that says how many more there are.
pub fn load(sources: &dyn Sources, entries: &[Entry]) -> Result<RuleSet, Vec<Error>> {
    let _ = (sources, entries);
    Ok(RuleSet::default())
}

/// Reads one text that names no files.
///
/// # Errors
/// As [`load`].
pub fn load_text(text: &str) -> Result<RuleSet, Vec<Error>> {
    load(&NoSources, &[Entry::Text { name: "text".into(), text: text.into() }])
}
