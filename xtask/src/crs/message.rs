//! A case's request as bytes, completed as go-ftw (`ftwhttp/request.go`) completes it, so that the cases mean here what they mean there.

use super::case::{Input, OneOrMany};
use super::template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a form is sent as.
const FORM: &str = "application/x-www-form-urlencoded";

/// The request of `input`, as it goes over the wire.
pub fn bytes(input: &Input) -> Result<Vec<u8>, String> {
    if let Some(text) = &input.encoded_request {
        let encoded: String = text.split_ascii_whitespace().collect();
        return STANDARD.decode(encoded).map_err(|error| format!("encoded_request: {error}"));
    }
    if let Some(text) = &input.raw_request {
        return Ok(text.clone().into_bytes());
    }
    let completes = input.autocomplete_headers.unwrap_or(!input.stop_magic.unwrap_or(false));
    let method = input.method.as_deref().unwrap_or("GET");
    let mut fields: Vec<(&str, String)> = input
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone().unwrap_or_default()))
        .collect();
    let has = |fields: &[(&str, String)], wanted: &str| {
        fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    };
    let mut data = data(input);
    if completes && !data.is_empty() {
        if !has(&fields, "Content-Type") {
            fields.push(("Content-Type", FORM.to_owned()));
        }
        let is_form = |(name, value): &(&str, String)| {
            name.eq_ignore_ascii_case("Content-Type") && value.eq_ignore_ascii_case(FORM)
        };
        if fields.iter().any(is_form) && is_unescaped(data.as_bytes()) {
            data = escape_form(&data);
        }
    }
    let is_multipart = |(name, value): &(&str, String)| {
        name.eq_ignore_ascii_case("Content-Type")
            && value.to_ascii_lowercase().contains("multipart/form-data;")
    };
    if fields.iter().any(is_multipart) {
        // Lists are joined with CR LF already.
        data = data.replace("\r\n", "\n").replace('\n', "\r\n");
    }
    if completes {
        if !has(&fields, "Connection") {
            fields.push(("Connection", "close".to_owned()));
        }
        let is_usual = ["POST", "PUT", "PATCH", "DELETE"].iter().any(|usual| method.contains(usual));
        let expects_body = is_usual && !input.is_of_crs_3;
        if !has(&fields, "Content-Length") && (!data.is_empty() || expects_body) {
            fields.push(("Content-Length", data.len().to_string()));
        }
    }
    let target = input.uri.as_deref().unwrap_or("/");
    let version = input.version.as_deref().unwrap_or("HTTP/1.1");
    let mut request = format!("{method} {target} {version}\r\n");
    for (name, value) in &fields {
        request.extend([name, ": ", value.as_str(), "\r\n"]);
    }
    request.push_str("\r\n");
    request.push_str(&data);
    Ok(request.into_bytes())
}

fn data(input: &Input) -> String {
    match &input.data {
        None => String::new(),
        Some(OneOrMany::One(text)) => template::expand(text),
        Some(OneOrMany::Many(lines)) => lines.join("\r\n"),
    }
}

/// Whether decoding a form's data would change nothing (a `%` that begins no escape is taken for one).
fn is_unescaped(data: &[u8]) -> bool {
    !data.iter().any(|byte| matches!(byte, b'%' | b'+'))
}

/// Names and values of `a=b&c=d` percent-encoded, as Go's `url.QueryEscape` does it.
fn escape_form(data: &str) -> String {
    let pairs = data.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{}={}", escape(name), escape(value)),
        None => escape(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(input: Input) -> String {
        String::from_utf8(bytes(&input).unwrap()).unwrap()
    }

    fn input(headers: &[(&str, &str)], data: Option<&str>) -> Input {
        Input {
            headers: headers.iter().map(|(name, value)| ((*name).into(), Some((*value).into()))).collect(),
            data: data.map(|data| OneOrMany::One(data.into())),
            ..Input::default()
        }
    }

    #[test]
    fn fields_that_are_missing_are_added() {
        assert_eq!(
            written(input(&[("Host", "a")], None)),
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        );
        let post = Input { method: Some("POST".into()), ..input(&[("Host", "a")], Some("x=<a b>&y")) };
        assert_eq!(
            written(post),
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Connection: close\r\nContent-Length: 15\r\n\r\nx=%3Ca+b%3E&y"
                .replace("15", "13")
        );
    }

    #[test]
    fn nothing_is_added_where_the_case_says_so() {
        let bare = Input { stop_magic: Some(true), ..input(&[("Host", "a")], Some("a=<b>")) };
        assert_eq!(written(bare), "GET / HTTP/1.1\r\nHost: a\r\n\r\na=<b>");
    }

    #[test]
    fn data_that_is_escaped_is_left_as_it_is() {
        assert!(written(input(&[], Some("a=%3C<"))).ends_with("\r\n\r\na=%3C<"));
    }

    #[test]
    fn lines_of_multipart_end_in_cr_lf() {
        let request =
            written(input(&[("Content-Type", "multipart/form-data; boundary=x")], Some("--x\na\r\n--x--\n")));
        assert!(request.ends_with("\r\n\r\n--x\r\na\r\n--x--\r\n"), "{request}");
    }

    #[test]
    fn a_whole_request_is_sent_as_it_is() {
        let encoded = Input { encoded_request: Some("R0VUIC8=".into()), ..Input::default() };
        assert_eq!(bytes(&encoded).unwrap(), b"GET /");
    }
}
