//! What the node's firewall would do with a request, from a file or a command line of curl. Nothing is sent to the backend.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::curl;
use crate::failure::Failure;
use crate::show::{field, items, list};
use crate::words::Body;
use clap::Args;
use hyper::Method;
use serde_json::Value;
use std::io::Read;
use std::net::IpAddr;

/// Which request.
#[derive(Args)]
pub struct Test {
    /// A file that holds an HTTP request or a command line of curl; `-`: standard input; or that command line itself, in quotes, or as
    /// it is behind `--`
    #[arg(required = true, num_args = 1.., value_name = "FILE|CURL-LINE")]
    request: Vec<String>,
    /// Who asks [default: 192.0.2.1]
    #[arg(long, value_name = "IP")]
    client: Option<IpAddr>,
    /// The host that is asked [default: as the request says]
    #[arg(long)]
    host: Option<String>,
}

/// Makes the call, prints the answer. A request that would be stopped is a no: status 1.
pub async fn run(target: Target, test: Test) -> Result<(), Failure> {
    let request = bytes_of(&test.request)?;
    let body = Body::of("request", curl::base64(&request))
        .with("client_ip", test.client.map(|client| client.to_string()))
        .with("host", test.host);
    let answer = call(&target, Method::POST, "/api/v1/waf/test", body).await?;
    print(&target, &answer, shown)?;
    match answer["stopped"].as_bool() {
        Some(false) => Ok(()),
        _ => Err(Failure::no("the request would be stopped")),
    }
}

/// The request that was given, in one of its ways.
fn bytes_of(given: &[String]) -> Result<Vec<u8>, Failure> {
    match given {
        [line] if is_curl(line.as_bytes()) => of_line(line),
        [file] => {
            let mut bytes = Vec::new();
            let read = match file.as_str() {
                "-" => std::io::stdin().lock().read_to_end(&mut bytes).map(|_| ()),
                file => std::fs::read(file).map(|read| bytes = read),
            };
            read.map_err(|error| {
                Failure::usage(format!(
                    "{file}: {error}; expected a file with a request, or a command line of curl"
                ))
            })?;
            if is_curl(&bytes) { of_line(&String::from_utf8_lossy(&bytes)) } else { Ok(completed(bytes)) }
        }
        [program, words @ ..] if program == "curl" => curl::request(words).map_err(Failure::usage),
        _ => Err(Failure::usage("expected one file, or a command line of curl behind `--`")),
    }
}

fn is_curl(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let text = text.strip_prefix(b"$ ").unwrap_or(text);
    text.strip_prefix(b"curl").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
}

fn of_line(line: &str) -> Result<Vec<u8>, Failure> {
    let line = line.trim_start();
    let words = curl::words(line.strip_prefix("$ ").unwrap_or(line)).map_err(Failure::usage)?;
    curl::request(words.get(1..).unwrap_or_default()).map_err(Failure::usage)
}

/// A request as somebody wrote it in an editor: with the line ends and the length that HTTP asks for. What has the line ends of
/// HTTP stays as it is.
fn completed(bytes: Vec<u8>) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte == b'\n');
    if first.is_some_and(|at| at > 0 && bytes.get(at - 1) == Some(&b'\r')) {
        return bytes;
    }
    let end = bytes.windows(2).position(|two| two == b"\n\n");
    let (head, body) = match end {
        Some(at) => (bytes.get(..at).unwrap_or_default(), bytes.get(at + 2..).unwrap_or_default()),
        None => (bytes.trim_ascii_end(), &b""[..]),
    };
    let lines: Vec<&[u8]> = head.split(|byte| *byte == b'\n').collect();
    let mut out = Vec::with_capacity(bytes.len() + 64);
    for line in &lines {
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
    }
    let names = |line: &&[u8], name: &[u8]| {
        line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    let is_framed =
        lines.iter().any(|line| names(line, b"content-length:") || names(line, b"transfer-encoding:"));
    // An editor ends the last line, which is no part of a form.
    let body = if is_framed { body } else { body.strip_suffix(b"\n").unwrap_or(body) };
    if !is_framed && !body.is_empty() {
        out.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(body);
    out
}

fn shown(answer: &Value) -> String {
    let mut text = match (answer["stopped"] == true, answer["reason"].as_str()) {
        (true, _) => format!("stopped with {}: {}\n", field(answer, "status"), field(answer, "reason")),
        (false, Some("") | None) => "passes\n".into(),
        (false, Some(_)) => format!("{}: {}\n", passing(answer), field(answer, "reason")),
    };
    let request = &answer["request"];
    if request.is_object() {
        let [method, target, host, client] =
            ["method", "target", "host", "client_ip"].map(|name| field(request, name));
        text.push_str(&format!("{method} {target} at {host} from {client}\n"));
        text.push_str(&format!(
            "site {}, mode {}, policy generation {}\n",
            field(answer, "site"),
            field(answer, "mode"),
            field(answer, "generation")
        ));
        let looked = match (request["body_bytes"].as_u64(), request["body_inspected"] == true) {
            (Some(0) | None, _) => String::new(),
            (Some(bytes), true) => format!("body: {bytes} bytes\n"),
            (Some(bytes), false) => format!("body: {bytes} bytes, not looked at\n"),
        };
        text.push_str(&looked);
    }
    let scores = &answer["scores"];
    if scores.is_object() {
        text.push_str(&format!(
            "score: {}, stopped from {}\n",
            field(scores, "inbound"),
            field(scores, "inbound_threshold")
        ));
    }
    if answer["excepted"].as_u64().is_some_and(|excepted| excepted > 0) {
        text.push_str(&format!("matches taken back by exceptions: {}\n", field(answer, "excepted")));
    }
    for found in items(answer, "matches") {
        text.push('\n');
        text.push_str(&matched(found));
    }
    text
}

/// What is done with a request that goes on.
fn passing(answer: &Value) -> &'static str {
    match answer["verdict"].as_str() {
        Some("log") => "passes, and is logged",
        Some("sanitize") => "passes without what matched",
        Some("rate_limit") => "passes, unless its client asks too often",
        Some("allow") => "passes, let through by a rule",
        _ => "passes",
    }
}

