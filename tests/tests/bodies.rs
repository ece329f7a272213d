//! Bodies arrive exactly, both ways, however they are framed; limits and memory hold.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::{Client, Node, Origin, Setup, eventually, until};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

/// `length` bytes that look like nothing else: a shift by one, or a part lost, shows.
fn bytes(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

/// A POST whose body is told by its length.
fn with_length(kind: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /b HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// `body` in chunks of `size`, the first ones small.
fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(size) {
        framed.extend(format!("{:X};n=\"v\"\r\n", chunk.len()).as_bytes());
        framed.extend(chunk);
        framed.extend(b"\r\n");
    }
    framed.extend(b"0\r\nX-Sum: 42\r\n\r\n");
    framed
}

fn in_chunks(kind: &str, body: &[u8], size: usize) -> Vec<u8> {
    let head =
        format!("POST /b HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n");
    [head.as_bytes(), &chunks(body, size)].concat()
}

const SIZES: &[usize] = &[0, 1, 100, 16_383, 16_384, 16_385, 131_072, 131_073, 1 << 20, (5 << 20) + 7];

#[test]
fn bodies_of_every_size_arrive_exactly_both_ways() {
    let origin = Origin::echo();
    for setup in [Setup::before(&origin), Setup::before(&origin).tls()] {
        let node = setup.start();
        let mut client = node.client();
        for &size in SIZES {
            let body = bytes(size);
            for kind in ["application/octet-stream", "text/plain"] {
                let requests = [
                    with_length(kind, &body),
                    in_chunks(kind, &body, 40_000),
                    in_chunks(kind, &body, 1_000_000),
                ];
                for request in requests {
                    let answer = client.ask(request);
                    assert_eq!(answer.status, 200, "{size} {kind}");
                    assert!(answer.message.body == body, "{size} {kind}: the answer's body is another");
                    assert!(
                        origin.last().message.body == body,
                        "{size} {kind}: the request's body is another"
                    );
                }
            }
        }
    }
}

#[test]
fn inspected_bodies_of_every_size_arrive_exactly_too() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    for &size in SIZES {
        let body: Vec<u8> = [b"text=", vec![b'a'; size].as_slice()].concat();
        let kind = "application/x-www-form-urlencoded";
        for request in [with_length(kind, &body), in_chunks(kind, &body, 50_000)] {
            let answer = client.ask(request);
            assert_eq!(answer.status, 200, "{size}");
            assert!(answer.message.body == body && origin.last().message.body == body, "{size}");
        }
    }
}

#[test]
fn answers_in_chunks_by_length_and_by_close_arrive_exactly() {
    let body = bytes(300_000);
    let framed = [
        [b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n".as_slice(), &body].concat(),
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice(), &chunks(&body, 7_000)].concat(),
        [b"HTTP/1.1 200 OK\r\n\r\n".as_slice(), &body].concat(),
        [b"HTTP/1.0 200 OK\r\n\r\n".as_slice(), &body].concat(),
    ];
    for answer in framed {
        let origin = Origin::answering_once(answer);
        let node = Node::before(&origin);
        let mut client = node.client();
        let first = client.get("/");
        assert!(first.message.body == body, "{:?}", first.message.start);
        assert!(
            client.get("/again").message.body == body,
            "the connection goes on, whatever the backend's did"
        );
        let mut old = node.client();
        let answer = old.ask("GET / HTTP/1.0\r\n\r\n");
        assert!(answer.message.body == body, "HTTP/1.0: {:?}", answer.message.start);
        assert_eq!(answer.field("transfer-encoding"), None, "HTTP/1.0 has no chunks");
        assert!(old.is_closed());
    }
}

