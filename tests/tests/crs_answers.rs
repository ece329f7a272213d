//! Answers behind the Core Rule Set: what gives away too much does not go out, and what streams is not held up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use flate2::{Compression, write::GzEncoder};
use secbeat_tests::origin::Gate;
use secbeat_tests::{Node, Origin, Setup};
use serde_json::json;
use std::io::Write;

const LEAKS: [(&str, &str); 3] = [
    (
        "/sql",
        "<p>You have an error in your SQL syntax; check the manual that corresponds to your MySQL server version</p>",
    ),
    ("/php", "<html><?php $connection = mysql_connect('db', 'root', $_ENV['p']); ?></html>"),
    (
        "/list",
        "<html><head><title>Index of /backup</title></head><body><h1>Index of /backup</h1></body></html>",
    ),
];
const FINE: &str = "<html><body><h1>Welcome to our shop</h1><p>Sea, sun &amp; sand.</p></body></html>";

fn setup(origin: &Origin) -> Option<Setup> {
    Setup::before(origin).rule_set()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// An origin with pages that leak. The query says how they are sent: `gzip`, `chunked`, `plain` text, a `picture`.
fn leaking() -> Origin {
    Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            let target = request.start.split(' ').nth(1).unwrap().to_owned();
            let (path, how) = target.split_once('?').unwrap_or((&target, ""));
            let text = LEAKS.iter().find(|(known, _)| *known == path).map_or(FINE, |(_, text)| text);
            let body = if how == "gzip" { gzip(text) } else { text.as_bytes().to_vec() };
            let kind = match how {
                "plain" => "text/plain",
                "picture" => "image/png",
                _ => "text/html; charset=utf-8",
            };
            let coding = if how == "gzip" { "Content-Encoding: gzip\r\n" } else { "" };
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coding}");
            let (framing, body) = match how {
                "chunked" => {
                    let (one, two) = body.split_at(20);
                    let chunk =
                        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
                    (
                        "Transfer-Encoding: chunked\r\n".into(),
                        [chunk(one), chunk(two), b"0\r\n\r\n".to_vec()].concat(),
                    )
                }
                _ => (format!("Content-Length: {}\r\n", body.len()), body),
            };
            conversation.send([format!("{head}{framing}\r\n").as_bytes(), &body].concat())?;
        }
    })
}

fn get(node: &Node, target: &str) -> secbeat_tests::Answer {
    node.ask(format!(
        "GET {target} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\nAccept-Encoding: gzip\r\n\r\n"
    ))
}

#[test]
fn an_answer_that_gives_away_too_much_does_not_go_out() {
    let origin = leaking();
    let Some(setup) = setup(&origin) else { return };
    let mut node = setup.start();
    for (path, text) in LEAKS {
        for how in ["", "gzip", "chunked", "plain"] {
            let answer = get(&node, &format!("{path}?{how}"));
            assert_eq!(answer.status, 403, "{path}?{how}");
            assert!(!answer.text().contains(&text[6..20]), "{}", answer.text());
            let event = node.event_of(&answer);
            assert_eq!(
                (&event["attack_type"], &event["blocked"]),
                (&json!("data_leak"), &json!(true)),
                "{event:#}"
            );
            assert!(event["reason"].as_str().unwrap().ends_with("in the backend's answer"), "{event}");
            let scores = &event["scores"];
            assert!(scores["outbound"].as_i64() >= scores["outbound_threshold"].as_i64(), "{event}");
            let told = node.explained(&answer);
            let step = told["trace"].as_array().unwrap().last().unwrap();
            assert_eq!((&step["stage"], &step["verdict"]), (&json!("answer"), &json!("stop")), "{told}");
        }
        // What is no text is not looked at.
        assert_eq!(get(&node, &format!("{path}?picture")).text(), text);
    }
    for how in ["", "gzip", "chunked", "plain", "picture"] {
        let answer = get(&node, &format!("/?{how}"));
        let body = if how == "gzip" { gzip(FINE) } else { FINE.as_bytes().to_vec() };
        assert_eq!((answer.status, answer.message.body), (200, body), "{how}");
    }
    // An answer to HEAD has no body to give anything away.
    let head =
        node.ask("HEAD /sql HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n");
    assert_eq!(head.status, 200);

    let seen = |node: &Node| get(node, "/sql").status;
    for (key, value) in [
        ("waf.inspect_response_limit", "20"),
        ("waf.inspect_response_limit", "0"),
        ("waf.inspect_response_types", "[\"application/xml\"]"),
        ("waf.crs.outbound_threshold", "1000"),
    ] {
        node.configure(key, value);
        node.reload();
        assert_eq!(seen(&node), 200, "{key} = {value}");
        node.setup.take(key);
        node.setup.write();
        node.reload();
        assert_eq!(seen(&node), 403, "{key} as it was");
    }
}

