//! How the journal is written, and what is left of one that was damaged.
//!
//! ```text
//! secbeat-decisions 1
//! 8a1b2c3d {"next_id":12}
//! 5e6f7081 {"put":{"id":"dec_12","scope":"192.0.2.7/32","kind":"block", … }}
//! 92a3b4c5 {"remove":{"scope":"192.0.2.7/32","kind":"block","origin":"manual"}}
//! ```
//!
//! A line is the CRC-32 (ISO-HDLC) of the JSON text in eight hexadecimal digits, a space, the JSON text, a line feed.
//! JSON text holds no line feed, so a damaged line never hides the next one.

use crate::scope::canonical_scope;
use ipnet::IpNet;
use secbeat_types::{Decision, DecisionKind, Origin};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The first line's first word.
const MAGIC: &str = "secbeat-decisions";
/// The version of the format that is written and the only one that is read.
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// Numbers below this one may have been given to decisions that are gone.
    NextId(u64),
    /// A decision was made; it takes the place of that about the same prefix, kind and origin.
    Put(Decision),
    /// A decision was undone.
    Remove {
        /// Its prefix.
        scope: IpNet,
        /// Its kind.
        kind: DecisionKind,
        /// Who had made it.
        origin: Origin,
    },
}

/// The first line.
pub fn header() -> Vec<u8> {
    format!("{MAGIC} {VERSION}\n").into_bytes()
}

/// The line of `record`.
pub fn encode(record: &Record) -> std::io::Result<Vec<u8>> {
    let json = serde_json::to_string(record)?;
    Ok(format!("{:08x} {json}\n", crc32fast::hash(json.as_bytes())).into_bytes())
}

/// What a journal says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replay {
    /// The decisions that were made and not undone, expired ones among them, in the order of their prefixes.
    pub decisions: Vec<Decision>,
    /// The number of the next decision.
    pub next_id: u64,
    /// The lines that could not be read, counted from 1.
    pub damaged_lines: Vec<usize>,
    /// Whether the last line was cut off: a write that was never acknowledged.
    pub torn: bool,
}

/// The file is of a version that this program does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownVersion(
    /// The version it says it is.
    pub u32,
);

/// Reads a journal. Damage loses the damaged lines and nothing else.
///
/// # Errors
/// [`UnknownVersion`] where the first line is whole and names another version.
pub fn replay(bytes: &[u8]) -> Result<Replay, UnknownVersion> {
    let mut replay = Replay { next_id: 1, ..Replay::default() };
    let mut decisions = BTreeMap::new();
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let (line, whole) = line.strip_suffix(b"\n").map_or((line, false), |line| (line, true));
        let read = match index {
            0 => read_header(line)?,
            _ => decode(line).map(|record| apply(record, &mut decisions, &mut replay.next_id)),
        };
        match read {
            // Without its line feed even a line that reads well was not acknowledged, but keeping it harms nobody.
            Some(()) => replay.torn |= !whole,
            None if !whole && lines.peek().is_none() => replay.torn = true,
            None => replay.damaged_lines.push(index + 1),
        }
    }
    replay.decisions = decisions.into_values().collect();
    Ok(replay)
}

/// What a decision takes the place of: the prefix, whether it blocks, and who made it.
type Slot = (IpNet, bool, Origin);

fn apply(record: Record, decisions: &mut BTreeMap<Slot, Decision>, next_id: &mut u64) {
    let slot = |scope, kind, origin| (canonical_scope(scope), kind == DecisionKind::Block, origin);
    match record {
        Record::NextId(id) => *next_id = id.max(*next_id),
        Record::Put(mut decision) => {
            decision.scope = canonical_scope(decision.scope);
            if let Some(number) = number_of(&decision) {
                *next_id = number.saturating_add(1).max(*next_id);
            }
            decisions.insert(slot(decision.scope, decision.kind, decision.origin), decision);
        }
        Record::Remove { scope, kind, origin } => drop(decisions.remove(&slot(scope, kind, origin))),
    }
}

fn number_of(decision: &Decision) -> Option<u64> {
    decision.id.strip_prefix("dec_")?.parse().ok()
}

