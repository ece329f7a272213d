//! The reference page, `docs/configuration.md`, made from the tables of the sections.

use crate::built::UNBUILT;
use crate::key::{Effect, Key, Kind};
use crate::nearest::header;
use crate::settings::{EXAMPLES, SECTIONS, Settings, TABLES};
use std::fmt::Write as _;

/// What stands before the tables.
const INTRODUCTION: &str = include_str!("reference.md");

/// The whole page, Markdown.
pub fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (name, about, keys) in SECTIONS.iter().chain(TABLES) {
        let _ = write!(page, "\n## {}\n\n{}\n\n", header(name), prose(about));
        if let Some((_, example)) = EXAMPLES.iter().find(|(table, _)| table == name) {
            let _ = write!(page, "```toml\n{example}```\n\n");
        }
        page.push_str("| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
        for key in *keys {
            let _ = writeln!(
                page,
                "| `{}`{} | {} | {} | {} |",
                key.name,
                if key.effect == Effect::Restart { " ↻" } else { "" },
                type_of(key),
                default_of(key),
                meaning_of(key),
            );
        }
    }
    page.push_str("\n## Not built yet\n\nThese names are known and refused, with what to use instead.\n\n");
    page.push_str("| name | instead |\n| --- | --- |\n");
    for (name, instead) in UNBUILT {
        let _ = writeln!(page, "| `{name}` | {instead} |");
    }
    page
}

fn type_of(key: &Key) -> String {
    let mut text = key.kind.name();
    if let Some(unit) = key.unit {
        let _ = write!(text, ", {unit}");
    }
    if let Some((min, max)) = key.range {
        let _ = write!(text, ", {min} to {max}");
    }
    text
}

fn default_of(key: &Key) -> String {
    if key.required {
        return "required".into();
    }
    let mut defaults = Settings::default();
    let value = match defaults.push_row(key.section) {
        Some(()) => defaults.row_mut(key.section, 0),
        None => defaults.section_mut(key.section),
    };
    let value = value.map(|section| section.write(key)).unwrap_or_default();
    if value.is_empty() { "–".into() } else { format!("`{value}`") }
}

fn meaning_of(key: &Key) -> String {
    let mut text = prose(key.doc).replace('|', "\\|");
    if let Some(alias) = key.alias {
        let _ = write!(text, " Environment: `{alias}`.");
    }
    if key.kind == Kind::Secret {
        text.push_str(" Never shown.");
    }
    text
}

/// A doc comment as one paragraph.
fn prose(doc: &str) -> String {
    doc.split_whitespace().collect::<Vec<_>>().join(" ")
}
