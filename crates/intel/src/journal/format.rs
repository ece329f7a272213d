//! How the journal is written, and what is left of one that was damaged.
//!
//! ```text
//! header   "secbeat-decisions 2\n"
//! record   length of the body: u16, not 0 · body · CRC-32 (ISO-HDLC) of length and body: u32 · end mark: 0xA5
//! tail     zeros: room for more
//!
//! body     kind: u8, then, by kind:
//!  1 put       slot · made, ms since 1970: i64 · number: u64 · lasts, s: u32 · waits, s: u16 · reason: UTF-8
//!  2 remove    slot
//!  3 confirm   slot
//!  4 next id   u64
//!  5 shift     ms: i64
//! slot     flags (1 IPv4, 2 block, 4 automatic, 8 manual): u8 · prefix length: u8 · address: u128
//! ```
//!
//! Numbers are little-endian. The length of a damaged record leads to the next one, and where it is damaged itself the next one
//! is what has a right CRC. The end mark tells a record that was cut off, and thus never acknowledged, from a damaged one.

use crate::table::entry::{Entry, Slot};
use secbeat_types::Timestamp;

/// The first line's first word.
const MAGIC: &str = "secbeat-decisions";
/// The first line.
pub const HEADER: &[u8] = b"secbeat-decisions 2\n";
/// The version of the format that is written, and the only one that is read. Version 1 was text.
pub const VERSION: u32 = 2;

const END_MARK: u8 = 0xa5;
/// Length, CRC and end mark.
const FRAME: usize = 2 + 4 + 1;

/// What happened.
#[derive(Debug, Clone)]
pub enum Record<'a> {
    /// A decision was made; it takes the place of that in the same slot. Written, its reason is the entry's; read, it is the
    /// text beside an entry without.
    Put(Entry, &'a str),
    /// The decisions in the slot were undone.
    Remove(Slot),
    /// What waits in the slot was confirmed.
    Confirm(Slot),
    /// Numbers below this one may have been given to decisions that are gone.
    NextId(u64),
    /// The clock jumped: every decision was moved by so many milliseconds.
    Shift(i64),
}

/// Puts `record` behind `out`.
pub fn encode(record: &Record<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend([0, 0]);
    let with_slot = |out: &mut Vec<u8>, kind: u8, slot: &Slot| {
        out.extend([kind, slot.flags(), slot.prefix.length]);
        out.extend(slot.prefix.bits().to_le_bytes());
    };
    match record {
        Record::Put(entry, _) => {
            with_slot(out, 1, &entry.slot());
            out.extend(entry.made_ms.to_le_bytes());
            out.extend(entry.number.to_le_bytes());
            out.extend(entry.lasts_s.to_le_bytes());
            out.extend(entry.confirm_s.to_le_bytes());
            out.extend(entry.reason.as_ref().map_or("", |reason| reason.as_str()).as_bytes());
        }
        Record::Remove(slot) => with_slot(out, 2, slot),
        Record::Confirm(slot) => with_slot(out, 3, slot),
        Record::NextId(id) => {
            out.push(4);
            out.extend(id.to_le_bytes());
        }
        Record::Shift(ms) => {
            out.push(5);
            out.extend(ms.to_le_bytes());
        }
    }
    // Reasons are held far below 64 KiB when decisions are made.
    let length = (out.len() - start - 2) as u16;
    out[start..start + 2].copy_from_slice(&length.to_le_bytes());
    let crc = crc32fast::hash(&out[start..]);
    out.extend(crc.to_le_bytes());
    out.push(END_MARK);
}

/// What a journal says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// How many records were read.
    pub records: usize,
    /// Where the next record goes, in bytes from the beginning.
    pub end: usize,
    /// Where there is something that cannot be read, in bytes from the beginning.
    pub damaged: Vec<usize>,
    /// Whether the last record was cut off: a write that was never acknowledged.
    pub torn: bool,
}

/// The file is of a version that this program does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownVersion(
    /// The version it says it is.
    pub u32,
);

