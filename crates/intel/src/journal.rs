//! What makes a decision survive the process: an append-only file in the data directory.
//!
//! A record is on the disk before [`Journal::append`] returns. Room is taken ahead of the records, in steps, so that a write
//! seldom has to find some; zeros mark it. The file is never changed in place: compaction writes a new one beside it (a
//! [`Draft`], while records go on being appended to the old one), adds what came meanwhile, syncs it, renames it over the old
//! one and syncs the directory, so that a crash at any point leaves one of the two whole. The directory is locked for as long
//! as the journal is open.

mod draft;
pub mod format;

pub use draft::Draft;
use format::{Record, UnknownVersion, replay};
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The room that is taken at a time, in bytes: some thousand records.
const ROOM_STEP: u64 = 64 << 10;

/// The journal is compacted once it holds this many records more than twice the decisions.
pub const SLACK: usize = 4096;

/// The journal's name in the data directory.
pub const FILE_NAME: &str = "decisions.journal";

/// Why there is no journal.
#[derive(Debug)]
pub enum OpenError {
    /// The data directory or the file in it cannot be made or read.
    Unreadable(PathBuf, io::Error),
    /// Another process has the data directory open.
    InUse(PathBuf),
    /// The file was written by another version of the program.
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
                "{}: written in version {version} of the format, expected version {}; \
                 start the program that wrote it, or move the file away to start without its decisions",
                path.display(),
                format::VERSION
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
    /// Where records go, at its position; `None` after a write failed, until another one works.
    file: Option<File>,
    /// Where the next record goes, and where the room that is taken ends, in bytes.
    end: u64,
    room: u64,
    /// Records in the file.
    records: usize,
    /// Whether the file is good up to `end` and can be gone on with; a [`Draft`] is to take its place otherwise.
    is_whole: bool,
    /// Whether the file is damaged and has no second name yet.
    damaged: bool,
}

/// What an opened journal said.
#[derive(Debug)]
pub struct Opened {
    /// The journal.
    pub journal: Journal,
    /// Damage that was found and what was done about it, a sentence each; none: all is well.
    pub warnings: Vec<String>,
}

