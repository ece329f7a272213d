//! Messages that are nearly right: real lines, odd lines, and a stray byte or two.
#![allow(dead_code)]

use proptest::prelude::*;

const METHODS: &[&str] = &["GET", "POST", "HEAD", "OPTIONS", "PUT", "get", "M-SEARCH"];
const TARGETS: &[&str] = &["/", "/a/b?c=d", "/%3Cscript%3E", "/?q='--", "http://a/b", "http://a", "*", "//a"];
const VERSIONS: &[&str] = &["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2"];
const FIELDS: &[&str] = &[
    "User-Agent: x y",
    "Accept:*/*",
    "X-Empty:",
    "X-Tab: a\tb \t",
    "Cookie: a=b; c=\"d\"",
    "Connection: keep-alive",
    "Connection: close",
    "Connection: x-empty, te",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Upgrade: h2c",
    "Expect: 100-continue",
    "Date: Mon, 23 Nov 2026 12:00:00 GMT",
    "Server: x",
    "Trailer: a",
];
const FRAMINGS: &[&str] = &[
    "",
    "Content-Length: 0",
    "Content-Length: 5",
    "Content-Length: 05",
    "content-length:5 ",
    "Transfer-Encoding: chunked",
    "transfer-encoding:Chunked",
    "Transfer-Encoding: chunked",
];
const ODD_FRAMINGS: &[&str] = &[
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: 5\r\nContent-Length: 5",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: 5\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding:\r\n chunked",
    "Content-Length: 0x5",
    "Content-Length: 18446744073709551616",
];
const BODIES: &[&str] = &[
    "",
    "hello",
    "0\r\n\r\n",
    "5\r\nhello\r\n0\r\n\r\n",
    "0005;a=\"b\"\r\nhello\r\n1\r\n!\r\n0;x\r\nA: b\r\n\r\n",
    "5 \r\nhello\r\n0\r\n\r\n",
    "5\nhello\n0\n\n",
    "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n",
    "ffffffffffffffff1\r\nhello\r\n0\r\n\r\n",
];
const STRAY: &[u8] = b"\0\t\n\r \"#()*+,-./0159:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xff";

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn head(start: impl Strategy<Value = String>) -> impl Strategy<Value = Vec<u8>> {
    let host = prop_oneof![9 => Just("Host: a"), 1 => Just("Host: a\r\nHost: b"), 1 => Just("Host: a:80"), 1 => Just("")];
    let framing = prop_oneof![3 => one_of(FRAMINGS), 1 => one_of(ODD_FRAMINGS)];
    let fields = prop::collection::vec(one_of(FIELDS), 0..5);
    (start, host, framing, fields).prop_map(|(start, host, framing, fields)| {
        let lines = [host.to_owned(), framing].into_iter().chain(fields).filter(|line| !line.is_empty());
        let lines: String = lines.map(|line| line + "\r\n").collect();
        format!("{start}\r\n{lines}\r\n").into_bytes()
    })
}

/// `bytes` with up to two bytes changed, put in or taken out.
fn spoilt(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let stray = (any::<prop::sample::Index>(), prop::sample::select(STRAY), 0..3);
    let none = Just(Vec::new());
    let strays = prop_oneof![1 => none, 1 => prop::collection::vec(stray, 1..3)];
    (bytes, strays).prop_map(|(mut bytes, strays)| {
        for (index, byte, how) in strays {
            let at = index.index(bytes.len().max(1));
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

/// The head of a request.
pub fn request_head() -> impl Strategy<Value = Vec<u8>> {
    let start = (one_of(METHODS), one_of(TARGETS), one_of(VERSIONS));
    spoilt(head(start.prop_map(|(method, target, version)| format!("{method} {target} {version}"))))
}

/// The head of a response.
pub fn response_head() -> impl Strategy<Value = Vec<u8>> {
    let status = prop::sample::select(&["200 OK", "204", "304 ", "100 Continue", "101 X", "999 \u{e9}"][..]);
    let start = (one_of(VERSIONS), status).prop_map(|(version, status)| format!("{version} {status}"));
    spoilt(head(start))
}

/// Chunks.
pub fn chunks() -> impl Strategy<Value = Vec<u8>> {
    spoilt(one_of(BODIES).prop_map(String::into_bytes))
}

/// A request or two with their bodies, one behind the other.
pub fn requests() -> impl Strategy<Value = Vec<u8>> {
    let request = (request_head(), chunks()).prop_map(|(head, body)| [head, body].concat());
    prop::collection::vec(request, 1..3).prop_map(|requests| requests.concat())
}
