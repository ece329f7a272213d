//! What the API has set and what outlives reload and restart: rules and exceptions, each in a file of the data folder.

use crate::rules::Overlay;
use crate::storage::{self, Audience};
use secbeat_intel::Backoff;
use secbeat_waf::{Exception, parse_exceptions};
use serde_json::json;
use std::io;
use std::path::{Path, PathBuf};

/// What the API has set.
pub struct Kept {
    data_dir: PathBuf,
    /// Rules over those of the files.
    pub rules: Overlay,
    are_rules_saved: bool,
    /// What rules let pass all the same.
    pub exceptions: Vec<Exception>,
    are_exceptions_saved: bool,
    backoff: Backoff,
}

impl Kept {
    /// Reads what was kept; nothing where there are no files.
    ///
    /// # Errors
    /// A file is there and cannot be read or understood. It is never dropped in silence: without it requests pass that are to be
    /// stopped, or are stopped that are to pass.
    pub fn load(data_dir: &Path) -> Result<Self, String> {
        Ok(Self {
            data_dir: data_dir.to_owned(),
            rules: Overlay::load(data_dir)?,
            are_rules_saved: true,
            exceptions: load_exceptions(&exceptions_path(data_dir))?,
            are_exceptions_saved: true,
            backoff: Backoff::default(),
        })
    }

    /// Keeps these rules.
    ///
    /// # Errors
    /// The disk's; they are kept in memory, and [`save_again`](Self::save_again) tries again.
    pub fn put_rules(&mut self, rules: Overlay) -> io::Result<()> {
        self.rules = rules;
        self.are_rules_saved = false;
        self.save()
    }

    /// Keeps these exceptions.
    ///
    /// # Errors
    /// The disk's; they are kept in memory, and [`save_again`](Self::save_again) tries again.
    pub fn put_exceptions(&mut self, exceptions: Vec<Exception>) -> io::Result<()> {
        self.exceptions = exceptions;
        self.are_exceptions_saved = false;
        self.save()
    }

    /// Whether all of it is on the disk.
    pub fn is_saved(&self) -> bool {
        self.are_rules_saved && self.are_exceptions_saved
    }

    /// Writes what is not on the disk yet, where it is time for another attempt. To be called each second.
    ///
    /// # Errors
    /// The disk's.
    pub fn save_again(&mut self) -> io::Result<()> {
        if self.is_saved() || self.backoff.is_resting() {
            return Ok(());
        }
        let saved = self.save();
        self.backoff.note(saved.is_ok());
        saved
    }

    /// Writes what is not on the disk yet.
    ///
    /// # Errors
    /// The disk's.
    fn save(&mut self) -> io::Result<()> {
        if !self.are_rules_saved {
            self.rules.save(&self.data_dir)?;
            self.are_rules_saved = true;
        }
        if !self.are_exceptions_saved {
            let text = serde_json::to_string_pretty(&json!({ "exceptions": self.exceptions }))?;
            storage::replace(&exceptions_path(&self.data_dir), text.as_bytes(), Audience::Owner)?;
            self.are_exceptions_saved = true;
        }
        Ok(())
    }
}

fn exceptions_path(data_dir: &Path) -> PathBuf {
    data_dir.join("exceptions.json")
}

fn load_exceptions(path: &Path) -> Result<Vec<Exception>, String> {
    let blame = |error: String| {
        format!("{}: {error}; mend it, or move it away to run without exceptions", path.display())
    };
    match std::fs::read_to_string(path) {
        Ok(text) => parse_exceptions(&text).map_err(|error| blame(error.to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(blame(error.to_string())),
    }
}
