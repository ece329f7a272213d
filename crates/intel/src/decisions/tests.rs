use super::*;
use crate::journal::FILE_NAME;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;

mod disk;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(seconds * 1000)
}

fn net(text: &str) -> IpNet {
    text.parse().unwrap()
}

fn open(dir: &Path) -> Decisions {
    open_at(dir, 0)
}

fn open_at(dir: &Path, second: i64) -> Decisions {
    let (decisions, warnings) = Decisions::open(dir, at(second)).unwrap();
    assert_eq!(warnings, Vec::<String>::new());
    decisions
}

fn held(decisions: &Decisions) -> Vec<String> {
    let mut held: Vec<_> = decisions.current().iter().map(|d| format!("{} {}", d.id, d.scope)).collect();
    held.sort();
    held
}

/// The ids of what is swept out at this second.
fn ended(decisions: &Decisions, second: i64) -> Vec<String> {
    decisions.expire(at(second)).decisions.iter().map(|decision| decision.id.clone()).collect()
}

fn block(scope: IpNet) -> NewDecision {
    let (kind, origin) = (DecisionKind::Block, Origin::Manual);
    NewDecision { scope, kind, origin, reason: String::new(), duration: None, confirm: None }
}

/// The decision in force about an address at this second.
fn about(decisions: &Decisions, address: &str, second: i64) -> Option<String> {
    decisions.current().lookup(address.parse().unwrap(), at(second)).map(|decision| decision.id.clone())
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
    assert!(ended(&decisions, 9).is_empty());
    assert_eq!(decisions.generation(), generation);
    assert_eq!(ended(&decisions, 10), ["dec_1"]);
    assert_eq!(decisions.generation(), generation + 1);
    assert!(ended(&decisions, 10).is_empty());
    drop(decisions);
    let (again, _) = Decisions::open(dir.path(), at(15)).unwrap();
    assert_eq!(held(&again), ["dec_2 192.0.2.8/32"]);
    assert_eq!(ended(&again, 20), ["dec_2"]);
}

#[test]
fn a_second_block_of_the_same_address_takes_the_place_of_the_first() {
    let decisions = Decisions::in_memory();
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(10)), "", at(0)).unwrap();
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(60)), "", at(5)).unwrap();
    assert_eq!(held(&decisions), ["dec_2 192.0.2.7/32"]);
    assert!(ended(&decisions, 10).is_empty());
    assert!(decisions.current().lookup("192.0.2.7".parse().unwrap(), at(64)).is_some());
}

#[test]
fn reasons_that_find_no_room_are_left_out_and_those_of_expired_decisions_take_none() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let decisions = open(dir.path());
    let second = Some(Duration::from_secs(1));
    let host = |number: u32| IpNet::new(std::net::Ipv4Addr::from(number).into(), 32).unwrap();
    let listed = |number: u32| NewDecision {
        reason: format!("{number:04096}"),
        duration: second,
        ..block(host(number))
    };
    decisions.put_many((0..9000).map(listed).collect(), at(0)).unwrap();
    let table = decisions.snapshot();
    let reason = |number| table.lookup(host(number).addr(), at(0)).unwrap().reason.len();
    assert_eq!((reason(0), reason(8999)), (4096, 0));
    drop(table);
    let made = decisions.put(listed(9000), at(0)).unwrap().value;
    assert_eq!(made.reason, "");
    decisions.expire(at(1));
    let made = decisions.put(listed(9001), at(1)).unwrap().value;
    assert_eq!(made.reason.len(), 4096);
    drop(decisions);
    let again = open_at(dir.path(), 1);
    assert_eq!(held(&again), ["dec_9002 0.0.35.41/32"]);
    assert_eq!(again.put(listed(9002), at(1)).unwrap().value.reason.len(), 4096);
}

