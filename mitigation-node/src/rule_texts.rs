//! The texts of SecLang rules, read from disk, compiled, and remembered by what they were read from.

use secbeat_settings::{OnBudget, Settings};
use secbeat_waf::crs::{self, CrsSettings, ResponseSettings};
use secbeat_waf::{OsSources, Program, Sources};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A SecLang program, and what it was read from.
#[derive(Clone, Default)]
pub struct SecLang {
    /// The program; `None`: the settings name no rules.
    pub program: Option<Arc<Program>>,
    /// What of the texts has no effect here, each with its file and line.
    pub notes: Vec<String>,
    /// The files that were read.
    pub files: Vec<PathBuf>,
    /// A hash of all that was read, and of the settings that became text.
    pub fingerprint: u64,
}

impl SecLang {
    /// Reads and compiles what `[waf.crs]` and `waf.include` name.
    ///
    /// # Errors
    /// Everything that is wrong, a line each: file, line, rule, what to do.
    pub fn load(settings: &Settings) -> Result<Self, String> {
        if !settings.crs.enable && settings.waf.include.is_empty() {
            return Ok(Self::default());
        }
        let crs = settings.crs.enable.then(|| rule_set(settings));
        let response = ResponseSettings {
            limit: settings.waf.inspect_response_limit,
            types: settings.waf.inspect_response_types.clone(),
        };
        let reading = Reading::default();
        (&crs, &response).hash(&mut *reading.hasher.borrow_mut());
        let compiled = crs::compile(crs.as_ref(), &response, &settings.waf.include, &reading);
        let compiled = compiled.map_err(|errors| {
            let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
            lines.join("\n")
        })?;
        Ok(Self {
            program: Some(Arc::new(compiled.program)),
            notes: compiled.notes,
            files: reading.files.into_inner().into_iter().collect(),
            fingerprint: reading.hasher.into_inner().finish(),
        })
    }
}

impl SecLang {
    /// What the texts say of how long a persistent collection lives that nobody writes to.
    pub fn collection_timeout_s(&self) -> Option<u64> {
        self.program.as_ref()?.directives().collection_timeout_s
    }
}

fn rule_set(settings: &Settings) -> CrsSettings {
    let crs = &settings.crs;
    CrsSettings {
        path: crs.path.clone(),
        setup: crs.setup.clone(),
        paranoia_level: crs.paranoia_level,
        detection_paranoia_level: crs.detection_paranoia_level,
        inbound_threshold: crs.inbound_threshold,
        outbound_threshold: crs.outbound_threshold,
    }
}

/// How rules judge, as the settings have it.
pub fn judging(settings: &Settings) -> secbeat_waf::Settings {
    secbeat_waf::Settings {
        block_suspicious: settings.waf.block_suspicious,
        work_budget: settings.waf.work_budget,
        block_on_budget: settings.waf.on_budget == OnBudget::Block,
        ..secbeat_waf::Settings::default()
    }
}

/// The disk, with a memory of what was read.
#[derive(Default)]
struct Reading {
    files: RefCell<BTreeSet<PathBuf>>,
    hasher: RefCell<DefaultHasher>,
}

impl Sources for Reading {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let bytes = OsSources.read(path, limit)?;
        (path, &bytes).hash(&mut *self.hasher.borrow_mut());
        self.files.borrow_mut().insert(path.to_owned());
        Ok(bytes)
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        OsSources.glob(pattern)
    }
}
