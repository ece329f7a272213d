//! Records on the disk: JSON lines in segments, files whose names are the instant that they were begun at.
//!
//! A segment is only ever appended to, by the process that began it. A write that fails is taken back as far as the disk
//! lets us; half a line that stays behind is passed over by readers.

use super::{Found, Record, RecordQuery, RecorderOptions};
use crate::anonymize::anonymized;
use secbeat_types::Timestamp;
use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A segment is ended at this size,
const SEGMENT_BYTES: u64 = 8 << 20;
/// or at this part of what all may take,
const SEGMENT_PART: u64 = 8;
/// or at this age: so much longer than promised a record may stay.
const SEGMENT_AGE: Duration = Duration::from_secs(3600);
/// A query reads no more than this, in bytes.
const QUERY_BYTES_MAX: u64 = 64 << 20;

/// A segment that is there.
#[derive(Debug)]
struct Segment {
    begun: Timestamp,
    path: PathBuf,
    bytes: u64,
}

/// The segments of a folder, as who writes them knows them.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    /// The oldest first; the last one is being written where `file` is there.
    list: VecDeque<Segment>,
    file: Option<File>,
    /// When the newest record was written.
    newest: Timestamp,
}

impl Segments {
    pub fn of(folder: PathBuf) -> Self {
        let list = list(&folder).into();
        Segments { folder, list, file: None, newest: Timestamp::from_unix_ms(0) }
    }

    /// Appends whole lines, deleting the oldest segments where they would take more than `options` allow.
    ///
    /// # Errors
    /// The disk refuses them; nothing of them stays.
    pub fn append(&mut self, lines: &str, now: Timestamp, options: &RecorderOptions) -> io::Result<()> {
        let bytes = lines.len() as u64;
        let segment_max = SEGMENT_BYTES.min(options.bytes_max / SEGMENT_PART);
        let begun = self.list.back().filter(|_| self.file.is_some());
        if begun.is_none_or(|segment| {
            segment.bytes > 0 && segment.bytes + bytes > segment_max
                || now.since(segment.begun) > segment_age(options.keep)
        }) {
            self.begin(now)?;
        }
        while self.bytes() + bytes > options.bytes_max && self.list.len() > 1 {
            self.delete_oldest()?;
        }
        let (Some(file), Some(segment)) = (&mut self.file, self.list.back_mut()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        if let Err(error) = file.write_all(lines.as_bytes()) {
            // Where this fails too, the half line ends a segment of its own.
            if file.set_len(segment.bytes).is_err() {
                self.file = None;
            }
            return Err(error);
        }
        segment.bytes += bytes;
        self.newest = now;
        Ok(())
    }

    /// Deletes what is too old: a segment whose newest record is.
    ///
    /// # Errors
    /// The disk refuses it.
    pub fn expire(&mut self, now: Timestamp, options: &RecorderOptions) -> io::Result<()> {
        if now.since(self.newest) > options.keep {
            self.file = None;
        }
        loop {
            // A segment's newest record is older than the next one's begin.
            let ended = match (self.list.front(), self.list.get(1)) {
                (Some(_), Some(next)) => next.begun,
                (Some(only), None) if self.file.is_none() => only.begun.after(segment_age(options.keep)),
                _ => return Ok(()),
            };
            if now.since(ended) <= options.keep {
                return Ok(());
            }
            self.delete_oldest()?;
        }
    }

    fn bytes(&self) -> u64 {
        self.list.iter().map(|segment| segment.bytes).sum()
    }

    fn begin(&mut self, now: Timestamp) -> io::Result<()> {
        self.file = None;
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        // Where the clock was set back, names go on ascending.
        let after_last = self.list.back().map_or(0, |last| last.begun.unix_ms() + 1);
        let begun = Timestamp::from_unix_ms(now.unix_ms().max(after_last));
        let path = self.folder.join(format!("{:015}.jsonl", begun.unix_ms()));
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
        self.file = Some(file);
        self.list.push_back(Segment { begun, path, bytes: 0 });
        Ok(())
    }

    fn delete_oldest(&mut self) -> io::Result<()> {
        let Some(oldest) = self.list.front() else { return Ok(()) };
        match fs::remove_file(&oldest.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.list.pop_front(),
        };
        Ok(())
    }
}

/// How long a segment is written to.
fn segment_age(keep: Duration) -> Duration {
    SEGMENT_AGE.min(keep / 8)
}

/// The segments that are there, the oldest first. A folder that cannot be read holds none.
fn list(folder: &Path) -> Vec<Segment> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut list: Vec<Segment> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let begun = name.to_str()?.strip_suffix(".jsonl")?.parse().ok()?;
            let bytes = entry.metadata().ok().filter(|found| found.is_file())?.len();
            Some(Segment { begun: Timestamp::from_unix_ms(begun), path: entry.path(), bytes })
        })
        .collect();
    list.sort_by_key(|segment| segment.begun);
    list
}

/// What the folder holds of what is asked for.
pub(super) fn query(folder: &Path, query: &RecordQuery, options: &RecorderOptions) -> Found {
    let oldest = Timestamp::from_unix_ms(
        Timestamp::now()
            .unix_ms()
            .saturating_sub(i64::try_from(options.keep.as_millis()).unwrap_or(i64::MAX)),
    );
    let since = query.since.map_or(oldest, |since| since.max(oldest));
    let marks = Marks::of(query);
    let mut found = Found::default();
    let mut read = 0;
    for segment in list(folder).iter().rev() {
        read += segment.bytes;
        if read > QUERY_BYTES_MAX {
            found.cut_short = true;
            break;
        }
        // It may have been deleted since; and half a character at its end is half a line.
        let Ok(bytes) = fs::read(&segment.path) else { continue };
        let wanted = bytes
            .split(|byte| *byte == b'\n')
            .rev()
            .filter(|line| marks.are_in(line))
            .filter_map(|line| serde_json::from_slice::<Record>(line).ok())
            .filter(|record| record.timestamp >= since && is_wanted(record, query));
        found.records.extend(wanted.take(query.limit - found.records.len()));
        if found.records.len() >= query.limit || segment.begun < since {
            break;
        }
    }
    found
}

/// What of a query can be told of a line without reading it as JSON: that it lacks what its record would hold.
struct Marks(Vec<Vec<String>>);

impl Marks {
    fn of(query: &RecordQuery) -> Self {
        let mut all = Vec::new();
        all.extend(query.request_id.clone().map(|id| vec![id]));
        all.extend(query.stopped.map(|stopped| vec![format!("\"stopped\":{stopped}")]));
        all.extend(
            query.ip.map(|ip| [ip.to_canonical(), anonymized(ip)].map(|ip| format!("\"{ip}\"")).into()),
        );
        Marks(all)
    }

    /// Whether the line holds one of each.
    fn are_in(&self, line: &[u8]) -> bool {
        let is_in = |mark: &String| memchr::memmem::find(line, mark.as_bytes()).is_some();
        self.0.iter().all(|marks| marks.iter().any(is_in))
    }
}

fn is_wanted(record: &Record, query: &RecordQuery) -> bool {
    query.request_id.as_ref().is_none_or(|id| record.request_id == *id)
        && query.stopped.is_none_or(|stopped| record.stopped == stopped)
        && query.ip.is_none_or(|ip| {
            let ip = ip.to_canonical();
            record.client_ip == ip || record.client_ip == anonymized(ip)
        })
}
