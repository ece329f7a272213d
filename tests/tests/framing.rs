//! Requests that two programs could read differently are refused, not repaired: the client gets its status, the connection
//! ends, the backend sees nothing, and the event says what was sent.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup};

/// The name in the event's reason (empty: any), the status, and what is sent before the hidden request.
const HEADS: &[(&str, u16, &str)] = &[
    (
        "content_length_and_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "content_length_and_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    ),
    (
        "duplicate_content_length",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcd",
    ),
    (
        "duplicate_content_length",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
    ),
    ("content_length_list", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 4, 4\r\n\r\nabcd"),
    ("invalid_content_length", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd"),
    ("invalid_content_length", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"),
    ("invalid_content_length", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 0x4\r\n\r\nabcd"),
    ("invalid_content_length", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"),
    (
        "content_length_overflow",
        413,
        "POST /t HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
    ),
    (
        "transfer_encoding_on_http_1_0",
        400,
        "POST /t HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "duplicate_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "invalid_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    ),
    (
        "invalid_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "invalid_transfer_encoding",
        400,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    ("invalid_transfer_encoding", 400, "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"),
    (
        "unsupported_transfer_encoding",
        501,
        "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
    ),
    ("unsupported_transfer_encoding", 501, "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
    ("", 400, "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
    ("", 400, "POST /t HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX: 1\r\n\tContent-Length: 4\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\n Host: a\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX: 1\rY: 2\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX: 1\nY: 2\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\nHost: a\n\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\n\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n"),
    ("invalid_target", 400, "GET /t\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("invalid_target", 400, "GET /t\x7f HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\n: nameless\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
    ("missing_host", 400, "GET /t HTTP/1.1\r\n\r\n"),
    ("duplicate_host", 400, "GET /t HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
    ("duplicate_host", 400, "GET /t HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("invalid_host", 400, "GET /t HTTP/1.1\r\nHost: a b\r\n\r\n"),
    ("invalid_host", 400, "GET /t HTTP/1.1\r\nHost: a@b\r\n\r\n"),
    ("invalid_host", 400, "GET /t HTTP/1.1\r\nHost: a/b\r\n\r\n"),
    ("invalid_host", 400, "GET /t HTTP/1.1\r\nHost: \r\n\r\n"),
    ("host_disagrees_with_target", 400, "GET http://b/t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("fragment_in_target", 400, "GET /t#fragment HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("invalid_target_form", 400, "GET t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("asterisk_without_options", 400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("connect_not_supported", 501, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
    ("extra_space_in_request_line", 400, "GET  /t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("extra_space_in_request_line", 400, "GET /t  HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("extra_space_in_request_line", 400, "GET /t HTTP/1.1 \r\nHost: a\r\n\r\n"),
    ("extra_space_in_request_line", 400, " GET /t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("extra_space_in_request_line", 400, "GET\t/t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("missing_version", 400, "GET /t\r\nHost: a\r\n\r\n"),
    ("invalid_version", 400, "GET /t http/1.1\r\nHost: a\r\n\r\n"),
    ("invalid_version", 400, "GET /t HTTP/1.10\r\nHost: a\r\n\r\n"),
    ("unsupported_version", 505, "GET /t HTTP/1.2\r\nHost: a\r\n\r\n"),
    ("unsupported_version", 505, "GET /t HTTP/2.0\r\nHost: a\r\n\r\n"),
    ("unsupported_version", 505, "GET /t HTTP/0.9\r\nHost: a\r\n\r\n"),
    ("http2_preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    ("tls_on_plain_port", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\u{7f}\x03\x03"),
    ("empty_lines", 400, "\r\n\r\nGET /t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("invalid_method", 400, "G@T /t HTTP/1.1\r\nHost: a\r\n\r\n"),
    ("method_too_long", 501, "GETGETGETGETGETGETGETGETGETGETGETGET /t HTTP/1.1\r\nHost: a\r\n\r\n"),
    (
        "unknown_expectation",
        417,
        "POST /t HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 1\r\n\r\na",
    ),
    ("mimicked_field", 400, "POST /t HTTP/1.1\r\nHost: a\r\nContent_Length: 4\r\n\r\n"),
    ("mimicked_field", 400, "POST /t HTTP/1.1\r\nHost: a\r\nTransfer_Encoding: chunked\r\n\r\n"),
    ("mimicked_field", 400, "GET /t HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 127.0.0.1\r\n\r\n"),
    ("", 400, "GET /t HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n"),
    ("", 400, "POST /t HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\na"),
];

/// The same for bodies, behind a head that is fine.
const BODIES: &[(&str, u16, &str)] = &[
    ("invalid_chunk_size", 400, "g\r\n\r\n"),
    ("invalid_chunk_size", 400, "0x4\r\nabcd\r\n0\r\n\r\n"),
    ("invalid_chunk_size", 400, "-1\r\n\r\n"),
    ("invalid_chunk_size", 400, " 4\r\nabcd\r\n0\r\n\r\n"),
    ("invalid_chunk_size", 400, "4 \r\nabcd\r\n0\r\n\r\n"),
    ("invalid_chunk_size", 400, "\r\nabcd\r\n0\r\n\r\n"),
    ("chunk_size_overflow", 413, "ffffffffffffffff1\r\nabcd\r\n"),
    ("chunk_size_overflow", 413, "ffffffffffffffff\r\nabcd\r\n"),
    ("invalid_chunk_extension", 400, "4; a=b\r\nabcd\r\n0\r\n\r\n"),
    ("invalid_chunk_extension", 400, "4;\r\nabcd\r\n0\r\n\r\n"),
    ("bare_line_feed_in_chunk", 400, "4\nabcd\r\n0\r\n\r\n"),
    ("bare_carriage_return_in_chunk", 400, "4\rabcd\r\n0\r\n\r\n"),
    ("bare_line_feed_in_chunk", 400, "4;a=b\nabcd\r\n0\r\n\r\n"),
    ("missing_chunk_end", 400, "4\r\nabcde\r\n0\r\n\r\n"),
    ("missing_chunk_end", 400, "4\r\nabcd\n0\r\n\r\n"),
    ("forbidden_trailer", 400, "4\r\nabcd\r\n0\r\nContent-Length: 4\r\n\r\n"),
    ("forbidden_trailer", 400, "4\r\nabcd\r\n0\r\nHost: b\r\n\r\n"),
    ("", 400, "4\r\nabcd\r\n0\r\nX: 1\r\n folded\r\n\r\n"),
    ("", 400, "4\r\nabcd\r\n0\r\nX: 1\nY: 2\r\n\r\n"),
];

/// What hides behind a request that is read in two ways.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";

#[track_caller]
fn is_refused(node: &Node, name: &str, status: u16, request: &str) {
    let mut client = node.client();
    // It may be refused before its end was sent.
    let _ = client.try_send(format!("{request}{HIDDEN}"));
    let answer = client.answer_to("GET");
    assert_eq!(answer.status, status, "{request:?}");
    assert!(answer.says_close(), "{request:?}");
    client.finish_sending();
    assert!(client.is_closed(), "{request:?}: the connection goes on");

    let event = node.event_of(&answer);
    assert_eq!(event["type"], "protocol", "{request:?}: {event}");
    assert_eq!(event["event"], "request_refused", "{request:?}: {event}");
    assert_eq!(event["status"], status, "{request:?}: {event}");
    assert_eq!(event["client_ip"], "127.0.0.1", "{request:?}: {event}");
    let reason = event["reason"].as_str().unwrap();
    assert!(reason.starts_with(&format!("{name}: ")) || name.is_empty(), "{request:?}: {event}");
    // A request line that could be read is shown.
    if let Some(target) = request.strip_prefix("POST ").and_then(|rest| rest.split(' ').next()) {
        assert_eq!(event["method"], "POST", "{request:?}: {event}");
        assert_eq!(event["target"], target, "{request:?}: {event}");
    }
}

#[test]
fn an_ambiguous_head_is_refused_and_nothing_is_forwarded() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for (name, status, request) in HEADS {
        is_refused(&node, name, *status, request);
        assert!(origin.is_untouched(), "{request:?} reached the backend: {:?}", origin.bytes());
    }
    assert_eq!(node.metric("secbeat_attacks_blocked_total{type=\"protocol\""), HEADS.len() as f64);
    assert_eq!(node.get("/").status, 200, "the next client is served");
}

#[test]
fn an_ambiguous_body_that_is_inspected_is_refused_and_nothing_is_forwarded() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for (name, status, body) in BODIES {
        let head = "POST /t HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
        is_refused(&node, name, *status, &format!("{head}{body}"));
        assert!(origin.is_untouched(), "{body:?} reached the backend: {:?}", origin.bytes());
    }
}

#[test]
fn an_ambiguous_body_that_streams_never_becomes_a_request_and_never_a_second_one() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for (name, status, body) in BODIES {
        let head = "POST /t HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        is_refused(&node, name, *status, &format!("{head}{body}"));
        assert!(origin.requests().is_empty(), "{body:?} reached the backend: {:?}", origin.bytes());
    }
    assert_eq!(node.get("/after").status, 200);
    assert_eq!(
        origin.last().connection,
        origin.connections() - 1,
        "a connection with half a request was used again"
    );
}

#[test]
fn what_is_no_handshake_on_the_tls_port_is_closed() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).tls().start();
    for bytes in ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x00\x05hello", "\0\0\0\0\0\0\0\0"] {
        let mut client = Client::connect(node.address());
        client.send(bytes);
        client.finish_sending();
        // An alert may come first; no answer of HTTP ever does.
        let rest = client.reader().to_end().unwrap_or_default();
        assert!(!rest.starts_with(b"HTTP"), "{bytes:?}: {rest:?}");
    }
    assert!(origin.is_untouched());
    assert_eq!(node.get("/").status, 200);
}

#[test]
fn limits_of_the_head_have_their_own_statuses() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("limits.target_bytes_max", 100)
        .set("limits.header_count_max", 10)
        .set("limits.header_bytes_max", 1000)
        .start();
    let target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(100));
    is_refused(&node, "target_too_long", 414, &target);
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(10));
    is_refused(&node, "", 431, &many);
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "a".repeat(1000));
    is_refused(&node, "", 431, &long);
    assert!(origin.is_untouched());
    let longest = format!("GET /{} HTTP/1.1\r\nHost: a\r\n{}\r\n", "a".repeat(99), "X: 1\r\n".repeat(9));
    assert_eq!(node.ask(longest).status, 200);
}

#[test]
fn pingora_cve_2025_4366_a_refused_requests_body_is_not_the_next_request() {
    // A body that nobody read, because the answer came without the backend, must not be parsed as the next request.
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for refused in ["/?q=%3Cscript%3Ealert(1)%3C/script%3E", "/etc/..%2f..%2f..%2fetc%2fpasswd"] {
        let mut client = node.client();
        client.send(format!(
            "POST {refused} HTTP/1.1\r\nHost: a\r\nContent-Type: text/x\r\nContent-Length: {}\r\n\r\n{HIDDEN}",
            HIDDEN.len()
        ));
        let answer = client.answer_to("GET");
        assert_eq!(answer.status, 403, "{refused}");
        if !answer.says_close() {
            client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_eq!(client.answer_to("GET").status, 200);
            assert_eq!(origin.last().target(), "/next");
        } else {
            client.finish_sending();
            assert!(client.is_closed());
        }
        assert!(origin.requests().iter().all(|request| request.target() != "/hidden"));
    }
}

#[test]
fn pingora_cve_2026_2833_bytes_behind_an_upgrade_wait_for_the_101() {
    // Pipelined bytes behind a request for an upgrade are a request, until the backend has switched: were they passed on before
    // its answer, a backend that refuses would serve what nobody had looked at.
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    let attack = "GET /?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1\r\nHost: a\r\n\r\n";
    client.send(format!(
        "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n{attack}"
    ));
    assert_eq!(client.answer_to("GET").status, 200);
    assert_eq!(client.answer_to("GET").status, 403, "the firewall sees the second request");
    assert_eq!(origin.requests().len(), 1);
    assert!(!String::from_utf8_lossy(&origin.bytes().concat()).contains("script"));
}

#[test]
fn pingora_cve_2026_2835_http_1_0_has_no_transfer_coding_and_no_body_until_close() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    is_refused(
        &node,
        "transfer_encoding_on_http_1_0",
        400,
        "POST /t HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    assert!(origin.is_untouched());
    // Without a length there is no body: what follows is another request, and is looked at as one.
    let mut client = node.client();
    client.send(format!("POST /first HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n{HIDDEN}"));
    assert_eq!(client.answer_to("POST").status, 200);
    assert_eq!(client.answer_to("GET").status, 200);
    let targets: Vec<String> = origin.requests().iter().map(|r| r.target().to_owned()).collect();
    assert_eq!(targets, ["/first", "/hidden"]);
    assert!(origin.requests().iter().all(|request| request.message.body.is_empty()));
}

#[test]
fn pingora_cve_2026_2836_two_hosts_never_share_an_answer() {
    // Theirs was a cache key without the host. There is no cache here: the same path under two hosts is asked twice.
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    for host in ["one.test", "two.test"] {
        client.ask(format!("GET /same HTTP/1.1\r\nHost: {host}\r\n\r\n"));
        assert_eq!(origin.last().field("host"), Some(host));
    }
    assert_eq!(origin.requests().len(), 2);
}
