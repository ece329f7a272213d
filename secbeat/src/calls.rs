//! Making a call, and printing its answer.

use crate::arguments::{Output, Target};
use crate::client::Call;
use crate::failure::Failure;
use crate::show;
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
