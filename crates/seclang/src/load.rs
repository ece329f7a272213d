//! From files to rules.

use crate::draft::Defaults;
use crate::lines::lines;
use crate::reader::Reader;
use crate::suggest::quoted;
use crate::words::words;
use crate::{Entry, Error, Item, NoSources, Rule, RuleSet, Sources, Span};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files may include files this deep.
const DEPTH_MAX: usize = 16;
/// Files that may be read, each as often as it is included.
const FILES_MAX: usize = 4096;
/// Errors that are told one by one.
const ERRORS_MAX: usize = 50;

/// Reads what `entries` name, in order, with all that they include.
///
/// # Errors
/// All mistakes, in the order in which they were met: at most fifty, then one that says how many more there are.
pub fn load(sources: &dyn Sources, entries: &[Entry]) -> Result<RuleSet, Vec<Error>> {
    let mut loader = Loader {
        files: Reader::new(sources),
        set: RuleSet::default(),
        errors: Vec::new(),
        untold: 0,
        open: Vec::new(),
        defaults: Default::default(),
        chain: None,
        ids: HashMap::new(),
        looks: 0,
    };
    for entry in entries {
        match entry {
            Entry::File(path) => loader.file(path, None),
            Entry::Text { name, text } => loader.text(Path::new(name), text.as_bytes(), None),
        }
    }
    loader.finish()
}

/// Reads one text that names no files.
///
/// # Errors
/// As [`load`].
pub fn load_text(text: &str) -> Result<RuleSet, Vec<Error>> {
    load(&NoSources, &[Entry::Text { name: "text".into(), text: text.into() }])
}

/// What has been read so far.
pub(crate) struct Loader<'a> {
    pub(crate) files: Reader<'a>,
    pub(crate) set: RuleSet,
    errors: Vec<Error>,
    untold: usize,
    /// The files that are being read, each included by the one before it.
    open: Vec<PathBuf>,
    /// `SecDefaultAction`, by phase.
    pub(crate) defaults: [Defaults; 5],
    /// A chain that waits for its next rule.
    pub(crate) chain: Option<Rule>,
    /// Where each id was given.
    pub(crate) ids: HashMap<u64, Span>,
    /// Rules that changes to rules have looked at.
    pub(crate) looks: usize,
}

