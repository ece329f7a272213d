//! What the backend is told about the client, what is left out, and what becomes of upgrades.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Node, Origin, Setup, eventually};

/// What a client says of itself, and must not be believed.
const SPOOFED: &str = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: gopher\r\nX-Forwarded-Host: evil.test\r\nForwarded: for=6.6.6.6;proto=gopher\r\nX-Real-IP: 6.6.6.6\r\nX-Request-Id: spoofed\r\nProxy: evil.test\r\n";

#[test]
fn hop_by_hop_fields_and_those_that_connection_names_stay_behind() {
    let origin = Origin::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x-backend-hop, keep-alive\r\nX-Backend-Hop: 1\r\nKeep-Alive: timeout=5\r\nX-End: 1\r\n\r\nok",
    );
    let node = Node::before(&origin);
    let answer = node.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-hop, keep-alive, TE\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\nTE: trailers\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nX-End: 1\r\n\r\n",
    );
    assert_eq!(answer.status, 200);
    for gone in ["connection", "x-backend-hop", "keep-alive"] {
        assert_eq!(answer.field(gone), None, "{gone} in the answer");
    }
    assert_eq!(answer.field("x-end"), Some("1"));
    let request = origin.last();
    for gone in ["connection", "x-hop", "keep-alive", "te", "proxy-connection", "proxy-authorization"] {
        assert_eq!(request.field(gone), None, "{gone} at the backend");
    }
    assert_eq!(request.field("x-end"), Some("1"));
}

#[test]
fn what_a_client_says_of_itself_is_replaced() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).tls().start();
    let answer = node.ask(format!("GET / HTTP/1.1\r\nHost: site.test\r\n{SPOOFED}\r\n"));
    let request = origin.last();
    assert_eq!(request.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("https"));
    assert_eq!(request.field("x-forwarded-host"), Some("site.test"));
    assert_eq!(request.field("forwarded"), Some("for=127.0.0.1;host=\"site.test\";proto=https"));
    assert_eq!(request.field("x-real-ip"), None);
    assert_eq!(request.field("proxy"), None);
    assert_eq!(request.field("x-request-id"), answer.field("x-request-id"), "one id on both sides");
    assert_ne!(request.field("x-request-id"), Some("spoofed"));
}

#[test]
fn what_a_trusted_proxy_says_is_passed_on_with_the_proxy_behind_it() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").start();
    node.ask(format!("GET / HTTP/1.1\r\nHost: site.test\r\n{SPOOFED}\r\n"));
    let request = origin.last();
    assert_eq!(request.field("x-forwarded-for"), Some("6.6.6.6, 127.0.0.1"));
    assert_eq!(request.field("x-forwarded-proto"), Some("gopher"));
    assert_eq!(request.field("x-forwarded-host"), Some("evil.test"));
    assert_eq!(
        request.field("forwarded"),
        Some("for=6.6.6.6;proto=gopher, for=127.0.0.1;host=\"site.test\";proto=http")
    );
    assert_eq!(request.field("x-request-id"), Some("spoofed"));
    assert_eq!(request.field("proxy"), None, "httpoxy, whoever says it");
    let attack =
        node.ask("GET /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1, 203.0.113.9\r\n\r\n");
    assert_eq!(node.event_of(&attack)["client_ip"], "203.0.113.9", "the last that no trusted proxy holds");
}

/// An origin that switches to what it was asked for, greets, and echoes until the client's end; then says goodbye.
fn switching() -> Origin {
    Origin::scripted(|conversation| {
        let request = conversation.request()?;
        let Some(protocol) = request.field("upgrade") else {
            return conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
        };
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: {protocol}\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nhello "
        );
        conversation.send(head)?;
        loop {
            let ahead = conversation.reader().ahead().to_vec();
            if !ahead.is_empty() {
                conversation.reader().exactly(ahead.len())?;
                conversation.send(&ahead)?;
            }
            if conversation.reader().more()? == 0 {
                return conversation.send(" goodbye");
            }
        }
    })
}