#[test]
fn trailers_pass_both_ways_but_none_past_the_firewall_unseen() {
    let origin = Origin::answering(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Checksum: abc\r\n\r\n"
            .as_slice(),
    );
    for (firewall, expected) in [(false, vec![("X-Sum".to_owned(), "42".to_owned())]), (true, vec![])] {
        let node = Setup::before(&origin).set("waf.enable", firewall).start();
        let answer = node.ask(in_chunks("application/octet-stream", b"body", 2));
        assert_eq!(answer.message.trailers, [("X-Checksum".to_owned(), "abc".to_owned())]);
        assert_eq!(origin.last().message.trailers, expected, "firewall: {firewall}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    let requests: Vec<u8> =
        (0..20).flat_map(|i| with_length("text/plain", format!("number {i}").as_bytes())).collect();
    client.send(requests);
    for i in 0..20 {
        assert_eq!(client.answer_to("POST").text(), format!("number {i}"));
    }
    // The last one's end in the same packet as half of the next.
    client.send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HT");
    assert_eq!(client.answer_to("GET").status, 200);
    client.send("TP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.answer_to("GET").status, 200);
    assert_eq!(origin.last().target(), "/2");
}

#[test]
fn head_204_and_304_have_no_body_and_the_connection_goes_on() {
    let origin = Origin::scripted(|conversation| {
        loop {
            let request = conversation.request()?;
            let target = request.start.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
            conversation.send(match target.as_str() {
                "204" => "HTTP/1.1 204 No Content\r\n\r\n".to_owned(),
                "304" => "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: \"x\"\r\n\r\n".to_owned(),
                _ => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_owned(),
            })?;
        }
    });
    let node = Node::before(&origin);
    let mut client = node.client();
    let head = client.ask("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!((head.status, head.field("content-length")), (200, Some("5")));
    let empty = client.get("/204");
    assert_eq!((empty.status, empty.field("content-length")), (204, None));
    let same = client.get("/304");
    assert_eq!((same.status, same.field("etag")), (304, Some("\"x\"")));
    assert_eq!(client.ask("HEAD /page HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
    assert_eq!(origin.connections(), 1, "the backend's connection went on, too");
}

#[test]
fn expect_100_continue_is_answered_and_the_body_arrives() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for kind in ["application/octet-stream", "application/x-www-form-urlencoded"] {
        let mut client = node.client();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
        ));
        assert_eq!(client.reader().answer_head().unwrap().status, 100, "{kind}");
        client.send("body");
        assert_eq!(client.answer_to("POST").text(), "body");
        assert_eq!(origin.last().field("expect"), None);
    }
    // Refused before a byte of it was sent.
    let refused = node.ask(
        "POST /?q=%3Cscript%3E HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n",
    );
    assert_eq!(refused.status, 403);
}

#[test]
fn a_slow_reader_holds_the_backend_back_and_no_memory() {
    const LENGTH: usize = 256 << 20;
    let written = Arc::new(AtomicUsize::new(0));
    let count = written.clone();
    let origin = Origin::scripted(move |conversation| {
        conversation.request()?;
        conversation.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n"))?;
        let part = vec![b'x'; 1 << 16];
        for _ in 0..LENGTH / part.len() {
            conversation.send(&part)?;
            count.fetch_add(part.len(), SeqCst);
        }
        Ok(())
    });
    let node = Node::before(&origin);
    let before = node.resident_bytes();
    let mut client = Client::connect_slow(node.address());
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(client.reader().answer_head().unwrap().status, 200);
    // The backend stands still, because nobody takes what it sends.
    let mut last = usize::MAX;
    let mut stood_still = 0;
    eventually("the backend to stand still", || {
        let now = written.load(SeqCst);
        stood_still = if now == last { stood_still + 1 } else { 0 };
        last = now;
        stood_still > 20
    });
    assert!(last < LENGTH / 4, "{last} bytes were taken for a client that reads nothing");
    let grown = node.resident_bytes().saturating_sub(before);
    assert!(grown < 8 << 20, "{grown} bytes of memory for one slow reader");
    client.reset();
    eventually("the connection's end", || node.metric("secbeat_connections_active") == 0.0);
}

#[test]
fn an_answer_that_comes_before_the_bodys_end_reaches_the_client() {
    let origin = Origin::scripted(|conversation| {
        conversation.head()?;
        conversation
            .send("HTTP/1.1 413 Content Too Large\r\nContent-Length: 6\r\nConnection: close\r\n\r\nenough")
    });
    let node = Node::before(&origin);
    let mut client = node.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Type: video/mp4\r\nContent-Length: 100000000\r\n\r\nfirst bytes");
    let answer = client.answer_to("POST");
    assert_eq!((answer.status, answer.text().as_str()), (413, "enough"));
    client.finish_sending();
    assert!(client.is_closed());
}

#[test]
fn a_client_that_breaks_off_leaves_no_half_request_that_counts() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    for kind in ["application/octet-stream", "application/json"] {
        let mut client = node.client();
        client.send(format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\nhalf"
        ));
        client.finish_sending();
        assert_eq!(client.answer_to("POST").status, 400, "{kind}");
    }
    assert!(origin.requests().is_empty());
    assert_eq!(node.get("/").status, 200);
}

#[test]
fn the_limit_of_uploads_and_that_of_inspection_are_two() {
    let origin = Origin::echo();
    let mut node = Setup::before(&origin)
        .set("limits.body_bytes_max", 20_000)
        .set("waf.inspect_body_limit", 2_000)
        .start();
    let form = "application/x-www-form-urlencoded";
    let padded = |length: usize, text: &str| format!("a={}&q={text}", "x".repeat(length)).into_bytes();
    let attack = "%3Cscript%3Ealert(1)%3C/script%3E";
    for framed in [with_length, |kind: &str, body: &[u8]| in_chunks(kind, body, 1500)] {
        assert_eq!(node.ask(framed(form, &padded(19_000, "fine"))).status, 200);
        assert_eq!(node.ask(framed(form, &padded(1_000, attack))).status, 403);
        for kind in [form, "video/mp4"] {
            assert_eq!(node.ask(framed(kind, &padded(20_000, "fine"))).status, 413, "{kind}");
        }
    }
    node.configure("waf.on_body_over_limit", "\"block\"");
    node.reload();
    for framed in [with_length, |kind: &str, body: &[u8]| in_chunks(kind, body, 1500)] {
        let refused = node.ask(framed(form, &padded(2_001, "fine")));
        assert_eq!(refused.status, 413);
        assert_eq!(node.event_of(&refused)["event"], "body_too_large_to_inspect");
        assert_eq!(
            node.ask(framed("video/mp4", &padded(2_001, "fine"))).status,
            200,
            "uploads are not inspected"
        );
    }
}

#[test]
fn a_method_that_is_not_let_through_is_405_and_a_body_of_an_unknown_coding_415() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    assert_eq!(node.ask("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
    assert_eq!(node.ask("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n").status, 405);
    let coded = |kind: &str| {
        format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Encoding: lzma\r\nContent-Length: 4\r\n\r\n\x1f\x08ab"
        )
    };
    assert_eq!(node.ask(coded("application/json")).status, 415);
    assert!(origin.is_untouched());
    assert_eq!(node.ask(coded("application/octet-stream")).status, 200);
}

#[test]
fn bodies_under_inspection_share_a_budget_and_one_too_many_is_503() {
    let origin = Origin::echo();
    let node = Setup::before(&origin)
        .set("waf.body_memory_budget", 65_536)
        .set("waf.inspect_body_limit", 65_536)
        .start();
    let body = vec![b'x'; 60_000];
    let head =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 60001\r\n\r\n\"";
    let whole = [head.as_bytes(), &body[..59_999], b"\""].concat();
    let refused = until("one body too many", || {
        // Holds nearly all of the budget, and its last bytes are not sent yet. It may itself be the one too many.
        let mut first = node.client();
        first.send([head.as_bytes(), &body[..59_000]].concat());
        let refused = (0..20).map(|_| node.ask(&whole)).find(|answer| answer.status == 503)?;
        first.try_send([&body[..999], b"\""].concat()).ok()?;
        (first.try_answer_to("POST").ok()?.status == 200).then_some(refused)
    });
    assert_eq!(refused.field("retry-after"), Some("1"));
    assert_eq!(node.event_of(&refused)["event"], "body_memory_exhausted");
    eventually("the memory to be given back", || node.ask(&whole).status == 200);
}

#[test]
fn a_hostile_body_is_passed_or_refused_and_never_stops_the_node() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let boundary = "multipart/form-data; boundary=b";
    let bodies: &[(&str, Vec<u8>)] = &[
        ("application/json", "[".repeat(100_000).into_bytes()),
        ("application/json", [b"[".repeat(50_000), b"]".repeat(50_000)].concat()),
        ("application/json", "{\"a\":".repeat(10_000).into_bytes()),
        ("application/json", b"\xff\xfe{\"a\":1}".to_vec()),
        ("application/json", b"\"\\ud800\"".to_vec()),
        ("application/json", b"1e999999999".to_vec()),
        ("application/x-www-form-urlencoded", "&".repeat(100_000).into_bytes()),
        ("application/x-www-form-urlencoded", "a=1&".repeat(25_000).into_bytes()),
        ("application/x-www-form-urlencoded", "%25".repeat(30_000).into_bytes()),
        ("application/x-www-form-urlencoded", b"%".to_vec()),
        (boundary, b"--b".to_vec()),
        (boundary, "--b\r\n".repeat(20_000).into_bytes()),
        (boundary, b"--b\r\nContent-Disposition: form-data; name=\"a".to_vec()),
        ("multipart/form-data", b"--b\r\n\r\na\r\n--b--\r\n".to_vec()),
        ("text/xml", "<a>".repeat(30_000).into_bytes()),
    ];
    for (kind, body) in bodies {
        let start = String::from_utf8_lossy(&body[..body.len().min(20)]);
        let status = node.ask(with_length(kind, body)).status;
        assert!(matches!(status, 200 | 400 | 403 | 413 | 415), "{status}: {kind} {start}");
    }
    assert_eq!(node.get("/").status, 200);
    assert!(!node.log().contains("panicked"), "{}", node.log());
}
