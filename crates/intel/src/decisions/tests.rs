use super::*;
use crate::journal::FILE_NAME;
use std::fs::{self, File, OpenOptions};
use std::io::Write;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn open(dir: &Path) -> Decisions {
    let (decisions, warnings) = Decisions::open(dir, at(0)).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    decisions
}

fn held(decisions: &Decisions) -> Vec<String> {
    let mut held: Vec<_> = decisions.current().iter().map(|d| format!("{} {}", d.id, d.scope)).collect();
    held.sort();
    held
}

/// A disk that is full.
fn fill_the_disk(decisions: &Decisions) {
    let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
    decisions.writer().journal.as_mut().unwrap().divert(full);
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    let block = decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(60)), "scan", at(0)).unwrap();
    assert!(block.durable());
    decisions.block(net("198.51.100.9/24"), None, "", at(1)).unwrap();
    decisions.block(net("203.0.113.1/32"), None, "", at(1)).unwrap();
    assert_eq!(decisions.remove(net("203.0.113.1/32"), DecisionKind::Block).value.len(), 1);
    // As after kill -9, all there is is the file.
    let copy = tempfile::tempdir().unwrap();
    fs::copy(dir.path().join(FILE_NAME), copy.path().join(FILE_NAME)).unwrap();
    let again = open(copy.path());
    assert_eq!(held(&again), ["dec_1 192.0.2.7/32", "dec_2 198.51.100.0/24"]);
    let read = again.current().lookup("192.0.2.7".parse().unwrap(), at(59));
    assert_eq!(read, Some(block.value));
    let next = again.block(net("192.0.2.8/32"), None, "", at(2)).unwrap();
    assert_eq!(next.value.id, "dec_4", "the number of an undone decision is not given again");
}

#[test]
fn numbers_are_not_given_again_after_compaction() {
    let dir = tempfile::tempdir().unwrap();
    for expected in ["dec_1", "dec_2", "dec_3"] {
        let decisions = open(dir.path());
        let made = decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
        assert_eq!(made.value.id, expected);
        decisions.remove(net("192.0.2.7/32"), DecisionKind::Block);
    }
}

#[test]
fn expired_decisions_are_swept_out_once_and_not_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(10)), "", at(0)).unwrap();
    decisions.block(net("192.0.2.8/32"), Some(Duration::from_secs(20)), "", at(0)).unwrap();
    let generation = decisions.generation();
    assert!(decisions.expire(at(9)).is_empty());
    assert_eq!(decisions.generation(), generation);
    assert_eq!(decisions.expire(at(10)).len(), 1);
    assert_eq!(decisions.generation(), generation + 1);
    assert!(decisions.expire(at(10)).is_empty());
    drop(decisions);
    let (again, _) = Decisions::open(dir.path(), at(15)).unwrap();
    assert_eq!(held(&again), ["dec_2 192.0.2.8/32"]);
    assert_eq!(again.expire(at(20)).len(), 1);
}

#[test]
fn a_second_block_of_the_same_address_takes_the_place_of_the_first() {
    let decisions = Decisions::in_memory();
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(10)), "", at(0)).unwrap();
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(60)), "", at(5)).unwrap();
    assert_eq!(held(&decisions), ["dec_2 192.0.2.7/32"]);
    assert!(decisions.expire(at(10)).is_empty());
    assert!(decisions.current().lookup("192.0.2.7".parse().unwrap(), at(64)).is_some());
}

#[test]
fn a_full_disk_does_not_weaken_a_block_and_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    fill_the_disk(&decisions);
    let block = decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
    assert!(block.not_durable.unwrap().contains("No space left"));
    assert!(!decisions.is_durable());
    assert!(decisions.current().lookup("192.0.2.7".parse().unwrap(), at(0)).is_some());
    assert!(!decisions.block(net("192.0.2.8/32"), None, "", at(0)).unwrap().durable());
    decisions.flush_pending().unwrap();
    assert!(decisions.is_durable());
    assert!(decisions.block(net("192.0.2.9/32"), None, "", at(0)).unwrap().durable());
    drop(decisions);
    assert_eq!(held(&open(dir.path())), ["dec_1 192.0.2.7/32", "dec_2 192.0.2.8/32", "dec_3 192.0.2.9/32"]);
}

#[test]
fn two_nodes_do_not_share_a_data_directory() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let error = Decisions::open(dir.path(), at(0)).unwrap_err().to_string();
    assert!(error.contains("another node is running") && error.contains("data_dir"), "{error}");
    drop(first);
    open(dir.path());
}