#[test]
fn a_websocket_is_a_tunnel_both_ways_and_each_side_may_end_alone() {
    let origin = switching();
    for setup in [Setup::before(&origin), Setup::before(&origin).tls()] {
        let is_tls = setup.is_tls();
        let node = setup.start();
        let mut client = node.client();
        client.send("GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly ");
        let answer = client.answer_to("GET");
        assert_eq!(answer.status, 101);
        assert_eq!(answer.field("upgrade"), Some("websocket"));
        assert_eq!(answer.field("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(client.reader().exactly(12).unwrap(), b"hello early ");
        // Bytes that are no HTTP, and that the firewall would stop in a request.
        let frame = b"\x81\x1a<script>alert(1)</script>\0\r\n\r\n";
        client.send(frame);
        assert_eq!(client.reader().exactly(frame.len()).unwrap(), frame);
        if !is_tls {
            client.finish_sending();
            assert_eq!(client.reader().to_end().unwrap(), b" goodbye", "half a connection is still one");
        }
        drop(client);
        eventually("the tunnel's end", || node.metric("secbeat_connections_active") == 0.0);
    }
}

#[test]
fn h2c_is_not_asked_of_the_backend() {
    let origin = switching();
    let node = Node::before(&origin);
    let answer = node.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n",
    );
    assert_eq!((answer.status, answer.text().as_str()), (200, "no"));
    for gone in ["upgrade", "connection", "http2-settings"] {
        assert_eq!(origin.last().field(gone), None, "{gone}");
    }
}

#[test]
fn the_target_in_absolute_form_becomes_a_path_and_its_host_the_host() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(node.ask("GET http://site.test/a?b=c HTTP/1.1\r\nHost: site.test\r\n\r\n").status, 200);
    assert_eq!((origin.last().target(), origin.last().field("host")), ("/a?b=c", Some("site.test")));
    assert_eq!(node.ask("GET /p?x HTTP/1.0\r\n\r\n").status, 200);
    let backend = origin.address().to_string();
    assert_eq!(origin.last().field("host"), Some(backend.as_str()), "HTTP/1.0 may name no host");
}

#[test]
fn a_request_means_the_same_however_its_bytes_are_cut() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let request = "POST /cut HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\n[1,2,\r\n2\r\n3]\r\n0\r\nX-Sum: 1\r\n\r\n";
    let mut client = node.client();
    for size in [1, 2, 3, 7, 50] {
        for part in request.as_bytes().chunks(size) {
            client.send(part);
        }
        assert_eq!(client.answer_to("POST").text(), "[1,2,3]", "in parts of {size}");
        assert_eq!((origin.last().target(), origin.last().message.text().as_str()), ("/cut", "[1,2,3]"));
    }
    let attack = "GET /?q=%3Cscript%3Ealert(1)%3C/script%3E HTTP/1.1\r\nHost: a\r\n\r\n";
    for part in attack.as_bytes().chunks(1) {
        client.send(part);
    }
    assert_eq!(client.answer_to("GET").status, 403);
}

#[test]
fn a_block_cuts_the_tunnel_of_a_client_behind_a_proxy() {
    let origin = switching();
    let node = Setup::before(&origin).set("server.trusted_proxies", "[\"127.0.0.0/8\"]").start();
    let tunnel_of = |ip: &str| {
        let mut client = node.client();
        client.send(format!(
            "GET /chat HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {ip}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
        ));
        assert_eq!(client.answer_to("GET").status, 101);
        assert_eq!(client.reader().exactly(6).unwrap(), b"hello ");
        client
    };
    let (mut blocked, mut other) = (tunnel_of("203.0.113.9"), tunnel_of("203.0.113.10"));
    node.block("203.0.113.9");
    assert!(blocked.is_closed());
    other.send("still ");
    assert_eq!(other.reader().exactly(6).unwrap(), b"still ");
}
