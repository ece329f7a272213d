//! Answers of our own: what a client gets when its request goes no further.

use crate::refusal::Refusal;
use crate::request_id::RequestId;
use secbeat_http1::encode;
use std::io::Write as _;

/// Writes the whole answer to `out`. The body names the status and the request's id, by which an operator finds out why;
/// it does not say why. `head_only`: the request was a HEAD.
pub fn write(
    out: &mut Vec<u8>,
    refusal: &Refusal,
    status: u16,
    id: &RequestId,
    head_only: bool,
    close: bool,
) {
    let reason = encode::reason_phrase(status);
    let what = match status {
        502 | 504 => "The site did not answer this request.",
        _ => "This request was stopped.",
    };
    let body = format!("{status} {reason}\n\n{what} Its id: {}\n", id.as_str());
    encode::status_line(out, status, reason.as_bytes());
    encode::field(out, b"Content-Type", b"text/plain; charset=utf-8");
    encode::content_length(out, body.len() as u64);
    encode::field(out, b"Cache-Control", b"no-store");
    encode::field(out, b"X-Request-Id", id.as_bytes());
    match refusal {
        Refusal::Rate { retry_after_s, .. } => retry_after(out, *retry_after_s),
        Refusal::BodyMemory(_) => retry_after(out, 1),
        _ => {}
    }
    if close {
        encode::field(out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    if !head_only {
        out.extend_from_slice(body.as_bytes());
    }
}

fn retry_after(out: &mut Vec<u8>, seconds: u64) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "Retry-After: {seconds}\r\n");
}
