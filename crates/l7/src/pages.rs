//! The pages that tell a client that its request went no further: HTML for browsers, JSON for programs, text for the rest; those
//! built in, or the operator's own.

use std::borrow::Cow;

/// The longest template, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 64 << 10;

const HTML: &str = include_str!("pages/refused.html");
const JSON: &str = r#"{"error":{"status":{status},"reason":"{reason}","message":"{message}","request_id":"{request_id}"}}
"#;
const TEXT: &str = "{status} {reason}\n\n{message} Its id: {request_id}\n";

/// What a client wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A page.
    Html,
    /// An object.
    Json,
    /// Lines.
    Text,
}

impl Format {
    /// The value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Format::Html => "text/html; charset=utf-8",
            Format::Json => "application/json",
            Format::Text => "text/plain; charset=utf-8",
        }
    }

    /// What `Accept` (RFC 9110 12.5.1) asks for: of HTML and JSON the one with the higher weight, HTML where they are equal,
    /// text where neither is named.
    pub fn negotiated(accept: &[u8]) -> Self {
        let (mut html, mut json) = (0, 0);
        for range in accept.split(|byte| *byte == b',') {
            let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts.find_map(quality).unwrap_or(1000);
            match media.as_slice() {
                b"text/html" | b"application/xhtml+xml" => html = html.max(weight),
                b"application/json" => json = json.max(weight),
                media if media.ends_with(b"+json") => json = json.max(weight),
                _ => {}
            }
        }
        match (html, json) {
            (0, 0) => Format::Text,
            (html, json) if json > html => Format::Json,
            _ => Format::Html,
        }
    }
}

/// The thousandths of `q=0.8` (RFC 9110 12.4.2); `None`: another parameter.
fn quality(parameter: &[u8]) -> Option<u32> {
    let value = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="))?;
    let weight: f32 = std::str::from_utf8(value).ok()?.parse().ok()?;
    weight.is_finite().then_some((weight.clamp(0.0, 1.0) * 1000.0) as u32)
}

/// The operator's own templates; in them `{status}`, `{reason}`, `{message}` and `{request_id}` are replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// In place of the HTML page.
    pub html: Option<String>,
    /// In place of the JSON object.
    pub json: Option<String>,
}

/// What is told.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// The status.
    pub status: u16,
    /// Its phrase.
    pub reason: &'a str,
    /// A sentence that gives nothing away.
    pub message: &'a str,
    /// The request's id, by which the operator finds out why.
    pub request_id: &'a str,
}

impl Pages {
    /// The body in this format.
    pub fn body(&self, format: Format, said: Said<'_>) -> String {
        let template = match format {
            Format::Html => self.html.as_deref().unwrap_or(HTML),
            Format::Json => self.json.as_deref().unwrap_or(JSON),
            Format::Text => TEXT,
        };
        fill(template, format, said)
    }

    /// Whether the template is such as can be used.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(template: &str, format: Format) -> Result<(), String> {
        if template.len() > TEMPLATE_BYTES_MAX {
            return Err(format!("expected at most {TEMPLATE_BYTES_MAX} bytes, found {}", template.len()));
        }
        if !template.contains("{request_id}") {
            return Err("expected {request_id} somewhere in it: without it nobody finds out why a request was stopped".into());
        }
        // An id as they are: it is no number.
        let said = Said { status: 403, reason: "Forbidden", message: "m", request_id: "0123456789abcdef" };
        if format == Format::Json
            && let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&fill(template, format, said))
        {
            return Err(format!("expected JSON once the placeholders are filled: {error}"));
        }
        Ok(())
    }
}

/// Everything else in braces, such as a style sheet, stays as it is.
fn fill(template: &str, format: Format, said: Said<'_>) -> String {
    let status = said.status.to_string();
    let values = [
        ("{status}", status.as_str()),
        ("{reason}", said.reason),
        ("{message}", said.message),
        ("{request_id}", said.request_id),
    ];
    let mut body = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        body.push_str(before);
        match values.iter().find(|(name, _)| from.starts_with(name)) {
            Some((name, value)) => {
                body.push_str(&escaped(value, format));
                rest = from.get(name.len()..).unwrap_or_default();
            }
            None => {
                body.push('{');
                rest = from.get(1..).unwrap_or_default();
            }
        }
    }
    body.push_str(rest);
    body
}

fn escaped(text: &str, format: Format) -> Cow<'_, str> {
    let must = |c: char| match format {
        Format::Html => matches!(c, '<' | '>' | '&' | '"' | '\''),
        Format::Json => matches!(c, '"' | '\\') || c.is_control(),
        Format::Text => false,
    };
    if !text.contains(must) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| match (must(c), format) {
        (true, Format::Html) => format!("&#{};", u32::from(c)),
        (true, _) => format!("\\u{:04x}", u32::from(c)),
        (false, _) => c.to_string(),
    };
    Cow::Owned(text.chars().map(escape).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: Said<'_> = Said { status: 403, reason: "Forbidden", message: "<Stopped>", request_id: "0f" };

    #[test]
    fn browsers_read_html_and_programs_json() {
        for (accept, format) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", Format::Html),
            ("application/json", Format::Json),
            ("application/problem+json, text/html;q=0.5", Format::Json),
            ("application/json;q=0.1, text/html", Format::Html),
            ("text/html;q=0, application/json;q=0", Format::Text),
            ("*/*", Format::Text),
            ("", Format::Text),
            ("text/html;q=nan", Format::Html),
        ] {
            assert_eq!(Format::negotiated(accept.as_bytes()), format, "{accept}");
        }
    }

    #[test]
    fn each_format_says_the_same_and_escapes_it() {
        let pages = Pages::default();
        assert_eq!(pages.body(Format::Text, SAID), "403 Forbidden\n\n<Stopped> Its id: 0f\n");
        let html = pages.body(Format::Html, SAID);
        assert!(html.contains("&#60;Stopped&#62;") && html.contains("0f") && html.contains("403"), "{html}");
        assert!(!html.contains("{status}") && html.contains("body {"), "{html}");
        let json: serde_json::Value = serde_json::from_str(&pages.body(Format::Json, SAID)).unwrap();
        assert_eq!(json["error"]["request_id"], "0f");
        assert_eq!(json["error"]["status"], 403);
    }

    #[test]
    fn a_template_of_the_operators_is_checked_before_it_is_used() {
        assert!(Pages::check("<p>{request_id}</p>", Format::Html).is_ok());
        assert!(Pages::check("<p>sorry</p>", Format::Html).unwrap_err().contains("{request_id}"));
        assert!(Pages::check("{\"id\": {request_id}", Format::Json).unwrap_err().contains("JSON"));
        assert!(Pages::check("{\"id\": \"{request_id}\"}", Format::Json).is_ok());
        assert!(Pages::check("{\"id\": {request_id}}", Format::Json).unwrap_err().contains("JSON"));
        assert!(Pages::check(&"x".repeat(TEMPLATE_BYTES_MAX + 1), Format::Html).is_err());
        let pages = Pages { html: Some("a{b{request_id}{".into()), json: None };
        assert_eq!(pages.body(Format::Html, SAID), "a{b0f{");
    }
}
