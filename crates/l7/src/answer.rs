//! Answers of our own: what a client gets when its request goes no further.

use crate::pages::{Format, Pages, Said};
use crate::refusal::Refusal;
use crate::request_id::RequestId;
use secbeat_http1::encode;
use secbeat_waf::Intervention;
use std::io::Write as _;

/// What the answer is written with, beside its cause.
pub struct Told<'a> {
    /// The status.
    pub status: u16,
    /// The request's id.
    pub id: &'a RequestId,
    /// The site's pages.
    pub pages: &'a Pages,
    /// What the client wants to read.
    pub format: Format,
    /// Whether the request was a HEAD.
    pub head_only: bool,
    /// Whether the connection ends behind it.
    pub close: bool,
}

/// Writes the whole answer to `out`. The body names the status and the request's id, by which an operator finds out why; it
/// does not say why. Returns the length of the head.
pub fn write(out: &mut Vec<u8>, refusal: &Refusal, told: &Told<'_>) -> u64 {
    let reason = encode::reason_phrase(told.status);
    let message = match told.status {
        502 | 504 => "The site did not answer this request.",
        _ => "This request was stopped.",
    };
    let said = Said { status: told.status, reason, message, request_id: told.id.as_str() };
    let body = told.pages.body(told.format, said);
    encode::status_line(out, told.status, reason.as_bytes());
    // Answers of these have no content, whatever they say of it (RFC 9110 15.3.5, 15.3.6, 15.4.5).
    let is_bare = matches!(told.status, 204 | 205 | 304);
    if told.status == 205 {
        encode::content_length(out, 0);
    } else if !is_bare {
        encode::field(out, b"Content-Type", told.format.content_type().as_bytes());
        encode::content_length(out, body.len() as u64);
    }
    encode::field(out, b"Cache-Control", b"no-store");
    encode::field(out, b"X-Request-Id", told.id.as_bytes());
    if let Some(Intervention::Redirect { location, .. }) = refusal.intervention() {
        encode::field(out, b"Location", location.as_bytes());
    }
    match refusal {
        Refusal::Rate { retry_after_s, .. } | Refusal::RuleRate { retry_after_s, .. } => {
            retry_after(out, *retry_after_s)
        }
        Refusal::BodyMemory { .. } => retry_after(out, 1),
        _ => {}
    }
    if told.close {
        encode::field(out, b"Connection", b"close");
    }
    out.extend_from_slice(b"\r\n");
    let head_bytes = out.len() as u64;
    if !told.head_only && !is_bare {
        out.extend_from_slice(body.as_bytes());
    }
    head_bytes
}

fn retry_after(out: &mut Vec<u8>, seconds: u64) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "Retry-After: {seconds}\r\n");
}
