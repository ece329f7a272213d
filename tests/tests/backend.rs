//! A backend that is dead, slow or lying: the client gets a clean error with the request's id, never a made-up answer, and all is
//! well again when the backend is.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::setup::free_address;
use secbeat_tests::{Answer, Node, Origin, Setup, eventually};

#[track_caller]
fn is_bad_gateway(node: &Node, answer: &Answer, event: &str) {
    assert_eq!(answer.status, 502);
    let id = answer.field("x-request-id").unwrap();
    assert!(answer.text().contains(id), "the page names the request: {}", answer.text());
    let told = node.event_of(answer);
    assert_eq!((&told["type"], &told["event"]), (&"backend".into(), &event.into()), "{told}");
}

#[test]
fn a_dead_backend_is_502_and_recovery_needs_no_restart() {
    let address = free_address();
    let node = Setup::before_address(address).start();
    let mut client = node.client();
    is_bad_gateway(&node, &client.get("/"), "backend_unreachable");
    assert_eq!(node.metric("secbeat_upstream_errors_total{cause=\"connect\""), 1.0);
    let origin = Origin::echo_at(address);
    assert_eq!(client.get("/").status, 200, "the client's connection outlived the error");
    drop(origin);
    eventually("the backend to be dead again", || client.get("/").status == 502);
    let _origin = Origin::echo_at(address);
    assert_eq!(client.get("/").status, 200);
}

/// What a backend answers that no client may see.
const LIES: &[(&str, &[u8])] = &[
    ("garbage", b"\x00\xff\x00\xffgarbage\r\n\r\n"),
    ("another protocol", b"220 mail.test ESMTP ready\r\n"),
    ("HTTP/0.9", b"<html>hello</html>"),
    ("two framings", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde"),
    ("a length that is none", b"HTTP/1.1 200 OK\r\nContent-Length: four\r\n\r\nabcd"),
    ("an unknown coding", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabcd"),
    ("a folded field", b"HTTP/1.1 200 OK\r\nX: 1\r\n Set-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"),
    ("a NUL", b"HTTP/1.1 200 OK\r\nX: \0\r\nContent-Length: 0\r\n\r\n"),
    ("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"),
    (
        "a switch that nobody asked for",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ),
];

#[test]
fn a_lying_backend_is_502_and_its_connection_is_not_used_again() {
    for (name, lie) in LIES {
        let origin = Origin::answering(*lie);
        let node = Node::before(&origin);
        let mut client = node.client();
        for round in 1..=2 {
            let answer = client.get("/");
            assert_eq!(answer.status, 502, "{name}");
            is_bad_gateway(&node, &answer, "backend_invalid");
            assert_eq!(origin.connections(), round, "{name}");
        }
    }
}

#[test]
fn a_backend_that_closes_without_an_answer_is_502() {
    for half in ["", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n"] {
        let origin = Origin::answering_once(half);
        let node = Node::before(&origin);
        is_bad_gateway(&node, &node.get("/"), "backend_closed");
    }
}

#[test]
fn an_answer_that_is_too_short_breaks_off_for_the_client_too() {
    let short: &[&str] = &[
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n",
    ];
    for answer in short {
        let origin = Origin::answering_once(*answer);
        let node = Node::before(&origin);
        let mut client = node.client();
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.try_answer_to("GET").expect_err(answer);
        let told = node.event_named("backend_broke_off");
        assert_eq!(told["type"], "backend", "{answer:?}");
        assert_eq!(node.metric("secbeat_upstream_errors_total{cause=\"truncated\""), 1.0, "{answer:?}");
    }
}

#[test]
fn a_long_answer_that_breaks_off_does_so_for_the_client_and_one_with_bytes_behind_it_ends_where_it_should() {
    const LENGTH: usize = 3 << 20;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").into_bytes();
    let short = Origin::answering_once([head.clone(), vec![b'a'; LENGTH - 1]].concat());
    let node = Node::before(&short);
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.try_answer_to("GET").expect_err("one byte is missing");
    node.event_named("backend_broke_off");

    let behind = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse".to_vec();
    let long = Origin::answering([head, vec![b'a'; LENGTH], behind].concat());
    let node = Node::before(&long);
    let mut client = node.client();
    for _ in 0..5 {
        assert!(client.get("/").message.body == vec![b'a'; LENGTH]);
    }
}

#[test]
fn bytes_behind_an_answer_are_not_the_next_answer() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrueHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfalse",
    );
    let node = Node::before(&origin);
    let mut client = node.client();
    for _ in 0..5 {
        assert_eq!(client.get("/").text(), "true");
    }
}