/// Reads a journal, and gives each record to `apply` in turn. Damage loses the damaged records and nothing else.
///
/// # Errors
/// [`UnknownVersion`] where the first line is whole and names another version.
pub fn replay(bytes: &[u8], mut apply: impl FnMut(Record<'_>)) -> Result<Replay, UnknownVersion> {
    let mut replay = Replay::default();
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let Some(used) = bytes.get(..used) else { return Ok(replay) };
    let mut rest = match used.strip_prefix(HEADER) {
        Some(rest) => rest,
        None if HEADER.starts_with(used) => {
            replay.torn = !bytes.is_empty();
            return Ok(replay);
        }
        None => match version(used).filter(|version| *version != VERSION) {
            Some(version) => return Err(UnknownVersion(version)),
            None => {
                replay.damaged.push(0);
                &used[next(used, 0)..]
            }
        },
    };
    while !rest.is_empty() {
        let at = used.len() - rest.len();
        let (record, length) = match read(rest) {
            Frame::Whole(record, length) => (Some(record), length),
            Frame::Damaged => (None, next(rest, 1)),
        };
        match record {
            Some(record) => {
                apply(record);
                replay.records += 1;
            }
            None if length == rest.len() && is_cut_off(rest) => replay.torn = true,
            None => replay.damaged.push(at),
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    replay.end = used.len();
    Ok(replay)
}

enum Frame<'a> {
    /// A record, and how many bytes it takes.
    Whole(Record<'a>, usize),
    Damaged,
}

/// The record that `bytes` begins with.
fn read(bytes: &[u8]) -> Frame<'_> {
    let Some((length, framed)) = split(bytes) else { return Frame::Damaged };
    let Some((body, crc)) = framed.split_last_chunk::<4>() else { return Frame::Damaged };
    let whole = bytes.get(..2 + body.len()).unwrap_or_default();
    match decode(body) {
        Some(record) if crc32fast::hash(whole) == u32::from_le_bytes(*crc) => Frame::Whole(record, length),
        _ => Frame::Damaged,
    }
}

/// How many bytes the record takes that `bytes` begins with, and its body with the CRC, going by its length and its end mark
/// alone.
fn split(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let length = usize::from(u16::from_le_bytes(*length));
    let framed = rest.get(..length + 4)?;
    (length != 0 && rest.get(length + 4) == Some(&END_MARK)).then_some((length + FRAME, framed))
}

/// Where the next record that can be read begins, at `from` at the earliest; the end where there is none. The damaged record's own
/// length comes first, since what it holds might look like a record; but where records follow each other up to there, it is the
/// length that is damaged, and leads over them.
fn next(bytes: &[u8], from: usize) -> usize {
    let is_record = |at: usize| bytes.get(at..).is_some_and(|rest| matches!(read(rest), Frame::Whole(..)));
    let by_length = split(bytes).map(|(length, _)| length).filter(|_| from > 0);
    match by_length.filter(|at| *at == bytes.len() || is_record(*at)) {
        Some(end) => (from..end).find(|at| is_filled_with_records(bytes, *at, end)).unwrap_or(end),
        None => (from..bytes.len()).find(|at| is_record(*at)).unwrap_or(bytes.len()),
    }
}

/// Whether there are records and nothing else from `at` to `end`.
fn is_filled_with_records(bytes: &[u8], mut at: usize, end: usize) -> bool {
    while at < end {
        match bytes.get(at..).map(read) {
            Some(Frame::Whole(_, length)) => at += length,
            _ => return false,
        }
    }
    at == end
}

/// Whether the last record was begun and not ended: it is to be longer than what is there, zeros left aside. What ends in an end
/// mark rather has a damaged length.
fn is_cut_off(bytes: &[u8]) -> bool {
    match bytes.split_first_chunk::<2>() {
        Some((length, rest)) => {
            rest.len() < usize::from(u16::from_le_bytes(*length)) + 5 && rest.last() != Some(&END_MARK)
        }
        None => true,
    }
}

fn decode(body: &[u8]) -> Option<Record<'_>> {
    let (kind, rest) = body.split_first()?;
    match kind {
        1 => {
            let (slot, rest) = slot(rest)?;
            let (made, rest) = rest.split_first_chunk::<8>()?;
            let (number, rest) = rest.split_first_chunk::<8>()?;
            let (lasts, rest) = rest.split_first_chunk::<4>()?;
            let (confirm, reason) = rest.split_first_chunk::<2>()?;
            let made = Timestamp::from_unix_ms(i64::from_le_bytes(*made));
            let mut entry = Entry::new(slot, u64::from_le_bytes(*number), made);
            entry.lasts_s = u32::from_le_bytes(*lasts);
            entry.confirm_s = u16::from_le_bytes(*confirm);
            Some(Record::Put(entry, std::str::from_utf8(reason).ok()?))
        }
        2 => slot(rest).and_then(|(slot, rest)| rest.is_empty().then_some(Record::Remove(slot))),
        3 => slot(rest).and_then(|(slot, rest)| rest.is_empty().then_some(Record::Confirm(slot))),
        4 => Some(Record::NextId(u64::from_le_bytes(rest.try_into().ok()?))),
        5 => Some(Record::Shift(i64::from_le_bytes(rest.try_into().ok()?))),
        _ => None,
    }
}

fn slot(bytes: &[u8]) -> Option<(Slot, &[u8])> {
    let ([flags, length], rest) = bytes.split_first_chunk::<2>()?;
    let (bits, rest) = rest.split_first_chunk::<16>()?;
    Some((Slot::read(*flags, *length, u128::from_le_bytes(*bits))?, rest))
}

/// The version that a whole first line names.
fn version(bytes: &[u8]) -> Option<u32> {
    let line = bytes.get(..bytes.len().min(64))?.split(|byte| *byte == b'\n').next()?;
    std::str::from_utf8(line).ok()?.strip_prefix(MAGIC)?.strip_prefix(' ')?.parse().ok()
}

#[cfg(test)]
mod tests;
