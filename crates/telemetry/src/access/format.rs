//! A request as a line of the access log.

use super::Access;
use crate::anonymize::anonymized;
use crate::log::push_quoted;
use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;
use time::OffsetDateTime;

/// Longer targets are cut, in bytes,
const TARGET_MAX: usize = 4096;
/// and so is other text.
const TEXT_MAX: usize = 1024;

/// An object with the names of the log's own fields.
pub(super) fn json(out: &mut String, access: &Access<'_>, anonymize: bool) {
    // Writing to a String cannot fail, here and below.
    let _ = write!(
        out,
        r#"{{"timestamp":"{}","client_ip":"{}","request_id":"#,
        access.at,
        client(access, anonymize)
    );
    push_quoted(out, access.request_id, TEXT_MAX);
    let text = |out: &mut String, name: &str, value: &[u8], max: usize| {
        let _ = write!(out, r#","{name}":"#);
        push_quoted(out, &String::from_utf8_lossy(value), max);
    };
    text(out, "method", access.method, TEXT_MAX);
    text(out, "host", access.host, TEXT_MAX);
    text(out, "target", access.target, TARGET_MAX);
    text(out, "protocol", access.protocol.as_bytes(), TEXT_MAX);
    let _ = write!(
        out,
        r#","status":{},"bytes_in":{},"bytes_out":{},"duration_ms":{}"#,
        access.status,
        access.bytes_in,
        access.bytes_out,
        Ms(access.duration)
    );
    if let Some(upstream) = access.upstream {
        let _ = write!(out, r#","upstream_ms":{}"#, Ms(upstream));
    }
    for (name, value) in [("user_agent", access.user_agent), ("referer", access.referer)] {
        if !value.is_empty() {
            text(out, name, value, TEXT_MAX);
        }
    }
    if !access.site.is_empty() {
        text(out, "site", access.site.as_bytes(), TEXT_MAX);
    }
    text(out, "action", access.action.as_bytes(), TEXT_MAX);
    out.push_str("}\n");
}

/// nginx's `combined` (`ngx_http_log_module`), with the request id behind it, quoted.
pub(super) fn combined(out: &mut String, access: &Access<'_>, anonymize: bool) {
    let _ = write!(out, "{} - - [{}] \"", client(access, anonymize), LocalTime(access));
    push_escaped(out, access.method, TEXT_MAX);
    out.push(' ');
    push_escaped(out, access.target, TARGET_MAX);
    let _ = write!(out, " {}\" {} {} ", access.protocol, access.status, access.body_bytes_out);
    for value in [access.referer, access.user_agent, access.request_id.as_bytes()] {
        out.push('"');
        push_escaped(out, if value.is_empty() { b"-" } else { value }, TEXT_MAX);
        out.push_str("\" ");
    }
    out.pop();
    out.push('\n');
}

fn client(access: &Access<'_>, anonymize: bool) -> IpAddr {
    let client = access.client_ip.to_canonical();
    if anonymize { anonymized(client) } else { client }
}

/// Escapes as nginx does: `"`, `\`, controls and what is not ASCII become `\xHH`.
fn push_escaped(out: &mut String, bytes: &[u8], max: usize) {
    for &byte in bytes.iter().take(max) {
        match byte {
            b'"' | b'\\' | ..0x20 | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            _ => out.push(char::from(byte)),
        }
    }
    if bytes.len() > max {
        out.push_str("...");
    }
}

/// Milliseconds with three places: `0.312`.
struct Ms(Duration);

impl std::fmt::Display for Ms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0.as_millis(), self.0.subsec_micros() % 1000)
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `15/Jan/2025:10:31:02 +0000`
struct LocalTime<'a>(&'a Access<'a>);

impl std::fmt::Display for LocalTime<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.0.at.unix_ms() / 1000;
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, time) = (at.date(), at.time());
        let month = MONTHS.get(usize::from(u8::from(date.month())) - 1).unwrap_or(&"-");
        write!(
            f,
            "{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000",
            date.day(),
            month,
            date.year(),
            time.hour(),
            time.minute(),
            time.second()
        )
    }
}
