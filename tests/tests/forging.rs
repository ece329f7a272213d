//! Nobody writes a line of ours: whatever a client puts wherever, each request is one line of the access log in either format, one
//! record, and events and log lines that say what happened and nothing else.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup, until};
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// Line ends, control characters of either kind, characters that some programs take for line ends or that turn the writing
/// round, ends of strings and objects, and bytes that are no text.
const PIECES: &[&[u8]] = &[
    b"\r\n{\"event\":\"forged\"}\r\n",
    b"\n{\"event\":\"forged\"}\n",
    b"\r{\"event\":\"forged\"}",
    b"%0d%0a{\"event\":\"forged\"}%0d%0a",
    b"\t\x0b\x0c",
    b"\0",
    b"\x1b[2J\x1b]0;forged\x07",
    b"\x7f\x08\x08",
    "\u{85}{\"event\":\"forged\"}".as_bytes(),
    "\u{9b}31m\u{9d}0;forged\u{9c}".as_bytes(),
    "\u{2028}{\"event\":\"forged\"}\u{2029}".as_bytes(),
    "\u{202e}\u{2066}\u{feff}\u{200b}".as_bytes(),
    b"\"}\n{\"event\":\"forged\",\"x\":\"",
    b"\",\"event\":\"forged\",\"x\":\"",
    b"\" 200 0 \"-\" \"forged\" \"",
    b"\\\" \\n \\u000a \\",
    b"\x80\xff\xc3\xed\xa0\x80",
];

/// Where a client may put it.
const PLACES: &[&str] = &[
    "GET /@?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /?q=%3Cscript%3E&r=@ HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a@\r\n\r\n",
    "GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nUser-Agent: u@\r\n\r\n",
    "GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nReferer: http://r/@\r\nCookie: c=@\r\n\r\n",
    "GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1@\r\nX-Request-Id: i@\r\n\r\n",
    "GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nX@: y\r\n\r\n",
    "GET@ /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /@ HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain@\r\nContent-Length: 0\r\n\r\n",
    "GET /plain HTTP/1.1\r\nHost: a\r\nUser-Agent: u@\r\nReferer: @\r\n\r\n",
];

/// Sends every piece at every place, each on a connection of its own, and returns how many requests that were.
fn send_all(node: &Node) -> usize {
    for place in PLACES {
        for piece in PIECES {
            let mut request = Vec::new();
            for (index, part) in place.split('@').enumerate() {
                request.extend_from_slice(if index > 0 { piece } else { b"" });
                request.extend_from_slice(part.as_bytes());
            }
            let mut client = node.client();
            client.send(&request);
            // What follows a line end in the middle is, at most, another request on a connection that is closed by now.
            let status = client.answer_to("GET").status;
            assert!(matches!(status, 200 | 400 | 403 | 405 | 501), "{status}: {}", request.escape_ascii());
        }
    }
    PLACES.len() * PIECES.len()
}

/// Lines as every program cuts them that knows only one of the line ends.
fn lines(text: &str) -> Vec<&str> {
    text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'])
        .filter(|line| !line.is_empty())
        .collect()
}

#[track_caller]
fn is_harmless(line: &str) {
    let turns =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
    assert!(!line.contains(|c: char| c.is_control() || turns(c)), "{line:?}");
}

/// The lines of these files, once there are `count`; no more may come.
fn written(what: &str, count: usize, files: impl Fn() -> Vec<PathBuf>) -> Vec<String> {
    let text = until(&format!("{count} lines of the {what}"), || {
        let text: String = files().iter().map(|file| fs::read_to_string(file).unwrap_or_default()).collect();
        (text.matches('\n').count() >= count).then_some(text)
    });
    let lines = lines(&text);
    assert_eq!(lines.len(), count, "{what}");
    lines.iter().for_each(|line| is_harmless(line));
    lines.into_iter().map(str::to_owned).collect()
}

#[test]
fn each_request_is_one_line_wherever_it_is_written_down() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for format in ["json", "combined"] {
        let node = Setup::before(&origin)
            .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
            .set("access_log.enable", true)
            .text("access_log.format", format)
            .text("access_log.file", "access.log")
            .set("recorder.sample_every", 1)
            .set("logging.lines_per_second", 100_000)
            .start();
        let count = send_all(&node);
        for line in written("access log", count, || vec![node.setup.path("access.log")]) {
            match format {
                "json" => {
                    let line: Value =
                        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                    assert_eq!(line.get("event"), None, "{line}");
                    assert!(line["status"].is_u64(), "{line}");
                }
                _ => {
                    // address - - [time] "request" status bytes "referer" "user agent" "id"
                    let parts: Vec<&str> = line.split('"').collect();
                    assert_eq!(parts.len(), 9, "{line}");
                    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                    assert!(parts[2].trim().split(' ').all(digits), "{line}");
                    assert!(
                        parts[7].len() == 16 && parts[7].bytes().all(|b| b.is_ascii_hexdigit()),
                        "{line}"
                    );
                }
            }
        }
        let segments = || {
            let folder = fs::read_dir(node.setup.path("data/recorder")).into_iter().flatten();
            folder.map(|entry| entry.unwrap().path()).collect()
        };
        for line in written("records", count, segments) {
            let line: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_eq!(line.get("event"), None, "{line}");
        }
        let answer = node.call("GET", "/api/v1/records?limit=500", "");
        assert_eq!(answer.json()["records"].as_array().unwrap().len(), count);
        is_harmless_json(&answer.text());
        let answer = node.call("GET", "/api/v1/events?limit=1000", "");
        let events = answer.json()["events"].as_array().unwrap().clone();
        assert!(events.len() >= PLACES.len(), "{}", events.len());
        assert!(events.iter().all(|event| event["event"] != "forged"));
        is_harmless_json(&answer.text());
        follow(&node, &events);

        let log = until("the last line of the log", || {
            let log = node.log();
            let last = events.iter().find_map(|event| event["request_id"].as_str())?;
            log.contains(last).then_some(log)
        });
        for line in lines(&log) {
            is_harmless(line);
            let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert_ne!(line["event"], "forged");
        }
    }
}

/// What a follower gets: three lines for each event, none of them begun by a client.
fn follow(node: &Node, events: &[Value]) {
    let mut follower = Client::connect(node.setup.api);
    let host = node.setup.api;
    follower.send(format!("GET /api/v1/events/stream HTTP/1.1\r\nHost: {host}\r\nLast-Event-ID: 1\r\n\r\n"));
    assert_eq!(follower.reader().answer_head().unwrap().status, 200);
    let last = format!("\nid: {}\n", events[0]["id"]);
    while !String::from_utf8_lossy(follower.reader().ahead()).contains(&last) {
        assert_ne!(follower.reader().more().unwrap(), 0, "the stream's end");
    }
    // Chunks have lines of their own. What happened since is not counted.
    let text = String::from_utf8_lossy(follower.reader().ahead()).replace("\r\n", "\n");
    let text = text.split_inclusive(&last).next().unwrap();
    let begun = |start: &str| text.split(['\n', '\r']).filter(|line| line.starts_with(start)).count();
    // One more id: where to come back to.
    assert_eq!((begun("id: "), begun("event: forged")), (events.len() + 1, 0));
    text.lines().for_each(is_harmless);
}

/// The API's own bytes may be shown by curl, on a terminal.
#[track_caller]
fn is_harmless_json(text: &str) {
    is_harmless(text.trim_end());
}
