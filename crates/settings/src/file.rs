//! The file layer: TOML with the place of every value.

use crate::built::UNBUILT;
use crate::key::Key;
use crate::load::{Assignment, Given, Unbuilt, path};
use crate::nearest;
use crate::problem::{Origin, Problem};
use crate::settings::{SECTIONS, TABLES};
use crate::value::Raw;
use crate::variables::{self, Expanded};
use std::collections::BTreeMap;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Reads `text`, the content of `path`, into `given`.
pub(crate) fn read(path: &Path, text: &str, environment: &BTreeMap<String, String>, given: &mut Given) {
    let file = File { path, text, environment };
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        given.problems.extend(errors.iter().map(|error| file.syntax_error(error)));
        return;
    }
    if document.get_ref().is_empty() {
        let message = "the file sets nothing; expected at least [server] with backend_address";
        given.problems.push(Problem::new(Some(file.origin(0)), "", message));
        return;
    }
    for (name, value) in document.get_ref() {
        file.section(name, value, given);
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
    environment: &'a BTreeMap<String, String>,
}

impl File<'_> {
    fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Origin::File {
            path: self.path.to_owned(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before.get(line_start..).unwrap_or("").chars().count() + 1,
        }
    }

    fn syntax_error(&self, error: &toml::de::Error) -> Problem {
        let origin = self.origin(error.span().map_or(0, |span| span.start));
        Problem::new(Some(origin), "", format!("this is not TOML: {}", error.message().replace('\n', "; ")))
    }

    fn section(
        &self,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        given: &mut Given,
    ) {
        let origin = self.origin(name.span().start);
        if self.is_unbuilt(name.get_ref(), &origin, given) {
            return;
        }
        if let Some(&(table, _, keys)) = TABLES.iter().find(|(table, _, _)| table == name.get_ref()) {
            self.rows(table, keys, value, given);
            return;
        }
        let written_out = !name.get_ref().contains('.');
        let Some(section) = section_of(name.get_ref()).filter(|_| written_out) else {
            let message = nearest::unknown_section(name.get_ref(), value.get_ref().is_table());
            given.problems.push(Problem::new(Some(origin), name.get_ref().as_ref(), message));
            return;
        };
        self.known_section(section, origin, value, given);
    }

    fn known_section(
        &self,
        &(section, _, keys): &SectionEntry,
        origin: Origin,
        value: &Spanned<DeValue<'_>>,
        given: &mut Given,
    ) {
        let DeValue::Table(table) = value.get_ref() else {
            let message = format!("expected a section, [{section}], found {}", kind_of(value.get_ref()));
            given.problems.push(Problem::new(Some(origin), section, message));
            return;
        };
        given.headers.insert(section, origin);
        for (name, value) in table {
            let path = format!("{section}.{}", name.get_ref());
            match section_of(&path) {
                Some(inner) => self.known_section(inner, self.origin(name.span().start), value, given),
                None => self.key((section, None), keys, name, value, given),
            }
        }
    }

    /// A section that may stand several times: `[[sites]]`, or a list of tables.
    fn rows(
        &self,
        section: &'static str,
        keys: &'static [Key],
        value: &Spanned<DeValue<'_>>,
        given: &mut Given,
    ) {
        let DeValue::Array(items) = value.get_ref() else {
            let message = format!("expected [[{section}]], found {}", kind_of(value.get_ref()));
            given.problems.push(Problem::new(Some(self.origin(value.span().start)), section, message));
            return;
        };
        for (row, item) in items.iter().enumerate() {
            let origin = self.origin(item.span().start);
            let DeValue::Table(table) = item.get_ref() else {
                let message = format!("expected [[{section}]], found {}", kind_of(item.get_ref()));
                given.problems.push(Problem::new(Some(origin), format!("{section}[{row}]"), message));
                continue;
            };
            given.rows.entry(section).or_default().push(origin);
            for (name, value) in table {
                self.key((section, Some(row)), keys, name, value, given);
            }
        }
    }

    fn key(
        &self,
        (section, row): (&'static str, Option<usize>),
        keys: &'static [Key],
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        given: &mut Given,
    ) {
        let place = self.origin(name.span().start);
        let Some(key) = keys.iter().find(|key| key.name == name.get_ref()) else {
            let of_row = row.map(|row| format!("[{row}]")).unwrap_or_default();
            let path = format!("{section}{of_row}.{}", name.get_ref());
            if !self.is_unbuilt(&path, &place, given) {
                let message = nearest::unknown_key(section, name.get_ref());
                given.problems.push(Problem::new(Some(place), path, message));
            }
            return;
        };
        let origin = self.origin(value.span().start);
        match self.expand(raw(value.get_ref())) {
            Ok(raw) => given.assignments.push(Assignment { key, row, raw, origin }),
            Err(variables::Error::Unset(_)) if key.variable_may_be_unset => {}
            Err(error) => given.problems.push(Problem::new(Some(origin), path(key, row), error.to_string())),
        }
    }

    fn is_unbuilt(&self, path: &str, origin: &Origin, given: &mut Given) -> bool {
        let Some(&(name, instead)) = UNBUILT.iter().find(|(name, _)| *name == path) else { return false };
        given.unbuilt.push(Unbuilt { name, instead, origin: origin.clone() });
        true
    }

    /// Replaces the variables in a string, or in each string of a list. The nesting is that of the parser, which
    /// limits it.
    fn expand(&self, raw: Raw) -> Result<Raw, variables::Error> {
        let lookup = |name: &str| self.environment.get(name).map(String::as_str);
        Ok(match raw {
            Raw::String(text) => match variables::expand(&text, lookup)? {
                Expanded::AsWritten(text) => Raw::String(text),
                Expanded::Replaced(text) => Raw::Text(text),
            },
            Raw::List(items) => {
                Raw::List(items.into_iter().map(|item| self.expand(item)).collect::<Result<_, _>>()?)
            }
            other => other,
        })
    }
}

type SectionEntry = (&'static str, &'static str, &'static [Key]);

fn section_of(path: &str) -> Option<&'static SectionEntry> {
    SECTIONS.iter().find(|(section, _, _)| *section == path)
}

/// A TOML value without its place. The nesting is that of the parser, which limits it to 80.
pub(crate) fn raw(value: &DeValue<'_>) -> Raw {
    match value {
        DeValue::String(text) => Raw::String(text.as_ref().to_owned()),
        DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Other("a number too large"),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Raw::Float(number),
            Err(_) => Raw::Other("a number that cannot be read"),
        },
        DeValue::Boolean(flag) => Raw::Boolean(*flag),
        DeValue::Array(items) => Raw::List(items.iter().map(|item| raw(item.get_ref())).collect()),
        DeValue::Datetime(_) | DeValue::Table(_) => Raw::Other(kind_of(value)),
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
