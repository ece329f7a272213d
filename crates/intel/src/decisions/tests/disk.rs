//! What a disk may do to the journal: refuse, hang, and be written anew while decisions go on.

use super::*;
use crate::journal::{OpenError, SLACK};
use std::fs::OpenOptions;
use std::io::{PipeReader, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::thread;

fn journal(decisions: &Decisions) -> std::sync::MutexGuard<'_, crate::journal::Journal> {
    decisions.store.as_ref().unwrap().journal()
}

/// The next write finds a disk that is full; those behind it do not.
fn fail_once(decisions: &Decisions) {
    journal(decisions).divert(OpenOptions::new().append(true).open("/dev/full").unwrap());
}

/// As [`fail_once`], and then somebody has taken the file away: a new one is needed.
fn fail_for_good(decisions: &Decisions, dir: &Path) {
    fail_once(decisions);
    fs::remove_file(dir.join(FILE_NAME)).unwrap();
}

/// A disk that takes the next write and does not answer, until the other end is dropped.
fn hang(decisions: &mut Decisions, patience: Duration) -> PipeReader {
    let (reader, mut writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[0]).is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    Arc::get_mut(decisions.store.as_mut().unwrap()).unwrap().patience = patience;
    journal(decisions).divert(File::from(OwnedFd::from(writer)));
    reader
}

#[test]
fn a_full_disk_does_not_weaken_a_block_and_is_made_good() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    fail_for_good(&decisions, dir.path());
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
fn one_write_that_failed_is_made_good_in_the_file_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(FILE_NAME);
    let decisions = open(dir.path());
    assert!(decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap().durable());
    let file = fs::metadata(&path).unwrap().ino();
    for (host, is_asked_again) in [("192.0.2.8/32", true), ("192.0.2.9/32", false)] {
        fail_once(&decisions);
        assert!(!decisions.block(net(host), None, "", at(0)).unwrap().durable());
        // Half of the record got as far as the disk.
        let end = fs::read(&path).unwrap().iter().rposition(|byte| *byte != 0).unwrap() + 1;
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .write_all_at(b"\x26\x00\x01\x0b", end as u64)
            .unwrap();
        match is_asked_again {
            true => decisions.flush_pending().unwrap(),
            false => assert!(decisions.block(net("192.0.2.10/32"), None, "", at(0)).unwrap().durable()),
        }
        assert!(decisions.is_durable());
    }
    assert_eq!(fs::metadata(&path).unwrap().ino(), file);
    drop(decisions);
    assert_eq!(held(&open(dir.path())).len(), 4);
}

#[test]
fn a_new_file_that_fails_leaves_nothing_behind_and_is_tried_ever_seldomer() {
    let dir = tempfile::tempdir().unwrap();
    let decisions = open(dir.path());
    let path = dir.path().join(FILE_NAME);
    fail_once(&decisions);
    // Neither can the file be gone on with, nor can another one take its place.
    fs::remove_file(&path).unwrap();
    fs::create_dir_all(path.join("in the way")).unwrap();
    assert!(!decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap().durable());
    let told: Vec<_> = (0..16).filter(|_| decisions.flush_pending().is_err()).collect();
    assert_eq!(told, [0, 1, 3, 7, 15]);
    assert!(!fs::exists(dir.path().join("decisions.journal.new")).unwrap());
    fs::remove_dir_all(&path).unwrap();
    while !decisions.is_durable() {
        decisions.flush_pending().unwrap();
    }
    drop(decisions);
    // Nobody waits for a disk here: the thread may hold the folder a little longer.
    let again = loop {
        match Decisions::open(dir.path(), at(0)) {
            Err(OpenError::InUse(_)) => thread::yield_now(),
            opened => break opened.unwrap().0,
        }
    };
    assert_eq!(held(&again), ["dec_1 192.0.2.7/32"]);
}

#[test]
fn a_disk_that_hangs_keeps_no_block_from_coming_into_force() {
    let dir = tempfile::tempdir().unwrap();
    let mut decisions = open(dir.path());
    let disk = hang(&mut decisions, Duration::from_secs(600));
    thread::scope(|scope| {
        let hosts = ["192.0.2.7/32", "192.0.2.8/32", "192.0.2.9/32"];
        let decisions = &decisions;
        let blocks =
            hosts.map(|host| scope.spawn(move || decisions.block(net(host), None, "", at(0)).unwrap()));
        // While none of them has been answered.
        while decisions.current().len() < hosts.len() {
            thread::yield_now();
        }
        assert!(blocks.iter().all(|block| !block.is_finished()));
        drop(disk);
        for block in blocks {
            block.join().unwrap();
        }
    });
    decisions.flush_pending().unwrap();
    assert!(decisions.is_durable());
    let before = held(&decisions);
    drop(decisions);
    assert_eq!(held(&open(dir.path())), before);
}

#[test]
fn a_block_is_answered_without_a_disk_that_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut decisions = open(dir.path());
    let disk = hang(&mut decisions, Duration::ZERO);
    let block = decisions.block(net("192.0.2.7/32"), None, "", at(0)).unwrap();
    assert_eq!(block.not_durable.as_deref(), Some("the disk has not answered yet"));
    assert_eq!(about(&decisions, "192.0.2.7", 0).as_deref(), Some("dec_1"));
    assert!(!decisions.is_durable());
    drop(disk);
    while !decisions.is_durable() {
        decisions.flush_pending().unwrap();
    }
    drop(decisions);
    assert_eq!(held(&open(dir.path())), ["dec_1 192.0.2.7/32"]);
}

#[test]
fn a_journal_that_grows_is_compacted_without_a_restart() {
    // In memory where there is such a file system: each of some thousand records is synced.
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let decisions = open(dir.path());
    let records = || journal(&decisions).records();
    while records() <= SLACK {
        let written = decisions.block(net("192.0.2.7/32"), None, "again and again", at(0)).unwrap();
        assert!(written.durable());
    }
    let grown = records();
    decisions.flush_pending().unwrap();
    assert_eq!(records(), grown, "twice the decisions and the slack are allowed");
    for _ in 0..2 {
        decisions.block(net("192.0.2.7/32"), None, "the last", at(0)).unwrap();
    }
    decisions.flush_pending().unwrap();
    assert_eq!(records(), 2, "the number of the next one, and the decision");
    assert!(fs::metadata(dir.path().join(FILE_NAME)).unwrap().len() <= 64 << 10);
    let before = held(&decisions);
    drop(decisions);
    assert_eq!(held(&open(dir.path())), before);
}

#[test]
fn changes_go_on_while_the_journal_is_compacted() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let decisions = open(dir.path());
    let host = |number: u32| IpNet::new(std::net::Ipv4Addr::from(number).into(), 32).unwrap();
    decisions.put_many((0..20_000).map(|number| block(host(number))).collect(), at(0)).unwrap();
    let made = thread::scope(|scope| {
        let compaction = scope.spawn(|| {
            for _ in 0..20 {
                journal(&decisions).forsake();
                decisions.flush_pending().unwrap();
            }
        });
        let mut made = 20_000;
        while !compaction.is_finished() || made == 20_000 {
            decisions.block(host(made), None, "", at(0)).unwrap();
            decisions.remove(host(made - 20_000), DecisionKind::Block);
            made += 1;
        }
        made
    });
    assert!(decisions.is_durable());
    let before = held(&decisions);
    assert_eq!(before.len(), 20_000);
    drop(decisions);
    let again = open(dir.path());
    assert_eq!(held(&again), before);
    assert_eq!(again.block(host(made), None, "", at(0)).unwrap().value.id, format!("dec_{}", made + 1));
}
