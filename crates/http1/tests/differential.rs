//! What we accept, hyper reads the same: head for head, body for body, along a whole connection.
#![allow(clippy::unwrap_used)]

mod invariants;
mod soup;

use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proptest::prelude::*;
use secbeat_http1::*;
use std::cell::RefCell;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    method: String,
    target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
}

/// The requests that we read from `input`, up to the first that we refuse or that is not all there.
fn ours(input: &[u8]) -> Vec<Seen> {
    let (mut head, mut at, mut seen) = (RequestHead::new(), 0, Vec::new());
    while head.parse(&input[at..], &Limits::default()) == Ok(Parsed::Complete) {
        let buf = &input[at..];
        let body = invariants::decode(head.framing, &buf[head.len..], usize::MAX);
        if body.end != Ok(true) {
            break;
        }
        let lower = |name: &[u8]| String::from_utf8_lossy(name).to_ascii_lowercase();
        let field = |field: &Field| (lower(field.name.of(buf)), field.value.of(buf).to_vec());
        seen.push(Seen {
            method: String::from_utf8_lossy(head.method.of(buf)).into_owned(),
            target: head.target.of(buf).to_vec(),
            fields: sorted(head.fields.iter().map(field).collect()),
            body: body.data,
            trailers: sorted(body.trailers.into_iter().map(|(name, value)| (lower(&name), value)).collect()),
        });
        at += head.len + body.consumed;
        if !head.keep_alive {
            break;
        }
    }
    seen
}

/// The requests that hyper's server reads from `input`.
fn theirs(input: &[u8]) -> Vec<Seen> {
    let seen = RefCell::new(Vec::new());
    let service = service_fn(async |request: hyper::Request<hyper::body::Incoming>| {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else {
            return Ok::<_, Infallible>(hyper::Response::new(String::new()));
        };
        let trailers = body.trailers().cloned().unwrap_or_default();
        seen.borrow_mut().push(Seen {
            method: head.method.to_string(),
            target: head.uri.to_string().into_bytes(),
            fields: sorted(
                head.headers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect(),
            ),
            body: body.to_bytes().to_vec(),
            trailers: sorted(trailers.iter().map(|(n, v)| (n.to_string(), v.as_bytes().to_vec())).collect()),
        });
        Ok(hyper::Response::new(String::new()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        client.write_all(input).await.unwrap();
        client.shutdown().await.unwrap();
        let serving = http1::Builder::new().half_close(true).serve_connection(TokioIo::new(server), service);
        let mut answers = Vec::new();
        // How the connection ends is no matter: only what was read from it is compared.
        let _ = tokio::join!(serving, client.read_to_end(&mut answers));
    });
    seen.into_inner()
}

/// By name; those of one name stay in their order.
fn sorted(mut fields: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

/// Whether hyper can hold this target: `http::Uri` refuses `<` and others that a firewall must see.
fn fits_hyper(seen: &Seen) -> bool {
    hyper::Uri::try_from(&seen.target[..]).is_ok_and(|uri| uri.to_string().as_bytes() == seen.target)
}

fn assert_hyper_agrees(input: &[u8]) -> usize {
    let mut ours = ours(input);
    let end = ours.iter().position(|seen| !fits_hyper(seen)).unwrap_or(ours.len());
    ours.truncate(end);
    let mut theirs = theirs(input);
    theirs.truncate(end);
    assert_eq!(ours, theirs, "{}", input.escape_ascii());
    end
}

#[test]
fn hyper_sees_the_bodies_that_we_see() {
    let input = b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\
        \r\nPOST /b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b\"\r\nabc\r\n0\r\nx: y\r\n\r\n\
        GET /c HTTP/1.0\r\n\r\nPOST";
    assert_eq!(assert_hyper_agrees(input), 3);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn hyper_sees_the_requests_that_we_see(input in soup::requests()) {
        assert_hyper_agrees(&input);
    }
}
