//! Reading of files within bounds.

use crate::Sources;
use std::path::{Path, PathBuf};

/// A file may be this large.
const FILE_MAX: usize = 16 << 20;
/// All files together.
const TOTAL_MAX: usize = 64 << 20;

/// Reads files until there were too many bytes of them.
pub(crate) struct Reader<'a> {
    sources: &'a dyn Sources,
    left: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(sources: &'a dyn Sources) -> Self {
        Self { sources, left: TOTAL_MAX }
    }

    /// The bytes of a file.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Vec<u8>, String> {
        let bytes = self
            .sources
            .read(path, FILE_MAX)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        if bytes.len() > FILE_MAX {
            return Err(format!("{} has more than {} MiB; split it", path.display(), FILE_MAX >> 20));
        }
        self.left = self.left.checked_sub(bytes.len()).ok_or_else(|| {
            format!("{}: the files together have more than {} MiB", path.display(), TOTAL_MAX >> 20)
        })?;
        Ok(bytes)
    }

    /// Whether a file that may be missing is there.
    pub(crate) fn exists(&self, path: &Path) -> bool {
        !matches!(self.sources.read(path, 0), Err(error) if error.kind() == std::io::ErrorKind::NotFound)
    }

    /// The files that a path or pattern names, sorted; a path without `*`, `?`, `[` is itself.
    pub(crate) fn expand(&self, path: &Path) -> Result<Vec<PathBuf>, String> {
        if !path.to_string_lossy().contains(['*', '?', '[']) {
            return Ok(vec![path.to_owned()]);
        }
        let mut paths =
            self.sources.glob(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        paths.sort();
        Ok(paths)
    }
}
