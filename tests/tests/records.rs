//! What is kept of requests: the access log, whole requests, and for how long.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Answer, Node, Origin, Setup, eventually, until};
use serde_json::Value;
use std::fs;

const ATTACK: &str = "/?q=%3Cscript%3Ealert(1)%3C/script%3E";

fn id(answer: &Answer) -> &str {
    answer.field("x-request-id").expect("an id in the answer")
}

/// The line of a log that holds the id of what `answer` answers, once it is there.
fn line_of(node: &Node, log: &str, answer: &Answer) -> String {
    until(&format!("{} in {log}", id(answer)), || {
        let text = fs::read_to_string(node.setup.path(log)).unwrap_or_default();
        text.lines().find(|line| line.contains(id(answer))).map(str::to_owned)
    })
}

/// The records that this query finds, the newest first.
fn records(node: &Node, query: &str) -> Vec<Value> {
    let answer = node.call("GET", &format!("/api/v1/records?limit=500&{query}"), "");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["records"].as_array().unwrap().clone()
}

/// The record of what `answer` answers, once it is there.
fn record_of(node: &Node, answer: &Answer) -> Value {
    let query = format!("request_id={}", id(answer));
    until(&format!("a record, {query}"), || records(node, &query).into_iter().next())
}

#[test]
fn each_request_is_a_line_of_the_access_log_while_it_is_switched_on() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).set("access_log.enable", true);
    let mut node = setup.text("access_log.file", "logs/access.json").start();
    let logged = node.ask("GET /page?a=%22 HTTP/1.1\r\nHost: site.test\r\nUser-Agent: a\"b\r\n\r\n");
    let line: Value = serde_json::from_str(&line_of(&node, "logs/access.json", &logged)).unwrap();
    for (name, value) in
        [("method", "GET"), ("host", "site.test"), ("target", "/page?a=%22"), ("user_agent", "a\"b")]
    {
        assert_eq!(line[name], value, "{line}");
    }
    assert_eq!(line["status"], 200);
    assert_eq!(line["client_ip"], "127.0.0.1");
    let stopped = node.get(ATTACK);
    let line: Value = serde_json::from_str(&line_of(&node, "logs/access.json", &stopped)).unwrap();
    assert_eq!(line["status"], 403);

    node.configure("access_log.format", "\"combined\"");
    node.configure("access_log.file", "\"logs/access.log\"");
    node.reload();
    let logged = node.ask("GET /page HTTP/1.1\r\nHost: site.test\r\nUser-Agent: a\"b\r\n\r\n");
    let line = line_of(&node, "logs/access.log", &logged);
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    let end = format!("] \"GET /page HTTP/1.1\" 200 0 \"-\" \"a\\x22b\" \"{}\"", id(&logged));
    assert!(line.ends_with(&end), "{line}");

    node.configure("access_log.enable", false);
    node.reload();
    let unlogged = node.get("/after");
    node.configure("access_log.enable", true);
    node.reload();
    line_of(&node, "logs/access.log", &node.get("/again"));
    let text = fs::read_to_string(node.setup.path("logs/access.log")).unwrap();
    assert!(!text.contains(id(&unlogged)), "{text}");
}

#[test]
fn a_reload_that_cannot_open_the_access_log_leaves_the_log_where_it_was() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).text("logging.file", "logs/first.log").start();
    node.configure("logging.file", "\"logs/second.log\"");
    node.configure("access_log.enable", true);
    // A folder, and no file to append to.
    node.configure("access_log.file", "\"data\"");
    let refused = node.call("POST", "/api/v1/reload", "");
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("access_log.file"), "{}", refused.text());
    line_of(&node, "logs/first.log", &node.get(ATTACK));
    node.configure("access_log.file", "\"logs/access.log\"");
    node.reload();
    line_of(&node, "logs/second.log", &node.get(ATTACK));
    // The file that is open is the one that is compared with: back to the first.
    node.configure("logging.file", "\"logs/first.log\"");
    node.reload();
    line_of(&node, "logs/first.log", &node.get(ATTACK));
}

#[test]
fn what_was_stopped_is_recorded_with_a_sample_of_the_rest() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).set("recorder.sample_every", 0).start();
    let passed = node.get("/passed");
    let stopped = node.get(ATTACK);
    let record = record_of(&node, &stopped);
    assert_eq!((record["status"].clone(), record["stopped"].clone()), (403.into(), true.into()));
    assert_eq!(record["target"], ATTACK);
    assert_eq!(records(&node, &format!("request_id={}", id(&passed))), [] as [Value; 0]);

    node.configure("recorder.sample_every", 1);
    node.reload();
    let record = record_of(&node, &node.get("/sampled"));
    assert_eq!((record["target"].clone(), record["stopped"].clone()), ("/sampled".into(), false.into()));

    node.configure("recorder.enable", false);
    node.reload();
    let unrecorded = node.get(ATTACK);
    node.configure("recorder.enable", true);
    node.reload();
    record_of(&node, &node.get(ATTACK));
    assert_eq!(records(&node, &format!("request_id={}", id(&unrecorded))), [] as [Value; 0]);
}

