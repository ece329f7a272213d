//! Making a call, and printing its answer.

use crate::arguments::{Output, Target};
use crate::client::Call;
use crate::failure::Failure;
use crate::show;
use crate::words::Path;
use hyper::{Method, StatusCode};
use serde_json::Value;
use std::io::Write;

/// Makes a call.
///
/// # Errors
/// The node refuses it, or cannot be reached.
pub async fn call(
    target: &Target,
    method: Method,
    path: impl Into<String>,
    body: impl Into<Option<String>>,
) -> Result<Value, Failure> {
    let call = Call { method, path: path.into(), body: body.into(), token: target.token.as_deref() };
    let (status, answer) = target.node.call(call).await?;
    if status.is_success() { Ok(answer) } else { Err(refusal(target, status, &answer)) }
}

/// A list that comes in pages, read on to its end or until there are `limit`.
pub struct Pages {
    /// The list, by its name in the answer.
    pub list: &'static str,
    /// The parameter that takes `next` of the page before.
    pub cursor: &'static str,
    /// The most that a page holds.
    pub page_max: usize,
    /// At most so many altogether.
    pub limit: usize,
}

impl Pages {
    /// Makes as many calls as it takes; gives the last answer with all of the list in it.
    ///
    /// # Errors
    /// As [`call`].
    pub async fn read(self, target: &Target, path: Path) -> Result<Value, Failure> {
        let (mut all, mut next) = (Vec::new(), None);
        loop {
            let left = (self.limit - all.len()).min(self.page_max);
            let page = path.clone().with("limit", Some(left)).with(self.cursor, next);
            let mut answer = call(target, Method::GET, page, None).await?;
            if let Value::Array(list) = answer[self.list].take() {
                all.extend(list);
            }
            next = match &answer["next"] {
                Value::String(next) => Some(next.clone()),
                Value::Number(next) => Some(next.to_string()),
                _ => None,
            };
            if next.is_none() || all.len() >= self.limit {
                answer[self.list] = all.into();
                return Ok(answer);
            }
        }
    }
}

/// Why the node does not do it.
pub fn refusal(target: &Target, status: StatusCode, answer: &Value) -> Failure {
    let error = &answer["error"];
    let message = match (error["message"].is_string(), error["location"].is_string()) {
        (true, true) => format!("{}: {}", show::field(error, "location"), show::field(error, "message")),
        (true, false) => show::field(error, "message"),
        (false, _) => format!("{} answered {status}", target.node),
    };
    match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Failure::usage(message),
        _ => Failure::no(message),
    }
}

/// Prints an answer. Whoever stops reading (`… | head`) has read enough.
pub fn print(target: &Target, answer: &Value, human: fn(&Value) -> String) -> Result<(), Failure> {
    let text = match target.output {
        Output::Human => human(answer),
        Output::Json => show::json(&format!("{answer:#}\n")),
    };
    let _ = write(&text);
    Ok(())
}

/// Writes to standard output, at once.
pub fn write(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}