fn read_header(line: &[u8]) -> Result<Option<()>, UnknownVersion> {
    let version = std::str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_prefix(MAGIC)?.strip_prefix(' ')?.parse::<u32>().ok());
    match version {
        Some(VERSION) => Ok(Some(())),
        Some(other) => Err(UnknownVersion(other)),
        None => Ok(None),
    }
}

fn decode(line: &[u8]) -> Option<Record> {
    let (crc, json) = line.split_at_checked(9)?;
    let crc = std::str::from_utf8(crc).ok()?.strip_suffix(' ')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (crc == crc32fast::hash(json)).then(|| serde_json::from_slice(json).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secbeat_types::Timestamp;

    fn record() -> impl Strategy<Value = Record> {
        let net = (0u8..4, 30u8..=32)
            .prop_map(|(host, length)| IpNet::new([192, 0, 2, host].into(), length).unwrap().trunc());
        (net, any::<bool>(), 0u64..100, ".{0,12}", any::<bool>()).prop_map(
            |(scope, remove, number, reason, block)| {
                let kind = if block { DecisionKind::Block } else { DecisionKind::Allow };
                match remove {
                    true => Record::Remove { scope, kind, origin: Origin::Manual },
                    false => Record::Put(Decision {
                        id: format!("dec_{number}"),
                        scope,
                        kind,
                        origin: Origin::Manual,
                        reason,
                        created_at: Timestamp::from_unix_ms(number as i64),
                        expires_at: None,
                        confirm_by: None,
                    }),
                }
            },
        )
    }

    /// The bytes of a journal and, for each number of records, its length.
    fn journal(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = header();
        let mut ends = vec![bytes.len()];
        for record in records {
            bytes.extend(encode(record).unwrap());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn decisions(records: &[Record]) -> Vec<Decision> {
        let mut model = BTreeMap::new();
        records.iter().for_each(|record| apply(record.clone(), &mut model, &mut 1));
        model.into_values().collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn a_journal_cut_at_any_byte_keeps_every_record_before_the_cut(
            records in proptest::collection::vec(record(), 0..8),
        ) {
            let (bytes, ends) = journal(&records);
            for cut in 0..=bytes.len() {
                let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
                // One byte short of its line feed a record is complete, and kept.
                let kept = ends.iter().filter(|end| **end <= cut + 1).count().saturating_sub(1);
                let got = replay(&bytes[..cut]).unwrap();
                let expected = decisions(&records[..kept.max(whole)]);
                prop_assert_eq!(&got.decisions, &expected, "cut at {}", cut);
                prop_assert_eq!(got.torn, cut != 0 && !ends.contains(&cut));
                prop_assert!(got.damaged_lines.is_empty());
            }
        }

        #[test]
        fn one_flipped_bit_costs_one_line_and_says_which(
            records in proptest::collection::vec(record(), 1..8),
            at in any::<prop::sample::Index>(),
            bit in 0u8..8,
        ) {
            let (mut bytes, ends) = journal(&records);
            let at = ends[0] + at.index(bytes.len() - ends[0]);
            let line = ends.iter().filter(|end| **end <= at).count();
            bytes[at] ^= 1 << bit;
            let got = replay(&bytes).unwrap();
            let mut without = records.clone();
            let damaged_feed = ends.contains(&(at + 1));
            if !damaged_feed && bytes[at] != b'\n' {
                // A hexadecimal digit may change its case, which changes nothing.
                if got.damaged_lines.is_empty() {
                    prop_assert_eq!(got.decisions, decisions(&records));
                } else {
                    without.remove(line - 1);
                    prop_assert_eq!(got.decisions, decisions(&without));
                    prop_assert_eq!(got.damaged_lines, vec![line + 1]);
                }
            } else {
                prop_assert!(got.torn || !got.damaged_lines.is_empty());
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut with_header = header();
            with_header.extend(&bytes);
            for bytes in [bytes, with_header] {
                if let Ok(read) = replay(&bytes) {
                    prop_assert!(read.next_id >= 1);
                }
            }
        }
    }

    #[test]
    fn another_version_is_refused_by_name() {
        assert_eq!(replay(b"secbeat-decisions 2\n"), Err(UnknownVersion(2)));
    }

    #[test]
    fn a_number_is_never_given_twice() {
        let (bytes, _) = journal(&[Record::NextId(41)]);
        assert_eq!(replay(&bytes).unwrap().next_id, 41);
    }
}
