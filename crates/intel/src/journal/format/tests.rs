use super::*;
use crate::table::entry::Prefix;
use ipnet::IpNet;
use proptest::prelude::*;
use secbeat_types::{DecisionKind, Origin};
use std::time::Duration;

/// A record as it is compared: what is told of it.
type Told = String;

fn told(record: &Record<'_>) -> Told {
    match record {
        Record::Put(entry, reason) => format!("put {:?} {reason:?}", entry.decision()),
        other => format!("{other:?}"),
    }
}

fn slot() -> impl Strategy<Value = Slot> {
    (any::<bool>(), any::<u8>(), 0u8..=128, any::<bool>(), 0usize..3).prop_map(
        |(v4, host, length, block, origin)| {
            let net = match v4 {
                true => IpNet::new([192, 0, 2, host].into(), length.min(32)).unwrap(),
                false => IpNet::new([0x2001, 0xdb8, 0, 0, 0, 0, 0, host.into()].into(), length).unwrap(),
            };
            let kind = if block { DecisionKind::Block } else { DecisionKind::Allow };
            let origin = [Origin::Feed, Origin::Automatic, Origin::Manual][origin];
            Slot { prefix: Prefix::of(net), kind, origin }
        },
    )
}

/// A record, and what is written in it.
fn record() -> impl Strategy<Value = (Vec<u8>, Told)> {
    let terms = (0i64..1_000_000, any::<u64>(), proptest::option::of(0u64..1 << 20), 0u64..3600, ".{0,40}");
    (0u8..5, slot(), terms, any::<i64>()).prop_map(
        |(kind, slot, (made, number, lasts, confirm, reason), ms)| {
            let mut reasons = crate::table::reasons::Reasons::default();
            let mut entry = Entry::new(slot, number, Timestamp::from_unix_ms(made))
                .lasting(lasts.map(Duration::from_secs))
                .waiting((confirm > 1800).then_some(Duration::from_secs(confirm)));
            entry.reason = reasons.intern(&reason).unwrap();
            let record = match kind {
                0 => Record::Put(entry, &reason),
                1 => Record::Remove(slot),
                2 => Record::Confirm(slot),
                3 => Record::NextId(number),
                _ => Record::Shift(ms),
            };
            let mut bytes = Vec::new();
            encode(&record, &mut bytes);
            let read = match record {
                Record::Put(entry, reason) => Record::Put(Entry { reason: None, ..entry }, reason),
                other => other,
            };
            (bytes, told(&read))
        },
    )
}

/// The bytes of a journal and, for each number of records, its length.
fn journal(records: &[(Vec<u8>, Told)]) -> (Vec<u8>, Vec<usize>) {
    let mut bytes = HEADER.to_vec();
    let mut ends = vec![bytes.len()];
    for (record, _) in records {
        bytes.extend(record);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

fn read_all(bytes: &[u8]) -> (Vec<Told>, Replay) {
    let mut all = Vec::new();
    let replay = replay(bytes, |record| all.push(told(&record))).unwrap();
    (all, replay)
}

fn expected(records: &[(Vec<u8>, Told)]) -> Vec<Told> {
    records.iter().map(|(_, told)| told.clone()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_journal_cut_at_any_byte_keeps_every_record_before_the_cut(
        records in proptest::collection::vec(record(), 0..8),
        zeros in 0usize..40,
    ) {
        let (bytes, ends) = journal(&records);
        for cut in 0..=bytes.len() {
            let whole = ends.iter().filter(|end| **end <= cut).count().saturating_sub(1);
            // What room was taken ahead is zeros.
            let mut left = bytes[..cut].to_vec();
            left.resize(cut + zeros, 0);
            let (read, replay) = read_all(&left);
            prop_assert_eq!(read, expected(&records[..whole]), "cut at {}", cut);
            let is_whole = (cut == 0 && zeros == 0) || ends.contains(&cut);
            // Zeros alone behind the cut are room, and what ends like a record might be one.
            let last = left.iter().rposition(|byte| *byte != 0);
            let is_room = last.is_none_or(|last| ends.contains(&(last + 1)));
            let is_doubtful = last.is_some_and(|last| left[last] == END_MARK);
            if is_whole {
                prop_assert!(!replay.torn && replay.damaged.is_empty());
                prop_assert_eq!(replay.end, cut);
            } else if cut > 0 && !is_room {
                prop_assert!(replay.torn || (is_doubtful && replay.damaged.len() == 1), "cut at {}", cut);
            }
        }
    }

    #[test]
    fn one_flipped_bit_costs_one_record_and_says_where(
        records in proptest::collection::vec(record(), 1..8),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
        zeros in 0usize..40,
    ) {
        let (mut bytes, ends) = journal(&records);
        let at = ends[0] + at.index(bytes.len() - ends[0]);
        let damaged = ends.iter().filter(|end| **end <= at).count() - 1;
        bytes[at] ^= 1 << bit;
        bytes.resize(bytes.len() + zeros, 0);
        let (read, replay) = read_all(&bytes);
        let mut without = records.clone();
        without.remove(damaged);
        prop_assert_eq!(read, expected(&without));
        prop_assert!(!replay.torn);
        prop_assert_eq!(replay.damaged, vec![ends[damaged]]);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut with_header = HEADER.to_vec();
        with_header.extend(&bytes);
        for bytes in [bytes, with_header] {
            if let Ok(read) = replay(&bytes, |_| ()) {
                prop_assert!(read.end <= bytes.len());
            }
        }
    }
}

#[test]
fn another_version_is_refused_by_name() {
    assert_eq!(replay(b"secbeat-decisions 3\n", |_| ()), Err(UnknownVersion(3)));
    let text = b"secbeat-decisions 1\n8a1b2c3d {\"next_id\":12}\n";
    assert_eq!(replay(text, |_| ()), Err(UnknownVersion(1)), "the text it once was");
}

#[test]
fn a_lost_stretch_costs_what_was_in_it() {
    let mut bytes = HEADER.to_vec();
    let mut ends = vec![bytes.len()];
    for id in 0..100 {
        encode(&Record::NextId(id), &mut bytes);
        ends.push(bytes.len());
    }
    bytes[ends[10] + 3..ends[20] + 5].fill(0);
    let (read, replay) = read_all(&bytes);
    let kept = (0..10).chain(21..100).map(|id| told(&Record::NextId(id)));
    assert_eq!(read, kept.collect::<Vec<_>>());
    assert_eq!(replay.damaged, [ends[10]]);
    assert!(!replay.torn);
}

#[test]
fn a_damaged_length_that_leads_to_a_later_record_costs_none_of_those_before_it() {
    let mut bytes = HEADER.to_vec();
    (0..4).for_each(|id| encode(&Record::NextId(id), &mut bytes));
    // 41 in place of 9: with what is around the body, three records in place of one.
    bytes[HEADER.len()] ^= 32;
    let (read, replay) = read_all(&bytes);
    assert_eq!(read, (1..4).map(|id| told(&Record::NextId(id))).collect::<Vec<_>>());
    assert_eq!(replay.damaged, [HEADER.len()]);
}

#[test]
fn a_damaged_header_costs_no_record() {
    let mut bytes = HEADER.to_vec();
    encode(&Record::NextId(7), &mut bytes);
    bytes[3] ^= 0x20;
    let (read, replay) = read_all(&bytes);
    assert_eq!(read, [told(&Record::NextId(7))]);
    assert_eq!(replay.damaged, [0]);
}
