//! Where the settings come from, each time they are read.

use crate::arguments::Arguments;
use crate::sandbox::Sandbox;
use secbeat_settings::{Degradation, Loaded, Settings, Sources};
use std::path::{Path, PathBuf};

/// Where the settings come from, each time they are read.
pub struct Origin {
    config: PathBuf,
    sets: Vec<String>,
    sandbox: Sandbox,
}

impl Origin {
    /// As the command line has it.
    pub fn new(arguments: &Arguments) -> Self {
        Self { config: arguments.config.clone(), sets: arguments.sets.clone(), sandbox: Sandbox::default() }
    }

    /// From now on read by a node that has denied itself all but this.
    pub fn confine(&mut self, sandbox: Sandbox) {
        self.sandbox = sandbox;
    }

    /// Reads the settings and refuses what this version does not have, and what is out of reach.
    ///
    /// # Errors
    /// Every problem, a line each.
    pub fn load(&self) -> Result<(Loaded, Vec<Degradation>), String> {
        let read = |path: &Path| self.sandbox.read(path);
        let process = Sources::of_process(Some(self.config.clone()), self.sets.clone());
        let loaded =
            Settings::load(&Sources { read: &read, ..process }).map_err(|errors| errors.to_string())?;
        let mut degraded = loaded.check_built().map_err(|errors| errors.to_string())?;
        self.sandbox.admits(&loaded.settings)?;
        degraded.extend_from_slice(self.sandbox.missing());
        Ok((loaded, degraded))
    }
}
