//! The layers, in order: default < file < environment < `--set`.

use crate::key::Key;
use crate::problem::{Errors, Origin, Problem};
use crate::secret::Secret;
use crate::settings::{SECTIONS, Settings, keys, table_keys};
use crate::value::Raw;
use crate::{check, command_line, environment, file};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The environment variable that names the configuration file.
pub const PATH_VARIABLE: &str = "MITIGATION_CONFIG";

/// The configuration file where nothing names another.
pub const PATH_DEFAULT: &str = "config/production.toml";

/// Reads a text file. The program gives [`std::fs::read_to_string`], a test what it likes.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Everything that settings are made from. Nothing else is looked at: no process environment, no working directory.
#[derive(Clone)]
pub struct Sources<'a> {
    /// The configuration file; `None`: there is none, and the other layers must give what is required.
    pub path: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// The arguments of `--set`, each `section.key=value`; the last of one key wins.
    pub sets: Vec<String>,
    /// How the configuration file and `…_file` secrets are read.
    pub read: ReadFile<'a>,
}

impl Sources<'static> {
    /// The sources of a running program: its own environment and the file system.
    pub fn of_process(path: Option<PathBuf>, sets: Vec<String>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        Sources {
            path,
            environment: std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect(),
            sets,
            read: &|path| std::fs::read_to_string(path),
        }
    }
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings in force.
    pub settings: Settings,
    /// Where each given key came from, by `section.key` and `table[0].key`; a key that is not here has its default.
    pub origins: BTreeMap<String, Origin>,
    /// What the operator should know, a sentence each.
    pub warnings: Vec<String>,
    /// Names that are known but not built in this version, with their place; [`Loaded::check_built`] refuses them.
    pub(crate) unbuilt: Vec<Unbuilt>,
}

/// A known name that this version does not have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Unbuilt {
    pub(crate) name: &'static str,
    pub(crate) instead: &'static str,
    pub(crate) origin: Origin,
}

impl Loaded {
    /// Where the value of a key came from.
    pub fn origin(&self, path: &str) -> &Origin {
        self.origins.get(path).unwrap_or(&Origin::Default)
    }
}

/// One value given to one key by one layer.
pub(crate) struct Assignment {
    pub(crate) key: &'static Key,
    /// Of a section that may stand several times: which of them, from 0.
    pub(crate) row: Option<usize>,
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

impl Assignment {
    /// `waf.enable`, `sites[2].hosts`.
    fn path(&self) -> String {
        path(self.key, self.row)
    }
}

/// The path of a key, in the table of this number where its section may stand several times.
pub(crate) fn path(key: &Key, row: Option<usize>) -> String {
    match row {
        Some(row) => format!("{}[{row}].{}", key.section, key.name),
        None => key.path(),
    }
}

/// What the layers gave, and what is wrong with it.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) assignments: Vec<Assignment>,
    /// Sections whose header is in the file, with its place; a header alone makes an optional section present.
    pub(crate) headers: BTreeMap<&'static str, Origin>,
    /// The headers of sections that may stand several times, in the order of the file.
    pub(crate) rows: BTreeMap<&'static str, Vec<Origin>>,
    pub(crate) unbuilt: Vec<Unbuilt>,
    pub(crate) warnings: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

impl Settings {
    /// Makes settings of all layers, or says everything that is wrong with them.
    pub fn load(sources: &Sources<'_>) -> Result<Loaded, Errors> {
        let mut given = Given::default();
        if let Some(path) = &sources.path {
            match (sources.read)(path) {
                // It may hold secrets.
                Ok(text) => file::read(path, &Zeroizing::new(text), &sources.environment, &mut given),
                Err(error) => given.problems.push(unreadable_configuration(path, &error)),
            }
            if given.assignments.is_empty() {
                // Without a file, every required key would be reported missing, which helps nobody.
                Errors::unless_empty(std::mem::take(&mut given.problems))?;
            }
        }
        environment::read(&sources.environment, &mut given);
        command_line::read(&sources.sets, &mut given);
        merge(given, sources.read)
    }
}

fn unreadable_configuration(path: &Path, error: &io::Error) -> Problem {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => {
            "; name another with MITIGATION_CONFIG, or start in the folder that holds it"
        }
        io::ErrorKind::PermissionDenied => "; let the user of this program read it",
        io::ErrorKind::InvalidData => "; a configuration file is UTF-8",
        _ => "",
    };
    Problem::new(
        None,
        "",
        format!("{}: the configuration file cannot be read: {error}{remedy}", path.display()),
    )
}

