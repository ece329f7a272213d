//! The head of an HTTP/1.1 answer, as far as a client of ours needs it.

use crate::Outcome;

/// What a head says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The status, 200 for example.
    pub status: u16,
    /// Where the body begins.
    pub body: usize,
    /// Where the answer ends.
    pub end: usize,
    /// Whether the connection ends with it.
    pub closes: bool,
}

/// The head of `answer`; `None` where it has not arrived whole. An answer without a `Content-Length` is an error.
pub fn head(answer: &[u8]) -> Outcome<Option<Head>> {
    let Some(blank) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(answer.get(..blank).unwrap_or_default());
    let (first, fields) = text.split_once("\r\n").unwrap_or((&text, ""));
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
    let status = status.ok_or_else(|| format!("an answer is not HTTP/1.1: {first:?}"))?;
    let field = |wanted: &str| {
        let mut fields = fields.split("\r\n").filter_map(|line| line.split_once(':'));
        fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let length: usize = field("content-length")
        .and_then(|value| value.parse().ok())
        .ok_or_else(|| format!("an answer has no Content-Length: {first:?}"))?;
    let closes = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let body = blank + 4;
    Ok(Some(Head { status, body, end: body + length, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_says_how_long_its_answer_is_and_whether_the_connection_ends() {
        let answer = b"HTTP/1.1 429 Too Many Requests\r\ncontent-length: 3\r\nConnection: close\r\n\r\nabc";
        let expected = Head { status: 429, body: answer.len() - 3, end: answer.len(), closes: true };
        assert_eq!(head(answer), Ok(Some(expected)));
        for cut in 0..answer.len() - 3 {
            assert_eq!(head(&answer[..cut]), Ok(None), "{cut}");
        }
    }

    #[test]
    fn an_answer_of_unknown_length_and_what_is_no_answer_are_errors() {
        assert!(head(b"HTTP/1.1 200 OK\r\nServer: x\r\n\r\n").is_err());
        assert!(head(b"SSH-2.0-x\r\n\r\n").is_err());
    }
}