fn matched(found: &Value) -> String {
    let mut text = format!("{} {}\n", field(found, "rule_id"), field(found, "name"));
    let [action, severity, category] = ["action", "severity", "category"].map(|name| field(found, name));
    text.push_str(&format!("  {action}, {severity}, {category}"));
    if found["file"].is_string() {
        let [file, line, phase] = ["file", "line", "phase"].map(|name| field(found, name));
        text.push_str(&format!("; {file}:{line}, phase {phase}"));
    }
    text.push_str(&format!("\n  {}", field(found, "variable")));
    if !items(found, "transformations").is_empty() {
        text.push_str(&format!(" through {}", list(found, "transformations")));
    }
    match found["value"].is_string() {
        true => text.push_str(&format!(": {}\n  {}\n", field(found, "value"), field(found, "matched"))),
        false => text.push_str(&format!(": {}\n", field(found, "matched"))),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(text: &str) -> String {
        String::from_utf8(completed(text.as_bytes().to_vec())).unwrap()
    }

    #[test]
    fn a_request_from_an_editor_is_completed_and_another_is_not() {
        assert_eq!(of("GET / HTTP/1.1\nHost: a\n\n"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(of("GET / HTTP/1.1\nHost: a\n"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let posted = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na=b";
        assert_eq!(of("POST / HTTP/1.1\nHost: a\n\na=b\n"), posted);
        assert_eq!(
            of("POST / HTTP/1.1\nHost: a\ncontent-length: 3\n\na=b"),
            posted.replace("Content-L", "content-l")
        );
        for whole in [posted, "POST / HTTP/1.1\r\nHost: a\r\n\r\na=b\n"] {
            assert_eq!(of(whole), whole);
        }
    }

    #[test]
    fn a_line_of_curl_is_told_from_a_file() {
        assert!(
            is_curl(b"curl http://a/") && is_curl(b" $ curl -d x http://a/") && is_curl(b"curl\n\thttp://a/")
        );
        assert!(!is_curl(b"curl.txt") && !is_curl(b"curl") && !is_curl(b"POST /curl HTTP/1.1"));
    }

    #[test]
    fn an_answer_is_told_with_what_led_to_it() {
        let answer = json!({
            "verdict": "block", "stopped": true, "status": 403, "reason": "942100 (SQLi) matched ARGS:id", "generation": 3,
            "site": "default", "mode": "block", "excepted": 0, "scores": { "inbound": 5, "inbound_threshold": 5 },
            "request": { "client_ip": "192.0.2.1", "host": "a", "method": "GET", "target": "/?id=1%27", "body_bytes": 0 },
            "matches": [{ "rule_id": "942100", "name": "SQLi", "category": "sql_injection", "severity": "critical",
                "action": "block", "variable": "ARGS:id", "matched": "found s&s", "transformations": ["urlDecodeUni"],
                "value": "1'\u{1b}", "file": "942.conf", "line": 45, "phase": 2 }],
        });
        assert_eq!(
            shown(&answer),
            "stopped with 403: 942100 (SQLi) matched ARGS:id\n\
             GET /?id=1%27 at a from 192.0.2.1\n\
             site default, mode block, policy generation 3\n\
             score: 5, stopped from 5\n\
             \n942100 SQLi\n  block, critical, sql_injection; 942.conf:45, phase 2\n  \
             ARGS:id through urlDecodeUni: 1'\\u{1b}\n  found s&s\n"
        );
    }
}