#[test]
fn a_ready_connection_that_the_backend_closed_costs_an_idempotent_request_nothing() {
    // Answers one request on each connection, says that it stays, and closes.
    let origin = Origin::answering_once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let node = Setup::before(&origin).set("server.worker_threads", 1).start();
    let mut client = node.client();
    for round in 0..50 {
        assert_eq!(client.get("/").status, 200, "round {round}");
    }
    assert_eq!(origin.requests().len(), 50);
    // A request that may have been acted on is never sent twice.
    for _ in 0..20 {
        let before = origin.requests().len();
        let answer = client.ask("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na");
        assert!(matches!(answer.status, 200 | 502), "{}", answer.status);
        assert!(origin.requests().len() <= before + 1);
    }
}

#[test]
fn interim_answers_pass_and_the_final_one_is_still_found() {
    let origin = Origin::answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    );
    let node = Node::before(&origin);
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let hints = client.reader().answer_head().unwrap();
    assert_eq!((hints.status, hints.field("link")), (103, Some("</a.css>; rel=preload")));
    let last = client.reader().answer_head().unwrap();
    assert_eq!(last.status, 200, "100 was asked for by nobody");
    assert_eq!(client.reader().exactly(2).unwrap(), b"ok");
    assert_eq!(node.ask("GET / HTTP/1.0\r\n\r\n").status, 200, "HTTP/1.0 knows no interim answers");
}

#[test]
fn a_backend_by_name_is_resolved_and_one_that_has_none_is_502() {
    let origin = Origin::echo();
    let name = format!("localhost:{}", origin.address().port());
    let node = Setup::before(&origin).text("server.backend_address", &name).start();
    assert_eq!(node.get("/").status, 200);
    let nobody = Setup::before(&origin).text("server.backend_address", "nobody.invalid:80").start();
    is_bad_gateway(&nobody, &nobody.get("/"), "backend_unreachable");
}

#[test]
fn what_a_backend_sends_beyond_its_answer_answers_nobody() {
    // A body behind the answer to HEAD, made to look like an answer of its own; then answers as they should be.
    let forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged";
    let origin = Origin::scripted(move |conversation| {
        loop {
            let request = conversation.request()?;
            if request.start.starts_with("HEAD ") {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", forged.len());
                conversation.send(head + forged)?;
            } else {
                conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")?;
            }
        }
    });
    let node = Node::before(&origin);
    let mut client = node.client();
    client.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\nGET /c HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_to("HEAD").status, 200);
    for _ in 0..2 {
        assert_eq!(client.answer_to("GET").text(), "real");
    }
}

#[test]
fn half_an_answer_that_came_too_late_does_not_begin_the_next() {
    let origin = Origin::scripted(|conversation| {
        let request = conversation.request()?;
        if request.start.contains("/stalls") {
            conversation.send("HTTP/1.1 200 OK\r\nX-Half: ")?;
            return conversation.wait_for_end();
        }
        conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nreal")
    });
    let node = Setup::before(&origin).set("timeouts.first_byte", "0.3").start();
    let mut client = node.client();
    client.send("GET /stalls HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_to("GET").status, 504);
    assert_eq!(client.answer_to("GET").text(), "real");
}

#[test]
fn a_broken_answer_that_only_the_connections_end_delimits_ends_in_a_reset() {
    let origin = Origin::answering_once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    let node = Node::before(&origin);
    let mut client = node.client();
    client.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert!(client.try_answer_to("GET").is_err(), "an orderly end would say that the answer is whole");
}
