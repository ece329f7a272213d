//! The site behind the firewall: answers what `/reflect` is asked to answer, and 200 everywhere else.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What the site answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The fields, without those that frame the body.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What `/reflect` is asked for, in the JSON of the request's body.
#[derive(Deserialize, Default)]
struct Wish {
    status: Option<u16>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<String>,
    #[serde(rename = "encodedBody")]
    encoded_body: Option<String>,
}

/// What the site answers to a request for `path` with this body. A wish that cannot be read is answered with 400.
pub fn answer(path: &[u8], body: &[u8]) -> Answer {
    if !path.starts_with(b"/reflect") {
        let fields = vec![("Content-Type".to_owned(), "text/plain".to_owned())];
        return Answer { status: 200, fields, body: b"fine\n".to_vec() };
    }
    match serde_json::from_slice::<Wish>(body).map_err(|error| error.to_string()).and_then(fulfil) {
        Ok(answer) => answer,
        Err(why) => Answer { status: 400, fields: Vec::new(), body: why.into_bytes() },
    }
}

fn fulfil(wish: Wish) -> Result<Answer, String> {
    let body = match (wish.body, wish.encoded_body) {
        (Some(text), _) => text.into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).map_err(|error| error.to_string())?,
        (None, None) => Vec::new(),
    };
    let mut fields: Vec<(String, String)> = wish.headers.into_iter().collect();
    if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        // As sites written in Go say of what they do not know to be anything else.
        fields.push(("Content-Type".to_owned(), "text/plain; charset=utf-8".to_owned()));
    }
    Ok(Answer { status: wish.status.unwrap_or(200), fields, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reflect_is_asked_for_it_answers() {
        let wish = br#"{"status": 500, "headers": {"content-type": "b"}, "encodedBody": "AAE="}"#;
        let expected =
            Answer { status: 500, fields: vec![("content-type".into(), "b".into())], body: vec![0, 1] };
        assert_eq!(answer(b"/reflect", wish), expected);
        assert_eq!(answer(b"/reflect", br#"{"body": "x"}"#).body, b"x");
        assert_eq!(answer(b"/reflect", b"{").status, 400);
        assert_eq!(answer(b"/", b"").status, 200);
    }
}