#[test]
fn a_clock_that_is_behind_at_the_start_prolongs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let year_2026 = 1_767_225_600;
    let decisions = open_at(dir.path(), year_2026);
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(60)), "", at(year_2026)).unwrap();
    drop(decisions);
    // Before the clock is set it is 1970.
    let reading = |wall: i64, steady: i64| Reading { wall: at(wall), steady_ms: steady * 1000 };
    let clock = SteadyClock::new(reading(5, 5));
    let decisions = open_at(dir.path(), 5);
    assert_eq!(about(&decisions, "192.0.2.7", 64).as_deref(), Some("dec_1"));
    assert_eq!(about(&decisions, "192.0.2.7", 65), None);
    decisions.follow(&clock, reading(year_2026 + 100, 10)).unwrap();
    let end = year_2026 + 100 + 55;
    assert_eq!(about(&decisions, "192.0.2.7", end), None);
    drop(decisions);
    let again = open_at(dir.path(), end - 1);
    assert_eq!(about(&again, "192.0.2.7", end - 1).as_deref(), Some("dec_1"));
    assert_eq!(about(&again, "192.0.2.7", end), None);
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
    let mut damaged = fs::read(&path).unwrap();
    let second = damaged.windows(4).position(|bytes| bytes == [2, 2, 0, 192]).unwrap();
    damaged[second] = 9;
    for number in 1..=2 {
        fs::write(&path, &damaged).unwrap();
        let (decisions, warnings) = Decisions::open(dir.path(), at(0)).unwrap();
        assert_eq!(held(&decisions), ["dec_1 192.0.2.1/32", "dec_3 192.0.2.3/32"]);
        let kept = dir.path().join(format!("{FILE_NAME}.damaged-{number}"));
        assert!(
            warnings[0].contains("begins at byte") && warnings[0].contains(kept.to_str().unwrap()),
            "{warnings:?}"
        );
        assert_eq!(fs::read(kept).unwrap(), damaged);
    }
    assert_eq!(held(&open(dir.path())).len(), 2, "the file that was written instead is whole");
}

#[test]
fn a_torn_last_record_is_left_out_with_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
    drop(decisions);
    let path = dir.path().join(FILE_NAME);
    let end = fs::read(&path).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let file = File::options().write(true).open(&path).unwrap();
    file.write_all_at(b"\x40\x00\x01\x0b\x20half of a rec", end as u64).unwrap();
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
fn programs_cannot_take_the_last_place() {
    let decisions = Decisions::in_memory();
    let limit = DECISIONS_MAX - RESERVED_FOR_PEOPLE;
    let automatic = |host: u32| NewDecision {
        origin: Origin::Automatic,
        ..block(IpNet::new(std::net::Ipv4Addr::from(host).into(), 32).unwrap())
    };
    decisions.put_many((0..limit as u32).map(automatic).collect(), at(0)).unwrap();
    let refused = decisions.put(automatic(u32::MAX), at(0)).unwrap_err();
    assert!(refused.to_string().contains("1032192"), "{refused}");
    assert!(decisions.put(automatic(7), at(0)).is_ok(), "one in place of another");
    assert!(decisions.put(block(net("198.51.100.1/32")), at(0)).is_ok());
    assert_eq!(decisions.current().len(), limit + 1);
}

#[test]
fn many_decisions_come_into_force_and_onto_the_disk_together() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    let host = |host| IpNet::new([192, 0, 2, host].into(), 32).unwrap();
    let generation = decisions.generation();
    let listed = (1..=200).map(|number| NewDecision { reason: "a list".into(), ..block(host(number)) });
    let written = decisions.put_many(listed.collect(), at(0)).unwrap();
    assert_eq!((written.value.clone(), written.durable()), (1..201, true));
    assert_eq!(decisions.generation(), generation + 1);
    let too_long = NewDecision { reason: "x".repeat(4097), ..block(host(202)) };
    let refused = decisions.put_many(vec![block(host(201)), too_long], at(0)).unwrap_err();
    assert!(refused.to_string().contains("4096"), "{refused}");
    assert_eq!(about(&decisions, "192.0.2.201", 0), None, "all or nothing");
    drop(decisions);
    let again = open(dir.path());
    assert_eq!(again.current().len(), 200);
    let read = again.current().lookup("192.0.2.200".parse().unwrap(), at(0)).unwrap();
    assert_eq!((read.id.as_str(), read.reason.as_str()), ("dec_200", "a list"));
}

#[test]
fn what_nobody_confirms_is_undone_and_leaves_the_older_decision_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let waiting = NewDecision { confirm: Some(Duration::from_secs(60)), ..block(net("192.0.2.7/32")) };
    let decisions = open(dir.path());
    decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(600)), "", at(0)).unwrap();
    let made = decisions.put(waiting.clone(), at(10)).unwrap().value;
    assert_eq!((made.confirm_by, made.expires_at), (Some(at(70)), None));
    assert_eq!(about(&decisions, "192.0.2.7", 69).as_deref(), Some("dec_2"));
    // A restart changes nothing of it.
    drop(decisions);
    let decisions = open_at(dir.path(), 10);
    assert_eq!(about(&decisions, "192.0.2.7", 69).as_deref(), Some("dec_2"));
    assert_eq!(about(&decisions, "192.0.2.7", 70).as_deref(), Some("dec_1"));
    assert!(ended(&decisions, 69).is_empty());
    assert_eq!(ended(&decisions, 70), ["dec_2"]);
    assert_eq!(held(&decisions), ["dec_1 192.0.2.7/32"]);
    assert_eq!(decisions.confirm("dec_2", at(70)), None);
}

