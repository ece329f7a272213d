use super::segments::Segments;
use super::*;
use crate::log::{LogOptions, Target};
use secbeat_types::Timestamp;
use std::fs;
use std::os::unix::fs::PermissionsExt;

const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(86_400);

fn options() -> RecorderOptions {
    RecorderOptions {
        enable: true,
        sample_every: 10,
        bytes_max: 1 << 20,
        bodies: false,
        body_bytes_max: 4096,
        mask: Mask::new(["authorization"], ["password"]),
        keep: DAY,
        anonymize: false,
    }
}

fn draft(id: &str, client: &str, stopped: bool) -> Draft {
    Draft {
        request_id: id.into(),
        timestamp: Timestamp::now(),
        client_ip: client.parse().unwrap(),
        site: "shop".into(),
        method: "GET".into(),
        target: "/?password=hunter2".into(),
        version: "HTTP/1.1",
        fields: vec![("Host".into(), "shop.example".into())],
        body: None,
        body_bytes: 0,
        status: if stopped { 403 } else { 200 },
        stopped,
        action: if stopped { "stopped" } else { "passed" },
        rule_id: None,
        matches: Vec::new(),
    }
}

fn quiet() -> Logger {
    let options = LogOptions { level: crate::Level::Off, ..LogOptions::default() };
    Logger::start(options).unwrap().0
}

fn recorder(dir: &Path, options: RecorderOptions) -> (Arc<Recorder>, RecorderTap) {
    let recorder = Arc::new(Recorder::start(dir, options, quiet()).unwrap());
    (recorder.clone(), RecorderTap::new(recorder))
}

fn ids(found: &Found) -> Vec<&str> {
    found.records.iter().map(|record| record.request_id.as_str()).collect()
}

#[test]
fn every_stopped_request_and_each_tenth_other_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, tap) = recorder(dir.path(), options());
    assert_eq!((0..100).filter(|_| tap.wants(false)).count(), 10);
    assert_eq!((0..100).filter(|_| tap.wants(true)).count(), 100);
    recorder.set(RecorderOptions { sample_every: 0, bodies: true, ..options() });
    assert!(!(0..100).any(|_| tap.wants(false)) && tap.wants(true) && tap.wants_bodies());
    recorder.set(RecorderOptions { enable: false, bodies: true, ..options() });
    assert!(!tap.wants(true) && !tap.wants_bodies());
}

#[test]
fn what_is_handed_over_is_found_the_newest_first_and_masked() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, tap) = recorder(dir.path(), options());
    for (id, client, stopped) in
        [("a1", "192.0.2.1", true), ("a2", "192.0.2.2", false), ("a3", "192.0.2.1", false)]
    {
        tap.hand_over(draft(id, client, stopped));
    }
    assert!(recorder.flush(PATIENCE));
    let found = |query: RecordQuery| recorder.query(&query);
    let all = found(RecordQuery::default());
    assert_eq!(ids(&all), ["a3", "a2", "a1"]);
    assert!(!all.cut_short);
    assert_eq!(all.records[2].target, "/?password=[masked]");
    assert_eq!(ids(&found(RecordQuery { limit: 2, ..RecordQuery::default() })), ["a3", "a2"]);
    let of = RecordQuery { ip: "::ffff:192.0.2.1".parse().ok(), ..RecordQuery::default() };
    assert_eq!(ids(&found(of)), ["a3", "a1"]);
    assert_eq!(ids(&found(RecordQuery { stopped: Some(true), ..RecordQuery::default() })), ["a1"]);
    let one = RecordQuery { request_id: Some("a2".into()), ..RecordQuery::default() };
    assert_eq!(ids(&found(one)), ["a2"]);
    let tomorrow = RecordQuery { since: Some(Timestamp::now().after(DAY)), ..RecordQuery::default() };
    assert_eq!(ids(&found(tomorrow)), [""; 0]);

    // Nobody but the owner reads them, and nothing secret is in them.
    let folder = dir.path().join("recorder");
    assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    let file = fs::read_dir(folder).unwrap().next().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!fs::read_to_string(file.path()).unwrap().contains("hunter2"));
}

