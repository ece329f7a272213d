//! Files of the disk, for tests.

use secbeat_seclang::Sources;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The machine's files; patterns in the last part of a path alone.
pub struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        std::fs::File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>> {
        let end = pattern.to_string_lossy().rsplit('*').next().unwrap_or_default().to_owned();
        let folder = pattern.parent().unwrap_or(Path::new("."));
        let entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path()));
        let paths: io::Result<Vec<_>> = entries.collect();
        Ok(paths?.into_iter().filter(|path| path.to_string_lossy().ends_with(&end)).collect())
    }
}
