//! Each step of a request has its time, as a total that no trickle of bytes prolongs. What is asserted is what follows, never
//! how long it took.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::origin::Gate;
use secbeat_tests::{Client, Node, Origin, Setup, eventually};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// Shorter than a test's patience, longer than a loaded machine's hiccups.
const SHORT: &str = "0.5";

/// Sends a byte now and then until the other side has had enough. `false`: it never had.
fn trickle(client: &mut Client, bytes: &[u8]) -> bool {
    for byte in bytes.iter().cycle().take(600) {
        if client.try_send([*byte]).is_err() {
            return true;
        }
        thread::park_timeout(Duration::from_millis(20));
    }
    false
}

/// The status of the answer that a trickle ends with.
fn status_of_trickle(node: &Node, start: &str, bytes: &[u8]) -> u16 {
    let mut client = node.client();
    client.send(start);
    assert!(trickle(&mut client, bytes), "the node still listens");
    // The answer came before the end; a reset that overtook it is no answer.
    client.try_answer_to("GET").map_or(0, |answer| answer.status)
}

#[test]
fn a_head_that_trickles_is_408() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("timeouts.head", SHORT).start();
    let status = status_of_trickle(&node, "GET / HTTP/1.1\r\nHost: a\r\nX: ", b"abc");
    assert!(matches!(status, 408 | 0), "{status}");
    let mut still = node.client();
    still.send("GET / HTTP/1.1\r\nHost:");
    assert_eq!(still.answer_to("GET").status, 408);
    assert!(still.is_closed());
    assert_eq!(node.event_named("head_timeout")["attack_type"], "slow_client");
    assert!(origin.is_untouched());
}

#[test]
fn a_client_that_sends_nothing_at_all_is_closed() {
    let origin = Origin::echo();
    for setup in [Setup::before(&origin), Setup::before(&origin).tls()] {
        let node = setup.set("timeouts.head", SHORT).start();
        assert!(Client::connect(node.address()).is_closed());
    }
}

#[test]
fn a_body_that_trickles_is_408_whether_it_is_held_or_streams() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("timeouts.body", SHORT).start();
    for kind in ["application/json", "application/octet-stream"] {
        let start =
            format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 10000\r\n\r\n");
        let status = status_of_trickle(&node, &start, b"1");
        assert!(matches!(status, 408 | 0), "{status} {kind}");
        let mut still = node.client();
        still.send(&start);
        assert_eq!(still.answer_to("POST").status, 408, "{kind}");
        assert!(still.is_closed());
    }
    assert_eq!(node.event_named("body_timeout")["status"], 408);
    assert!(origin.requests().is_empty());
}

#[test]
fn a_backend_that_does_not_answer_is_504_and_one_that_trickles_its_head_too() {
    let gate = Gate::default();
    let of_origin = gate.clone();
    let origin = Origin::scripted(move |conversation| {
        let request = conversation.request()?;
        if request.start.starts_with("GET /trickle") {
            conversation.send("HTTP/1.1 200 OK\r\nX: ")?;
            while conversation.send("a").is_ok() {
                thread::park_timeout(Duration::from_millis(20));
            }
        }
        of_origin.pass();
        Ok(())
    });
    let node = Setup::before(&origin).set("timeouts.first_byte", SHORT).start();
    for path in ["/silent", "/trickle"] {
        let answer = node.get(path);
        assert_eq!(answer.status, 504, "{path}");
        assert_eq!(node.event_of(&answer)["event"], "backend_timeout", "{path}");
    }
    gate.open();
}

#[test]
fn a_backend_that_does_not_take_the_connection_is_504() {
    // A queue of one that is full: the kernel drops further SYNs.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let full = TcpListener::from(socket);
    let address = full.local_addr().unwrap();
    let mut queued = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(stream);
    }
    let node = Setup::before_address(address).set("timeouts.connect", SHORT).start();
    let answer = node.get("/");
    assert_eq!(answer.status, 504);
    assert_eq!(node.event_of(&answer)["event"], "backend_connect_timeout");
}

#[test]
fn an_answer_that_stands_still_is_broken_off_and_never_ended() {
    let gate = Gate::default();
    let of_origin = gate.clone();
    let origin = Origin::scripted(move |conversation| {
        let request = conversation.request()?;
        conversation.send(match request.start.starts_with("GET /chunked") {
            true => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
            false => "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf",
        })?;
        of_origin.pass();
        Ok(())
    });
    let node = Setup::before(&origin).set("timeouts.response_idle", SHORT).start();
    for path in ["/chunked", "/length"] {
        let mut client = node.client();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert_eq!(client.reader().answer_head().unwrap().status, 200);
        let rest = client.reader().to_end().unwrap_or_default();
        assert!(!rest.ends_with(b"0\r\n\r\n"), "{path}: half an answer was ended as a whole one");
    }
    assert_eq!(node.event_named("backend_broke_off")["status"], 200);
    gate.open();
}

#[test]
fn a_client_that_takes_nothing_is_closed() {
    let origin = Origin::scripted(|conversation| {
        conversation.request()?;
        conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")?;
        conversation.send(vec![b'x'; 100_000_000])
    });
    let node = Setup::before(&origin).set("timeouts.response_idle", SHORT).start();
    let mut client = Client::connect_slow(node.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reader().answer_head().unwrap().status, 200);
    eventually("the node to give up", || node.metric("secbeat_connections_active") == 0.0);
}

#[test]
fn an_idle_connection_is_closed_between_requests_and_never_in_one() {
    let origin = Origin::echo();
    let node = Setup::before(&origin).set("server.keepalive_timeout", SHORT).start();
    let mut client = node.client();
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.get("/").status, 200);
    assert!(client.is_closed());
}

#[test]
fn a_tunnel_that_is_silent_is_closed() {
    let origin = Origin::scripted(|conversation| {
        conversation.request()?;
        conversation
            .send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")?;
        conversation.wait_for_end()
    });
    let node = Setup::before(&origin).set("timeouts.tunnel_idle", 1).start();
    let mut client = node.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert_eq!(client.answer_to("GET").status, 101);
    assert!(client.is_closed());
}

#[test]
fn a_ready_connection_to_the_backend_is_not_kept_for_ever() {
    let closed = Gate::default();
    let of_origin = closed.clone();
    let origin = Origin::scripted(move |conversation| {
        conversation.request()?;
        conversation.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        conversation.wait_for_end()?;
        of_origin.open();
        Ok(())
    });
    let node = Setup::before(&origin).set("timeouts.upstream_keepalive", SHORT).start();
    assert_eq!(node.get("/").status, 200);
    closed.pass();
}
