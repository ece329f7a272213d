use super::*;
use secbeat_types::{Action, Category, EventKind, RuleMatch, Severity};
use std::fs;
use std::path::Path;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

fn to_file(path: &Path) -> LogOptions {
    LogOptions { target: Target::File(path.to_owned()), ..LogOptions::default() }
}

/// What the log holds after `write` was done with it and it was closed.
fn written(options: LogOptions, write: impl FnOnce(&Logger)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/mitigation.log");
    let (logger, writer) = Logger::start(LogOptions { target: to_file(&path).target, ..options }).unwrap();
    write(&logger);
    drop(writer);
    fs::read_to_string(path).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The guide prints its examples over several lines; a log has one line each.
fn on_one_line(pretty: &str) -> String {
    pretty.lines().map(|line| line.trim().replacen("\": ", "\":", 1)).collect::<String>() + "\n"
}

const CONNECTION: &str = r#"{
  "timestamp": "2025-01-15T10:30:45Z",
  "level": "INFO",
  "component": "mitigation-node",
  "event": "connection_established",
  "client_ip": "192.168.1.100",
  "backend": "10.0.1.50:8080",
  "connection_id": "conn_12345"
}"#;

const ATTACK: &str = r#"{
  "timestamp": "2025-01-15T10:31:02Z",
  "level": "WARN",
  "component": "waf",
  "event": "attack_detected",
  "attack_type": "sql_injection",
  "client_ip": "192.168.1.200",
  "user_agent": "SQLMap/1.0",
  "blocked": true,
  "rule_id": "rule_001"
}"#;

fn connection(logger: &Logger) {
    let at = at("2025-01-15T10:30:45Z");
    logger
        .line_at(at, Level::Info, "mitigation-node", "connection_established")
        .ip("client_ip", "192.168.1.100".parse().unwrap())
        .str("backend", "10.0.1.50:8080")
        .str("connection_id", "conn_12345")
        .send();
}

fn attack() -> Event {
    Event {
        timestamp: at("2025-01-15T10:31:02Z"),
        attack_type: Some(Category::SqlInjection),
        client_ip: Some("192.168.1.200".parse().unwrap()),
        user_agent: Some("SQLMap/1.0".into()),
        blocked: true,
        rule_id: Some("rule_001".into()),
        ..Event::new(EventKind::Attack, "waf", "attack_detected", "")
    }
}

#[test]
fn a_connection_is_logged_as_the_guide_shows() {
    assert_eq!(written(LogOptions::default(), connection), on_one_line(CONNECTION));
}

#[test]
fn an_attack_is_logged_as_the_guide_shows() {
    assert_eq!(written(LogOptions::default(), |log| log.event(&attack())), on_one_line(ATTACK));
}

#[test]
fn what_the_guide_does_not_name_comes_after_it() {
    let event = Event {
        request_id: Some("req_1".into()),
        method: Some("GET".into()),
        host: Some("shop.example".into()),
        target: Some("/?id=1%27\"".into()),
        status: Some(403),
        reason: "rule rule_001 matched".into(),
        matches: vec![RuleMatch {
            rule_id: "rule_001".into(),
            name: "SQL Injection Detection".into(),
            category: Category::SqlInjection,
            severity: Severity::High,
            action: Action::Block,
            variable: "query:id".into(),
            matched: "1' or".into(),
            transformations: Vec::new(),
        }],
        ..attack()
    };
    let ours = r#","request_id":"req_1","method":"GET","host":"shop.example","target":"/?id=1%27\"","status":403,"reason":"rule rule_001 matched","variable":"query:id","matched":"1' or"}"#;
    let expected = on_one_line(ATTACK).replace("}\n", ours) + "\n";
    assert_eq!(written(LogOptions::default(), |log| log.event(&event)), expected);
}

#[test]
fn people_read_the_same_on_a_line() {
    let pretty = LogOptions { format: Format::Pretty, ..LogOptions::default() };
    let text = written(pretty, |log| {
        connection(log);
        log.event(&attack());
    });
    assert_eq!(
        text,
        "2025-01-15T10:30:45Z INFO  mitigation-node connection_established client_ip=192.168.1.100 \
         backend=10.0.1.50:8080 connection_id=conn_12345\n\
         2025-01-15T10:31:02Z WARN  waf attack_detected attack_type=sql_injection client_ip=192.168.1.200 \
         user_agent=SQLMap/1.0 blocked=true rule_id=rule_001\n"
    );
}

