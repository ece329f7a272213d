use super::*;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

const PATIENCE: Duration = Duration::from_secs(30);

fn request() -> Access<'static> {
    Access {
        at: Timestamp::parse("2025-01-15T10:31:02.250Z").unwrap(),
        client_ip: "192.0.2.77".parse().unwrap(),
        request_id: "5f0c9a3e7d214b68",
        method: b"GET",
        host: b"shop.example",
        target: b"/search?q=a%20b",
        protocol: "HTTP/1.1",
        status: 200,
        bytes_in: 420,
        bytes_out: 5120,
        body_bytes_out: 4800,
        duration: Duration::from_micros(12_345),
        upstream: Some(Duration::from_micros(11_002)),
        user_agent: b"Mozilla/5.0",
        referer: b"https://shop.example/",
        site: "shop",
        action: "passed",
    }
}

fn options(file: &Path, format: AccessFormat) -> AccessOptions {
    AccessOptions { format, file: file.to_owned(), anonymize: false }
}

/// What the log holds after `write` was done with it.
fn written(format: AccessFormat, anonymize: bool, write: impl FnOnce(&AccessBuffer)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("logs/access.log");
    let log = AccessLog::start(Some(AccessOptions { anonymize, ..options(&path, format) })).unwrap();
    let log = Arc::new(log);
    write(&AccessBuffer::new(log.clone()));
    assert!(log.flush(PATIENCE));
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_request_is_a_json_object() {
    assert_eq!(
        written(AccessFormat::Json, false, |log| log.write(&request())),
        concat!(
            r#"{"timestamp":"2025-01-15T10:31:02.250Z","client_ip":"192.0.2.77","#,
            r#""request_id":"5f0c9a3e7d214b68","method":"GET","host":"shop.example","target":"/search?q=a%20b","#,
            r#""protocol":"HTTP/1.1","status":200,"bytes_in":420,"bytes_out":5120,"duration_ms":12.345,"#,
            r#""upstream_ms":11.002,"user_agent":"Mozilla/5.0","referer":"https://shop.example/","#,
            r#""site":"shop","action":"passed"}"#,
            "\n"
        )
    );
}

#[test]
fn what_a_request_does_not_have_is_left_out() {
    let bare = Access { upstream: None, user_agent: b"", referer: b"", site: "", ..request() };
    let line = written(AccessFormat::Json, false, |log| log.write(&bare));
    assert!(line.ends_with("\"duration_ms\":12.345,\"action\":\"passed\"}\n"), "{line}");
}

#[test]
fn a_request_is_a_line_that_readers_of_nginx_know() {
    assert_eq!(
        written(AccessFormat::Combined, false, |log| log.write(&request())),
        "192.0.2.77 - - [15/Jan/2025:10:31:02 +0000] \"GET /search?q=a%20b HTTP/1.1\" 200 4800 \
         \"https://shop.example/\" \"Mozilla/5.0\" \"5f0c9a3e7d214b68\"\n"
    );
    let forged = Access { referer: b"", user_agent: b"x\" 200\n\\\x1b[2K\xff", ..request() };
    let line = written(AccessFormat::Combined, false, |log| log.write(&forged));
    assert!(line.contains(r#" "-" "x\x22 200\x0A\x5C\x1B[2K\xFF" "#), "{line}");
}

#[test]
fn addresses_are_cut_where_that_is_asked_for() {
    for format in [AccessFormat::Json, AccessFormat::Combined] {
        let text = written(format, true, |log| {
            log.write(&request());
            log.write(&Access { client_ip: "2001:db8:1:2::3".parse().unwrap(), ..request() });
        });
        assert!(text.contains("192.0.2.0") && text.contains("2001:db8:1::"), "{text}");
        assert!(!text.contains("192.0.2.77") && !text.contains("2001:db8:1:2"), "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_client_sends_stays_in_its_field(
        method in any::<Vec<u8>>(),
        target in any::<Vec<u8>>(),
        user_agent in any::<Vec<u8>>(),
    ) {
        let request =
            Access { method: &method, target: &target, user_agent: &user_agent, referer: &target, ..request() };
        let mut text = String::new();
        format::json(&mut text, &request, false);
        let line = text.strip_suffix('\n').unwrap();
        prop_assert!(!line.chars().any(char::is_control));
        let read: serde_json::Value = serde_json::from_str(line).unwrap();
        prop_assert_eq!(read["target"].as_str().unwrap(), String::from_utf8_lossy(&target));
        prop_assert_eq!(&read["action"], "passed");

        text.clear();
        format::combined(&mut text, &request, false);
        let line = text.strip_suffix('\n').unwrap();
        prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        // Four fields are quoted; a client adds no quote.
        prop_assert_eq!(line.matches('"').count(), 8);
    }
}

#[test]
fn nothing_is_written_while_it_is_off_and_it_can_be_switched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = Arc::new(AccessLog::start(None).unwrap());
    let buffer = AccessBuffer::new(log.clone());
    buffer.write(&request());
    buffer.flush();
    assert!(!buffer.is_on() && log.flush(PATIENCE) && !path.exists());

    log.move_to(AccessLog::open(Some(options(&path, AccessFormat::Json))).unwrap());
    buffer.write(&request());
    buffer.flush();
    assert!(buffer.is_on() && log.flush(PATIENCE));
    log.move_to(AccessLog::open(Some(options(&path, AccessFormat::Combined))).unwrap());
    buffer.write(&request());
    buffer.flush();
    assert!(log.flush(PATIENCE));
    log.move_to(AccessLog::open(None).unwrap());
    buffer.write(&request());
    drop(buffer);
    assert!(log.flush(PATIENCE));
    let text = fs::read_to_string(path).unwrap();
    let begins: Vec<&str> = text.lines().map(|line| &line[..1]).collect();
    assert_eq!(begins, ["{", "1"]);
    assert_eq!(log.dropped(), 0);
}

#[test]
fn after_rotation_lines_go_to_the_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, rotated) = (dir.path().join("access.log"), dir.path().join("access.log.1"));
    let log = Arc::new(AccessLog::start(Some(options(&path, AccessFormat::Json))).unwrap());
    let buffer = AccessBuffer::new(log.clone());
    let write = |id| {
        buffer.write(&Access { request_id: id, ..request() });
        buffer.flush();
        assert!(log.flush(PATIENCE));
    };
    write("before");
    fs::rename(&path, &rotated).unwrap();
    write("between");
    log.reopen().unwrap();
    write("after");
    let old = fs::read_to_string(rotated).unwrap();
    assert!(old.contains("before") && old.contains("between") && !old.contains("after"));
    assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 1);
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = Arc::new(AccessLog::start(Some(options(&path, AccessFormat::Json))).unwrap());
    let error = AccessLog::open(Some(options(dir.path(), AccessFormat::Combined))).unwrap_err().to_string();
    assert!(error.contains(dir.path().to_str().unwrap()) && error.contains("[access_log] file"), "{error}");
    AccessBuffer::new(log.clone()).write(&request());
    assert!(log.flush(PATIENCE));
    assert!(fs::read_to_string(path).unwrap().starts_with('{'));
}

#[test]
fn lines_that_a_full_disk_refuses_are_counted() {
    let log = AccessLog::start(Some(options(Path::new("/dev/full"), AccessFormat::Json))).unwrap();
    let log = Arc::new(log);
    let buffer = AccessBuffer::new(log.clone());
    (0..3).for_each(|_| buffer.write(&request()));
    drop(buffer);
    assert!(log.flush(PATIENCE));
    assert_eq!(log.dropped(), 3);
}

#[test]
fn lines_of_many_workers_are_whole_and_all_there_or_counted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("access.log");
    let log = Arc::new(AccessLog::start(Some(options(&path, AccessFormat::Json))).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let buffer = AccessBuffer::new(log.clone());
            scope.spawn(move || (0..5000).for_each(|_| buffer.write(&request())));
        }
    });
    assert!(log.flush(PATIENCE));
    let text = fs::read_to_string(path).unwrap();
    let whole = text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()).count();
    assert_eq!(whole, text.lines().count());
    assert_eq!(whole as u64 + log.dropped(), 20_000);
}
