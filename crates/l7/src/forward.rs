//! Heads, written anew for the other side. What was not understood was refused before: nothing is passed on as it came but names
//! and values.

use crate::client::is_trusted;
use crate::connection::Connection;
use crate::facts::Facts;
use crate::policy::Policy;
use crate::upload::Body;
use secbeat_http1::{Framing, Known, RequestHead, ResponseHead, Version, encode};
use secbeat_types::decision::canonical;
use std::io::Write as _;
use std::net::IpAddr;

/// How the client is told where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToClient {
    /// There is no body.
    None,
    /// By its length.
    Length,
    /// In chunks.
    Chunked,
    /// By the end of the connection: the client speaks HTTP/1.0 and the length is not known.
    UntilClose,
}

/// Writes the head of the request for the backend: HTTP/1.1, the target in origin form, hop-by-hop fields left out, framing told
/// anew, and who the client is in `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`, `Forwarded` (RFC 7239) and
/// `X-Request-Id`. What the client says in these itself is passed on only where the peer is a trusted proxy.
pub fn request(
    out: &mut Vec<u8>,
    head: &RequestHead,
    bytes: &[u8],
    connection: &Connection,
    policy: &Policy,
    facts: &Facts,
    body: &Body,
) {
    out.clear();
    encode::request_line(out, head.method.of(bytes), &head.origin_form(bytes), Version::Http11);
    let host = head.host.map_or(policy.backend.authority().as_bytes(), |host| host.of(bytes));
    encode::field(out, b"Host", host);
    let peer = canonical(connection.peer.ip());
    let believes = !policy.trusted_proxies.is_empty() && is_trusted(peer, &policy.trusted_proxies);
    let mut has_id = false;
    for field in &head.fields {
        match field.known {
            _ if field.hop_by_hop => continue,
            Known::Host | Known::ContentLength | Known::Expect | Known::Proxy => continue,
            Known::XForwardedFor | Known::XForwardedProto | Known::XForwardedHost | Known::Forwarded => {
                continue;
            }
            Known::XRealIp | Known::XForwardedPort if !believes => continue,
            Known::XRequestId if believes && !has_id => has_id = true,
            Known::XRequestId => continue,
            _ => {}
        }
        encode::field(out, field.name.of(bytes), field.value.of(bytes));
    }
    forwarded(out, head, bytes, connection, peer, believes, host);
    if !has_id {
        encode::field(out, b"X-Request-Id", facts.id.as_bytes());
    }
    match body {
        Body::None if matches!(head.framing, Framing::None) => {}
        Body::None => encode::content_length(out, 0),
        Body::Here(length) => encode::content_length(out, *length as u64),
        Body::Held(held) => encode::content_length(out, held.bytes.len() as u64),
        Body::Stream(upload) => match upload.framing {
            Framing::Length(length) => encode::content_length(out, length),
            _ => encode::transfer_encoding_chunked(out),
        },
    }
    if let Some(protocol) = head.upgrade {
        encode::field(out, b"Connection", b"upgrade");
        encode::field(out, b"Upgrade", protocol.of(bytes));
    }
    encode::end_of_head(out);
}

/// Who the client is. A trusted proxy's own words come first, so that the chain stays whole.
fn forwarded(
    out: &mut Vec<u8>,
    head: &RequestHead,
    bytes: &[u8],
    connection: &Connection,
    peer: IpAddr,
    believes: bool,
    host: &[u8],
) {
    let said = |known: Known| {
        head.fields.iter().filter(move |f| believes && f.known == known).map(|f| f.value.of(bytes))
    };
    let protocol: &[u8] = if connection.is_tls { b"https" } else { b"http" };

    out.extend_from_slice(b"X-Forwarded-For: ");
    for before in said(Known::XForwardedFor) {
        out.extend_from_slice(before);
        out.extend_from_slice(b", ");
    }
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{peer}\r\n");
    encode::field(out, b"X-Forwarded-Proto", said(Known::XForwardedProto).next().unwrap_or(protocol));
    encode::field(out, b"X-Forwarded-Host", said(Known::XForwardedHost).next().unwrap_or(host));

    out.extend_from_slice(b"Forwarded: ");
    for before in said(Known::Forwarded) {
        out.extend_from_slice(before);
        out.extend_from_slice(b", ");
    }
    let _ = match peer {
        IpAddr::V4(peer) => write!(out, "for={peer}"),
        IpAddr::V6(peer) => write!(out, "for=\"[{peer}]\""),
    };
    out.extend_from_slice(b";host=\"");
    out.extend_from_slice(host);
    out.extend_from_slice(b"\";proto=");
    out.extend_from_slice(protocol);
    out.extend_from_slice(b"\r\n");
}

/// Writes the head of the answer for the client.
pub fn answer(
    out: &mut Vec<u8>,
    head: &ResponseHead,
    bytes: &[u8],
    facts: &Facts,
    to_client: ToClient,
    keeps: bool,
) {
    encode::status_line(out, head.status, head.reason.of(bytes));
    fields(out, head, bytes);
    match to_client {
        ToClient::Chunked => encode::transfer_encoding_chunked(out),
        // A 304 and an answer to HEAD may say how long the body would have been; 204 may not (RFC 9110 8.6).
        ToClient::None | ToClient::Length => {
            if let Some(length) = head.content_length.filter(|_| head.status != 204) {
                encode::content_length(out, length);
            }
        }
        ToClient::UntilClose => {}
    }
    encode::field(out, b"X-Request-Id", facts.id.as_bytes());
    match (keeps, facts.version) {
        (false, _) => encode::field(out, b"Connection", b"close"),
        (true, Version::Http10) => encode::field(out, b"Connection", b"keep-alive"),
        (true, Version::Http11) => {}
    }
    encode::end_of_head(out);
}

/// Writes an interim head for the client.
pub fn interim(out: &mut Vec<u8>, head: &ResponseHead, bytes: &[u8]) {
    encode::status_line(out, head.status, head.reason.of(bytes));
    fields(out, head, bytes);
    encode::end_of_head(out);
}

/// Writes the head of a 101 for the client.
pub fn switching(out: &mut Vec<u8>, head: &ResponseHead, bytes: &[u8], facts: &Facts) {
    encode::status_line(out, head.status, head.reason.of(bytes));
    fields(out, head, bytes);
    encode::field(out, b"X-Request-Id", facts.id.as_bytes());
    encode::field(out, b"Connection", b"upgrade");
    if let Some(protocol) = head.upgrade {
        encode::field(out, b"Upgrade", protocol.of(bytes));
    }
    encode::end_of_head(out);
}

/// The answer's own fields: all but hop-by-hop ones, framing, and the id that is ours to give.
fn fields(out: &mut Vec<u8>, head: &ResponseHead, bytes: &[u8]) {
    for field in &head.fields {
        if !field.hop_by_hop && !matches!(field.known, Known::ContentLength | Known::XRequestId) {
            encode::field(out, field.name.of(bytes), field.value.of(bytes));
        }
    }
}
