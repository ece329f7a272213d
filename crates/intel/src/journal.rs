//! What makes a decision survive the process: an append-only file in the data directory.
//!
//! A record is on the disk before [`Journal::append`] returns. The file is never changed in place: compaction writes a
//! new one beside it, syncs it, renames it over the old one and syncs the directory, so that a crash at any point
//! leaves one of the two whole. The directory is locked for as long as the journal is open.

pub mod format;

use format::{Record, UnknownVersion, replay};
use secbeat_types::Decision;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The journal's name in the data directory.
pub const FILE_NAME: &str = "decisions.journal";

/// Why there is no journal.
#[derive(Debug)]
pub enum OpenError {
    /// The data directory or the file in it cannot be made or read.
    Unreadable(PathBuf, io::Error),
    /// Another process has the data directory open.
    InUse(PathBuf),
    /// The file was written by a newer program.
    UnknownVersion(PathBuf, u32),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Unreadable(path, error) => write!(
                f,
                "{}: {error}; expected a directory that this user may read and write: \
                 set [server] data_dir or change its owner",
                path.display()
            ),
            OpenError::InUse(path) => write!(
                f,
                "{}: another node is running on this data directory; \
                 stop it or give each node its own [server] data_dir",
                path.display()
            ),
            OpenError::UnknownVersion(path, version) => write!(
                f,
                "{}: written in version {version} of the format, expected version 1; \
                 start the newer program that wrote it, or move the file away to start without its decisions",
                path.display()
            ),
        }
    }
}

impl std::error::Error for OpenError {}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The data directory: held for its lock, and to sync renames.
    directory: File,
    /// Where records go; `None` after a write failed, until the file has been written anew.
    file: Option<File>,
    /// Records in the file.
    records: usize,
    /// Whether the file is damaged and has no second name yet.
    damaged: bool,
}

/// What an opened journal said.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// The decisions in it, expired ones among them.
    pub decisions: Vec<Decision>,
    /// The number of the next decision.
    pub next_id: u64,
    /// Damage that was found and what was done about it, a sentence each; none: all is well.
    pub warnings: Vec<String>,
}

impl Journal {
    /// Opens the journal in `data_dir`, which is made if it is not there, and locks the directory. A damaged journal
    /// is read as far as it goes and kept aside as `decisions.journal.damaged-<n>`.
    ///
    /// # Errors
    /// [`OpenError`]; a disk that is full or read-only is none, but leaves the journal [stale](Self::is_stale).
    pub fn open(data_dir: &Path) -> Result<Opened, OpenError> {
        let unreadable = |path: &Path| {
            let path = path.to_owned();
            move |error| OpenError::Unreadable(path, error)
        };
        if !data_dir.is_dir() {
            make_directory(data_dir).map_err(unreadable(data_dir))?;
        }
        let directory = File::open(data_dir).map_err(unreadable(data_dir))?;
        directory.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse(data_dir.to_owned()),
            TryLockError::Error(error) => OpenError::Unreadable(data_dir.to_owned(), error),
        })?;
        let path = data_dir.join(FILE_NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unreadable(&path)(error)),
        };
        let said = replay(&bytes)
            .map_err(|UnknownVersion(version)| OpenError::UnknownVersion(path.clone(), version))?;
        let mut journal =
            Journal { path, directory, file: None, records: 0, damaged: !said.damaged_lines.is_empty() };
        let mut warnings = Vec::new();
        if said.torn {
            warnings.push(format!(
                "{}: the last record was cut off and is left out; it was never acknowledged",
                journal.path.display()
            ));
        }
        if journal.damaged {
            let lines = list(&said.damaged_lines);
            let outcome = match journal.keep_aside() {
                Ok(kept) => format!("the damaged file is now {}", kept.display()),
                Err(error) => {
                    format!("the damaged file stays until there is room to keep it aside ({error})")
                }
            };
            warnings.push(format!(
                "{}: line {lines} cannot be read; every other line was kept; {outcome}: \
                 look there for the decisions that are missing, and check the disk",
                journal.path.display(),
            ));
        }
        if !bytes.is_empty() && !said.torn && !journal.damaged {
            // Appending to it as it is will do where compaction finds no room.
            journal.file = OpenOptions::new().append(true).open(&journal.path).ok();
            journal.records = said.decisions.len();
        }
        Ok(Opened { journal, decisions: said.decisions, next_id: said.next_id, warnings })
    }

    /// Writes `record` and syncs it.
    ///
    /// # Errors
    /// The disk's. Nothing more is appended then, since the file may end in half a record: it is
    /// [stale](Self::is_stale) until [`rewrite`](Self::rewrite) succeeds.
    pub fn append(&mut self, record: &Record) -> io::Result<()> {
        let line = format::encode(record)?;
        let Some(mut file) = self.file.take() else {
            return Err(io::Error::other("an earlier write failed and has not been made good"));
        };
        file.write_all(&line)?;
        file.sync_data()?;
        self.file = Some(file);
        self.records += 1;
        Ok(())
    }

    /// Writes a new file of these decisions in place of the old one. Each of them is on the disk on return.
    ///
    /// # Errors
    /// The disk's. The old file is then as it was.
    pub fn rewrite<'a>(
        &mut self,
        next_id: u64,
        decisions: impl IntoIterator<Item = &'a Decision>,
    ) -> io::Result<()> {
        if self.damaged {
            self.keep_aside()?;
        }
        let mut bytes = format::header();
        bytes.extend(format::encode(&Record::NextId(next_id))?);
        let mut records = 1;
        for decision in decisions {
            bytes.extend(format::encode(&Record::Put(decision.clone()))?);
            records += 1;
        }
        let new_path = self.path.with_extension("journal.new");
        let mut new =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new_path)?;
        new.write_all(&bytes)?;
        new.sync_all()?;
        fs::rename(&new_path, &self.path)?;
        // From here on the new file is the journal, and it is stale until the directory is known to say so.
        self.file = None;
        self.directory.sync_all()?;
        self.file = Some(new);
        self.records = records;
        Ok(())
    }

    /// Whether a write failed that has not been made good by a [`rewrite`](Self::rewrite).
    pub fn is_stale(&self) -> bool {
        self.file.is_none()
    }

    /// How many records the file holds.
    pub fn records(&self) -> usize {
        self.records
    }

    /// Gives the damaged file a second name, since the next rewrite takes the first.
    fn keep_aside(&mut self) -> io::Result<PathBuf> {
        let mut number = 1u64;
        let kept = loop {
            let kept = self.path.with_extension(format!("journal.damaged-{number}"));
            match fs::hard_link(&self.path, &kept) {
                Ok(()) => break kept,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(_no_hard_links_here) => {
                    fs::copy(&self.path, &kept)?;
                    break kept;
                }
            }
        };
        self.damaged = false;
        Ok(kept)
    }

    /// Sends what is appended from now on to `file`, such as a disk that is full.
    #[cfg(test)]
    pub(crate) fn divert(&mut self, file: File) {
        self.file = Some(file);
    }
}

/// Makes the directory and those above it; its name is on the disk too before a decision in it is acknowledged.
fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o750).create(path)?;
    match path.parent() {
        Some(above) if !above.as_os_str().is_empty() => File::open(above)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

/// `3, 7, 9`, and how many more there are after the tenth.
fn list(lines: &[usize]) -> String {
    let shown: Vec<String> = lines.iter().take(10).map(usize::to_string).collect();
    match lines.len().saturating_sub(10) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
