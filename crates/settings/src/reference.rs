//! The reference page, `docs/configuration.md`, made from the tables of the sections.

use crate::built::UNBUILT;
use crate::key::{Effect, Key, Kind};
use crate::settings::{SECTIONS, Settings};
use std::fmt::Write as _;

/// What stands before the tables.
const INTRODUCTION: &str = include_str!("reference.md");

/// The whole page, Markdown.
pub fn reference_markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (name, about, keys) in SECTIONS {
        let _ = write!(page, "\n## [{name}]\n\n{}\n\n", prose(about));
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
    let value = defaults.section_mut(key.section).map(|section| section.write(key)).unwrap_or_default();
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