fn merge(given: Given, read: ReadFile<'_>) -> Result<Loaded, Errors> {
    let Given { mut assignments, headers, rows, unbuilt, warnings, mut problems } = given;
    assignments.sort_by_key(|assignment| assignment.origin.layer());
    let mut settings = Settings::default();
    let mut origins = BTreeMap::new();
    let mut present: BTreeSet<&str> = headers.keys().copied().collect();
    for name in &present {
        settings.section_mut(name);
    }
    for (name, headers) in &rows {
        headers.iter().for_each(|_| settings.push_row(name).unwrap_or_default());
    }
    for assignment in assignments {
        let path = assignment.path();
        let Assignment { key, row, mut raw, origin } = assignment;
        let section = match row {
            Some(row) => settings.row_mut(key.section, row),
            None => {
                present.insert(key.section);
                settings.section_mut(key.section)
            }
        };
        if let Err(message) = section.map_or(Ok(()), |section| section.set(key, &raw)) {
            problems.push(Problem::new(Some(origin.clone()), path.clone(), message));
        }
        if key.is_secret() {
            raw.wipe();
        }
        origins.insert(path, origin);
    }
    read_secret_files(&mut settings, &mut origins, read, &mut problems);
    require(&present, &headers, &origins, &mut problems);
    require_in_rows(&rows, &origins, &mut problems);
    let mut loaded = Loaded { settings, origins, warnings, unbuilt };
    check::check(&mut loaded, &mut problems);
    Errors::unless_empty(problems)?;
    Ok(loaded)
}

/// A required key of a section that is there must be given; `[server]` is always there.
fn require(
    present: &BTreeSet<&str>,
    headers: &BTreeMap<&'static str, Origin>,
    origins: &BTreeMap<String, Origin>,
    problems: &mut Vec<Problem>,
) {
    for (name, _, keys) in SECTIONS {
        if *name != "server" && !present.contains(name) {
            continue;
        }
        for key in keys.iter().filter(|key| key.required && !origins.contains_key(&key.path())) {
            let message = format!(
                "missing: expected {}; set it in [{name}], by --set {}=… or by {}",
                key.kind.expected(),
                key.path(),
                key.alias.map_or_else(|| key.variable(), str::to_owned),
            );
            missing(key.path(), headers.get(name), message, problems);
        }
    }
}

/// The same of each `[[table]]`, which the file alone can give.
fn require_in_rows(
    rows: &BTreeMap<&'static str, Vec<Origin>>,
    origins: &BTreeMap<String, Origin>,
    problems: &mut Vec<Problem>,
) {
    for key in table_keys().filter(|key| key.required) {
        for (row, header) in rows.get(key.section).into_iter().flatten().enumerate() {
            let path = path(key, Some(row));
            if !origins.contains_key(&path) {
                let message = format!("missing: expected {}", key.kind.expected());
                missing(path, Some(header), message, problems);
            }
        }
    }
}

fn missing(path: String, header: Option<&Origin>, message: String, problems: &mut Vec<Problem>) {
    if !problems.iter().any(|problem| problem.key == path) {
        problems.push(Problem::new(header.cloned(), path, message));
    }
}

/// Reads each `…_file` into its secret. The higher layer wins; both in one layer is an error.
fn read_secret_files(
    settings: &mut Settings,
    origins: &mut BTreeMap<String, Origin>,
    read: ReadFile<'_>,
    problems: &mut Vec<Problem>,
) {
    for key in keys().filter(|key| key.is_secret()) {
        let (path, path_of_file) = (key.path(), format!("{}_file", key.path()));
        let Some(origin) = origins.get(&path_of_file).cloned() else { continue };
        if let Some(other) = origins.get(&path) {
            if other.layer() > origin.layer() {
                continue;
            }
            if other.layer() == origin.layer() {
                let message =
                    format!("give {} or {}_file, not both (the other is at {other})", key.name, key.name);
                problems.push(Problem::new(Some(origin), path_of_file, message));
                continue;
            }
        }
        let Some(file) = settings.secret_file(key) else { continue };
        let secret = read(&file)
            .map_err(|error| format!("the secret in {} cannot be read: {error}", file.display()))
            .map(Zeroizing::new)
            .and_then(|text| {
                Secret::new(text.trim_end_matches(['\n', '\r']))
                    .map_err(|message| format!("{}: {message}", file.display()))
            });
        match secret {
            Ok(secret) => {
                let mut raw = Raw::String(secret.expose().to_owned());
                if let Some(section) = settings.section_mut(key.section) {
                    // A `Secret` that was accepted is accepted again.
                    let _ = section.set(key, &raw);
                }
                raw.wipe();
                origins.insert(path, origin);
            }
            Err(message) => problems.push(Problem::new(Some(origin), path_of_file, message)),
        }
    }
}

impl Settings {
    fn secret_file(&self, secret: &Key) -> Option<PathBuf> {
        match (secret.section, secret.name) {
            ("syn_proxy", "syn_cookie_secret") => self.syn_proxy.syn_cookie_secret_file.clone(),
            ("orchestrator", "join_token") => self.orchestrator.as_ref()?.join_token_file.clone(),
            ("metrics", "api_token") => self.metrics.api_token_file.clone(),
            ("metrics", "viewer_token") => self.metrics.viewer_token_file.clone(),
            _ => None,
        }
    }
}
