//! Why a client or a request was let through or stopped.

use crate::arguments::Target;
use crate::calls::{call, print};
use crate::failure::Failure;
use crate::nouns::{event, panic};
use crate::show::{field, items, list, table};
use crate::words::Path;
use clap::Args;
use hyper::Method;
use serde_json::Value;
use std::net::IpAddr;

/// What is to be explained.
#[derive(Args)]
pub struct Explain {
    /// The address of a client, or the `x-request-id` of an answer
    subject: String,
    #[command(flatten)]
    target: Target,
}

/// Makes the call, prints the answer.
pub async fn run(asked: Explain) -> Result<(), Failure> {
    let Explain { subject, target } = asked;
    let is_address = subject.parse::<IpAddr>().is_ok();
    let (name, view): (_, fn(&Value) -> String) =
        if is_address { ("ip", client) } else { ("request_id", request) };
    let path = Path::of("/api/v1/explain").with(name, Some(subject));
    print(&target, &call(&target, Method::GET, path, None).await?, view)
}

fn client(answer: &Value) -> String {
    let mut text = format!("{}: {}", field(answer, "scope"), field(answer, "verdict"));
    if let Some(id) = answer["in_force"]["id"].as_str() {
        text.push_str(&format!(", by {id}"));
    }
    text.push('\n');
    let connections = &answer["connections"];
    text.push_str(&format!(
        "connections: {} open, limit {}\n",
        field(connections, "open"),
        field(connections, "limit")
    ));
    let switches = items(answer, "panic");
    if !switches.is_empty() {
        text.push_str(&format!("\nkill switch:\n{}", panic::listed(switches)));
    }
    let considered = items(answer, "considered");
    if !considered.is_empty() {
        text.push('\n');
        let head = ["DECISION", "KIND", "SCOPE", "UNTIL", "PRECEDENCE", "IN FORCE", "REASON"];
        text.push_str(&table(&head, considered, |one| {
            let mut row =
                ["id", "kind", "scope", "expires_at"].map(|name| field(&one["decision"], name)).to_vec();
            row.extend(["precedence", "in_force"].map(|name| field(one, name)));
            row.push(field(&one["decision"], "reason"));
            row
        }));
    }
    let rates = items(answer, "rates");
    if !rates.is_empty() {
        text.push('\n');
        text.push_str(&table(&["LIMIT", "USED", "BURST", "RETRY AFTER"], rates, |rate| {
            ["limit", "used", "burst", "retry_after_s"].map(|name| field(rate, name)).to_vec()
        }));
    }
    let events = items(answer, "events");
    if !events.is_empty() {
        text.push('\n');
        text.push_str(&event::listed(events));
    }
    text
}

fn request(answer: &Value) -> String {
    let mut text = format!(
        "{}: {}, status {}, {} ms\n",
        field(answer, "request_id"),
        field(answer, "action"),
        field(answer, "status"),
        field(answer, "duration_ms")
    );
    if answer["method"].is_string() {
        let names = ["method", "host", "target"].map(|name| field(answer, name));
        text.push_str(&format!("{}\n", names.join(" ")));
    }
    text.push_str(&format!(
        "at {} from {}, connection {}, policy generation {}, site {}\n\n",
        field(answer, "at"),
        field(answer, "client_ip"),
        field(answer, "connection_id"),
        field(answer, "generation"),
        field(answer, "site")
    ));
    text.push_str(&table(&["STAGE", "VERDICT", "WHY"], items(answer, "trace"), |step| {
        ["stage", "verdict", "why"].map(|name| field(step, name)).to_vec()
    }));
    let matches = items(&answer["event"], "matches");
    if !matches.is_empty() {
        text.push('\n');
        let head = ["RULE", "ACTION", "WHERE", "THROUGH", "AT", "MATCHED"];
        let places = items(answer, "rules");
        text.push_str(&table(&head, matches, |found| {
            let place = places.iter().find(|place| place["id"] == found["rule_id"]);
            let place = place
                .map_or("-".into(), |place| format!("{}:{}", field(place, "file"), field(place, "line")));
            let mut row = ["rule_id", "action", "variable"].map(|name| field(found, name)).to_vec();
            row.extend([list(found, "transformations"), place, field(found, "matched")]);
            row
        }));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_client_is_explained_by_what_was_considered() {
        let decision = json!({ "id": "dec_1", "kind": "block", "scope": "192.0.2.7/32", "expires_at": null, "reason": "r" });
        let text = client(
            &json!({ "ip": "192.0.2.7", "scope": "192.0.2.7/32", "verdict": "block", "in_force": decision,
            "considered": [{ "decision": decision, "precedence": "manual", "in_force": true }],
            "panic": [{ "mode": "off", "until": "2026-01-01T00:00:00Z", "hosts": ["shop.example"], "reason": "t" },
                { "mode": "monitor", "until": "2026-01-01T00:00:00Z", "hosts": [], "reason": "" }],
            "rates": [{ "limit": "waf.rate_limit_rps", "used": 3, "burst": 20, "retry_after_s": 0 }],
            "connections": { "open": 1, "limit": null }, "events": [] }),
        );
        assert_eq!(
            text,
            "192.0.2.7/32: block, by dec_1\n\
             connections: 1 open, limit -\n\
             \nkill switch:\n\
             MODE     UNTIL                 HOSTS         REASON\n\
             off      2026-01-01T00:00:00Z  shop.example  t\n\
             monitor  2026-01-01T00:00:00Z  all           -\n\
             \nDECISION  KIND   SCOPE         UNTIL  PRECEDENCE  IN FORCE  REASON\n\
             dec_1     block  192.0.2.7/32  -      manual      true      r\n\
             \nLIMIT               USED  BURST  RETRY AFTER\n\
             waf.rate_limit_rps  3     20     0\n"
        );
    }
}