#[test]
fn what_streams_is_not_held_up() {
    let gate = Gate::default();
    let opened = gate.clone();
    let origin = Origin::scripted(move |conversation| {
        let request = conversation.request()?;
        if request.field("upgrade").is_some() {
            conversation.send(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhello",
            )?;
            let frame = conversation.reader().exactly(25)?;
            return conversation.send(frame);
        }
        conversation
            .send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\r\n")?;
        conversation.send("data: first\n\n")?;
        opened.pass();
        conversation.send("data: second\n\n")
    });
    let Some(setup) = setup(&origin) else { return };
    let node = setup.start();
    let fields = "Host: shop.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n";
    let mut client = node.client();
    client.send(format!("GET /events HTTP/1.1\r\n{fields}\r\n"));
    let head = client.reader().answer_head().unwrap();
    assert_eq!((head.status, head.field("content-type")), (200, Some("text/event-stream")));
    let has = |bytes: &[u8], text: &str| String::from_utf8_lossy(bytes).contains(text);
    while !has(client.reader().ahead(), "data: first") {
        assert!(client.reader().more().unwrap() > 0, "the first event");
    }
    assert!(!has(client.reader().ahead(), "second"));
    gate.open();
    while !has(client.reader().ahead(), "data: second") {
        assert!(client.reader().more().unwrap() > 0, "the second event");
    }

    let mut client = node.client();
    client.send(format!(
        "GET /chat HTTP/1.1\r\n{fields}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ));
    assert_eq!(client.answer_to("GET").status, 101);
    assert_eq!(client.reader().exactly(5).unwrap(), b"hello");
    let frame = b"<script>alert(1)</script>";
    client.send(frame);
    assert_eq!(client.reader().exactly(frame.len()).unwrap(), frame);
    assert!(node.events("attack").is_empty(), "{:#?}", node.events("attack"));
}

#[test]
fn a_download_of_any_type_is_as_long_as_it_was_and_takes_no_memory() {
    const LENGTH: usize = 100 << 20;
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            let kind = if request.start.contains("html") { "text/html" } else { "application/octet-stream" };
            conversation.send(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {LENGTH}\r\n\r\n"
            ))?;
            let block: Vec<u8> = (0..1 << 20).map(|at: usize| b'a' + (at % 26) as u8).collect();
            for _ in 0..LENGTH >> 20 {
                conversation.send(&block)?;
            }
        }
    });
    let Some(setup) = setup(&origin) else { return };
    let node = setup.start();
    let before = node.resident_bytes();
    for path in ["/binary", "/html"] {
        let mut client = node.client();
        client.send(format!(
            "GET {path} HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: Mozilla/5.0\r\nAccept: */*\r\n\r\n"
        ));
        assert_eq!(client.reader().answer_head().unwrap().status, 200, "{path}");
        let mut count = 0;
        while count < LENGTH {
            let ahead = client.reader().ahead().len();
            if ahead == 0 {
                assert!(client.reader().more().unwrap() > 0, "{path} ends after {count}");
                continue;
            }
            let bytes = client.reader().exactly(ahead).unwrap();
            let wrong =
                bytes.iter().zip(count..).find(|(byte, at)| **byte != b'a' + (at % (1 << 20) % 26) as u8);
            assert_eq!(wrong, None, "{path}");
            count += ahead;
        }
        assert_eq!(count, LENGTH, "{path}");
    }
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(grown < 24 << 20, "{grown} bytes more than before");
}
