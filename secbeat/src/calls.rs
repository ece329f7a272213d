//! The commands that are one call of a node's API.

use crate::arguments::{Call as Command, Decision, Event, NodeVerb, Output, Rule, Target};
use crate::client::{Call, encode};
use crate::failure::Failure;
use crate::show;
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use std::io::Write;
use std::net::IpAddr;

/// Makes the call, prints the answer.
pub async fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Decision(Decision::Add { scope, duration, reason, force, target }) => {
            let (key, path) = match is_prefix(&scope)? {
                true => ("cidr", "/api/v1/emergency-block"),
                false => ("ip", "/api/v1/block-ip"),
            };
            let mut body = json!({ key: scope, "force": force });
            if let Some(duration) = duration {
                body["duration"] = duration.into();
            }
            if let Some(reason) = reason {
                body["reason"] = reason.into();
            }
            let answer = call(&target, Method::POST, path.into(), Some(body)).await?;
            print(&target, &answer, show::blocked)
        }
        Command::Decision(Decision::List { target }) => {
            let answer = call(&target, Method::GET, "/api/v1/blocked-ips".into(), None).await?;
            print(&target, &answer, show::decisions)
        }
        Command::Decision(Decision::Delete { scope, target }) => {
            let (path, body) = match is_prefix(&scope)? {
                true => ("/api/v1/emergency-block".into(), Some(json!({ "cidr": scope }))),
                false => (format!("/api/v1/block-ip/{}", encode(&scope)), None),
            };
            let answer = call(&target, Method::DELETE, path, body).await?;
            print(&target, &answer, show::removed)
        }
        Command::Rule(Rule::List { target }) => {
            let answer = call(&target, Method::GET, "/api/v1/waf/rules".into(), None).await?;
            print(&target, &answer, show::rules)
        }
        Command::Event(Event::List { kind, ip, since, limit, target }) => {
            let mut path = format!("/api/v1/events?limit={limit}");
            for (name, value) in [("type", kind), ("ip", ip), ("since", since)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encode(&value)));
                }
            }
            let answer = call(&target, Method::GET, path, None).await?;
            print(&target, &answer, show::events)
        }
        Command::Node(NodeVerb::Status { allow_degraded, target }) => {
            let answer = call(&target, Method::GET, "/api/v1/status".into(), None).await?;
            print(&target, &answer, show::status)?;
            match answer["status"].as_str() {
                Some("ok") => Ok(()),
                Some("degraded") if allow_degraded => Ok(()),
                _ => Err(Failure::no("")),
            }
        }
    }
}

/// Whether it is a prefix rather than an address.
fn is_prefix(scope: &str) -> Result<bool, Failure> {
    let address = scope.split_once('/').map_or(scope, |(address, _)| address);
    match address.parse::<IpAddr>() {
        Ok(_) => Ok(scope.contains('/')),
        Err(_) => Err(Failure::usage(format!(
            "expected an address or a prefix such as 192.0.2.0/24, found {scope:?}"
        ))),
    }
}

async fn call(target: &Target, method: Method, path: String, body: Option<Value>) -> Result<Value, Failure> {
    let call = Call { method, path, body, token: target.token.as_deref() };
    let (status, answer) = target.node.call(call).await?;
    if status.is_success() {
        return Ok(answer);
    }
    let message = match (answer["error"]["message"].as_str(), answer["error"]["location"].as_str()) {
        (Some(message), Some(location)) => format!("{location}: {message}"),
        (Some(message), None) => message.to_owned(),
        (None, _) => format!("{} answered {status}", target.node),
    };
    Err(match status {
        StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Failure::usage(message),
        _ => Failure::no(message),
    })
}

/// Prints an answer. Whoever stops reading (`… | head`) has read enough.
fn print(target: &Target, answer: &Value, human: fn(&Value) -> String) -> Result<(), Failure> {
    let text = match target.output {
        Output::Human => human(answer),
        Output::Json => format!("{answer:#}\n"),
    };
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}
