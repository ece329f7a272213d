//! "unknown key; did you mean …?"

use crate::built::UNBUILT;
use crate::settings::{SECTIONS, TABLES, keys, table_keys};

/// A name less like than this is no suggestion (Jaro-Winkler, 0 to 1).
const LIKENESS_MIN: f64 = 0.8;

/// Why a name that is known has no key.
pub(crate) fn not_built(instead: &str) -> String {
    format!("not built in this version; {instead}")
}

/// Of a key or its section: `listeners.a` is not built either.
fn unbuilt(path: &str) -> Option<String> {
    let is_of =
        |name: &str| path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
    UNBUILT.iter().find(|(name, _)| is_of(name)).map(|(_, instead)| not_built(instead))
}

pub(crate) fn unknown_key(section: &str, name: &str) -> String {
    if let Some(message) = unbuilt(&format!("{section}.{name}")) {
        return message;
    }
    let all = || keys().chain(table_keys()).filter(|key| key.section == section);
    let here = all().map(|key| key.name.to_owned());
    let elsewhere = keys().filter(|key| key.name == name).map(|key| key.path()).next();
    let meant = elsewhere.or_else(|| nearest(name, here));
    match meant {
        Some(meant) => format!("unknown key; did you mean {meant}?"),
        None => {
            let known: Vec<&str> = all().map(|key| key.name).collect();
            format!("unknown key; [{section}] has {}", known.join(", "))
        }
    }
}

pub(crate) fn unknown_section(name: &str, is_table: bool) -> String {
    let sections = || SECTIONS.iter().chain(TABLES).map(|(section, _, _)| *section);
    if !is_table && let Some(key) = keys().find(|key| key.name == name) {
        return format!(
            "unknown section; keys stand in sections: did you mean {} in [{}]?",
            name, key.section
        );
    }
    let unbuilt = UNBUILT.iter().map(|(name, _)| *name).filter(|name| !name.contains('.'));
    match nearest(name, sections().chain(unbuilt).map(str::to_owned)) {
        Some(meant) => format!("unknown section; did you mean {}?", header(&meant)),
        None => format!("unknown section; there are {}", sections().collect::<Vec<_>>().join(", ")),
    }
}

/// How a section's header is written: `[waf]`, `[[sites]]`.
pub(crate) fn header(section: &str) -> String {
    match table(section) {
        Some(table) => format!("[[{table}]]"),
        None => format!("[{section}]"),
    }
}

/// The section that may stand several times, of a path such as `sites.hosts` or `sites[0].hosts`.
fn table(path: &str) -> Option<&'static str> {
    let first = path.split(['.', '[']).next()?;
    TABLES.iter().map(|(section, _, _)| *section).find(|section| *section == first)
}

pub(crate) fn unknown_path(path: &str) -> String {
    if let Some(message) = unbuilt(path) {
        return message;
    }
    if let Some(table) = table(path) {
        return in_file_alone(table);
    }
    match nearest(path, keys().map(|key| key.path())) {
        Some(meant) => format!("unknown key; did you mean {meant}?"),
        None => "unknown key; expected section.key=value, such as waf.enable=false".into(),
    }
}

pub(crate) fn unknown_variable(name: &str) -> String {
    let path = name.trim_start_matches("SECBEAT__").replace("__", ".").to_ascii_lowercase();
    if let Some(message) = unbuilt(&path) {
        return message;
    }
    if let Some(table) = table(&path) {
        return in_file_alone(table);
    }
    match nearest(name, keys().map(|key| key.variable())) {
        Some(meant) => format!("it names no key; did you mean {meant}?"),
        None => "it names no key; expected SECBEAT__SECTION__KEY, such as SECBEAT__WAF__ENABLE".into(),
    }
}

fn in_file_alone(table: &str) -> String {
    format!(
        "[[{table}]] may stand several times, and is given in the file alone; write it there, with ${{VAR}} for what varies"
    )
}

fn nearest(name: &str, known: impl Iterator<Item = String>) -> Option<String> {
    // Likeness takes time with the square of the length: what nobody mistypes is not compared.
    const LENGTH_MAX: usize = 128;
    if name.len() > LENGTH_MAX {
        return None;
    }
    known
        .map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}