#[test]
fn records_of_an_earlier_run_are_found_and_a_torn_one_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let write = |id: &str| {
        let (recorder, tap) = recorder(dir.path(), options());
        tap.hand_over(draft(id, "192.0.2.1", true));
        assert!(recorder.flush(PATIENCE));
        recorder
    };
    drop(write("first"));
    let first = fs::read_dir(dir.path().join("recorder")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&first).unwrap();
    let mut torn = whole.clone();
    torn.extend_from_slice(&whole[..whole.len() / 2]);
    fs::write(&first, &torn).unwrap();
    let recorder = write("second");
    assert_eq!(ids(&recorder.query(&RecordQuery::default())), ["second", "first"]);
}

#[test]
fn networks_are_found_by_an_address_in_them() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, tap) = recorder(dir.path(), RecorderOptions { anonymize: true, ..options() });
    tap.hand_over(draft("a1", "192.0.2.77", true));
    assert!(recorder.flush(PATIENCE));
    let query = RecordQuery { ip: "192.0.2.78".parse().ok(), ..RecordQuery::default() };
    assert_eq!(recorder.query(&query).records[0].client_ip.to_string(), "192.0.2.0");
}

#[test]
fn the_oldest_segments_make_room() {
    let dir = tempfile::tempdir().unwrap();
    let options = options();
    let mut segments = Segments::of(dir.path().join("recorder"));
    let line = "x".repeat(9_999) + "\n";
    let bytes = || -> u64 {
        let files = fs::read_dir(dir.path().join("recorder")).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
    };
    for i in 0..500 {
        segments.append(&line, Timestamp::from_unix_ms(i), &options).unwrap();
        assert!(bytes() <= options.bytes_max);
    }
    assert!(bytes() > options.bytes_max * 3 / 4);
    // A run that may keep less deletes what an earlier one kept.
    let less = RecorderOptions { bytes_max: options.bytes_max / 4, ..options };
    let mut segments = Segments::of(dir.path().join("recorder"));
    segments.append(&line, Timestamp::from_unix_ms(1000), &less).unwrap();
    assert!(bytes() <= less.bytes_max);
}

#[test]
fn what_is_too_old_is_deleted_within_an_hour() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("recorder");
    let options = options();
    let mut segments = Segments::of(folder.clone());
    let at = |seconds: u64| Timestamp::from_unix_ms(0).after(Duration::from_secs(seconds));
    let count = || fs::read_dir(&folder).unwrap().count();
    for hour in 0..12 {
        segments.append("x\n", at(hour * 3601), &options).unwrap();
        segments.append("x\n", at(hour * 3601 + 60), &options).unwrap();
    }
    assert_eq!(count(), 12);
    segments.expire(at(86_400 + 3602), &options).unwrap();
    assert_eq!(count(), 11);
    // One that is still written to is old once its newest record is.
    segments.expire(at(86_400 + 12 * 3601), &options).unwrap();
    assert_eq!(count(), 0);
    segments.append("x\n", at(2 * 86_400), &options).unwrap();
    assert_eq!(count(), 1);

    // Also after a restart, where only the names tell of times.
    let mut segments = Segments::of(folder.clone());
    segments.expire(at(3 * 86_400), &options).unwrap();
    assert_eq!(count(), 1);
    segments.expire(at(3 * 86_400 + 3601), &options).unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn records_that_the_disk_refuses_are_counted_and_it_is_said_once() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("recorder"), "no folder").unwrap();
    let path = dir.path().join("node.log");
    let to_file = LogOptions { target: Target::File(path.clone()), ..LogOptions::default() };
    let (log, writer) = Logger::start(to_file).unwrap();
    let recorder = Arc::new(Recorder::start(dir.path(), options(), log).unwrap());
    let tap = RecorderTap::new(recorder.clone());
    for _ in 0..3 {
        tap.hand_over(draft("a1", "192.0.2.1", true));
        assert!(recorder.flush(PATIENCE));
    }
    assert_eq!(recorder.dropped(), 3);
    assert_eq!(recorder.query(&RecordQuery::default()), Found::default());
    drop(writer);
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches("records_not_written").count(), 1, "{text}");
}

#[test]
fn where_too_much_waits_nothing_more_is_wanted_and_that_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let (recorder, tap) = recorder(dir.path(), options());
    recorder.shared.waiting_bytes.store(WAITING_BYTES_MAX, Relaxed);
    assert!(!tap.wants(true));
    assert_eq!(recorder.dropped(), 1);
    recorder.shared.waiting_bytes.store(0, Relaxed);
    tap.hand_over(draft("a1", "192.0.2.1", true));
    assert!(recorder.flush(PATIENCE) && tap.wants(true));
    assert_eq!(recorder.shared.waiting_bytes.load(Relaxed), 0);
}