impl Loader<'_> {
    /// Reads a file, which may have been named by a directive at `from`.
    fn file(&mut self, path: &Path, from: Option<Span>) {
        if self.open.iter().any(|open| open == path) {
            return self.fail_at(
                from,
                path,
                format!("{} includes itself; take one Include away", path.display()),
            );
        }
        match self.files.read(path) {
            Ok(bytes) => self.text(path, &bytes, from),
            Err(error) => self.fail_at(from, path, error),
        }
    }

    fn text(&mut self, name: &Path, text: &[u8], from: Option<Span>) {
        if self.open.len() >= DEPTH_MAX {
            return self.fail_at(from, name, format!("files include files more than {DEPTH_MAX} deep"));
        }
        let file = match u16::try_from(self.set.files.len()) {
            Ok(file) if usize::from(file) < FILES_MAX => file,
            _ => return self.fail_at(from, name, format!("more than {FILES_MAX} files; join some")),
        };
        self.set.files.push(name.to_string_lossy().into());
        self.open.push(name.to_owned());
        let folder = name.parent().unwrap_or(Path::new("")).to_owned();
        let mut sections = Vec::new();
        for line in lines(text) {
            let span = Span { file, line: line.number };
            if line.swallowed {
                self.note(
                    span,
                    "this comment ends in a backslash, which makes the next line a part of it".into(),
                );
                continue;
            }
            match line.text {
                Err(error) => self.fail(span, None, error),
                Ok(text) if text.starts_with('<') => self.section(&mut sections, span, &text),
                Ok(text) if sections.iter().all(|(_, active)| *active) => self.line(span, &text, &folder),
                Ok(_) => {}
            }
        }
        for (span, _) in sections {
            self.fail(span, None, "this section is not closed; expected </IfModule> in the same file".into());
        }
        self.break_chain("the file ends");
        self.open.pop();
    }

    /// `<IfModule …>` and its end.
    fn section(&mut self, sections: &mut Vec<(Span, bool)>, span: Span, text: &str) {
        let inner = text.trim_start_matches('<').trim_end_matches('>').trim_ascii();
        let (name, module) = inner.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inner, ""));
        match name.to_ascii_lowercase().as_str() {
            "ifmodule" => {
                let (negated, module) = match module.trim_ascii().strip_prefix('!') {
                    Some(module) => (true, module),
                    None => (false, module.trim_ascii()),
                };
                let active = is_ours(module) != negated;
                if !active {
                    self.note(span, format!("{text} does not hold here: what is in it is passed over"));
                }
                sections.push((span, active));
            }
            "/ifmodule" if sections.pop().is_some() => {}
            "/ifmodule" => self.fail(span, None, "</IfModule> without its beginning".into()),
            _ => self.fail(
                span,
                None,
                format!(
                    "{} is not supported; expected <IfModule>: look at REQUEST_FILENAME or REQUEST_HEADERS:Host in the rule",
                    quoted(text)
                ),
            ),
        }
    }

    fn line(&mut self, span: Span, text: &str, folder: &Path) {
        let words = match words(text) {
            Ok(words) => words,
            Err(error) => return self.fail(span, None, error),
        };
        let Some((written, arguments)) = words.split_first() else { return };
        let name = written.to_ascii_lowercase();
        if !matches!(name.as_str(), "secrule" | "secaction") {
            self.break_chain(&format!("{} stands at line {}", quoted(written), span.line));
        }
        let result = match name.as_str() {
            "secrule" | "secaction" => {
                self.rule(span, &name, arguments, folder);
                Ok(())
            }
            "include" => self.include(span, arguments, folder, false),
            "includeoptional" => self.include(span, arguments, folder, true),
            "secmarker" => self.marker(arguments),
            "secdefaultaction" => self.default_action(span, arguments),
            _ => match self.edit(span, &name, arguments) {
                Some(result) => result,
                None => crate::settings::set(&mut self.set.directives, written, arguments)
                    .map(|note| self.set.notes.extend(note.map(|note| (span, note)))),
            },
        };
        if let Err(error) = result {
            self.fail(span, None, error);
        }
    }

    fn include(
        &mut self,
        span: Span,
        words: &[Cow<'_, str>],
        folder: &Path,
        optional: bool,
    ) -> Result<(), String> {
        let [path] = words else { return Err("Include: expected one path".into()) };
        let path = folder.join(&**path);
        let paths = self.files.expand(&path)?;
        if paths.is_empty() && !optional {
            return Err(format!(
                "{}: no such file; if it may be missing, write IncludeOptional",
                path.display()
            ));
        }
        for path in paths {
            if !optional || self.files.exists(&path) {
                self.file(&path, Some(span));
            }
        }
        Ok(())
    }

    fn marker(&mut self, words: &[Cow<'_, str>]) -> Result<(), String> {
        match words {
            [name] if !name.is_empty() => {
                self.set.items.push(Item::Marker((&**name).into()));
                Ok(())
            }
            _ => Err("SecMarker: expected one name".into()),
        }
    }

    /// A chain that waits for its next rule gets none.
    fn break_chain(&mut self, because: &str) {
        if let Some(rule) = self.chain.take() {
            let message = format!(
                "the chain has no next rule: {because}; write a SecRule behind it or take `chain` away"
            );
            let span = rule.links.last().map_or(rule.span, |link| link.span);
            self.fail(span, Some(rule.actions.id), message);
        }
    }

    /// Rules that go on behind a marker need one after them.
    fn check_markers(&mut self) {
        let mut ahead: HashMap<Arc<str>, usize> = HashMap::new();
        let mut missing = Vec::new();
        for (place, item) in self.set.items.iter().enumerate().rev() {
            match item {
                Item::Marker(name) => {
                    ahead.entry(name.clone()).or_insert(place);
                }
                Item::Rule(rule) => {
                    if let Some(marker) = &rule.actions.skip_after
                        && !ahead.contains_key(marker)
                    {
                        missing.push((rule.span, rule.actions.id, marker.clone()));
                    }
                }
            }
        }
        for (span, id, marker) in missing.into_iter().rev() {
            let message = format!("skipAfter:{marker}: there is no such SecMarker after the rule; write one");
            self.fail(span, Some(id), message);
        }
    }

    pub(crate) fn note(&mut self, span: Span, note: String) {
        self.set.notes.push((span, note));
    }

    /// Where an id was given first, in words.
    pub(crate) fn place(&self, span: Span) -> String {
        let file = self.set.files.get(usize::from(span.file)).map_or("", |file| &**file);
        format!("{file}:{}", span.line)
    }

    pub(crate) fn fail(&mut self, span: Span, rule: Option<u64>, message: String) {
        if self.errors.len() >= ERRORS_MAX {
            self.untold += 1;
            return;
        }
        let file = self.set.files.get(usize::from(span.file)).cloned().unwrap_or_default();
        self.errors.push(Error { file, line: span.line, rule, message });
    }

    /// A file could not be read: where it was asked for, or under its own name.
    fn fail_at(&mut self, from: Option<Span>, path: &Path, message: String) {
        match from {
            Some(span) => self.fail(span, None, message),
            None if self.errors.len() >= ERRORS_MAX => self.untold += 1,
            None => {
                let file = path.to_string_lossy().into();
                self.errors.push(Error { file, line: 0, rule: None, message });
            }
        }
    }

    fn finish(mut self) -> Result<RuleSet, Vec<Error>> {
        if self.errors.is_empty() {
            self.check_markers();
        }
        if self.errors.is_empty() {
            return Ok(self.set);
        }
        if self.untold > 0 {
            let message = format!("and {} more; mend these first", self.untold);
            let file = self.errors.last().map(|error| error.file.clone()).unwrap_or_default();
            self.errors.push(Error { file, line: 0, rule: None, message });
        }
        Err(self.errors)
    }
}

/// Whether ModSecurity would be loaded under this name.
fn is_ours(module: &str) -> bool {
    const OURS: [&str; 5] =
        ["security2_module", "mod_security2.c", "security3_module", "mod_security3.c", "mod_security.c"];
    OURS.iter().any(|ours| ours.eq_ignore_ascii_case(module))
}
