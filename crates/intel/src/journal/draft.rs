//! A new file beside the journal, until it takes the journal's place.

use super::format::{self, Record};
use super::make_room;
use crate::table::entry::Entry;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How much is written at a time, in bytes.
const CHUNK: usize = 1 << 20;

/// A file that will be the journal. Written without the journal's lock.
#[derive(Debug)]
pub struct Draft {
    path: PathBuf,
    file: Option<File>,
    end: u64,
    records: usize,
}

/// A draft that is on the disk.
pub(super) struct Whole {
    pub path: PathBuf,
    pub file: File,
    pub end: u64,
    pub room: u64,
    pub records: usize,
}

impl Draft {
    pub(super) fn new(journal: &Path) -> Self {
        Draft { path: path_beside(journal), file: None, end: 0, records: 0 }
    }

    /// Writes these decisions, and the number of the next one.
    ///
    /// # Errors
    /// The disk's.
    pub fn write<'a>(&mut self, next_id: u64, entries: impl Iterator<Item = &'a Entry>) -> io::Result<()> {
        let mut options = OpenOptions::new();
        self.file = Some(options.write(true).create(true).truncate(true).mode(0o600).open(&self.path)?);
        let mut bytes = format::HEADER.to_vec();
        format::encode(&Record::NextId(next_id), &mut bytes);
        let mut records = 1;
        for entry in entries {
            format::encode(&Record::Put(entry.clone(), ""), &mut bytes);
            records += 1;
            if bytes.len() > CHUNK {
                self.add(&bytes, records)?;
                bytes.clear();
                records = 0;
            }
        }
        self.add(&bytes, records)?;
        self.file()?.sync_data()
    }

    /// Adds records, as [`format::encode`] gives them.
    ///
    /// # Errors
    /// The disk's.
    pub fn add(&mut self, bytes: &[u8], records: usize) -> io::Result<()> {
        self.file()?.write_all(bytes)?;
        self.end += bytes.len() as u64;
        self.records += records;
        Ok(())
    }

    pub(super) fn sync(self) -> io::Result<Whole> {
        let file = self.file.ok_or_else(not_written)?;
        let room = make_room(&file, self.end, self.end + 1);
        file.sync_all()?;
        Ok(Whole { path: self.path, file, end: self.end, room, records: self.records })
    }

    fn file(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(not_written)
    }
}

/// Where the draft of a journal is.
pub(super) fn path_beside(journal: &Path) -> PathBuf {
    journal.with_extension("journal.new")
}

fn not_written() -> io::Error {
    io::Error::other("the new file has not been written")
}