#[test]
fn lines_beyond_the_level_are_neither_built_nor_written() {
    struct Unseen;
    impl fmt::Display for Unseen {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("a line that nobody reads was built")
        }
    }
    let text = written(LogOptions::default(), |log| {
        log.debug("x", "quiet").display("field", Unseen).send();
        log.set_level(Level::Debug);
        log.debug("x", "loud").send();
        log.set_level(Level::Off);
        log.error("x", "off").display("field", Unseen).send();
    });
    assert_eq!(text.lines().count(), 1);
    assert!(text.contains("\"event\":\"loud\""));
    assert_eq!("WARN".parse(), Ok(Level::Warn));
    assert!("loud".parse::<Level>().unwrap_err().contains("expected off, error"));
}

#[test]
fn a_flood_of_one_event_is_cut_and_summed_up() {
    let options = LogOptions { lines_per_second: 5, ..LogOptions::default() };
    let text = written(options, |log| {
        (0..1000).for_each(|_| log.event(&attack()));
        connection(log);
    });
    let count = |needle: &str| text.lines().filter(|line| line.contains(needle)).count();
    assert_eq!(count("\"event\":\"attack_detected\""), 5);
    assert_eq!(count("connection_established"), 1);
    let summed_up: u64 = text
        .lines()
        .filter(|line| line.contains("\"event\":\"log_suppressed\",\"suppressed_event\":\"attack_detected\""))
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["count"].as_u64().unwrap())
        .sum();
    assert_eq!(summed_up, 995);
}

#[test]
fn a_full_queue_drops_and_counts_and_never_waits() {
    // No thread empties this log.
    let logger = Logger::new(&LogOptions { lines_per_second: u32::MAX, ..LogOptions::default() });
    (0..QUEUE_LINES + 10).for_each(|_| connection(&logger));
    assert_eq!(logger.dropped(), 10);
}

#[test]
fn lines_of_many_threads_are_whole_and_all_there() {
    let options = LogOptions { lines_per_second: u32::MAX, ..LogOptions::default() };
    let text = written(options, |log| {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..500).for_each(|_| log.event(&attack())));
            }
        });
    });
    assert_eq!(text, on_one_line(ATTACK).repeat(2000));
}

#[test]
fn after_rotation_lines_go_to_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rotated) = (dir.path().join("node.log"), dir.path().join("node.log.1"));
    let (logger, writer) = Logger::start(to_file(&path)).unwrap();
    logger.info("x", "before").send();
    assert!(writer.flush(PATIENCE));
    fs::rename(&path, &rotated).unwrap();
    logger.info("x", "between").send();
    assert!(writer.flush(PATIENCE));
    logger.reopen().unwrap();
    logger.info("x", "after").send();
    drop(writer);
    let old = fs::read_to_string(rotated).unwrap();
    assert!(old.contains("before") && old.contains("between") && !old.contains("after"));
    let new = fs::read_to_string(path).unwrap();
    assert!(new.contains("after") && new.lines().count() == 1);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let error = Logger::start(to_file(dir.path())).unwrap_err().to_string();
    assert!(error.contains(dir.path().to_str().unwrap()) && error.contains("[logging] file"), "{error}");
    let path = dir.path().join("node.log");
    let (logger, writer) = Logger::start(to_file(&path)).unwrap();
    assert!(Logger::open(Target::File(dir.path().to_owned())).is_err());
    logger.info("x", "still_here").send();
    drop(writer);
    assert!(fs::read_to_string(path).unwrap().contains("still_here"));
}

#[test]
fn lines_that_a_full_disk_refuses_are_counted() {
    let (logger, writer) = Logger::start(to_file(Path::new("/dev/full"))).unwrap();
    (0..3).for_each(|_| connection(&logger));
    drop(writer);
    assert_eq!(logger.dropped(), 3);
}