#[test]
fn a_data_directory_is_made_and_one_that_cannot_be_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let nested = dir.path().join("var/data");
    assert!(open(&nested).block(net("192.0.2.7/32"), None, "", at(0)).unwrap().durable());
    let file = nested.join(FILE_NAME);
    let error = Decisions::open(&file, at(0)).unwrap_err().to_string();
    assert!(error.contains(file.to_str().unwrap()) && error.contains("[server] data_dir"), "{error}");
}

#[test]
fn a_damaged_journal_is_read_as_far_as_it_goes_and_kept_aside() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    for host in 1..=3 {
        decisions.block(IpNet::new([192, 0, 2, host].into(), 32).unwrap(), None, "", at(0)).unwrap();
    }
    drop(decisions);
    let path = dir.path().join(FILE_NAME);
    let damaged = fs::read_to_string(&path).unwrap().replace("192.0.2.2", "192.0.2.9");
    for number in 1..=2 {
        fs::write(&path, &damaged).unwrap();
        let (decisions, warnings) = Decisions::open(dir.path(), at(0)).unwrap();
        assert_eq!(held(&decisions), ["dec_1 192.0.2.1/32", "dec_3 192.0.2.3/32"]);
        let kept = dir.path().join(format!("{FILE_NAME}.damaged-{number}"));
        assert!(
            warnings[0].contains("line 4") && warnings[0].contains(kept.to_str().unwrap()),
            "{warnings:?}"
        );
        assert_eq!(fs::read_to_string(kept).unwrap(), damaged);
    }
    assert_eq!(held(&open(dir.path())).len(), 2, "the file that was written instead is whole");
}

#[test]
fn a_torn_last_record_is_left_out_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
    drop(decisions);
    let mut file = File::options().append(true).open(dir.path().join(FILE_NAME)).unwrap();
    file.write_all(b"5e6f7081 {\"put\":{\"id\":\"de").unwrap();
    let (decisions, warnings) = Decisions::open(dir.path(), at(0)).unwrap();
    assert_eq!(held(&decisions), ["dec_1 192.0.2.7/32"]);
    assert!(warnings[0].contains("cut off"), "{warnings:?}");
    assert!(decisions.block(net("192.0.2.8/32"), None, "", at(0)).unwrap().durable());
    drop(decisions);
    assert_eq!(held(&open(dir.path())).len(), 2);
}

#[test]
fn a_journal_of_another_version_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    fs::write(&path, "secbeat-decisions 7\nwhatever\n").unwrap();
    let error = Decisions::open(dir.path(), at(0)).unwrap_err().to_string();
    assert!(error.contains("version 7"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "secbeat-decisions 7\nwhatever\n");
}

#[test]
fn a_journal_that_grows_is_compacted_without_a_restart() {
    // In memory where there is such a file system: each of some thousand records is synced.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let decisions = open(dir.path());
    let length = || fs::metadata(dir.path().join(FILE_NAME)).unwrap().len();
    while decisions.writer().journal.as_ref().unwrap().records() <= JOURNAL_SLACK {
        let written = decisions.block(net("192.0.2.7/32"), None, "again and again", at(0)).unwrap();
        assert!(written.durable());
    }
    let grown = length();
    decisions.flush_pending().unwrap();
    assert_eq!(length(), grown, "twice the decisions and the slack are allowed");
    for _ in 0..2 {
        decisions.block(net("192.0.2.7/32"), None, "the last", at(0)).unwrap();
    }
    decisions.flush_pending().unwrap();
    assert!(length() < grown / 1000);
    let before = held(&decisions);
    drop(decisions);
    assert_eq!(held(&open(dir.path())), before);
}

#[test]
fn programs_cannot_take_the_last_place() {
    let decisions = Decisions::in_memory();
    let limit = DECISIONS_MAX - RESERVED_FOR_PEOPLE;
    let made = (0..limit as u32).map(|host| Decision {
        id: format!("dec_{host}"),
        scope: IpNet::new(std::net::Ipv4Addr::from(host).into(), 32).unwrap(),
        kind: DecisionKind::Block,
        origin: Origin::Automatic,
        reason: String::new(),
        created_at: at(0),
        expires_at: None,
            confirm_by: None,
    });
    decisions.table.store(Arc::new(DecisionTable::new(made)));
    let new = |origin| NewDecision {
        scope: net("198.51.100.1/32"),
        kind: DecisionKind::Block,
        origin,
        reason: String::new(),
        duration: None,
        confirm: None,
    };
    let refused = decisions.put(new(Origin::Automatic), at(0)).unwrap_err();
    assert!(refused.to_string().contains("245760"), "{refused}");
    assert!(decisions.put(new(Origin::Manual), at(0)).is_ok());
}
