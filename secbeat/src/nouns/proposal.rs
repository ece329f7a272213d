//! Exceptions made from a request that was stopped: proposed by the node, tried on recorded requests, set once somebody says yes.

use crate::arguments::{Output, Target};
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::nouns::exception::{PATH, applied, narrowed};
use crate::show::{field, items, table};
use crate::words::Body;
use hyper::Method;
use serde_json::{Value, json};
use std::io::{BufRead, IsTerminal, Write};

/// What is asked for.
pub struct Asked {
    /// Shows it, and sets nothing.
    pub dry_run: bool,
    /// Sets it without a question.
    pub yes: bool,
    /// When the exceptions end; `None`: never.
    pub expires_at: Option<String>,
    /// Why, for whoever finds them later; `None`: the request that they were made from.
    pub reason: Option<String>,
}

/// Shows what exceptions would let through, and sets them. `preview`: the body of the call that tells.
pub async fn run(target: &Target, preview: Body, asked: Asked) -> Result<(), Failure> {
    let mut answer = call(target, Method::POST, "/api/v1/waf/preview", preview).await?;
    for exception in answer["exceptions"].as_array_mut().into_iter().flatten() {
        if let Some(end) = &asked.expires_at {
            exception["expires_at"] = json!(end);
        }
        if let Some(reason) = &asked.reason {
            exception["reason"] = json!(reason);
        }
    }
    if asked.dry_run || target.output == Output::Human {
        print(target, &answer, shown)?;
    }
    if asked.dry_run {
        return Ok(());
    }
    if !asked.yes && !agrees()? {
        return Err(Failure::no("nothing was changed"));
    }
    let body = json!({ "exceptions": answer["exceptions"] }).to_string();
    print(target, &call(target, Method::POST, PATH, body).await?, applied)
}

fn agrees() -> Result<bool, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Failure::usage(
            "expected somebody to ask; --yes sets it without a question, --dry-run sets nothing",
        ));
    }
    let mut answer = String::new();
    let asked =
        write!(std::io::stderr(), "set this? [y/N] ").and_then(|()| stdin.lock().read_line(&mut answer));
    asked.map_err(Failure::no)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

fn shown(answer: &Value) -> String {
    let mut text = String::new();
    for exception in items(answer, "exceptions") {
        text.push_str(&format!("{}: {}\n", field(exception, "id"), narrowed(exception)));
        text.push_str(&format!(
            "  until {}, for {}\n",
            field(exception, "expires_at"),
            field(exception, "reason")
        ));
    }
    let request = &answer["request"];
    if request.is_object() {
        let outcome = match request["passes"].as_bool() {
            Some(true) => "would pass",
            Some(false) => "would still be stopped",
            None => "was not recorded whole, so that it cannot be tried",
        };
        text.push_str(&format!("request {} {outcome}\n", field(request, "request_id")));
    }
    let [records, examined, stopped, passing] =
        ["records", "examined", "stopped", "would_pass"].map(|name| field(answer, name));
    text.push_str(&format!(
        "of the last {records} recorded requests that were stopped, {examined} are recorded whole; of these the rules stop \
         {stopped} now, and would let {passing} of them pass\n"
    ));
    let passing = items(answer, "requests");
    if !passing.is_empty() {
        let head = ["TIME", "REQUEST ID", "CLIENT", "HOST", "REQUEST"];
        text.push_str(&table(&head, passing, |one| {
            let mut row =
                ["timestamp", "request_id", "client_ip", "host"].map(|name| field(one, name)).to_vec();
            row.push(format!("{} {}", field(one, "method"), field(one, "target")));
            row
        }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preview_says_what_would_pass() {
        let one = json!({ "timestamp": "t", "request_id": "r", "client_ip": "c", "host": "h", "method": "GET", "target": "/a" });
        let answer = json!({
            "exceptions": [{ "id": "exc_1", "rules": ["942100"], "parameters": ["ARGS:id"], "expires_at": "e", "reason": "request r" }],
            "request": { "request_id": "r", "passes": true },
            "records": 9, "examined": 8, "stopped": 7, "would_pass": 1, "requests": [one],
        });
        assert_eq!(
            shown(&answer),
            "exc_1: rules: 942100, parameters: ARGS:id\n  until e, for request r\nrequest r would pass\n\
             of the last 9 recorded requests that were stopped, 8 are recorded whole; of these the rules stop 7 now, and would \
             let 1 of them pass\n\
             TIME  REQUEST ID  CLIENT  HOST  REQUEST\nt     r           c       h     GET /a\n"
        );
    }
}