impl Journal {
    /// Opens the journal in `data_dir`, which is made if it is not there, locks the directory, and gives each record to
    /// `apply` in turn. A damaged journal is read as far as it goes and kept aside as `decisions.journal.damaged-<n>`.
    ///
    /// # Errors
    /// [`OpenError`]; a disk that is full or read-only is none, but leaves the journal [stale](Self::is_stale).
    pub fn open(data_dir: &Path, apply: impl FnMut(Record<'_>)) -> Result<Opened, OpenError> {
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
        let said = replay(&bytes, apply)
            .map_err(|UnknownVersion(version)| OpenError::UnknownVersion(path.clone(), version))?;
        let mut journal = Journal {
            path,
            directory,
            file: None,
            end: said.end as u64,
            room: bytes.len() as u64,
            records: said.records,
            is_whole: said.end != 0 && !said.torn && said.damaged.is_empty(),
            damaged: !said.damaged.is_empty(),
        };
        let mut warnings = Vec::new();
        if said.torn {
            warnings.push(format!(
                "{}: the last record was cut off and is left out; it was never acknowledged",
                journal.path.display()
            ));
        }
        if journal.damaged {
            let places = list(&said.damaged);
            let outcome = match journal.keep_aside() {
                Ok(kept) => format!("the damaged file is now {}", kept.display()),
                Err(error) => {
                    format!("the damaged file stays until there is room to keep it aside ({error})")
                }
            };
            warnings.push(format!(
                "{}: what begins at byte {places} cannot be read; every other record was kept; {outcome}: \
                 look there for the decisions that are missing, and check the disk",
                journal.path.display(),
            ));
        }
        if journal.is_whole {
            // It goes on as it is; where that cannot be, it is tried again.
            journal.file = journal.open_again().ok();
        }
        Ok(Opened { journal, warnings })
    }

    /// Writes records, as [`format::encode`] gives them, and syncs them once. What an earlier write that failed has left behind
    /// the last good record is cut off first.
    ///
    /// # Errors
    /// The disk's, with nothing written: the file may end in half a record, which the next attempt cuts off. Or the file is to be
    /// written anew, from a [`Draft`].
    pub fn append(&mut self, bytes: &[u8], records: usize) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open_again()?,
        };
        let end = self.end + bytes.len() as u64;
        if end > self.room {
            self.room = make_room(&file, self.end, end);
        }
        file.write_all(bytes)?;
        file.sync_data()?;
        self.file = Some(file);
        self.end = end;
        self.records += records;
        Ok(())
    }

    /// Begins a new file in place of this one.
    ///
    /// # Errors
    /// The disk's, where a damaged file cannot be kept aside.
    pub fn begin(&mut self) -> io::Result<Draft> {
        if self.damaged {
            self.keep_aside()?;
        }
        Ok(Draft::new(&self.path))
    }

    /// Puts the draft, and these records behind it, in place of the file. Each record is on the disk on return.
    ///
    /// # Errors
    /// The disk's. The old file is then as it was, or the journal is stale until a draft is adopted.
    pub fn adopt(&mut self, mut draft: Draft, bytes: &[u8], records: usize) -> io::Result<()> {
        draft.add(bytes, records)?;
        let whole = draft.sync()?;
        fs::rename(&whole.path, &self.path)?;
        // From here on the new file is the journal, and it is stale until the directory is known to say so.
        (self.file, self.is_whole) = (None, false);
        self.directory.sync_all()?;
        (self.file, self.is_whole) = (Some(whole.file), true);
        (self.end, self.room, self.records) = (whole.end, whole.room, whole.records);
        Ok(())
    }

    /// Lets go of a draft that failed, and of the room that it takes on a disk that may be full.
    pub fn abandon(&self) {
        // Where it cannot be removed either, the next draft writes over it.
        let _ = fs::remove_file(draft::path_beside(&self.path));
    }

    /// What is in the file is no longer what is in force: nothing is added to it, and a draft takes its place.
    pub fn forsake(&mut self) {
        (self.file, self.is_whole) = (None, false);
    }

    /// Whether the file is to be written anew: nothing can be added to it, or it has grown beyond what `held` decisions need.
    pub fn is_to_be_rewritten(&self, held: usize) -> bool {
        !self.is_whole || self.records > 2 * held + SLACK
    }

    /// Whether the last write failed, or there was none yet.
    pub fn is_stale(&self) -> bool {
        self.file.is_none()
    }

    /// Opens the file to go on behind the last good record, and cuts off what is there.
    fn open_again(&mut self) -> io::Result<File> {
        if !self.is_whole {
            return Err(io::Error::other("the journal is to be written anew"));
        }
        let mut file = OpenOptions::new().write(true).open(&self.path)?;
        if file.metadata()?.len() < self.end {
            self.is_whole = false;
            return Err(io::Error::other("the journal is shorter than what was written to it"));
        }
        file.set_len(self.end)?;
        self.room = self.end;
        file.seek(SeekFrom::Start(self.end))?;
        Ok(file)
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

    /// How many records the file holds.
    #[cfg(test)]
    pub(crate) fn records(&self) -> usize {
        self.records
    }

    /// Sends what is appended from now on to `file`, such as a disk that is full.
    #[cfg(test)]
    pub(crate) fn divert(&mut self, file: File) {
        self.file = Some(file);
    }
}

/// Takes room for what goes from `from` to `to`, and some more, and returns where it ends. Where there is none to be had ahead, the
/// write itself finds out whether there is enough for it.
fn make_room(file: &File, from: u64, to: u64) -> u64 {
    let room = to.next_multiple_of(ROOM_STEP);
    match rustix::fs::fallocate(file.as_fd(), rustix::fs::FallocateFlags::empty(), from, room - from) {
        Ok(()) => room,
        Err(_no_room_or_not_known_here) => to,
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
fn list(places: &[usize]) -> String {
    let shown: Vec<String> = places.iter().take(10).map(usize::to_string).collect();
    match places.len().saturating_sub(10) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