#[test]
fn bodies_are_recorded_where_that_is_asked_for_and_no_more_of_them() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).set("recorder.sample_every", 1).start();
    let post = |node: &Node| {
        let answer = node.ask(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz",
        );
        record_of(node, &answer)["body"].clone()
    };
    let body = post(&node);
    assert_eq!((body["bytes"].clone(), body["text"].clone()), (26.into(), Value::Null));
    node.configure("recorder.bodies", true);
    node.reload();
    assert_eq!(post(&node)["text"], "abcdefghijklmnopqrstuvwxyz");
    node.configure("recorder.body_bytes_max", 3);
    node.reload();
    let body = post(&node);
    assert_eq!((body["text"].clone(), body["truncated"].clone()), ("abc".into(), true.into()));
}

#[test]
fn what_is_to_be_masked_is_nowhere_on_the_disk() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).set("recorder.sample_every", 1).set("recorder.bodies", true);
    let mut node = setup.start();
    let ask = |node: &Node| {
        let body = "password=hunter2&nickname=nick9";
        let answer = node.ask(format!(
            "POST /?token=tok3n&colour=bl4ck HTTP/1.1\r\nHost: a\r\nX-API-Key: k3y\r\nX-Colour: gr33n\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        record_of(node, &answer).to_string()
    };
    let record = ask(&node);
    let hidden = |record: &str| {
        ["tok3n", "hunter2", "k3y", "bl4ck", "nick9", "gr33n"].map(|value| !record.contains(value))
    };
    assert_eq!(hidden(&record), [true, true, true, false, false, false], "{record}");
    node.configure("recorder.mask_headers", "[\"X-Colour\"]");
    node.configure("recorder.mask_parameters", "[\"colour\", \"nickname\"]");
    node.reload();
    let record = ask(&node);
    assert_eq!(hidden(&record), [false, false, false, true, true, true], "{record}");
    let before: Vec<Vec<u8>> = segments(&node).into_iter().map(|path| fs::read(path).unwrap()).collect();
    let text = String::from_utf8(before.concat()).unwrap();
    let first = text.lines().next().unwrap();
    assert!(!first.contains("hunter2") && first.contains("nick9"), "{first}");
}

/// The files of the recorder, the oldest first.
fn segments(node: &Node) -> Vec<std::path::PathBuf> {
    let folder = node.setup.path("data/recorder");
    let mut paths: Vec<_> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn the_oldest_records_make_room() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin).set("recorder.sample_every", 1);
    let node = setup.set("recorder.bytes_max", 1 << 20).start();
    let long = "l".repeat(20_000);
    let mut client = node.client();
    let first = client.get("/first");
    record_of(&node, &first);
    let mut last = first;
    for _ in 0..100 {
        last = client.ask(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n"));
        record_of(&node, &last);
    }
    record_of(&node, &last);
    let bytes: u64 = segments(&node).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert!(bytes <= 1 << 20, "{bytes}");
    assert!(records(&node, "").iter().all(|record| record["target"] != "/first"));
}

#[test]
fn records_that_are_too_old_are_gone() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin).set("retention.records", 60).start();
    record_of(&node, &node.get(ATTACK));
    node.kill();
    let [segment] = segments(&node).try_into().expect("one segment");
    // Its name is when it was begun, in milliseconds; this one in 1970.
    fs::rename(&segment, segment.with_file_name("000000000001000.jsonl")).unwrap();
    node.start_again();
    eventually("the segment to be deleted", || !segment.with_file_name("000000000001000.jsonl").exists());
    assert_eq!(records(&node, ""), [] as [Value; 0]);
}

#[test]
fn addresses_are_cut_where_that_is_asked_for() {
    let origin = Origin::echo();
    let setup = Setup::before(&origin)
        .set("server.trusted_proxies", "[\"127.0.0.0/8\"]")
        .set("access_log.enable", true)
        .text("access_log.file", "access.log");
    let mut node = setup.start();
    for (anonymize, four, six) in
        [(false, "192.0.2.77", "2001:db8:1:2::3"), (true, "192.0.2.0", "2001:db8:1::")]
    {
        node.configure("retention.anonymize_addresses", anonymize);
        node.reload();
        for (client, told) in [("192.0.2.77", four), ("2001:db8:1:2::3", six)] {
            let answer =
                node.ask(format!("GET {ATTACK} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {client}\r\n\r\n"));
            let line: Value = serde_json::from_str(&line_of(&node, "access.log", &answer)).unwrap();
            assert_eq!(line["client_ip"], told);
            assert_eq!(record_of(&node, &answer)["client_ip"], told);
        }
    }
}