#[test]
fn what_is_confirmed_is_final_and_takes_the_place_of_the_older() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    let waiting = NewDecision {
        confirm: Some(Duration::from_secs(60)),
        duration: Some(Duration::from_secs(600)),
        ..block(net("192.0.2.7/32"))
    };
    decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
    decisions.put(waiting.clone(), at(10)).unwrap();
    assert_eq!(decisions.confirm("dec_1", at(20)), None, "it is final");
    assert_eq!(decisions.confirm("dec_2", at(70)), None, "its time is over");
    let confirmed = decisions.confirm("dec_2", at(69)).unwrap();
    assert!(confirmed.durable());
    assert_eq!((confirmed.value.confirm_by, confirmed.value.expires_at), (None, Some(at(610))));
    assert_eq!(decisions.confirm("dec_2", at(69)), None, "once");
    drop(decisions);
    let again = open_at(dir.path(), 69);
    assert_eq!(held(&again), ["dec_2 192.0.2.7/32"]);
    assert_eq!(about(&again, "192.0.2.7", 609).as_deref(), Some("dec_2"));
    // A final decision needs no confirmation of one before it.
    again.put(waiting, at(20)).unwrap();
    again.block(net("192.0.2.7/32"), None, "", at(21)).unwrap();
    assert_eq!(held(&again), ["dec_4 192.0.2.7/32"]);
}

#[test]
fn a_jump_of_the_clock_neither_shortens_nor_prolongs() {
    let hour = 3600;
    for jump in [hour, -hour] {
        let dir = tempfile::tempdir().unwrap();
        let reading = |second: i64, jumped: i64| Reading {
            wall: at(100_000 + second + jumped),
            steady_ms: second * 1000,
        };
        let clock = SteadyClock::new(reading(0, 0));
        let decisions = Decisions::open(dir.path(), clock.at(0)).unwrap().0;
        decisions.block(net("192.0.2.7/32"), Some(Duration::from_secs(60)), "", clock.at(0)).unwrap();
        assert_eq!(decisions.follow(&clock, reading(10, 0)), None);
        assert_eq!(decisions.follow(&clock, reading(20, jump)).unwrap().value, jump * 1000);
        assert_eq!(decisions.follow(&clock, reading(21, jump)), None, "once");
        let now = |second: i64| clock.at(second * 1000);
        assert_eq!(now(30), at(100_030 + jump), "as the machine's clock now shows it");
        // Whoever had read the clock before the jump does not make what is over at once.
        decisions.block(net("192.0.2.8/32"), Some(Duration::from_secs(60)), "", at(100_020)).unwrap();
        let in_force = |decisions: &Decisions, host: &str, second| {
            decisions.current().lookup(host.parse().unwrap(), now(second)).is_some()
        };
        assert!(in_force(&decisions, "192.0.2.8", 79));
        let copy = tempfile::tempdir().unwrap();
        fs::copy(dir.path().join(FILE_NAME), copy.path().join(FILE_NAME)).unwrap();
        let again = Decisions::open(copy.path(), now(30)).unwrap().0;
        for decisions in [&decisions, &again] {
            assert!(in_force(decisions, "192.0.2.7", 59), "by {jump} s");
            assert!(!in_force(decisions, "192.0.2.7", 60), "by {jump} s");
            assert!(decisions.expire(now(59)).decisions.is_empty());
            assert_eq!(decisions.expire(now(60)).decisions.len(), 1);
        }
    }
}

#[test]
fn a_list_that_ends_at_once_is_not_told_a_million_times() {
    let decisions = Decisions::in_memory();
    let second = Some(Duration::from_secs(1));
    let host = |number: u32| IpNet::new(std::net::Ipv4Addr::from(number).into(), 32).unwrap();
    let listed = (0..3000).map(|number| NewDecision { duration: second, ..block(host(number)) });
    decisions.put_many(listed.collect(), at(0)).unwrap();
    let expired = decisions.expire(at(1));
    assert_eq!((expired.decisions.len(), expired.more), (1000, 2000));
    assert!(decisions.current().is_empty());
}
