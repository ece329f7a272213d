//! The firewall alone: bytes are read as the node reads them, and given to the rules.

use super::Firewall;
use super::check::Seen;
use std::path::Path;

/// The firewall, without sockets.
pub struct InProcess;

impl InProcess {
    /// Reads and compiles the rules.
    pub fn new(_rules: &Path, _setup: &Path) -> Result<Self, String> {
        Err("the rules do not run in process in this version; leave out --in-process".to_owned())
    }
}

impl Firewall for InProcess {
    fn send(&mut self, _requests: &[Vec<u8>]) -> Result<Vec<Seen>, String> {
        Ok(Vec::new())
    }
}
