//! Where texts come from. This crate opens no file: who calls it does.

use std::io;
use std::path::{Path, PathBuf};

/// What can read the files that a configuration names.
pub trait Sources {
    /// The bytes of a file, no more than `limit` of them and one: what is longer is refused by the reader.
    ///
    /// # Errors
    /// As the system says: the file is not there, or must not be read.
    fn read(&self, path: &Path, limit: usize) -> io::Result<Vec<u8>>;

    /// The files that a pattern (`*`, `?`, `[…]`, in any part of the path) matches, in any order; none is no error.
    ///
    /// # Errors
    /// As the system says.
    fn glob(&self, pattern: &Path) -> io::Result<Vec<PathBuf>>;
}

/// No files: every path is unknown. For texts that stand alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSources;

impl Sources for NoSources {
    fn read(&self, _: &Path, _: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn glob(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(Vec::new())
    }
}

/// What a configuration begins with, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A file.
    File(PathBuf),
    /// A text, under the name by which errors speak of it. Paths in it are relative to the folder of that name.
    Text {
        /// The name.
        name: String,
        /// The text.
        text: String,
    },
}
